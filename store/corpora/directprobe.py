"""Read the entities of DirectProbe: a text and its label in each line, separated by a tab (``entities/train.txt``).

The format is that of utahnlp/DirectProbe, ``directprobe/utils.py:load_entities``. An entity is a sentence, or a word or
two without the sentence that its vector was computed in.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from store.corpora.sentence_tables import text_of
from store.corpora.table_files import TableFile
from store.corpora.text import Text, Wanted, first_line, sha256_of

ENDING = ".txt"
_COLUMNS = ("entity", "label")


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether the first line of a .txt is a text, one tab and a label."""
    cells = first_line(path).split("\t") if path.suffix.lower() == ENDING else []
    return len(cells) == len(_COLUMNS) and all(cell.strip() for cell in cells)


def read(path: Path, wanted: Wanted) -> Text:
    """Return the entities of a file, each as a text of its own, and their labels.

    Raises:
        BertdynError: the file is not text, a line is not a text, a tab and a label, or other columns are named.
    """
    table = TableFile(path, ".tsv", _COLUMNS, header=False)
    named = replace(wanted, text=wanted.text or _COLUMNS[0], label=wanted.label or _COLUMNS[1])
    found = text_of(table, named, str(path.absolute()), sha256_of(path))
    note = "the file does not hold the sentences of its entities: each entity is read as a text of its own"
    return replace(found, columns={"format": "DirectProbe entities", **found.columns}, notes=(note, *found.notes))
