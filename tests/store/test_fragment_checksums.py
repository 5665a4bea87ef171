"""A fragment that is not what was written never shows a value: it is refused, found by ``check``, and set aside."""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pytest

from store import fragments, tables
from store.catalog_process import CatalogProcess
from store.errors import BertdynError
from store.results import Result
from store.store import Store
from tests.parameters import first, later
from tests.store.results import result
from tests.synthetic import Copied, make_store, sample_corpus, write_checkpoint

pytestmark = pytest.mark.index

CORPUS = sample_corpus(examples=4)


def two_measures(path: Path) -> Store:
    store = make_store(path, tasks=["sst2"], seeds=["1"], steps=[0], corpora=[CORPUS])
    for measure in ("svcca", "js"):
        store.add_results([result(c, measure=measure, layer=n) for c in store.checkpoints() for n in range(3)])
    return store


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    store = copied(two_measures, tmp_path / "s.bertdyn")
    store.query("select 1 from corpora")
    return store


def files(store: Store, table: str = "*") -> list[Path]:
    """Fragments with rows."""
    return sorted(path for path in store.path.glob(f"tables/{table}/*.parquet") if rows_of(path))


def rows_of(path: Path) -> int:
    with duckdb.connect() as connection:
        return connection.execute(f"select count(*) from '{path}'").fetchall()[0][0]


@contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def in_order(results: list[Result]) -> list[Result]:
    return sorted(results, key=repr)


def problems(store: Store) -> list[str]:
    return sorted(problem.place for problem in store.check().problems)


FLIPS = [16, later(200)]


@pytest.mark.parametrize("many", FLIPS)
def test_a_flipped_bit_never_shows_another_value(store: Store, many: int) -> None:
    rng = random.Random(8)
    for layer in range(10, 16):
        store.add_results([result(store.checkpoints()[0], layer=layer)])
    kept, listed = in_order(store.results()), store.checkpoints()
    sql = {table: f"select * from {table} order by all" for table in ("results", "checkpoints", "corpora")}
    rows = {table: store.query(one).rows for table, one in sql.items()}
    there = files(store)
    assert {path.parent.name for path in there} == {*sql, "inputs"}
    flips = 0
    while flips < many:
        some = [path for path in there if rng.random() < 0.7] or there
        if rng.random() < 0.3:
            some = [path for path in some if path.parent.name in ("checkpoints", "corpora")] or there
        places = sorted(path.relative_to(store.path).as_posix() for path in some)
        harmed = any(path.parent.name in ("results", "inputs") for path in some)
        with ExitStack() as changes:
            for path in some:
                content = path.read_bytes()
                changes.enter_context(changed(path, flipped(content, rng.randrange(8 * len(content)))))
            again = Store.open(store.path) if flips % 2 else store
            assert again.checkpoints() == listed
            for table, one in sql.items():
                if table == "results" and harmed:
                    with pytest.raises(BertdynError, match=r"is damaged.*bertdyn check .* --repair"):
                        again.query(one)
                    with pytest.raises(BertdynError, match="is damaged"):
                        again.results()
                else:
                    assert again.query(one).rows == rows[table]
            assert harmed or in_order(again.results()) == kept
            assert problems(store) == places
        flips += len(some)
    assert in_order(store.results()) == kept
    assert problems(store) == []


def _cut(path: Path, others: list[Path]) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def _emptied(path: Path, others: list[Path]) -> None:
    path.write_bytes(b"")


def _exchanged(path: Path, others: list[Path]) -> None:
    shutil.copyfile(next(other for other in others if other != path), path)


def _remade(path: Path, others: list[Path]) -> None:
    draft = path.with_suffix(".draft")
    with duckdb.connect() as connection:
        connection.execute(f"copy (select * replace (9.0 as value) from '{path}') to '{draft}' (format parquet)")
    os.replace(draft, path)


