"""Asking the store in SQL: from a worked query to rows, errors, cancelling, history and completion."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from explorer.claims.sql import given_tables
from explorer.selection.stored import tables_of_measures
from explorer.ui.asker import MOST_ROWS, NICE
from explorer.ui.completion import completions
from explorer.ui.lists.sql import WORKED, Answer
from explorer.ui.session import Saved, Session
from explorer.ui.widgets.editor import SqlEditor
from store.store import Store
from tests.explorer.ui.conftest import main, screen_text, shown, sql, text_of, until
from tests.explorer.ui.conftest import opened_apart as opened


def answering() -> list[int]:
    """Processes that answer a statement of this one; not that which reads what the views show."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # threads and processes come and go
            for pid in (task / "children").read_text().split():
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"store.catalog_process" in words and str(NICE).encode() in words:
                    found.append(int(pid))
    return found


LINUX = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up in /proc")
COLUMNS = {"svcca": ("task", "seed", "step", "value"), "runs": ("task", "last_step"), "corpora": ("name",)}


async def sql_open(pilot: Pilot[None]) -> None:
    await pilot.press("8")
    await until(pilot, lambda: sql(pilot).editor is not None and "Which layer moved" in text_of(pilot, "chart"))


async def write(pilot: Pilot[None], statement: str) -> None:
    await pilot.press("i")
    editor = sql(pilot).editor
    assert editor is not None
    await until(pilot, lambda: editor.has_focus)
    editor.text = statement
    editor.move_cursor(editor.document.end)


async def test_a_worked_query_is_taken_and_run(computed: Path) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        await pilot.press("enter", "f5")
        await until(pilot, lambda: isinstance(main(pilot).chart.view, Answer))
        view = main(pilot).chart.view
        assert view is not None
        columns, rows = view.rows()
        assert columns == ("corpus", "task", "seed", "layer", "distance")
        assert {row[1] for row in rows} == {"pos", "sst2"}
        await until(pilot, lambda: main(pilot).chart.has_focus)
        await pilot.press("j", "l")
        await until(pilot, lambda: text_of(pilot, "reading").startswith(" row 2, task"))
        await pilot.press("1")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "curves")
        assert not main(pilot).query_one("#slot").display
        await pilot.press("8")
        await until(pilot, lambda: isinstance(main(pilot).chart.view, Answer))
        await pilot.press("w")
        await shown(pilot, "Which layer moved most")


@pytest.mark.parametrize("worked", WORKED, ids=lambda w: w.question[:20])
def test_every_worked_query_has_an_answer(computed: Path, worked) -> None:
    store = Store.open(computed)
    given = given_tables(store, worked.sql)
    assert store.query(worked.sql, 10, tables_of_measures(), given=given).columns


async def test_an_error_is_said_in_duckdbs_words(computed: Path) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        await write(pilot, "SELECT layr FROM svcca")
        await pilot.press("ctrl+r")
        await shown(pilot, 'Referenced column "layr" not found')
        await write(pilot, "DROP TABLE results")
        await pilot.press("f5")
        await shown(pilot, "A query is one SELECT")


async def test_more_rows_than_are_shown_are_told(computed: Path) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        await write(pilot, "SELECT range AS n FROM range(5000)")
        await pilot.press("f5")
        await until(pilot, lambda: f"more than these {MOST_ROWS:,} rows" in text_of(pilot, "notes"))
        assert len(main(pilot).chart.view.rows()[1]) == MOST_ROWS  # type: ignore[union-attr]


@pytest.mark.parametrize("key", ["ctrl+c", "x"])
async def test_a_long_statement_is_ended(computed: Path, key: str) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        await write(pilot, "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1")
        await pilot.press("f5")
        await until(pilot, lambda: sql(pilot).asker.busy)
        if key == "x":
            await pilot.press("escape")
        await pilot.press(key)
        await until(pilot, lambda: "Cancelled." in text_of(pilot, "chart"))
        assert not sql(pilot).asker.busy
        await write(pilot, "SELECT 6 * 7 AS answer")
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(main(pilot).chart.view, Answer))


