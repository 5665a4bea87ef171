"""Compute second moments of a layer or a pair of layers in one streaming pass, which the whole linear family uses.

For rows x_i, y_i about their means: X'Y, X'X, Y'Y, and for unbiased CKA the sums of p_i q_i with p_i = |x_i|^2 and
q_i = |y_i|^2. The sums are over rows minus a shift near their mean, since a large mean would cost precision; at the
end, the shift is corrected exactly. Memory: a few width x width matrices and one chunk.

A side's own sums are float64, since they are computed once and cached for all definitions. X'Y is computed for every
pair: in float32 over ROWS rows at a time, and from there in float64, unless the caller needs float64 throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures import tokens as rows
from explorer.measures.protocols import Corpus, Layer

if TYPE_CHECKING:
    import torch

ROWS = 2048
"""Number of rows that are summed in float32 before float64 takes over."""
Index = tuple[int, int]


@dataclass(frozen=True)
class Cross:
    """Second moments of a pair of layers, with rows about their means."""

    n: int
    product: np.ndarray
    """X'Y, float64 [dx, dy]."""
    norms: float
    """Sum over rows of |x|^2 |y|^2."""
    precise: bool
    """True if all products were float64."""


@dataclass(frozen=True)
class OneSide:
    """Second moments of one layer, with rows about their mean, float64."""

    n: int
    mean: np.ndarray  # [d]
    gram: np.ndarray
    """X'X [d, d]."""
    fourth: float
    """Sum over rows of |x|^4."""
    rounding: float
    """Variance of the rounding of a stored entry, as a share of the entry's square (0 for float64)."""


@dataclass
class Sums:
    """Sums over rows minus a shift, as float64 tensors; the sums of several groups of rows can be added."""

    n: float
    first: list[torch.Tensor]  # sum of rows, [d] a side
    norm: list[torch.Tensor]  # sum of squared norms, [] a side
    second: dict[Index, torch.Tensor] = field(default_factory=dict)  # products, [di, dj]
    normed: dict[Index, torch.Tensor] = field(default_factory=dict)  # sum of i's squared norm times j's row, [dj]
    norms: dict[Index, torch.Tensor] = field(default_factory=dict)  # sum of both squared norms, []

    def centred(self, i: int, j: int) -> tuple[np.ndarray, float]:
        """Return the sum of products [di, dj] and of products of squared norms, about the means."""
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
    """The sums of one pass, per group of rows, and their shifts.

    The sums of the pair and of each side are separate, so that no result depends on which others are wanted.
    """

    pair: tuple[Sums, ...]
    """Sums for X'Y per group; empty if there is only one side."""
    own: Mapping[int, tuple[Sums, ...]]
    """Sums for X'X per group, by side, for the wanted sides."""
    shift: tuple[np.ndarray, ...]
    rounding: tuple[float, ...]
    precise: bool

    @property
    def groups(self) -> int:
        """Number of groups of rows."""
        return len(self.pair or next(iter(self.own.values())))

    def weighted(self, weights: Sequence[float]) -> Pass:
        """Combine the groups into one, in which group g counts ``weights[g]`` times."""
        pair = (_combined(self.pair, weights),) if self.pair else ()
        own = {i: (_combined(sums, weights),) for i, sums in self.own.items()}
        return Pass(pair, own, self.shift, self.rounding, self.precise)

    def side(self, i: int, group: int = 0) -> OneSide:
        """Return the moments of side i."""
        sums = self.own[i][group]
        mean = self.shift[i] + sums.first[0].cpu().numpy() / sums.n
        gram, fourth = sums.centred(0, 0)
        return OneSide(round(sums.n), mean, gram, fourth, self.rounding[i])

    def cross(self, group: int = 0) -> Cross:
        """Return the moments of the pair."""
        product, norms = self.pair[group].centred(0, 1)
        return Cross(round(self.pair[group].n), product, norms, self.precise)


