"""Turn tags of words such as B-PER, I-PER and O into labelled spans.

IOB1: I- everywhere, B- only where a span follows another one of its class. IOB2: B- at the beginning of every span.
IOBES: B-, I-, E- (end) and S- (a span of one word); BILOU is the same with L- and U-.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_OUTSIDE = "O"
_TAG = re.compile(r"([BIESLU])-(.+)")
_ONE_LETTER = {"L": "E", "U": "S"}


def are_tags(tags: Sequence[Sequence[str]]) -> bool:
    """Return whether the labels of sentences are tags: O or a letter and a class, at least one of them a class."""
    every = {tag for sentence in tags for tag in sentence} - {_OUTSIDE}
    return bool(every) and all(_TAG.fullmatch(tag) for tag in every)


def scheme_of(tags: Sequence[Sequence[str]]) -> str:
    """Return the scheme that the tags follow: IOB1, IOB2, IOBES or BILOU; empty if they follow none throughout."""
    letters = {tag[0] for sentence in tags for tag in sentence if tag != _OUTSIDE}
    if letters & set("ESLU"):
        name = "IOBES" if letters <= set("BIES") else "BILOU" if letters <= set("BILU") else ""
        return name if all(_is_iobes(list(_split(sentence))) for sentence in tags) else ""
    begins = [
        (letter, before[1] == name)
        for sentence in tags
        for before, (letter, name) in _with_before(list(_split(sentence)))
        if letter
    ]
    if all(letter == "B" or same for letter, same in begins):
        return "IOB2"
    return "IOB1" if all(letter == "I" or same for letter, same in begins) else ""


def spans_of(tags: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """Return the first word, the last word (inclusive) and the class of each span of a sentence."""
    found: list[tuple[int, int, str]] = []
    for place, (before, (letter, name)) in enumerate(_with_before(list(_split(tags)))):
        if not letter:
            continue
        if letter in "BS" or before[1] != name or before[0] in ("E", "S"):
            found.append((place, place, name))
        else:
            found[-1] = (found[-1][0], place, name)
    return tuple(found)


def _split(tags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the letter and the class of each tag, in the letters of IOBES; both empty for a word in no span."""
    for tag in tags:
        found = _TAG.fullmatch(tag)
        yield (_ONE_LETTER.get(found[1], found[1]), found[2]) if found else ("", "")


def _with_before(tags: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield each tag of a sentence with the tag before it."""
    return zip((("", ""), *tags), tags, strict=False)


def _is_iobes(tags: Sequence[tuple[str, str]]) -> bool:
    """Return whether B- and I- are followed by I- or E- of their class, and these only follow those."""
    steps = zip((("", ""), *tags), (*tags, ("", "")), strict=True)
    return all(
        (now[0] in ("I", "E") and now[1] == before[1]) if before[0] in ("B", "I") else now[0] in ("B", "S", "")
        for before, now in steps
    )
