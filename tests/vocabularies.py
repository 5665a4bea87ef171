"""Vocabularies of sub-words by byte-pair encoding; the trainers of ``tokenizers`` give another one every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

Pieces = tuple[str, ...]


def merges_of(words: Mapping[Pieces, int], most: int, inner: str = "") -> list[tuple[str, str]]:
    """Return the pairs of pieces to join, in order (Sennrich et al. 2016); of equally frequent ones the smallest first.

    Args:
        words: how often each word occurs, by its pieces of one character.
        most: number of pairs; fewer if nothing is left to join.
        inner: what every piece but the first of a word begins with.
    """
    found: list[tuple[str, str]] = []
    while len(found) < most:
        pairs = Counter[tuple[str, str]]()
        for pieces, many in words.items():
            for pair in pairwise(pieces):
                pairs[pair] += many
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        found.append(best)
        joined = Counter[Pieces]()
        for pieces, many in words.items():
            joined[_joined(pieces, best, inner)] += many
        words = joined
    return found


def join(pair: tuple[str, str], inner: str = "") -> str:
    """Return the piece of two pieces."""
    return pair[0] + pair[1].removeprefix(inner)


def _joined(pieces: Pieces, pair: tuple[str, str], inner: str) -> Pieces:
    found: list[str] = []
    for piece in pieces:
        if found and (found[-1], piece) == pair:
            found[-1] = join(pair, inner)
        else:
            found.append(piece)
    return tuple(found)
