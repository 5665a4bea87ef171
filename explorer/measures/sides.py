"""Compute one side of a comparison: a layer's principal directions, computed once and cached in memory and on disk.

A side holds all eigenvectors of X'X, so that it serves all parameters of a measure; the directions that a definition
keeps are selected afterwards (``Directions``). The z-scored variant is made from the plain side without reading rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.measures import moments
from explorer.measures import tokens as rows
from explorer.measures.computation import Context
from explorer.measures.protocols import Corpus, Layer

FAMILY, VERSION = "linear", "1"
NULL_EIGENVALUE = 1e-10
"""Share of the largest eigenvalue below which a direction is only rounding: no definition keeps it."""
NOISE = 4.0
"""Minimum ratio of a kept direction's variance to the variance that rounding to the stored dtype adds to it."""
CONSTANT = 1e-12
"""Ratio of a feature's variance to its squared mean below which it is constant up to rounding."""
FLOAT32_AMPLIFICATION = 10.0
"""Largest amplification a for float32 products (measured: error about 1e-9 a^2; encoders have 2 to 8)."""
CUT = "eigenvalue > 1e-10 of the largest and > 4 x rounding of the stored dtype"
"""Description of the directions that a definition may keep."""
Variant = Literal["plain", "zscore"]
Rule = Literal["variance", "sum", "all"]
_LAST = (FAMILY, "last pair")


@dataclass(frozen=True)
class Side:
    """Moments and directions of one layer. Directions are columns, by descending eigenvalue; empty if not needed.

    X'X = V diag(w) V' of centred rows X, their features multiplied by ``scale`` (1; z-scored: 1 / their deviation).
    """

    n: int
    mean: np.ndarray  # float64 [d]
    spread: np.ndarray  # diagonal of X'X before scaling, float64 [d]
    fourth: float
    """Sum over rows of |x|^4, before scaling."""
    constant: int
    """Number of constant features."""
    scale: np.ndarray  # float64 [d]
    noise: np.ndarray  # what rounding to the stored dtype adds to each feature's diagonal, after scaling, float64 [d]
    square: float
    """Squared Frobenius norm of X'X."""
    w: np.ndarray  # float64 [d]
    v: np.ndarray  # float64 [d, d]

    @property
    def trace(self) -> float:
        """Squared Frobenius norm of X, before scaling."""
        return float(self.spread.sum())

    @property
    def varies(self) -> bool:
        """Whether any feature varies."""
        return self.constant < len(self.mean)

    def gram(self) -> np.ndarray:
        """Return X'X [d, d], computed from the directions."""
        import torch

        v = torch.from_numpy(self.v)  # numpy's product would start its own threads in addition to torch's
        product: np.ndarray = (v * torch.from_numpy(self.w) @ v.T).numpy()
        return product


@dataclass(frozen=True)
class Directions:
    """The directions of a side that a definition keeps."""

    w: np.ndarray  # float64 [k]
    v: np.ndarray  # float64 [d, k]
    whitening: np.ndarray
    """V / sqrt(w) for rows before scaling, float64 [d, k]: centred rows times this matrix have orthonormal columns."""
    gap: float
    """Relative difference of the last kept and the first dropped eigenvalue; 1 if none is dropped. If they are nearly
    equal, rounding of the stored dtype decides which direction is kept; this changes distances by about 1e-5."""
    amplification: float
    """Growth of the rounding of X'Y in W' X'Y W: mean over directions of W' diag(X'X) W."""

    @property
    def k(self) -> int:
        """Number of directions."""
        return self.w.size

    @property
    def fits_float32(self) -> bool:
        """Whether float32 products change the distance by only about 1e-7: rounding grows little, or averages out over
        many directions."""
        return self.amplification <= min(FLOAT32_AMPLIFICATION, self.k**0.5)


