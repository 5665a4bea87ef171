"""Pairs of layers like those of encoders, and the linear family's measures called in one line."""

from __future__ import annotations

import numpy as np

from explorer.measures import Context, Given, Value
from explorer.measures.registry import get
from tests import oracle
from tests.explorer.measures.memory import MemoryLayer, one_token_each

FAMILY = ("svcca", "cca", "pwcca", "cka", "procrustes", "shape")
ORACLES = {
    ("svcca", ()): oracle.svcca_distance,
    ("svcca", (("definition", "google-tutorial"),)): lambda x, y: oracle.svcca_distance(x, y, 0.99, "google-tutorial"),
    ("svcca", (("definition", "zscore"),)): lambda x, y: oracle.svcca_distance(x, y, 0.99, "zscore"),
    ("cca", ()): oracle.cca_distance,
    ("pwcca", ()): oracle.pwcca_distance,
    ("pwcca", (("weights", "y"),)): lambda x, y: oracle.pwcca_distance(y, x),
    ("cka", ()): oracle.cka,
    ("cka", (("estimator", "biased"),)): lambda x, y: oracle.cka(x, y, "biased"),
    ("procrustes", ()): oracle.procrustes_distance,
    ("shape", ()): oracle.shape_distance,
}
"""Slow float64 versions by measure and parameters."""


def measure(name, x, y, corpus=None, context=None, chunk=1 << 30, **parameters) -> Value:
    """The one Value of a pair of arrays."""
    sides = [MemoryLayer(a, hidden_chunk=chunk) for a in (x, y)]
    settled = dict(get(name).settle(parameters))
    (value,) = get(name).compute(Given.layers(corpus or one_token_each(len(x)), *sides), settled, context or Context())
    return value


def like_bert(n, d, seed=0, dtype=np.float32, noise=0.5):
    """A pair with a falling spectrum, a mean offset and an outlier dimension, as encoders have."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((d, d)) * np.arange(1, d + 1) ** -0.7
    x = rng.standard_normal((n, d)) @ mix.T
    y = x + noise * rng.standard_normal((n, d)) @ mix.T
    for a in (x, y):
        a += rng.standard_normal(d) * 3
        a[:, 3] = a[:, 3] * 20 - 50
    return x.astype(dtype), y.astype(dtype)
