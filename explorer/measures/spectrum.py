"""Compute measures of the spectrum of one layer's hidden states; the common part of three measures.

The spectrum is the eigenvalues l of the centred covariance, largest first (up to the factor n, which does not change
the measures here). They come from the layer's side in the linear family (sides.py), which is cached in memory and on
disk: after svcca, or another measure here, no row of the layer is read. Directions that rounding of the stored dtype
alone could produce are left out, as in cca.

For p = l / sum l the three measures are numbers of one family (Hill 1973), each at most the next:
1 / anisotropy <= participation ratio <= effective rank of eigenvalues <= that of singular values <= directions.

This module and those of the measures import numpy only where something is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from explorer.measures.base import Parameter
from explorer.measures.computation import Context, Value
from explorer.measures.protocols import Corpus, Layer

if TYPE_CHECKING:
    import numpy as np

TOKENS = Parameter(
    "tokens",
    "all",
    "rows used: all = every token with the special ones, content = without special tokens, "
    "cls = first token of each example, words = mean of each word's sub-words",
    choices=("all", "content", "cls", "words"),
)
KEPT = (
    "Only directions count whose eigenvalue is above 1e-10 of the largest and above 4 times the variance that rounding "
    "to the stored dtype adds."
)
COST = (
    "One float64 product of width x width over all tokens and its eigendecomposition, computed once and cached in the "
    "store; svcca and similar measures share it."
)
SAME_SIZE = (
    "An interval tells how much the value varies with the choice of as many examples; it does not include the effect "
    "of more tokens."
)
NO_NULL = "one checkpoint's spectrum is the same whichever examples are permuted"
PER_DIRECTION = 10
"""Number of tokens per direction that counts, below which the value has a warning. With so many, and 2 per dimension,
the effective rank of a Gaussian with a spectrum like BERT's is up to 5 % too small (measured), the others less."""


Unit = Literal["dimensions", "share"]
"""Kind of number: a count of directions, from 1 to the width, or the inverse of such a count."""


def value_of(
    layer: Layer,
    corpus: Corpus,
    parameters: Mapping[str, object],
    context: Context,
    formula: Callable[[np.ndarray], float],
    unit: Unit,
) -> list[Value]:
    """Return the value of a layer's spectrum, with its interval if one is requested.

    Args:
        parameters: ``tokens`` selects the rows.
        formula: function of the kept eigenvalues: float64 [k], k >= 1, descending, all above 0.
        unit: kind of number, which decides the direction of the bias with few tokens.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    from explorer.measures import scores, sides
    from explorer.measures import tokens as rows

    tokens = str(parameters["tokens"])
    n, width = rows.count(corpus, tokens), layer.width
    details: dict[str, object] = {"width": width, "n_over_d": round(n / width, 4)}
    if context.trust.null:
        details["no_null"] = NO_NULL
    if n < 2:
        return [Value(None, n, details=details, reason=f"too few tokens: {n}; a spectrum needs 2")]

    side = sides.side_alone(layer, corpus, tokens, context)
    kept = sides.directions(side, "all")
    details |= {"k": kept.k, "eigenvalue_cut": sides.CUT}
    if side.constant:
        details["constant_features"] = side.constant
    if not kept.k:
        reason = "the hidden states vary only by rounding" if side.varies else scores.STILL
        return [Value(None, n, details=details, reason=reason)]
    number = formula(kept.w)
    value = Value(number, n, details=details, reason=_warning(n, width, number, unit))
    return [_with_interval(value, layer, corpus, tokens, context, formula, unit)]


def _warning(n: int, width: int, number: float, unit: Unit) -> str:
    count, bias = (number, "too small") if unit == "dimensions" else (1 / number, "too large")
    if n <= width:
        return (
            f"few tokens: {n} for a width of {width} (wanted: 2 per dimension); they differ in at most {n - 1} "
            f"directions, and the value is {bias}"
        )
    if n >= 2 * width and n >= PER_DIRECTION * count:
        return ""
    return (
        f"few tokens: {n} for a width of {width} and about {count:.0f} directions that count (wanted: {PER_DIRECTION} "
        f"tokens per direction and 2 per dimension); the value is {bias}"
    )


def _with_interval(
    value: Value,
    layer: Layer,
    corpus: Corpus,
    tokens: str,
    context: Context,
    formula: Callable[[np.ndarray], float],
    unit: Unit,
) -> Value:
    """Add the interval over groups of whole examples to a value, if one is requested."""
    trust = context.trust
    if not trust.interval:
        return value
    import numpy as np

    from explorer.measures import chance, sides

    def without(why: str) -> Value:
        return replace(value, details={**value.details, "no_interval": why})

    groups, smallest = chance.groups_and_smallest(corpus, tokens, trust)
    if groups < 2:
        return without("one example cannot be resampled")
    if smallest <= layer.width:
        return without(f"too few tokens: a resample may have only {smallest} different ones")
    drawn = []
    for side in chance.side_replicates(layer, corpus, tokens, context):
        kept = sides.directions(side, "all")
        if not kept.k:
            return without("a resample has no value: its hidden states do not vary")
        drawn.append(formula(kept.w))
    assert value.value is not None
    low, high = chance.interval(np.array(drawn), value.value, trust)
    least, most = (1.0, float(layer.width)) if unit == "dimensions" else (1 / layer.width, 1.0)
    details: dict[str, object] = {**value.details, "interval_groups": groups}
    if trust.interval == "bootstrap":
        details["bootstrap_bias"] = float(np.mean(drawn) - value.value)
    return replace(value, interval=(max(low, least), min(high, most)), details=details)
