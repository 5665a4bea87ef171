"""Layers whose spectrum is known, and the measures of a spectrum called in one line."""

from __future__ import annotations

import numpy as np

from explorer.measures import Context, Given, Value
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryLayer, one_token_each

SPECTRUM = ("effective-rank", "participation-ratio", "anisotropy")


def measure(name, x, corpus=None, context=None, chunk=1 << 30, **parameters) -> Value:
    """The one Value of a layer's hidden states [n, d]."""
    settled = dict(get(name).settle(parameters))
    layer = MemoryLayer(x, hidden_chunk=chunk)
    (value,) = get(name).compute(Given.layers(corpus or one_token_each(len(x)), layer), settled, context or Context())
    return value


def singular_values(x):
    """Singular values of the centred rows in float64, without those that are rounding."""
    x = np.asarray(x, np.float64)
    s = np.linalg.svd(x - x.mean(0), compute_uv=False)
    return s[s > 1e-7 * s[0]]


def with_spectrum(n, singular, seed=0):
    """Rows [n, d] of mean 0 with exactly these singular values [d], in directions that are no axes."""
    rng = np.random.default_rng(seed)
    left = rng.standard_normal((n, len(singular)))
    left = np.linalg.qr(left - left.mean(0))[0]
    return left * singular @ np.linalg.qr(rng.standard_normal((len(singular),) * 2))[0]
