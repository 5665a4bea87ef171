"""Listings, kept values and SQL: they show what is in place now, from inside bertdyn and from outside."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from store import fragments, layout, tables
from store.catalog_process import CatalogProcess
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, Checkpoint, CheckpointKey
from store.reads import ReadStore
from store.rows import AnyOf, Is, Not, RowQuery, rows_of
from store.store import Store
from store.tables import DeclaredMeasure
from tests.store.results import result
from tests.synthetic import Copied, make_store, sample_corpus, write_checkpoint

pytestmark = pytest.mark.index

CORPUS = sample_corpus()
KEY, FIRST = CheckpointKey.plain("sst2", "1", 20), CheckpointKey.plain("sst2", "1", 0)


def two_steps(path: Path) -> Store:
    return make_store(path, tasks=["sst2"], seeds=["1"], steps=[0, 20])


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(two_steps, tmp_path / "s.bertdyn")


def by_key(store: Store) -> dict[CheckpointKey, Checkpoint]:
    return {c.key: c for c in store.checkpoints()}


def outside(store: Store, sql: str) -> list[tuple]:
    """What another program's DuckDB says, in a process of its own and another working folder and time zone."""
    code = "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.path / "index.duckdb"), sql],
        capture_output=True, text=True, cwd="/", env={**os.environ, "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return eval(done.stdout)


def everywhere(store: Store, sql: str) -> list[tuple]:
    """The answer of this store, of one opened anew, and of an outside client: all the same."""
    answers = [store.query(sql).rows, Store.open(store.path).query(sql).rows, outside(store, sql)]
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


def test_which_checkpoints_are_there(store: Store) -> None:
    listed = store.checkpoints()
    assert [c.key for c in listed] == [PRETRAINED_KEY, FIRST, KEY]
    assert listed == store.checkpoints("dev") == Store.open(store.path).checkpoints()
    about = listed[2]
    assert about == store.checkpoint("dev", KEY)
    assert (about.layers, about.heads, about.width, about.dtype, ("attention" in about.digests)) == (
        3,
        2,
        16,
        "float16",
        True,
    )
    assert (about.epoch, about.loss, dict(about.metrics)) == (0.5, 1 / 21, {"eval_accuracy": 0.7})
    assert about.bytes > 2 * (4 * CORPUS.info.tokens * 16 + 3 * 2 * CORPUS.info.pairs)
    assert store.attributes("dev", KEY)["weights_size"] == 1
    assert len({c.digests["hidden"] for c in listed}) == 2  # step 0 is the pre-trained model itself


def test_sql_says_what_the_readme_promises(store: Store) -> None:
    sql = "select task, seed, step, metrics['eval_accuracy'] from checkpoints order by all"
    assert everywhere(store, sql) == [("pretrained", "0", 0, 0.5), ("sst2", "1", 0, 0.5), ("sst2", "1", 20, 0.7)]
    assert everywhere(store, "select task, checkpoints, last_step, corpora from runs order by task") == [
        ("pretrained", 1, 0, ["dev"]),
        ("sst2", 2, 20, ["dev"]),
    ]
    sql = "select task, step, name, value from training_log where step > 0"
    assert everywhere(store, sql) == [("sst2", 20, "loss", 1 / 21)]
    store.query("select 1 from corpora")
    assert everywhere(store, "select name, examples, annotations from corpora") == [("dev", 40, ["label"])]
    sql = "select annotation, level, kind, labels, count from annotations"
    assert everywhere(store, sql) == [("label", "sentence", "class", ["negative", "positive"], 40)]


def test_a_log_that_every_checkpoint_repeats_shows_once(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    store.add_corpus(CORPUS)
    entry = {"step": 10, "epoch": 0.5, "name": "loss", "value": 0.25}
    for step in (10, 20):
        log = [entry, {**entry, "step": 20, "value": 0.125}][: step // 10]
        with store.writer(
            "dev", CheckpointKey.plain("t", "1", step), layers=1, heads=1, width=1, dtype="float16", attentions=False,
            attributes={"training_log": log},
        ) as out:  # fmt: skip
            out.append(CORPUS.token_ids.reshape(1, -1, 1).repeat(2, axis=0), None)
            out.commit()
    assert everywhere(store, "select step, value from training_log order by step") == [(10, 0.25), (20, 0.125)]


def test_a_checkpoint_that_went_away_is_gone_everywhere(store: Store) -> None:
    found = by_key(store)
    store.add_results([result(found[KEY], found[PRETRAINED_KEY]), result(found[PRETRAINED_KEY])])
    shutil.rmtree(layout.checkpoint_path(store.path, "dev", KEY))
    assert KEY not in by_key(store)
    assert everywhere(store, "select task from checkpoints where step = 20") == []
    assert [r.task for r in store.results()] == ["pretrained"]
    assert everywhere(store, "select task from svcca") == [("pretrained",)]


def test_a_folder_without_a_row_is_listed_all_the_same(store: Store) -> None:
    for path in store.path.glob("tables/checkpoints/*"):
        path.unlink()
    again = Store.open(store.path)
    assert again.checkpoints() == store.checkpoints()
    assert everywhere(again, "select count(*) from checkpoints") == [(3,)]


def test_a_row_of_a_predecessor_is_not_shown_even_when_the_new_row_was_lost(store: Store) -> None:
    rows = set(store.path.glob("tables/checkpoints/*.parquet"))
    old = by_key(store)[KEY]
    write_checkpoint(store, CORPUS, KEY, replace=True, shift=1.0)
    for path in set(store.path.glob("tables/checkpoints/*.parquet")) - rows:
        path.unlink()
    assert outside(store, "select count(*) from checkpoints where step = 20") == [(0,)]
    new = by_key(Store.open(store.path))[KEY]
    assert new.digests["hidden"] != old.digests["hidden"]
    assert everywhere(store, "select digests['hidden'] from checkpoints where step = 20") == [(new.digests["hidden"],)]


@pytest.mark.parametrize("side", ["measured", "reference"])
def test_values_of_a_replaced_checkpoint_are_never_shown(store: Store, side: str) -> None:
    found = by_key(store)
    kept = result(found[FIRST], found[PRETRAINED_KEY])
    lost = result(found[KEY], found[FIRST]) if side == "measured" else result(found[FIRST], found[KEY])
    store.add_results([kept, lost])
    assert len(store.results()) == 2
    write_checkpoint(store, CORPUS, KEY, replace=True, shift=1.0)
    assert store.results() == [kept]
    assert everywhere(store, "select ref_task from results") == [("pretrained",)]
    write_checkpoint(store, CORPUS, KEY, replace=True)  # the same numbers as at first: their values are true again
    assert set(store.results()) == {kept, lost}


def test_the_newest_value_of_a_key_is_shown(store: Store) -> None:
    of = by_key(store)[KEY]
    newer = result(of, value=0.5, computed_at="2026-01-02T00:00:00.000000", version=2)
    store.add_results([newer])
    store.add_results([result(of)])
    store.add_results([result(of, parameters='{"variance":0.9}', value=0.75)])
    assert sorted(r.value for r in store.results()) == [0.5, 0.75]
    assert store.results(RowQuery(rows_of(parameters=newer.parameters))) == [newer]
    assert everywhere(store, "select value, variance, tokens from svcca order by value") == [
        (0.5, 0.99, "all"),
        (0.75, 0.9, None),
    ]


def test_a_result_comes_back_with_every_field(store: Store) -> None:
    found = by_key(store)
    full = result(
        found[KEY], found[FIRST], measure="clusters", head=2, statistic="hull distance", label_a="nég'\"", label_b="",
        interval_low=0.125, interval_high=1e-300, null_value=float("inf"), details='{"kept":[1,2]}', reason="why",
        parameters="{}",
    )  # fmt: skip
    none = full._replace(value=None, label_a="x", reason="one class")
    store.add_results([full, none])
    store.add_results([])
    assert set(store.results()) == {full, none}
    assert store.results(RowQuery((*rows_of("clusters", "dev"), AnyOf((Is("value", None), Is("n", 0)))))) == [none]
    assert store.results(RowQuery(rows_of("js"))) == store.results(RowQuery(rows_of(corpus="test"))) == []
    columns = store.query("select * from clusters").columns
    assert {"head", "label_a", "interval_low", "reason"} <= set(columns)


def test_a_view_of_a_measure_is_there_before_its_first_value(store: Store) -> None:
    with pytest.raises(BertdynError, match="js"):
        store.query("select * from js")
    empty = store.query(
        "select task, head, value from js where ref_task = 'pretrained'",
        measures={"svcca": DeclaredMeasure(), "js": DeclaredMeasure()},
    )
    assert (empty.columns, empty.rows) == (("task", "head", "value"), [])
    found = store.query(
        "select part, k from rollback", measures={"rollback": DeclaredMeasure({"part": "VARCHAR", "k": "BIGINT"})}
    )
    assert (found.columns, found.types, found.rows) == (("part", "k"), ("VARCHAR", "BIGINT"), [])
    store.add_results([result(by_key(store)[KEY], measure="rollback", axes=(("k", 3),))])
    assert store.query(
        "select part, k from rollback", measures={"rollback": DeclaredMeasure({"part": "VARCHAR"})}
    ).rows == [(None, 3)]
    store.add_results([result(by_key(store)[KEY], measure="js", parameters='{"direction":"row"}')])
    assert store.query(
        "select direction, value from js", measures={"svcca": DeclaredMeasure(), "js": DeclaredMeasure()}
    ).rows == [("row", 0.25)]


def test_pivot_is_a_question_too(store: Store) -> None:
    answer = store.query(
        "PIVOT (select task, step, layers from checkpoints) ON step USING any_value(layers) ORDER BY task"
    )
    assert answer.columns[0] == "task"
    assert set(answer.columns[1:]) == {str(row[0]) for row in store.query("select distinct step from checkpoints").rows}


def test_columns_types_and_truncation_are_said(store: Store) -> None:
    answer = store.query("select task, step, loss from checkpoints order by step desc", limit=2)
    assert answer.columns == ("task", "step", "loss")
    assert answer.types == ("VARCHAR", "BIGINT", "DOUBLE")
    assert answer.rows[0] == ("sst2", 20, 1 / 21)
    assert (len(answer.rows), answer.truncated) == (2, True)
    assert not store.query("select task from checkpoints", limit=3).truncated


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("select nothing from checkpoints", '"nothing" not found'),
        ("drop view runs", "one SELECT"),
        ("copy (select 1) to 'gone.csv'", "one SELECT"),
        ("select 1; select 2", "one SELECT"),
        ("", "one SELECT"),
        ("pivot runs on task; drop view runs", "one SELECT"),
    ],
)
def test_sql_that_cannot_be_answered_gets_duckdbs_own_words(store: Store, sql: str, says: str) -> None:
    with pytest.raises(BertdynError, match=says):
        store.query(sql)


@pytest.mark.parametrize("sql", ["describe runs", "show tables", "from runs", "explain select 1", "summarize runs"])
def test_sql_that_only_looks_is_answered(store: Store, sql: str) -> None:
    assert store.query(sql).rows


def test_an_outside_session_sees_new_rows_while_it_is_open(store: Store) -> None:
    found = by_key(store)
    store.add_results([result(found[KEY])])
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as session:
        count = "select count(*) from svcca"
        assert session.execute(count).fetchone() == (1,)
        store.add_results([result(found[KEY], layer=2)])
        assert session.execute(count).fetchone() == (2,)
        write_checkpoint(store, CORPUS, CheckpointKey.plain("new", "1", 0))
        assert session.execute("select task from runs order by task").fetchall()[0] == ("new",)


def test_a_new_measure_gets_its_view_in_the_index_while_somebody_looks_at_it(store: Store) -> None:
    of = by_key(store)[KEY]
    store.add_results([result(of)])
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True):
        store.add_results([result(of, measure="js", head=2, parameters='{"direction":"row"}')])
    assert outside(store, "select head, direction from js") == [(2, "row")]