@LINUX
async def test_a_process_that_dies_is_said(computed: Path) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        await write(pilot, "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1")
        await pilot.press("f5")

        def killed() -> bool:
            """Kill what answers, again and again: the first to come may list the tables for completion."""
            for pid in answering():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return "was killed from outside" in screen_text(pilot)

        await until(pilot, killed)


@LINUX
async def test_no_statement_outlives_the_explorer(computed: Path) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        await write(pilot, "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1")
        await pilot.press("f5")
        await until(pilot, lambda: len(answering()) > 0)
        sql(pilot).asker.finish()
        await until(pilot, lambda: not answering())


async def test_up_and_down_at_the_edges_go_through_what_was_asked(computed: Path) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        for statement in ("SELECT 1 AS one", "SELECT 2 AS two"):
            await write(pilot, statement)
            await pilot.press("f5")
            await until(pilot, lambda statement=statement: statement in text_of(pilot, "heading"))
        await write(pilot, "draft")
        editor = sql(pilot).editor
        assert editor is not None
        seen = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            seen.append(editor.text)
        assert seen == ["SELECT 2 AS two", "SELECT 1 AS one", "SELECT 1 AS one", "SELECT 2 AS two", "draft"]
        assert main(pilot).saved().extra["sql"]["history"] == ["SELECT 1 AS one", "SELECT 2 AS two"]


async def test_tab_completes_tables_and_columns(computed: Path) -> None:
    async with opened(computed) as pilot:
        await sql_open(pilot)
        editor = sql(pilot).editor
        assert editor is not None
        await until(pilot, lambda: "svcca" in editor.columns)
        await write(pilot, "")
        await pilot.press(*"SELECT", "space", "1", "space", *"FROM", "space", *"sv")
        await until(pilot, lambda: "svcca" in "".join(main(pilot).query_one("#suggestions").render_line(0).text))  # type: ignore[attr-defined]
        await pilot.press("tab")
        assert editor.text == "SELECT 1 FROM svcca"
        await pilot.press("space", *"ORDER BY st", "tab")
        first = editor.text
        assert first == "SELECT 1 FROM svcca ORDER BY step"
        await pilot.press("tab")
        assert editor.text != first
        await pilot.press("escape")
        assert main(pilot).chart.has_focus


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("SELECT * FROM ", ("svcca", "runs", "corpora")),
        ("SELECT * FROM sv", ("svcca",)),
        ("SELECT s.v", ("s.value",)),
        ("SELECT last", ("last_step",)),
        ("SELECT ", ()),
        ("SELECT nothing_like_it", ()),
    ],
)
def test_what_could_come_next(before: str, expected: tuple[str, ...]) -> None:
    whole = before + " FROM svcca s JOIN runs USING (task)" if "FROM" not in before else before
    assert completions(before, whole, COLUMNS)[: len(expected) or None] == expected


async def test_a_statement_that_was_not_run_is_there_again(computed: Path, tmp_path: Path) -> None:
    kept = Session(computed, {"XDG_STATE_HOME": str(tmp_path)})
    async with opened(computed, session=kept) as pilot:
        await sql_open(pilot)
        await write(pilot, "SELECT task,\n  step FROM")
        await until(pilot, lambda: kept.read().extra.get("sql", {}).get("text") == "SELECT task,\n  step FROM")
    async with opened(computed, session=kept, wait=False) as pilot:
        editor = await until_editor(pilot)
        assert editor.text == "SELECT task,\n  step FROM"
        await pilot.press("1")
        assert main(pilot).saved().extra["sql"]["text"] == "SELECT task,\n  step FROM"


async def test_a_statement_stays_kept_while_sql_is_not_looked_at(computed: Path, tmp_path: Path) -> None:
    kept = Session(computed, {"XDG_STATE_HOME": str(tmp_path)})
    kept.write(Saved(extra={"sql": {"text": "SELECT 1", "history": ["SELECT 2"]}}))
    async with opened(computed, session=kept) as pilot:
        assert main(pilot).saved().extra["sql"] == {"text": "SELECT 1", "history": ["SELECT 2"]}


async def until_editor(pilot: Pilot[None]) -> SqlEditor:
    await until(pilot, lambda: sql(pilot).editor is not None)
    editor = sql(pilot).editor
    assert editor is not None
    return editor
