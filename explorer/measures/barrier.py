"""Barrier: how much the loss rises on the straight line between two solutions.

For the losses f(alpha) on the line from the reference (alpha 0) to the checkpoint (alpha 1):

    barrier               max over alpha of f(alpha) - ((1 - alpha) f(0) + alpha f(1)), at least 0
    barrier-over-mean     max over alpha of f(alpha) - (f(0) + f(1)) / 2
    barrier-over-larger   max over alpha of f(alpha) - max(f(0), f(1))
    convexity-gap         the barrier's largest value on any part of the line between two evaluated points

The ends are evaluated first, then alpha 1/2; further points follow only where the sign of the barrier is open.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from explorer.measures.base import Measure
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import COMPARED, LABELS, LANDSCAPE, At, Known, Scope, model, weights
from explorer.measures.landscapes.connectivity import BARRIER as BARRIER_SIGN
from explorer.measures.landscapes.connectivity import NONE, OPEN, convexity_gap
from explorer.measures.landscapes.grids import at
from explorer.measures.loss_curve import ALPHA, EVALUATION, PARAMETERS, line_between, on_line
from explorer.measures.outcomes import LOSS, point_values
from explorer.measures.resampling import percentile_interval, resample_counts

BARRIER, OVER_MEAN, OVER_LARGER = "barrier", "barrier-over-mean", "barrier-over-larger"
CONVEXITY_GAP = "convexity-gap"
EXCESS, NOISE = "excess", "noise"
"""Statistics of a point: its loss over the chord, and the standard error of that."""
ENDS = (0.0, 1.0)
LEVELS = ((0.5,), (0.25, 0.75), (0.125, 0.375, 0.625, 0.875))
"""Points between the ends, level by level."""
CLEAR = 2.0
"""Multiple of the standard error at which the sign of an excess counts as known."""
_RESAMPLES, _SEED = 1000, 0
_ONE = "a single example has no noise level"
_NOT_FINITE = "the loss at a point of the line is not a finite number"


def cells(scope: Scope, known: Mapping[At, tuple[Known, ...]]) -> Iterator[At]:
    """Propose the ends, then points between them as long as they are needed, then the barrier itself.

    The middle is always evaluated; the quarters if the loss there is not clearly below the chord; the eighths if, then,
    no point is clearly above the chord and some point is not clearly below it.
    """
    ends = [at(ALPHA.name, alpha) for alpha in ENDS]
    yield from ends
    if not all(end in known for end in ends):
        return
    above: list[tuple[float, float]] = []
    for number, level in enumerate(LEVELS):
        if number and not _open(above, number == 1):
            break
        points = [at(ALPHA.name, alpha) for alpha in level]
        yield from points
        if not all(point in known for point in points):
            return
        above += [_excess(known[point]) for point in points]
    yield At()


def _open(above: Sequence[tuple[float, float]], height: bool) -> bool:
    """Whether more points are needed to know the sign of a barrier or, with ``height``, how high it is.

    Args:
        above: excess and its standard error at each point.
    """
    if any(not math.isfinite(excess) for excess, _ in above):
        return False
    if any(excess > CLEAR * noise for excess, noise in above):
        return height
    return not all(excess < -CLEAR * noise for excess, noise in above)


def _excess(found: Sequence[Known]) -> tuple[float, float]:
    named = {one.statistic: one.value for one in found}
    excess, noise = named.get(EXCESS), named.get(NOISE)
    return math.nan if excess is None else excess, math.inf if noise is None else noise


def barrier(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return loss, error and excess over the chord at one point; without a point, the barrier.

    Raises:
        MeasureError: as ``loss_curve.on_line``.
    """
    if not given.at.more:
        return _summary(given, parameters, context)
    alpha, found, details = on_line(given, parameters, context)
    points = point_values(found, context.trust, details, keep=True)
    if alpha in ENDS:
        return points
    lines = [_sums(given, end) for end in ENDS]
    if lines[0] is None or lines[1] is None or not np.isfinite(found.loss).all():
        return [*points, Value(None, len(found.true), EXCESS, reason=_NOT_FINITE)]
    example = np.unique(found.example, return_inverse=True)[1]
    here = np.stack([np.bincount(example), np.bincount(example, found.loss)], 1)
    over = _over_chord(np.stack([lines[0], here, lines[1]]), alpha)
    n, noise = len(found.true), _noise(over, len(here))
    reason = "" if math.isfinite(noise) else _ONE
    known = Value(noise if math.isfinite(noise) else None, n, NOISE, reason=reason)
    return [*points, Value(float(over(np.ones(len(here)))), n, EXCESS), known]


def _sums(given: Given, alpha: float) -> np.ndarray | None:
    """Return the number of rows and the sum of losses of each example at a finished point, float64 [E, 2]; None where
    the loss is not a finite number."""
    stored = next((one for one in given.known.get(at(ALPHA.name, alpha), ()) if one.statistic == LOSS), None)
    if stored is None or stored.value is None:
        return None
    arrays = given.artefact(stored.artefact)
    example = np.unique(arrays["example"], return_inverse=True)[1]
    return np.stack([np.bincount(example), np.bincount(example, arrays["loss"])], 1)


