"""A corpus's Zarr group: token ids, offsets, words, labels, texts. Small beside the activations, read whole."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from store.attributes import corpus_info, read_attributes
from store.errors import BertdynError
from store.groups import damage, make_array, make_group, open_array
from store.keys import Corpus
from store.layout import annotation_path, chunk_length, corpus_path
from store.ragged import offsets_of, pack_texts, pair_offsets, unpack_texts
from store.staging import MARK, Stage, writing

_ARRAYS = {
    "token_ids": ("int32", "token"),
    "token_types": ("int8", "token"),
    "offsets": ("int64", "example_end"),
    "special": ("bool", "token"),
    "word_first": ("int64", "word"),
    "word_length": ("int32", "word"),
    "word_offsets": ("int64", "example_end"),
}
_LABELS = ("int32", "labelled")
_VALUES = "values"
_REQUIRED = (*_ARRAYS, "text_utf8", "text_offsets", "text_columns", "piece_ids", "piece_utf8", "piece_offsets")


def annotation_digest(names: Sequence[str], label_ids: np.ndarray) -> str:
    """Return the digest of labels: of their names, and of the ids int32 [E] or [W] in the order of the texts."""
    named = json.dumps(list(names), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(named + b"\0" + np.ascontiguousarray(label_ids, "<i4").tobytes()).hexdigest()


def write_corpus(root: Path, corpus: Corpus, replace: bool = False) -> bool:
    """Put a corpus in place, whole. False: another of that name was there first, and is not to be replaced.

    Raises:
        BertdynError: the disk is full or not writable.
        ValueError: arrays that contradict each other.
    """
    _consistent(corpus)
    stage = Stage(root)
    try:
        with writing(root):
            about = asdict(corpus.info)
            del about["annotations"]  # each is a group of its own, so that more can be added
            make_group(stage.path, {"info": about, "attributes": dict(corpus.attributes)})
            for name, (dtype, axis) in _ARRAYS.items():
                _write(stage.path, name, getattr(corpus, name), dtype, axis)
            if corpus.label_ids is not None and corpus.info.labelled is not None:
                place = annotation_path(stage.path, corpus.info.labelled.name)
                make_group(place, asdict(corpus.info.labelled))
                _write(place, _VALUES, corpus.label_ids, *_LABELS)
            columns = [text for texts in corpus.texts for text in texts]
            _write_texts(stage.path, "text", columns)
            _write(stage.path, "text_columns", offsets_of(map(len, corpus.texts)), "int64", "example_end")
            ids = sorted(corpus.pieces)
            _write(stage.path, "piece_ids", np.array(ids, np.int32), "int32", "piece")
            _write_texts(stage.path, "piece", [corpus.pieces[i] for i in ids])
        return stage.publish(corpus_path(root, corpus.info.name), replace)
    finally:
        stage.discard()


def read_corpus(root: Path, name: str) -> Corpus:
    """The corpus of that name.

    Raises:
        BertdynError: there is none, it is damaged, or another one lies in its folder.
    """
    folder = corpus_path(root, name)
    info = corpus_info(folder)
    if info.name != name:
        raise BertdynError(f"'{folder}' should hold corpus '{name}' but says it is '{info.name}'.")
    # A missing chunk would read as zeros, so look first; a corpus is small.
    missing = [f"its {array} are missing" for array in _REQUIRED if not (folder / array / MARK).is_file()]
    labels = None if info.labelled is None else annotation_path(folder, info.labelled.name)
    if labels is not None and not (labels / _VALUES / MARK).is_file():
        missing.append("its labels are missing")
    for problem in itertools.chain(missing, damage(folder), () if labels is None else damage(labels)):
        raise _damaged(root, name, problem)
    arrays = {field: _read(folder, field) for field in _ARRAYS}
    columns, ends = _read_texts(folder, "text"), _read(folder, "text_columns")
    pieces = dict(zip(_read(folder, "piece_ids").tolist(), _read_texts(folder, "piece"), strict=True))
    corpus = Corpus(
        info=info,
        **arrays,
        label_ids=None if labels is None else _read(labels, _VALUES),
        texts=tuple(tuple(columns[a:b]) for a, b in itertools.pairwise(ends)),
        pieces=pieces,
        attributes=read_attributes(folder).get("attributes", {}),
    )
    try:
        _consistent(corpus)
    except ValueError as error:
        raise _damaged(root, name, str(error)) from None
    return corpus


def same_content(a: Corpus, b: Corpus) -> bool:
    """Whether two corpora are the same text, tokens and labels; where they were read from does not matter."""
    return (
        a.info.fingerprint == b.info.fingerprint
        and a.info.kind == b.info.kind
        and a.info.labels == b.info.labels
        and a.texts == b.texts
        and (a.label_ids is None) == (b.label_ids is None)
        and (a.label_ids is None or b.label_ids is None or np.array_equal(a.label_ids, b.label_ids))
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in _ARRAYS)
    )


def _consistent(corpus: Corpus) -> None:
    info = corpus.info
    labelled = info.examples if info.kind == "sentence" else info.words
    wrong = [
        what
        for what, fits in {
            "tokens": len(corpus.token_ids) == len(corpus.token_types) == len(corpus.special) == info.tokens,
            "offsets": len(corpus.offsets) == info.examples + 1 and int(corpus.offsets[-1]) == info.tokens,
            "pairs": int(pair_offsets(corpus.offsets)[-1]) == info.pairs,
            "words": len(corpus.word_first) == len(corpus.word_length) == int(corpus.word_offsets[-1]) == info.words
            and len(corpus.word_offsets) == info.examples + 1,
            "labels": corpus.label_ids is None or len(corpus.label_ids) == labelled,
            "texts": len(corpus.texts) == info.examples,
        }.items()
        if not fits
    ]
    if wrong:
        raise ValueError(f"corpus '{info.name}' contradicts itself: {', '.join(wrong)}")


def _damaged(root: Path, name: str, problem: str) -> BertdynError:
    return BertdynError(
        f"Corpus '{name}' is damaged: {problem}. Run `bertdyn check {root} --repair` and extract again."
    )


def _write(folder: Path, name: str, values: np.ndarray, dtype: str, axis: str) -> None:
    kind = np.dtype(dtype).newbyteorder("<")
    flat = np.ascontiguousarray(values, dtype=kind)
    make_array(folder, name, flat.shape, (chunk_length(len(flat), kind.itemsize),), kind, (axis,), flat)


def _write_texts(folder: Path, name: str, texts: list[str]) -> None:
    packed, offsets = pack_texts(texts)
    _write(folder, f"{name}_utf8", packed, "uint8", "byte")
    _write(folder, f"{name}_offsets", offsets, "int64", f"{name}_end")


def _read(folder: Path, name: str) -> np.ndarray:
    values: Any = open_array(folder / name)[:]
    return np.asarray(values)


def _read_texts(folder: Path, name: str) -> list[str]:
    return unpack_texts(_read(folder, f"{name}_utf8"), _read(folder, f"{name}_offsets"))
