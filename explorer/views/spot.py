"""Name one value of a picture, and say how far another value is from it. Pure, and cheap to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spot:
    """One value, with everything that it is of."""

    value: float
    said: str
    """The value in words: '0.240 ± 0.012'."""
    place: str
    """Its place in the picture in words: 'layer 3, step 80'."""
    measure: str
    where: tuple[tuple[str, str], ...]
    """Names of what it is of (measure, corpus, task, layer, ...), each with its place in words, in reading order."""

    def besides(self, other: Spot) -> str:
        """Return what this value is of and the other one is not: 'sst2, layer 5'."""
        theirs = dict(other.where)
        return ", ".join(place for name, place in self.where if theirs.get(name) != place)


def apart(marked: Spot, here: Spot, size: str) -> str:
    """Return how far a value is from the marked one: '0.057 more than the mark, 0.245 (layer 5)'.

    Values of two measures have no difference: only the marked one is said.

    Args:
        size: size of the difference in words.
    """
    of = marked.besides(here)
    if not of:
        return "this is the mark"
    if marked.measure != here.measure:
        return f"the mark is {marked.said} ({of})"
    if here.value == marked.value:
        return f"as much as the mark ({of})"
    return f"{size} {'more' if here.value > marked.value else 'less'} than the mark, {marked.said} ({of})"
