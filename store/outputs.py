"""Write and read the logits of a checkpoint's own classifier, and its few weights, in the checkpoint's group.

logits               float32 [examples or tokens, classes]
classifier.<name>    each weight of the classifier, and of the pooler below it
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from blake3 import blake3

from store.groups import array_folders, make_array, read_info
from store.keys import CorpusInfo
from store.layout import CLASSIFIER, LOGITS, chunk_length
from store.streams import DIGEST_BYTES, Stream, read_rows

Head = Literal["sequence", "token", "span"]
"""Kind of classifier: of sequences, of tokens, or of tokens as start and end of a span."""
Problem = Literal["single_label_classification", "multi_label_classification", "regression"]


@dataclass(frozen=True)
class Classes:
    """The description of the columns of logits."""

    head: Head
    labels: tuple[str, ...]
    """Names of the classes, from ``id2label``; ``start`` and ``end`` for spans."""
    problem: Problem

    @property
    def examples(self) -> bool:
        """Whether a row of logits is an example; if not, it is a token."""
        return self.head == "sequence"


@dataclass(frozen=True, eq=False)
class Outputs:
    """Logits of a checkpoint's own classifier on a corpus (implements ``explorer.measures.protocols.Outputs``)."""

    logits: np.ndarray
    """Logits, float32 [examples or tokens, classes]."""
    classes: Classes

    @property
    def head(self) -> str:
        """Kind of classifier."""
        return self.classes.head

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.classes.labels

    @property
    def problem(self) -> str:
        """Kind of problem: single label, multi label or regression."""
        return self.classes.problem


@dataclass(frozen=True, eq=False)
class Classifier:
    """A stored classifier: the description of its columns, and its weights by name."""

    classes: Classes
    weights: Mapping[str, np.ndarray]


class OutputWriter:
    """Writes the logits of one checkpoint, in the order of the corpus, and its classifier's weights."""

    def __init__(self, folder: Path, corpus: CorpusInfo, classifier: Classifier) -> None:
        self._folder, self._classifier = folder, classifier
        many = len(classifier.classes.labels)
        rows = corpus.examples if classifier.classes.examples else corpus.tokens
        shape, kind = (rows, many), np.dtype("<f4")
        axes = ("example" if classifier.classes.examples else "token", "class")
        self._info = make_array(folder, LOGITS, shape, (chunk_length(rows, 4 * many), many), kind, axes)
        self._stream = Stream(self._info, ())
        self._rows = rows

    def append(self, logits: np.ndarray) -> None:
        """Add the rows of the next examples.

        Raises:
            ValueError: the number of classes is wrong, or there are more rows than the corpus has.
        """
        if logits.ndim != 2 or logits.shape[1] != self._info.shape[1] or self._stream.rows + len(logits) > self._rows:
            raise ValueError(f"logits {logits.shape} do not fit {self._info.shape}")
        self._stream.feed(np.ascontiguousarray(logits, self._info.dtype))

    def finish(self) -> tuple[dict[str, str], int]:
        """Write the rest. Return the digest of each part, and the total bytes.

        Raises:
            ValueError: there are fewer rows than the corpus has.
        """
        if self._stream.rows != self._rows:
            raise ValueError(f"{self._stream.rows} rows of logits were given, but the corpus has {self._rows}")
        digests = {LOGITS: self._stream.finish().hex(), CLASSIFIER: _digest(self._classifier)}
        for name, values in self._classifier.weights.items():
            flat = np.ascontiguousarray(values, np.dtype("<f4"))
            axes = [f"axis_{n}" for n in range(flat.ndim)]
            make_array(self._folder, f"{CLASSIFIER}.{name}", flat.shape, flat.shape, flat.dtype, axes, flat)
        places = [LOGITS, *(f"{CLASSIFIER}.{name}" for name in self._classifier.weights)]
        files = (path for place in places for path in read_info(self._folder / place).chunk_files())
        return digests, sum(path.stat().st_size for path in files)


def read_logits(folder: Path) -> np.ndarray:
    """Read logits [examples or tokens, classes], float32, and compare them with their checksums.

    Raises:
        OSError: a chunk is missing.
        ValueError: a chunk is cut off, or does not match its checksum.
    """
    info = read_info(folder / LOGITS)
    return read_rows(info, (), 0, info.shape[0])


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """Read the weights of the classifier and of its pooler by name, float32, and compare them with their checksums.

    Raises:
        OSError: a chunk is missing.
        ValueError: a chunk is cut off, or does not match its checksum.
    """
    found = {}
    for place in array_folders(folder):
        if place.name.startswith(f"{CLASSIFIER}."):
            info = read_info(place)
            found[place.name.removeprefix(f"{CLASSIFIER}.")] = read_rows(info, (), 0, info.shape[0])
    return found


def _digest(classifier: Classifier) -> str:
    """Return the digest of classes and weights."""
    said = classifier.classes
    digest = blake3(json.dumps([said.head, said.labels, said.problem]).encode())
    for name, values in sorted(classifier.weights.items()):
        digest.update(f"{name} {values.shape} ".encode())
        digest.update(np.ascontiguousarray(values, "<f4").tobytes())
    return digest.hexdigest(length=DIGEST_BYTES)