@pytest.mark.parametrize("harm", first(2, [_cut, _exchanged, _emptied, _remade]))
def test_what_a_damaged_fragment_of_results_costs_and_how_it_is_mended(store: Store, harm) -> None:  # type: ignore[no-untyped-def]
    there = files(store, "results")
    path = there[0]
    content = path.read_bytes()
    harm(path, there)
    for opened in (store, Store.open(store.path), Store.open(store.path, CatalogProcess)):
        with pytest.raises(BertdynError, match=path.name):
            opened.results()
        for sql in ("select count(*) from results", "from svcca", "select 1 from js", "describe results"):
            with pytest.raises(BertdynError, match=path.name):
                opened.query(sql)
        # All else goes on.
        assert len(opened.checkpoints()) == 2
        assert opened.query("select count(*) from checkpoints").rows == [(2,)]
        assert opened.query("select name from corpora").rows == [("dev",)]
        assert opened.query("show tables").rows
        opened.close()
    store.add_results([result(store.checkpoints()[0], layer=9)])
    (store.path / "index.duckdb").unlink()
    store.add_results([result(store.checkpoints()[0], layer=9, measure="rsa")])
    damaged = path.read_bytes()
    report = store.check(repair=True)
    assert [problem.place for problem in report.problems] == [f"tables/results/{path.name}"]
    assert any(path.name in line and "lost, compute them again" in line for line in report.mended)
    assert damaged in [kept.read_bytes() for kept in (store.path / "trash").rglob("*") if kept.is_file()]
    assert damaged != content
    left = store.results()
    assert len(left) == 6 + 2
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as outside:
        assert outside.execute("select layer from rsa").fetchall() == [(9,)]
    assert Store.open(store.path).check().sound


def test_a_file_that_nobody_wrote_is_refused(store: Store) -> None:
    folder = store.path / "tables" / "results"
    shutil.copyfile(files(store, "results")[0], folder / "more.parquet")
    with pytest.raises(BertdynError, match=r"more[.]parquet' was not written by bertdyn"):
        store.results()
    assert problems(store) == ["tables/results/more.parquet"]
    store.check(repair=True)
    assert len(store.results()) == 12


def test_rows_that_were_read_before_the_damage_are_shown_after_it(store: Store) -> None:
    listed, sql = store.checkpoints(), "select * from checkpoints order by all"
    before = store.query(sql).rows
    logs = store.query("select * from training_log").rows
    for table in ("checkpoints", "corpora"):
        for path in files(store, table):
            path.write_bytes(flipped(path.read_bytes(), 999))
    assert store.query(sql).rows == before
    assert store.query("select * from training_log").rows == logs
    assert store.query("select name from corpora").rows == [("dev",)]
    assert store.checkpoints() == listed
    assert not store.check(repair=True).sound
    assert Store.open(store.path).check().sound
    assert Store.open(store.path).query(sql).rows == before


