"""Do seeds of two clusters stand side by side, and is it said whether they lie in one basin?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest

from explorer.answers.look import Look
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.render.palette import palette
from explorer.selection import Against, Selection, ask_store
from explorer.views.base import View
from explorer.views.kinds import VIEWS
from explorer.views.maps import barrier_signs, barriers
from store.keys import CheckpointKey
from store.results import Result
from store.store import Store
from tests.store.results import result
from tests.synthetic import make_store

SEEDS = ("1", "2", "3", "4")
PALETTE = palette("256", True)


def view(
    folder: Path, measure: str, statistics: Mapping[str, Mapping[str, float]], sign: str = "", **more: str
) -> View:
    """Draw values of pairs of seeds, by statistic and pair ('12')."""
    made = make_store(folder / "s.bertdyn", tasks=["sst2"], seeds=SEEDS, classes=("negative", "positive"))
    declared = get(measure)
    rows: list[Result] = []
    for one, other in combinations(SEEDS, 2):
        own, reference = (made.checkpoint("dev", CheckpointKey.plain("sst2", seed, 40)) for seed in (other, one))
        about: dict[str, object] = {
            "measure": measure, "version": declared.version, "parameters": canonical(dict(declared.settle({}))),
            "layer": None, "ref_layer": None, **more,
        }  # fmt: skip
        if declared.layers is not None:
            about |= {"layer": 2, "ref_layer": 2}
        if sign:
            stays = ["classifier: that of the reference has other classes"] if other == "4" else []
            about["details"] = json.dumps({"sign": sign if one + other in ("13", "24") else "barrier", "stays": stays})
            points = (("loss", 0.0, 1.0), ("loss", 1.0, 1.0), ("excess", 0.5, -1.0), ("noise", 0.5, 0.1))
            rows += (
                result(own, reference, statistic=name, value=value, axes=(("alpha", alpha),), **about)
                for name, alpha, value in points
            )
        for statistic, of in statistics.items():
            rows.append(result(own, reference, value=of[one + other], statistic=statistic, **about))
    made.add_results(rows)
    return load(made, measure)


def load(store: Store, measure: str) -> View:
    from explorer.selection import Ranges

    chosen = Selection(measure, "dev", tasks=("sst2",), steps=Ranges.one(40), against=Against.parse("seeds"))
    return VIEWS["seed-pairs"].load(store, ask_store(store, chosen), Look(part="cluster"))


FAR = {"12": 0.9, "13": 0.1, "14": 0.9, "23": 0.8, "24": 0.2, "34": 0.9}


def test_similar_seeds_stand_side_by_side_and_keep_their_values(tmp_path: Path) -> None:
    shown = view(tmp_path, "svcca", {get("svcca").main: FAR})
    field = shown.field  # type: ignore[attr-defined]
    order = [str(place) for place in field.axes[0].places]
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset("13"), frozenset("24")}
    assert field.axes[1].places == field.axes[0].places
    for pair, value in FAR.items():
        i, j = map(order.index, pair)
        assert field.values[i, j] == field.values[j, i] == pytest.approx(value)
    notes = shown.draw(90, 20, PALETTE).notes
    assert "two clusters by SVCCA distance: 1, 3 | 2, 4; mean 0.150 within, 0.875 between them" in notes


def test_barriers_are_clustered_by_convexity_gap(tmp_path: Path) -> None:
    """The barriers themselves would give other clusters."""
    other = {"12": 0.0, "13": 0.7, "14": 0.7, "23": 0.7, "24": 0.7, "34": 0.0}
    shown = view(tmp_path, "barrier", {"barrier": other, "convexity-gap": FAR}, "none", annotation="label")
    assert shown.title.startswith("Loss barrier to the other seeds at the same step · sst2")
    notes = shown.draw(90, 20, PALETTE).notes
    assert "6 pairs of seeds: 4 with a clear barrier, 2 without, 0 open" in notes
    assert "two clusters by convexity gap: 1, 3 | 2, 4; mean 0.150 within, 0.875 between them" in notes
    said = "does not move in 3 of 6 values: classifier: that of the reference has other classes"
    assert said in notes
    columns, rows = shown.rows()
    value = columns.index("value")
    assert sorted(row[value] for row in rows) == sorted(other.values())


def test_whether_seeds_lie_in_one_basin_is_one_sentence() -> None:
    assert barriers({"none": 3}) == "no clear barrier between any two seeds: one basin"
    assert barriers({"none": 2, "open": 1}) == "no clear barrier between any two seeds: 1 of 3 pairs are open"
    assert barriers({"barrier": 1}) == "1 pair of seeds: 1 with a clear barrier, 0 without, 0 open"


def test_a_pair_of_seeds_counts_once_and_rows_without_a_sign_do_not() -> None:
    def row(one: str, other: str, sign: str) -> Result:
        return Result("barrier", seed=one, ref_seed=other, details=f'{{"sign": "{sign}"}}')

    rows = [row("2", "1", "barrier"), row("1", "2", "barrier"), row("3", "1", "none"), row("3", "2", "open")]
    assert barrier_signs(rows) == Counter(barrier=1, none=1, open=1)
    assert not barrier_signs([Result("svcca", seed="2", ref_seed="1")])
