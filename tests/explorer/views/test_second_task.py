"""The lines of a second chosen task beside those of the first one."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest

from explorer.answers.fetching import fetch
from explorer.answers.look import Look
from explorer.compute.run import compute
from explorer.render.palette import Depth, palette
from explorer.selection import Selection, ask_store
from explorer.views.base import Cursor
from explorer.views.kinds import VIEWS
from explorer.views.lines import Lines
from store.keys import PRETRAINED, CheckpointKey
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store, sample_corpus, write_checkpoint


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two seeds of two tasks; the second one has no step 20, and a step 30 of its own."""
    made = make_store(tmp_path_factory.mktemp("second") / "a.bertdyn", tasks=("pos",))
    for seed in ("1", "2"):
        for step in (0, 30, 40):
            write_checkpoint(made, sample_corpus(), CheckpointKey.of("sst2", seed, step))
    asked = ask_store(made, Selection("svcca", "dev"))
    assert compute(made, [asked], workers=1, device="cpu", executor=here).ok
    return made


def means(store: Store, task: str) -> dict[tuple[int, int], float]:
    """Means over seeds by (layer, step), from the rows."""
    found: dict[tuple[int, int], list[float]] = {}
    for r in store.results():
        if (r.task, r.ref_task, r.measure) == (task, PRETRAINED, "svcca") and r.layer is not None:
            found.setdefault((r.layer, r.step), []).append(r.value or 0.0)
    return {place: fmean(values) for place, values in found.items()}


def view(store: Store, name: str, part: str, *tasks: str) -> Lines:
    question = ask_store(store, Selection("svcca", "dev", tasks=tasks))
    made = VIEWS[name].load(store, question, Look(part=part))
    assert isinstance(made, Lines)
    return made


def test_the_second_task_is_drawn_beside_each_layer_at_common_steps(store: Store) -> None:
    curves, there = view(store, "curves", "layer", "pos", "sst2"), means(store, "sst2")
    assert curves.task == "pos"
    for layer, series in zip(curves.y.places, curves.chart.chart.series, strict=True):
        (beside,) = (c for c in series.companions if c.label == "sst2")
        assert beside.dashed
        expected = [there.get((int(str(layer)), step), np.nan) for step in (0, 20, 40)]
        assert np.isnan(expected[1])
        np.testing.assert_allclose(beside.y, expected)


def test_in_a_profile_it_stands_beside_the_same_step(store: Store) -> None:
    profile, there = view(store, "profile", "step", "pos", "sst2"), means(store, "sst2")
    for step, series in zip(profile.y.places, profile.chart.chart.series, strict=True):
        beside = [c for c in series.companions if c.label == "sst2"]
        if step == 20:
            assert beside == []
        else:
            np.testing.assert_allclose(beside[0].y, [there[layer, int(str(step))] for layer in range(4)])


def test_note_and_reading_name_it(store: Store) -> None:
    curves = view(store, "curves", "layer", "pos", "sst2")
    picture = curves.draw(110, 30, palette(Depth.NONE), Cursor(2, 3))
    assert "sst2 is dashed, beside the line pointed at" in picture.notes
    assert f"; sst2 {means(store, 'sst2')[3, 40]:.3f}" in picture.reading
    text = "\n".join("".join(s.text for s in line) for line in picture.lines)
    assert "sst2" in text


def test_one_task_alone_and_pictures_of_seeds_have_none(store: Store) -> None:
    for made in (view(store, "curves", "layer", "pos"), view(store, "curves", "seed", "pos", "sst2")):
        assert made.second == ""
        assert not any(c.label == "sst2" for s in made.chart.chart.series for c in s.companions)
    assert fetch(store, ask_store(store, Selection("svcca", "dev", tasks=("pos",)))).tasks == ("pos",)
