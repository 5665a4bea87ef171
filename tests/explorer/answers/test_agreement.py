"""Do the points and rank correlations of two measures follow from the rows of the store?"""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.answers import overview
from explorer.answers.agreement import Agreement, agreement
from explorer.answers.fetching import fetch_first
from explorer.answers.look import Look
from explorer.answers.profiles import rank_correlation
from explorer.compute.run import compute
from explorer.measures.registry import get
from explorer.pages.agreement import COLUMNS, AgreementView
from explorer.render.palette import Depth, palette
from explorer.selection import Against, Ranges, Selection, ask_store
from explorer.views.base import Cursor
from explorer.views.kinds import VIEWS
from store.keys import PRETRAINED
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store

Points = dict[tuple[int, int], tuple[float, float]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two seeds; SVCCA and CKA from the pre-trained model and from the checkpoint before, JS of seed 1 alone."""
    made = make_store(tmp_path_factory.mktemp("agreement") / "a.bertdyn", tasks=("sst2",))
    for measure, seeds, against in (
        ("svcca", (), PRETRAINED),
        ("cka", (), PRETRAINED),
        ("js", ("1",), PRETRAINED),
        ("svcca", (), "previous"),
        ("cka", (), "previous"),
    ):
        asked = Selection(measure, "dev", seeds=seeds, against=Against.parse(against))
        assert compute(made, [ask_store(made, asked)], workers=1, device="cpu", executor=here).ok
    return made


def found(store: Store, measure: str = "svcca", **choices: object) -> Agreement:
    question = ask_store(store, Selection(measure, "dev", **choices))  # type: ignore[arg-type]
    return agreement(store, question, Look(), fetch_first(store, question))


def by_hand(store: Store, measures: Sequence[str], seeds: Sequence[str], before: bool = False) -> tuple[Points, int]:
    """Means over seeds of two measures by (step, layer), from the rows; and how many were left out as rounding."""
    values: dict[tuple[int, int], dict[str, list[float]]] = {}
    for r in store.results():
        whole = (r.head, r.example, r.query, r.statistic) == (None, None, None, "") and r.ref_layer in (None, r.layer)
        compared = (r.ref_task != PRETRAINED) is before
        if whole and compared and r.measure in measures and r.seed in seeds and r.layer is not None:
            values.setdefault((r.step, r.layer), {}).setdefault(r.measure, []).append(r.value or 0.0)
    same = {"svcca": 0.0, "cka": 1.0, "js": 0.0}
    pairs = {
        place: (fmean(of[measures[0]]), fmean(of[measures[1]]))
        for place, of in sorted(values.items())
        if set(of) == set(measures)
    }
    kept = {
        place: pair
        for place, pair in pairs.items()
        if all(abs(value - same[name]) >= get(name).floor for name, value in zip(measures, pair, strict=True))
    }
    return kept, len(pairs) - len(kept)


def alike(points: Mapping[tuple[int, int], tuple[float, float]], expected: Points) -> bool:
    """Whether points are those expected, in their order."""
    ours = [number for pair in points.values() for number in pair]
    return list(points) == list(expected) and ours == pytest.approx([v for pair in expected.values() for v in pair])


@pytest.mark.parametrize(("other", "seeds", "turned"), [("cka", ("1", "2"), -1), ("js", ("1",), 1)])
def test_points_are_means_over_common_seeds_and_ranks_are_scipys(
    store: Store, other: str, seeds: Sequence[str], turned: int
) -> None:
    (one,) = (p for p in found(store).pairings if p.measure.name == other)
    expected, noise = by_hand(store, ("svcca", other), seeds)
    assert len(expected) > 3
    assert alike(one.points, expected)
    assert one.noise == noise > 0, "step 0 is the pre-trained model itself"
    ours, theirs = zip(*expected.values(), strict=True)
    rho = spearmanr(ours, [turned * value for value in theirs]).statistic
    assert one.rho == pytest.approx(rho), "of a similarity, how far it lies below 1"


def test_measures_are_compared_with_the_same_reference(store: Store) -> None:
    there = found(store, against=Against.parse("previous")).pairings
    assert [p.measure.name for p in there] == ["cka"]
    assert alike(there[0].points, by_hand(store, ("svcca", "cka"), ("1", "2"), before=True)[0])


def test_two_points_have_no_rank_correlation(store: Store) -> None:
    few = found(store, steps=Ranges.one(40), layers=Ranges.parse("2-3", "layer"))
    (one,) = (p for p in few.pairings if p.measure.name == "cka")
    assert (len(one.points), one.rho) == (2, None)
    assert "no order, n = 2" in AgreementView(few).read(None)


def test_the_view_reads_marks_and_lists_each_point(store: Store) -> None:
    question = ask_store(store, Selection("svcca", "dev"))
    view = VIEWS["agreement"].load(store, question)
    assert isinstance(view, AgreementView)
    assert view.places("step") == [20, 40]
    picture = view.draw(100, 30, palette(Depth.NONE), Cursor(1, 3))
    one = next(p for p in view.found.pairings if p.measure.name == "cka")
    svcca, cka = one.points[40, 3]
    assert picture.reading.startswith(f"layer 3, step 40: svcca {svcca:.3f}; ")
    assert f"cka {cka:.3f}" in picture.reading
    text = "\n".join("".join(s.text for s in line) for line in picture.lines)
    assert text.count("◆") == 2, "in both panels"
    columns, rows = view.rows()
    assert columns == COLUMNS
    assert len(rows) == sum(len(p.points) for p in view.found.pairings)
    assert {row[columns.index("spearman")] for row in rows} == {p.rho for p in view.found.pairings}


def test_without_another_measure_it_says_so(store: Store) -> None:
    alone = replace(found(store), pairings=())
    view = AgreementView(alone)
    assert view.empty
    text = "\n".join("".join(s.text for s in line) for line in view.draw(80, 20, palette(Depth.NONE)).lines)
    assert "No other measure has values" in text


def test_the_overview_opens_it(store: Store) -> None:
    question = ask_store(store, Selection("svcca", "dev"))
    findings = overview.others(store, question, Look(), fetch_first(store, question)).findings
    (one,) = (f for f in findings if f.topic == overview.AGREE)
    assert one.door is not None
    assert one.door.view == "agreement"


def test_each_point_is_drawn_as_its_layer(store: Store) -> None:
    (one,) = (p for p in found(store).pairings if p.measure.name == "cka")
    view = AgreementView(replace(found(store), pairings=(one,)))
    lines = view.draw(160, 60, palette(Depth.NONE)).lines
    plot = "".join("".join(s.text for s in line)[8:] for line in lines[2:-2])
    for layer in {layer for _, layer in one.points}:
        assert 1 <= plot.count(str(layer)) <= sum(1 for _, other in one.points if other == layer)


def test_the_largest_value_is_that_of_the_chosen_measure(store: Store) -> None:
    view = AgreementView(found(store, "cka"))
    steps, layers = view.places("step"), view.places("layer")
    expected, _ = by_hand(store, ("cka", "svcca"), ("1", "2"))
    order = [(steps[at.x], layers[at.y]) for at in view.ranked()]
    assert order == sorted(expected, key=lambda place: expected[place][0]), "farthest below 1 first"


@pytest.mark.parametrize("width", [12, 18, 26, 60])
def test_a_heading_keeps_its_rank_correlation(store: Store, width: int) -> None:
    (one,) = (p for p in found(store).pairings if p.measure.name == "cka")
    named = replace(one, annotation="a long name of labels")
    view = AgreementView(replace(found(store), pairings=(named,)))
    top = "".join(s.text for s in view.draw(width, 12, palette(Depth.NONE)).lines[0]).rstrip()
    assert top.startswith("cka")
    assert f"{one.rho:+.2f}" in top
    assert (f"n = {len(one.points)}" in top) == (width == 60)


def test_an_axis_has_a_whole_name(store: Store) -> None:
    view = AgreementView(found(store))
    lines = {width: view.draw(width, 14, palette(Depth.NONE)).lines[1] for width in (50, 160)}
    names = {width: "".join(segment.text for segment in line) + " " for width, line in lines.items()}
    assert "Attention JS divergence (bits)" in names[160]
    assert "Attention" not in names[50]
    assert " js " in names[50]


def test_ranks_of_many_points_take_little_memory() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.integers(0, 50, (2, 8000)).tolist()
    tracemalloc.start()
    rho = rank_correlation(ours, theirs)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rho == pytest.approx(spearmanr(ours, theirs).statistic)
    assert most < 10e6


@pytest.mark.parametrize("size", [(40, 12), (100, 30)])
def test_each_point_that_can_be_jumped_to_is_marked_there(store: Store, size: tuple[int, int]) -> None:
    view = AgreementView(found(store))
    targets = view.draw(*size, palette(Depth.NONE)).targets
    assert targets
    for target in targets:
        lines = view.draw(*size, palette(Depth.NONE), Cursor(target.column, target.row)).lines
        assert "".join(s.text for s in lines[target.y])[target.x] == "◆"
