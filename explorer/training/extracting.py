"""Extract the checkpoints of an ablation on the corpora of a store, each as its other checkpoints were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from store.corpora.text import Text
from store.errors import BertdynError
from store.extract.checkpoint import ExtractProgress
from store.extract.corpora import text_of
from store.extract.plan import ExtractOptions
from store.extract.run import Report, extract
from store.keys import PRETRAINED_KEY
from store.layout import ATTENTION, LOGITS, MARKER
from store.store import Store

_NEEDED = "Which pre-trained model do the runs start from? Name it with --reference"


def base_of(path: Path) -> Path:
    """Return the folder of the pre-trained model that a store's checkpoints are compared with.

    Raises:
        BertdynError: there is no store, it has no pre-trained model, or the model's folder is gone.
    """
    if not (path / MARKER).exists():
        raise BertdynError(f"{_NEEDED}: {path} does not exist yet.")
    store = Store.open(path)
    for checkpoint in store.checkpoints():
        if checkpoint.key == PRETRAINED_KEY:
            folder = Path(str(store.attributes(checkpoint.corpus, checkpoint.key).get("folder", "")))
            if folder.is_dir():
                return folder
            raise BertdynError(f"{_NEEDED}: {folder}, from which {path} was made, is gone.")
    raise BertdynError(f"{_NEEDED}: {path} has none.")


def extract_runs(
    path: Path,
    reference: str,
    folders: Sequence[Path],
    otherwise: dict[str, Path],
    shown: Callable[[], AbstractContextManager[ExtractProgress]],
) -> list[Report]:
    """Extract runs on every corpus of a store that holds checkpoints, or on other ones if it holds none.

    Args:
        reference: folder of the pre-trained model, or its name on the hub; for a new store.
        folders: folders of the runs.
        otherwise: files by the name of the corpus, for a store without checkpoints.
        shown: opens what shows the progress of one extraction.

    Raises:
        BertdynError: nothing can be extracted.
    """
    jobs = _jobs(Store.open(path)) if (path / MARKER).exists() else {}
    if not jobs:
        with shown() as progress:
            return [extract(path, folders, otherwise, ExtractOptions(reference=reference), progress)]
    reports = []
    for options, texts in jobs.items():
        with shown() as progress:
            reports.append(extract(path, folders, texts, options, progress))
    return reports


def _jobs(store: Store) -> dict[ExtractOptions, dict[str, Text]]:
    """Return the corpora that hold checkpoints, by the options with which these were extracted."""
    jobs: dict[ExtractOptions, dict[str, Text]] = {}
    for info in store.corpora():
        there = store.checkpoints(info.name)
        if not there:
            continue
        corpus = store.corpus(info.name)
        options = ExtractOptions(
            max_length=int(str(corpus.attributes["max_length"])),
            dtype=there[0].dtype,
            attentions=any(ATTENTION in one.digests for one in there),
            logits=any(LOGITS in one.digests for one in there),
        )
        jobs.setdefault(options, {})[info.name] = text_of(corpus)
    return jobs
