"""Sum over all pairs of sampled rows, in float64 and without a matrix of pairs, and correlate the sums.

A unit row is r_i = m + z_i with m the mean over rows. Its similarity to another row, minus the constant |m|^2, is

    x_ij = a_i + a_j + z_i . z_j,   a_i = m . z_i

which keeps its precision if all rows point nearly the same way, as in the upper layers of encoders. It is a product
u_i . v_j of u_i = (z_i, a_i, 1) and v_j, which is u_j with the last two entries swapped. With s_i, t_j defined in the
same way for the other side's y_ij, sums over pairs are products of sums over rows (C = U'S has (width + 2)^2 entries):

    sum_ij x_ij = (sum_i u_i) . (sum_j v_j),      sum_ij x_ij y_ij = < U'S, V'T >

so no n x n matrix is needed. Sums per block of rows allow leaving out or repeating groups of examples on both axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures.sides import constant_features

if TYPE_CHECKING:
    import torch

ALIKE = 1e-10
"""Standard deviation of similarities below which they are only rounding; stored float16 gives 1e-7."""
ROWS = 1024
"""Number of rows that are converted to float64 at once."""


@dataclass(frozen=True)
class Unit:
    """One side's sampled rows at unit length, minus their mean."""

    z: np.ndarray
    """z_i, float64 [n, width]; in float32, equal similarities would get different ranks."""
    a: np.ndarray
    """a_i, float64 [n]."""
    diagonal: np.ndarray
    """x_ii, the similarity of a row with itself, float64 [n]."""

    def extended(self, rows: np.ndarray | slice, device: str) -> torch.Tensor:
        """Return u_i of some rows, float64 [rows, width + 2]."""
        import torch

        a = torch.from_numpy(self.a[rows])[:, None]
        return torch.cat([torch.from_numpy(self.z[rows]), a, torch.ones_like(a)], dim=1).to(device)


@dataclass(frozen=True)
class Own:
    """A side's sums over ordered pairs of different rows, per pair of groups of rows."""

    first: np.ndarray
    """Sums of x, float64 [G, G]."""
    second: np.ndarray
    """Sums of x^2, float64 [G, G]."""


