"""Does a listing see what came, went and was replaced, however soon after the last one?"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import places
from store.layout import ACTIVATIONS
from store.places import Watch, scan


def put(root: Path, run: str, step: int, when: int = 1_700_000_000) -> None:
    folder = root / ACTIVATIONS / "dev" / "sst2" / run / str(step)
    draft = root / "draft"
    shutil.rmtree(folder, ignore_errors=True)
    draft.mkdir()
    (draft / "zarr.json").write_text("{}")
    os.utime(draft / "zarr.json", (when, when))
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.rename(draft, folder)


def age(root: Path, run: str) -> None:
    """As if nothing had changed in the run's folder for an hour."""
    folder = root / ACTIVATIONS / "dev" / "sst2" / run
    past = os.stat(folder).st_mtime - 3600
    os.utime(folder, (past, past))


def test_nothing_is_there_at_first(tmp_path: Path) -> None:
    assert Watch(tmp_path).look() == []


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.sampled_from(["put", "drop", "age"])), max_size=12)
)
def test_every_look_finds_what_a_full_scan_finds(tmp_path_factory, steps) -> None:
    root = tmp_path_factory.mktemp("store")
    watch = Watch(root)
    for number, (run, step, what) in enumerate(steps):
        folder = root / ACTIVATIONS / "dev" / "sst2" / run
        if what == "put":
            put(root, run, step, 1_700_000_000 + number)
        elif what == "drop":
            shutil.rmtree(folder / str(step), ignore_errors=True)
        elif folder.exists():
            age(root, run)
        assert sorted(watch.look()) == sorted(scan(root, ACTIVATIONS, 4))


def test_a_run_that_did_not_change_is_not_looked_into_again(tmp_path: Path, monkeypatch) -> None:
    put(tmp_path, "1", 20)
    age(tmp_path, "1")
    watch = Watch(tmp_path)
    first = watch.look()
    (tmp_path / ACTIVATIONS / "dev/sst2/1/20/zarr.json").unlink()  # nobody does that: groups are renamed as a whole
    assert watch.look() == first
    assert scan(tmp_path, ACTIVATIONS, 4) == []


@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_a_second_change_in_a_tick_is_seen_whatever_our_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """The time of a folder is that of the file server, and its clock may differ from ours by minutes."""
    real = time.time_ns
    monkeypatch.setattr(places.time, "time_ns", lambda: real() + minutes * 60 * 10**9)
    put(tmp_path, "1", 20)
    watch = Watch(tmp_path)
    assert len(watch.look()) == 1
    folder = tmp_path / ACTIVATIONS / "dev" / "sst2" / "1"
    before = folder.stat()
    put(tmp_path, "1", 40)
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))  # a coarse clock
    assert len(watch.look()) == 2


def test_a_run_that_goes_away_while_it_is_looked_at_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "1", 20)
    put(tmp_path, "2", 20)
    real = os.stat

    def stat(path, *more, **settings):  # type: ignore[no-untyped-def]
        if str(path).endswith("sst2/1"):
            shutil.rmtree(path, ignore_errors=True)
        return real(path, *more, **settings)

    monkeypatch.setattr(os, "stat", stat)
    assert [folder for folder, _ in Watch(tmp_path).look()] == ["activations/dev/sst2/2/20"]
