"""Names of folders and files mean nothing: neither data nor patterns nor places elsewhere, wherever DuckDB is used."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import duckdb
import pytest

from store import fragments, tables
from store.corpora.text_files import read
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.store import Store
from tests.odd_paths import FOLDERS, is_text
from tests.parameters import first
from tests.store.results import result
from tests.synthetic import make_store, sample_corpus, write_checkpoint

pytestmark = pytest.mark.index

CORPUS = sample_corpus(examples=4)
KEY = CheckpointKey.plain("sst2", "1", 20)


def _store(path: Path, step: int) -> Store:
    path.parent.mkdir(parents=True, exist_ok=True)
    store = make_store(path, tasks=["sst2"], seeds=["1"], steps=[step], pretrained=False, corpora=[CORPUS])
    store.add_results([result(store.checkpoints()[0], value=float(step))])
    return store


@pytest.fixture(scope="module")
def decoy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that a misread path would show in place of the one meant."""
    return _store(tmp_path_factory.mktemp("decoy") / "s.bertdyn", step=99).path


ALL_THAT_AN_INDEX_CAN_LIE_UNDER = "/".join(name for name in FOLDERS if "\\" not in name and is_text(name))
ALONE = [name for name in FOLDERS if "\\" in name or not is_text(name)]


@pytest.mark.parametrize("name", first(2, ["seed=7", ALL_THAT_AN_INDEX_CAN_LIE_UNDER, "a?b", "[1]", *ALONE]))
def test_a_store_lies_under_any_name(tmp_path: Path, decoy: Path, name: str) -> None:
    for other in FOLDERS.get(name, ()):
        (tmp_path / other).mkdir(parents=True, exist_ok=True)
        shutil.copytree(decoy, tmp_path / other / "s.bertdyn")
    path = tmp_path / name / "s.bertdyn"
    store = _store(path, step=20)
    again = Store.open(path)
    for opened in (store, again):
        assert [c.key for c in opened.checkpoints()] == [KEY]
        assert opened.query("select task, seed, step from checkpoints").rows == [("sst2", "1", 20)]
        assert opened.query("select task, seed, step, value from svcca").rows == [("sst2", "1", 20, 20.0)]
        assert [(r.task, r.seed, r.step, r.value) for r in opened.results()] == [("sst2", "1", 20, 20.0)]
        assert opened.query("select name, examples from corpora").rows == [("dev", 4)]
    for layer in range(4):
        again.add_results([result(again.checkpoints()[0], layer=layer, value=20.0)])
    with duckdb.connect() as connection:
        assert fragments.compact(connection, path, tables.RESULTS, above=3)
    write_checkpoint(again, CORPUS, KEY, replace=True)
    assert len(Store.open(path).results()) == 4
    assert again.check().sound
    assert again.check(repair=True).sound
    assert len(Store.open(path).results()) == 4
    index = path / "index.duckdb"
    assert index.exists() == (name not in ALONE)
    if index.exists():
        with duckdb.connect(str(index), read_only=True) as outside:
            found = outside.execute("select distinct task, seed, step, value from svcca").fetchall()
            assert found == [("sst2", "1", 20, 20.0)]
            assert outside.execute("select task, seed, step from checkpoints").fetchall() == [("sst2", "1", 20)]
            assert outside.execute("select examples from corpora").fetchall() == [(4,)]


def test_a_store_that_moves_under_a_backslash_leaves_no_index_of_its_old_place(tmp_path: Path) -> None:
    path = _store(tmp_path / "s", step=20).path
    assert (path / "index.duckdb").exists()
    (tmp_path / "a\\b").mkdir()
    shutil.move(path, tmp_path / "a\\b" / "s")
    moved = Store.open(tmp_path / "a\\b" / "s")
    assert not (moved.path / "index.duckdb").exists()
    assert moved.query("select value from svcca").rows == [(20.0,)]


CONTENT = {
    ".tsv": "sentence\tlabel\nfine\tyes\n",
    ".csv": "sentence,label\nfine,yes\n",
    ".jsonl": '{"sentence": "fine", "label": "yes"}\n',
    ".parquet": "",
}


@cache
def _rows(text: str) -> bytes:
    """A Parquet file."""
    with tempfile.TemporaryDirectory() as plain, duckdb.connect() as connection:
        rows = f"select '{text}' as sentence, 'yes' as label"
        connection.execute(f"copy ({rows}) to '{plain}/rows.parquet' (format parquet)")
        return Path(plain, "rows.parquet").read_bytes()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_rows(text) if path.suffix == ".parquet" else CONTENT[path.suffix].replace("fine", text).encode())


@pytest.mark.parametrize("ending", CONTENT)
@pytest.mark.parametrize("name", FOLDERS)
def test_a_text_file_has_any_name_and_lies_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, ending: str
) -> None:
    for other in FOLDERS[name]:
        _write(tmp_path / f"{other}{ending}", "wrong")
        _write(tmp_path / other / f"f{ending}", "wrong")
    _write(tmp_path / name / f"f{ending}", "fine")
    _write(tmp_path / f"{name}{ending}", "fine")
    monkeypatch.chdir(tmp_path)
    # DuckDB gets the whole path of any file, so that only relative ones can be taken for something else.
    for path in (Path(name) / f"f{ending}", Path(f"{name}{ending}")):
        text = read(path)
        assert (text.texts, text.labels[0].values) == ((("fine",),), ("yes",))
        assert dict(text.columns) == {"text": "sentence", "label": "label"}


@pytest.mark.parametrize("ending", CONTENT)
def test_a_column_of_a_text_file_is_not_one_of_its_folders(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "label=no" / "fold=3" / f"dev{ending}"
    _write(path, "fine")
    assert read(path).labels[0].values == ("yes",)
    with pytest.raises(BertdynError, match="no column 'fold'"):
        read(path, label="fold")
