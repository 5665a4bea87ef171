"""SVCCA distance between the hidden states of one layer of two checkpoints (Raghu et al. 2017; Hao et al. 2020).

With centred X [n, dx] and Y [n, dy] over the same n tokens:

1. each side keeps its first k principal directions, the fewest that hold ``variance`` of its variance:
   X'X = V diag(w) V',  W = V_k / sqrt(w_k),  so that X W has orthonormal columns;
2. canonical correlations rho = singular values of Wx' X'Y Wy;
3. distance = 1 - mean of the min(kx, ky) correlations.

Only sums over tokens enter (X'X, X'Y, the means), so the arrays are streamed and n never appears in memory. Products of
a few rows are float32 (float64 where that would show), their sums, the eigenvectors and the singular values float64.
A side's W is kept: against a reference, only X'Y is left to compute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures import tokens as rows
from explorer.measures.base import Context, Layer, Measure, Parameter, Stimuli, Value

if TYPE_CHECKING:
    import torch

NULL_EIGENVALUE = 1e-10
"""Directions below this share of the largest eigenvalue are rounding: no choice of ``variance`` keeps them."""
CONSTANT = 1e-12
"""A feature whose variance is this small against its squared mean is one number and its rounding."""
FLOAT32_AMPLIFICATION = 10.0
"""Float32 products serve up to this Side.amplification a (measured: error about 1e-9 a^2; encoders have 2 to 8)."""
ROWS = 512
"""Rows that float32 sums up before float64 takes over."""
BLOCKS = 3
"""X'X is symmetric: by blocks of columns only the upper part is multiplied, (BLOCKS + 1) / (2 BLOCKS) of the work."""


@dataclass(frozen=True)
class Side:
    """What belongs to one checkpoint alone: its mean and its whitened principal directions."""

    mean: np.ndarray  # float64 [d]
    whitening: np.ndarray  # float64 [d, k]: W above; empty when nothing varies
    constant: int
    """Features that never vary."""
    amplification: float
    """How much rounding of X'X grows in W' X'X W: mean over directions of v' diag(X'X) v / w; 1 if none."""
    gap: float
    """Relative difference of the last eigenvalue kept and the first dropped, 1 if none is. Where the two are nearly
    equal, which direction is kept hangs on the stored dtype's rounding: it moves distances by some 1e-5."""

    @property
    def k(self) -> int:
        """Directions kept."""
        return self.whitening.shape[1]

    @property
    def fits_float32(self) -> bool:
        """Float32 products keep the distance to some 1e-7: rounding grows little, or evens out over many directions."""
        return self.amplification <= min(FLOAT32_AMPLIFICATION, self.k**0.5)


def svcca(
    layer: Layer, reference: Layer | None, stimuli: Stimuli, parameters: Mapping[str, object], context: Context
) -> list[Value]:
    """SVCCA distance of one layer (formula at the top of the module).

    Raises:
        MeasureError: hidden states that are not finite.
    """
    assert reference is not None, "svcca compares two sides"
    tokens, variance = str(parameters["tokens"]), float(str(parameters["variance"]))
    n, width = rows.count(stimuli, tokens), max(layer.width, reference.width)
    details: dict[str, object] = {"width": width, "n_over_d": round(n / width, 4)}
    if n <= width:
        reason = f"too few tokens: {n} for a width of {width}; with no more than that all layers look alike"
        return [Value(None, n, details=details, reason=reason)]

    left, right, cross = _sides_and_cross((layer, reference), stimuli, tokens, variance, context)
    details |= {"k_x": left.k, "k_y": right.k, "gap_at_cut": float(f"{min(left.gap, right.gap):.3g}")}
    constant = max(left.constant, right.constant)
    if constant:
        details["constant_features"] = constant
    if not left.k or not right.k:
        return [Value(None, n, details=details, reason="the hidden states do not vary: all tokens are alike")]
    distance = _distance(left.whitening, cross, right.whitening)
    return [Value(distance, n, details=details, reason=_warning(n, width, max(left.k, right.k)))]


