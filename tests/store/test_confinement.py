"""SQL that a user typed reads the tables of the store, and neither reads nor writes anything else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from store.duck_paths import quoted
from store.errors import BertdynError
from store.store import Store
from tests.store.results import result
from tests.synthetic import make_store, sample_corpus

VALUES = "select task, value from svcca"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with one value, in a folder whose name DuckDB would take for a pattern."""
    path = tmp_path_factory.mktemp("confined") / "it's [1]?" / "s.bertdyn"
    path.parent.mkdir()
    made = make_store(
        path, tasks=["sst2"], seeds=["1"], steps=[20], pretrained=False, corpora=[sample_corpus(examples=4)]
    )
    made.add_results([result(made.checkpoints()[0], value=0.5)])
    made.query(VALUES)  # the first reader adds what the tables lack
    return made


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the host, in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "secret.csv"
    path.write_text("name,age\nada,36\n")
    return path


def _content(folder: Path) -> dict[str, str]:
    """The digest of every file in a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


READ = (
    "from 'secret.csv'",
    "select * from read_csv('secret.csv')",
    "select * from read_csv_auto('secret.csv')",
    "select * from read_text('secret.csv')",
    "select * from read_blob('secret.csv')",
    "select * from read_json('secret.csv')",
    "select * from read_ndjson_objects('secret.csv')",
    "select * from read_parquet('secret.csv')",
    "select * from parquet_schema('secret.csv')",
    "select * from parquet_metadata('secret.csv')",
    "select * from sniff_csv('secret.csv')",
    "select * from glob('*')",
    "select * from query_table('secret.csv')",
    "select * from query('from ''secret.csv''')",
    "select (select count(*) from 'secret.csv') from runs",
    "with x as (from 'secret.csv') from x",
    "describe 'secret.csv'",
    "summarize 'secret.csv'",
    "explain analyze from 'secret.csv'",
    "pivot 'secret.csv' on name",
    "select * from read_csv('http://127.0.0.1:9/x.csv')",
    "from 's3://bucket/x.parquet'",
    "from 'hf://datasets/a/b.parquet'",
    "select * from sqlite_scan('secret.csv', 'x')",
)


@pytest.mark.parametrize("query", READ)
def test_no_other_file_is_read(store: Store, secret: Path, query: str) -> None:
    with pytest.raises(BertdynError) as refused:
        store.query(query)
    assert "ada" not in str(refused.value)
    assert "36" not in str(refused.value)


def test_a_refusal_names_the_file_and_the_flag(store: Store, secret: Path) -> None:
    with pytest.raises(BertdynError, match=r'only the store\'s own tables.*"secret.csv".*--outside') as refused:
        store.query("from 'secret.csv'")
    assert "\n" not in str(refused.value)


WRITE = (
    "copy (select 42) to 'made.csv'",
    "explain analyze copy (select 42) to 'made.csv'",
    "EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 42) TO 'made.csv'",
    "with x as (copy (select 42) to 'made.csv') from x",
    "with x as (copy (select 42) to 'made.csv' (use_tmp_file false)) from x",
    "WITH x AS (/* '*/ COPY (select 42) to 'made.csv') from x",
    "with x as (\u00a0copy (select 42) to 'made.csv') from x",
    "select * from query('copy (select 42) to ''made.csv''')",
    "export database 'made.csv'",
    "explain analyze export database 'made.csv'",
    "attach 'made.csv'",
    "explain analyze attach 'made.csv'",
    "from enable_logging(storage := 'file', storage_path := 'made.csv')",
    "call enable_logging(storage = 'file', storage_path = 'made.csv')",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset enable_external_access",
    "pragma enable_profiling",
    "set allowed_paths = ['made.csv']",
    "pivot runs on task; copy (select 42) to 'made.csv'",
)


def _refused(store: Store, query: str, outside: bool) -> None:
    before = _content(store.path / "tables"), _content(Path.cwd())
    with pytest.raises(BertdynError):
        store.query(query, outside=outside)
    assert (_content(store.path / "tables"), _content(Path.cwd())) == before


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("query", WRITE)
def test_nothing_is_written_and_no_setting_changed(store: Store, query: str) -> None:
    _refused(store, query, outside=False)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("query", [query for query in WRITE if "copy" in query.lower()])
def test_a_query_that_may_read_other_files_may_not_write_them(store: Store, query: str) -> None:
    _refused(store, query, outside=True)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("query", [query for query in WRITE if query.split()[-1] != "httpfs" and "made.csv" in query])
def test_the_stores_own_files_are_not_written(store: Store, query: str) -> None:
    fragment = next((store.path / "tables" / "results").glob("*.parquet"))
    query = query.replace("''made.csv''", quoted(quoted(fragment))[1:-1]).replace("'made.csv'", quoted(fragment))
    _refused(store, query, outside=False)
    assert store.query(VALUES).rows == [("sst2", 0.5)]


def test_one_statement_does_not_open_the_way_for_the_next(store: Store, secret: Path) -> None:
    assert store.query("from 'secret.csv'", outside=True).rows == [("ada", 36)]
    with pytest.raises(BertdynError, match="only the store's own tables"):
        store.query("from 'secret.csv'")


def test_another_file_is_read_where_that_is_allowed(store: Store, secret: Path) -> None:
    joined = "select name, value from svcca join 'secret.csv' on true"
    assert store.query(joined, outside=True).rows == [("ada", 0.5)]
    assert store.fetch(joined, lambda relation: relation.fetchall(), outside=True) == [("ada", 0.5)]
    with pytest.raises(BertdynError, match="only the store's own tables"):
        store.fetch(joined, lambda relation: relation.fetchall())


def test_a_variable_of_ours_is_no_table(store: Store) -> None:
    with pytest.raises(BertdynError, match="Table with name sql does not exist"):
        store.query("from sql")


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select 'copy' as \"copy\" -- copy", [("copy",)]),
        ("select $$copy this$$", [("copy this",)]),
        ("select 'é', 1 /* copy */", [("é", 1)]),
    ],
)
def test_the_word_copy_may_stand_in_texts_names_and_comments(store: Store, query: str, rows: list[object]) -> None:
    assert store.query(query).rows == rows


def test_a_query_that_is_no_text_is_refused(store: Store) -> None:
    with pytest.raises(BertdynError, match="not valid text"):
        store.query(os.fsdecode(b"select '\xff'"))


def test_times_with_a_zone_are_answered_as_text(store: Store) -> None:
    query = "select 1 as n, timestamptz '2026-01-02 03:04:05+00' as t, [timestamptz '2026-01-02 03:04:05+00'] as t;"
    table = store.query(query)
    assert table.columns == ("n", "t", "t")
    (row,) = table.rows
    assert row[0] == 1
    assert str(row[1]).startswith("2026-01-0")
    assert store.query("select now()").rows
