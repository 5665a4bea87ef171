"""Opening and making stores."""

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from store import arrays
from store.errors import BertdynError
from store.keys import NO_CORPUS, CheckpointKey
from store.store import Store
from tests.synthetic import make_store, sample_corpus


def test_a_new_store_is_empty_and_opens_again(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "deep" / "new.bertdyn")
    assert (store.corpora(), store.checkpoints(), store.results()) == ((), (), [])
    assert Store.open(store.path).path == store.path
    assert Store.open_or_create(store.path).path == store.path
    assert json.loads((store.path / "bertdyn.json").read_text())["version"] == 2


def test_an_empty_folder_becomes_a_store_and_a_full_one_does_not(tmp_path: Path) -> None:
    Store.create(tmp_path)
    with pytest.raises(BertdynError, match="is already a bertdyn store"):
        Store.create(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"x")
    with pytest.raises(BertdynError, match="exists and is not a bertdyn store"):
        Store.open_or_create(tmp_path / "photos")
    assert os.listdir(tmp_path / "photos") == ["cat.png"]


@pytest.mark.parametrize(
    ("marker", "says"),
    [
        (None, "not a bertdyn store"),
        ("{", "not a bertdyn store"),
        ('{"format": "other", "version": 1}', "not a bertdyn store"),
        ('{"format": "bertdyn", "version": 1}', "has format 1, which this bertdyn .format 2. does not read: extract"),
        ('{"format": "bertdyn", "version": 3}', "has format 3; this bertdyn reads formats up to 2"),
    ],
)
def test_what_is_no_store_of_ours_is_refused(tmp_path: Path, marker: str | None, says: str) -> None:
    if marker is not None:
        (tmp_path / "bertdyn.json").write_text(marker)
    with pytest.raises(BertdynError, match=says):
        Store.open(tmp_path)


def test_a_description_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "bertdyn.json").mkdir()
    with pytest.raises(BertdynError, match="cannot be read: Is a directory"):
        Store.open(tmp_path)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match="There is no folder"):
        Store.open(tmp_path / "nothing")


def test_opening_and_listing_load_neither_numpy_nor_zarr(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=["a"], seeds=["1"], steps=[0])
    code = (
        "import sys; from store.store import Store; assert 'duckdb' not in sys.modules; "
        f"print(len(Store.open({str(store.path)!r}).checkpoints())); "
        "print([m for m in ('numpy', 'zarr', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.split("\n")[:2] == ["2", "[]"]


READ_ONLY = """
import os, sys
import duckdb, google_crc32c, numpy, zarr.codecs
# All of them now: user nobody may not see the folder that they are in.
import store.arrays, store.check, store.corpora.stored
from store.store import Store
from store.errors import BertdynError
from tests.synthetic import sample_corpus
new = sample_corpus("new")
if os.geteuid() == 0:
    os.seteuid(65534)
store = Store.open(sys.argv[1])
key = store.checkpoints()[0].key
print(len(store.checkpoints()), store.query("select count(*) from checkpoints").rows, len(store.corpus("dev").texts))
print(store.hidden("dev", key, 1).shape[1], store.query("select count(*) from runs").rows)
for attempt in (lambda: store.add_corpus(new), lambda: store.check(repair=True)):
    try:
        attempt()
    except BertdynError as error:
        print(error)
try:
    Store.create(os.path.join(os.path.dirname(sys.argv[1]), "other"))
except BertdynError as error:
    print(error)
"""


@pytest.mark.parametrize("tables", [True, False])
def test_a_store_that_may_only_be_read_is_read_and_queried(tables: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder) / "s.bertdyn", tasks=["a"], seeds=["1"], steps=[0, 20], pretrained=False)
        if not tables:
            for path in store.path.glob("tables/*/*.parquet"):
                path.unlink()
        subprocess.run(["chmod", "-R", "a+rX,a-w", folder], check=True)
        try:
            done = subprocess.run(
                [sys.executable, "-c", READ_ONLY, str(store.path)], capture_output=True, text=True, cwd=Path.cwd()
            )
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    assert done.returncode == 0, done.stderr
    first, second, *refused = done.stdout.splitlines()
    assert first == "2 [(2,)] 40"
    assert second == "16 [(1,)]"
    assert [("cannot be written" in line) for line in refused] == [True] * 3


