"""The panel and the filter line follow the axes that a measure declares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.ui.choices import Choice, choices, typed
from explorer.ui.filters import conditions, filtered, without_effect
from explorer.ui.history import about
from explorer.ui.state import State
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from tests.explorer.ui.test_state import START, STORE
from tests.ridge import MEASURES

RIDGE = replace(STORE, measures=(*STORE.measures, *MEASURES))
ON_RIDGE = replace(START, measure="ridge", mode="table")
WEIGHTS = replace(START, measure="weight-change", mode="table")


def ranges(state: State) -> list[str]:
    rows = choices(state, RIDGE)
    at = next(i for i, row in enumerate(rows) if row.head and row.text == "range")
    rest = rows[at + 1 :]
    end = next((i for i, row in enumerate(rest) if row.head), len(rest))
    return [row.text for row in rest[:end]]


def test_each_axis_of_its_own_is_a_row_of_the_panel() -> None:
    assert ranges(START)[:2] == ["step   all", "layer  all"]
    assert not any("module" in text for text in ranges(START))
    assert "module all" in ranges(WEIGHTS)
    assert {"tilt   all", "fold   all"} <= set(ranges(ON_RIDGE))
    assert "tilt   0-0.5" in ranges(filtered(ON_RIDGE, RIDGE, "tilt:0-0.5"))


def test_a_row_of_an_axis_is_typed_into_and_says_how() -> None:
    assert typed(Choice("module", "module"), WEIGHTS, RIDGE) == ("", "module: names, or all")
    chosen = filtered(ON_RIDGE, RIDGE, "fold:1-2")
    assert typed(Choice("fold", "fold"), chosen, RIDGE) == ("1-2", "fold: 0,2-6 or all")
    assert conditions("fold", "!2 , 3") == ("fold!=2,3", "")


@pytest.mark.parametrize(
    ("state", "text", "axes"),
    [
        (ON_RIDGE, "fold:1-2", (("fold", "1-2"),)),
        (ON_RIDGE, "fold:1 tilt>=0.5", (("fold", "1"), ("tilt", "0.5-"))),
        (ON_RIDGE, "fold!=2", (("fold", "!2"),)),
        (WEIGHTS, "module:query,key step>=100", (("module", "query,key"),)),
        (WEIGHTS, "module:query module:all", ()),
    ],
)
def test_a_condition_on_an_axis_goes_into_the_question(
    state: State, text: str, axes: tuple[tuple[str, str], ...]
) -> None:
    new = filtered(state, RIDGE, text)
    assert new.along(state.measure) == axes
    assert new.question(RIDGE, VIEWS["table"]).axes == axes


def test_an_axis_is_a_part_of_the_selection_and_belongs_to_its_measure() -> None:
    new = filtered(WEIGHTS, RIDGE, "module:query")
    assert about(new) != about(WEIGHTS)
    assert replace(new, measure="svcca").question(RIDGE).axes == ()


@pytest.mark.parametrize(
    ("state", "text", "words"),
    [
        (ON_RIDGE, "fold:many", "neither a number nor a range"),
        (WEIGHTS, "module>=query", "module has no order"),
        (START, "module:query", "There is no 'module:'"),
        (WEIGHTS, "modul:query", "Did you mean 'module:'"),
    ],
)
def test_what_makes_no_sense_on_an_axis_is_refused(state: State, text: str, words: str) -> None:
    with pytest.raises(BertdynError, match=words):
        filtered(state, RIDGE, text)


def test_a_view_of_whole_layers_says_where_the_chosen_rows_are() -> None:
    """Labels are rows of the table; along other axes every picture shows what was chosen."""
    new = replace(WEIGHTS, mode="curves", measure="clusters", axes=(("clusters", "label_a", "noun"),))
    assert "Table (7)" in without_effect(new, "label_a:noun", lambda action: "7" if action == "mode.table" else "")
    assert without_effect(replace(new, mode="table"), "label_a:noun", str) == ""
    assert without_effect(filtered(replace(WEIGHTS, mode="curves"), RIDGE, "module:query"), "module:query", str) == ""
