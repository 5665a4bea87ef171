"""`bertdyn data-map-export`: write a run's data map as JSONL in the format of its authors' tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from explorer.commands.streams import say
from explorer.measures import MeasureError
from explorer.measures.registry import get
from explorer.selection import list_store
from explorer.selection.question import annotation_for
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.whole_files import whole

if TYPE_CHECKING:
    from explorer.measures.data_maps import Course


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.argument("checkpoint", metavar="TASK/SEED/STEP")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--corpus", metavar="NAME", required=True, help="Corpus with labels.")
@click.option("--annotation", metavar="NAME", help="Labels; default: the only ones of the corpus.")
@click.option("--map", "said", metavar="LABEL=CLASS,...", default="", help="Class of the classifier for each label.")
def command(store: Path, checkpoint: str, file: Path, corpus: str, annotation: str | None, said: str) -> int:
    """Write the data map of a run, over its stored checkpoints up to TASK/SEED/STEP, as JSON lines.

    One line per labelled example (or word): confidence, variability, correctness (number of checkpoints),
    forgetfulness, threshold_closeness, as in "Dataset Cartography" (Swayamdipta et al. 2020).

    \b
    bertdyn data-map-export runs.bertdyn sst2/1/2000 sst2-seed-1.jsonl --corpus dev
    """
    from explorer.measures import Given
    from explorer.measures.data_maps import course
    from store.outputs import Outputs
    from store.store import Store

    key = CheckpointKey.parse(checkpoint)
    if key is None:
        raise BertdynError(f"'{checkpoint}' is not a checkpoint: name it as TASK/SEED/STEP.")
    opened = Store.open(store)
    texts = opened.corpus(corpus)
    name = annotation_for(get("confidence"), texts.info, annotation or "", list_store(opened))
    opened.checkpoint(corpus, key)  # raises an error if there is none
    run = [c for c in opened.checkpoints(corpus) if c.key._replace(step=key.step) == key and c.key.step <= key.step]
    labels = texts.annotations[name]
    path = tuple(Outputs(*opened.logits(corpus, one.key)) for one in run)
    try:
        found = course(Given(texts, {"path": {"logits": path}}, labels), said)
    except MeasureError as error:
        raise BertdynError(str(error)) from None
    rows = [number for number, label in enumerate(labels.values.tolist()) if label >= 0]
    _write(file, lines(found, rows))
    say(f"{file}: {len(rows):,} {labels.level}s over {len(run)} checkpoints.", error=True)
    return 0


def lines(found: Course, rows: list[int]) -> Iterator[str]:
    """Yield one line of JSON per row; ``rows`` are the numbers of the sentences or words in the corpus, from 0."""
    confidence, variability = found.probability.mean(0), found.probability.std(0)
    correct, forgotten = found.right.sum(0), found.forgotten
    for place, number in enumerate(rows):
        share = float(confidence[place])
        yield json.dumps(
            {
                "guid": number,
                "index": place,
                "threshold_closeness": share * (1 - share),
                "confidence": share,
                "variability": float(variability[place]),
                "correctness": int(correct[place]),
                "forgetfulness": int(forgotten[place]),
            }
        )


def _write(file: Path, content: Iterator[str]) -> None:
    with whole(file) as draft, draft.open("w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in content)
