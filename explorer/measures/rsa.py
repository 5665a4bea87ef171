"""Representational similarity analysis: correlation of two checkpoints' similarities of tokens (Kriegeskorte 2008).

Within each side, all pairs of a sample of tokens are compared (by default, cosine of their hidden states); the sample
is the same for every checkpoint. Then the two sides' similarities of n (n - 1) / 2 pairs are correlated (Merchant et
al. 2020, section 5.1: 5,000 tokens, cosine, Pearson). rsa_pairs.py has the sums over pairs, rsa_ranks.py those for
Spearman.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from explorer.measures import tokens as picked
from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, Uncertainty, Value
from explorer.measures.declaration import CHANGE, COMPARED, LAYER, REF_LAYER, hidden
from explorer.measures.protocols import Corpus, Layer
from explorer.measures.resampling import (
    group_bounds,
    jackknife_interval,
    percentile_interval,
    resample_counts,
    shuffled_rows,
)
from explorer.measures.rsa_pairs import Own, Pairs, Unit, cross_sums, own_sums, pair_counts, unit_rows
from explorer.measures.rsa_ranks import LARGEST, pair_ranks, rank_pairs

SMALLEST = 3
"""Minimum number of rows (two give only one pair), and of groups of examples for an interval."""


@dataclass(frozen=True)
class Sample:
    """A sample of the chosen rows; it depends only on the corpus and the seed, not on the checkpoint."""

    total: int
    """Number of rows to draw from."""
    rows: np.ndarray
    """Sampled rows, ascending, int64 [n]."""
    offsets: np.ndarray
    """Number of sampled rows before each example, int64 [E + 1]."""

    @classmethod
    def of(cls, corpus: Corpus, tokens: str, size: int, seed: int) -> Sample:
        """Draw rows uniformly without replacement; all rows if there are at most ``size``."""
        offsets = picked.row_offsets(corpus, tokens)
        total = int(offsets[-1])
        rows = np.arange(total)
        if total > size:
            rows = np.sort(np.random.default_rng(seed).choice(total, size, replace=False, shuffle=False))
        return cls(total, rows, np.searchsorted(rows, offsets).astype(np.int64))

    @property
    def examples(self) -> int:
        """Number of examples with a sampled row."""
        return int((np.diff(self.offsets) > 0).sum())

    def groups(self, trust: Uncertainty) -> np.ndarray:
        """Return the rows at which groups of examples begin, and n; one group if no interval is wanted or possible."""
        bounds = group_bounds(self.offsets) if trust.interval and len(self.rows) else np.zeros(0, np.int64)
        return bounds if len(bounds) > SMALLEST else np.array([0, len(self.rows)])


@dataclass(frozen=True)
class RsaSide:
    """Intermediate results of one checkpoint."""

    unit: Unit
    own: Own
    varies: bool
    """True if its similarities vary by more than rounding."""
    ranks: np.ndarray | None
    """Ranks of the pairs for Spearman, uint32 [n (n - 1) / 2]; else None."""
    without_direction: int
    """Number of rows that are zero (or, for correlation, constant) and so have no similarity to others."""
    constant: int
    """Number of constant features, if features are standardised."""


def rsa(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the correlation of the two sides' similarities of sampled pairs of tokens.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    (layer, reference), corpus = given.compared, given.corpus
    size, seed = (int(str(parameters[name])) for name in ("sample", "sample_seed"))
    sample = Sample.of(corpus, str(parameters["tokens"]), size, seed)
    n = len(sample.rows)
    details: dict[str, object] = {"sample": n, "of": sample.total, "sample_seed": seed, "pairs": n * (n - 1) // 2}
    if n < SMALLEST:
        return [Value(None, n, details=details, reason=f"too few tokens: {n}, and rsa correlates pairs of them")]
    if parameters["score"] == "spearman" and n > LARGEST:
        reason = f"too many pairs to rank: spearman takes samples of at most {LARGEST:,} tokens, and this has {n:,}"
        return [Value(None, n, details=details, reason=reason)]

    bounds = sample.groups(context.trust)
    sides = []
    for of_side, name in ((layer, "this checkpoint"), (reference, "the reference")):
        side = _side(of_side, corpus, sample, bounds, parameters, context)
        if side.constant:
            details["constant_features"] = max(side.constant, int(str(details.get("constant_features", 0))))
        if side.without_direction:
            what = "of one number only" if parameters["kernel"] == "correlation" else "zero"
            reason = f"{side.without_direction} of {n} sampled tokens of {name} are {what}: they have no similarity"
            return [Value(None, n, details=details, reason=reason)]
        sides.append(side)
    x, y = sides
    if not (x.varies and y.varies):
        reason = "all sampled tokens are alike: similarities that do not vary cannot be correlated"
        return [Value(None, n, details=details, reason=reason)]
    pairs = _pairs(x, y, None, bounds, context.device)
    value = float(pairs.correlation()[0])
    null, about_null = _null(x, y, sample, context)
    interval, about_interval = _interval(pairs, value, context.trust, str(parameters["score"]))
    return [Value(value, n, interval=interval, null=null, details=details | about_null | about_interval)]


def _side(
    layer: Layer,
    corpus: Corpus,
    sample: Sample,
    bounds: np.ndarray,
    parameters: Mapping[str, object],
    context: Context,
) -> RsaSide:
    """Return one side from the cache, or read and compute it."""
    tokens = str(parameters["tokens"])
    asked = tuple(str(parameters[name]) for name in ("kernel", "features", "score", "sample", "sample_seed"))
    key = ("rsa", layer.identity, tokens, picked.rows_digest(corpus, tokens), *asked, len(bounds))
    kept = context.kept.get(key)
    if isinstance(kept, RsaSide):
        return kept
    unit, without, constant = unit_rows(
        _sampled(layer, corpus, tokens, sample.rows),
        centred=parameters["kernel"] == "correlation",
        zscored=parameters["features"] == "zscore",
    )
    own = own_sums(unit, bounds, context.device)
    varies = not np.isnan(Pairs(pair_counts(bounds), own, own, own.second).correlation()[0])  # with itself
    ranks = None
    if varies and parameters["score"] == "spearman":
        context.progress("ranking pairs", 0.0)
        ranks = pair_ranks(unit, context.device)
    side = RsaSide(unit, own, varies, ranks, without, constant)
    context.kept[key] = side
    return side


def _sampled(layer: Layer, corpus: Corpus, tokens: str, rows: np.ndarray) -> np.ndarray:
    """Return the sampled rows, float32 [n, width].

    Raises:
        MeasureError: some hidden states are not finite.
    """
    found = np.empty((len(rows), layer.width), np.float32)
    at = 0
    for (block,) in picked.blocks((layer,), corpus, tokens):
        start, stop = np.searchsorted(rows, [at, at + len(block)])
        found[start:stop] = block[rows[start:stop] - at]
        at += len(block)
    picked.check_finite(float(found.sum(dtype=np.float64)), "hidden states")
    return found


def _pairs(x: RsaSide, y: RsaSide, order: np.ndarray | None, bounds: np.ndarray, device: str) -> Pairs:
    """Return the sums over pairs of both sides, with the rows of y in the given order."""
    if x.ranks is not None and y.ranks is not None:
        return rank_pairs(x.ranks, y.ranks, order, bounds)
    return Pairs(pair_counts(bounds), x.own, y.own, cross_sums(x.unit, y.unit, order, bounds, device))


def _null(x: RsaSide, y: RsaSide, sample: Sample, context: Context) -> tuple[float | None, dict[str, object]]:
    """Return the mean over draws with the reference's examples permuted, and its details."""
    trust = context.trust
    if not trust.null:
        return None, {}
    if sample.examples < 2:
        return None, {"no_null": "the sample has only one example: there is no order to permute"}
    whole = np.array([0, len(sample.rows)])
    drawn = []
    for draw in range(trust.null):
        context.progress("null of rsa", draw / trust.null)
        order = shuffled_rows(sample.offsets, 0, len(sample.offsets) - 1, trust.seed, draw)
        pairs = _pairs(_in_one_group(x), _in_one_group(y), order, whole, context.device)
        drawn.append(float(pairs.correlation()[0]))
    return float(np.mean(drawn)), {"null_sd": float(np.std(drawn, ddof=1))} if len(drawn) > 1 else {}


