"""Layers, corpora and a shelf in memory, for tests of measures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_REPOSITORY = Path(__file__).resolve().parents[3]
_GOLDEN = _REPOSITORY / "fixtures" / "golden"
_LARGE = {
    name: _REPOSITORY.parent / "shared" / "golden" / f"{name}.npz"
    for name in ("pair_n2000_d384", "clusters_sep_n2000_d384_L5")
}
"""Golden files that are too large for the repository lie beside it, or are missing."""
PAIRS = ("pair_n600_d55", "pair_n2000_d384")
"""Golden files of two layers, x and y."""


def golden(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a golden file; skip the test where a large one is missing."""
    place = _LARGE.get(name, _GOLDEN / f"{name}.npz")
    if name in _LARGE and not place.exists():
        pytest.skip(f"{name}.npz is not beside this repository")
    with np.load(place) as got:
        return dict(got)


def answers(name: str) -> dict[str, Any]:
    """Return what was computed of a golden file by other code than ours, by definition."""
    found: dict[str, Any] = json.loads((_GOLDEN / "expected.json").read_text())[f"{name}.npz"]
    return found


def printed_by_the_authors(name: str) -> dict[str, Any]:
    """Return what DirectProbe printed of a golden file of clusters, with its linear programme."""
    return next(run for run in answers(name)["as printed by the authors' code"] if run["solver"] == "Gurobi LP")


@dataclass
class MemoryLayer:
    """One layer: hidden states [t, width], attention [heads, p]. Counts what is read."""

    states: np.ndarray | None = None
    maps: np.ndarray | None = None
    identity: str = ""
    hidden_chunk: int = 1 << 30
    attention_chunk: int = 1 << 30
    reads: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        array = self.states if self.states is not None else self.maps
        assert array is not None
        self.identity = self.identity or str(hash(array.tobytes()))
        self.width = self.states.shape[1] if self.states is not None else 0
        self.heads = len(self.maps) if self.maps is not None else 0

    def hidden(self, start: int, stop: int) -> np.ndarray:
        assert self.states is not None
        self.reads.append((start, stop))
        return self.states[start:stop]

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        assert self.maps is not None
        self.reads.append((start, stop))
        return self.maps[head - 1, start:stop]


class MemoryShelf:
    """A shelf of copies; counts what is asked and written."""

    def __init__(self) -> None:
        self.arrays, self.found = {}, 0

    def get(self, key):
        assert all(isinstance(part, str) for part in key)
        self.found += tuple(key) in self.arrays
        return self.arrays.get(tuple(key))

    def put(self, key, arrays):
        self.arrays[tuple(key)] = {name: np.array(a) for name, a in arrays.items()}


@dataclass
class MemoryCorpus:
    """A packed corpus: lengths of its examples; words as (first token, sub-words)."""

    lengths: Sequence[int]
    words: Sequence[tuple[int, int]] = ()
    label_ids: np.ndarray | None = None
    label_names: tuple[str, ...] = ()
    level: str = "sentence"
    """What a label belongs to."""
    special: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    types: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
        if not len(self.special):
            self.special = np.zeros(self.offsets[-1], bool)
        self.word_first = np.array([w[0] for w in self.words], dtype=np.int64)
        self.word_length = np.array([w[1] for w in self.words], dtype=np.int32)
        self.word_offsets = np.searchsorted(self.word_first, self.offsets).astype(np.int64)

    @property
    def same_text(self) -> np.ndarray:
        """Every example is a text of its own."""
        return np.arange(len(self.lengths))

    @property
    def word_types(self) -> np.ndarray | None:
        """Numbers of the words' forms, where they are given."""
        return self.types

    @property
    def labels(self) -> MemoryLabels | None:
        """The labels, where there are any."""
        return None if self.label_ids is None else MemoryLabels(self.level, self.label_names, self.label_ids)


@dataclass
class MemoryLabels:
    """Classes of sentences or words."""

    level: str
    names: tuple[str, ...]
    values: np.ndarray
    items: np.ndarray | None = None


def one_token_each(n: int) -> MemoryCorpus:
    """n examples of one token: for arrays without text behind them."""
    return MemoryCorpus([1] * n)


def pack(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Attention maps [heads, l, l] of several examples, packed to [heads, p]."""
    return np.concatenate([m.reshape(len(m), -1) for m in maps], axis=1)
