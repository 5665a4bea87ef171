"""Damaged descriptions of groups and arrays: each is named in a sentence, and never read as something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store import layout
from store.errors import BertdynError
from store.keys import CheckpointKey, Corpus
from store.outputs import Classes, Classifier
from store.store import Store
from tests.synthetic import Copied, make_store, sample_corpus

KEY = CheckpointKey.plain("sst2", "1", 20)
NOT_JSON, NOTHING, FOLDER = "it is not JSON", "it describes nothing", "cannot be read: Is a directory"


@pytest.fixture
def store(tmp_path: Path, copied: Copied) -> Store:
    return copied(lambda path: make_store(path, tasks=["sst2"], seeds=["1"], steps=[20]), tmp_path / "s.bertdyn")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def harm(path: Path) -> None:
        text = json.loads(path.read_text())
        change(text)
        path.write_text(json.dumps(text))

    return harm


ALIKE = [
    (lambda path: path.write_text("{"), NOT_JSON),
    (lambda path: path.write_bytes(b"\xff\xfe"), NOT_JSON),
    (lambda path: path.write_text("[1]"), NOTHING),
    (_folder, FOLDER),
]
"""Damage to any description."""


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        *ALIKE,
        (_changed(lambda text: text.pop("attributes")), "it has no attributes"),
        (_changed(lambda text: text.update(attributes=[])), "it has no attributes"),
        (_changed(lambda text: text["attributes"].pop("layers")), "its attributes lack 'layers'"),
        (_changed(lambda text: text["attributes"].update(digests=5)), "its attributes are damaged: "),
    ],
)
def test_of_a_checkpoint(store: Store, harm: Callable[[Path], object], says: str) -> None:
    place = layout.checkpoint_path(store.path, "dev", KEY)
    harm(place / "zarr.json")
    (problem,) = problems(store)
    assert problem.place == place.relative_to(store.path).as_posix()
    assert says in problem.what


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        *ALIKE,
        (_changed(lambda text: text.pop("codecs")), "codecs"),
        (_changed(lambda text: text["codecs"].pop()), "its codecs are not bytes and crc32c"),
        (_changed(lambda text: text.pop("chunk_grid")), "chunk_grid"),
        (_changed(lambda text: text.update(data_type="float17")), "float17"),
        (_changed(lambda text: text.update(shape=None)), "NoneType"),
    ],
)
def test_of_an_array(store: Store, harm: Callable[[Path], object], says: str) -> None:
    harm(layout.checkpoint_path(store.path, "dev", KEY) / "hidden" / "zarr.json")
    assert any(says in problem.what for problem in problems(store))
    with pytest.raises(BertdynError, match="damaged or were replaced meanwhile"):
        store.hidden("dev", KEY, 1)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        *ALIKE,
        (_changed(lambda text: text["attributes"].pop("info")), "it does not describe a corpus"),
        (_changed(lambda text: text["attributes"]["info"].update(unknown=1)), "it does not describe a corpus"),
    ],
)
def test_of_a_corpus(store: Store, harm: Callable[[Path], object], says: str) -> None:
    harm(layout.corpus_path(store.path, "dev") / "zarr.json")
    assert any(says in problem.what for problem in problems(store))
    with pytest.raises(BertdynError):
        store.corpus("dev")


@pytest.mark.parametrize(
    ("harm", "says"),
    [*ALIKE, (_changed(lambda text: text["attributes"].pop("labels")), "it does not describe an annotation")],
)
def test_of_an_annotation(store: Store, harm: Callable[[Path], object], says: str) -> None:
    place = layout.annotation_path(layout.corpus_path(store.path, "dev"), "label")
    harm(place / "zarr.json")
    assert any(says in problem.what for problem in problems(store))
    assert "label" not in store.corpus("dev").annotations


def problems(store: Store) -> tuple[Any, ...]:
    return Store.open(store.path).check().problems


@pytest.mark.parametrize("rows", [-1, 1])
def test_too_few_or_too_many_logits_are_our_own_mistake(tmp_path: Path, rows: int) -> None:
    store, corpus = Store.create(tmp_path / "s.bertdyn"), sample_corpus()
    store.add_corpus(corpus)
    hidden = np.zeros((2, corpus.info.tokens, 4), np.float32)
    logits = np.zeros((corpus.info.examples + rows, 2), np.float32)
    with _writer(store, corpus) as writer, pytest.raises(ValueError, match=r"logits"):
        _all_at_once(writer, hidden, logits)
    assert store.checkpoints() == ()


def test_logits_of_other_classes_are_our_own_mistake(tmp_path: Path) -> None:
    store, corpus = Store.create(tmp_path / "s.bertdyn"), sample_corpus()
    store.add_corpus(corpus)
    with _writer(store, corpus) as writer, pytest.raises(ValueError, match=r"logits \(1, 3\) do not fit"):
        writer.append(np.zeros((2, 1, 4), np.float32), None, np.zeros((1, 3), np.float32))


def _all_at_once(writer: Any, hidden: np.ndarray, logits: np.ndarray) -> None:
    writer.append(hidden, None, logits)
    writer.commit()


def _writer(store: Store, corpus: Corpus) -> Any:
    classes = Classes("sequence", ("a", "b"), "single_label_classification")
    return store.writer(
        corpus.info.name, KEY, layers=1, heads=1, width=4, dtype="float32", attentions=False, attributes={},
        classifier=Classifier(classes, {"weight": np.zeros((2, 4), np.float32)}),
    )  # fmt: skip
