"""The formulas of the linear family: from two sides and X'Y to a score. Pure; X and Y are centred, with n rows each.

- CCA family: W = V_k / sqrt(w_k) whitens a side's k directions; canonical correlations rho = singular values of
  Wx' X'Y Wy (Bjoerck and Golub 1973). SVCCA and mean CCA differ in the directions kept.
- PWCCA (Morcos et al. 2018, eq. 2 and 3): mean of rho weighted by alpha_i = sum over neurons j of |<h_i, x_j>|, with
  h_i the i-th canonical variate of one side and x_j that side's neurons.
- CKA (Kornblith et al. 2019) is HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y)). Biased: HSIC = |X'Y|_F^2. Unbiased (Song et
  al. 2012, HSIC_1, linear kernels, zero diagonals): for centred rows with p_i = |x_i|^2 and q_i = |y_i|^2 every row
  sum of the kernel is -p_i, and
      HSIC_1 = (|X'Y|_F^2 - sum pq + sum p sum q / ((n-1)(n-2)) - 2 sum pq / (n-2)) / (n(n-3)),
  exact without any n x n matrix, because HSIC_1 does not change when all rows are moved.
- Procrustes (Ding et al. 2021): 2 - 2 |X'Y|_* with |X|_F = |Y|_F = 1; shape (Williams et al. 2021): arccos |X'Y|_*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer.measures.moments import Cross
from explorer.measures.sides import CUT, Directions, Rule, Side, directions

if TYPE_CHECKING:
    import torch

Estimator = Literal["unbiased", "biased"]
Neurons = Literal["x", "y"]
COARSE = 1e-2
"""Distance of a cosine from 1 below which its angle magnifies errors of float32: arccos(1 - e) = sqrt(2 e)."""
STILL = "the hidden states do not vary: all tokens are alike"


@dataclass(frozen=True)
class Score:
    """A number, or the reason why there is none, with its details."""

    value: float | None
    details: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    coarse: bool = False
    """True if float64 products of X'Y would change the number noticeably."""


def mean_cca(left: Side, right: Side, cross: Cross, rule: Rule, level: float, device: str = "cpu") -> Score:
    """Return 1 - mean of the min(kx, ky) canonical correlations of the kept directions (SVCCA; mean CCA)."""
    x, y = directions(left, rule, level), directions(right, rule, level)
    if not x.k or not y.k:
        return Score(None, _kept(x, y), STILL)
    similarity = float(_correlations(x, cross, y, device).mean())
    return Score(_distance(similarity), _kept(x, y) | {"similarity": similarity})


def pwcca(left: Side, right: Side, cross: Cross, weights: Neurons, device: str = "cpu") -> Score:
    """Return 1 - mean of the canonical correlations of all directions, weighted by one side's neurons (PWCCA)."""
    import torch

    x, y = directions(left, "all"), directions(right, "all")
    if not x.k or not y.k:
        return Score(None, _kept(x, y), STILL)
    inner = _inner(x, cross, y, device)
    own, inner = (x, inner) if weights == "x" else (y, inner.T)
    # The square roots of eigenvalues lose half the digits of correlations near 0, which is still 1e-8.
    square, u = torch.linalg.eigh(inner @ inner.T)
    count = min(x.k, y.k)
    rho = square.flip(0)[:count].clamp(min=0).sqrt().cpu().numpy()
    variates = u.flip(1)[:, :count]
    # <h_i, x_j> = u_i' W' X'X e_j = u_i' sqrt(w) V' e_j
    neurons = torch.from_numpy(np.sqrt(own.w)[:, None] * own.v.T).to(inner.device)
    alpha = (variates.T @ neurons).abs().sum(1).cpu().numpy()
    similarity = float(alpha @ _checked(rho) / alpha.sum())
    return Score(_distance(similarity), _kept(x, y) | {"similarity": similarity, "weights": weights})


def cka(left: Side, right: Side, cross: Cross, estimator: Estimator) -> Score:
    """Return linear centred kernel alignment: 1 for layers that are equal up to rotation and scale."""
    if not (left.varies and right.varies):
        return Score(None, {"estimator": estimator}, STILL)
    square = float((cross.product**2).sum())
    if estimator == "biased":
        return Score(square / math.sqrt(left.square * right.square), {"estimator": estimator})
    n = cross.n
    if n < 4:
        return Score(None, {"estimator": estimator}, f"too few tokens: {n}; the unbiased estimator takes 4")
    xy = _unbiased(n, square, cross.norms, left.trace, right.trace)
    xx = _unbiased(n, left.square, left.fourth, left.trace, left.trace)
    yy = _unbiased(n, right.square, right.fourth, right.trace, right.trace)
    if not min(xx, yy) > 0:
        return Score(None, {"estimator": estimator}, f"too few tokens: {n} rows hardly resemble each other")
    return Score(xy / math.sqrt(xx * yy), {"estimator": estimator})


def procrustes(left: Side, right: Side, cross: Cross, angular: bool, device: str = "cpu") -> Score:
    """Return the distance of two centred point clouds of unit size after the best rotation: squared, or as an angle."""
    import torch

    if not (left.varies and right.varies):
        return Score(None, {}, STILL)
    nuclear = float(torch.linalg.svdvals(torch.from_numpy(cross.product).to(device)).sum())
    cosine = min(nuclear / math.sqrt(left.trace * right.trace), 1.0)
    details: dict[str, object] = {"nuclear_norm": cosine}
    if angular:
        return Score(math.acos(cosine), details, coarse=cosine > 1 - COARSE)
    return Score(2 - 2 * cosine, details)


def _unbiased(n: int, square: float, norms: float, p: float, q: float) -> float:
    """Return HSIC_1 from |X'Y|_F^2, sum p_i q_i, sum p_i and sum q_i of centred rows."""
    return (square - norms + p * q / ((n - 1) * (n - 2)) - 2 * norms / (n - 2)) / (n * (n - 3))


def _inner(x: Directions, cross: Cross, y: Directions, device: str) -> torch.Tensor:
    """Return Wx' X'Y Wy [kx, ky]."""
    import torch

    wx, xy, wy = (
        torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in (x.whitening, cross.product, y.whitening)
    )
    return wx.T @ (xy @ wy) if x.k > y.k else (wx.T @ xy) @ wy


def _correlations(x: Directions, cross: Cross, y: Directions, device: str) -> np.ndarray:
    """Return canonical correlations [min(kx, ky)], from the eigenvalues of the smaller M'M (errors < 1e-8 near 0)."""
    import torch

    inner = _inner(x, cross, y, device)
    square = torch.linalg.eigvalsh(inner @ inner.T if x.k < y.k else inner.T @ inner)
    return _checked(square.clamp(min=0).sqrt().cpu().numpy())


def _checked(rho: np.ndarray) -> np.ndarray:
    if not rho.max() <= 1 + 1e-3:  # rounding of float32 products stays far below; more is a bug, not a correlation
        raise ArithmeticError(f"A canonical correlation of {rho.max()}: the two sides' sums do not belong together.")
    return rho


def _distance(similarity: float) -> float:
    """Return 1 - similarity, clipped to [0, 1], since rounding may move single correlations above 1."""
    return min(max(1 - similarity, 0.0), 1.0)


def _kept(x: Directions, y: Directions) -> dict[str, object]:
    return {"k_x": x.k, "k_y": y.k, "gap_at_cut": float(f"{min(x.gap, y.gap):.3g}"), "eigenvalue_cut": CUT}
