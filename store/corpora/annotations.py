"""Labels on a corpus: one Zarr group per annotation, added at any time, without running a model again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from store.attributes import corpus_info
from store.errors import BertdynError
from store.groups import damage, make_array, make_group, open_array
from store.keys import ITEM_WORDS, NO_LABEL, ROOT, Annotation, AnnotationInfo, CorpusInfo, LabelKind, Level
from store.layout import annotation_path, chunk_length, corpus_path
from store.staging import MARK, Stage, writing

_DTYPES: Mapping[LabelKind, str] = {"class": "int32", "split": "int32", "number": "float64", "tree": "int64"}
_VALUES, _ITEMS = "values", "items"


def make_annotation(
    name: str,
    level: Level,
    kind: LabelKind,
    labels: tuple[str, ...],
    values: np.ndarray,
    items: np.ndarray | None = None,
    source: str = "",
    place: int = 0,
    left_out: int = 0,
    without_tokens: int = 0,
) -> Annotation:
    """Return an annotation with its info and digest. Arguments are the fields of ``Annotation`` and its info.

    Raises:
        ValueError: the items are not those of the level: there are none, too many, or of another width.
    """
    values = np.ascontiguousarray(values, np.dtype(_DTYPES[kind]).newbyteorder("<"))
    given = ~np.isnan(values) if kind == "number" else values >= (ROOT if kind == "tree" else NO_LABEL + 1)
    if (None if items is None else items.shape) != ((len(values), ITEM_WORDS[level]) if level in ITEM_WORDS else None):
        raise ValueError(f"annotation '{name}' contradicts itself: {len(values)} values of {level}s")
    count = int(given.sum()) if items is None else len(np.unique(items[given], axis=0))
    digest = _digest(level, kind, labels, values, items)
    counts = (left_out, without_tokens)
    return Annotation(AnnotationInfo(name, level, kind, labels, count, digest, place, source, *counts), values, items)


def _digest(
    level: Level, kind: LabelKind, labels: tuple[str, ...], values: np.ndarray, items: np.ndarray | None
) -> str:
    named = json.dumps([level, kind, *labels], ensure_ascii=False).encode("utf-8", "surrogatepass")
    places = b"" if items is None else np.ascontiguousarray(items, "<i8").tobytes()
    return hashlib.sha256(b"\0".join((named, values.tobytes(), places))).hexdigest()


def write_annotation(folder: Path, annotation: Annotation) -> None:
    """Write an annotation as a Zarr group into a new folder.

    Raises:
        OSError: the disk is full or not writable.
    """
    make_group(folder, dataclasses.asdict(annotation.info))
    write_array(folder, _VALUES, annotation.values, _DTYPES[annotation.info.kind], annotation.level)
    if annotation.items is not None:
        _write_items(folder, annotation.items)


def _write_items(folder: Path, items: np.ndarray) -> None:
    """Write the word positions of S items, int64 [S, 2] or [S, 4]."""
    flat = np.ascontiguousarray(items, np.dtype("<i8"))
    shape = (chunk_length(len(flat), 8 * flat.shape[1]), flat.shape[1])
    make_array(folder, _ITEMS, flat.shape, shape, flat.dtype, ("item", "word"), flat)


def add_annotation(root: Path, corpus: str, annotation: Annotation, replace: bool = False) -> bool:
    """Add an annotation to a stored corpus, completely or not at all. Return False if the corpus already has it.

    Raises:
        BertdynError: a different annotation has that name and ``replace`` is False; the disk is full or not writable.
    """
    folder, name, digest = corpus_path(root, corpus), annotation.info.name, annotation.info.digest
    known = {info.name: info for info in corpus_info(folder).annotations}
    if name in known and known[name].digest == digest:
        return False
    last = max((info.place for info in known.values()), default=-1)
    info = dataclasses.replace(annotation.info, place=known[name].place if name in known else last + 1)
    stage = Stage(root)
    try:
        with writing(root):
            write_annotation(stage.path, dataclasses.replace(annotation, info=info))
        if stage.publish(annotation_path(folder, name), replace):
            return True
    finally:
        stage.discard()
    now = corpus_info(folder).annotation(name)
    if now is not None and now.digest == digest:
        return False  # another process was quicker
    raise BertdynError(
        f"Corpus '{corpus}' already has different labels called '{name}'. Give the new ones another name, or replace "
        "the old ones with `bertdyn annotate --replace`."
    )


def read_annotation(root: Path, corpus: str, info: AnnotationInfo) -> Annotation:
    """Return one annotation of a corpus.

    Raises:
        BertdynError: it is damaged.
    """
    folder = annotation_path(corpus_path(root, corpus), info.name)
    problems = list(damage(folder))
    if not problems and not (folder / _VALUES / MARK).is_file():
        problems = ["its values are missing"]
    if problems:
        raise BertdynError(
            f"Annotation '{info.name}' of corpus '{corpus}' is damaged: {problems[0]}. Run `bertdyn check {root} "
            "--repair` and add it again with `bertdyn annotate`."
        )
    items = read_array(folder, _ITEMS) if (folder / _ITEMS / MARK).is_file() else None
    values = read_array(folder, _VALUES)
    if _digest(info.level, info.kind, info.labels, values, items) != info.digest:
        raise BertdynError(
            f"Annotation '{info.name}' of corpus '{corpus}' is damaged: its values do not match its digest. Add it "
            "again with `bertdyn annotate --replace`."
        )
    return Annotation(info, values, items)


class StoredAnnotations(Mapping[str, Annotation]):
    """The annotations of a stored corpus by name, each read at its first use.

    A damaged annotation raises BertdynError when it is read.
    """

    def __init__(self, root: Path, info: CorpusInfo) -> None:
        self._root, self._corpus = root, info.name
        self._infos = {one.name: one for one in info.annotations}
        self._read: dict[str, Annotation] = {}

    def __getitem__(self, name: str) -> Annotation:
        if name not in self._read:
            self._read[name] = read_annotation(self._root, self._corpus, self._infos[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._infos)

    def __len__(self) -> int:
        return len(self._infos)


def write_array(folder: Path, name: str, values: np.ndarray, dtype: str, axis: str) -> None:
    """Write one array [n] of a group."""
    kind = np.dtype(dtype).newbyteorder("<")
    flat = np.ascontiguousarray(values, dtype=kind)
    make_array(folder, name, flat.shape, (chunk_length(len(flat), kind.itemsize),), kind, (axis,), flat)


def read_array(folder: Path, name: str) -> np.ndarray:
    """Return one whole array of a group."""
    values: Any = open_array(folder / name)[:]
    return np.asarray(values)
