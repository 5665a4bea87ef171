"""Tables that are read in a process of their own: the same answers, and nothing lost or left when it dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store.catalog_process import CatalogProcess
from store.duck import AT_ONCE, spill
from store.errors import BertdynError
from store.index import noted
from store.layout import checkpoint_path
from store.rows import Is, Not, RowQuery, rows_of
from store.store import Store
from tests.store.results import result
from tests.synthetic import Copied, make_store, sample_corpus, write_checkpoint

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up in /proc")
OPEN = (
    "import sys; from store.catalog_process import CatalogProcess; from store.store import Store; "
    "s = Store.open(sys.argv[1], CatalogProcess)"
)
LONG = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1"
SPILLS = "SELECT count(*) FROM (SELECT hash(range) AS h, repeat('x', 100) AS t FROM range(300000000) ORDER BY h, t)"


def three_layers(path: Path) -> Store:
    made = make_store(path, tasks=("sst2", "pos"), corpora=[sample_corpus("dev")])
    made.add_results([result(c)._replace(layer=layer) for c in made.checkpoints("dev") for layer in range(3)])
    return made


@pytest.fixture
def path(tmp_path: Path, copied: Copied) -> Path:
    return copied(three_layers, tmp_path / "runs.bertdyn").path


@pytest.fixture
def apart(path: Path) -> Iterator[Store]:
    opened = Store.open(path, CatalogProcess)
    until(lambda: readers(path))
    yield opened
    opened.close()


def readers(store: Path) -> list[int]:
    """Processes that read this store's tables."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes().split(b"\0") if place.name.isdigit() else []
        except OSError:
            continue
        if b"store.catalog_process" in words and os.fsencode(store) in words:
            found.append(int(place.name))
    return found


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(store: Store, sql: str, said: list[str]) -> None:
    try:
        store.query(sql)
    except BertdynError as error:
        said.append(str(error))


def test_it_answers_as_the_store_itself_does(path: Path, apart: Store) -> None:
    here = Store.open(path)
    assert apart.checkpoints() == here.checkpoints()
    assert apart.checkpoints("dev") == here.checkpoints("dev")
    found = apart.results(RowQuery(rows_of("svcca", "dev", recipes=("pos",))))
    assert sorted(map(str, found)) == sorted(
        map(str, here.results(RowQuery(rows_of("svcca", "dev", recipes=("pos",)))))
    )
    assert len(apart.results()) == len(here.results()) > len(found) > 3
    sql = "SELECT task, max(value) FROM svcca GROUP BY ALL ORDER BY ALL"
    assert apart.query(sql, 1) == here.query(sql, 1)


def test_what_comes_later_is_seen(path: Path, apart: Store) -> None:
    assert apart.results(RowQuery(rows_of("js"))) == []
    before = apart.checkpoints()
    here = Store.open(path)
    here.add_results([result(before[0])._replace(measure="js")])
    assert [r.measure for r in apart.results(RowQuery(rows_of("js")))] == ["js"]


def test_checkpoints_are_listed_as_the_folders_are_now(path: Path, apart: Store) -> None:
    here, corpus = Store.open(path), sample_corpus("dev")
    before = here.checkpoints()
    assert apart.checkpoints() == apart.checkpoints("dev") == before
    key = before[-1].key._replace(step=990)
    write_checkpoint(here, corpus, key)
    more = apart.checkpoints()
    assert [c.key for c in more if c not in before] == [key]
    assert more == here.checkpoints()
    (pid,) = readers(path)
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in readers(path))
    with pytest.raises(BertdynError, match="was killed"):
        apart.checkpoints()
    assert apart.checkpoints() == more
    shutil.rmtree(checkpoint_path(path, "dev", key))
    assert apart.checkpoints() == apart.checkpoints("dev") == before


