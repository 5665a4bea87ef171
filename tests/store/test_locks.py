"""A lock of all machines, and compaction that loses no row whether or not the lock holds."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from store import duck, fragments, locks, tables
from store.locks import locked
from store.store import Store
from tests.store.processes import HOURS, holding, move_to_another_machine, touched
from tests.store.results import result
from tests.synthetic import Copied, make_store


def free(path: Path) -> bool:
    with locked(path, wait=False) as ours:
        return ours


def held_by(path: Path) -> Path:
    (mark,) = path.iterdir()
    return mark


def test_one_holds_it_and_the_next_gets_it_after(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with locked(path) as ours:
        assert ours
        assert not free(path)
    assert free(path)
    assert not list(tmp_path.iterdir())


def test_threads_take_turns(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with locked(tmp_path / ".lock") as ours:
                assert ours
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    crowd = [threading.Thread(target=work) for _ in range(4)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert most == 1


def test_a_killed_holder_gives_it_up_at_once(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with holding("lock", path) as (_, said):
        assert said == "True"
        assert not free(path)
        touched(held_by(path), 100 * HOURS)
        assert not free(path), "its process lives"
    assert path.exists()
    assert free(path)
    assert not list(tmp_path.iterdir())


def test_another_machines_lock_is_taken_only_after_a_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".lock"
    with holding("lock", path) as (_, _said):
        move_to_another_machine(monkeypatch)
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 100 * HOURS)
        assert not free(path)
        touched(held_by(path), locks.SILENT_SECONDS / 2)
        assert not free(path)
        touched(held_by(path), locks.SILENT_SECONDS + 60)
        assert free(path)
    assert not list(tmp_path.iterdir())


def test_a_holder_killed_while_it_gave_the_lock_back_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.mkdir()
    assert free(path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_place_of_a_lock_is_removed_after_a_silence(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.touch()
    assert not free(path)
    touched(path, locks.SILENT_SECONDS + 60)
    assert free(path)
    assert not list(tmp_path.iterdir())


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.05)
    with locked(tmp_path / ".lock"), locked(tmp_path / ".lock") as ours:
        assert not ours


@contextmanager
def unlocked(path: Path, wait: bool = True) -> Iterator[bool]:
    yield True


def twelve_layers(path: Path) -> Store:
    store = make_store(path, tasks=["sst2"], seeds=["1"], steps=[0], pretrained=False)
    of = store.checkpoints()[0]
    for layer in range(12):
        store.add_results([result(of, layer=layer)])
    return store


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(twelve_layers, tmp_path / "s.bertdyn")


def layers(store: Store) -> list[int]:
    return sorted(row.layer for row in Store.open(store.path).results())


def pass_the_grace(store: Store) -> None:
    for note in (store.path / "tables" / "results").glob("*.replaces.json"):
        touched(note, fragments.GRACE_SECONDS + 1)


def compact(store: Store, above: int = 0) -> bool:
    with closing(duckdb.connect()) as connection:
        return fragments.compact(connection, store.path, tables.RESULTS, above)


@pytest.mark.parametrize("when", ["before", "after"])
def test_two_compactions_at_once_lose_no_row_even_without_the_lock(
    store: Store, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The second begins before the first has written its fragment, or between that and its note."""
    of = store.checkpoints()[0]
    monkeypatch.setattr(fragments, "locked", unlocked)
    copy, step = fragments._copy, 0

    def interleaved(*given: Any) -> Path:
        nonlocal step
        step += 1
        if step > 1:
            return copy(*given)
        if when == "after":
            done = copy(*given)
        store.add_results([result(of, layer=100)])
        compact(store)
        store.add_results([result(of, layer=101)])
        return done if when == "after" else copy(*given)

    monkeypatch.setattr(fragments, "_copy", interleaved)
    compact(store)
    expected = [*range(12), 100, 101]
    assert layers(store) == expected
    for _ in range(3):
        pass_the_grace(store)
        compact(store)
        assert layers(store) == expected
    assert len(list((store.path / "tables" / "results").glob("*.parquet"))) <= 4


def test_two_machines_that_take_the_same_lock_wait_for_each_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with locked(store.path / "tables" / "results" / ".lock"):
        move_to_another_machine(monkeypatch)
        assert not compact(store)
    assert compact(store)


def test_replaced_fragments_stay_for_the_grace_period_by_the_servers_clock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    compact(store)
    before = {path.name for path in (store.path / "tables" / "results").glob("*.parquet")}
    now = time.time
    with monkeypatch.context() as skewed:
        skewed.setattr(time, "time", lambda: now() + 100 * HOURS)
        store.add_results([result(store.checkpoints()[0], layer=50)])
        compact(store)
    assert before <= {path.name for path in (store.path / "tables" / "results").glob("*.parquet")}
    pass_the_grace(store)
    store.add_results([result(store.checkpoints()[0], layer=51)])
    compact(store)
    assert not before & {path.name for path in (store.path / "tables" / "results").glob("*.parquet")}
    assert layers(store) == [*range(12), 50, 51]


def test_fragments_whose_successor_is_gone_are_kept(store: Store) -> None:
    with closing(duckdb.connect()) as connection:
        old = set(fragments.listed(store.path, tables.RESULTS))
        assert fragments.compact(connection, store.path, tables.RESULTS, above=5)
        (merged,) = set(fragments.listed(store.path, tables.RESULTS)) - old
        merged.unlink()
        pass_the_grace(store)
        fragments.compact(connection, store.path, tables.RESULTS, above=5)
        fragments.compact(connection, store.path, tables.RESULTS, above=5)
    assert layers(store) == list(range(12))


def test_duckdb_writes_where_the_file_system_has_no_locks(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    tried: list[Path] = []

    def write(place: Path) -> None:
        tried.append(place)
        if place == path:
            place.write_bytes(b"")
            raise duckdb.IOException('IO Error: Could not set lock on file "x.parquet": No locks available')
        place.write_bytes(b"rows")

    duck.written(path, write)
    assert path.read_bytes() == b"rows"
    assert not tried[1].parent.exists()

    def fails(place: Path) -> None:
        raise duckdb.IOException("IO Error: something else")

    with pytest.raises(duckdb.IOException, match="something else"):
        duck.written(path, fails)


def test_a_lock_that_another_process_took_meanwhile_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".lock"
    path.mkdir()
    (path / "dead").touch()
    real = locks.is_gone

    def slow(name: str, *more: Any) -> bool:
        if name != "dead":
            return real(name, *more)
        (path / "dead").rename(path / "living")  # between the look and the removal
        return True

    monkeypatch.setattr(locks, "is_gone", slow)
    assert not free(path)
    assert [entry.name for entry in path.iterdir()] == ["living"]
    assert [entry.name for entry in tmp_path.iterdir()] == [".lock"]


def test_a_folder_without_room_for_a_lock_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(old: Path, new: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "rename", fails)
    with pytest.raises(OSError, match="No space left"):
        free(tmp_path / ".lock")
    assert not list(tmp_path.iterdir())
