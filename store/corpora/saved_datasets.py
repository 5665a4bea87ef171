"""Read folders that ``save_to_disk`` of the library ``datasets`` wrote: one data set, or one for each split."""

from __future__ import annotations

import json
from pathlib import Path

from store.corpora.dataset_tables import datasets_for, text_of_dataset
from store.corpora.splits import joined
from store.corpora.text import Text, Wanted
from store.errors import BertdynError

_STATE, _SPLITS = "state.json", "dataset_dict.json"


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a folder holds a saved data set, or the list of the splits of several."""
    return (path / _STATE).is_file() or (path / _SPLITS).is_file()


def read(path: Path, wanted: Wanted) -> Text:
    """Return the sentences and labels of a data set. With splits, these make one corpus.

    Raises:
        BertdynError: ``datasets`` is not installed, the folder is damaged, or as ``text_of_dataset``.
    """
    if not (path / _SPLITS).is_file():
        return _one(path, wanted)
    try:
        names = json.loads((path / _SPLITS).read_text(encoding="utf-8"))["splits"]
        parts = {name: _one(path / name, wanted) for name in map(str, names) if Path(name).name == name}
    except (ValueError, KeyError, TypeError):
        raise BertdynError(f"{path / _SPLITS} is damaged: it does not name the splits of a data set.") from None
    if not parts:
        raise BertdynError(f"{path} is empty: a corpus needs at least one sentence.")
    return joined(parts)


def _one(path: Path, wanted: Wanted) -> Text:
    with datasets_for(path) as datasets:
        found = datasets.load_from_disk(str(path))
        return text_of_dataset(found, wanted, path, str(path.absolute()), "saved data set")
