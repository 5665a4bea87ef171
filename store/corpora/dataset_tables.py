"""Read a data set of the library ``datasets`` (extra ``datasets``) as a table."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from store.corpora.sentence_tables import text_of
from store.corpora.table_files import TableFile
from store.corpora.text import Row, Text, Wanted, sha256_of
from store.errors import BertdynError

_FIRST_WITHOUT_CODE = 4
"""First major version of ``datasets`` that cannot run code of a data set."""
_LONGEST = 300
"""Number of characters of an error of ``datasets`` that a message shows."""


@contextmanager
def datasets_for(path: Path) -> Iterator[ModuleType]:
    """Import ``datasets``, silence its progress bars and warnings, and raise its errors as ours.

    Args:
        path: the data set, for messages.

    Raises:
        BertdynError: it is not installed, is so old that it would run code of a data set, or cannot read this one.
    """
    if find_spec("datasets") is None:
        raise BertdynError(f"{path} needs the extra 'datasets': pip install 'bertdyn[datasets]'.")
    import datasets

    if int(datasets.__version__.split(".")[0]) < _FIRST_WITHOUT_CODE:
        raise BertdynError(
            f"{path} needs datasets {_FIRST_WITHOUT_CODE} or newer, which runs no code of data sets: "
            "pip install 'bertdyn[datasets]'."
        )
    try:
        with _silent(datasets):
            yield datasets
    except BertdynError:
        raise
    except Exception as error:  # whatever the library raises: the data set is at fault
        said = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
        said = f"it has no {said}" if isinstance(error, KeyError) else said
        raise BertdynError(f"{path} cannot be read: {said.rstrip('.')}.") from None


@contextmanager
def _silent(datasets: ModuleType) -> Iterator[None]:
    """Show no progress bars and no log of the library and of the hub client inside the block."""
    shown = not datasets.are_progress_bars_disabled()
    loggers = [logging.getLogger(name) for name in ("datasets", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    datasets.disable_progress_bars()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if shown:
            datasets.enable_progress_bars()


def text_of_dataset(dataset: Any, wanted: Wanted, path: Path, source: str, described: str) -> Text:
    """Return the sentences and labels of one split.

    Args:
        dataset: a ``datasets.Dataset``.
        path: the data set, for messages.
        source: where it was read from.
        described: its format, for the plan.

    Raises:
        BertdynError: no columns or several columns fit, or a row is malformed.
    """
    nested = {name for name, feature in dataset.features.items() if not _is_value(feature)}
    lists = {name for name in nested if _is_value(getattr(dataset.features[name], "feature", None))}
    table = DatasetTable(path, "", tuple(dataset.features), True, frozenset(nested), frozenset(lists), dataset)
    found = text_of(table, wanted, source, sha256_of(*(Path(file["filename"]) for file in dataset.cache_files)))
    return replace(found, columns={"format": described, **found.columns})


@dataclass(frozen=True)
class DatasetTable(TableFile):
    """A data set as a table. Classes are given by their names, a class of -1 is a missing label."""

    dataset: Any = None
    """The ``datasets.Dataset``."""

    def rows(self, columns: Sequence[str], limit: int | None = None) -> Iterator[Row]:
        """Yield the rows with the cells of some columns. See ``TableFile``."""
        chosen = self.dataset.select_columns(list(columns)).with_format(None)
        chosen = chosen if limit is None else chosen.select(range(min(limit, len(chosen))))
        for number, row in enumerate(chosen, 1):
            yield Row(number, tuple(_cell(row[name], self.dataset.features[name]) for name in columns))


def _is_value(feature: Any) -> bool:
    """Return whether a feature is one text, number or class."""
    return type(feature).__name__ in ("Value", "ClassLabel")


def _cell(value: Any, feature: Any) -> Any:
    """Return a cell as texts, as other tables give it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [_cell(one, feature.feature) for one in value]
    names = getattr(feature, "names", None)
    if names is None:
        return json.dumps(value, default=str)
    return names[value] if value >= 0 else None
