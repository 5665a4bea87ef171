"""What is said about a file system."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from store.disk import Disk, examine, kind_of, readable

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /home rw - nfs4 server:/home rw,vers=4.2
31 22 0:26 / /home/ann/my\040runs rw - fuse.sshfs host:/ rw
32 22 0:27 / /dev/shm rw - tmpfs tmpfs rw
33 22 0:28 / /over rw - ext4 /dev/sdb rw
34 33 0:29 / /over rw - tmpfs tmpfs rw
a line of another form
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/etc/x", "ext4"),
        ("/home", "nfs4"),
        ("/home/bob", "nfs4"),
        ("/homework", "ext4"),
        ("/home/ann/my runs/a.bertdyn", "fuse.sshfs"),
        ("/dev/shm/x", "tmpfs"),
        ("/over/x", "tmpfs"),
    ],
)
def test_the_longest_mount_that_holds_a_folder_counts(folder: str, kind: str) -> None:
    assert kind_of(folder, MOUNTS) == kind


def test_without_a_list_of_mounts_the_kind_is_unknown() -> None:
    assert kind_of("/home", "") == ""


def test_the_kind_is_the_one_that_stat_tells(tmp_path: Path) -> None:
    told = subprocess.run(["stat", "-f", "-c", "%T", str(tmp_path)], capture_output=True, text=True, check=True).stdout
    names = {"ext2/ext3": ("ext2", "ext3", "ext4"), "overlayfs": ("overlay",)}
    assert examine(tmp_path).kind in names.get(told.strip(), (told.strip(),))


def test_a_folder_is_examined_and_left_as_it_was(tmp_path: Path) -> None:
    disk = examine(tmp_path)
    there = os.statvfs(tmp_path)
    assert disk.writable
    assert disk.locks is True
    assert disk.free == pytest.approx(there.f_bavail * there.f_frsize, rel=0.05)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("flock", [lambda *_: None, None], ids=["always succeeds", "not supported"])
def test_locks_that_do_not_work_are_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flock: object) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock or unsupported)
    assert examine(tmp_path).locks is False


def test_a_file_system_that_locks_one_of_two_only_once_is_no_file_system_with_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def once(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) > 1:
            raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(fcntl, "flock", once)
    assert examine(tmp_path).locks is False


@pytest.mark.parametrize(("kind", "shared"), [("nfs4", True), ("fuse.sshfs", True), ("ext4", False), ("", False)])
def test_file_systems_of_several_machines_are_known(kind: str, shared: bool) -> None:
    assert Disk(Path("/"), kind, 0, True, True).shared is shared


def test_a_folder_that_cannot_be_written_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("store.disk.tempfile.NamedTemporaryFile", fails)
    disk = examine(tmp_path)
    assert (disk.writable, disk.locks) == (False, None)
    assert disk.free


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1536, "1.54 kB"),
        (999_600, "1 MB"),
        (412_000_000, "412 MB"),
        (6.6e9, "6.6 GB"),
        (1.2e15, "1200 TB"),
    ],
)
def test_sizes_are_read_in_powers_of_ten(amount: float, said: str) -> None:
    assert readable(amount) == said
