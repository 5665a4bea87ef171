"""A row depends on the split that the corpus has, or on there being none, and on labels that a parameter names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.compute.plan import coverage
from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from store.corpora.annotations import make_annotation
from store.results import Result
from store.rows import RowQuery, rows_of
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store

PROBE = Selection("probe", "dev", tasks=("sst2",), seeds=("1",))


def computed(store: Store) -> list[Result]:
    compute(store, [ask_store(store, PROBE)], device="cpu", executor=here)
    return [r for r in store.results(RowQuery(rows_of("probe"))) if r.statistic == "accuracy"]


def split(store: Store, test: int) -> None:
    """Put the last examples into test."""
    examples = store.corpus("dev").info.examples
    ids = (np.arange(examples) >= examples - test).astype(np.int64)
    store.annotate("dev", make_annotation("split", "sentence", "split", ("train", "test"), ids), replace=True)


def test_a_split_that_is_added_or_replaced_makes_values_old_and_new_ones_use_it(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",))
    first = computed(store)
    assert {r.layer for r in first} == set(range(4))
    assert coverage(store, ask_store(store, PROBE)).missing == 0
    split(store, 10)
    assert store.results(RowQuery(rows_of("probe"))) == []
    assert coverage(store, ask_store(store, PROBE)).missing == 3
    assert {r.n for r in computed(store)} == {10}
    split(store, 12)
    assert store.results(RowQuery(rows_of("probe"))) == []
    assert {r.n for r in computed(store)} == {12}
    assert store.query("select count(*) from probe where statistic = 'accuracy'").rows == [(3 * 4,)]


def test_a_split_of_one_corpus_leaves_values_of_others_alone(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",))
    svcca = Selection("svcca", "dev", tasks=("sst2",), seeds=("1",))
    compute(store, [ask_store(store, svcca)], device="cpu", executor=here)
    before = sorted(store.results(RowQuery(rows_of("svcca"))), key=str)
    split(store, 10)
    assert sorted(store.results(RowQuery(rows_of("svcca"))), key=str) == before