def test_the_index_can_be_read_by_duckdb_1_5(store: Store) -> None:
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as session:
        tags = session.execute("select tags from duckdb_databases() where not internal").fetchone()
    assert tags is not None
    assert "v1.5" in str(tags[0]) or not duckdb.__version__.startswith("2")


def test_a_store_that_moved_works_at_its_new_place(store: Store, tmp_path: Path) -> None:
    store.add_results([result(by_key(store)[KEY])])
    listed = store.checkpoints()
    shutil.move(store.path, tmp_path / "elsewhere's")
    moved = Store.open(tmp_path / "elsewhere's")
    assert moved.checkpoints() == listed
    assert everywhere(moved, "select value from svcca") == [(0.25,)]
    shutil.copytree(moved.path, tmp_path / "copy", copy_function=shutil.copy)
    copy = Store.open(tmp_path / "copy")
    assert everywhere(copy, "select count(*) from checkpoints") == [(3,)]
    assert copy.results() == moved.results()


def test_many_fragments_become_one_and_nothing_is_lost(store: Store) -> None:
    of = by_key(store)[KEY]
    for layer in range(20):
        store.add_results([result(of, layer=layer, value=float(layer)), result(of, layer=50)])
    before = sorted(store.results(), key=lambda r: r.layer)
    folder = store.path / "tables" / "results"
    count = len(list(folder.glob("*.parquet")))
    with duckdb.connect() as connection:
        assert not fragments.compact(connection, store.path, tables.RESULTS, above=count)
        assert fragments.compact(connection, store.path, tables.RESULTS, above=5)
        assert len(list(folder.glob("*.parquet"))) == count + 1  # a reader may just have listed the old ones
        assert sorted(store.results(), key=lambda r: r.layer) == before
        assert not fragments.compact(connection, store.path, tables.RESULTS, above=5)
        for note in folder.glob("*.replaces.json"):
            os.utime(note, (time.time() - fragments.GRACE_SECONDS - 1,) * 2)
        fragments.compact(connection, store.path, tables.RESULTS, above=5)
    assert len(list(folder.glob("*.parquet"))) == 1
    assert sorted(store.results(), key=lambda r: r.layer) == before
    assert everywhere(store, "select count(*) from results") == [(21,)]


