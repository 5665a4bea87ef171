"""Write and read a corpus as a Zarr group: token ids, offsets, words, texts, annotations.

The group is small compared with the activations.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from store.attributes import corpus_info, read_attributes
from store.corpora.annotations import StoredAnnotations, add_annotation, read_array, write_annotation, write_array
from store.errors import BertdynError
from store.groups import damage, make_group
from store.keys import Corpus
from store.layout import annotation_path, corpus_path
from store.ragged import offsets_of, pack_texts, pair_offsets, unpack_texts
from store.staging import MARK, Stage, modified, writing

_ARRAYS = {
    "token_ids": ("int32", "token"),
    "token_types": ("int8", "token"),
    "offsets": ("int64", "example_end"),
    "special": ("bool", "token"),
    "word_first": ("int64", "word"),
    "word_length": ("int32", "word"),
    "word_offsets": ("int64", "example_end"),
    "word_index": ("int32", "word"),
}
_REQUIRED = (*_ARRAYS, "text_utf8", "text_offsets", "text_columns", "piece_ids", "piece_utf8", "piece_offsets")


def write_corpus(root: Path, corpus: Corpus, replace: bool = False) -> bool:
    """Write a corpus, completely or not at all. Return False if its name is taken and ``replace`` is False.

    Raises:
        BertdynError: the disk is full or not writable.
        ValueError: the arrays contradict each other.
    """
    _consistent(corpus)
    stage = Stage(root)
    try:
        with writing(root):
            about = asdict(corpus.info)
            del about["annotations"]  # each is a group of its own, so that more can be added
            make_group(stage.path, {"info": about, "attributes": dict(corpus.attributes)})
            for name, (dtype, axis) in _ARRAYS.items():
                write_array(stage.path, name, getattr(corpus, name), dtype, axis)
            for annotation in corpus.annotations.values():
                write_annotation(annotation_path(stage.path, annotation.info.name), annotation)
            columns = corpus.texts if corpus.words is None else corpus.words
            _write_texts(stage.path, "text", [text for texts in columns for text in texts])
            write_array(stage.path, "text_columns", offsets_of(map(len, columns)), "int64", "example_end")
            ids = sorted(corpus.pieces)
            write_array(stage.path, "piece_ids", np.array(ids, np.int32), "int32", "piece")
            _write_texts(stage.path, "piece", [corpus.pieces[i] for i in ids])
        return stage.publish(corpus_path(root, corpus.info.name), replace)
    finally:
        stage.discard()


def add_corpus(root: Path, corpus: Corpus, in_use: Callable[[], bool]) -> None:
    """Add a corpus. If it is stored already with the same texts and tokens, only add its new annotations.

    Args:
        in_use: return whether any checkpoint was extracted on the stored corpus of this name; if not, the new corpus
            replaces it.

    Raises:
        BertdynError: a different corpus that is in use has that name; the disk is full or not writable.
    """
    name = corpus.info.name
    there = modified(corpus_path(root, name)) is not None
    if not there and write_corpus(root, corpus):
        return
    stored = read_corpus(root, name)
    if same_text(stored, corpus):
        for annotation in corpus.annotations.values():
            add_annotation(root, name, annotation)
        return
    if not in_use() and write_corpus(root, corpus, replace=True):
        return
    raise BertdynError(
        f"The store has checkpoints on a corpus '{name}' with other texts or tokens. Give this one another name."
    )


def read_corpus(root: Path, name: str) -> Corpus:
    """Return the corpus of that name.

    Raises:
        BertdynError: there is none, it is damaged, or its folder holds another corpus.
    """
    folder = corpus_path(root, name)
    info = corpus_info(folder)
    if info.name != name:
        raise BertdynError(f"'{folder}' should hold corpus '{name}', but holds '{info.name}'.")
    # A missing chunk would read as zeros, so check all of them first; a corpus is small.
    missing = (f"its {array} are missing" for array in _REQUIRED if not (folder / array / MARK).is_file())
    for problem in itertools.chain(missing, damage(folder)):
        raise _damaged(root, name, problem)
    arrays = {field: read_array(folder, field) for field in _ARRAYS}
    flat, ends = _read_texts(folder, "text"), read_array(folder, "text_columns")
    columns = tuple(tuple(flat[a:b]) for a, b in itertools.pairwise(ends))
    words = info.kind == "word"
    corpus = Corpus(
        info=info,
        **arrays,
        texts=tuple((" ".join(forms),) for forms in columns) if words else columns,
        words=columns if words else None,
        pieces=dict(zip(read_array(folder, "piece_ids").tolist(), _read_texts(folder, "piece"), strict=True)),
        annotations=StoredAnnotations(root, info),
        attributes=read_attributes(folder).get("attributes", {}),
    )
    try:
        _consistent(corpus)
    except ValueError as error:
        raise _damaged(root, name, str(error)) from None
    return corpus


def same_text(a: Corpus, b: Corpus) -> bool:
    """Return whether two corpora have the same texts, words and tokens, whichever files they were read from."""
    return (
        a.info.fingerprint == b.info.fingerprint
        and a.info.kind == b.info.kind
        and a.texts == b.texts
        and a.words == b.words
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in _ARRAYS)
    )


def _consistent(corpus: Corpus) -> None:
    info = corpus.info
    wrong = [
        what
        for what, fits in {
            "tokens": len(corpus.token_ids) == len(corpus.token_types) == len(corpus.special) == info.tokens,
            "offsets": len(corpus.offsets) == info.examples + 1 and int(corpus.offsets[-1]) == info.tokens,
            "pairs": int(pair_offsets(corpus.offsets)[-1]) == info.pairs,
            "words": len(corpus.word_first) == len(corpus.word_length) == len(corpus.word_index) == info.words
            and len(corpus.word_offsets) == info.examples + 1
            and int(corpus.word_offsets[-1]) == info.words,
            "texts": len(corpus.texts) == info.examples and (corpus.words is None) == (info.kind == "sentence"),
        }.items()
        if not fits
    ]
    if wrong:
        raise ValueError(f"corpus '{info.name}' contradicts itself: {', '.join(wrong)}")


def _damaged(root: Path, name: str, problem: str) -> BertdynError:
    return BertdynError(
        f"Corpus '{name}' is damaged: {problem}. Run `bertdyn check {root} --repair` and extract again."
    )


def _write_texts(folder: Path, name: str, texts: list[str]) -> None:
    packed, offsets = pack_texts(texts)
    write_array(folder, f"{name}_utf8", packed, "uint8", "byte")
    write_array(folder, f"{name}_offsets", offsets, "int64", f"{name}_end")


def _read_texts(folder: Path, name: str) -> list[str]:
    return unpack_texts(read_array(folder, f"{name}_utf8"), read_array(folder, f"{name}_offsets"))
