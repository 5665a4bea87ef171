"""Lines of one layer, maps of one step, and how training went: numbers against plain arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views.base import VIEWS, Cursor, DrawOptions, Look
from explorer.views.training import Track, Training
from tests.explorer.views.samples import rows

NONE = palette(Depth.NONE)


def of_heads():
    """The samples' values, each as that of four heads whose mean it is."""
    data = rows(seeds=("1", "2"), layers=[1, 2], steps=[0, 100])
    each = [replace(r, head=h, value=(r.value or 0) + h - 2.5) for r in data.results for h in (1, 2, 3, 4)]
    return replace(data, results=(*data.results, *each))


@pytest.mark.parametrize("part", ["seed", "task", "head"])
@pytest.mark.parametrize("size", [(1, 1), (40, 8), (80, 20), (200, 50)])
def test_lines_of_one_layer_fill_the_cells_and_tell_the_means(part: str, size: tuple[int, int]) -> None:
    data = of_heads()
    view = VIEWS["curves"].build(data, look=Look(part=part, layer=2))
    picture = view.draw(*size, NONE, Cursor(1, 0))
    assert [len(line) for line in to_text(picture.lines).splitlines()] or True
    assert len(picture.lines) == size[1]
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


def test_a_map_of_heads_is_of_the_step_that_is_looked_at() -> None:
    data = of_heads()
    for index, step in ((0, 0), (1, 100)):
        view = VIEWS["heads"].build(data, look=Look(step=index))
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
    assert tall.reading.endswith("accuracy 0.800, training loss 0.400")
    lines = to_text(tall.lines).splitlines()
    assert lines[-2].lstrip().startswith("acc")
    assert "0.800" in lines[-2]
    assert lines[-1].lstrip().startswith("loss")
    assert len(lines) == 30
    assert "acc" not in to_text(view.draw(100, 12, NONE, Cursor(1, -1)).lines)
    assert to_text(view.draw(100, 40, NONE, Cursor(1, -1), DrawOptions(ascii=True)).lines).isascii()
    assert "no value" not in view.draw(100, 30, NONE, Cursor(0, -1)).reading
