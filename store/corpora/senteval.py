"""Read the probing tasks of SentEval: split, label and sentence in columns separated by tabs, without a header.

The format is that of facebookresearch/SentEval, ``data/probing``: the first column is ``tr``, ``va`` or ``te``, the
second the label, the last the sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from store.corpora.labels import SPLIT
from store.corpora.sentence_tables import of_sentences
from store.corpora.table_files import split_rows
from store.corpora.text import Row, Text, Wanted, first_line, sha256_of, usable

SPLITS = {"tr": "train", "va": "dev", "te": "test"}
"""Names of the splits by their names in the file."""
ENDINGS = (".tsv", ".txt")
_FEWEST = 3


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether the first line begins with a split and has three columns or more, and no columns are named."""
    cells = first_line(path).split("\t") if path.suffix.lower() in ENDINGS else []
    return len(cells) >= _FEWEST and cells[0] in SPLITS and wanted.text is None and wanted.label is None


def read(path: Path, wanted: Wanted) -> Text:
    """Return the sentences, labels and splits (``train``, ``dev``, ``test``) of a file.

    Raises:
        BertdynError: the file is not text, or a line has another number of columns, no label, or another split.
    """
    rows, notes = usable(_rows(path), path, wanted)
    splits, labels, sentences = zip(*(row.cells for row in rows), strict=True)
    return Text(
        kind="sentence",
        texts=tuple((sentence,) for sentence in sentences),
        words=None,
        labels=(of_sentences("label", labels), of_sentences(SPLIT, splits, split=True)),
        source=str(path.absolute()),
        sha256=sha256_of(path),
        columns={"format": "SentEval", "text": str(len(first_line(path).split("\t"))), "label": "2", "split": "1"},
        notes=notes,
    )


def _rows(path: Path) -> Iterator[Row]:
    """Yield the split, the label and the sentence of each line."""
    columns = len(first_line(path).split("\t"))
    for row in split_rows(path, ".tsv"):
        fault = row.fault or _fault(row.cells, columns)
        yield Row(row.number, () if fault else (SPLITS[row.cells[0]], row.cells[1], row.cells[-1].strip()), fault)


def _fault(cells: Sequence[str], columns: int) -> str:
    if len(cells) != columns:
        return f"{len(cells)} column{'s' * (len(cells) > 1)}, but the first line has {columns}"
    if cells[0] not in SPLITS:
        return f"the split '{cells[0]}' is none of {', '.join(SPLITS)}"
    if not cells[1].strip():
        return "no label in column 2"
    return "" if cells[-1].strip() else f"no text in column {columns}"