def test_a_damaged_table_of_checkpoints_is_made_again_from_the_groups(store: Store) -> None:
    store.add_results([result(by_key(store)[KEY])])
    path = max((store.path / "tables" / "checkpoints").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:50])
    again = Store.open(store.path)
    assert len(again.checkpoints()) == 3
    assert again.query("select count(*) from checkpoints").rows == [(3,)]
    assert not again.check(repair=True).sound
    assert everywhere(again, "select count(*) from checkpoints") == [(3,)]
    assert len(again.results()) == 1


def test_reading_from_several_threads_at_once(store: Store) -> None:
    found = by_key(store)
    store.add_results([result(found[KEY])])
    again, wrong = Store.open(store.path), []

    def look() -> None:
        try:
            for _ in range(5):
                assert len(again.checkpoints()) == 3
                assert again.query("select count(*) from svcca").rows == [(1,)]
                assert len(again.results()) == 1
                assert again.hidden("dev", KEY, 1).shape == (CORPUS.info.tokens, 16)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_measure_with_a_hyphen_is_typed_without_quotes(store: Store) -> None:
    (first, *_) = store.checkpoints("dev")
    store.add_results([result(first, measure="sink-mass", value=0.5)])
    assert store.query(
        "select value from sink_mass", measures={"sink-mass": DeclaredMeasure(), "attention-entropy": DeclaredMeasure()}
    ).rows == [(0.5,)]
    assert store.query("select * from attention_entropy", measures={"attention-entropy": DeclaredMeasure()}).rows == []
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as outside:
        assert outside.execute("select value from sink_mass").fetchall() == [(0.5,)]


