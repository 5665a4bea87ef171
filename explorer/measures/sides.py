"""One side of a comparison: a layer's principal directions, made once, kept in memory and on the shelf.

A side holds every eigenvector of X'X, so that no parameter of a measure makes it again; which directions a definition
keeps is decided afterwards (``Directions``). The z-scored variant is made from the plain side without reading a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.measures import moments
from explorer.measures import tokens as rows
from explorer.measures.base import Context
from explorer.measures.protocols import Corpus, Layer

FAMILY, VERSION = "linear", "1"
NULL_EIGENVALUE = 1e-10
"""Directions below this share of the largest eigenvalue are rounding: no definition keeps them."""
NOISE = 4.0
"""Nor one that is not this many times stronger than what rounding to the stored dtype would give it."""
CONSTANT = 1e-12
"""A feature whose variance is this small against its squared mean is one number and its rounding."""
FLOAT32_AMPLIFICATION = 10.0
"""Float32 products serve up to this amplification a (measured: error about 1e-9 a^2; encoders have 2 to 8)."""
CUT = "eigenvalue > 1e-10 of the largest and > 4 x rounding of the stored dtype"
"""Which directions can be kept at all, in words."""
Variant = Literal["plain", "zscore"]
Rule = Literal["variance", "sum", "all"]
_LAST = (FAMILY, "last pair")


@dataclass(frozen=True)
class Side:
    """What belongs to one layer alone. Directions are columns, by falling eigenvalue; empty where none were asked for.

    X'X = V diag(w) V' of centred rows X, their features multiplied by ``scale`` (1; z-scored: 1 / their deviation).
    """

    n: int
    mean: np.ndarray  # float64 [d]
    spread: np.ndarray  # diagonal of X'X before scaling, float64 [d]
    fourth: float
    """Sum over rows of |x|^4, before scaling."""
    constant: int
    """Features that never vary."""
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
        """Some feature is more than one number."""
        return self.constant < len(self.mean)

    def gram(self) -> np.ndarray:
        """X'X [d, d] again."""
        import torch

        v = torch.from_numpy(self.v)  # numpy's product would start threads of its own beside torch's
        product: np.ndarray = (v * torch.from_numpy(self.w) @ v.T).numpy()
        return product


@dataclass(frozen=True)
class Directions:
    """Those of a side that a definition keeps."""

    w: np.ndarray  # float64 [k]
    v: np.ndarray  # float64 [d, k]
    whitening: np.ndarray
    """V / sqrt(w) for rows before scaling, float64 [d, k]: the centred rows times it have orthonormal columns."""
    gap: float
    """Relative difference of the last eigenvalue kept and the first dropped, 1 if none is. Where the two are nearly
    equal, which direction is kept hangs on the stored dtype's rounding: it moves distances by some 1e-5."""
    amplification: float
    """How much rounding of X'Y grows in W' X'Y W: mean over directions of W' diag(X'X) W."""

    @property
    def k(self) -> int:
        """How many."""
        return self.w.size

    @property
    def fits_float32(self) -> bool:
        """Float32 products keep the distance to some 1e-7: rounding grows little, or evens out over many directions."""
        return self.amplification <= min(FLOAT32_AMPLIFICATION, self.k**0.5)


def side_of(sums: moments.OneSide, device: str = "cpu", directions: bool = True) -> Side:
    """A side from its sums; ``directions``: with eigenvectors, else what needs none."""
    spread = sums.gram.diagonal().copy()
    still = (spread <= CONSTANT * sums.n * sums.mean**2) | (spread <= NULL_EIGENVALUE * spread.max())
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
    """The side of the same rows with every feature divided by its deviation; features that never vary become 0."""
    moving = side.spread > np.maximum(CONSTANT * side.n * side.mean**2, NULL_EIGENVALUE * side.spread.max())
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
    """The fewest leading directions that hold a share ``level`` of the rule's total.

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
    """Return the side of one layer, from what is kept or from one pass over its array.

    It is kept as ``sides_and_cross`` keeps it, with the same bits, so that either finds what the other made.

    Raises:
        MeasureError: hidden states that are not finite.
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
    """Both sides and X'Y, from what is kept or from one pass over the arrays (two at most).

    Args:
        suffices: whether float32 products do for X'Y of these sides.
        likely: whether they can at all; else all products are float64. Whether a side was known before makes no
            difference to any bit.

    Raises:
        MeasureError: hidden states that are not finite.
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
    """X'Y of the pair that was computed last: the next measure of the same pair needs no pass."""

    pair: tuple[str, ...]
    crosses: Mapping[bool, moments.Cross]
    """By whether products were float64."""


class _Keeping:
    """What is kept for the rows that ``tokens`` picks: in the process, and for sides on the shelf."""

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
    """The side, or None when the arrays are not those of n rows of this width."""
    if set(arrays) != set(Side.__dataclass_fields__) or int(arrays["n"]) != n or arrays["mean"].shape != (width,):
        return None
    values: dict[str, object] = {**arrays}
    values |= {name: int(arrays[name]) for name in ("n", "constant")}
    values |= {name: float(arrays[name]) for name in ("fourth", "square")}
    return Side(**values)  # type: ignore[arg-type]


def _eigen(gram: np.ndarray, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues [d], falling, and eigenvectors [d, d] in columns."""
    if device == "cpu":  # numpy's LAPACK takes a fifth less time here than torch's
        w, v = np.linalg.eigh(gram)
        return w[::-1].copy(), v[:, ::-1].copy()
    import torch

    on_device = torch.linalg.eigh(torch.from_numpy(gram).to(device))
    return tuple(part.flip(-1).cpu().numpy() for part in on_device)


def _none(width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.empty(0), np.empty((width, 0))
