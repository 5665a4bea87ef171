"""Is the gap between two corpora the difference of what is stored, with the interval of independent samples?"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.corpora import gap, gap_note, gaps, interval_of_gap
from explorer.answers.look import Look
from explorer.commands.options import questions
from explorer.commands.show import command as show
from explorer.compute.requests import Compute, read_request, request_line
from explorer.compute.run import compute
from explorer.measures import Uncertainty
from explorer.measures.registry import get
from explorer.selection import Selection, ask_store
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.rows import RowQuery
from store.store import Store
from tests.explorer.views.samples import result
from tests.pools import here
from tests.synthetic import LAYERS, make_store, sample_corpus

KEY = CheckpointKey.plain("sst2", "1", 40)
MANY = 2 * 2 * (LAYERS + 1)
"""Values on a corpus: seeds, steps and layers."""
finite = st.floats(-1e3, 1e3)
half = st.floats(0, 1e3)


def on(corpus: str, value: float | None, low: float | None = None, high: float | None = None, **changes: object):
    trust = {"trust": {"interval": "jackknife", "level": changes.pop("level", 0.95)}}
    row = result(KEY, 3, value, interval_low=low, interval_high=high, details=json.dumps(trust), **changes)
    return row._replace(corpus=corpus)


@given(a=finite, b=finite, below=half, above=half, less=half, more=half)
def test_parts_of_the_interval_add_in_squares_and_the_other_gap_is_its_mirror(a, b, below, above, less, more):
    one, other = (a, a - below, a + above), (b, b - less, b + more)
    low, high = interval_of_gap(one, other)
    # Differences are taken from the ends as they are rounded.
    assert (a - b - low) ** 2 == pytest.approx(below**2 + more**2, rel=1e-6, abs=1e-6)
    assert (high - (a - b)) ** 2 == pytest.approx(above**2 + less**2, rel=1e-6, abs=1e-6)
    assert interval_of_gap(other, one) == pytest.approx((-high, -low))


def test_the_interval_of_two_means_covers_their_difference_as_often_as_it_says():
    rng = np.random.default_rng(0)
    draws, z = 4000, 1.959964
    x, y = rng.normal(1, 2, (draws, 50)).mean(1), rng.normal(0, 1, (draws, 20)).mean(1)
    half_x, half_y = z * 2 / 50**0.5, z * 1 / 20**0.5
    ends = [
        interval_of_gap((a, a - half_x, a + half_x), (b, b - half_y, b + half_y)) for a, b in zip(x, y, strict=True)
    ]
    inside = np.mean([low <= 1 <= high for low, high in ends])
    assert inside == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / draws) ** 0.5)


def test_a_gap_is_a_row_of_both_corpora():
    found = gap(on("sst", 0.5, 0.4, 0.6, n=30), on("ewt", 0.9, 0.87, 0.93, n=20, null_value=0.1))
    assert (found.corpus, found.value, found.n, found.null_value) == ("sst - ewt", pytest.approx(-0.4), 20, None)
    width = (0.1**2 + 0.03**2) ** 0.5
    assert (found.interval_low, found.interval_high) == pytest.approx((-0.4 - width, -0.4 + width))
    assert (found.recipe, found.seed, found.step, found.layer) == ("sst2", "1", 40, 3)


def test_a_gap_needs_both_values_and_its_interval_both_of_one_level():
    lost = gap(on("sst", None, reason="too few"), on("ewt", 0.9, 0.8, 1.0))
    assert (lost.value, lost.interval_low, lost.reason) == (None, None, "sst: too few")
    assert gap(on("sst", 0.5, 0.4, 0.6), on("ewt", 0.9)).interval_low is None
    other = gap(on("sst", 0.5, 0.4, 0.6), on("ewt", 0.9, 0.8, 1.0, level=0.9))
    assert (other.value, other.interval_low) == (pytest.approx(-0.4), None)
    assert "different levels" in other.details


def test_gaps_are_of_the_same_place():
    first = [on("a", 1.0), on("a", 2.0)._replace(layer=4), on("a", 3.0)._replace(seed="2")]
    second = [on("b", 0.5)._replace(layer=4), on("b", 0.25)]
    assert [(g.layer, g.seed, g.value) for g in gaps(first, second)] == [(3, "1", 0.75), (4, "1", 1.5)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """RSA of two seeds on corpora of different sizes; on the third corpus nothing is computed."""
    corpora = [sample_corpus(name, examples=count) for name, count in (("in", 24), ("out", 40), ("bare", 8))]
    path = tmp_path_factory.mktemp("corpora") / "a.bertdyn"
    made = make_store(path, tasks=("sst2",), steps=(0, 20), corpora=corpora)
    trust = Uncertainty(interval="jackknife")
    for asked in questions(made, get("rsa"), corpus="in,out", trust=trust):
        assert compute(made, [asked], workers=1, device="cpu", executor=here, trust=trust).ok
    return made


def view(store: Store, name: str, *beside: str, **more: object):
    asked = ask_store(store, Selection("rsa", "in", beside=beside, seeds=("1",), **more))
    return VIEWS[name].load(store, asked, Look(part="corpus", layer=2))


def test_compute_stores_the_same_cells_for_each_corpus(store):
    stored = Counter(r.corpus for r in store.results(RowQuery()) if r.interval_low is not None)
    assert stored == {"in": MANY, "out": MANY}


@pytest.mark.parametrize(("name", "axis"), [("profile", "layer"), ("curves", "step")])
def test_pictures_draw_each_corpus_and_the_gap(store, name, axis):
    shown = view(store, name, "out")
    columns, rows = shown.rows()
    at = {c: i for i, c in enumerate(columns)}
    lines = {
        corpus: {r[at[axis]]: r for r in rows if r[at["corpus"]] == corpus} for corpus in ("in", "out", "in - out")
    }
    assert len({len(line) for line in lines.values()}) == 1
    for place, row in lines["in - out"].items():
        a, b = (lines[corpus][place] for corpus in ("in", "out"))
        assert row[at["value"]] == pytest.approx(a[at["value"]] - b[at["value"]], abs=1e-12)
        ends = [tuple(r[at[c]] for c in ("value", "interval_low", "interval_high")) for r in (a, b)]
        assert (row[at["interval_low"]], row[at["interval_high"]]) == pytest.approx(interval_of_gap(*ends), abs=1e-12)
    assert shown.subtitle.startswith("corpora in, out")
    assert gap_note(shown.data) in shown.notes
    assert shown.data.missing == 0


def test_seeds_give_the_mean_of_their_gaps(store):
    both = [view(store, "profile", "out").rows()[1]]
    asked = ask_store(store, Selection("rsa", "in", beside=("out",)))
    columns, rows = VIEWS["profile"].load(store, asked, Look(part="corpus")).rows()
    at = {c: i for i, c in enumerate(columns)}
    gap_rows = [r for r in rows if r[at["corpus"]] == "in - out"]
    means = {(r[at["corpus"]], r[at["layer"]]): r[at["value"]] for r in rows}
    assert {r[at["seeds"]] for r in gap_rows} == {2}
    assert all(r[at["sd"]] is not None and r[at["interval_low"]] is None for r in gap_rows)
    for r in gap_rows:
        layer = r[at["layer"]]
        assert r[at["value"]] == pytest.approx(means["in", layer] - means["out", layer], abs=1e-12)
    assert both[0] != rows


def test_what_is_missing_on_another_corpus_is_said_with_the_command(store):
    done = CliRunner().invoke(show, ["profile", str(store.path), "--measure", "rsa", "--corpus", "in,bare"])
    assert f"{MANY} of {2 * MANY} values are not computed" in done.stderr
    assert "--corpus in,bare" in done.stderr


def test_a_part_for_one_corpus_draws_one_picture_per_corpus(store):
    asked = [str(store.path), "--measure", "rsa", "--corpus", "in,out", "--part", "step", "--format", "csv"]
    done = CliRunner().invoke(show, ["profile", *asked], catch_exceptions=False)
    assert {line.split(",")[1] for line in done.stdout.splitlines()[1:]} == {"in", "out"}


def test_an_unknown_corpus_is_refused_and_a_request_keeps_all_of_them(store):
    with pytest.raises(BertdynError, match="has no 'nowhere'"):
        ask_store(store, Selection("rsa", "in", beside=("nowhere",)))
    request = Compute(Selection("rsa", "in", beside=("out",)))
    assert read_request(request_line(request)) == request
    assert "corpus in,out" in request.subject


def test_a_job_computes_every_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("explorer.compute.executors.workers_of", lambda *_: here)
    corpora = [sample_corpus(name, examples=8) for name in ("a", "b")]
    path = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20), corpora=corpora).path
    done = Compute(Selection("rsa", "a", beside=("b",)), workers=1, device="cpu").run(path, lambda update: None)
    assert (done.ok, done.computed) == (True, 2 * 2 * (LAYERS + 1))
