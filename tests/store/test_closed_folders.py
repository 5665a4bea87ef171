"""What this user may not read is named by ``check`` and left as it is, and hides nothing else."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from store import layout
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.store import Store
from tests.synthetic import Copied, make_store, sample_corpus

AS_NOBODY = """
import json, os, sys
import duckdb, google_crc32c, numpy, zarr.codecs
# All of them now: user nobody may not see the folder that they are in.
import store.arrays, store.check, store.corpora.stored
from store.store import Store
from store.errors import BertdynError
if os.geteuid() == 0:
    os.seteuid(65534)
opened = Store.open(sys.argv[1])
def said(ask):
    try:
        return ask()
    except BertdynError as error:
        return str(error)
print(json.dumps({
    "listed": [str(c.key) for c in opened.checkpoints()],
    "sql": opened.query("select count(*) from checkpoints").rows,
    "corpora": [info.name for info in opened.corpora()],
    "check": [(problem.place, problem.what) for problem in opened.check().problems],
    "look over": [problem.place for problem in store.check.look_over(opened.path)],
    "corpus": said(lambda: opened.corpus("other")),
    "hidden": said(lambda: opened.hidden("dev", opened.checkpoints()[0].key._replace(task="a", step=0), 1)),
}))
"""


def three_tasks(path: Path) -> Store:
    corpora = [sample_corpus(examples=4)]
    store = make_store(path, tasks=["a", "b", "c"], seeds=["1"], steps=[0, 20], pretrained=False, corpora=corpora)
    store.add_corpus(sample_corpus("other", examples=4))
    return store


def place(store: Store, task: str, step: int) -> Path:
    return layout.checkpoint_path(store.path, "dev", CheckpointKey.plain(task, "1", step))


def test_one_closed_folder_hides_no_other_and_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        store = three_tasks(Path(folder) / "s.bertdyn")
        other = layout.corpus_path(store.path, "other")
        closed = [place(store, "a", 0), place(store, "b", 0).parent, place(store, "c", 0) / "zarr.json", other]
        closed += [layout.corpus_path(store.path, "dev") / "annotations" / "label"]
        for path in closed:
            path.chmod(0)
        try:
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(store.path)], capture_output=True, text=True, cwd=Path.cwd()
            )
        finally:
            for path in closed:
                path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["listed"] == ["a/1/20", "c/1/0", "c/1/20"]
    assert found["sql"] == [[3]]
    assert found["corpora"] == ["dev"]
    places = {
        "activations/dev/a/1/0", "activations/dev/b/1", "activations/dev/c/1/0", "corpora/other",
        "corpora/dev/annotations/label",
    }  # fmt: skip
    assert {where for where, _ in found["check"]} == set(found["look over"]) == places
    assert all("cannot be read" in what for _, what in found["check"])
    assert "other' cannot be read: Permission denied" in found["corpus"]
    assert "a/1/0' cannot be read: Permission denied" in found["hidden"]


def forbid(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the system refuse to look into a folder."""
    for name, refused in (("stat", f"{folder}/"), ("scandir", str(folder))):
        real = getattr(os, name)

        def refusing(path="", *rest, real=real, refused=refused, **more):  # type: ignore[no-untyped-def]
            if str(path).startswith(refused):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return real(path, *rest, **more)

        monkeypatch.setattr(os, name, refusing)


def test_a_repair_leaves_what_it_may_not_read(tmp_path: Path, copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    store = copied(three_tasks, tmp_path / "s.bertdyn")
    store.shelf().put(("a", "b"), {})
    with monkeypatch.context() as patch:
        forbid(patch, place(store, "a", 0))
        report = store.check(repair=True)
        assert [problem.place for problem in report.problems] == ["activations/dev/a/1/0"]
        assert report.mended == ("rebuilt the tables and the index",)
    again = Store.open(store.path)
    assert again.check().sound
    assert len(again.checkpoints()) == 6
    assert again.shelf().get(("a", "b")) == {}


def test_a_store_with_a_closed_folder_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.create(tmp_path / "s.bertdyn")
    (store.path / "activations" / "dev" / "a" / "1").mkdir(parents=True)
    with monkeypatch.context() as patch:
        forbid(patch, store.path / "activations" / "dev" / "a" / "1")
        assert not store.remove_unused()
    assert store.remove_unused()


def test_an_error_of_the_disk_is_no_closed_folder(
    tmp_path: Path, copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = copied(three_tasks, tmp_path / "s.bertdyn")
    real = os.scandir

    def failing(path=".") -> object:  # type: ignore[no-untyped-def]
        if str(path).endswith("dev/a"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path)

    monkeypatch.setattr(os, "scandir", failing)
    with pytest.raises(BertdynError, match="dev/a' cannot be read: Input/output error"):
        store.checkpoints()
