"""Does the cache give back what was kept, and never anything else?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store import shelf as shelves
from store.keys import CheckpointKey
from store.shelf import kept_bytes
from store.store import Store
from tests.synthetic import make_store, sample_corpus, write_checkpoint

KEY = ("linear", "3/abc/def/dev", "all")
ARRAYS = {"mean": np.arange(5.0), "vectors": np.eye(3)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "s.bertdyn")


def only_file(store: Store) -> Path:
    (path,) = (store.path / "kept").glob("*/*")
    return path


def test_what_was_kept_comes_back_in_any_process(store: Store) -> None:
    store.shelf().put(KEY, ARRAYS)
    found = Store.open(store.path).shelf().get(KEY)
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    assert all((found[name] == ARRAYS[name]).all() for name in ARRAYS)
    assert kept_bytes(store.path) > 100


def test_another_key_is_another_thing(store: Store) -> None:
    store.shelf().put(KEY, ARRAYS)
    assert store.shelf().get((*KEY, "zscore")) is None
    assert store.shelf().get(("linear", "3/abc/def/dev\0all")) is None


def test_the_newest_of_a_key_stays(store: Store) -> None:
    store.shelf().put(KEY, ARRAYS)
    store.shelf().put(KEY, {"mean": np.zeros(2)})
    found = store.shelf().get(KEY)
    assert found is not None
    assert list(found) == ["mean"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_file_is_no_file(store: Store, damage: str) -> None:
    store.shelf().put(KEY, {"vectors": np.random.default_rng(0).standard_normal((50, 50))})
    path = only_file(store)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"flip": bytes(content), "cut": bytes(content[:9000]), "empty": b""}[damage])
    assert store.shelf().get(KEY) is None
    store.shelf().put(KEY, ARRAYS)
    assert store.shelf().get(KEY) is not None


def test_no_pickle_is_ever_loaded(store: Store) -> None:
    store.shelf().put(KEY, ARRAYS)
    np.savez(only_file(store), key=np.array(list(KEY)), mean=np.array([object()], dtype=object))
    assert store.shelf().get(KEY) is None


def test_a_full_or_read_only_disk_keeps_nothing_and_says_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "SPARE", 2**62)
    store.shelf().put(KEY, ARRAYS)
    assert store.shelf().get(KEY) is None
    monkeypatch.undo()
    (store.path / "kept").write_text("in the way")
    store.shelf().put(KEY, ARRAYS)
    assert store.shelf().get(KEY) is None


def test_repair_removes_what_belongs_to_no_checkpoint(tmp_path: Path) -> None:
    corpus = sample_corpus()
    store = make_store(tmp_path / "s.bertdyn", tasks=("pos",), seeds=("1",), steps=(20,), corpora=[corpus])
    key = CheckpointKey.plain("pos", "1", 20)
    old = store.checkpoint("dev", key).digests["hidden"]
    write_checkpoint(store, corpus, key, replace=True, shift=0.5)
    new = store.checkpoint("dev", key).digests["hidden"]
    store.shelf().put(("linear", f"1/{old}/x/dev"), ARRAYS)
    store.shelf().put(("linear", f"1/{new}/x/dev"), ARRAYS)
    (store.path / "kept" / "zz").mkdir()
    (store.path / "kept" / "zz" / "draft.tmp").write_bytes(b"half")
    report = store.check(repair=True)
    assert any("removed 2 kept arrays" in line for line in report.mended)
    assert store.shelf().get(("linear", f"1/{new}/x/dev")) is not None
    assert store.shelf().get(("linear", f"1/{old}/x/dev")) is None
