"""A store as the explorer meets it: some seeds of one run, and what two measures say of them."""

from __future__ import annotations

from pathlib import Path

from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store, sample_corpus


def make_computed(path: Path) -> Store:
    """Three seeds of twelve layers and four steps, SVCCA from the pre-trained model, clusters of four labels."""
    corpus = sample_corpus("dev", labels=("entails", "neutral", "contradicts", "other"), examples=24)
    steps = (0, 60, 120, 180)
    store = make_store(path, tasks=("sst2",), seeds=("1", "2", "3"), steps=steps, layers=12, corpora=[corpus])
    asked = [ask_store(store, Selection(measure, "dev")) for measure in ("svcca", "clusters")]
    assert compute(store, asked, workers=1, device="cpu", executor=here).ok
    return store


def compute_here(store: Store, *selections: Selection) -> None:
    """Compute selections without child processes."""
    for selection in selections:
        assert compute(store, [ask_store(store, selection)], workers=1, device="cpu", executor=here).ok
