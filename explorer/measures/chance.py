"""Null and intervals of the linear family: X'Y of permuted examples, and sides and X'Y of resampled examples.

Null: the reference's examples are permuted and its rows paired with the checkpoint's; each side's own moments do not
change, so only X'Y is computed again. Interval: one pass gives the sums of each of 20 groups of consecutive whole
examples; a jackknife leaves out one group, a bootstrap draws groups with replacement, and each time both sides are
decomposed again. Memory is limited to the rows of one run of examples, 20 matrices at a time for the null, and 60 for
the groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.measures import moments, resampling
from explorer.measures import tokens as rows
from explorer.measures.computation import Context, Uncertainty
from explorer.measures.protocols import Corpus, Layer
from explorer.measures.sides import FAMILY, Side, side_of

NULL = (
    "the order of the reference's examples, whose rows are paired with the checkpoint's (with more than "
    f"{resampling.RUN:,} rows, only within consecutive runs of at most about so many rows)"
)
AT_ONCE = 20
"""Number of draws whose X'Y are summed in one pass."""
_Layers = tuple[Layer] | tuple[Layer, Layer]


@dataclass(frozen=True)
class _Draws:
    """X'Y of the null draws of the last computed pair."""

    key: tuple[object, ...]
    crosses: tuple[moments.Cross, ...]


@dataclass(frozen=True)
class _Groups:
    """Sums per group of the last computed layer or pair."""

    key: tuple[object, ...]
    done: moments.Pass


def permuted(
    pair: tuple[Layer, Layer],
    sides: tuple[Side, Side],
    corpus: Corpus,
    tokens: str,
    precise: bool,
    draws: int,
    context: Context,
) -> Iterator[moments.Cross]:
    """Yield X'Y for each null draw; if there are few, they are cached for the next measure of the same pair.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    place = (FAMILY, "null")
    key = (*_key(pair, corpus, tokens), precise, draws, context.trust.seed)
    last = context.kept.get(place)
    if isinstance(last, _Draws) and last.key == key:
        yield from last.crosses
        return
    for first in range(0, draws, AT_ONCE):
        context.progress("null", first / draws)
        batch = range(first, min(first + AT_ONCE, draws))
        crosses = _permuted(pair, sides, corpus, tokens, precise, batch, context)
        if draws <= AT_ONCE:
            context.kept[place] = _Draws(key, crosses)
        yield from crosses


def _permuted(
    pair: tuple[Layer, Layer],
    sides: tuple[Side, Side],
    corpus: Corpus,
    tokens: str,
    precise: bool,
    draws: range,
    context: Context,
) -> tuple[moments.Cross, ...]:
    offsets = rows.row_offsets(corpus, tokens)
    runs = resampling.example_runs(offsets)
    shift = tuple(moments.exact_in_float32(s.mean) for s in sides)
    sums = [moments.empty_sums(shift, [(0, 1)], context.device) for _ in draws]

    def finish(run: int, x: np.ndarray, y: np.ndarray) -> None:
        first, stop = int(runs[run]), int(runs[run + 1])
        orders = [resampling.shuffled_rows(offsets, first, stop, context.trust.seed, draw) for draw in draws]
        kind = moments.torch_type(precise)
        for at in range(0, len(x), moments.ROWS):
            left = moments.shifted(x[at : at + moments.ROWS], shift[0], context.device, kind)
            for total, order in zip(sums, orders, strict=True):
                right = moments.shifted(y[order[at : at + moments.ROWS]], shift[1], context.device, kind)
                moments.add(total, [left, right])

    held: list[tuple[np.ndarray, ...]] = []
    current = 0
    with moments.full_precision():
        for run, block in rows.cut(rows.blocks(pair, corpus, tokens), offsets[runs].tolist()):
            if run != current:
                finish(current, *(np.concatenate(parts) for parts in zip(*held, strict=True)))
                held, current = [], run
            held.append(block)
        finish(current, *(np.concatenate(parts) for parts in zip(*held, strict=True)))
    done = moments.Pass(tuple(sums), {}, shift, (0.0, 0.0), precise)
    return tuple(done.cross(i) for i in range(len(sums)))


def replicates(
    pair: tuple[Layer, Layer],
    corpus: Corpus,
    tokens: str,
    context: Context,
    directions: bool,
) -> Iterator[tuple[Side, Side, moments.Cross]]:
    """Yield sides and X'Y of each replicate: without one group (jackknife) or of resampled groups (bootstrap).

    Args:
        directions: whether eigenvectors are needed.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    for drawn in _resampled(pair, corpus, tokens, context):
        left, right = (side_of(drawn.side(i), context.device, directions) for i in (0, 1))
        yield left, right, drawn.cross()


def side_replicates(layer: Layer, corpus: Corpus, tokens: str, context: Context) -> Iterator[Side]:
    """Yield sides of one layer, with eigenvectors, resampled as in ``replicates``.

    Raises:
        MeasureError: some hidden states are not finite.
    """
    for drawn in _resampled((layer,), corpus, tokens, context):
        yield side_of(drawn.side(0), context.device)


def _resampled(layers: _Layers, corpus: Corpus, tokens: str, context: Context) -> Iterator[moments.Pass]:
    """Yield the sums of each replicate, from the sums per group, which are cached for the last layers."""
    place, key = (FAMILY, "groups"), _key(layers, corpus, tokens)
    last = context.kept.get(place)
    if isinstance(last, _Groups) and last.key == key:
        done = last.done
    else:
        bounds = resampling.group_bounds(rows.row_offsets(corpus, tokens))
        done = moments.stream(layers, corpus, tokens, context.device, precise=True, bounds=bounds.tolist())
        context.kept[place] = _Groups(key, done)
    weights = group_weights(done.groups, context.trust)
    for number, row in enumerate(weights):
        context.progress("interval", number / len(weights))
        yield done.weighted([float(w) for w in row])


def group_weights(groups: int, trust: Uncertainty) -> np.ndarray:
    """Return the weight of each group in each replicate, [replicates, groups]."""
    if trust.interval == "jackknife":
        return 1 - np.eye(groups, dtype=np.int64)
    return resampling.resample_counts(groups, trust.resamples, trust.seed)


def groups_and_smallest(corpus: Corpus, tokens: str, trust: Uncertainty) -> tuple[int, int]:
    """Return the number of groups, and the smallest number of different rows in a replicate."""
    sizes = np.diff(resampling.group_bounds(rows.row_offsets(corpus, tokens)))
    weights = group_weights(len(sizes), trust)
    return len(sizes), int(((weights > 0) @ sizes).min()) if len(weights) else 0


def interval(values: np.ndarray, estimate: float, trust: Uncertainty) -> tuple[float, float]:
    """Return the interval around the estimate from the values of the replicates.

    Bootstrap values are shifted so that their mean is the estimate: rows drawn twice correlate more directions by
    chance, which shifts all values without any meaning for the estimate.
    """
    if trust.interval == "jackknife":
        return resampling.jackknife_interval(estimate, values, trust.level)
    return resampling.percentile_interval(values - values.mean() + estimate, trust.level)


def _key(layers: _Layers, corpus: Corpus, tokens: str) -> tuple[object, ...]:
    offsets = rows.row_offsets(corpus, tokens)
    digest = rows.rows_digest(corpus, tokens)
    return (*(layer.identity for layer in layers), tokens, digest, hash(offsets.tobytes()))
