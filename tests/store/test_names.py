"""Names are data: whatever a corpus, task or seed is called, it comes back under that name and no other."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import layout
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.store import Store
from tests.synthetic import sample_corpus, write_checkpoint

ODD = [
    "a/b", "..", ".", " ", "a b", "%", "a%2Fb", "~", "日本語", "Ünïcödé", "x" * 300, "x" * 301, "nul\0",
    "a'b\"c", "*[?]",
]  # fmt: skip


@given(st.text(), st.text())
def test_two_names_never_share_a_folder(a: str, b: str) -> None:
    assert (layout.folder_name(a) == layout.folder_name(b)) == (a == b)


@given(st.text(max_size=400))
def test_every_name_makes_a_folder_that_file_systems_take(name: str) -> None:
    folder = layout.folder_name(name)
    assert 0 < len(folder.encode()) <= 255
    assert folder.isascii()
    assert not folder.startswith(".")
    assert "/" not in folder


def test_plain_names_can_be_read_in_a_listing() -> None:
    assert layout.folder_name("sst2-large_v1.0") == "sst2-large_v1.0"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.create(tmp_path_factory.mktemp("odd") / "it's [odd]*.bertdyn")
    for number, name in enumerate(ODD):
        corpus = sample_corpus(name, examples=2)
        store.add_corpus(corpus)
        write_checkpoint(store, corpus, CheckpointKey.plain(name, name, number), layers=1, heads=1, width=2)
    return store


def test_odd_names_come_back_from_listing_reading_and_sql(odd: Store) -> None:
    assert sorted(info.name for info in odd.corpora()) == sorted(ODD)
    expected = {(name, name, name, number) for number, name in enumerate(ODD)}
    assert {(c.corpus, c.key.task, c.key.seed, c.key.step) for c in odd.checkpoints()} == expected
    assert set(odd.query("select corpus, task, seed, step from checkpoints").rows) == expected
    assert {row[0] for row in odd.query("select name from corpora").rows} == set(ODD)
    for number, name in enumerate(ODD):
        assert odd.corpus(name).info.name == name
        assert odd.hidden(name, CheckpointKey.plain(name, name, number), 1).shape == (odd.corpus(name).info.tokens, 2)
        assert [c.corpus for c in odd.checkpoints(name)] == [name]


def test_a_store_in_a_folder_with_an_odd_name_is_sound(odd: Store) -> None:
    report = odd.check()
    assert report.sound, report.problems
    assert report.checkpoints == report.corpora == len(ODD)


def test_half_a_character_in_a_name_is_refused(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s.bertdyn")
    with pytest.raises(BertdynError, match="not valid text"):
        store.add_corpus(sample_corpus("caf\udce9"))
    store.add_corpus(sample_corpus())
    with pytest.raises(BertdynError, match="not valid text"):
        store.writer(
            "dev", CheckpointKey.plain("caf\udce9", "1", 0), layers=1, heads=1, width=2, dtype="float16", attentions=False,  # noqa: E501
            attributes={},
        )  # fmt: skip


def test_a_corpus_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match="A corpus needs a name"):
        Store.create(tmp_path / "s.bertdyn").add_corpus(sample_corpus("", examples=2))
