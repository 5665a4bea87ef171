"""Does Curves say when half and 90 % of a change were made: on the lines, in the reading, in the rows, in a figure?"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.export.figure import caption, figure
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.selection import Against
from explorer.views.base import NOWHERE, Cursor, DrawOptions, Picture, View
from explorer.views.kinds import VIEWS
from tests.explorer.views.samples import rows

STEPS = range(0, 401, 100)
VALUES = {0: 0.0, 100: 0.1, 200: 0.6, 300: 0.95, 400: 1.0}


def rising(seed: int, layer: int, step: int, layers: int) -> float:
    """Half of the change after step 100 and by 200, 90 % after 200 and by 300; layer 0 holds rounding alone."""
    return VALUES[step] * (0.5 * layer / layers if layer else 1e-8)


def sample(**how: object) -> Rows:
    return rows(**{"layers": range(4), "steps": STEPS, "value": rising, **how})  # type: ignore[arg-type]


def draw(view: View, cursor: Cursor = NOWHERE, size: tuple[int, int] = (120, 30), **options: object) -> Picture:
    return view.draw(*size, palette(Depth.EIGHT_BIT), cursor, DrawOptions(**options))  # type: ignore[arg-type]


def test_lines_are_marked_at_their_onsets() -> None:
    picture = draw(VIEWS["curves"].build(sample()))
    lines = to_text(picture.lines).splitlines()
    axis = next(line for line in lines if "└" in line)
    ticks = [i for i, sign in enumerate(axis) if sign == "┬"]
    for sign, tick in (("◐", ticks[2]), ("●", ticks[3])):
        at = [line.index(sign) for line in lines if sign in line]
        assert at == [tick] * 3  # not of layer 0
    assert "◐ half, ● 90 % of the change is made" in picture.notes


def test_in_ascii_the_marks_are_ascii() -> None:
    text = to_text(draw(VIEWS["curves"].build(sample()), ascii=True).lines)
    assert text.isascii()
    assert (text.count("/"), text.count("#")) == (3, 3)


@pytest.mark.parametrize("at", [Cursor(4, 3), Cursor(-1, 3)])
def test_the_reading_of_a_line_names_its_onset(at: Cursor) -> None:
    view = VIEWS["curves"].build(sample())
    assert draw(view, at).reading.endswith("; half of it between step 100 and 200, 90 % between 200 and 300")
    assert draw(view, at, (100, 30)).reading.endswith("; half by step 200")
    assert "half" not in draw(view, at, (40, 30)).reading
    assert "half" not in draw(view, Cursor(at.x, 0)).reading  # rounding alone


def test_both_at_one_step_are_said_once() -> None:
    view = VIEWS["curves"].build(sample(value=lambda seed, layer, step, layers: float(step > 0)))
    assert draw(view, Cursor(4, 3)).reading.endswith("; half and 90 % of it between step 0 and 100")


def test_a_change_that_does_not_begin_at_step_0_says_since_when() -> None:
    view = VIEWS["curves"].build(sample(kept=lambda key, layer: key.step > 0))
    said = "; half of the change since step 100 between step 100 and 200, 90 % between 200 and 300"
    assert draw(view, Cursor(4, 3), (160, 30)).reading.endswith(said)
    assert draw(view, Cursor(4, 3), (110, 30)).reading.endswith("; half since step 100 by step 200")


def columns(view: View, *names: str) -> list[tuple[object, ...]]:
    there, found = view.rows()
    return [tuple(row[there.index(name)] for name in names) for row in found]


ONSETS = ("half_after", "half_by", "ninety_after", "ninety_by")


def test_every_row_of_a_curve_has_its_onset() -> None:
    found = columns(VIEWS["curves"].build(sample()), "layer", *ONSETS)
    assert len(found) == 20
    assert set(found) == {(0, None, None, None, None), *((layer, 100, 200, 200, 300) for layer in (1, 2, 3))}


def test_lines_of_seeds_have_their_own_onsets() -> None:
    late = {0: 0.0, 100: 0.0, 200: 0.1, 300: 0.2, 400: 1.0}
    data = sample(seeds=("1", "2"), value=lambda seed, layer, step, layers: (VALUES if seed == 1 else late)[step])
    view = VIEWS["curves"].build(data, look=Look(part="seed", layer=3))
    found = set(columns(view, "line", *ONSETS))
    assert found == {("seed 1", 100, 200, 200, 300), ("seed 2", 300, 400, 300, 400)}


def test_of_a_mean_only_steps_with_every_seed_count() -> None:
    """Without seed 2, whose values are lower, the mean jumps at step 200: no seed does."""
    slow = {0: 0.0, 100: 0.02, 200: 0.04, 300: 0.06, 400: 0.1}
    fast = {0: 0.0, 100: 0.2, 200: 0.4, 300: 0.6, 400: 1.0}
    data = sample(
        seeds=("1", "2"),
        value=lambda seed, layer, step, layers: (fast if seed == 1 else slow)[step],
        kept=lambda key, layer: (key.seed, key.step) != ("2", 200),
    )
    assert set(columns(VIEWS["curves"].build(data), *ONSETS)) == {(100, 300, 300, 400)}


def test_nothing_is_claimed_of_a_change_that_one_seed_has_not_finished() -> None:
    data = sample(seeds=("1", "2"), kept=lambda key, layer: (key.seed, key.step) != ("2", 400))
    view = VIEWS["curves"].build(data)
    assert set(columns(view, *ONSETS)) == {(None,) * len(ONSETS)}
    assert "90 % of the change" not in " ".join(view.notes)


def test_changes_since_the_checkpoint_before_have_no_onset() -> None:
    data = sample()
    before = replace(data, question=replace(data.question, against=Against("previous")))
    view = VIEWS["curves"].build(before)
    assert set(columns(view, *ONSETS)) == {(None,) * 4}
    assert "half" not in " ".join(draw(view, Cursor(4, 3)).notes)


def test_lines_along_layers_have_no_onset() -> None:
    view = VIEWS["profile"].build(sample())
    assert not set(ONSETS) & set(view.rows()[0])
    assert not any("half" in note for note in draw(view).notes)


def test_a_figure_marks_them_and_its_caption_explains() -> None:
    view = VIEWS["curves"].build(sample())
    axes = figure(view).axes[0]
    marks = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_fillstyle()) for line in marks] == [(200, "bottom"), (300, "full")] * 3
    assert all(
        math.isclose(line.get_ydata()[0], VALUES[int(line.get_xdata()[0])] * n / 6)
        for line, n in zip(marks, (1, 1, 2, 2, 3, 3), strict=True)
    )
    assert "◐ half, ● 90 % of the change is made." in caption(view)