def test_many_rows_come_whole_and_in_their_order(path: Path, apart: Store) -> None:
    here = Store.open(path)
    first = here.checkpoints("dev")[0]
    here.add_results([result(first)._replace(example=n, value=float(n)) for n in range(3 * AT_ONCE)])
    for many in (0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE):
        query = RowQuery((Not(Is("example", None)),), ("example", "value"), order=(("example", False),), limit=many)
        answer = apart.result_columns(query)
        assert answer == [(n, float(n)) for n in range(many)]


def test_a_refusal_is_told_in_duckdbs_words(apart: Store) -> None:
    with pytest.raises(BertdynError, match='Referenced column "layr" not found'):
        apart.query("SELECT layr FROM results")
    with pytest.raises(BertdynError, match="A query is one SELECT"):
        apart.query("DROP TABLE results")
    with pytest.raises(BertdynError, match="Unexpected ValueError: 'layr' is not a column"):
        apart.result_columns(RowQuery(columns=("layr",)))
    assert apart.query("SELECT 6 * 7").rows == [(42,)]


def test_a_process_that_dies_is_told_and_replaced(path: Path, apart: Store) -> None:
    asked = threading.Thread(target=_killed, args=(path,))
    asked.start()
    with pytest.raises(BertdynError, match=r"was killed from outside \(SIGKILL\), .* where memory runs out"):
        apart.query(LONG)
    asked.join()
    assert apart.query("SELECT 6 * 7").rows == [(42,)]
    (pid,) = readers(path)
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in readers(path))
    with pytest.raises(BertdynError, match="was killed"):  # told once, also between two questions
        apart.query("SELECT 1")
    assert apart.query("SELECT 6 * 7").rows == [(42,)]


def _killed(path: Path) -> None:
    until(lambda: readers(path))
    time.sleep(0.5)  # the question should be under way, which only the process itself knows
    for pid in readers(path):
        os.kill(pid, signal.SIGKILL)


def test_closing_ends_a_long_question(path: Path, apart: Store) -> None:
    said: list[str] = []
    asking = threading.Thread(target=ask, args=(apart, LONG, said))
    asking.start()
    time.sleep(0.5)  # the question should be under way, which only the process itself knows
    apart.close()
    asking.join(60)  # the question takes days
    assert not asking.is_alive()
    assert said == ["The question was ended."]
    assert readers(path) == []
    with pytest.raises(BertdynError, match="ended"):
        apart.query("SELECT 1")


def test_what_did_not_fit_into_memory_does_not_stay_behind(path: Path, apart: Store) -> None:
    (pid,) = readers(path)
    asking = threading.Thread(target=ask, args=(apart, SPILLS, []))
    asking.start()
    spill(pid).mkdir(exist_ok=True)  # as DuckDB does once its memory is full
    apart.close()
    asking.join()
    assert not spill(pid).exists()


def test_it_ends_with_who_asked_whatever_it_is_at(path: Path) -> None:
    code = f"{OPEN}; s.query({LONG!r})"
    asking = subprocess.Popen([sys.executable, "-c", code, str(path)], start_new_session=True)
    until(lambda: readers(path))
    time.sleep(1.0)  # the question should be under way, which only the process itself knows
    asking.kill()
    asking.wait()
    until(lambda: not readers(path))


def test_who_asks_never_loads_duckdb(path: Path) -> None:
    code = (
        f"{OPEN}; "
        "print(len(s.checkpoints()), len(s.results()), s.query('SELECT 1').rows, 'duckdb' in sys.modules); s.close()"
    )
    said = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert said.endswith("[(1,)] False\n")


def test_who_asks_cannot_write_the_tables(path: Path, apart: Store) -> None:
    before = apart.results()
    with pytest.raises(BertdynError, match="was opened to be read"):
        apart.add_results([result(apart.checkpoints()[0])._replace(measure="js")])
    assert sorted(map(str, apart.results())) == sorted(map(str, before))


def test_the_index_of_a_store_that_was_moved_is_made_again(path: Path) -> None:
    moved = path.rename(path.with_name("moved.bertdyn"))
    opened = Store.open(moved, CatalogProcess)
    opened.query("SELECT 1")
    assert noted(moved)[0] == os.path.realpath(moved)
    opened.close()
