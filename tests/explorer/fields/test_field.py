"""Fields: values along named axes, against plain loops over the same rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.coordinates import SEED, STEP
from explorer.answers.look import Look
from explorer.answers.rows import choose_rows
from explorer.answers.training import NONE
from explorer.fields.field import Field, FieldAxis, plain_field, stacked
from explorer.fields.placing import field_along
from explorer.measures.declaration import LAYER, Axis
from explorer.render.palette import Depth, palette
from explorer.views.base import Cursor
from explorer.views.kinds import VIEWS
from tests.explorer.views.samples import DISTANCE, rows

VALUES = st.lists(st.one_of(st.just(np.nan), st.floats(-5, 5)), min_size=12, max_size=12)


def cube(values: list[float]) -> Field:
    axes = FieldAxis(SEED, ("1", "2", "3")), FieldAxis("layer", (0, 1)), FieldAxis(STEP, (0, 20))
    return plain_field(axes, np.array(values).reshape(3, 2, 2))


@given(VALUES)
def test_a_mean_is_over_what_has_a_value_and_says_of_how_many(values: list[float]) -> None:
    field = cube(values)
    mean = field.over(SEED)
    for layer in range(2):
        for step in range(2):
            each = [v for v in field.values[:, layer, step] if np.isfinite(v)]
            point = mean.point(layer, step)
            assert (point.count, point.averaged) == (len(each), 3)
            assert point.value == (pytest.approx(sum(each) / len(each)) if each else None)
            deviation = np.std(each, ddof=1) if len(each) > 1 else None
            assert point.spread == (None if deviation is None else pytest.approx(deviation, abs=1e-12))
    whole = field.over(SEED, complete=True)
    assert np.array_equal(np.isfinite(whole.values), np.isfinite(field.values).all(axis=0))


@given(VALUES)
def test_axes_change_places_and_values_stay(values: list[float]) -> None:
    field = cube(values)
    turned = field.along(STEP, SEED, "layer")
    assert turned.places("layer") == (0, 1)
    for index in np.ndindex(3, 2, 2):
        assert turned.point(index[2], index[0], index[1]) == field.point(*index)
    assert np.array_equal(field.at("layer", 1).values, field.values[:, 1], equal_nan=True)


def test_one_place_keeps_its_interval_and_a_mean_has_none() -> None:
    data = rows(seeds=("1",), layers=[1], steps=[0, 20], interval_low=0.1, interval_high=0.3)
    alone = field_along(data, "sst2", SEED, "layer", STEP).over(SEED)
    assert (alone.point(0, 1).low, alone.point(0, 1).high) == (0.1, 0.3)
    several = rows(seeds=("1", "2"), layers=[1], steps=[0, 20], interval_low=0.1, interval_high=0.3)
    assert field_along(several, "sst2", SEED, "layer", STEP).over(SEED).point(0, 1).low is None


def test_fields_of_other_places_are_laid_side_by_side() -> None:
    first = plain_field((FieldAxis("layer", (0, 1)), FieldAxis(STEP, (0, 20))), np.array([[1.0, 2], [3, 4]]))
    second = plain_field((FieldAxis("layer", (1, 2)), FieldAxis(STEP, (20,))), np.array([[5.0], [6]]))
    both = stacked("task", {"a": first, "b": second})
    assert (both.places("layer"), both.places(STEP)) == ((0, 1, 2), (0, 20))
    assert both.point(0, 1, 0).value == 3
    assert both.point(1, 1, 1).value == 5
    assert not both.point(1, 0, 0).there
    assert both.over("task").point(1, 1).value == 4.5


def test_each_task_says_how_many_of_its_own_seeds_have_a_value() -> None:
    data = rows(seeds=("1", "2"), layers=[1], steps=[0, 20], tasks=("pos", "sst2"))
    few = tuple(cell for cell in data.wanted if (cell.task, cell.seed) != ("pos", "2"))
    data = choose_rows(data.question, data.results, few)
    view = VIEWS["curves"].build(data, NONE, None, data, look=Look(part="task", layer=1))
    at = palette(Depth.NONE)
    readings = [view.draw(120, 30, at, Cursor(1, line)).reading for line in (0, 1)]
    assert "seeds)" not in readings[0]
    assert "(2 of 2 seeds)" in readings[1]


def test_a_choice_along_an_axis_is_what_a_picture_shows() -> None:
    measure = replace(DISTANCE, axes=(LAYER, Axis("module", "module", "text", within=True)))
    whole = rows(layers=[1, 2], steps=[0, 20], measure=measure)
    parts = [
        r._replace(axes=(("module", name),), value=(r.value or 0.0) + shift)
        for r in whole.results
        for name, shift in (("key", 1.0), ("query", 2.0))
    ]
    data = choose_rows(whole.question, [*whole.results, *parts], whole.wanted)

    def shown(name: str, *axes: tuple[str, str]) -> tuple[str, list[object]]:
        view = VIEWS[name].build(replace(data, question=replace(data.question, axes=axes)))
        columns, found = view.rows()
        return view.title, [row[columns.index("value")] for row in found]

    values = [r.value for r in sorted(whole.results, key=lambda r: (r.step, r.layer or 0))]
    assert shown("curves")[1] == values
    title, chosen = shown("curves", ("module", "query"))
    assert "module query" in title
    assert chosen == pytest.approx([value + 2.0 for value in values if value is not None])
    assert len(shown("heads")[1]) == 4
    assert shown("heads", ("module", "key"))[1] == pytest.approx([v + 1.0 for v in values[-2:] if v is not None])


def test_a_refusal_without_a_place_does_not_hide_the_values_that_have_one() -> None:
    measure = replace(DISTANCE, axes=(LAYER, Axis("module", "module", "text", within=True)))
    base = rows(layers=[1, 2], steps=[0, 20], measure=measure)
    parts = [r._replace(axes=(("module", "key"),)) for r in base.results]
    refused = [base.results[0]._replace(value=None, reason="broken")]
    view = VIEWS["curves"].build(choose_rows(base.question, [*parts, *refused], base.wanted))
    assert "module key" in view.title
    assert len(view.rows()[1]) == 4
