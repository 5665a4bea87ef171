"""How the variance of one layer's hidden states is spread over directions: what the measures of a spectrum share.

The spectrum is the eigenvalues l of the centred covariance (up to the factor n, which no measure here sees), largest
first. They are those of the layer's side in the linear family (sides.py): kept in the process and on the shelf, so
that after svcca, or another measure here, no row of the layer is read. Directions that the rounding of the stored
dtype could make alone are left out, as cca leaves them out.

For p = l / sum l the three measures are numbers of one family (Hill 1973), each at most the next:
1 / anisotropy <= participation ratio <= effective rank of eigenvalues <= that of singular values <= directions.

This module and those of the measures import numpy only where something is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from explorer.measures.base import Context, Parameter, Value
from explorer.measures.protocols import Corpus, Layer

if TYPE_CHECKING:
    import numpy as np

TOKENS = Parameter(
    "tokens",
    "all",
    "rows looked at: all = every token with the special ones, content = without special tokens, "
    "cls = first token of each example, words = mean of each word's sub-words",
    choices=("all", "content", "cls", "words"),
)
KEPT = (
    "Directions count whose eigenvalue is above 1e-10 of the largest and above 4 times what rounding to the stored "
    "dtype gives it."
)
COST = (
    "One float64 product of width x width over all tokens and its eigendecomposition, found once and kept in the "
    "store; svcca and its kin use the same, and what they kept is not made again."
)
SAME_SIZE = (
    "An interval says how far the value moves with other examples, as many as these; it does not hold what more tokens "
    "would change."
)
NO_NULL = "one checkpoint's spectrum is the same whichever examples are permuted"
PER_DIRECTION = 10
"""Tokens for each direction that counts; with fewer the value carries a warning. With so many, and 2 a dimension, the
effective rank of a Gaussian with a spectrum like BERT's comes out up to 5 % too small (measured), the others less."""


Unit = Literal["dimensions", "share"]
"""What a number read off a spectrum is: a count of directions, from 1 to the width, or one over such a count."""


def value_of(
    layer: Layer,
    corpus: Corpus,
    parameters: Mapping[str, object],
    context: Context,
    formula: Callable[[np.ndarray], float],
    unit: Unit,
) -> list[Value]:
    """Return the one value of a layer's spectrum, with its interval where one was asked for.

    Args:
        parameters: ``tokens`` chooses the rows.
        formula: the number, from the eigenvalues kept: float64 [k], k >= 1, falling, all above 0.
        unit: what the number is; it says what few tokens do to it.

    Raises:
        MeasureError: hidden states that are not finite.
    """
    from explorer.measures import scores, sides
    from explorer.measures import tokens as rows

    tokens = str(parameters["tokens"])
    n, width = rows.count(corpus, tokens), layer.width
    details: dict[str, object] = {"width": width, "n_over_d": round(n / width, 4)}
    if context.trust.null:
        details["no_null"] = NO_NULL
    if n < 2:
        return [Value(None, n, details=details, reason=f"too few tokens: {n}; a spectrum takes 2")]

    side = sides.side_alone(layer, corpus, tokens, context)
    kept = sides.directions(side, "all")
    details |= {"k": kept.k, "eigenvalue_cut": sides.CUT}
    if side.constant:
        details["constant_features"] = side.constant
    if not kept.k:
        reason = "the hidden states vary no more than rounding does" if side.varies else scores.STILL
        return [Value(None, n, details=details, reason=reason)]
    number = formula(kept.w)
    value = Value(number, n, details=details, reason=_warning(n, width, number, unit))
    return [_with_interval(value, layer, corpus, tokens, context, formula, unit)]


def _warning(n: int, width: int, number: float, unit: Unit) -> str:
    count, bias = (number, "too small") if unit == "dimensions" else (1 / number, "too large")
    if n <= width:
        return (
            f"few tokens: {n} for a width of {width} (wanted: 2 a dimension); they differ in at most {n - 1} "
            f"directions, and the value comes out {bias}"
        )
    if n >= 2 * width and n >= PER_DIRECTION * count:
        return ""
    return (
        f"few tokens: {n} for a width of {width} and about {count:.0f} directions that count (wanted: {PER_DIRECTION} "
        f"tokens a direction and 2 a dimension); the value comes out {bias}"
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
    """The value with its interval over groups of whole examples, where one was asked for."""
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
        return without(f"too few tokens: a resample may hold only {smallest} different ones")
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
