"""``check`` finds what is wrong, and with ``repair`` leaves a store that is right."""

import errno
import os
import shutil
from pathlib import Path

import duckdb
import google_crc32c
import numpy as np
import pytest

from store import fragments, layout, tables
from store.check import look_over
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.store import Store
from tests.store.processes import left_by_a_dead_process
from tests.store.results import result
from tests.synthetic import Copied, hidden_of, make_store, sample_corpus, write_checkpoint

pytestmark = pytest.mark.index

CORPUS = sample_corpus()
KEY = CheckpointKey.plain("sst2", "1", 20)


def two_steps(path: Path) -> Store:
    return make_store(path, tasks=["sst2"], seeds=["1"], steps=[0, 20])


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(two_steps, tmp_path / "s.bertdyn")


def group(store: Store, key: CheckpointKey = KEY) -> Path:
    return layout.checkpoint_path(store.path, "dev", key)


def test_a_store_as_it_was_made_is_sound(store: Store) -> None:
    report = store.check()
    assert report.sound
    assert (report.corpora, report.checkpoints, report.mended) == (1, 3, ())
    assert report.bytes > 3 * 2 * 4 * CORPUS.info.tokens * 16


def test_a_checkpoint_counts_once_whatever_the_corpora(tmp_path: Path) -> None:
    corpora = [sample_corpus(), sample_corpus("other")]
    store = make_store(tmp_path / "s.bertdyn", tasks=["sst2"], seeds=["1"], steps=[0, 20], corpora=corpora)
    report = store.check()
    assert (report.corpora, report.checkpoints) == (2, 3)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[7] ^= 16
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("file", "harm", "says"),
    [
        ("hidden/c/1/0/0", _flip, "chunk hidden/c/1/0/0 does not match its checksum"),
        ("attention/c/0/1/0", Path.unlink, "chunk attention/c/0/1/0 is missing"),
        ("hidden/c/3/0/0", lambda path: path.write_bytes(b"short"), "5 bytes"),
        ("attention/zarr.json", Path.unlink, "There is no"),
        ("zarr.json", lambda path: path.write_text("{"), "not JSON"),
        ("zarr.json", lambda path: path.write_text(path.read_text().replace('"sst2"', '"pos"')), "belongs elsewhere"),
        ("zarr.json", lambda path: path.write_text(path.read_text().replace('"layers"', '"Layers"')), "layers"),
    ],
)
def test_a_damaged_checkpoint_is_found_taken_out_and_can_be_extracted_again(store: Store, file, harm, says) -> None:  # type: ignore[no-untyped-def]
    harm(group(store) / file)
    report = store.check()
    assert [problem.place for problem in report.problems] == ["activations/dev/sst2/1/20"]
    assert says in report.problems[0].what
    assert report.mended == ()

    mended = store.check(repair=True).mended
    assert any("activations/dev/sst2/1/20" in line for line in mended)
    again = Store.open(store.path)
    assert again.check().sound
    assert KEY not in {c.key for c in again.checkpoints()}
    assert again.query("select count(*) from checkpoints").rows == [(2,)]
    write_checkpoint(again, CORPUS, KEY)
    assert KEY in {c.key for c in again.checkpoints()}
    np.testing.assert_array_equal(again.hidden("dev", KEY, 1), hidden_of(CORPUS, KEY)[1].astype(np.float16))


def test_extraction_takes_the_place_of_a_checkpoint_whose_description_is_gone(store: Store) -> None:
    (group(store) / "zarr.json").unlink()
    assert KEY not in {c.key for c in store.checkpoints()}
    write_checkpoint(store, CORPUS, KEY)
    assert store.check().sound


def test_checkpoints_outlive_their_damaged_corpus(store: Store) -> None:
    _flip(layout.corpus_path(store.path, "dev") / "token_ids" / "c" / "0")
    assert "token_ids" in store.check(repair=True).problems[0].what
    report = store.check()
    assert {problem.what for problem in report.problems} == {
        "its corpus 'dev' is missing or damaged: extract with it again"
    }
    store.check(repair=True)
    store.add_corpus(CORPUS)
    assert store.check().sound
    assert len(store.checkpoints("dev")) == 3


def test_a_checkpoint_of_another_version_of_its_corpus_is_found(store: Store) -> None:
    shutil.rmtree(layout.corpus_path(store.path, "dev"))
    store.add_corpus(sample_corpus(seed=5))
    problems = store.check().problems
    assert len(problems) == 3
    assert "another version of corpus 'dev'" in problems[0].what


