"""Do curves, surfaces and barriers meet closed forms, and say what cannot be drawn?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from explorer.measures.barrier import barrier
from explorer.measures.computation import Context, Given, MeasureError, Uncertainty
from explorer.measures.declaration import At, Scope
from explorer.measures.landscapes.weights import random_direction
from explorer.measures.registry import get
from tests.explorer.measures.landscapes.analytic import EXAMPLES, AnalyticModel, MemoryWeights, Run, bowl, labelled

Loss = Callable[[np.ndarray], np.ndarray]
ORIGIN, ONE, OTHER = (MemoryWeights.random(seed) for seed in (0, 1, 2))


def on(loss: Loss, **sides: MemoryWeights | tuple[MemoryWeights, ...]) -> Callable[[At], Given]:
    corpus, labels = labelled()
    own = sides.get("checkpoint", ONE)
    assert isinstance(own, MemoryWeights)
    model = AnalyticModel(own, loss)
    operands = {role: {"weights": weights} for role, weights in sides.items()}
    operands["checkpoint"] = {"weights": own, "model": model}  # type: ignore[dict-item]
    steps = {"path": tuple(range(0, 10 * len(sides["path"]), 10))} if "path" in sides else {}  # type: ignore[arg-type]
    return lambda at: Given(corpus, operands, labels, at=at, steps=steps)


def mean(loss: Loss, weights: np.ndarray) -> float:
    return float(loss(weights).mean())


def test_a_curve_through_a_bowl_is_a_parabola() -> None:
    loss = bowl(ONE.flat())
    run = Run(get("loss-curve"), on(loss, checkpoint=ONE, reference=ORIGIN), {"grid": 9})
    run.all()
    found = run.of("loss")
    assert len(found) == 9
    for (alpha,), value in found.items():
        exact = mean(loss, (1 - alpha) * ORIGIN.flat() + alpha * ONE.flat())
        assert value == pytest.approx(exact, rel=1e-5)
    details = run.values[At(more=(("alpha", 0.5),))][0].details
    assert details["distance"] == pytest.approx(np.linalg.norm(ONE.flat() - ORIGIN.flat()))
    assert details["examples"] == EXAMPLES
    losses = loss(0.5 * ORIGIN.flat() + 0.5 * ONE.flat())
    assert details["se"] == pytest.approx(losses.std(ddof=1) / EXAMPLES**0.5, rel=1e-4)


@pytest.mark.parametrize("chosen", [{}, {"grid": 4, "range": "-0.3,1.2"}, {"grid": 3, "range": "2,3"}])
def test_a_curve_has_its_ends_and_middle_whatever_the_grid(chosen: dict[str, object]) -> None:
    measure = get("loss-curve")
    assert measure.cells is not None
    first = [float(at.more[0][1]) for at in measure.cells(Scope(dict(measure.settle(chosen)), (2,)), {})]
    assert {0.0, 0.5, 1.0} < set(first)
    assert first == sorted(first)
    if not chosen:
        assert (first[0], first[-1]) == (-0.5, 1.5)


def test_a_surface_over_a_bowl_is_a_paraboloid() -> None:
    loss = bowl(0.5 * (ONE.flat() + OTHER.flat()))
    run = Run(
        get("loss-surface"), on(loss, checkpoint=ONE, reference=OTHER, origin=ORIGIN), {"grid": 9, "range": "-1,2"}
    )
    run.all()
    first, second = ONE.flat() - ORIGIN.flat(), OTHER.flat() - ORIGIN.flat()
    scaled = second * np.linalg.norm(first) / np.linalg.norm(second)
    for (beta, alpha), value in run.of("loss").items():
        assert value == pytest.approx(mean(loss, ORIGIN.flat() + alpha * first + beta * scaled), rel=1e-5)
    plane = run.values[At()][0]
    assert plane.value == pytest.approx(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
    assert plane.details["scale"] == pytest.approx(np.linalg.norm(first) / np.linalg.norm(second))


def test_corners_of_a_surface_set_the_checkpoints_weights_bit_for_bit() -> None:
    given = on(bowl(ONE.flat()), checkpoint=ONE, reference=OTHER, origin=ORIGIN)
    run = Run(get("loss-surface"), given, {"grid": 5})
    run.all()
    seen = given(At()).operands["checkpoint"]["model"].seen  # type: ignore[attr-defined]
    points = [at.more for at in run.values if at.more]
    for point, side in (((0.0, 0.0), ORIGIN), ((1.0, 0.0), ONE)):
        values = seen[points.index((("beta", point[1]), ("alpha", point[0])))]
        assert all(np.array_equal(value, side.arrays[name]) for name, value in values.items())


def test_random_directions_end_where_the_loss_has_doubled() -> None:
    loss = bowl(ONE.flat())
    run = Run(get("loss-surface-random"), on(loss, checkpoint=ONE), {"grid": 9})
    run.all()
    found = run.of("loss")
    radius = max(alpha for _, alpha in found)
    least = found[0.0, 0.0]
    assert least == pytest.approx(0.3, rel=1e-5)
    assert least is not None
    ring = [(radius, 0.0), (-radius, 0.0), (0.0, radius), (0.0, -radius)]
    assert any((found[p] or 0) >= 2 * least for p in ring)
    assert all((found[x / 2, y / 2] or 0) < 2 * least for x, y in ring)
    again = Run(get("loss-surface-random"), on(loss, checkpoint=ONE), {"grid": 9})
    again.all()
    assert again.of("loss") == found
    other = Run(get("loss-surface-random"), on(loss, checkpoint=ONE), {"grid": 9, "draw": 1, "range": f"0,{radius}"})
    other.all()
    assert other.of("loss")[0.0, radius] != found[0.0, radius]


def test_a_random_surface_is_that_of_its_two_directions_and_says_their_cosine() -> None:
    loss = bowl(ORIGIN.flat())
    run = Run(get("loss-surface-random"), on(loss, checkpoint=ONE), {"grid": 5, "range": "-1,1", "draw": 3})
    run.all()
    names = [name for name, value in ONE.arrays.items() if value.ndim > 1]  # biases stay
    zeros = {name: np.zeros_like(value) for name, value in ONE.arrays.items()}
    first, second = (
        replace(ONE, arrays={**zeros, **random_direction(names, ONE.tensor, 3, number)}).flat() for number in (0, 1)
    )
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    assert run.values[At()][0].value == pytest.approx(cosine, abs=1e-6)
    found = run.of("loss")
    assert len(found) == 25
    for (beta, alpha), value in found.items():
        assert value == pytest.approx(mean(loss, ONE.flat() + alpha * first + beta * second), rel=1e-5)


def path(many: int) -> tuple[MemoryWeights, ...]:
    """Checkpoints on a bent line from the origin to ONE."""
    found = []
    for i in range(many):
        along, away = i / (many - 1), 0.3 * np.sin(np.pi * i / (many - 1))
        arrays = {
            n: ((1 - along) * ORIGIN.arrays[n] + along * ONE.arrays[n] + away * OTHER.arrays[n]).astype(np.float32)
            for n in ONE.arrays
        }
        found.append(MemoryWeights(arrays, f"path {i}"))
    return (*found[:-1], ONE)


def test_a_surface_along_a_path_holds_it_and_gives_its_coordinates() -> None:
    members = path(5)
    loss = bowl(ONE.flat())
    run = Run(get("loss-surface-pca"), on(loss, checkpoint=ONE, path=members), {"grid": 9})
    run.all()
    named = {(v.statistic, dict(v.axes).get("point")): v for v in run.values[At()]}
    away = np.stack([m.flat() for m in members]) - ONE.flat()
    unit = np.linalg.norm(away[0])
    for i, one in enumerate(away):
        here = named["alpha", 10 * i].value, named["beta", 10 * i].value
        assert named["distance", 10 * i].value == pytest.approx(np.linalg.norm(one) / unit)
        assert np.hypot(*here) == pytest.approx(np.linalg.norm(one) / unit, abs=1e-6)  # two dimensions hold it all
    assert named["variance", None].value == pytest.approx(1)
    assert named["alpha", 0].value < 0  # type: ignore[operator]
    assert [named["alpha", 40].value, named["beta", 40].value] == pytest.approx([0, 0])
    found = run.of("loss")
    assert found[0.0, 0.0] == pytest.approx(0.3, rel=1e-5)
    alphas = {alpha for _, alpha in found}
    assert min(alphas) < named["alpha", 0].value  # type: ignore[operator]
    # Both directions are orthogonal and as long as the path's displacement.
    slopes = np.linspace(0.01, 0.05, EXAMPLES).mean()
    for (beta, alpha), value in found.items():
        assert value == pytest.approx(0.3 + slopes * unit**2 * (alpha**2 + beta**2), rel=1e-4)


def test_two_checkpoints_span_no_plane() -> None:
    run = Run(get("loss-surface-pca"), on(bowl(ONE.flat()), checkpoint=ONE, path=(ORIGIN, ONE)), {})
    with pytest.raises(MeasureError, match="The 2 checkpoints of the run span no plane"):
        run.all()


def heights(*points: tuple[float, float]) -> Loss:
    """Return a loss with these values at these shares of the way from ORIGIN to ONE."""
    across = ONE.flat() - ORIGIN.flat()
    x, y = zip(*points, strict=True)

    def loss(weights: np.ndarray) -> np.ndarray:
        along = float((weights - ORIGIN.flat()) @ across / (across @ across))
        return np.full(EXAMPLES, np.interp(along, x, y)) + np.linspace(-0.01, 0.01, EXAMPLES)

    return loss


def barrier_of(loss: Loss, trust: Uncertainty = Uncertainty(), **parameters: object) -> Run:  # noqa: B008 (frozen)
    run = Run(get("barrier"), on(loss, checkpoint=ONE, reference=ORIGIN), parameters, context=Context(trust=trust))
    run.all()
    return run


def test_a_barrier_by_its_three_definitions() -> None:
    run = barrier_of(heights((0, 1), (0.5, 1.5), (0.75, 3), (1, 2)), Uncertainty(interval="bootstrap"))
    found = {value.statistic: value for value in run.values[At()]}
    assert found["barrier"].value == pytest.approx(1.25, abs=1e-5)
    assert found["barrier-over-mean"].value == pytest.approx(1.5, abs=1e-5)
    assert found["barrier-over-larger"].value == pytest.approx(1.0, abs=1e-5)
    assert found["barrier"].details["alpha"] == 0.75
    assert found["barrier"].details["sign"] == "barrier"
    low, high = found["barrier"].interval or (0, 0)
    assert low <= 1.25 + 1e-6
    assert high >= 1.25 - 1e-6


def test_a_clear_valley_needs_three_points() -> None:
    run = barrier_of(heights((0, 1), (0.5, 0.4), (1, 1)))
    assert run.rounds == [2, 1, 1]
    found = run.values[At()][0]
    assert (found.value, found.details["sign"]) == (0.0, "none")


def test_more_points_come_only_while_the_sign_is_open() -> None:
    slopes = np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
    across = ONE.flat() - ORIGIN.flat()

    def loss(weights: np.ndarray) -> np.ndarray:
        along = float((weights - ORIGIN.flat()) @ across / (across @ across))
        return 1 + 0.2 * slopes * along * (1 - along)  # examples disagree: the mean does not move

    run = barrier_of(loss)
    assert run.rounds == [2, 1, 2, 4, 1]
    details = run.values[At()][0].details
    assert details["sign"] == "open"
    alpha = float(str(details["alpha"]))
    assert details["noise"] == pytest.approx(0.2 * alpha * (1 - alpha) / EXAMPLES**0.5, rel=0.1)


def test_a_single_example_never_says_that_there_is_a_barrier() -> None:
    run = barrier_of(heights((0, 1), (0.5, 9), (1, 1)), examples="1")
    found = run.values[At()][0]
    assert found.value == pytest.approx(8, abs=1e-4)
    assert (found.details["sign"], found.details["noise"]) == ("open", None)


def test_a_loss_that_is_no_number_is_a_reason() -> None:
    def loss(weights: np.ndarray) -> np.ndarray:
        return np.full(EXAMPLES, np.nan if np.allclose(weights, ORIGIN.flat()) else 1.0)

    run = barrier_of(loss)
    found = run.values[At()][0]
    assert found.value is None
    assert "not a finite number" in found.reason


def test_a_barrier_to_another_task_moves_the_encoder_and_keeps_the_classifier() -> None:
    loss = bowl(ONE.flat())
    other = replace(OTHER, classes=("DET", "NOUN"))
    run = Run(get("barrier"), on(loss, checkpoint=ONE, reference=other), {})
    run.all()
    kept = replace(other, arrays={**other.arrays, "classifier.weight": ONE.arrays["classifier.weight"]})
    found = run.of("loss")
    for (alpha,), value in found.items():
        exact = mean(loss, (1 - alpha) * kept.flat() + alpha * ONE.flat())
        assert value == pytest.approx(exact, rel=1e-5)
    for cell in (At(more=(("alpha", 0.5),)), At()):
        assert run.values[cell][0].details["stays"] == ["classifier: that of the reference has other classes"]


def surface(reference: MemoryWeights) -> Run:
    sides = on(bowl(ONE.flat()), checkpoint=ONE, reference=reference, origin=ORIGIN)
    return Run(get("loss-surface"), sides, {})


def test_equal_checkpoints_and_parallel_directions_are_refused() -> None:
    same = replace(ONE, identity="same")
    for name in ("loss-curve", "barrier"):
        with pytest.raises(MeasureError, match="same weights"):
            Run(get(name), on(bowl(ONE.flat()), checkpoint=ONE, reference=same), {}).all()
    run = surface(replace(ORIGIN, identity="again"))
    with pytest.raises(MeasureError, match="reference has the same weights as the origin"):
        run.all()
    further = {n: (ORIGIN.arrays[n] + 2 * (ONE.arrays[n] - ORIGIN.arrays[n])).astype(np.float32) for n in ONE.arrays}
    run = surface(MemoryWeights(further, "further"))
    with pytest.raises(MeasureError, match=r"parallel \(cosine 1\.0"):
        run.all()


def test_a_point_reads_no_pooler_that_the_classifier_does_not_use() -> None:
    given = on(bowl(ONE.flat()), checkpoint=ONE, reference=ORIGIN)
    model = given(At()).operands["checkpoint"]["model"]
    model.pooler = False  # type: ignore[attr-defined]
    point = given(At(more=(("alpha", 0.5),)))
    barrier(replace(point, known={}), dict(get("barrier").settle({})), Context())
    assert "pooler.weight" not in model.seen[0]  # type: ignore[attr-defined]
    assert "classifier.weight" in model.seen[0]  # type: ignore[attr-defined]


def test_a_trajectory_is_on_the_plane_of_the_surface() -> None:
    members = path(4)
    others = tuple(
        MemoryWeights(
            {n: ((1 - t) * ORIGIN.arrays[n] + t * OTHER.arrays[n]).astype(np.float32) for n in ONE.arrays}, f"other {t}"
        )
        for t in (0.0, 0.5)
    )
    others = (*others, OTHER)
    operands = {
        "path": {"weights": members},
        "reference-path": {"weights": others},
        "origin": {"weights": ORIGIN},
    }
    given = Given(None, operands, steps={"path": (0, 10, 20, 30), "reference-path": (0, 5, 10)})
    measure = get("trajectory")
    values = measure.compute(given, dict(measure.settle({})), Context())
    named = {(v.statistic, dict(v.axes).get("side"), dict(v.axes).get("point")): v for v in values}
    first, second = ONE.flat() - ORIGIN.flat(), OTHER.flat() - ORIGIN.flat()
    plane = np.stack([first, second * np.linalg.norm(first) / np.linalg.norm(second)])
    for side, run, steps in (("checkpoint", members, (0, 10, 20, 30)), ("reference", others, (0, 5, 10))):
        for one, step in zip(run, steps, strict=True):
            away = one.flat() - ORIGIN.flat()
            exact = np.linalg.lstsq(plane.T, away, rcond=None)[0]
            here = [named[axis, side, step].value for axis in ("alpha", "beta")]
            assert here == pytest.approx(exact.tolist(), abs=1e-6)
            assert named["distance", side, step].value == pytest.approx(np.linalg.norm(away) / np.linalg.norm(first))
    assert named["share", "reference", 5].value == pytest.approx(1)
    assert ("share", "checkpoint", 0) not in named
    assert named["tortuosity", "reference", None].value == pytest.approx(1)
    travelled = np.cumsum([np.linalg.norm(a.flat() - b.flat()) for a, b in pairwise(members)]) / np.linalg.norm(first)
    for step, length in zip((10, 20, 30), travelled, strict=True):
        assert named["length", "checkpoint", step].value == pytest.approx(length)
    assert named["length", "checkpoint", None].value == pytest.approx(travelled[-1])
    same = replace(
        given,
        operands={**operands, "reference-path": {"weights": members}},
        steps={"path": (0, 10, 20, 30), "reference-path": (0, 10, 20, 30)},
    )
    alone = measure.compute(same, dict(measure.settle({})), Context())
    (refused,) = (v for v in alone if v.value is None)
    assert (refused.statistic, refused.axes) == ("share", ())
    assert refused.reason == "The two directions are parallel (cosine 1.000000): they span no plane."
    assert not {"alpha", "beta"} & {v.statistic for v in alone}
    lengths = {
        dict(v.axes).get("point"): v.value for v in alone if v.statistic == "length" and v.axes[0][1] == "reference"
    }
    assert lengths[30] == lengths[None] == pytest.approx(travelled[-1])
    paper = measure.compute(given, dict(measure.settle({"projection": "paper"})), Context())
    assert all((v.value or 0) >= 0 for v in paper if v.statistic == "beta")
