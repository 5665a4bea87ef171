"""The linear family: similarity of two layers' hidden states up to rotation, scale or any linear map.

Every measure is a score (scores.py) of two sides (sides.py) and X'Y (moments.py); nulls and intervals are in chance.py.
Only sums over tokens are needed, so arrays are streamed and memory does not grow with n. If several measures use the
same pair one after the other, it is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from explorer.measures import chance, scores, sides
from explorer.measures import tokens as rows
from explorer.measures.base import Compute, Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, Value
from explorer.measures.declaration import CHANGE, COMPARED, LAYER, REF_LAYER, hidden
from explorer.measures.moments import Cross
from explorer.measures.protocols import Corpus, Layer
from explorer.measures.scores import Score
from explorer.measures.sides import Rule, Side

FEW_DRAWS = 3
"""Number of null draws if there are so few tokens that the value cannot be interpreted without a null."""
PRESETS: Mapping[str, tuple[sides.Variant, Rule]] = {
    "variance99": ("plain", "variance"),
    "google-tutorial": ("plain", "sum"),
    "zscore": ("zscore", "variance"),
}


@dataclass(frozen=True)
class _Formula:
    """A measure with its parameters: a function from two sides and X'Y to a score."""

    score: Callable[[Side, Side, Cross], Score]
    variant: sides.Variant = "plain"
    rule: Rule | None = None
    """Rule for the directions to keep; None: the score does not use directions."""
    level: float = 1.0
    details: Mapping[str, object] | None = None
    low: float = 0.0
    high: float = 1.0

    def suffices(self, left: Side, right: Side) -> bool:
        """Return whether float32 products are precise enough for X'Y."""
        if self.rule is None:
            return True
        rule, level = self.rule, self.level
        return all(sides.directions(side, rule, level).fits_float32 for side in (left, right))


Ask = Callable[[Mapping[str, object], str], _Formula]


def _svcca(parameters: Mapping[str, object], device: str) -> _Formula:
    definition, level = str(parameters["definition"]), float(str(parameters["variance"]))
    variant, rule = PRESETS[definition]
    return _Formula(
        lambda x, y, xy: scores.mean_cca(x, y, xy, rule, level, device),
        variant,
        rule,
        level,
        {"definition": definition, "kept_share": level},
    )


def _cca(parameters: Mapping[str, object], device: str) -> _Formula:
    return _Formula(lambda x, y, xy: scores.mean_cca(x, y, xy, "all", 1.0, device), rule="all")


def _pwcca(parameters: Mapping[str, object], device: str) -> _Formula:
    weights: scores.Neurons = "y" if parameters["weights"] == "y" else "x"
    return _Formula(lambda x, y, xy: scores.pwcca(x, y, xy, weights, device), rule="all")


def _cka(parameters: Mapping[str, object], device: str) -> _Formula:
    estimator: scores.Estimator = "biased" if parameters["estimator"] == "biased" else "unbiased"
    return _Formula(lambda x, y, xy: scores.cka(x, y, xy, estimator), low=-1.0)


def _procrustes(parameters: Mapping[str, object], device: str) -> _Formula:
    return _Formula(lambda x, y, xy: scores.procrustes(x, y, xy, False, device), high=2.0)


def _shape(parameters: Mapping[str, object], device: str) -> _Formula:
    return _Formula(lambda x, y, xy: scores.procrustes(x, y, xy, True, device), high=np.pi / 2)