@pytest.mark.parametrize(
    ("place", "elsewhere", "says"),
    [
        ("corpora/dev", "corpora/other", "it holds corpus 'dev', which belongs elsewhere"),
        (
            "corpora/dev/annotations/label",
            "corpora/dev/annotations/other",
            "it holds annotation 'label', which belongs elsewhere",
        ),
    ],
)
def test_a_corpus_or_labels_in_another_place_are_found(store: Store, place: str, elsewhere: str, says: str) -> None:
    (store.path / place).rename(store.path / elsewhere)
    assert (elsewhere, says) in [(problem.place, problem.what) for problem in store.check().problems]
    assert (elsewhere, says) in [(p.place, p.what) for p in look_over(store.path)] or "annotations" in place


def test_labels_are_set_aside_with_their_damaged_corpus(store: Store) -> None:
    corpus = layout.corpus_path(store.path, "dev")
    for chunk in ("token_ids/c/0", "annotations/label/values/c/0"):
        _flip(corpus / chunk)
    report = store.check(repair=True)
    assert [p.place for p in report.problems] == ["corpora/dev", "corpora/dev/annotations/label"]
    assert len([line for line in report.mended if line.startswith("moved")]) == 1
    assert list(store.path.glob("trash/*/corpora/dev/annotations/label/zarr.json"))


def test_what_is_replaced_while_it_is_checked_is_not_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def replaced(folder: Path) -> list[str]:
        if folder != group(store):
            return []
        os.utime(folder / "zarr.json", (1, 1))
        return ["chunk hidden/c/0/0/0 is missing"]

    monkeypatch.setattr("store.check.damage", replaced)
    assert store.check().sound


