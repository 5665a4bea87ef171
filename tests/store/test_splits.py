"""Corpora in a file for each split."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.corpora.splits import joined, splits_of
from store.corpora.text_files import read
from store.errors import BertdynError
from tests.store.test_text_files import CONLLU, write


def test_files_of_splits_make_one_corpus(tmp_path: Path) -> None:
    train = write(tmp_path / "a.tsv", "text\tscore\nx\t1\ny\t2\n")
    test = write(tmp_path / "b.csv", "text,score\nz,0.5\n")
    assert splits_of({"d:train": train, "d:test": test, "e": train}) == {
        "d": {"train": train, "test": test},
        "e": {"": train},
    }
    text = joined({"train": read(train), "test": read(test)})
    assert text.texts == (("x",), ("y",), ("z",))
    assert [(one.name, one.kind, one.values) for one in text.labels] == [
        ("score", "number", ("1", "2", "0.5")),
        ("split", "split", ("train", "train", "test")),
    ]
    bare = write(tmp_path / "c.tsv", "text\nx\n")
    for other, words in ((bare, "labels of 'train'"), (write(tmp_path / "p.conllu", CONLLU), "words of 'train'")):
        with pytest.raises(BertdynError, match=f"must be alike: {words}"):
            joined({"train": read(train), "dev": read(other)})
    own = write(tmp_path / "s.tsv", "text\tscore\tsplit\nx\t1\tdev\n")
    with pytest.raises(BertdynError, match="its own column 'split'"):
        joined({"train": read(own), "dev": read(own)})
    with pytest.raises(BertdynError, match="a file without"):
        splits_of({"d": train, "d:test": test})
    with pytest.raises(BertdynError, match="NAME:SPLIT=FILE"):
        splits_of({"d:": train})


def test_a_feature_that_only_one_split_has_is_missing_in_the_other(tmp_path: Path, realdata: Path) -> None:
    bare = CONLLU.replace("Case=Nom|Number=Sing", "_")
    train, dev = read(write(tmp_path / "a.conllu", bare)), read(write(tmp_path / "b.conllu", CONLLU))
    for parts in ({"train": train, "dev": dev}, {"dev": dev, "train": train}):
        text = joined(parts)
        found = {one.name: one for one in text.labels}
        assert list(found) == [*("UPOS", "DEPREL", "HEAD", "ARCS", "Case", "Number"), "split"]
        assert sorted(map(str, found["Case"].values)) == sorted(
            map(str, ((None, None, None), (None,), (None, None, "Nom"), (None,)))
        )
        assert len(found["ARCS"].values) == len(found["HEAD"].values) == len(text.texts) == 4
    whole = joined({name: read(realdata / f"ewt_{name}.conllu", limit=200) for name in ("train", "dev")})
    assert all(len(one.values) == 400 for one in whole.labels)
    assert whole.words is not None
    for one in whole.labels:
        if one.level == "word":
            assert [len(values) for values in one.values] == [len(words) for words in whole.words]
