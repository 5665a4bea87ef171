"""Slow float64 versions straight from the formulas and straight from a model: what the fast paths must agree with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def thin_svd_basis(x: np.ndarray, share: float = 0.99, of: str = "variance", null: float = 1e-7) -> np.ndarray:
    """Left singular vectors [n, k] of centred rows, the fewest that hold a share.

    Args:
        of: ``variance`` (squared singular values; Raghu et al. 2017, section 2.1) or ``sum`` (singular values, as in
            the google/svcca tutorial).
        null: singular values below this share of the largest are rounding.
    """
    x = np.asarray(x, np.float64)
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    s = s[s > null * s[0]]
    held = np.cumsum(s**2 if of == "variance" else s)
    return u[:, : min(len(s), int(np.searchsorted(held / held[-1], share)) + 1)]


def z_scored(x: np.ndarray) -> np.ndarray:
    """Every feature less its mean, divided by its deviation (Wu et al. 2020)."""
    x = np.asarray(x, np.float64)
    return (x - x.mean(0)) / x.std(0)


def svcca_distance(x: np.ndarray, y: np.ndarray, share: float = 0.99, definition: str = "variance99") -> float:
    """1 - mean canonical correlation of the two retained subspaces."""
    if definition == "zscore":
        x, y = z_scored(x), z_scored(y)
    of = "sum" if definition == "google-tutorial" else "variance"
    rho = np.linalg.svd(thin_svd_basis(x, share, of).T @ thin_svd_basis(y, share, of), compute_uv=False)
    return float(1 - rho.mean())


def cca_distance(x: np.ndarray, y: np.ndarray) -> float:
    """1 - mean canonical correlation of the whole column spaces."""
    return svcca_distance(x, y, 1.0)


def pwcca_distance(x: np.ndarray, y: np.ndarray) -> float:
    """1 - mean correlation weighted by x's neurons: alpha_i = sum_j |<h_i, x_j>| (Morcos et al. 2018, eq. 2, 3)."""
    ux, uy = thin_svd_basis(x, 1.0), thin_svd_basis(y, 1.0)
    turn, rho, _ = np.linalg.svd(ux.T @ uy, full_matrices=False)
    variates = ux @ turn
    alpha = np.abs(variates.T @ (np.asarray(x, np.float64) - np.asarray(x, np.float64).mean(0))).sum(1)
    return float(1 - (alpha * rho).sum() / alpha.sum())


def hsic1(k: np.ndarray, l: np.ndarray) -> float:  # noqa: E741
    """Unbiased HSIC of two kernel matrices [n, n] (Song et al. 2012, equation 5)."""
    n = len(k)
    k, l = (m - np.diag(np.diag(m)) for m in (k, l))  # noqa: E741
    cross = np.trace(k @ l) + k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (k.sum(0) @ l.sum(1))
    return float(cross / (n * (n - 3)))


def cka(x: np.ndarray, y: np.ndarray, estimator: str = "unbiased") -> float:
    """Linear CKA from n x n kernel matrices, of rows as they are (unbiased) or centred (biased; Kornblith et al.)."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if estimator == "unbiased":
        k, l = x @ x.T, y @ y.T  # noqa: E741
        return hsic1(k, l) / np.sqrt(hsic1(k, k) * hsic1(l, l))
    x, y = x - x.mean(0), y - y.mean(0)
    return float(np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def procrustes_distance(x: np.ndarray, y: np.ndarray) -> float:
    """|X - Y R|_F^2 of centred, unit-norm clouds with the best orthogonal R, found and applied; the narrower layer is
    padded with features that are 0."""
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(np.asarray(a, np.float64), ((0, 0), (0, width - a.shape[1]))) for a in (x, y))
    x, y = x - x.mean(0), y - y.mean(0)
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    u, _, v = np.linalg.svd(y.T @ x)
    return float(np.linalg.norm(x - y @ (u @ v)) ** 2)


def shape_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Angle between the two clouds after the best rotation (Williams et al. 2021)."""
    return float(2 * np.arcsin(np.sqrt(procrustes_distance(x, y)) / 2))


def js_bits(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence of rows in bits, through the two KL terms (Hao et al. 2020)."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    m = (p + q) / 2

    def kl(a: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(a > 0, a * np.log2(a / m), 0.0).sum(-1)

    return (kl(p) + kl(q)) / 2


def model_outputs(folder: Path, texts: list[str] | list[list[str]], max_length: int = 128) -> dict[str, Any]:
    """Hidden states [L + 1, T, D] and attentions [example][L, H, len, len], one sentence at a time, without padding."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").float().eval()
    hidden, attention = [], []
    with torch.no_grad():
        for text in texts:
            words = not isinstance(text, str)
            batch = tokenizer(
                text, return_tensors="pt", truncation=True, max_length=max_length, is_split_into_words=words
            )
            out = model(**batch, output_hidden_states=True, output_attentions=True)
            hidden.append(np.stack([h[0].numpy() for h in out.hidden_states]))
            attention.append(np.stack([a[0].numpy() for a in out.attentions]))
    return {"hidden": np.concatenate(hidden, axis=1), "attention": attention}


def js_of_layer(a: list[np.ndarray], b: list[np.ndarray], layer: int) -> np.ndarray:
    """Per head: mean over query tokens, then over examples, in bits; layer counted from 1."""
    return np.mean([js_bits(p[layer - 1], q[layer - 1]).mean(-1) for p, q in zip(a, b, strict=True)], axis=0)


def entropy_bits(p: np.ndarray) -> np.ndarray:
    """Entropy of rows in bits: - sum p log2 p (Clark et al. 2019, section 3.3)."""
    p = np.asarray(p, np.float64)
    p = p / p.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.where(p > 0, p * np.log2(p), 0.0).sum(-1)


def without_special(maps: np.ndarray, special: np.ndarray, queries: list[int] | None = None) -> np.ndarray:
    """Maps [heads, q, l] without special query tokens and keys, rows restored to sum 1; ``queries`` names the rows."""
    kept = special if queries is None else special[queries]
    cut = np.asarray(maps, np.float64)[:, ~kept][..., ~special]
    return cut / cut.sum(-1, keepdims=True)


def upper_similarities(x: np.ndarray, kernel: str = "cosine", zscored: bool = False) -> np.ndarray:
    """Similarities of all pairs of rows, the flattened upper triangle, float64 [n (n - 1) / 2]."""
    x = np.asarray(x, np.float64)
    if zscored:
        x = (x - x.mean(0)) / x.std(0)
    if kernel == "correlation":
        x = x - x.mean(1, keepdims=True)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return (x @ x.T)[np.triu_indices(len(x), 1)]


def rsa_score(
    x: np.ndarray, y: np.ndarray, kernel: str = "cosine", how: str = "pearson", zscored: bool = False
) -> float:
    """Correlation of the two sides' similarities over all pairs (Merchant et al. 2020, section 5.1)."""
    from scipy.stats import pearsonr, spearmanr

    a, b = (upper_similarities(side, kernel, zscored) for side in (x, y))
    return float((pearsonr if how == "pearson" else spearmanr)(a, b).statistic)
