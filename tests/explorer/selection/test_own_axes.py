"""Choices along a measure's own axes: how they are written, checked, and which cells and rows they leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.measures.base import Measure
from explorer.measures.declaration import LAYER, Axis
from explorer.measures.registry import get
from explorer.selection import Listing, QuestionError, Selection, ask
from explorer.selection.axes import check, choosable_axes, chosen_rows, holds
from explorer.selection.cells import Shape, coordinates
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.rows import In, Not, Within
from tests.ridge import MEASURES, TILT

K = Axis("k", "frozen layers")
MODULE = Axis("module", "module", "text", within=True)
RIDGE = MEASURES[0]


@pytest.mark.parametrize(
    ("axis", "text", "inside", "outside"),
    [
        (K, "0-6", (0, 3, 6), (7, 12)),
        (K, "2,5-", (2, 5, 99), (3, 4)),
        (K, "!3", (2, 4), (3,)),
        (TILT, "0-0.5", (0.0, 0.25, 0.5), (0.75, 1.0)),
        (TILT, "-1--0.5,1", (-0.75, 1.0), (0.0,)),
        (MODULE, "query,key", ("query", "key"), ("value",)),
        (MODULE, "!pooler", ("query",), ("pooler",)),
    ],
)
def test_a_choice_is_a_range_or_names(
    axis: Axis, text: str, inside: tuple[int | float | str, ...], outside: tuple[int | float | str, ...]
) -> None:
    assert all(holds(axis, text, value) for value in inside)
    assert not any(holds(axis, text, value) for value in (*outside, None))


@pytest.mark.parametrize(("axis", "text"), [(K, "many"), (K, "6-0"), (TILT, "0..1"), (TILT, "1.2.3")])
def test_a_choice_that_is_no_range_of_numbers_is_refused(axis: Axis, text: str) -> None:
    with pytest.raises(BertdynError, match=axis.name):
        check(axis, text)


def test_layers_heads_and_finer_rows_are_chosen_in_other_ways() -> None:
    assert [axis.name for axis in choosable_axes(get("weight-change"))] == ["module"]
    assert [axis.name for axis in choosable_axes(RIDGE)] == ["tilt", "fold"]
    assert choosable_axes(get("js")) == ()


def listing() -> Listing:
    return Listing((), (), registered=(CheckpointKey("pretrained", "", "", 0), CheckpointKey("sst2", "", "1", 20)))


def ask_for(measure: Measure, *axes: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    given = ask(Selection(measure.name, axes=axes), measure, listing())
    assert given.selection.axes == given.axes
    return given.axes


def test_a_question_names_only_axes_of_its_measure() -> None:
    weights = get("weight-change")
    assert ask_for(weights, ("module", "query")) == (("module", "query"),)
    with pytest.raises(QuestionError, match="weight-change has no axis 'k', only module"):
        ask_for(weights, ("k", "3"))


def test_rows_inside_a_cell_are_chosen_by_conditions() -> None:
    weights = get("weight-change")
    question = ask(Selection(weights.name, axes=(("module", "query"),)), weights, listing())
    assert chosen_rows(question) == (In("axis_module", ("query",)),)
    assert chosen_rows(replace(question, axes=(("module", "!query"),))) == (Not(In("axis_module", ("query",))),)
    inside = replace(RIDGE, axes=(LAYER, replace(K, within=True)))
    assert chosen_rows(replace(question, measure=inside, axes=(("k", "0-6"),))) == (Within("axis_k", ((0, 6),)),)


def test_cells_of_an_axis_are_chosen_by_their_coordinates() -> None:
    question = ask(Selection("weight-change"), get("weight-change"), listing())
    question = replace(question, measure=RIDGE, parameters=(("scale", 1.0),), axes=(("tilt", "0"), ("fold", "2")))
    shape = Shape((3,), (frozenset(i.kind for i in RIDGE.inputs),))
    assert [dict(at.more) for at in coordinates(question, shape, {})] == [{"tilt": 0.0, "fold": 2}]