def constant_features(spread: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return whether each feature is constant up to rounding, bool [d].

    Args:
        spread: sum or mean of squares around each feature's mean, float64 [d].
        level: the same of the mean itself, n mean^2 or mean^2.
    """
    still: np.ndarray = spread <= np.maximum(CONSTANT * level, NULL_EIGENVALUE * spread.max(initial=0.0))
    return still


def side_of(sums: moments.OneSide, device: str = "cpu", directions: bool = True) -> Side:
    """Return a side from its sums; without ``directions``, only the parts that need no eigenvectors."""
    spread = sums.gram.diagonal().copy()
    still = constant_features(spread, sums.n * sums.mean**2)
    w, v = _eigen(sums.gram, device) if directions and not still.all() else _none(len(spread))
    return Side(
        n=sums.n,
        mean=sums.mean,
        spread=spread,
        fourth=sums.fourth,
        constant=int(still.sum()),
        scale=np.ones(len(spread)),
        noise=sums.rounding * (spread + sums.n * sums.mean**2),
        square=float((sums.gram**2).sum()),
        w=w,
        v=v,
    )


def z_scored(side: Side, device: str = "cpu") -> Side:
    """Return the side with every feature divided by its standard deviation; constant features become 0."""
    moving = ~constant_features(side.spread, side.n * side.mean**2)
    scale = np.where(moving, 1 / np.sqrt(np.where(moving, side.spread, 1) / side.n), 0.0)
    gram = side.gram() * scale[:, None] * scale if side.w.size else np.zeros((len(scale), 0))
    w, v = _eigen(gram, device) if side.w.size else _none(len(scale))
    return Side(
        n=side.n,
        mean=side.mean,
        spread=side.spread,
        fourth=side.fourth,
        constant=side.constant,
        scale=scale,
        noise=side.noise * scale**2,
        square=float((gram**2).sum()),
        w=w,
        v=v,
    )


def directions(side: Side, rule: Rule, level: float = 1.0) -> Directions:
    """Return the fewest leading directions that hold a share ``level`` of the rule's total.

    Args:
        rule: ``variance``: of the eigenvalues; ``sum``: of their roots, the singular values of X; ``all``: every
            direction above the cut (CUT).
    """
    noise = np.einsum("dk,dk,d->k", side.v, side.v, side.noise)
    real = (side.w > NULL_EIGENVALUE * side.w.max(initial=0)) & (side.w > NOISE * noise)
    kept = np.flatnonzero(real)
    if rule != "all":
        share = np.cumsum(side.w[kept] if rule == "variance" else np.sqrt(side.w[kept]))
        kept = kept[: int(np.searchsorted(share / share[-1], level - 1e-12)) + 1] if len(kept) else kept
    k = len(kept)
    w, v = side.w[kept], side.v[:, kept]
    whitening = side.scale[:, None] * v / np.sqrt(w)
    last = kept[-1] if k else 0
    gap = float(1 - side.w[last + 1] / side.w[last]) if last + 1 < len(side.w) else 1.0
    amplification = float((whitening**2 * side.spread[:, None]).sum(0).mean()) if k else 1.0
    return Directions(w, v, whitening, gap, amplification)


def side_alone(layer: Layer, corpus: Corpus, tokens: str, context: Context) -> Side:
    """Return the side of one layer, from the cache or from one pass over its array.

    The cached side has the same key and the same bits as that of ``sides_and_cross``, so that each can use the other's.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    keep = _Keeping(corpus, tokens, context)
    found = keep.side(layer)
    if found is not None:
        return found
    done = moments.stream((layer,), corpus, tokens, context.device)
    return keep.put_side(layer, side_of(done.side(0), context.device))


def sides_and_cross(
    pair: tuple[Layer, Layer],
    corpus: Corpus,
    tokens: str,
    variant: Variant,
    context: Context,
    suffices: Callable[[Side, Side], bool],
    likely: bool = True,
) -> tuple[Side, Side, moments.Cross]:
    """Return both sides and X'Y, from the cache or from one pass over the arrays (at most two).

    No bit of the result depends on whether a side was cached.

    Args:
        suffices: return whether float32 products are precise enough for X'Y of these sides.
        likely: whether float32 products may be precise enough; if not, all products are float64.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    keep = _Keeping(corpus, tokens, context)
    known = [keep.side(layer) for layer in pair]
    left, right = known
    if left is None or right is None:
        own = [i for i, side in enumerate(known) if side is None and pair[i].identity != pair[i - 1].identity] or [0]
        done = moments.stream(pair, corpus, tokens, context.device, own, precise=not likely)
        left = left or side_of(done.side(0), context.device)
        right = right or (left if pair[0].identity == pair[1].identity else side_of(done.side(1), context.device))
        for layer, side, before in zip(pair, (left, right), known, strict=True):
            if before is None:
                keep.put_side(layer, side)
        keep.put_cross(pair, done.cross())
    if variant == "zscore":
        left, right = (
            keep.side(layer, variant) or keep.put_side(layer, z_scored(side, context.device), variant)
            for layer, side in zip(pair, (left, right), strict=True)
        )
    precise = not (likely and suffices(left, right))
    cross = keep.cross(pair, precise)
    if cross is None:
        cross = moments.stream(pair, corpus, tokens, context.device, (), precise).cross()
        keep.put_cross(pair, cross)
    return left, right, cross


@dataclass(frozen=True)
class _LastPair:
    """X'Y of the last computed pair, so that the next measure of the same pair needs no pass."""

    pair: tuple[str, ...]
    crosses: Mapping[bool, moments.Cross]
    """Cross moments by precision: True for float64 products."""


class _Keeping:
    """The cache for the rows that ``tokens`` selects: in memory and, for sides, also on disk."""

    def __init__(self, corpus: Corpus, tokens: str, context: Context) -> None:
        self._rows = (tokens, rows.rows_digest(corpus, tokens))
        self._n, self._context = rows.count(corpus, tokens), context

    def side(self, layer: Layer, variant: Variant = "plain") -> Side | None:
        key = self._key(layer, variant)
        found = self._context.kept.get(key)
        if isinstance(found, Side):
            return found
        arrays = self._context.shelf.get(key)
        side = None if arrays is None else _unpacked(arrays, self._n, layer.width)
        if side is not None:
            self._context.kept[key] = side
        return side

    def put_side(self, layer: Layer, side: Side, variant: Variant = "plain") -> Side:
        key = self._key(layer, variant)
        self._context.kept[key] = side
        self._context.shelf.put(key, _packed(side))
        return side

    def cross(self, pair: tuple[Layer, Layer], precise: bool) -> moments.Cross | None:
        return self._crosses(pair).get(precise)

    def put_cross(self, pair: tuple[Layer, Layer], cross: moments.Cross) -> None:
        crosses = {**self._crosses(pair), cross.precise: cross}
        self._context.kept[_LAST] = _LastPair(self._pair(pair), crosses)

    def _crosses(self, pair: tuple[Layer, Layer]) -> Mapping[bool, moments.Cross]:
        last = self._context.kept.get(_LAST)
        return last.crosses if isinstance(last, _LastPair) and last.pair == self._pair(pair) else {}

    def _key(self, layer: Layer, variant: str) -> tuple[str, ...]:
        return (FAMILY, layer.identity, *self._rows, variant, VERSION)

    def _pair(self, pair: tuple[Layer, Layer]) -> tuple[str, ...]:
        return (pair[0].identity, pair[1].identity, *self._rows)


def _packed(side: Side) -> dict[str, np.ndarray]:
    arrays = {name: np.asarray(getattr(side, name)) for name in Side.__dataclass_fields__}
    return {name: np.array(a, np.float64, order="C") for name, a in arrays.items()}


def _unpacked(arrays: Mapping[str, np.ndarray], n: int, width: int) -> Side | None:
    """Return the side, or None if the arrays do not belong to n rows of this width."""
    if set(arrays) != set(Side.__dataclass_fields__) or int(arrays["n"]) != n or arrays["mean"].shape != (width,):
        return None
    values: dict[str, object] = {**arrays}
    values |= {name: int(arrays[name]) for name in ("n", "constant")}
    values |= {name: float(arrays[name]) for name in ("fourth", "square")}
    return Side(**values)  # type: ignore[arg-type]


def _eigen(gram: np.ndarray, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Return descending eigenvalues [d], and eigenvectors [d, d] in columns."""
    if device == "cpu":  # numpy's LAPACK is a fifth faster here than torch's
        w, v = np.linalg.eigh(gram)
        return w[::-1].copy(), v[:, ::-1].copy()
    import torch

    on_device = torch.linalg.eigh(torch.from_numpy(gram).to(device))
    return tuple(part.flip(-1).cpu().numpy() for part in on_device)


def _none(width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.empty(0), np.empty((width, 0))