def test_only_a_store_that_nobody_uses_can_be_removed(tmp_path: Path) -> None:
    full = make_store(tmp_path / "full", tasks=["a"], seeds=["1"], steps=[0], pretrained=False)
    key = full.checkpoints()[0].key
    empty = Store.create(tmp_path / "empty")
    empty.add_corpus(full.corpus("dev"))
    how = {"layers": 1, "heads": 1, "width": 2, "dtype": "float16", "attentions": False}
    with empty.writer("dev", key, attributes={}, **how):
        assert not Store.open(empty.path).remove_unused()
    assert not Store.open(full.path).remove_unused()
    assert [c.key for c in Store.open(full.path).checkpoints()] == [key]
    assert Store.open(empty.path).remove_unused()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full"]


NO_ROOM = """
import resource, signal, sys
import duckdb, google_crc32c, numpy, zarr.codecs
from store.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
print(len(Store.open(sys.argv[1]).checkpoints()))
"""


def test_a_moved_store_opens_where_there_is_no_room_for_another_index(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=["a"], seeds=["1"], steps=[0, 20], pretrained=False)
    moved = store.path.rename(tmp_path / "moved.bertdyn")
    done = subprocess.run([sys.executable, "-c", NO_ROOM, str(moved)], capture_output=True, text=True, cwd=Path.cwd())
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_corpora_can_be_added_through_two_open_stores(tmp_path: Path) -> None:
    one, other = Store.create(tmp_path / "s"), Store.open(tmp_path / "s")
    one.add_corpus(sample_corpus())
    other.add_corpus(sample_corpus())
    other.add_corpus(sample_corpus("more"))
    assert [info.name for info in one.corpora()] == ["dev", "more"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (CheckpointKey("a+b", "", "1", 0), "a task's name cannot contain '\\+', which begins a variant"),
        (CheckpointKey("a", "", "1", -1), "a step cannot be negative"),
    ],
)
def test_a_checkpoint_that_nobody_could_name_is_refused(tmp_path: Path, key: CheckpointKey, says: str) -> None:
    store = Store.create(tmp_path / "s")
    with pytest.raises(BertdynError, match=says):
        store.register(key, layers=1, heads=1, width=2, attributes={})
    assert store.checkpoints() == ()


def test_asking_for_a_checkpoint_that_is_on_no_corpus_says_so(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match="no checkpoint a/1/0"):
        Store.create(tmp_path / "s").checkpoint(NO_CORPUS, CheckpointKey.plain("a", "1", 0))


def test_only_some_checkpoints_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path / "s", tasks=["a"], seeds=["1"], steps=[0, 20], pretrained=False)
    keys = [one.key for one in store.checkpoints()]
    opened: list[CheckpointKey] = []
    real = arrays.open_checkpoint

    def counting(root: Path, corpus: str, key: CheckpointKey) -> arrays.CheckpointArrays:
        opened.append(key)
        return real(root, corpus, key)

    monkeypatch.setattr(arrays, "open_checkpoint", counting)
    monkeypatch.setattr("store.readable._OPEN_AT_ONCE", 1)
    for key in (keys[0], keys[0], keys[1], keys[0]):
        store.hidden("dev", key, 1)
    assert opened == [keys[0], keys[1], keys[0]]


def test_of_two_processes_that_make_one_store_both_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.rename

    def slower(old: Path, new: Path) -> None:
        monkeypatch.setattr(os, "rename", real)
        Store.create(new)
        real(old, new)

    monkeypatch.setattr(os, "rename", slower)
    assert Store.open_or_create(tmp_path / "a").check().sound
    monkeypatch.setattr(os, "rename", slower)
    with pytest.raises(BertdynError, match="b' is already a bertdyn store"):
        Store.create(tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_store_that_cannot_be_made_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(old: Path, new: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "rename", fails)
    with pytest.raises(BertdynError, match="cannot be written: Input/output error"):
        Store.open_or_create(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_store_that_is_written_to_while_it_is_removed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.create(tmp_path / "a")
    real = os.rename

    def slower(old: Path, new: Path) -> None:
        monkeypatch.setattr(os, "rename", real)
        (store.path / "staging" / "x").mkdir()
        real(old, new)

    monkeypatch.setattr(os, "rename", slower)
    assert not store.remove_unused()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