def test_a_store_that_cannot_be_written_shows_its_checkpoints_without_their_table(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.query("select * from checkpoints order by all").rows
    for path in files(store, "checkpoints"):
        path.write_bytes(path.read_bytes()[:-1])
    there = files_in(store)
    monkeypatch.setattr("store.catalog.Catalog.writable", False)
    assert Store.open(store.path).query("select * from checkpoints order by all").rows == before
    assert files_in(store) == there


def files_in(store: Store) -> set[Path]:
    return set((store.path / "tables").rglob("*"))


def _merged(store: Store, above: int = 1) -> Path:
    with duckdb.connect() as connection:
        assert fragments.compact(connection, store.path, tables.RESULTS, above)
    return max((store.path / "tables" / "results").glob("*.parquet"))


def test_damage_is_never_merged_into_a_sound_fragment(store: Store) -> None:
    path = files(store, "results")[0]
    store.add_results([result(store.checkpoints()[0], layer=9)])
    path.write_bytes(flipped(path.read_bytes(), 77))
    _merged(store)
    with pytest.raises(BertdynError, match=path.name):
        store.results()
    store.check(repair=True)
    assert len(store.results()) == 7


def test_while_what_was_merged_is_there_a_damaged_merger_costs_nothing(store: Store) -> None:
    kept = in_order(store.results())
    merger = _merged(store)
    merger.write_bytes(flipped(merger.read_bytes(), 1000))
    assert in_order(store.results()) == kept
    assert store.query("select count(*) from results").rows == [(12,)]
    assert problems(store) == [f"tables/results/{merger.name}"]
    for note in merger.parent.glob("*.replaces.json"):
        os.utime(note, (1, 1))
    with duckdb.connect() as connection:  # the originals must not be removed for it
        fragments.compact(connection, store.path, tables.RESULTS, above=2)
    report = store.check(repair=True)
    assert any(merger.name in line and "in other fragments too" in line for line in report.mended)
    assert in_order(store.results()) == kept
    assert Store.open(store.path).check().sound


def test_a_merger_whose_originals_are_gone_is_missed(store: Store) -> None:
    merger = _merged(store)
    for note in merger.parent.glob("*.replaces.json"):
        for path in set(merger.parent.glob("*.parquet")) - {merger}:
            path.unlink()
        assert note.exists()
    merger.write_bytes(merger.read_bytes()[:-1])
    with pytest.raises(BertdynError, match=merger.name):
        store.results()


def test_a_note_that_cannot_be_read_hides_nothing(store: Store) -> None:
    kept = in_order(store.results())
    merger = _merged(store)
    (note,) = merger.parent.glob("*.replaces.json")
    for content in (b"", b"{", b"\xff", b"3", b'["../checkpoints/x"]', b"[1]"):
        note.write_bytes(content)
        assert in_order(Store.open(store.path).results()) == kept
    assert store.check().sound


def test_a_newer_value_is_not_replaced_by_an_older_one_when_its_fragment_is_damaged(store: Store) -> None:
    old = result(store.checkpoints()[0], layer=1)
    store.add_results([old._replace(value=0.75, computed_at="2026-02-01T00:00:00.000000")])
    newest = files(store, "results")[-1]
    newest.write_bytes(flipped(newest.read_bytes(), 200))
    with pytest.raises(BertdynError, match=newest.name):
        store.results()
    with pytest.raises(BertdynError, match=newest.name):
        store.query("select value from svcca where layer = 1")


def test_a_replaced_checkpoint_shows_its_new_row_when_a_fragment_is_damaged(store: Store) -> None:
    key = store.checkpoints()[0].key
    write_checkpoint(store, CORPUS, key, replace=True, shift=1.0)
    new = {c.key: c.digests["hidden"] for c in store.checkpoints()}
    for path in files(store, "checkpoints")[-1:]:
        path.write_bytes(flipped(path.read_bytes(), 300))
    assert {c.key: c.digests["hidden"] for c in Store.open(store.path).checkpoints()} == new


@pytest.mark.parametrize("many", [2, later(15)])
def test_a_flipped_bit_in_the_note_of_the_index_never_changes_what_sql_shows(
    store: Store, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    on_axes = result(store.checkpoints()[0], measure="weight-change", head=2, axes=(("k", 3), ("alpha", 0.5)))
    store.add_results([on_axes._replace(parameters='{"tokens": "all", "variance": 0.5}')])
    views = ("svcca", "js", "weight_change")  # rows as structs: their columns are named beside the values
    asked = " union all ".join(f"select '{name}' as view, shown::varchar from {name} as shown" for name in views)

    def shown(opened: Store) -> list[tuple[object, ...]]:
        return sorted(opened.query(asked).rows)

    before, note = shown(store), store.path / "tables" / "index.json"
    assert {view for view, _ in before} == set(views)
    assert "'alpha': 0.5" in before[-1][1]
    content, rng = note.read_bytes(), random.Random(3)
    with monkeypatch.context() as patched:
        patched.setattr("store.catalog.Catalog.writable", False)
        for _ in range(many):
            with changed(note, flipped(content, rng.randrange(8 * len(content)))):
                assert shown(store) == before
                assert shown(Store.open(store.path)) == before
    for letter, other in ((b"svcca", b"swcca"), (b"alpha", b"alphc"), (b"variance", b"variancd"), (b"head", b"heae")):
        note.write_bytes(content.replace(letter, other))
        assert note.read_bytes() != content
        assert problems(store) == ["tables/index.json"]
        assert shown(store) == before
        store.add_results([result(store.checkpoints()[0], measure="js", layer=1)])
        assert shown(store) == before
        assert problems(store) == []
