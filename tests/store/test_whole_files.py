"""Files for the user: is the old one there until the new one is complete?"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from store.errors import BertdynError
from store.whole_files import whole, write_whole


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _half_write(path: Path, failure: BaseException) -> None:
    with whole(path) as draft:
        draft.write_text("half")
        raise failure


@pytest.mark.parametrize("failure", [OSError(28, os.strerror(28)), RuntimeError("ours"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    expected = BertdynError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected):
        _half_write(path, failure)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]


LIMITED = """
import sys, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
from pathlib import Path
from explorer.commands.output import write_rows
from store.errors import BertdynError
try:
    write_rows(["a"], [(str(n) * 9,) for n in range(20_000)], None, Path(sys.argv[1]))
except BertdynError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.txt", "a.parquet"])
def test_a_file_that_is_too_large_for_the_disk_leaves_the_old_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith(f"Cannot write {path}: "), done.stderr
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [name]


def test_permissions_are_those_of_the_old_file_or_of_the_umask(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("x")
    old.chmod(0o640)
    before = os.umask(0o002)
    try:
        write_whole(old, "y")
        write_whole(tmp_path / "new", "y")
    finally:
        os.umask(before)
    assert (_mode(old), _mode(tmp_path / "new")) == (0o640, 0o664)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/file")
    for text in ("one", "two"):  # the first creates what the link names
        write_whole(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "there" / "file").read_text() == text


def test_what_is_no_regular_file_is_written_in_place(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "through")
    reader.join()
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_whole(Path(os.devnull), "gone")


@pytest.mark.parametrize("place", ["nowhere/a.csv", "."])
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, place: str) -> None:
    with pytest.raises(BertdynError, match=r"^Cannot write .*: (No such file or directory|Is a directory)\.$"):
        write_whole(tmp_path / place, "x")


def test_the_next_file_removes_what_killed_processes_left_and_not_what_living_ones_write(tmp_path: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "from store.ownership import tag; print(tag())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    left, foreign = tmp_path / f".{dead}.tmp", tmp_path / ".bbbbbbbb-cccccccc-1-1-0123456789ab.tmp"
    strangers = [tmp_path / ".x.tmp", tmp_path / f"{dead}.tmp"]
    for path in (left, foreign, *strangers):
        path.write_text("half")
    with whole(tmp_path / "a.csv") as ours:
        ours.write_text("half")
        write_whole(tmp_path / "b.csv", "whole")
        assert ours.exists()
        assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "b.csv", foreign.name, *(p.name for p in strangers)}
