"""Does DuckDB behave as the rest of the program does?"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from store.duck import THREADS, connect, interruptible, retried, write_table, written

LONG = "select count(*) from range(3_000_000_000_000)"


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C comes while something runs. A suite that a shell runs in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    yield
    timer.cancel()
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "work",
    [
        lambda folder: retried(lambda: connect().execute(LONG)),
        lambda folder: written(folder / "rows", lambda file: connect().execute(f"copy ({LONG}) to '{file}'")),
    ],
    ids=["reading", "writing"],
)
@pytest.mark.parametrize("turn", range(4))  # which of DuckDB's threads takes the work is chance
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_during_a_query_is_an_interrupt(tmp_path: Path, work: Callable[[Path], object], turn: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_connections_start_few_threads_on_any_machine() -> None:
    """DuckDB takes a thread per core by default, and 2.0 eight more for reading."""
    tasks = Path("/proc/self/task")
    first = connect()
    (threads,) = first.execute("select current_setting('threads')").fetchone()
    assert 1 <= threads <= THREADS
    before = len(list(tasks.iterdir()))
    second = connect()
    assert second.execute("select sum(i) from range(1_000_000) as r(i)").fetchone() == (499_999_500_000,)
    assert len(list(tasks.iterdir())) - before <= THREADS
    second.close()
    first.close()


def test_errors_that_are_no_interrupt_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="another"), interruptible():
        raise RuntimeError("another")


def test_connections_are_opened_by_the_oldest_duckdb_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "__version__", "1.4.0")
    with closing(connect()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_columns_of_a_users_file_have_the_types_of_their_values(tmp_path: Path) -> None:
    columns = [[True, None], [1, 2], [1, 0.5], ["a", 1], [None, None]]
    write_table(list("abcde"), columns, tmp_path / "rows.parquet")
    described = duckdb.sql(f"describe from '{tmp_path}/rows.parquet'").fetchall()
    assert [kind for _, kind, *_ in described] == ["BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR", "VARCHAR"]
