"""Is a surface drawn whole while it is computed in part, with the paths of its runs, and do corpora agree?"""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.answers.look import Look
from explorer.export.figure import figure
from explorer.measures.registry import get
from explorer.render.palette import palette
from explorer.selection import Question, Selection, ask_store
from explorer.views.base import Cursor, DrawOptions, View
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.results import Result
from store.store import Store
from tests.store.results import result
from tests.synthetic import make_store
from tests.two_seeds import asked, computed

PALETTE = palette("256", True)
GRID = {"grid": 5, "range": "-0.5,1.5"}


@pytest.fixture(scope="module")
def store(two_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Surfaces on two corpora, with the paths in one plane and around the run in another."""
    path = Path(shutil.copytree(two_seeds, tmp_path_factory.mktemp("surface") / "s.bertdyn"))
    opened = Store.open(path)
    for question in (
        asked(opened, "loss-surface", "dev", **GRID),
        asked(opened, "loss-surface", "train", examples="5", **GRID),
        asked(opened, "loss-surface", "dev", examples="5", **GRID),
        asked(opened, "loss-surface-pca", "dev", grid=5),
        asked(opened, "trajectory"),
    ):
        assert computed(opened, question).ok
    return opened


def view(store: Store, question: Question, part: str = "first") -> View:
    return VIEWS["surface"].load(store, question, Look(part=part))


def text_of(shown: View, width: int = 100, height: int = 24, cursor: Cursor = Cursor(), ascii_only: bool = True) -> str:  # noqa: B008
    drawn = shown.draw(width, height, PALETTE, cursor, DrawOptions(ascii=ascii_only))
    assert len(drawn.lines) == height
    return "\n".join("".join(segment.text for segment in line) for line in drawn.lines)


def test_a_surface_has_its_axes_and_the_paths_of_both_runs(store: Store) -> None:
    shown = view(store, asked(store, "loss-surface", **GRID))
    drawn = text_of(shown)
    assert drawn.splitlines()[0].startswith("beta")
    assert drawn.rstrip().endswith("alpha")
    assert "xt/1" in drawn
    assert "xt/2" in drawn
    assert "O10" in drawn
    assert shown.title.startswith("Loss surface toward the next seed at the same step · t, seed 1")
    notes = shown.draw(100, 24, PALETTE).notes
    assert any(note.startswith("only seed 1 is drawn; seed 2 is chosen too") for note in notes)
    assert any(re.match(r"the plane holds \d+ to 100 % of the checkpoints' displacements", note) for note in notes)
    assert any(note.startswith("cosine ") for note in notes)


def test_without_a_trajectory_the_command_that_computes_it_is_said(two_seeds: Path, tmp_path: Path) -> None:
    opened = Store.open(Path(shutil.copytree(two_seeds, tmp_path / "s.bertdyn")))
    question = asked(opened, "loss-surface", grid=3, range="0,1", seeds=("1",))
    assert computed(opened, question).ok
    shown = view(opened, question)
    said = "no path yet: bertdyn compute trajectory STORE --task t --seed 1 --against t/2/20"
    assert said in shown.draw(100, 24, PALETTE).notes
    assert "Ot" not in text_of(shown)


def test_the_run_lies_on_its_own_surface(store: Store) -> None:
    drawn = text_of(view(store, asked(store, "loss-surface-pca", grid=5)))
    assert re.search(r"o0?\W", drawn)
    assert "x20" in drawn


def test_every_computed_point_is_a_row_and_no_other(store: Store) -> None:
    shown = view(store, asked(store, "loss-surface", **GRID))
    columns, rows = shown.rows()
    assert len(rows) == 25
    at = [columns.index(name) for name in ("alpha", "beta")]
    assert {tuple(row[i] for i in at) for row in rows} == {(a / 2, b / 2) for a in range(-1, 4) for b in range(-1, 4)}


def test_the_cursor_reads_the_value_of_a_point(store: Store) -> None:
    shown = view(store, asked(store, "loss-surface", **GRID))
    columns, rows = shown.rows()
    corner = next(r for r in rows if (r[columns.index("alpha")], r[columns.index("beta")]) == (1.0, 0.0))
    reading = shown.draw(100, 24, PALETTE, Cursor(3, 1)).reading
    value = corner[columns.index("value")]
    assert isinstance(value, float)
    assert reading.split(": ", 1)[1].startswith(f"{value:.3g}"[:4])
    assert re.search(r"; se 0\.\d+, error 0\.\d+, distance 1\.00 from \(0, 0\)$", reading)


def test_surfaces_of_two_corpora_stand_side_by_side_and_agree(store: Store) -> None:
    question = asked(store, "loss-surface", "dev", examples="5", **GRID)
    other = asked(store, "loss-surface", "train", examples="5", **GRID)
    from dataclasses import replace

    shown = view(store, replace(question, beside=(other,)), "corpus")
    drawn = text_of(shown, 120)
    head = drawn.splitlines()[0]
    assert re.search(r"beta +Loss surface \(nats\) on dev  beta +Loss surface \(nats\) on train", head)
    assert all(len(line) == 120 for line in drawn.splitlines())
    notes = shown.draw(120, 24, PALETTE).notes
    assert "losses on dev and train: Spearman 1.000 over 25 points" in notes
    assert any(note.startswith("loss on dev and error on train: Spearman") for note in notes)
    reading = shown.draw(120, 24, PALETTE, Cursor(2, 2)).reading
    assert " on dev; " in reading
    assert reading.endswith(" on train")
    columns, rows = shown.rows()
    assert {row[columns.index("corpus")] for row in rows} == {"dev", "train"}
    assert drawn.count("\n") == text_of(shown, 60).count("\n")  # one alone where there is no room


def test_another_measure_is_refused_in_a_sentence(store: Store) -> None:
    question = asked(store, "loss-curve")
    with pytest.raises(BertdynError, match="Loss curve has no values in a plane of two numbers"):
        view(store, question)


def test_the_agreement_is_spearmans() -> None:
    from explorer.answers.surfaces import agreement

    draw = np.random.default_rng(0).integers(0, 5, (2, 12)).astype(float)
    sides = [
        [Result("loss-surface", axes=(("beta", float(i)), ("alpha", 0.0)), value=v) for i, v in enumerate(values)]
        for values in draw
    ]
    found = agreement(sides[0], sides[1][:-1])
    assert found is not None
    assert found[1] == 11
    assert found[0] == pytest.approx(spearmanr(draw[0][:11], draw[1][:11]).statistic)
    assert agreement(sides[0][:2], sides[1]) is None


def bowl(alpha: float, beta: float, width: float) -> float:
    return 0.2 + (alpha**2 + beta**2) / width**2


@pytest.fixture(scope="module")
def two_tasks(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Random planes around a fine-tuned solution, and around a narrower one from scratch on a coarser grid."""
    made = make_store(
        tmp_path_factory.mktemp("tasks") / "s.bertdyn", tasks=["t", "t+scratch"], seeds=("1",),
        classes=("negative", "positive"),
    )  # fmt: skip
    measure = get("loss-surface-random")
    about = {
        "measure": measure.name, "corpus": "dev", "version": measure.version, "annotation": "label", "unit": "nats",
        "layer": None, "ref_layer": None, "parameters": measure.key(dict(measure.settle({}))),
    }  # fmt: skip
    rows = []
    for of in made.checkpoints("dev"):
        if of.key.recipe not in ("t", "t+scratch") or of.key.step != 40:
            continue
        width, many = (1.0, 5) if of.key.recipe == "t" else (0.5, 3)
        for alpha, beta in itertools.product(np.linspace(-0.5, 0.5, many).tolist(), repeat=2):
            loss, axes = bowl(alpha, beta, width), (("beta", beta), ("alpha", alpha))
            rows.append(result(of, value=loss, statistic="loss", axes=axes, **about))
            rows.append(result(of, value=loss / 2, statistic="error", axes=axes, **about))
    made.add_results(rows)
    return made


def test_surfaces_of_two_tasks_stand_side_by_side_with_the_share_that_is_low(two_tasks: Store) -> None:
    chosen = Selection(
        "loss-surface-random", "dev", annotation="label", parameters=(("grid", 5), ("range", "-0.5,0.5"))
    )
    question = ask_store(two_tasks, chosen)
    shown = view(two_tasks, question, "task")
    assert shown.title.endswith("2 tasks side by side")
    drawn = text_of(shown, 120)
    head = drawn.splitlines()[0]
    assert re.search(r"beta +t: Loss surface in random .* beta +t\+scratch: Loss surface in", head)
    notes = shown.draw(120, 24, PALETTE).notes
    near = [bowl(a / 4, b / 4, 1.0) <= 0.3 for a in range(-2, 3) for b in range(-2, 3)]
    assert f"within 0.1 nats of the lowest value of t: {100 * sum(near) / 25:.0f} % of the plane" in notes
    assert "within 0.1 nats of the lowest value of t+scratch: 11 % of the plane" in notes  # one point of nine
    assert not any("is drawn" in note for note in notes)
    columns, rows = shown.rows()
    task, alpha, value = (columns.index(name) for name in ("task", "alpha", "value"))
    assert [sum(row[task] == name for row in rows) for name in ("t", "t+scratch")] == [25, 9]
    assert {row[value] for row in rows if row[task] == "t+scratch" and row[alpha] == 0.0} >= {0.2, bowl(0.5, 0, 0.5)}
    corner, between = (shown.draw(120, 24, PALETTE, Cursor(x, 0)).reading for x in (0, 1))
    assert re.search(r": 0\.7.*; error 0\.35.* of t; 2\.2.*; error 1\.1.* of t\+scratch$", corner)
    assert between.endswith("outside the grid of t+scratch")
    alone = view(two_tasks, question)
    assert "t+scratch is chosen too" in " ".join(alone.draw(120, 24, PALETTE).notes)
    assert {row[task] for row in alone.rows()[1]} == {"t"}


def test_a_figure_has_a_row_of_map_and_relief_for_each_task(two_tasks: Store) -> None:
    grid = (("grid", 5), ("range", "-0.5,0.5"))
    question = ask_store(two_tasks, Selection("loss-surface-random", "dev", annotation="label", parameters=grid))
    drawn = figure(view(two_tasks, question, "task"))
    drawn.draw_without_rendering()
    first, second = (axes.get_position() for axes in drawn.axes if axes.get_xlabel() == "alpha" and axes.name != "3d")
    assert second.y1 < first.y0
    assert second.x0 == pytest.approx(first.x0, abs=0.02)
    reliefs = [axes.get_position() for axes in drawn.axes if axes.name == "3d"]
    assert len(reliefs) == 2
    assert all(one.x0 > first.x1 for one in reliefs)
