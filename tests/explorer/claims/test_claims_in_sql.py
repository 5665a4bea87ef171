"""Are the verdicts on claims a table of SQL, for the command, the explorer and Python alike?"""

from __future__ import annotations

from queue import Queue
from typing import Any

import pytest
from click.testing import CliRunner

import bertdyn
from explorer.claims import sql
from explorer.claims.registry import CLAIMS
from explorer.claims.table import COLUMNS, claims_table
from explorer.commands.sql import command
from explorer.ui.asker import Asker
from store.catalog import Catalog
from store.errors import BertdynError
from store.store import Store
from tests.synthetic import make_store

EVERYTHING = "SELECT * FROM claims"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("sql") / "a.bertdyn", tasks=("sst2",), steps=(0, 20))


def test_the_command_and_python_and_the_table_agree(store: Store):
    rows = claims_table(store)
    with bertdyn.open(store.path) as runs:
        assert runs.sql(EVERYTHING).rows == rows
        assert runs.sql(EVERYTHING).columns == tuple(COLUMNS)
    said = CliRunner().invoke(command, [str(store.path), "SELECT count(*) FROM Claims", "--format", "csv"])
    assert said.stdout.splitlines()[1] == str(len(rows))


def test_claims_can_be_joined_and_filtered(store: Store):
    with bertdyn.open(store.path) as runs:
        joined = runs.sql("SELECT DISTINCT claim FROM claims JOIN runs USING (task) WHERE claim LIKE 'A%' ORDER BY 1")
        assert joined.rows == [("A1",), ("A2",), ("A3",), ("A4",)]


def test_a_query_that_does_not_name_them_does_not_test_them(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sql, "claims_table", lambda *_: pytest.fail("claims were tested"))
    assert sql.given_tables(store, "SELECT * FROM results WHERE task = 'reclaims'") == (sql.EMPTY,)


def test_they_are_among_the_tables(store: Store):
    with bertdyn.open(store.path) as runs:
        assert ("claims",) in runs.sql("SHOW TABLES").rows


def test_they_can_only_be_read(store: Store):
    with bertdyn.open(store.path) as runs, pytest.raises(BertdynError):
        runs.sql("DELETE FROM claims").rows  # noqa: B018


def test_the_explorer_has_them_too(store: Store):
    heard: Queue[Any] = Queue()
    assert Asker(store.path, heard.put, Catalog).ask(f"SELECT DISTINCT claim FROM ({EVERYTHING})")
    assert {name for (name,) in heard.get(timeout=60).table.rows} == {claim.id for claim in CLAIMS}
