"""Is a view of a measure there however a query finds its name?"""

from pathlib import Path

import pytest

from store.errors import BertdynError
from store.store import Store
from store.tables import DeclaredMeasure
from tests.store.results import result
from tests.synthetic import Copied, make_store

MEASURES = {"svcca": DeclaredMeasure(), "layer-sharpness": DeclaredMeasure(), "js": DeclaredMeasure()}


def one_step(path: Path) -> Store:
    return make_store(path, tasks=["sst2"], seeds=["1"], steps=[0])


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    made = copied(one_step, tmp_path / "s.bertdyn")
    (checkpoint, *_) = made.checkpoints()
    made.add_results([result(checkpoint)])
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "from svcca select value",
        'select value from "SVCCA"',
        "select value from query_table('sv' || 'cca')",
        "select value from query('from sv' || 'cca')",
        "with a as (from Svcca) select value from a",
    ],
)
def test_a_view_is_found_however_its_name_is_written(store: Store, sql: str) -> None:
    assert store.query(sql, measures=MEASURES).rows == [(0.25,)]


@pytest.mark.parametrize(
    "sql",
    [
        "show tables",
        "describe",
        "desc",
        "select table_name from information_schema.tables",
        "select view_name from duckdb_views()",
        "from (show all tables) select name",
        "select name from sqlite_master",
        "select relname from pg_catalog.pg_class",
    ],
)
def test_a_list_of_tables_has_every_measure(store: Store, sql: str) -> None:
    listed = {cell for row in store.query(sql, measures=MEASURES).rows for cell in row if isinstance(cell, str)}
    assert {"svcca", "layer_sharpness", "js"} <= listed


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(store: Store) -> None:
    with pytest.raises(BertdynError, match=r"Did you mean .*layer_sharpness"):
        store.query("from layer_sharpnes", measures=MEASURES)
