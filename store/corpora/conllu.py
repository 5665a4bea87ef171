"""Read CoNLL-U files: the words of each sentence and their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from store.corpora.labels import Labels
from store.corpora.text import Text, Wanted, joined_words, left_out, looks_binary, not_empty, sha256_of
from store.errors import BertdynError

ENDING = ".conllu"
_FORM, _UPOS, _XPOS, _FEATS, _HEAD, _DEPREL = 1, 3, 4, 5, 6, 7
COLUMNS = {"UPOS": _UPOS, "XPOS": _XPOS, "DEPREL": _DEPREL}
"""Columns of a line, from 0, by the name of the labels that they hold."""
TREE, ARCS = "HEAD", "ARCS"
"""Names of two annotations: each word's head, and each word's relation to its head."""
NAMES = (*COLUMNS, TREE, ARCS)
_EMPTY = ("", "_")


@dataclass(frozen=True)
class Word:
    """A syntactic word: its line number in the file and the cells of that line."""

    line: int
    cells: Sequence[str]


def fits(path: Path, wanted: Wanted) -> bool:
    """Return whether a file is CoNLL-U, by its ending."""
    return path.suffix.lower() == ENDING


def read(path: Path, wanted: Wanted) -> Text:
    """Return the words of a treebank and their labels: UPOS, XPOS, DEPREL, HEAD, ARCS and keys of FEATS.

    Raises:
        BertdynError: the file is not CoNLL-U or is empty, has heads that are not a tree, or lacks the labels.
    """
    if wanted.text is not None:
        raise BertdynError(f"--text {wanted.text}: {path} is a {ENDING}, whose words are the text.")
    trees = not wanted.labels or any(name.upper() in (TREE, ARCS) for name in wanted.labels)
    found, bad = list[list[Word]](), list[str]()
    for words in sentences(path):
        if wanted.limit is not None and len(found) == wanted.limit:
            break
        wrong = fault(words, trees)
        if not wrong:
            found.append(words)
        elif wanted.skip:
            bad.append(wrong)
        else:
            others = ", or take only labels of words (--label upos)" if trees and not fault(words, trees=False) else ""
            raise BertdynError(f"{path}, {wrong}. Leave out such sentences with --skip-bad-rows{others}.")
    not_empty(found, path)
    forms = tuple(tuple(word.cells[_FORM] for word in words) for words in found)
    labels = labels_of(found, wanted.labels, path)
    return Text(
        kind="word",
        texts=joined_words(forms),
        words=forms,
        labels=labels,
        source=str(path.absolute()),
        sha256=sha256_of(path),
        columns={
            "format": "CoNLL-U",
            "text": "FORM",
            **({"label": ",".join(one.name for one in labels)} if labels else {}),
        },
        notes=(left_out(bad, "sentence"),) if bad else (),
    )


def sentences(path: Path) -> Iterator[list[Word]]:
    """Yield the sentences of a file.

    Leaves out multiword ranges (1-2), which repeat the words that follow, and empty nodes (8.1), which are not in the
    text (universaldependencies.org/format.html).

    Raises:
        BertdynError: the file is not text, or a line is not CoNLL-U.
    """
    if looks_binary(path):
        raise BertdynError(f"{path} is not text: a .conllu file was expected.")
    words: list[Word] = []
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, raw in enumerate(lines, 1):
                line = raw.rstrip("\r\n")
                if not line.strip():
                    if words:
                        yield words
                    words = []
                elif not line.startswith("#"):
                    cells = line.split("\t")
                    if len(cells) != 10 or not cells[0].replace("-", "").replace(".", "").isdecimal():
                        raise BertdynError(f"{path}, line {number}: not CoNLL-U: a number and nine more columns.")
                    if cells[0].isdecimal():
                        words.append(Word(number, cells))
    except UnicodeDecodeError:
        raise BertdynError(f"{path} is not UTF-8 text.") from None
    if words:
        yield words


def fault(words: Sequence[Word], trees: bool) -> str:
    """Return a message about the first fault of a sentence, with its line; empty if there is none.

    Args:
        trees: check the heads too.
    """
    for number, word in enumerate(words, 1):
        if word.cells[_FORM] == "":
            return f"line {word.line}: a word without a form"
        if word.cells[0] != str(number):
            return f"line {word.line}: word {word.cells[0]}, but {number} was expected"
    return _tree_fault(words) if trees else ""


def _tree_fault(words: Sequence[Word]) -> str:
    heads = [_head(word) for word in words]
    roots = [word for word, head in zip(words, heads, strict=True) if head == 0]
    for word, head in zip(words, heads, strict=True):
        if head is not None and not 0 <= head <= len(words):
            return f"line {word.line}: the head '{word.cells[_HEAD]}' is not a word of the sentence"
    if len(roots) > 1:
        return f"line {roots[1].line}: a second root, '{roots[1].cells[_FORM]}' after '{roots[0].cells[_FORM]}'"
    for start in range(1, len(words) + 1):
        at: int | None = start
        for _ in words:
            at = heads[at - 1] if at else None
        if at:
            return f"line {words[start - 1].line}: the heads of '{words[start - 1].cells[_FORM]}' form a cycle"
    return ""


def _head(word: Word) -> int | None:
    """Return the position of the head, from 1; 0 for the root, None if there is none, -1 if it is not a number."""
    cell = word.cells[_HEAD]
    return None if cell in _EMPTY else int(cell) if cell.isdecimal() else -1


def labels_of(found: Sequence[Sequence[Word]], wanted: Sequence[str], path: Path) -> tuple[Labels, ...]:
    """Return the labels of sentences: UPOS, XPOS, DEPREL, HEAD, ARCS and every key of FEATS that occurs.

    Args:
        wanted: names in any case; empty: all labels.
        path: the file, for messages.

    Raises:
        BertdynError: no word has a label of a wanted name.
    """
    features = [[_features(word) for word in words] for words in found]
    keys = sorted({key for words in features for word in words for key in word}, key=str.lower)
    made = [_of_column(found, name, column) for name, column in COLUMNS.items()]
    made += [_tree(found), _arcs(found)]
    made += [
        Labels(key, "word", "class", tuple(tuple(w.get(key) for w in words) for words in features)) for key in keys
    ]
    made = [labels for labels in made if any(value is not None for there in labels.values for value in there)]
    if not wanted:
        return tuple(made)
    by_name = {labels.name.lower(): labels for labels in made}
    for name in wanted:
        if name.lower() not in by_name:
            there = ", ".join(labels.name for labels in made) or "none"
            raise BertdynError(f"--label {name}: no word of {path} has {name.upper()}. It has {there}.")
    return tuple(by_name[name] for name in dict.fromkeys(name.lower() for name in wanted))


def _of_column(found: Sequence[Sequence[Word]], name: str, column: int) -> Labels:
    values = (tuple(None if w.cells[column] in _EMPTY else w.cells[column] for w in words) for words in found)
    return Labels(name, "word", "class", tuple(values))


def _tree(found: Sequence[Sequence[Word]]) -> Labels:
    return Labels(TREE, "word", "tree", tuple(tuple(_head(word) for word in words) for words in found))


def _arcs(found: Sequence[Sequence[Word]]) -> Labels:
    arcs = (
        tuple(
            (place, head - 1, word.cells[_DEPREL])
            for place, word in enumerate(words)
            if (head := _head(word)) and word.cells[_DEPREL] not in _EMPTY
        )
        for words in found
    )
    return Labels(ARCS, "arc", "class", tuple(arcs))


def _features(word: Word) -> dict[str, str]:
    """Return the keys and values of FEATS, such as ``Case=Nom|Number=Sing``."""
    pairs = (part.partition("=") for part in word.cells[_FEATS].split("|"))
    return {key: value for key, _, value in pairs if value}
