"""Second moments of a layer or a pair of layers, streamed: the one pass that the whole linear family lives on.

For rows x_i, y_i about their means: X'Y, X'X, Y'Y, and for unbiased CKA the sums of p_i q_i with p_i = |x_i|^2 and
q_i = |y_i|^2. What is summed are rows less a shift near their mean, without which a large mean would eat the digits;
the shift is corrected for at the end, exactly. Memory: a few width x width matrices and one chunk.

A side's own sums are float64, because they are made once and kept for every definition. X'Y, which every pair pays,
is summed over ROWS rows at a time in float32 and from there in float64, where its reader says that this suffices.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures import tokens as rows
from explorer.measures.base import Corpus, Layer

if TYPE_CHECKING:
    import torch

ROWS = 2048
"""Rows that float32 sums up before float64 takes over."""
Index = tuple[int, int]


@dataclass(frozen=True)
class Cross:
    """What belongs to a pair of layers, rows about their means."""

    n: int
    product: np.ndarray
    """X'Y, float64 [dx, dy]."""
    norms: float
    """Sum over rows of |x|^2 |y|^2."""
    precise: bool
    """Every product was float64."""


@dataclass(frozen=True)
class OneSide:
    """What belongs to one layer, rows about their mean, float64."""

    n: int
    mean: np.ndarray  # [d]
    gram: np.ndarray
    """X'X [d, d]."""
    fourth: float
    """Sum over rows of |x|^4."""
    rounding: float
    """Variance that storing gives an entry, as a share of the entry's square (0 for float64)."""


@dataclass
class Sums:
    """Sums over rows less a shift; additive, so those of several groups of rows add up. Tensors are float64."""

    n: float
    first: list[torch.Tensor]  # sum of rows, [d] a side
    norm: list[torch.Tensor]  # sum of squared norms, [] a side
    second: dict[Index, torch.Tensor] = field(default_factory=dict)  # products, [di, dj]
    normed: dict[Index, torch.Tensor] = field(default_factory=dict)  # sum of i's squared norm times j's row, [dj]
    norms: dict[Index, torch.Tensor] = field(default_factory=dict)  # sum of both squared norms, []

    def centred(self, i: int, j: int) -> tuple[np.ndarray, float]:
        """Sum of products [di, dj] and of products of squared norms, about the means."""
        n, s, t = self.n, self.first[i] / self.n, self.first[j] / self.n
        s2, t2 = s @ s, t @ t
        second = self.second[i, j]
        norms = (
            self.norms[i, j]
            - 2 * (t @ self.normed[i, j] + s @ self.normed[j, i])
            + t2 * self.norm[i]
            + s2 * self.norm[j]
            + 4 * (s @ second @ t)
            - 3 * n * s2 * t2
        )
        return (second - n * s[:, None] * t).cpu().numpy(), float(norms)


@dataclass(frozen=True)
class Pass:
    """The sums of one pass (one for each group of rows, or each draw) and the shifts that they are about."""

    sums: tuple[Sums, ...]
    shift: tuple[np.ndarray, ...]
    rounding: tuple[float, ...]
    precise: bool

    def weighted(self, weights: Sequence[float]) -> Pass:
        """One set of sums, in which group g counts ``weights[g]`` times."""
        return Pass((_combined(self.sums, weights),), self.shift, self.rounding, self.precise)

    def side(self, i: int, group: int = 0) -> OneSide:
        """What belongs to side i."""
        sums = self.sums[group]
        mean = self.shift[i] + sums.first[i].cpu().numpy() / sums.n
        gram, fourth = sums.centred(i, i)
        return OneSide(round(sums.n), mean, gram, fourth, self.rounding[i])

    def cross(self, group: int = 0) -> Cross:
        """What belongs to the pair."""
        product, norms = self.sums[group].centred(0, 1)
        return Cross(round(self.sums[group].n), product, norms, self.precise)


def stream(
    layers: tuple[Layer] | tuple[Layer, Layer],
    corpus: Corpus,
    tokens: str,
    device: str,
    means: Sequence[np.ndarray | None] | None = None,
    precise: bool = False,
    bounds: Sequence[int] | None = None,
) -> Pass:
    """One pass over one layer or two: X'Y of two, and X'X or Y'Y of a side whose mean is not known yet.

    Args:
        means: of the sides that need no sums of their own (None: no such side); they make good shifts.
        precise: multiply in float64 for X'Y too.
        bounds: rows at which groups begin, and the number of rows: sums for each group (the default: one).

    Raises:
        MeasureError: hidden states that are not finite.
    """
    noted = tuple(_Noted(layer) for layer in layers)
    bounds = [0, rows.count(corpus, tokens)] if bounds is None else bounds
    means = [None] * len(layers) if means is None else means
    own = tuple(i for i, mean in enumerate(means) if mean is None)
    wanted = [*itertools.combinations(range(len(layers)), 2), *((i, i) for i in own)]
    shift: tuple[np.ndarray, ...] = ()
    sums: list[Sums] = []
    with full_precision():
        for group, arrays in rows.cut(rows.blocks(noted, corpus, tokens), bounds):
            if not sums:
                shift = tuple(near(a, mean) for a, mean in zip(arrays, means, strict=True))
                sums = [empty_sums(shift, wanted, device) for _ in bounds[1:]]
            add(sums[group], arrays, shift, own, precise, device)
    for one in sums:
        rows.check_finite(float(sum(f.sum() for f in one.first)), "hidden states")
    return Pass(tuple(sums), shift, tuple(n.rounding for n in noted), precise)


