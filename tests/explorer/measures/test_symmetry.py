"""Is a measure that says that it is symmetric the same in both directions, and is each other one asked in both?"""

from __future__ import annotations

import numpy as np
import pytest

from explorer.answers.fetching import fetch
from explorer.answers.look import Look
from explorer.compute.run import compute
from explorer.measures.registry import get
from explorer.selection import Against, Question, Ranges, Selection, ask_store
from explorer.views.kinds import VIEWS
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store, sample_corpus

SYMMETRIC = ("svcca", "cca", "cka", "procrustes", "shape", "rsa", "js", "spatial-similarity", "churn")
DIRECTED = (
    "pwcca", "attention-entropy-change", "sink-mass-change", "centroid-movement", "label-distance-change", "output-kl",
)  # fmt: skip
SEEDS = ("1", "2", "3")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path, names = tmp_path_factory.mktemp("symmetry") / "s.bertdyn", ("negative", "neutral", "positive")
    return make_store(
        path, tasks=["sst2"], seeds=SEEDS, steps=(40,), corpora=[sample_corpus(labels=names)], classes=names
    )


def asked(store: Store, measure: str, against: str = "seeds", **choices: object) -> Question:
    layers = Ranges.one(3) if get(measure).layers else None
    chosen = Selection(measure, "dev", tasks=("sst2",), layers=layers, against=Against.parse(against), **choices)  # type: ignore[arg-type]
    return ask_store(store, chosen)


def computed(store: Store, question: Question) -> dict[tuple[str, str | None, str, str | None], float]:
    """Compute all values. Return them by seed, other seed, statistic and label."""
    assert compute(store, [question], workers=1, device="cpu", executor=here).ok
    rows = fetch(store, question).results
    return {(r.seed, r.ref_seed, r.statistic, r.label_a): r.value for r in rows if r.value is not None and not r.head}


@pytest.mark.parametrize("measure", [*SYMMETRIC, *DIRECTED])
def test_exchanging_two_checkpoints_keeps_the_value_of_a_symmetric_measure_alone(store: Store, measure: str) -> None:
    one = computed(store, asked(store, measure, "sst2/2/40", seeds=("1",)))
    other = computed(store, asked(store, measure, "sst2/1/40", seeds=("2",)))
    at = {place: ("2", "1", *place[2:]) for place in one if place[2] != "mantel_p"}  # p is that of a random sample
    pairs = [(one[place], other[there]) for place, there in at.items()]
    assert pairs
    assert get(measure).symmetric is all(a == pytest.approx(b, rel=1e-5, abs=1e-7) for a, b in pairs)


@pytest.mark.parametrize("measure", SYMMETRIC)
def test_two_seeds_are_compared_once_by_a_symmetric_measure(store: Store, measure: str) -> None:
    found = {place[:2] for place in computed(store, asked(store, measure))}
    assert found == {("2", "1"), ("3", "1"), ("3", "2")}
    assert get(measure).comparisons(len(SEEDS)) == len(found)


@pytest.mark.parametrize("measure", DIRECTED)
def test_two_seeds_are_compared_in_both_directions_by_every_other_one(store: Store, measure: str) -> None:
    found = {place[:2] for place in computed(store, asked(store, measure))}
    assert found == {(a, b) for a in SEEDS for b in SEEDS if a != b}
    assert get(measure).comparisons(len(SEEDS)) == len(found)
    assert {place[:2] for place in computed(store, asked(store, measure, seeds=("1",)))} == {("1", "2"), ("1", "3")}


def test_the_matrix_of_seeds_shows_each_direction_with_its_own_sign(store: Store) -> None:
    question = asked(store, "attention-entropy-change", steps=Ranges.one(40))
    values = computed(store, question)
    view = VIEWS["seed-pairs"].load(store, question, Look())
    shown = np.asarray(view.field.values)  # type: ignore[attr-defined]
    order = list(view.field.axes[0].places)  # type: ignore[attr-defined]
    assert np.nan_to_num(shown + shown.T) == pytest.approx(0, abs=1e-6)
    for (seed, other, *_), value in values.items():
        assert shown[order.index(seed), order.index(other)] == pytest.approx(value)
    columns, rows = view.rows()
    places = [columns.index(name) for name in ("seed", "other_seed", "value")]
    found = {(str(row[places[0]]), str(row[places[1]])): row[places[2]] for row in rows}
    assert found == {place[:2]: pytest.approx(value) for place, value in values.items()}
