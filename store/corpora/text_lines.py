"""Read files with one sentence per line."""

from __future__ import annotations

import itertools
from pathlib import Path

from store.corpora.text import Text, Wanted, not_empty, numbered_lines, sha256_of
from store.errors import BertdynError

ENDING = ".txt"


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a file has one sentence per line, by its ending."""
    return path.suffix.lower() == ENDING


def read(path: Path, wanted: Wanted) -> Text:
    """Return the lines of a file that are not blank.

    Raises:
        BertdynError: the file is not text or is empty, or columns are named.
    """
    if named := wanted.text or wanted.label:
        raise BertdynError(f"{path} has one sentence per line and no columns: '{named}' has no meaning for it.")
    texts = [line.strip() for _, line in itertools.islice(numbered_lines(path), wanted.limit)]
    not_empty(texts, path)
    return Text(
        kind="sentence",
        texts=tuple((text,) for text in texts),
        words=None,
        labels=(),
        source=str(path.absolute()),
        sha256=sha256_of(path),
        columns={"format": "one sentence per line"},
    )