def stream(
    layers: tuple[Layer] | tuple[Layer, Layer],
    corpus: Corpus,
    tokens: str,
    device: str,
    own: Sequence[int] = (0, 1),
    precise: bool = False,
    bounds: Sequence[int] | None = None,
) -> Pass:
    """Read one or two layers in one pass and return X'Y of two layers, and X'X or Y'Y of the wanted sides.

    Args:
        own: sides whose own sums are wanted.
        precise: multiply in float64 for X'Y too.
        bounds: rows at which groups begin, and the number of rows; default: one group.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    noted = tuple(_Noted(layer) for layer in layers)
    bounds = [0, rows.count(corpus, tokens)] if bounds is None else bounds
    own = [i for i in own if i < len(layers)]
    single = torch_type(precise)
    shift: tuple[np.ndarray, ...] = ()
    pair: list[Sums] = []
    alone: dict[int, list[Sums]] = {}
    with full_precision():
        for group, arrays in rows.cut(rows.blocks(noted, corpus, tokens), bounds):
            if not shift:
                shift = tuple(near_mean(array) for array in arrays)
                pair = [empty_sums(shift, [(0, 1)], device) for _ in bounds[1:]] if len(layers) > 1 else []
                alone = {i: [empty_sums(shift[i : i + 1], [(0, 0)], device) for _ in bounds[1:]] for i in own}
            for at in range(0, len(arrays[0]), ROWS):
                strip = [a[at : at + ROWS] for a in arrays]
                data = [shifted(a, s, device, single) for a, s in zip(strip, shift, strict=True)] if pair else []
                if pair:
                    add(pair[group], data)
                for i in own:
                    exact = data[i] if data and precise else shifted(strip[i], shift[i], device, torch_type(True))
                    add(alone[i][group], [exact])
    for one in (*pair, *(one for each in alone.values() for one in each)):
        rows.check_finite(float(sum(f.sum() for f in one.first)), "hidden states")
    sums = {i: tuple(each) for i, each in alone.items()}
    return Pass(tuple(pair), sums, shift, tuple(n.rounding for n in noted), precise)


def torch_type(precise: bool) -> torch.dtype:
    """Return the type in which X'Y is multiplied."""
    import torch

    return torch.float64 if precise else torch.float32


def near_mean(array: np.ndarray) -> np.ndarray:
    """Return a shift near the mean: the mean of a first block [rows, d], rounded to float32, as float64 [d].

    It must depend only on the rows: another shift would change the last bits of the sums.
    """
    with np.errstate(invalid="ignore"):  # infinite numbers are refused at the end of the pass
        return exact_in_float32(array.mean(0, dtype=np.float64))


def exact_in_float32(mean: np.ndarray) -> np.ndarray:
    """Round numbers to float32 and return them as float64 [d]."""
    with np.errstate(invalid="ignore"):
        return np.asarray(mean.astype(np.float32), np.float64)


def empty_sums(shift: Sequence[np.ndarray], wanted: Iterable[Index], device: str) -> Sums:
    """Return zero sums for sides of these widths and the wanted products."""
    import torch

    def zeros(*shape: int) -> torch.Tensor:
        return torch.zeros(shape, dtype=torch.float64, device=device)

    widths = [len(s) for s in shift]
    sums = Sums(0, [zeros(d) for d in widths], [zeros() for _ in widths])
    for i, j in wanted:
        sums.second[i, j], sums.norms[i, j] = zeros(widths[i], widths[j]), zeros()
        sums.normed[i, j], sums.normed[j, i] = zeros(widths[j]), zeros(widths[i])
    return sums


def add(sums: Sums, data: Sequence[torch.Tensor]) -> None:
    """Add at most ROWS rows minus the shift, [rows, d] per side, to all sums."""
    import torch

    squares = [torch.linalg.vector_norm(x, dim=1).double().square() for x in data]
    ones = torch.ones_like(squares[0])
    sums.n += len(data[0])
    for i, x in enumerate(data):
        others = [j for j in range(len(data)) if (j, i) in sums.normed]
        first, *normed = (torch.stack([ones, *(squares[j] for j in others)]).to(x.dtype) @ x).double()
        sums.first[i] += first
        sums.norm[i] += squares[i].sum()
        for j, found in zip(others, normed, strict=True):
            sums.normed[j, i] += found
    for i, j in sums.second:
        sums.second[i, j] += _gram(data[i]) if i == j else data[i].T @ data[j]
        sums.norms[i, j] += squares[i] @ squares[j]


def shifted(array: np.ndarray, shift: np.ndarray, device: str, dtype: torch.dtype) -> torch.Tensor:
    """Return the rows minus the shift, on the device."""
    import torch

    data = torch.from_numpy(np.ascontiguousarray(array)).to(device).to(dtype, copy=True)
    return data.sub_(torch.from_numpy(shift).to(device, dtype))


@contextmanager
def full_precision() -> Iterator[None]:
    """Forbid TF32 and bfloat16 in float32 products, whatever the settings of the process or its environment."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _gram(x: torch.Tensor) -> torch.Tensor:
    """Return x'x [d, d]. For this symmetric product, numpy uses a BLAS function that computes one half (syrk)."""
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
    """A layer that records its stored dtype, since means of sub-words are always float32."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self.identity, self.width, self.heads = layer.identity, layer.width, layer.heads
        self.hidden_chunk, self.attention_chunk = layer.hidden_chunk, layer.attention_chunk
        self.rounding = 0.0

    def hidden(self, start: int, stop: int) -> np.ndarray:
        found = self._layer.hidden(start, stop)
        # Rounding errors are uniform within half a unit in the last place, and entries about uniform within a power of
        # two: eps^2 / 12 against a mean square of 7/3.
        self.rounding = float(np.finfo(found.dtype).eps) ** 2 / 28
        return found

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        return self._layer.attention(head, start, stop)