@dataclass(frozen=True)
class Pairs:
    """Sums over ordered pairs of different rows, per pair of groups, from which correlations are computed."""

    count: np.ndarray
    """Number of pairs, float64 [G, G]."""
    x: Own
    y: Own
    product: np.ndarray
    """Sums of x y, float64 [G, G]."""

    def correlation(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Return the Pearson correlation of x and y over pairs, float64 [W]; NaN if one of them does not vary.

        Args:
            weights: count of each group, [W, G] (default: 1); a pair counts as the product of its two groups' counts.
        """
        w = np.ones((1, len(self.count))) if weights is None else np.asarray(weights, np.float64)
        n, x, y, xx, yy, xy = (
            np.einsum("wg,gh,wh->w", w, sums, w, optimize=True)
            for sums in (self.count, self.x.first, self.y.first, self.x.second, self.y.second, self.product)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            var_x, var_y, cov = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2, xy / n - x * y / n**2
            found: np.ndarray = cov / np.sqrt(var_x * var_y)
        found[~((var_x > ALIKE**2) & (var_y > ALIKE**2))] = np.nan
        return found


def unit_rows(rows: np.ndarray, *, centred: bool, zscored: bool) -> tuple[Unit, int, int]:
    """Return rows at unit length, the number of rows without a direction (they stay zero), and of constant features.

    Args:
        rows: hidden states [n, width].
        centred: subtract each row's own mean first, so that similarities are correlations over features.
        zscored: standardise each feature over the rows before that; constant features become 0.
    """
    n, width = rows.shape
    mean, scale, constant = np.zeros(width), np.ones(width), 0
    if zscored:
        mean = rows.mean(0, dtype=np.float64)
        spread = np.zeros(width)
        for part in _float64(rows):
            spread += ((part - mean) ** 2).sum(0) / n
        varies = ~constant_features(spread, mean**2)
        constant = int((~varies).sum())
        scale = np.where(varies, 1 / np.sqrt(np.where(varies, spread, 1)), 0)
    centre, without = np.zeros(width), 0
    for part, short in _directions(rows, mean, scale, centred):
        centre += part.sum(0) / n
        without += short
    z, a, diagonal, at = np.empty((n, width)), np.empty(n), np.empty(n), 0
    for part, _ in _directions(rows, mean, scale, centred):
        part -= centre
        place = slice(at, at + len(part))
        z[place], a[place] = part, part @ centre
        diagonal[place] = 2 * a[place] + (part**2).sum(1)
        at = place.stop
    return Unit(z, a, diagonal), without, constant


def _directions(
    rows: np.ndarray, mean: np.ndarray, scale: np.ndarray, centred: bool
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield standardised rows at unit length, float64, block by block, and the number of rows of length 0."""
    for part in _float64(rows):
        part = (part - mean) * scale
        before = np.linalg.norm(part, axis=1, keepdims=True)
        if centred:
            part -= part.mean(1, keepdims=True)
        length = np.linalg.norm(part, axis=1, keepdims=True)
        short = length <= 1e-6 * before  # after centring, only rounding is left of a constant row
        yield np.where(short, 0, part / np.where(short, 1, length)), int(short.sum())


def own_sums(side: Unit, bounds: np.ndarray, device: str) -> Own:
    """Return a side's sums for groups of rows bounds[g] to bounds[g + 1]."""
    of_u = np.stack([_sum_u(side, slice(a, b)) for a, b in pairwise(bounds)])
    inside = [side.diagonal[a:b] for a, b in pairwise(bounds)]
    first = of_u @ _swapped(of_u).T - np.diag([d.sum() for d in inside])
    return Own(first, _products(side, side, None, bounds, device) - np.diag([(d**2).sum() for d in inside]))


def cross_sums(x: Unit, y: Unit, order: np.ndarray | None, bounds: np.ndarray, device: str) -> np.ndarray:
    """Return sums of x y over ordered pairs of different rows, float64 [G, G], with the rows of y in an order."""
    inside = x.diagonal * (y.diagonal if order is None else y.diagonal[order])
    return _products(x, y, order, bounds, device) - np.diag([inside[a:b].sum() for a, b in pairwise(bounds)])


def pair_counts(bounds: np.ndarray) -> np.ndarray:
    """Return the number of ordered pairs of different rows, float64 [G, G]."""
    sizes = np.diff(bounds).astype(np.float64)
    return np.outer(sizes, sizes) - np.diag(sizes)


def _products(x: Unit, y: Unit, order: np.ndarray | None, bounds: np.ndarray, device: str) -> np.ndarray:
    """Return < U_g'S_g, V_h'T_h > for all groups g and h, including pairs of a row with itself, float64 [G, G]."""
    import torch

    groups, shape = len(bounds) - 1, (x.z.shape[1] + 2, y.z.shape[1] + 2)
    products = torch.zeros((groups, *shape), dtype=torch.float64, device=device)
    for g, (start, stop) in enumerate(pairwise(bounds.tolist())):
        for at in range(start, stop, ROWS):
            part = slice(at, min(at + ROWS, stop))
            u = x.extended(part, device)
            s = u if x is y and order is None else y.extended(part if order is None else order[part], device)
            products[g].addmm_(u.T, s)
    found = np.empty((groups, groups))
    for h in range(groups):
        swapped = products[h][_swap(shape[0])][:, _swap(shape[1])]
        found[:, h] = (products.flatten(1) @ swapped.flatten()).cpu().numpy()
    return found


def _sum_u(side: Unit, rows: slice) -> np.ndarray:
    z, a = side.z[rows], side.a[rows]
    return np.concatenate([z.sum(0), [a.sum(), len(a)]])


def _swap(columns: int) -> list[int]:
    return [*range(columns - 2), columns - 1, columns - 2]


def _swapped(u: np.ndarray) -> np.ndarray:
    return u[:, _swap(u.shape[1])]


def _float64(rows: np.ndarray) -> Iterator[np.ndarray]:
    for at in range(0, len(rows), ROWS):
        yield rows[at : at + ROWS].astype(np.float64)