def _distance(left: np.ndarray, cross: np.ndarray, right: np.ndarray) -> float:
    """1 - mean singular value of Wx' X'Y Wy [kx, ky]."""
    import torch

    wx, xy, wy = (torch.from_numpy(a) for a in (left, cross, right))
    rho: np.ndarray = torch.linalg.svdvals(wx.T @ xy @ wy).numpy()
    if not rho.max() <= 1 + 1e-3:  # rounding of float32 products stays far below; more is a bug, not a correlation
        raise ArithmeticError(f"A canonical correlation of {rho.max()}: the two sides' sums do not belong together.")
    return float(1 - np.minimum(rho, 1).mean())


def _warning(n: int, width: int, k: int) -> str:
    if n >= 2 * width and n >= 10 * k:
        return ""
    return (
        f"few tokens: {n} for a width of {width} and {k} kept directions (wanted: 10 tokens a direction and 2 a"
        " dimension); the distance comes out too small, chance alone correlates this many directions"
    )


def _sides_and_cross(
    pair: tuple[Layer, Layer], stimuli: Stimuli, tokens: str, variance: float, context: Context
) -> tuple[Side, Side, np.ndarray]:
    """Both sides, from what is kept or from this pass, and the centred X'Y: one pass over the arrays.

    Raises:
        MeasureError: hidden states that are not finite.
    """
    digest = rows.rows_digest(stimuli, tokens)
    keys = [("svcca", layer.identity, tokens, digest, variance) for layer in pair]
    kept = [context.kept.get(key) for key in keys]
    known = tuple(side if isinstance(side, Side) else None for side in kept)
    for dtype in ("float32", "float64"):
        if dtype == "float32" and any(side and not side.fits_float32 for side in known):
            continue
        sums = _stream(pair, known, stimuli, tokens, dtype, context.device)
        left, right = (known[i] or _decompose(sums.n, sums.mean(i), sums.gram(i), variance) for i in (0, 1))
        if left.fits_float32 and right.fits_float32:
            break
    context.kept[keys[0]], context.kept[keys[1]] = left, right
    return left, right, sums.cross()


def _decompose(n: int, mean: np.ndarray, gram: np.ndarray, variance: float) -> Side:
    """Principal directions of a side from its centred X'X [d, d]: the fewest that hold ``variance``, whitened."""
    import torch

    spread = gram.diagonal() / n
    constant = (spread <= CONSTANT * mean**2) | (spread <= NULL_EIGENVALUE * spread.max())
    if constant.all():
        return Side(mean, np.empty((len(mean), 0)), len(mean), 1.0, 1.0)
    w, v = (t.numpy()[..., ::-1] for t in torch.linalg.eigh(torch.from_numpy(gram)))
    real = int((w > NULL_EIGENVALUE * w[0]).sum())
    share = np.cumsum(w[:real]) / w[:real].sum()
    k = min(real, int(np.searchsorted(share, variance - 1e-12)) + 1)
    whitening = np.ascontiguousarray(v[:, :k] / np.sqrt(w[:k]))
    amplification = float((whitening**2 * gram.diagonal()[:, None]).sum(0).mean())
    gap = float(1 - w[k] / w[k - 1]) if k < len(w) else 1.0
    return Side(mean, whitening, int(constant.sum()), amplification, gap)


@dataclass
class _Sums:
    """Sums over tokens of rows less a shift near their mean: without it a large mean would eat the digits."""

    n: int = 0
    shift: list[np.ndarray] = field(default_factory=list)  # float64 [d] a side
    first: list[np.ndarray] = field(default_factory=list)  # sum of shifted rows, float64 [d]
    second: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)  # sums of products, float64

    def mean(self, i: int) -> np.ndarray:
        """Mean of side i."""
        return self.shift[i] + self.first[i] / self.n

    def gram(self, i: int) -> np.ndarray:
        """Centred X'X of side i."""
        return self.second[i, i] - np.outer(self.first[i], self.first[i]) / self.n

    def cross(self) -> np.ndarray:
        """Centred X'Y."""
        return self.second[0, 1] - np.outer(self.first[0], self.first[1]) / self.n