def _measured(name: str, ask: Ask) -> Compute:
    def compute(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
        """Return one value of one layer.

        Raises:
            MeasureError: some hidden states are not finite.
        """
        formula = ask(parameters, context.device)
        return [_value(given.compared, given.corpus, str(parameters["tokens"]), name, formula, context)]

    return compute


def _value(
    pair: tuple[Layer, Layer], corpus: Corpus, tokens: str, name: str, formula: _Formula, context: Context
) -> Value:
    n, width = rows.count(corpus, tokens), max(layer.width for layer in pair)
    correlates = formula.rule is not None
    details: dict[str, object] = {
        "definition": name,
        **(formula.details or {}),
        "width": width,
        "n_over_d": round(n / width, 4),
    }
    if n < 2 or (correlates and n <= width):
        reason = f"too few tokens: {n} for a width of {width}; with at most as many tokens, all layers look alike"
        return Value(None, n, details=details, reason=reason)

    likely = formula.rule in (
        None,
        "variance",
    )  # other rules keep directions so weak that errors of float32 would matter
    left, right, cross = sides.sides_and_cross(pair, corpus, tokens, formula.variant, context, formula.suffices, likely)
    score = formula.score(left, right, cross)
    if score.coarse and not cross.precise:
        left, right, cross = sides.sides_and_cross(
            pair, corpus, tokens, formula.variant, context, suffices=lambda _x, _y: False
        )
        score = formula.score(left, right, cross)
    details |= score.details
    details["products"] = "float64" if cross.precise else "float32, summed in float64"
    constant = max(left.constant, right.constant)
    if constant:
        details["constant_features"] = constant
    if score.value is None:
        return Value(None, n, details=details, reason=score.reason)
    value = Value(score.value, n, details=details, reason=_warning(n, width, details, correlates))
    value = _with_null(value, pair, (left, right), corpus, tokens, formula, cross.precise, context)
    return _with_interval(value, pair, corpus, tokens, formula, context)


def _warning(n: int, width: int, details: Mapping[str, object], correlates: bool) -> str:
    if correlates:
        k = max(int(str(details["k_x"])), int(str(details["k_y"])))
        if n >= 2 * width and n >= 10 * k:
            return ""
        return (
            f"few tokens: {n} for a width of {width} and {k} kept directions (wanted: 10 tokens per direction and 2 per"
            " dimension); the distance is too small, since this many directions correlate by chance"
        )
    if n >= 2 * width:
        return ""
    if details.get("estimator") == "unbiased":
        return f"few tokens: {n} for a width of {width} (wanted: 2 per dimension); the value varies much by chance"
    return f"few tokens: {n} for a width of {width} (wanted: 2 per dimension); the two look alike by chance: see null"


def _with_null(
    value: Value,
    pair: tuple[Layer, Layer],
    both: tuple[Side, Side],
    corpus: Corpus,
    tokens: str,
    formula: _Formula,
    precise: bool,
    context: Context,
) -> Value:
    """Add the null to a value, if one is requested or if there are few tokens."""
    width = int(str(value.details["width"]))
    draws = context.trust.null or (FEW_DRAWS if value.n < 2 * width else 0)
    if not draws:
        return value
    if (np.diff(rows.row_offsets(corpus, tokens)) > 0).sum() < 2:
        why = "one example cannot change places"
        return replace(value, details={**value.details, "no_null": why}) if context.trust.null else value
    crosses = chance.permuted(pair, both, corpus, tokens, precise, draws, context)
    drawn = [score.value for cross in crosses if (score := formula.score(*both, cross)).value is not None]
    details: dict[str, object] = {**value.details, "null_draws": len(drawn)}
    if len(drawn) > 1:
        details["null_sd"] = float(np.std(drawn, ddof=1))
    return replace(value, null=float(np.mean(drawn)), details=details)


def _with_interval(
    value: Value, pair: tuple[Layer, Layer], corpus: Corpus, tokens: str, formula: _Formula, context: Context
) -> Value:
    """Add the interval over groups of whole examples to a value, if one is requested."""
    trust = context.trust
    if not trust.interval:
        return value

    def without(why: str) -> Value:
        return replace(value, details={**value.details, "no_interval": why})

    groups, smallest = chance.groups_and_smallest(corpus, tokens, trust)
    if groups < 2:
        return without("one example cannot be resampled")
    if formula.rule is not None and smallest <= int(str(value.details["width"])):
        return without(f"too few tokens: a resample may have only {smallest} different ones")
    drawn = []
    for left, right, cross in chance.replicates(pair, corpus, tokens, context, directions=formula.rule is not None):
        if formula.variant == "zscore":
            left, right = (sides.z_scored(side, context.device) for side in (left, right))
        score = formula.score(left, right, cross)
        if score.value is None:
            return without(f"a resample has no value: {score.reason}")
        drawn.append(score.value)
    assert value.value is not None
    low, high = (
        float(np.clip(end, formula.low, formula.high)) for end in chance.interval(np.array(drawn), value.value, trust)
    )
    details: dict[str, object] = {**value.details, "interval_groups": groups}
    if trust.interval == "bootstrap":
        details["bootstrap_bias"] = float(np.mean(drawn) - value.value)
    return replace(value, interval=(low, high), details=details)


TOKENS = Parameter(
    "tokens",
    "all",
    "rows compared: all = every token with the special ones, content = without special tokens, "
    "cls = first token of each example, words = mean of each word's sub-words",
    choices=rows.CHOICES,
)
ALL_DIRECTIONS = (
    "every direction whose eigenvalue is above 1e-10 of the largest and above 4 times the variance that rounding to "
    "the stored dtype adds to it"
)
SIDE_COST = "a checkpoint's own directions are computed once and cached in the store."


def _measure(name: str, ask: Ask, *parameters: Parameter, **texts: object) -> Measure:
    """Return a measure with the settings that the family shares."""
    return Measure(
        name=name,
        inputs=hidden(*COMPARED),
        axes=(LAYER, REF_LAYER),
        counts="tokens",
        compute=_measured(name, ask),
        parameters=(TOKENS, *parameters),
        null=chance.NULL,
        **{"intervals": INTERVALS, **texts},  # type: ignore[arg-type]
    )


MEASURES: tuple[Measure, ...] = (
    _measure(
        "svcca",
        _svcca,
        Parameter(
            "definition",
            "variance99",
            "directions that are kept: variance99 = a share of the variance (Raghu et al.); google-tutorial = a share "
            "of the sum of singular values, which keeps far more; zscore = every feature divided by its standard "
            "deviation first, then a share of the variance (Wu et al. 2020, who keep one direction fewer)",
            choices=tuple(PRESETS),
        ),
        Parameter("variance", 0.99, "share of the variance (or sum) that each side keeps", low=0.01, high=1.0),
        title="SVCCA distance",
        topic=CHANGE,
        why="which layers describe the texts in another way than before, whatever the rotation or scale",
        summary=(
            "1 - mean of the min(k) canonical correlations between the fewest principal directions of each side that "
            "hold 99 % of the *variance*, features centred (Raghu et al. 2017; Hao et al. 2020). Similarity of our "
            "test pair: **0.9005** (k 111, 166)"
        ),
        others=(
            "`--definition google-tutorial`: 99 % of the sum of *singular values* (0.8896, k 368); google/svcca then "
            "trims trailing correlations (0.9014). `--definition zscore`: features z-scored first (Wu et al. 2020, "
            "who keep one direction fewer: 0.8326; ours 0.8325). anatome decomposes before centring (0.8892), ReSi "
            "keeps one direction by mistake (0.7895), netrep divides by sqrt(k1 k2) (0.7364), ContraSim truncates "
            "nothing (0.8967: that is `cca`)"
        ),
        unit="distance",
        low=0.0,
        high=1.0,
        direction="0 = same up to a linear map, 1 = nothing in common",
        definition=(
            "Hidden states of the chosen tokens are centred; each side keeps its fewest principal directions that hold "
            "the given share of the variance; distance = 1 - mean of the min(kx, ky) canonical correlations between "
            "the two. Invariant to rotation, scale and any other invertible map of the kept directions."
        ),
        source="Raghu et al. 2017 (SVCCA), as used on fine-tuning by Hao et al. 2020 (AACL).",
        cost=f"One product of width x width over all tokens; {SIDE_COST}",
        version=2,
        symmetric=True,
        intervals=("bootstrap", "jackknife"),
        interval_notes={
            "jackknife": "several times too wide where the distance is small, since leaving examples out changes which "
            "directions are kept; a bootstrap's is not"
        },
        floor=1e-6,
    ),
    _measure(
        "cca",
        _cca,
        title="mean CCA distance",
        topic=CHANGE,
        why="as svcca, with every direction counted alike, however little variance it has",
        summary=(
            "1 - mean of all canonical correlations; directions below 1e-10 of the largest eigenvalue, or that "
            "float16 rounding alone could produce, do not count (0.8967)"
        ),
        others=(
            "google/svcca's `robust_cca_similarity` passes its threshold as epsilon (0.0565 where 0.4318 is right)"
        ),
        unit="distance",
        low=0.0,
        high=1.0,
        direction="0 = linear maps of each other, 1 = uncorrelated",
        definition=(
            f"1 - mean of the min(rank x, rank y) canonical correlations; a side's rank counts {ALL_DIRECTIONS}. "
            "Invariant to every invertible linear map: a direction with a millionth of the variance counts like the "
            "first."
        ),
        source="Hotelling 1936; mean correlation as in Raghu et al. 2017 and Kornblith et al. 2019.",
        cost=f"As svcca, mostly with float64 products (1.8 times as long); {SIDE_COST}",
        symmetric=True,
        floor=1e-6,
    ),
    _measure(
        "pwcca",
        _pwcca,
        Parameter(
            "weights",
            "x",
            "side whose neurons weight the correlations: x = the checkpoint's, y = the reference's. Morcos et al. use "
            "the side of smaller rank; ranks are mostly equal here, and a fixed side keeps a curve's points comparable",
            choices=("x", "y"),
        ),
        title="PWCCA distance",
        topic=CHANGE,
        why="as svcca, with directions weighted by how much of the layer they carry",
        summary=(
            "canonical correlations weighted by how much of one side's neurons they carry (Morcos et al. 2018; "
            "`--weights x|y`: 0.90531, 0.90534)"
        ),
        others=(
            "google/svcca, ReSi, ContraSim: directions without the whitening (0.9527); anatome: coefficients made "
            "orthogonal (0.8255)"
        ),
        unit="distance",
        low=0.0,
        high=1.0,
        direction="0 = linear maps of each other, 1 = uncorrelated",
        definition=(
            "1 - weighted mean of the canonical correlations of all directions (as cca); correlation i weighs "
            "sum over neurons j of |<h_i, x_j>|, with h_i the canonical variate and x_j the neurons of one side. Not "
            "symmetric."
        ),
        source="Morcos et al. 2018, equations 2 and 3.",
        cost=f"As cca, and one eigendecomposition of width x width per pair; {SIDE_COST}",
        floor=1e-6,
    ),
    _measure(
        "cka",
        _cka,
        Parameter(
            "estimator",
            "unbiased",
            "unbiased = HSIC_1 of Song et al. 2012, 0 on average for unrelated layers (single values may fall a little "
            "below); biased = as first published, which few tokens inflate",
            choices=("unbiased", "biased"),
        ),
        title="linear CKA similarity",
        topic=CHANGE,
        why="which layers changed where most of their variance lies; comparable across widths",
        summary=(
            "linear CKA, unbiased HSIC (Song et al. 2012), exact and without n x n matrices (0.6238); `--estimator "
            "biased` is Kornblith et al. 2019 (0.6243)"
        ),
        others=(
            "torch_cka, pytorch-cka: tokens flattened into features, another number; pytorch-cka drops the attention "
            "mask and clamps to [0, 1]. float32 elsewhere costs up to 7e-4"
        ),
        unit="similarity",
        low=-1.0,
        high=1.0,
        direction="1 = same up to rotation and scale, 0 = unrelated",
        definition=(
            "HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y)) with linear kernels over the chosen tokens, exact, from one "
            "pass. A similarity, as the literature prints it. The directions of largest variance decide."
        ),
        source="Kornblith et al. 2019; unbiased estimator: Song et al. 2012, as in Nguyen et al. 2021.",
        cost=f"One product of width x width over all tokens; {SIDE_COST}",
        same=1.0,
        symmetric=True,
        floor=1e-6,
    ),
    _measure(
        "procrustes",
        _procrustes,
        title="Procrustes distance",
        topic=CHANGE,
        why="how far a layer moved when only rotation and scale are forgiven",
        summary="2 - 2 nuclear norm of X'Y, both of unit Frobenius norm (Ding et al. 2021: 0.4368)",
        unit="distance",
        low=0.0,
        high=2.0,
        direction="0 = same up to rotation and scale, 2 = nothing in common",
        definition=(
            "2 - 2 |X'Y|_*: the squared distance between the two point clouds, centred and of unit Frobenius norm, "
            "after the best rotation (|.|_* is the sum of singular values)."
        ),
        source="Schoenemann 1966; Ding et al. 2021.",
        cost=f"As svcca, and the singular values of a width x width matrix per pair; {SIDE_COST}",
        symmetric=True,
        floor=1e-6,
    ),
    _measure(
        "shape",
        _shape,
        title="angular shape distance",
        topic=CHANGE,
        why="as procrustes, as an angle: a true metric, for clustering checkpoints",
        summary="arccos of that nuclear norm, in radians, a metric (Williams et al. 2021: 0.6736)",
        others="netrep `LinearMetric(alpha=1)`: the same",
        unit="radians",
        low=0.0,
        high=float(np.pi / 2),
        direction="0 = same up to rotation and scale, 1.57 = nothing in common",
        definition=(
            "arccos |X'Y|_* of centred point clouds of unit Frobenius norm: the angle after the best rotation. A "
            "metric (triangle inequality), so layers and checkpoints can be clustered or embedded by it."
        ),
        source="Williams et al. 2021 (generalized shape metrics, alpha = 1).",
        cost=f"As procrustes; pairs that are nearly alike need float64 products; {SIDE_COST}",
        symmetric=True,
        floor=5e-4,
    ),
)