def test_a_checkpoint_without_attentions_is_sound(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    store.add_corpus(CORPUS)
    write_checkpoint(store, CORPUS, KEY, attentions=False)
    assert store.check().sound


def test_a_damaged_note_of_the_index_is_found_without_reading_arrays(store: Store) -> None:
    assert look_over(store.path) == ()
    note = store.path / "tables" / "index.json"
    note.write_text(note.read_text().replace('"checksum": "', '"checksum": "x'))
    assert [problem.place for problem in look_over(store.path)] == ["tables/index.json"]


def test_leftovers_that_cannot_be_listed_are_a_problem(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.listdir

    def listdir(path: str | Path = ".") -> list[str]:
        if Path(path) == store.path / "staging":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    assert [(p.place, p.what) for p in store.check().problems] == [("staging", "cannot be read: Input/output error")]


def unreadable(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let the disk fail where a fragment is read."""
    real = os.open

    def opened(name: str | Path, *more: int) -> int:
        if Path(name) == path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(name, *more)

    monkeypatch.setattr("store.fragments.os.open", opened)


def test_a_fragment_that_cannot_be_read_is_named_and_not_set_aside(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = (store.path / "tables" / "corpora").glob("*.parquet")
    unreadable(monkeypatch, path)
    report = store.check(repair=True)
    place = path.relative_to(store.path).as_posix()
    assert [(p.place, p.what) for p in report.problems] == [(place, "cannot be read: Input/output error")]
    assert not [line for line in report.mended if line.startswith("moved")]
    assert path.exists()


def test_values_in_a_fragment_that_cannot_be_read_are_not_said_to_be_damaged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_results([result(store.checkpoints()[0])])
    path = max((store.path / "tables" / "results").glob("*.parquet"))
    unreadable(monkeypatch, path)
    with pytest.raises(BertdynError, match=rf"{path.name}' cannot be read: Input/output error\.$"):
        Store.open(store.path).results()


def test_a_table_that_changes_all_the_time_is_one_sentence(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: Path) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr("store.sound_fragments.fault", gone)
    with pytest.raises(BertdynError, match="changes faster than it can be read"):
        Store.open(store.path).results()


def test_leftovers_of_the_dead_are_found_and_removed(store: Store) -> None:
    name = left_by_a_dead_process(store.path)
    assert [problem.place for problem in store.check().problems] == [f"staging/{name}"]
    assert "removed 1 unfinished folder" in store.check(repair=True).mended
    assert not list((store.path / "staging").iterdir())


def test_keeping_results_removes_what_a_killed_process_left(store: Store) -> None:
    left_by_a_dead_process(store.path)
    of = store.checkpoints()[0]
    again = Store.open(store.path)
    again.add_results([])
    assert list((store.path / "staging").iterdir())
    again.add_results([result(of)])
    assert not list((store.path / "staging").iterdir())
    assert again.check().sound


def test_what_was_set_aside_stays_until_asked(store: Store) -> None:
    folders = ["activations/dev/sst2/1/0", "activations/dev/sst2/1/20"]
    for folder, step in zip(folders, (0, 20), strict=True):
        kept = sorted(p.name for p in group(store, CheckpointKey.plain("sst2", "1", step)).rglob("*"))
        _flip(group(store, CheckpointKey.plain("sst2", "1", step)) / "hidden/c/1/0/0")
        (line,) = [line for line in store.check(repair=True).mended if folder in line]
        place = line.split(" to ")[1].split(":")[0]
        assert sorted(p.name for p in (store.path / place / folder).rglob("*")) == kept
    assert store.check(repair=True).sound
    assert len(list((store.path / "trash").iterdir())) == 2
    assert all(list((store.path / "trash").glob(f"*/{folder}/zarr.json")) for folder in folders)
    assert store.empty_trash() == 2
    assert not list((store.path / "trash").iterdir())


def test_tables_and_index_are_made_again_from_the_groups_and_values_are_kept(store: Store) -> None:
    store.add_results([result(store.checkpoints()[0])])
    sql = "select * from checkpoints order by all"
    before = store.query(sql).rows
    shutil.rmtree(store.path / "tables" / "checkpoints")
    shutil.rmtree(store.path / "tables" / "corpora")
    (store.path / "index.duckdb").unlink()
    (store.path / "tables" / "index.json").unlink()
    again = Store.open(store.path)
    again.check(repair=True)
    assert again.query(sql).rows == before
    assert (again.path / "index.duckdb").exists()
    assert again.query("select value, variance from svcca").rows == [(0.25, 0.99)]


def test_folders_that_an_archive_lost_for_being_empty_are_no_problem(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    for name in ("corpora", "activations", "staging", "trash"):
        (store.path / name).rmdir()
    assert store.check().sound
    store.add_corpus(CORPUS)
    write_checkpoint(store, CORPUS, KEY)
    write_checkpoint(store, CORPUS, KEY, replace=True)
    assert store.check().sound


def test_damage_to_kept_values_is_taken_out_and_said(store: Store) -> None:
    store.add_results([result(store.checkpoints()[0])])
    path = max((store.path / "tables" / "results").glob("*.parquet"))
    path.write_bytes(b"PAR1")
    with pytest.raises(BertdynError, match=rf"{path.name}' is damaged.*bertdyn check .* --repair"):
        store.results()
    report = store.check(repair=True)
    assert [problem.place for problem in report.problems] == [path.relative_to(store.path).as_posix()]
    assert store.results() == []


def test_artefacts_are_checked_and_those_without_a_row_are_swept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"weights": np.arange(6.0).reshape(2, 3), "bias": np.float32(0.5), "none": np.zeros((0, 4), np.int32)}
    kept, damaged, orphan = (store.add_artefact(arrays) for _ in range(3))
    checkpoint = store.checkpoints("dev")[0]
    store.add_results([result(checkpoint, layer=n, artefact=name) for n, name in ((1, kept), (2, damaged))])
    read = store.artefact(kept)
    assert {name: (a.shape, a.dtype, a.tolist()) for name, a in read.items()} == {
        name: (np.shape(a), np.asarray(a).dtype, np.asarray(a).tolist()) for name, a in arrays.items()
    }
    assert store.check().sound
    chunk = store.path / "artefacts" / damaged / "weights" / "c" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    content[3] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(BertdynError, match=f"Artefact '{damaged}' is damaged: chunk weights/c/0/0 "):
        store.artefact(damaged)
    assert [problem.place for problem in store.check().problems] == [f"artefacts/{damaged}"]
    store.check(repair=True)
    assert store.check().sound
    there = {path.name for path in (store.path / "artefacts").iterdir()}
    assert there == {kept, orphan}  # the orphan's row may be on its way
    with pytest.raises(BertdynError, match=f"no artefact '{damaged}'"):
        store.artefact(damaged)
    monkeypatch.setattr("store.artefacts.DAY", -1)
    store.check(repair=True)
    assert {path.name for path in (store.path / "artefacts").iterdir()} == {kept}


def test_a_damaged_fragment_that_was_merged_costs_nothing(store: Store) -> None:
    of = store.checkpoints()[0]
    for layer in range(4):
        store.add_results([result(of, layer=layer)])
    results = store.path / "tables" / "results"
    with duckdb.connect() as connection:
        assert fragments.compact(connection, store.path, tables.RESULTS, above=3)
    damaged = sorted(results.glob("*.parquet"))[1]
    _flip(damaged)
    (line,) = [line for line in Store.open(store.path).check(repair=True).mended if damaged.name in line]
    assert line.endswith("its rows are in other fragments too")
    assert len(Store.open(store.path).results()) == 4


def test_checkpoints_are_listed_by_themselves_where_their_table_is_none(store: Store) -> None:
    """A fragment has the checksum in its name, and is not a table all the same."""
    folder = store.path / "tables" / "checkpoints"
    before = [one.key for one in store.checkpoints()]
    content = b"no table at all"
    for path in folder.glob("*.parquet"):
        path.unlink()
    name = f"{1:020d}-{'0' * 12}-{'0' * 8}-{google_crc32c.value(content):08x}.parquet"
    (folder / name).write_bytes(content)
    again = Store.open(store.path)
    assert [one.key for one in again.checkpoints()] == before
    assert again.check().sound