def _in_one_group(side: RsaSide) -> RsaSide:
    """Return the side with the sums of all groups added up; these do not depend on the order of the rows."""
    return replace(side, own=Own(side.own.first.sum(keepdims=True), side.own.second.sum(keepdims=True)))


def _interval(
    pairs: Pairs, value: float, trust: Uncertainty, score: str
) -> tuple[tuple[float, float] | None, dict[str, object]]:
    """Return the interval over groups of whole examples, which are resampled on both axes of the pairs."""
    if not trust.interval:
        return None, {}
    groups = len(pairs.count)
    if groups < SMALLEST:
        return None, {"no_interval": f"an interval needs sampled tokens of at least {SMALLEST} examples"}
    details: dict[str, object] = {"interval_groups": groups}
    if score == "spearman":
        details["interval_ranks"] = "of the whole sample, not ranked again without a group"
    bootstrap = trust.interval == "bootstrap"
    weights = resample_counts(groups, trust.resamples, trust.seed) if bootstrap else 1 - np.eye(groups)
    again = pairs.correlation(weights)
    if np.isnan(again).any():
        return None, {"no_interval": "without some of the examples all sampled tokens are alike"}
    low, high = percentile_interval(again, trust.level) if bootstrap else jackknife_interval(value, again, trust.level)
    return (low, high), details


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="rsa",
        title="Representational similarity",
        topic=CHANGE,
        why="whether the same tokens are still near each other; comparable with studies of brains and other models",
        inputs=hidden(*COMPARED),
        axes=(LAYER, REF_LAYER),
        unit="correlation",
        low=-1.0,
        high=1.0,
        direction="1 = the same pairs of tokens are alike, 0 = no relation",
        definition=(
            "Similarity of every pair of sampled tokens within each side (cosine of their hidden states, or "
            "correlation over features), then the correlation of the two sides' similarities over all pairs. A "
            "similarity, not a distance: 1 for a checkpoint against itself. Invariant to rotation and scale; not to a "
            "shift of all tokens, unless features are z-scored. A few dimensions of large variance can dominate it: "
            "compare with features=zscore."
        ),
        source="Merchant et al. 2020 (BlackboxNLP), section 5.1, after Kriegeskorte et al. 2008; z-scored features "
        "after Timkey and van Schijndel 2021 (EMNLP).",
        cost="One float64 product of width x width over the sample, and one more for each side that is not cached and "
        "each draw of the null. Spearman sorts all pairs: 12.5 million and about 200 MB for 5,000 tokens.",
        counts="tokens",
        compute=rsa,
        summary=(
            "Pearson correlation of the cosine similarities of all pairs among 5,000 sampled tokens (Merchant et al. "
            "2020: 0.5459)"
        ),
        others="rsatoolbox, ReSi: correlation distances and Spearman; here `--kernel correlation --score spearman`",
        parameters=(
            Parameter(
                "tokens",
                "all",
                "rows compared: all = every token with the special ones, content = without special tokens, "
                "cls = first token of each example, words = mean of each word's sub-words",
                choices=picked.CHOICES,
            ),
            Parameter("sample", 5000, "maximum number of tokens, drawn uniformly from those rows", low=SMALLEST),
            Parameter("sample_seed", 0, "seed of that draw; a seed draws the same tokens for all checkpoints", low=0),
            Parameter(
                "kernel",
                "cosine",
                "similarity of two tokens: cosine, or correlation over features (its distance, 1 - r, gives the same)",
                choices=("cosine", "correlation"),
            ),
            Parameter(
                "score",
                "pearson",
                "correlation of the two sides' similarities",
                choices=("pearson", "spearman"),
            ),
            Parameter(
                "features",
                "raw",
                "raw = hidden states as they are, zscore = each feature standardised over the sample first, without "
                "those that are constant up to rounding",
                choices=("raw", "zscore"),
            ),
        ),
        version=2,
        symmetric=True,
        same=1.0,
        floor=1e-6,
        null="the order of the reference's examples; tokens of an example stay together and in order",
        intervals=INTERVALS,
    ),
)
