"""Read data sets of the Hugging Face Hub, named ``hf:NAME[/CONFIG]:SPLIT``. Their code, if any, is never run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from store.corpora.dataset_tables import datasets_for, text_of_dataset
from store.corpora.text import Text, Wanted
from store.errors import BertdynError

PREFIX = "hf:"
_NAMED = re.compile(r"hf:([^:/]+(?:/[^:/]+){0,2}):(.+)")


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a path names a data set of the Hub."""
    return str(path).startswith(PREFIX)


def read(path: Path, wanted: Wanted) -> Text:
    """Return the sentences and labels of one split of a data set.

    Two parts are an owner and a name if there is such a data set, else a name and a configuration.

    Raises:
        BertdynError: the name has another form, ``datasets`` is not installed, there is no such data set, configuration
            or split, the Hub cannot be reached, or as ``text_of_dataset``.
    """
    named = _NAMED.fullmatch(str(path))
    if named is None:
        raise BertdynError(f"{path}: write hf:NAME:SPLIT or hf:NAME/CONFIG:SPLIT, as in hf:glue/sst2:validation.")
    with datasets_for(path) as datasets:
        name, configuration, found = _loaded(datasets, named[1], named[2], path)
        called = f"data set {name}{f', configuration {configuration}' * bool(configuration)}, split {named[2]}"
        return text_of_dataset(found, wanted, path, str(path), called)


def _loaded(datasets: ModuleType, named: str, split: str, path: Path) -> tuple[str, str | None, Any]:
    """Return name, configuration and content of the first reading of a name that exists."""
    *others, last = _readings(named)
    for name, configuration in others:
        try:
            return name, configuration, _load(datasets, name, configuration, split, path)
        except (datasets.exceptions.DatasetNotFoundError, ConnectionError):
            continue
    return *last, _load(datasets, *last, split, path)


def _readings(named: str) -> Iterator[tuple[str, str | None]]:
    """Yield the names and configurations that a text may mean."""
    parts = named.split("/")
    if len(parts) < 3:
        yield named, None
    if len(parts) > 1:
        yield "/".join(parts[:-1]), parts[-1]


def _load(datasets: ModuleType, name: str, configuration: str | None, split: str, path: Path) -> Any:
    if Path(name).exists():  # the library would read it instead of the Hub
        raise BertdynError(f"{path} names a data set of the Hub, but there is a file or folder '{name}' here.")
    return datasets.load_dataset(name, configuration, split=split)