def _stream(
    pair: tuple[Layer, Layer],
    known: tuple[Side | None, ...],
    stimuli: Stimuli,
    tokens: str,
    dtype_name: str,
    device: str,
) -> _Sums:
    """One pass: X'Y, and X'X or Y'Y of a side that is not known yet."""
    import torch

    dtype = torch.float32 if dtype_name == "float32" else torch.float64
    wanted = [(0, 1)] + [(i, i) for i in (0, 1) if known[i] is None]
    n, shift, first = 0, [], []
    second: dict[tuple[int, int], torch.Tensor] = {}
    with _full_precision():
        for arrays in rows.blocks(pair, stimuli, tokens):
            data = [torch.from_numpy(np.ascontiguousarray(a)).to(device).to(dtype) for a in arrays]
            if not n:
                shift = [
                    torch.from_numpy(side.mean).to(device).to(dtype) if side else x.mean(0)
                    for side, x in zip(known, data, strict=True)
                ]
                first = [torch.zeros(x.shape[1], dtype=torch.float64, device=device) for x in data]
                second = {
                    (i, j): torch.zeros(data[i].shape[1], data[j].shape[1], dtype=torch.float64, device=device)
                    for i, j in wanted
                }
            data = [x - s for x, s in zip(data, shift, strict=True)]
            n += len(data[0])
            for total, x in zip(first, data, strict=True):
                total += x.sum(0, dtype=torch.float64)
            for at in range(0, len(data[0]), ROWS):
                block = [x[at : at + ROWS] for x in data]
                for (i, j), total in second.items():
                    if i == j:
                        _add_gram(total, block[i])
                    else:
                        total += block[i].T @ block[j]
    for total in first:
        rows.check_finite(float(total.sum()), "hidden states")
    host = {ij: t.cpu().numpy() for ij, t in second.items()}
    for i, j in host:
        if i == j:
            host[i, i] = np.triu(host[i, i]) + np.triu(host[i, i], 1).T
    return _Sums(n, [s.double().cpu().numpy() for s in shift], [t.cpu().numpy() for t in first], host)


def _add_gram(total: torch.Tensor, x: torch.Tensor) -> None:
    """Add x'x to the upper blocks of ``total``."""
    step = -(-x.shape[1] // BLOCKS)
    for at in range(0, x.shape[1], step):
        total[at : at + step, at:] += x[:, at : at + step].T @ x[:, at:]


@contextmanager
def _full_precision() -> Iterator[None]:
    """No TF32 or bfloat16 in float32 products, whatever the process or its environment allows."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="svcca",
        title="SVCCA distance",
        reads="hidden",
        sides=2,
        unit="distance",
        low=0.0,
        high=1.0,
        direction="0 = the same subspace up to an invertible linear map, 1 = no direction in common",
        definition=(
            "Hidden states of the chosen tokens are centred; each side keeps its fewest principal directions that hold "
            "the given share of the variance; distance = 1 - mean of the min(kx, ky) canonical correlations between "
            "the two. Blind to rotation, scale and any other invertible map of the kept directions."
        ),
        source="Raghu et al. 2017 (SVCCA), as used on fine-tuning by Hao et al. 2020 (AACL).",
        cost="One product of width x width over all tokens; a checkpoint's own directions are found once and kept.",
        counts="tokens",
        compute=svcca,
        parameters=(
            Parameter(
                "tokens",
                "all",
                "rows compared: all = every token with the special ones, content = without special tokens, "
                "cls = first token of each example, words = mean of each word's sub-words",
                choices=rows.CHOICES,
            ),
            Parameter("variance", 0.99, "share of the variance that each side keeps", low=0.01, high=1.0),
        ),
        floor=1e-6,
    ),
)