def test_values_of_some_tasks_are_those_of_all_that_belong_to_them(store: Store) -> None:
    every = store.checkpoints("dev")
    store.add_results([result(c, value=float(i)) for i, c in enumerate(every)])
    tasks = sorted({c.key.task for c in every})
    for chosen in (tasks[:1], tasks[1:], tasks):
        found = store.results(RowQuery(rows_of("svcca", "dev", recipes=chosen)))
        assert {(r.task, r.seed, r.step, r.value) for r in found} == {
            (c.key.task, c.key.seed, c.key.step, float(i)) for i, c in enumerate(every) if c.key.task in chosen
        }
        query = RowQuery((*rows_of("svcca", "dev", recipes=chosen), Not(Is("value", 0.0))), ("step", "value"))
        columns = store.result_columns(query)
        assert sorted(columns) == sorted((r.step, r.value) for r in found if r.value)


def test_fragments_of_an_earlier_version_that_lack_a_column_are_read(store: Store) -> None:
    (first, *_) = store.checkpoints("dev")
    store.add_results([result(first)])
    for path in (store.path / "tables" / "results").glob("*.parquet"):
        old = path.with_suffix(".old")
        with duckdb.connect() as connection:
            connection.execute(f"copy (select * exclude (example, query) from '{path}') to '{old}' (format parquet)")
            fragments.adopt(connection, store.path, tables.RESULTS, old)
        path.unlink()
    (store.path / "index.duckdb").unlink()
    again = Store.open(store.path)
    assert [(r.value, r.example) for r in again.results()] == [(0.25, None)]
    assert again.query("select value, example from results").rows == [(0.25, None)]
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as outside:
        assert outside.execute("select value, example from results").fetchall() == [(0.25, None)]


@pytest.mark.parametrize("reads", [None, CatalogProcess])
def test_a_table_that_cannot_be_read_is_said(store: Store, reads: ReadStore | None) -> None:
    folder = store.path / "tables" / "results"
    shutil.rmtree(folder)
    folder.touch()
    opened = Store.open(store.path, reads)
    with pytest.raises(BertdynError, match="tables/results' cannot be read: Not a directory"):
        opened.results()
    opened.close()
