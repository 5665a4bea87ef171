"""Labelled points like those of encoders, for tests of probes."""

from __future__ import annotations

import numpy as np


def encoded(n, d, k, seed=0, apart=1.0):
    """Return points float64 [n, d] with a falling spectrum, a mean offset and an outlier feature, and labels 0..k-1.

    Labels have falling frequencies, and each occurs. ``apart`` scales the distance of their means.
    """
    rng = np.random.default_rng([seed, n, d, k])
    share = 1 / np.arange(1, k + 1)
    labels = np.concatenate([np.arange(k), rng.choice(k, n - k, p=share / share.sum())])
    labels = rng.permutation(labels)
    mix = rng.standard_normal((d, d)) * np.arange(1, d + 1) ** -0.7
    points = rng.standard_normal((n, d)) @ mix.T + 0.3 * rng.standard_normal((n, d))
    points += apart * rng.standard_normal((k, d))[labels] + 2 * rng.standard_normal(d)
    points[:, d // 2] = 6 * points[:, d // 2] - 20
    return points, labels
