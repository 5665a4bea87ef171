"""Does a file of vectors behave like the array, and does it disappear?"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measures.computation import MeasureError
from explorer.measures.probes.scratch import Scratch

FLOAT = np.dtype(np.float32)


@given(n=st.integers(0, 12), width=st.integers(1, 4), seed=st.integers(0, 10**6), pieces=st.integers(1, 4))
def test_it_reads_what_an_array_reads(n: int, width: int, seed: int, pieces: int) -> None:
    rng = np.random.default_rng(seed)
    array, scratch = rng.standard_normal((n, width)).astype(FLOAT), Scratch.empty((n, width), FLOAT)
    for places in np.array_split(rng.permutation(n), pieces):
        scratch[places] = array[places]
    first, last, inner = (int(i) for i in rng.integers(0, n + 3, 3))
    chosen = rng.integers(0, n, 5) if n else np.zeros(0, np.int64)
    np.testing.assert_array_equal(np.asarray(scratch), array)
    np.testing.assert_array_equal(np.asarray(scratch[first:last]), array[first:last])
    np.testing.assert_array_equal(np.asarray(scratch[first:][:inner]), array[first:][:inner])
    np.testing.assert_array_equal(scratch[chosen], array[chosen])
    assert len(scratch[first:last]) == len(array[first:last])
    if first < n:
        np.testing.assert_array_equal(
            scratch[first:][chosen[chosen < n - first]], array[first:][chosen[chosen < n - first]]
        )


def test_a_view_keeps_the_file_open_and_the_last_one_closes_it() -> None:
    scratch = Scratch.empty((3, 2), FLOAT)
    scratch[np.arange(3)] = np.ones((3, 2), FLOAT)
    descriptor, view = scratch.file.descriptor, scratch[1:]
    del scratch
    np.testing.assert_array_equal(np.asarray(view), np.ones((2, 2)))
    del view
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(descriptor)


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scratch = Scratch.empty((3, 2), FLOAT)
    scratch[np.arange(3)] = np.ones((3, 2), FLOAT)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = Scratch.empty((2_000_000, 768), FLOAT)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(MeasureError, match=r"2,000,000 vectors need .* 6\.1 GB in .*No space left.* set TMPDIR"):
        scratch[np.arange(2)] = np.ones((2, 768), FLOAT)


def test_a_folder_that_is_missing_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(MeasureError, match=r"gone.*No such file.*set TMPDIR"):
        Scratch.empty((3, 2), FLOAT)


def test_rows_that_were_never_set_are_an_error() -> None:
    with pytest.raises(EOFError):
        np.asarray(Scratch.empty((3, 2), FLOAT))