def _noise(over: _over_chord, examples: int) -> float:
    """Return the standard deviation of an excess over resampled examples; infinite for a single example."""
    if examples < 2:
        return math.inf
    return float(np.std(over(resample_counts(examples, _RESAMPLES, _SEED)), ddof=1))


class _over_chord:  # noqa: N801 (used as a function)
    """The loss at a point over the chord of the ends, for any weights of the examples."""

    def __init__(self, sums: np.ndarray, alpha: float) -> None:
        """
        Args:
            sums: rows and losses of each example at alpha 0, at the point and at alpha 1, [3, E, 2].
        """
        self._sums, self._alpha = sums, alpha

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Return the excess for weights of the examples, [..., E]."""
        rows, total = np.moveaxis(np.tensordot(weights, self._sums, (-1, 1)), -1, 0)
        start, here, end = np.moveaxis(total / rows, -1, 0)
        return np.asarray(here - (1 - self._alpha) * start - self._alpha * end)


def _summary(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the barrier by its three definitions, with its noise level, and the convexity gap."""
    alphas = sorted(float(dict(point.more)[ALPHA.name]) for point in given.known if point.more)
    stored = {alpha: _sums(given, alpha) for alpha in alphas}
    sums = {alpha: each for alpha, each in stored.items() if each is not None}
    if len(sums) < len(stored):
        return [Value(None, 0, BARRIER, reason=_NOT_FINITE)]
    losses = {alpha: float(each[:, 1].sum() / each[:, 0].sum()) for alpha, each in sums.items()}
    ends = [losses[alpha] for alpha in ENDS]
    over = {alpha: losses[alpha] - (1 - alpha) * ends[0] - alpha * ends[1] for alpha in alphas if alpha not in ENDS}
    highest = max(over, key=lambda alpha: over[alpha])
    line, examples = _over_chord(np.stack([sums[0.0], sums[highest], sums[1.0]]), highest), len(sums[0.0])
    noise = _noise(line, examples)
    clear = over[highest] > CLEAR * noise
    sign = BARRIER_SIGN if clear else NONE if over[highest] < -CLEAR * noise else OPEN
    told = noise if math.isfinite(noise) else None
    stays = line_between(given, parameters, context)[0].stays
    details = {
        "alpha": highest, "noise": told, "sign": sign, "points": len(alphas), "losses": ends, "stays": list(stays)
    }  # fmt: skip
    interval = None
    if context.trust.interval and examples > 1:
        trust = context.trust
        low, high = percentile_interval(line(resample_counts(examples, trust.resamples, trust.seed)), trust.level)
        interval = max(0.0, low), max(0.0, high)
    n, top = int(sums[0.0][:, 0].sum()), max(losses.values())
    return [
        Value(max(0.0, over[highest]), n, BARRIER, interval=interval, details=details),
        Value(top - sum(ends) / 2, n, OVER_MEAN),
        Value(top - max(ends), n, OVER_LARGER),
        Value(convexity_gap(alphas, [losses[alpha] for alpha in alphas]), n, CONVEXITY_GAP),
    ]


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="barrier",
        title="Loss barrier",
        topic=LANDSCAPE,
        why="whether two seeds found the same valley",
        inputs=(*model(COMPARED[0]), *weights(*COMPARED), LABELS),
        operands=COMPARED,
        axes=(ALPHA,),
        unit="nats",
        low=0.0,
        high=math.inf,
        direction="0 = no barrier on the straight line: both solutions lie in one basin",
        definition=(
            "Largest rise of the mean cross-entropy over the chord between its values at the ends, on the straight "
            "line from the reference (alpha 0) to the checkpoint (alpha 1), at least 0. Further statistics: the "
            "largest loss over the mean of the ends, and over the larger end; the convexity gap, the largest rise over "
            "a chord between any two evaluated points, which is the distance for clusters of seeds; at each point "
            "loss, error, excess over the chord, and its noise: the standard deviation over resampled examples, all "
            "points together. The middle comes first, then quarters unless the middle is clearly (two noise levels) "
            "below the chord, then eighths where the sign is still open; the details say which it is: barrier, none or "
            "open. "
            f"{EVALUATION}"
        ),
        source=(
            "Frankle et al. 2020 (chord), Ainsworth et al. 2023 (over the mean), nngeom (over the larger end); "
            "Juneja et al. 2023 (convexity gap)."
        ),
        cost="3 to 9 passes of the model over the sample per pair.",
        counts="labels",
        compute=barrier,
        summary=(
            "rise of the loss on the straight line between two solutions, by default two seeds of a task, over the "
            "chord (also over the mean of the ends, and over the larger), with a noise level: do they lie in one "
            "basin? Runs the model from the checkpoint's folder"
        ),
        others="nngeom takes the larger end, git-re-basin the mean; none has a noise level",
        parameters=PARAMETERS,
        version=2,
        default_reference="seeds",
        preposition="to",
        main=BARRIER,
        clusters=CONVEXITY_GAP,
        symmetric=True,
        intervals=("bootstrap",),
        slow=True,
        final=True,
        cells=cells,
    ),
)
