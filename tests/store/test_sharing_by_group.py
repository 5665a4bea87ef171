"""A store that a group shares: do all files follow the umask and the folder's group, whoever writes them?"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parameters import later

MAKE = """
import os, sys
from pathlib import Path
import numpy as np
from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store, sample_corpus, sample_labels
os.umask(int(sys.argv[2], 8))
store = make_store(Path(sys.argv[1]), tasks=("a",), seeds=("1",), steps=(0, 20))
store.annotate("dev", sample_labels("sentence", ("x", "y"), 40, "more")["more"])
assert compute(store, [ask_store(store, Selection("svcca", "dev"))], workers=1, device="cpu", executor=here).ok
store.add_artefact({"a": np.zeros(3)})
store.shelf().put(("a", "b"), {"a": np.zeros(3)})
store.query("from svcca")
store.check(repair=True)
"""


def _made(path: Path, umask: str) -> Iterator[Path]:
    done = subprocess.run([sys.executable, "-c", MAKE, str(path), umask], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    yield path
    yield from path.rglob("*")


def test_a_folder_with_the_group_bit_is_written_by_the_whole_group(tmp_path: Path) -> None:
    group = next((one for one in (*os.getgroups(), 65534) if one != os.getegid()), None)
    if group is None or (os.geteuid() != 0 and group not in os.getgroups()):
        pytest.skip("this user is in one group only")
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, -1, group)
    shared.chmod(0o2775)
    places = list(_made(shared / "s.bertdyn", "002"))
    assert any(place.name == "index.duckdb" for place in places)
    for place in places:
        there = place.lstat()
        assert there.st_gid == group, place
        assert there.st_mode & stat.S_IWGRP, place
        if place.is_dir():
            assert there.st_mode & stat.S_ISGID, place


@pytest.mark.parametrize(("umask", "forbidden"), [("077", 0o077), later("027", 0o027)])
def test_nothing_is_open_to_more_than_the_umask_allows(tmp_path: Path, umask: str, forbidden: int) -> None:
    for place in _made(tmp_path / "s.bertdyn", umask):
        assert not stat.S_IMODE(place.lstat().st_mode) & forbidden, place