def near(array: np.ndarray, mean: np.ndarray | None) -> np.ndarray:
    """A shift near the mean that float32 holds exactly, float64 [d]: the mean, or that of a first block [rows, d]."""
    with np.errstate(invalid="ignore"):  # infinite numbers are refused at the end of the pass
        found = array.mean(0, dtype=np.float64) if mean is None else mean
    return found.astype(np.float32).astype(np.float64)


def empty_sums(shift: Sequence[np.ndarray], wanted: Iterable[Index], device: str) -> Sums:
    """Zeros for sides of these widths and the products wanted."""
    import torch

    def zeros(*shape: int) -> torch.Tensor:
        return torch.zeros(shape, dtype=torch.float64, device=device)

    widths = [len(s) for s in shift]
    sums = Sums(0, [zeros(d) for d in widths], [zeros() for _ in widths])
    for i, j in wanted:
        sums.second[i, j], sums.norms[i, j] = zeros(widths[i], widths[j]), zeros()
        sums.normed[i, j], sums.normed[j, i] = zeros(widths[j]), zeros(widths[i])
    return sums


def add(
    sums: Sums,
    arrays: Sequence[np.ndarray],
    shift: Sequence[np.ndarray],
    own: Sequence[int],
    precise: bool,
    device: str,
) -> None:
    """Add rows [rows, d] a side: X'Y where it is wanted, and the own products of the sides in ``own``."""
    import torch

    single = torch.float64 if precise else torch.float32
    for at in range(0, len(arrays[0]), ROWS):
        strip = [a[at : at + ROWS] for a in arrays]
        data = [shifted(a, s, device, single) for a, s in zip(strip, shift, strict=True)]
        exact = {i: data[i] if precise else shifted(strip[i], shift[i], device, torch.float64) for i in own}
        best = [exact.get(i, x) for i, x in enumerate(data)]
        squares = [torch.linalg.vector_norm(x, dim=1).double().square() for x in best]
        ones = torch.ones(len(strip[0]), dtype=torch.float64, device=device)
        sums.n += len(strip[0])
        for i, x in enumerate(best):
            first, normed = (torch.stack([ones, squares[i]]).to(x.dtype) @ x).double()  # one product reads rows once
            sums.first[i] += first
            sums.norm[i] += squares[i].sum()
            if (i, i) in sums.normed:
                sums.normed[i, i] += normed
        if (0, 1) in sums.second:
            sums.second[0, 1] += data[0].T @ data[1]
        for i, x in exact.items():
            sums.second[i, i] += _gram(x)
        for i, j in sums.norms:
            sums.norms[i, j] += squares[i] @ squares[j]
        for i, j in sums.normed:
            if i != j:
                sums.normed[i, j] += (squares[i].to(best[j].dtype) @ best[j]).double()


def shifted(array: np.ndarray, shift: np.ndarray, device: str, dtype: torch.dtype) -> torch.Tensor:
    """Rows less the shift, on the device."""
    import torch

    data = torch.from_numpy(np.ascontiguousarray(array)).to(device).to(dtype, copy=True)
    return data.sub_(torch.from_numpy(shift).to(device, dtype))


@contextmanager
def full_precision() -> Iterator[None]:
    """No TF32 or bfloat16 in float32 products, whatever the process or its environment allows."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _gram(x: torch.Tensor) -> torch.Tensor:
    """Return x'x [d, d]. It is symmetric: numpy has BLAS multiply one half (syrk), which torch cannot ask for."""
    import torch

    if x.device.type != "cpu":
        return x.T @ x
    array = x.numpy()
    with np.errstate(invalid="ignore", over="ignore"):  # infinite numbers are refused at the end of the pass
        return torch.from_numpy(array.T @ array)


def _combined(sums: Sequence[Sums], weights: Sequence[float]) -> Sums:
    def mix(parts: Sequence[torch.Tensor]) -> torch.Tensor:
        total = parts[0] * weights[0]
        for part, weight in zip(parts[1:], weights[1:], strict=True):
            total.add_(part, alpha=weight)
        return total

    one = sums[0]
    return Sums(
        sum(s.n * w for s, w in zip(sums, weights, strict=True)),
        [mix([s.first[i] for s in sums]) for i in range(len(one.first))],
        [mix([s.norm[i] for s in sums]) for i in range(len(one.norm))],
        {ij: mix([s.second[ij] for s in sums]) for ij in one.second},
        {ij: mix([s.normed[ij] for s in sums]) for ij in one.normed},
        {ij: mix([s.norms[ij] for s in sums]) for ij in one.norms},
    )


class _Noted:
    """A layer that notes in which dtype it is stored: means of sub-words come as float32 whatever it was."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self.identity, self.width, self.heads = layer.identity, layer.width, layer.heads
        self.hidden_chunk, self.attention_chunk = layer.hidden_chunk, layer.attention_chunk
        self.rounding = 0.0

    def hidden(self, start: int, stop: int) -> np.ndarray:
        found = self._layer.hidden(start, stop)
        # Rounding errors are even within half a unit in the last place; entries, about even within a power of two:
        # eps^2 / 12 against a mean square of 7/3.
        self.rounding = float(np.finfo(found.dtype).eps) ** 2 / 28
        return found

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        return self._layer.attention(head, start, stop)
