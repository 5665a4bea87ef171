"""Many fragments: merging them helps the next reader, and no reader misses a row meanwhile."""

import os
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from store import fragments, tables
from store.results import stored_row
from store.sound_fragments import SoundFragments
from store.store import Store
from tests.store.results import result
from tests.synthetic import make_store, sample_corpus

pytestmark = pytest.mark.index

CORPUS = sample_corpus(examples=4)
MANY = 24


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "COMPACT_ABOVE", 20)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with many fragments of results, as processes that never merge would leave it."""
    store = make_store(
        tmp_path_factory.mktemp("crowd") / "s.bertdyn", tasks=["sst2"], seeds=["1"], steps=[20], corpora=[CORPUS]
    )
    of = store.checkpoints()[0]
    store.add_results([result(of, layer=0, value=0.0)])
    with duckdb.connect() as connection:
        for layer in range(1, MANY):
            row = stored_row(result(of, layer=layer, value=float(layer)), ())
            fragments.write(connection, store.path, tables.RESULTS, [row])
    return store.path


@pytest.fixture
def store(crowd: Path, tmp_path: Path) -> Store:
    return Store.open(shutil.copytree(crowd, tmp_path / "s.bertdyn"))


def read_by(store: Store) -> list[str]:
    """Names of the fragments that a reader reads."""
    return [path.name for path in SoundFragments(store.path).find(tables.RESULTS).paths]


def in_place(store: Store) -> list[str]:
    return sorted(path.name for path in store.path.glob("tables/results/*.parquet"))


ALL = [(float(layer),) for layer in range(MANY)]
SQL = "select value from svcca order by value"


def merge(store: Store) -> None:
    with duckdb.connect() as connection:
        assert fragments.compact(connection, store.path, tables.RESULTS)


def test_who_reads_many_twice_merges_them(store: Store) -> None:
    for _ in range(3):
        assert len(store.results()) == MANY
    assert len(read_by(store)) == 1


def test_repair_merges(store: Store) -> None:
    assert store.check(repair=True).sound
    assert len(read_by(store)) == 1
    assert store.query(SQL).rows == ALL


def test_the_next_reader_reads_only_what_was_merged(store: Store) -> None:
    assert len(read_by(store)) > MANY
    assert store.query(SQL).rows == ALL
    merge(store)
    assert len(read_by(store)) == 1
    assert len(in_place(store)) > MANY, "another reader may just have listed them"
    again = Store.open(store.path)
    assert again.query(SQL).rows == ALL
    assert sorted(r.value for r in again.results()) == [value for (value,) in ALL]
    # What is left of the originals is not even opened.
    for name in set(in_place(store)) - set(read_by(store)):
        (store.path / "tables" / "results" / name).write_bytes(b"")
    assert Store.open(store.path).query(SQL).rows == ALL


def test_a_reader_that_may_not_write_reads_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    there = in_place(store)
    monkeypatch.setattr("store.catalog.Catalog.writable", False)
    assert store.query(SQL).rows == ALL
    assert len(store.results()) == len(store.results()) == MANY
    assert in_place(store) == there


def test_a_listing_in_the_middle_of_a_merge_misses_nothing(store: Store) -> None:
    before = read_by(store)
    merge(store)
    (merged,) = read_by(store)
    folder = store.path / "tables" / "results"
    note = fragments.note_of(folder / merged)
    content = note.read_bytes()
    note.unlink()
    assert read_by(store) == [*before, merged]  # the fragment is in place, its note not yet
    note.write_bytes(content)
    (folder / merged).rename(folder / ".hidden")
    assert read_by(store) == before  # a listing met the note, but not the fragment
    assert Store.open(store.path).query(SQL).rows == ALL


def test_originals_go_after_a_while(store: Store) -> None:
    merge(store)
    (merged,) = read_by(store)
    for note in store.path.glob("tables/results/*.replaces.json"):
        os.utime(note, (time.time() - fragments.GRACE_SECONDS - 1,) * 2)
    store.add_results([result(store.checkpoints()[0], layer=MANY, value=float(MANY))])
    assert merged in in_place(store)
    assert len(in_place(store)) == 2
    assert len(store.results()) == MANY + 1


def test_what_is_large_is_not_written_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    merge(store)
    (merged,) = read_by(store)
    monkeypatch.setattr(fragments, "SMALL_BYTES", os.stat(store.path / "tables" / "results" / merged).st_size)
    of = store.checkpoints()[0]
    with duckdb.connect() as connection:
        for value in (100.0, 200.0, 300.0):
            row = stored_row(result(of, layer=7, value=value, computed_at=f"2027-01-0{value:.0f}"), ())
            fragments.write(connection, store.path, tables.RESULTS, [row])
        assert fragments.compact(connection, store.path, tables.RESULTS, above=2)
    assert len(read_by(store)) == 2
    assert merged in read_by(store)
    assert [r.value for r in store.results() if r.layer == 7] == [300.0]


def test_fragments_with_other_columns_are_read_together(store: Store) -> None:
    of = store.checkpoints()[0]
    draft = store.path / "tables" / "more.parquet"
    with duckdb.connect() as connection:
        columns = ", ".join(tables.RESULTS.columns)
        row = stored_row(result(of, layer=MANY, value=float(MANY)), ())
        fragments.write(connection, store.path, tables.RESULTS, [row])
        newest = in_place(store)[-1]
        connection.execute(
            f"copy (select 'new' as a_later_column, {columns} from '{store.path}/tables/results/{newest}') "
            f"to '{draft}' (format parquet)"
        )
        (store.path / "tables" / "results" / newest).unlink()
        fragments.adopt(connection, store.path, tables.RESULTS, draft)
    for _ in range(2):  # before and after they are merged
        assert Store.open(store.path).query(SQL).rows == [*ALL, (float(MANY),)]
        assert len(store.results()) == MANY + 1
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as outside:
        assert outside.execute(SQL).fetchall() == [*ALL, (float(MANY),)]
