"""Values of a table's rows and of an example's tokens: what is marked, where the mark stands, and what it is of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.pages.example import WORDS, Example
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views.base import NOWHERE, Cursor, DrawOptions, Picture, View
from explorer.views.lines import curves
from explorer.views.spot import Spot
from explorer.views.table import Table
from tests.explorer.views.part_samples import SENTENCE, label_rows, moved
from tests.explorer.views.samples import rows

LONG = ["[CLS]", *(f"w{i}" for i in range(30)), "[SEP]"]


def draw(view: View, mark: Cursor, at: Cursor = NOWHERE, width: int = 100, height: int = 30, **options: str) -> Picture:
    return view.draw(width, height, palette(Depth.NONE), at, DrawOptions(mark=mark, **options))  # type: ignore[arg-type]


def line_of(picture: Picture) -> str:
    """The line of the marked value."""
    assert picture.marked is not None
    return to_text(picture.lines).splitlines()[picture.marked[1]]


def spot_of(view: View, at: Cursor, **options: str) -> Spot:
    found = view.valued(at, DrawOptions(**options))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_row_of_a_table_is_the_value_that_lines_show() -> None:
    found = rows(layers=range(1, 4), steps=(0, 100, 200))
    lines, table = curves(found), Table(found)
    spot = spot_of(lines, Cursor(1, 2))
    at = table.place_of(spot)
    row = dict(zip(*table.row(at.y), strict=True))
    assert (row["step"], row["layer"], row["value"]) == (100, 3, spot.value)
    assert lines.place_of(spot_of(table, at)) == Cursor(1, 2)
    assert "100" in line_of(draw(table, at))


def test_the_mark_follows_its_row_when_the_table_is_sorted() -> None:
    table = Table(rows(layers=range(1, 4), steps=(0, 100, 200)))
    spot = spot_of(table, Cursor(-1, 8))
    order = {"sort": "value", "descending": True}
    at = table.place_of(spot, DrawOptions(**order))  # type: ignore[arg-type]
    assert at.y == 0, "layer 3 at the last step is the largest"
    assert spot_of(table, at, **order) == spot  # type: ignore[arg-type]
    assert draw(table, at, **order).marked == (0, 1)  # type: ignore[arg-type]


def test_rows_of_labels_differ_by_labels_and_statistic() -> None:
    table = Table(label_rows(steps=(0,), layers=(5,)))
    spots = [spot_of(table, Cursor(-1, y)) for y in range(6)]
    assert [table.place_of(spot) for spot in spots] == [Cursor(-1, y) for y in range(6)]
    assert {spot.measure for spot in spots} == {"clusters hull_distance", "clusters centroid_distance"}
    assert "ADJ and NOUN" in spots[0].besides(spots[-1])


def test_a_row_without_a_value_is_no_value() -> None:
    table = Table(rows(layers=(1,), steps=(0,), value=lambda *_: None, reason="constant"))
    assert table.valued(Cursor(0, 0)) is None
    assert Table(rows(kept=lambda *_: False)).valued(Cursor(0, 0)) is None


@pytest.mark.parametrize("tokens", [SENTENCE, LONG], ids=["maps", "text"])
def test_a_token_is_its_divergence_and_a_pair_its_change(tokens: list[str]) -> None:
    data = moved(tokens)
    data = replace(data, js=np.linspace(0.1, 0.9, len(tokens)))
    view = Example(data)
    y = list(view.places("query")).index(len(tokens) - 1)
    alone, pair = spot_of(view, Cursor(-1, y)), spot_of(view, Cursor(0, y))
    assert (alone.value, alone.measure) == (0.9, "js")
    assert pair.value == data.difference[-1, 0]
    assert f"{pair.place}: {pair.said}".startswith("'[SEP]' ")
    assert (view.place_of(alone), view.place_of(pair)) == (Cursor(-1, y), Cursor(0, y))
    other = Example(replace(data, focus=replace(data.focus, head=2)))
    assert other.place_of(pair) == NOWHERE
    assert spot_of(other, Cursor(0, y)).besides(pair) == "head 2"
    assert "[SEP]" in line_of(draw(view, view.place_of(alone)))


def test_the_mark_of_a_pair_stands_in_its_cell_of_the_last_map() -> None:
    view = Example(moved(SENTENCE))
    at = Cursor(1, 2)
    picture = draw(view, at, at)
    assert picture.marked is not None
    x, y = picture.marked
    drawn = to_text(picture.lines).splitlines()[y]
    assert (drawn[x - 2], drawn[x + 2]) == ("[", "]"), "in the middle of the cell, which the cursor points at"
    assert "[" not in drawn[x:], "in the difference, the last of the maps"
    assert draw(view, NOWHERE, at).marked is None


def test_words_have_no_value() -> None:
    assert Example(moved(SENTENCE), WORDS).valued(Cursor(1, 1)) is None
