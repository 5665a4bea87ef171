"""What pictures show of a probe: the confusion of labels as a matrix, majority and control beside its accuracy."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.answers.confusion import Confused
from explorer.answers.look import ANYWHERE, Look
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.selection import Selection, ask_store
from explorer.views.base import NOWHERE, Cursor, View
from explorer.views.kinds import VIEWS
from store.store import Store
from tests.computed import compute_here
from tests.synthetic import make_store, sample_corpus

PARAMETERS = (("probe_seeds", 2), ("control", "shuffled"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two checkpoints, probed for three labels; confusions of the later one alone."""
    corpus = sample_corpus("dev", labels=("bad", "good", "so-so"), examples=60)
    place = tmp_path_factory.mktemp("probed") / "s.bertdyn"
    made = make_store(place, tasks=("sst2",), seeds=("1",), steps=(20, 40), pretrained=False, corpora=[corpus])
    compute_here(made, Selection("probe", "dev", parameters=PARAMETERS))
    return made


@pytest.fixture(scope="module")
def detailed(store: Store) -> Store:
    compute_here(store, Selection("probe", "dev", parameters=PARAMETERS, detail="label"))
    return store


def load(store: Store, view: str, look: Look = ANYWHERE, measure: str = "probe") -> View:
    parameters = PARAMETERS if measure == "probe" else ()
    kind = VIEWS[view]
    part = look.part or next(iter(kind.parts), "")
    return kind.load(store, ask_store(store, Selection(measure, "dev", parameters=parameters)), Look(part, look.step))


def text(view: View, cursor: Cursor = NOWHERE) -> str:
    return to_text(view.draw(90, 20, palette(Depth.NONE), cursor).lines)


def test_without_its_rows_the_command_is_named(store: Store) -> None:
    said = " ".join(text(load(store, "confusion")).split())
    assert "'bertdyn compute probe STORE --corpus dev --annotation label --detail label' stores them" in said


@pytest.mark.parametrize(
    ("model", "said"), [("lda", {"model"}), ("logistic", {"C", "model"}), ("mlp", {"hidden", "model"})]
)
def test_only_the_options_that_have_an_effect_are_named(store: Store, model: str, said: set[str]) -> None:
    asked = ask_store(store, Selection("probe", "dev", parameters=(("model", model),)))
    words = VIEWS["curves"].load(store, asked).subtitle.split(" · ")
    assert {word.split()[0] for word in words if word.split()[0] in ("C", "hidden", "model")} == said


def test_the_matrix_counts_what_each_label_is_read_as(detailed: Store) -> None:
    view = load(detailed, "confusion", Look(step=20))
    columns, rows = view.rows()
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    assert {(one["step"], one["layer"]) for one in found} == {(20, 3)}  # the nearest step, the highest layer
    stored = [r for r in detailed.results() if (r.statistic, r.step, r.layer) == ("confusion", 20, 3)]
    assert {(one["label"], one["given"]): one["value"] for one in found} == {
        (r.label_a, r.label_b): r.value for r in stored
    }
    counts = {(r.label_a, r.label_b): r.value or 0 for r in stored}
    right = sum(counts[label, label] for label, given in counts if label == given) / sum(counts.values())
    (accuracy,) = [r.value for r in detailed.results() if (r.statistic, r.step, r.layer) == ("accuracy", 20, 3)]
    assert right == pytest.approx(accuracy)
    assert "step 20, layer 3" in view.title
    drawn = text(view)
    assert "share of each label" in drawn
    assert all(name in drawn for name in ("bad", "good", "so-so"))
    assert "points" in text(load(detailed, "confusion", Look(part="counts")))


def test_a_measure_without_confusions_says_which_have_them(detailed: Store) -> None:
    assert "These measures do: probe" in " ".join(text(load(detailed, "confusion", measure="clusters")).split())


def test_a_row_names_its_most_frequent_error() -> None:
    counts = np.array([[8.0, 2.0, 0.0], [0.0, 5.0, 0.0], [1.0, 3.0, 4.0]])
    found = Confused((), ("a", "b", "c"), counts)
    assert found.said(0) == "a read as b: 2 of 10 points (20.0 %); 80.0 % right"
    assert found.said(2, 0) == "c read as a: 1 of 8 points (12.5 %); 50.0 % right"
    assert found.said(1, 1) == "b read as b: 5 of 5 points (100.0 %)"


@pytest.mark.parametrize(("view", "x"), [("curves", 1), ("profile", 3)])
def test_majority_and_control_are_beside_the_line_that_is_pointed_at(store: Store, view: str, x: int) -> None:
    shown = load(store, view)
    value = {r.statistic: r.value for r in store.results() if (r.step, r.layer) == (40, 3) and r.label_a is None}
    last = 1 if view == "profile" else 3
    drawn, plain = text(shown, Cursor(x, last)), text(shown)
    assert f"majority {value['majority']:.3f}" in drawn
    assert f"control {value['control-accuracy']:.3f}" in drawn
    assert "majority" not in plain
    picture = shown.draw(120, 20, palette(Depth.NONE), Cursor(x, last))
    assert f"; majority {value['majority']:.3f}; control {value['control-accuracy']:.3f}" in picture.reading


def test_other_statistics_do_not_change_the_values_of_a_picture(store: Store) -> None:
    columns, rows = load(store, "profile").rows()
    drawn = {(row[columns.index("step")], row[columns.index("layer")]): row[columns.index("value")] for row in rows}
    assert drawn == {(r.step, r.layer): r.value for r in store.results() if r.statistic == "accuracy"}
