"""Lines of one layer, maps of one step, and how training went: numbers against plain arithmetic."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len

from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.answers.training import Track, Training
from explorer.measures.declaration import EVERY_LAYER, HEAD, Axis
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views.base import Cursor, DrawOptions
from explorer.views.kinds import VIEWS
from explorer.views.side_by_side import SideBySide, member_of
from store.results import Result
from tests.explorer.views.samples import DISTANCE, rows

NONE = palette(Depth.NONE)
OF_HEADS = replace(DISTANCE, axes=(*DISTANCE.axes, HEAD))


def heads_of(data: Rows, **where: int) -> tuple[Result, ...]:
    """The values in one layer or at one step, each as that of four heads whose mean it is."""
    there = [r for r in data.main if all(getattr(r, name) == n for name, n in where.items())]
    return tuple(r._replace(head=h, value=(r.value or 0) + h - 2.5) for r in there for h in (1, 2, 3, 4))


@pytest.mark.parametrize("part", ["seed", "task", "head"])
@pytest.mark.parametrize("size", [(1, 1), (40, 8), (80, 20), (200, 50)])
def test_lines_of_one_layer_fill_the_cells_and_tell_the_means(part: str, size: tuple[int, int]) -> None:
    data = rows(seeds=("1", "2"), layers=[1, 2], steps=[0, 100], measure=OF_HEADS)
    view = VIEWS["curves"].build(data, Training((), ()), heads_of(data, layer=2), look=Look(part=part, layer=2))
    picture = view.draw(*size, NONE, Cursor(1, 0))
    assert [sum(cell_len(s.text) for s in line) for line in picture.lines] == [size[0]] * size[1]
    columns, found = view.rows()
    at = {row[columns.index("line")]: row for row in found if row[columns.index("step")] == 100}
    stored = {r.seed: r.value for r in data.main if (r.layer, r.step, r.task) == (2, 100, data.tasks[0])}
    value = columns.index("value")
    if part == "seed":
        assert {name: row[value] for name, row in at.items()} == {f"seed {s}": v for s, v in stored.items()}
    else:
        name, shift = ("head 1", -1.5) if part == "head" else (data.tasks[0], 0.0)
        assert at[name][value] == pytest.approx(np.mean(list(stored.values())) + shift)  # type: ignore[arg-type]
        assert at[name][columns.index("sd")] == pytest.approx(np.std(list(stored.values()), ddof=1))  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["seed", "task"])
@pytest.mark.parametrize("size", [(1, 1), (40, 8), (120, 30)])
def test_a_profile_by_seed_or_task_is_of_the_step_that_is_looked_at(part: str, size: tuple[int, int]) -> None:
    data = rows(seeds=("1", "2"), layers=[0, 1, 2], steps=[0, 100, 300], tasks=("sst2", "pos"))
    for wanted, step in ((0, 0), (100, 100), (299, 100), (1_000_000, 300)):
        view = VIEWS["profile"].build(data, look=Look(part=part, step=wanted))
        assert len(view.draw(*size, NONE, Cursor(1, 0)).lines) == size[1]
        columns, found = view.rows()
        assert {row[columns.index("step")] for row in found} == {step}
        stored = {(r.task, r.seed, r.layer): r.value for r in data.main if r.step == step}
        for row in found:
            line, layer = (row[columns.index(name)] for name in ("line", "layer"))
            seeds = [line.removeprefix("seed ")] if part == "seed" else ["1", "2"]
            task = data.tasks[0] if part == "seed" else line
            each = [stored[task, seed, layer] for seed in seeds]
            assert row[columns.index("value")] == pytest.approx(np.mean(each))
        assert len(found) == 2 * 3
    assert f", layer 1, step {step}: " in view.draw(100, 30, NONE, Cursor(1, 0)).reading


@pytest.mark.parametrize("asked", [True, False])
def test_a_line_goes_on_across_the_steps_of_others_but_not_across_missing_values(asked: bool) -> None:
    own = {"1": (0, 200), "2": (0, 50, 100, 200)}
    whole = rows(
        seeds=("1", "2"),
        layers=[2],
        steps=[0, 50, 100, 200],
        value=lambda seed, layer, step, layers: seed / 4,
        kept=lambda key, layer: key.step in own[key.seed],
    )
    data = replace(whole, wanted=[cell for cell in whole.wanted if asked or cell.step in own[cell.seed]])
    view = VIEWS["curves"].build(data, look=Look(part="seed"))
    text = to_text(view.draw(80, 24, palette(Depth.TRUECOLOR)).lines)
    assert max(len(found) for line in text.splitlines() for found in re.findall("[\u2801-\u28ff•]+", line)) > 50
    level = next(line for line in text.splitlines() if line.rstrip().endswith("seed 1 0.250"))
    assert (len(max(re.findall("[\u2801-\u28ff•]+", level), key=len, default="")) > 50) is not asked


@pytest.mark.parametrize(
    ("steps", "said"), [([0], "1 value of SVCCA distance is"), ([0, 50], "2 values of SVCCA distance are")]
)
def test_an_empty_picture_counts_what_is_missing(steps: list[int], said: str) -> None:
    view = VIEWS["curves"].build(rows(layers=[2], steps=steps, kept=lambda key, layer: False))
    assert f"{said} not computed yet." in to_text(view.draw(100, 20, NONE).lines)


def test_what_has_no_place_along_an_axis_gives_no_line_a_place_there() -> None:
    kinds = replace(DISTANCE, axes=(Axis("kind", "kind", "text"), HEAD))
    plain = rows(layers=[0], steps=[0, 50, 100], measure=kinds)
    made = [cell._replace(more=(("kind", "freeze"),)) for cell in plain.wanted if cell.step != 50]
    asked = replace(plain, wanted=[*plain.wanted, *made]).asked_at(("kind", "step"), {"task": "sst2", "head": 1})
    assert asked == {("freeze", 0), ("freeze", 100)}
    assert plain.asked_at(("head", "step"), {"seed": "1"}) == {(None, 0), (None, 50), (None, 100)}
    assert not plain.asked_at(("head", "step"), {"seed": "2"})
    at_once = replace(plain.question, measure=replace(DISTANCE, axes=(EVERY_LAYER,)))
    cells = [cell._replace(layer=None, ref_layer=None) for cell in plain.wanted]
    whole = replace(plain, question=at_once, wanted=cells).asked_at(("seed", "step"), {"layer": 0})
    assert whole == {("1", 0), ("1", 50), ("1", 100)}


def side_by_side(*each: Rows) -> SideBySide:
    """Rows of one task each."""
    view = VIEWS["seeds"].build(each[0], [member_of(data, data.tasks[0]) for data in each], look=Look(part="task"))
    assert isinstance(view, SideBySide)
    return view


def of_two_tasks(steps: tuple[list[int], list[int]], layers: tuple[list[int], list[int]]) -> tuple[Rows, ...]:
    """Values of two tasks with steps and layers of their own."""
    return tuple(
        rows(seeds=("1", "2"), layers=n, steps=s, tasks=(task,))
        for task, s, n in zip(("pos", "sst2"), steps, layers, strict=True)
    )


@pytest.mark.parametrize("size", [(1, 1), (40, 8), (80, 20), (200, 50)])
def test_tasks_stand_side_by_side_each_at_its_own_steps(size: tuple[int, int]) -> None:
    each = of_two_tasks(([0, 100, 200], [0, 50, 100]), ([0, 1, 2], [0, 1, 2, 3]))
    view = side_by_side(*each)
    assert view.places("step") == (0, 50, 100, 200)
    assert view.places("layer") == (0, 1, 2, 3)
    assert len(view.draw(*size, NONE, Cursor(1, 3)).lines) == size[1]
    stored = {(r.task, r.seed, r.layer, r.step): r.value for data in each for r in data.main}

    def mean(task: str, layer: int, step: int) -> float:
        return float(np.mean([stored[task, seed, layer, step] for seed in ("1", "2")]))

    columns, found = view.rows()
    for row in found:
        at = {name: row[columns.index(name)] for name in ("task", "layer", "step", "value")}
        assert at["value"] == pytest.approx(mean(at["task"], at["layer"], at["step"]))
    assert len(found) == 3 * 3 + 3 * 4
    # Over tasks: only where every task has a value.
    there = np.isfinite(view.mean.values)
    assert there.any(axis=0).tolist() == [True, False, True, False]
    assert there.any(axis=1).tolist() == [True, True, True, False]
    each = [mean(task, 2, 100) for task in ("pos", "sst2")]
    assert view.mean.values[2, 2] == pytest.approx(np.mean(each))
    assert view.mean.spread[2, 2] == pytest.approx(np.std(each, ddof=1))
    reading = view.draw(160, 30, NONE, Cursor(1, 2)).reading
    assert reading.startswith("layer 2, step 50: pos none, sst2 0.")
    assert "; mean" not in reading
    assert "; mean 0." in view.draw(160, 30, NONE, Cursor(2, 2)).reading


def test_tasks_without_a_step_in_common_have_no_mean() -> None:
    view = side_by_side(*of_two_tasks(([0, 100], [50, 150]), ([1, 2], [1, 2])))
    assert view.mean is None
    assert [panel.name for panel in view.panels] == ["pos ± sd", "sst2 ± sd"]


def test_one_task_alone_says_how_to_take_in_others() -> None:
    view = side_by_side(rows(seeds=("1",)))
    assert view.notes[0].startswith("one task is chosen")
    assert "1 of 2" not in to_text(view.draw(120, 30, NONE, Cursor(1, 1)).lines)


def test_a_map_of_heads_is_of_the_step_that_is_looked_at() -> None:
    data = rows(seeds=("1", "2"), layers=[1, 2], steps=[0, 100], measure=OF_HEADS)
    for wanted, step in ((0, 0), (99, 0), (100, 100)):
        view = VIEWS["heads"].build(data, heads_of(data, step=step), look=Look(step=wanted))
        columns, found = view.rows()
        assert len(found) == 8
        row = next(r for r in found if r[columns.index("layer")] == 2 and r[columns.index("head")] == 3)
        stored = [r.value for r in data.main if (r.layer, r.step, r.task) == (2, step, data.tasks[0])]
        assert row[columns.index("value")] == pytest.approx(np.mean(stored) + 0.5)  # type: ignore[arg-type]
        assert f"layer 2, head 3, step {step}" in view.draw(80, 20, NONE, Cursor(2, 1)).reading


def test_training_stands_under_the_curves_with_the_cursors_step() -> None:
    data = rows(seeds=("1",), steps=[0, 50, 100])
    logged = Training((0, 50, 100), (Track("eval_accuracy", np.array([0.5, 0.8, 0.9])),
                                     Track("training loss", np.array([np.nan, 0.4, 0.1]))))  # fmt: skip
    view = VIEWS["curves"].build(data, logged)
    tall = view.draw(100, 30, NONE, Cursor(1, -1))
    assert tall.reading.endswith("; accuracy 0.800, training loss 0.400")
    lines = to_text(tall.lines).splitlines()
    assert lines[-2].lstrip().startswith("acc")
    assert "0.800" in lines[-2]
    assert lines[-1].rstrip().endswith("0.400 loss")
    assert lines[-1].lstrip().startswith("loss")
    assert len(lines) == 30
    assert "acc" not in to_text(view.draw(100, 12, NONE, Cursor(1, -1)).lines)
    assert to_text(view.draw(100, 40, NONE, Cursor(1, -1), DrawOptions(ascii=True)).lines).isascii()
    assert "no value" not in view.draw(100, 30, NONE, Cursor(0, -1)).reading


def test_notes_of_tasks_are_said_once_or_by_their_names() -> None:
    one, two = of_two_tasks(([0, 100], [0, 100]), ([1, 2], [1, 2]))
    worthless = [
        replace(data, results=tuple(r._replace(reason="too few") for r in data.results)) for data in (one, two)
    ]
    assert [n for n in side_by_side(*worthless).notes if "too few" in n] == ["! 8 of 8 are unreliable: too few"]
    assert [n for n in side_by_side(one, worthless[1]).notes if "few" in n] == [
        "sst2: ! 8 of 8 are unreliable: too few"
    ]
