"""Nobody removes what another process, on whatever machine, is still at; what the dead left goes."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store import ownership, staging
from store.errors import BertdynError
from store.ownership import Machine
from store.staging import Stage, collect, leftovers, throw_away, write_file
from store.store import Store
from tests.store.processes import (
    HOURS,
    OTHER,
    REPOSITORY,
    holding,
    left_by_a_dead_process,
    move_to_another_machine,
    refuse_locks,
    touched,
)
from tests.store.results import result
from tests.synthetic import make_store

NO_LOCKS = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "s.bertdyn"
    (root / "staging").mkdir(parents=True)
    (root / "tables" / "results").mkdir(parents=True)
    return root


def lock_of(stage: Stage) -> Path:
    return stage.path.with_name(f"{stage.path.name}.lock")


def contents(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "staging").iterdir())


def test_another_machine_leaves_live_work_alone_although_it_gets_every_lock(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(root)
    (stage.path / "zarr.json").write_text("{}")
    before = contents(root)
    with monkeypatch.context() as other:
        move_to_another_machine(other)
        for ago in (0, 600, 3 * HOURS):
            touched(lock_of(stage), ago)
            assert collect(root) == 0
            assert leftovers(root) == []
        assert contents(root) == before
    assert stage.publish(root / "corpora" / "dev")
    assert contents(root) == []


@pytest.mark.parametrize("skew", [-30 * HOURS, 30 * HOURS])
def test_the_clock_of_the_collecting_machine_means_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    now = time.time
    stage = Stage(root)
    move_to_another_machine(monkeypatch)
    monkeypatch.setattr(time, "time", lambda: now() + skew)
    assert collect(root) == 0
    touched(lock_of(stage), 7 * HOURS)
    assert collect(root) == 1
    assert contents(root) == []


def test_hours_of_silence_end_another_machines_work_and_its_process_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(root)
    (stage.path / "zarr.json").write_text("{}")
    touched(lock_of(stage), 7 * HOURS)
    with monkeypatch.context() as other:
        move_to_another_machine(other)
        assert leftovers(root) == [stage.path.name]
        assert collect(root) == 1
    with pytest.raises(BertdynError, match=r"removed while it was written.*Run the command again"):
        stage.publish(root / "corpora" / "dev")
    assert not (root / "corpora" / "dev").exists()
    assert contents(root) == []


def test_a_process_of_this_machine_is_never_taken_for_dead_however_long_it_is_silent(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda handle, how: None)
    with holding("stage", root) as (_, name):
        stage = Stage(root)
        for path in (lock_of(stage), root / "staging" / f"{name}.lock"):
            touched(path, 100 * HOURS)
        assert collect(root) == 0
    assert collect(root) == 1
    assert contents(root) == [stage.path.name, lock_of(stage).name]


@pytest.mark.parametrize("flock", ["works", "always succeeds", *NO_LOCKS])
def test_what_a_killed_process_left_is_collected_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch, flock: str | int
) -> None:
    left_by_a_dead_process(root)
    if isinstance(flock, int):
        refuse_locks(monkeypatch, flock)
    elif flock == "always succeeds":
        monkeypatch.setattr(fcntl, "flock", lambda handle, how: None)
    assert collect(root) == 1
    assert contents(root) == []


def test_a_killed_process_that_nobody_waited_for_is_dead(root: Path) -> None:
    with holding("stage", root) as (process, _):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and still in the table of processes
        assert collect(root) == 1


def test_a_process_with_the_number_of_a_dead_one_is_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with holding("stage", root) as (process, name):
        host, session, pid, started, rest = name.split("-")
        assert int(pid) == process.pid
        earlier = f"{host}-{session}-{pid}-{int(started) - 1}-{rest}"
        (root / "staging" / earlier).mkdir()
        assert leftovers(root) == [earlier]


def test_where_the_start_of_a_process_is_unknown_silence_decides(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with holding("stage", root) as (_, name):
        host, session, pid, _, rest = name.split("-")
        unknown = root / "staging" / f"{host}-{session}-{pid}-0-{rest}"
        unknown.mkdir()
        assert leftovers(root) == []
        touched(unknown, 7 * HOURS)
        assert leftovers(root) == [unknown.name]


@pytest.mark.parametrize(
    ("up", "ago", "gone"),
    [
        (1000, 2000, True),  # silent since before this machine started
        (1000, 900, False),  # touched since: another machine of the same name
        (30, 100, False),  # the same, between two touches
        (1000, 100, False),
    ],
)
def test_an_earlier_start_of_this_machine_is_over(
    root: Path, monkeypatch: pytest.MonkeyPatch, up: float, ago: float, gone: bool
) -> None:
    stage = Stage(root)
    touched(lock_of(stage), ago)
    move_to_another_machine(monkeypatch, Machine(ownership.this_machine().host, OTHER.session))
    monkeypatch.setattr(ownership, "_uptime", lambda: up)
    assert collect(root) == int(gone)


@pytest.mark.parametrize("name", ["0123", "notes.txt", ".nfs0001", ".DS_Store"])
def test_what_no_process_of_ours_made_is_left_for_hours_and_hidden_files_for_good(root: Path, name: str) -> None:
    place = root / "staging" / name
    place.touch()
    assert leftovers(root) == []
    touched(place, 7 * HOURS)
    collect(root)
    assert place.exists() == name.startswith(".")


@pytest.mark.parametrize("code", NO_LOCKS)
def test_file_systems_without_locks_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    refuse_locks(monkeypatch, code)
    store = make_store(tmp_path / "s", tasks=["sst2"], seeds=["1"], steps=[0])
    store.add_results([result(store.checkpoints()[0])])
    stage = Stage(store.path)
    assert collect(store.path) == 0
    stage.discard()
    assert store.check().sound
    assert len(store.results()) == 1


def test_a_held_lock_keeps_even_silent_work(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with holding("stage", root) as (_, name):
        touched(root / "staging" / f"{name}.lock", 100 * HOURS)
        monkeypatch.setattr(ownership, "this_machine", lambda: OTHER)
        assert collect(root) == 0


def test_drafts_of_dead_processes_go_and_those_of_living_ones_stay(root: Path) -> None:
    with holding("stage", root) as (_, name):
        drafts = [root / "staging" / f"{name}.tmp"]
        drafts += [root / "tables" / sub / f".x.parquet.{name}.tmp" for sub in ("", "results")]
        for path in drafts:
            path.write_bytes(b"half")
        others = [root / "tables" / "results" / "1.parquet", root / "tables" / f"{name}.json"]
        for path in others:
            path.write_bytes(b"whole")
        collect(root)
        assert all(path.exists() for path in drafts)
    collect(root)
    assert not any(path.exists() for path in drafts)
    assert all(path.exists() for path in others)


def test_a_file_that_is_not_finished_has_the_name_of_its_process(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(old: Path, new: Path) -> None:
        assert ownership.owner(Path(old).name) is not None
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="Input/output"):
        write_file(root / "bertdyn.json", b"{}")
    assert not list(root.glob("*.tmp")) + list(root.glob(".*.tmp"))


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOLCK, errno.EACCES, errno.ENOSPC])
def test_an_error_of_the_disk_is_one_sentence_that_names_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=["sst2"], seeds=["1"], steps=[0])
    of = store.checkpoints()[0]

    def fails(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(BertdynError, match=r"^[^\n]*s\.bertdyn[^\n]*$"):
        store.add_results([result(of)])
    with pytest.raises(BertdynError, match=r"s\.bertdyn"):
        Stage(store.path).publish(store.path / "corpora" / "x")
    monkeypatch.undo()
    assert contents(store.path) == []
    store.add_results([result(of)])
    assert store.check().sound


def test_a_touch_tells_other_machines_of_long_work_and_ends_with_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(ownership, "_heart", ownership._Heart())
    stage = Stage(root)
    lock = lock_of(stage)
    touched(lock, 7 * HOURS)
    old, end = lock.stat().st_mtime, time.monotonic() + 60
    while lock.stat().st_mtime == old and time.monotonic() < end:
        time.sleep(0.01)
    move_to_another_machine(monkeypatch)
    assert collect(root) == 0
    thread = ownership._heart._thread
    assert thread is not None
    stage.discard()
    thread.join(60)
    assert not thread.is_alive()
    assert contents(root) == []


def test_no_process_is_kept_alive_by_its_touches(root: Path) -> None:
    code = "import sys; from pathlib import Path; from store.staging import Stage; Stage(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(root)], cwd=REPOSITORY, check=True, timeout=60)
    assert collect(root) == 1


def test_a_fork_does_not_touch_what_its_parent_holds(root: Path) -> None:
    stage = Stage(root)
    child = os.fork()
    if not child:
        os._exit(len(ownership._heart._paths))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    stage.discard()


def test_stores_that_were_never_finished_are_removed_by_the_next_that_is_made(tmp_path: Path) -> None:
    place = tmp_path / "new.bertdyn"
    with holding("stage", Store.create(tmp_path / "any").path) as (_, name):
        draft = tmp_path / f".new.bertdyn.{name}"
        for folder in ("corpora", "activations", "staging"):
            (draft / folder).mkdir(parents=True)
        with pytest.raises(BertdynError):
            Store.create(tmp_path / "any")
        assert draft.exists()
    other = tmp_path / f".other.{name}"
    other.mkdir()
    Store.create(place)
    assert not draft.exists()
    assert other.exists()


def test_two_collectors_at_once_do_not_trip_over_each_other(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = left_by_a_dead_process(root)
    monkeypatch.setattr(staging, "leftovers", lambda root: [name])
    assert collect(root) == 1
    assert collect(root) == 0
    assert contents(root) == []


def test_a_stage_that_cannot_be_locked_or_made_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(monkeypatch, errno.EIO)
    with pytest.raises(BertdynError, match="cannot be written: Input/output error"):
        Stage(root)
    assert contents(root) == []


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_what_may_be_locked_is_left(root: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """The lock of a dead process can be neither opened nor tried: another process may hold it."""
    name = left_by_a_dead_process(root)
    real = os.open

    def opened(path: str | Path, *more: int) -> int:
        if code == errno.EACCES and str(path).endswith(".lock"):
            raise OSError(code, os.strerror(code))
        return real(path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", opened)
        if code == errno.EIO:
            refuse_locks(patch, code)
        assert leftovers(root) == []
    assert leftovers(root) == [name]


def test_a_group_that_cannot_be_put_in_place_is_discarded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(root)
    (stage.path / "zarr.json").write_text("{}")

    def fails(old: Path, new: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fails)
        with pytest.raises(BertdynError, match="cannot be written: Input/output error"):
            stage.publish(root / "corpora" / "x")
    assert contents(root) == []


def test_what_another_process_threw_away_is_gone(root: Path) -> None:
    throw_away(root, root / "corpora" / "x")
    assert contents(root) == []


def of_process(pid: int, started: int = 1) -> str:
    here = ownership.this_machine()
    return f"{here.host}-{here.session}-{pid}-{started}-{'0' * 12}"


def test_a_process_of_another_user_is_looked_up_and_not_signalled(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with holding("stage", root) as (process, name):

        def forbidden(pid: int, number: int) -> None:
            raise PermissionError

        with monkeypatch.context() as patch:
            patch.setattr(os, "kill", forbidden)
            assert not ownership.is_gone(name, root, ownership.ServerClock(root))
            assert ownership.is_gone(of_process(process.pid), root, ownership.ServerClock(root))


def test_where_processes_cannot_be_looked_up_silence_decides(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with holding("stage", root) as (process, _):
        name = of_process(process.pid)
        monkeypatch.setattr(os, "readlink", lambda path: "1")  # /proc of another container
        assert not ownership.is_gone(name, root, ownership.ServerClock(root))
        touched(root, 100 * HOURS)
        assert ownership.is_gone(name, root, ownership.ServerClock(root))
    assert not ownership.is_gone("no tag", root / "nothing", ownership.ServerClock(root))


def test_a_system_without_proc_names_its_session_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["one", "other", "other"]

    def sysctl(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command == ["sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.CompletedProcess(command, 0, f"{said.pop(0)}\n")

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(os, "readlink", missing)
    monkeypatch.setattr(subprocess, "run", sysctl)
    one, other, again = (ownership.this_machine.__wrapped__() for _ in range(3))
    assert one.session != other.session == again.session
    monkeypatch.setattr(subprocess, "run", missing)
    assert ownership.this_machine.__wrapped__().host == one.host
