"""Write a checkpoint as a Zarr group, completely or not at all, and read slices of it.

hidden      [layers + 1, tokens, width]    layer 0 is the embedding output
attention   [layers, heads, pairs]         pairs: each example's length squared, one example after the other
logits and classifier: see outputs.py
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from blake3 import blake3

from store.attributes import checkpoint_attributes, corpus_info
from store.errors import BertdynError
from store.groups import ArrayInfo, make_array, make_group, read_info, set_attributes
from store.keys import CheckpointKey, CorpusInfo
from store.layout import ATTENTION, HIDDEN, checkpoint_path, chunk_length, corpus_path
from store.outputs import Classes, Classifier, OutputWriter, read_logits, read_weights
from store.staging import Stage, writing
from store.streams import DIGEST_BYTES, Stream, read_rows

DTYPES = ("float16", "float32")
FLOAT16_LIMIT = 65504.0
_BATCH_BYTES = 8 * 2**20
_BATCHES_WAITING = 2
_THREADS = 4


@dataclass(frozen=True)
class CheckpointArrays:
    """One stored checkpoint, opened for reading."""

    corpus: str
    key: CheckpointKey
    infos: Mapping[str, ArrayInfo]


def open_checkpoint(root: Path, corpus: str, key: CheckpointKey) -> CheckpointArrays:
    """Open a stored checkpoint.

    Raises:
        BertdynError: it does not exist, is damaged, or its folder holds another checkpoint.
    """
    path = checkpoint_path(root, corpus, key)
    attributes = checkpoint_attributes(root, corpus, key)
    with _damage_named(root, corpus, key):
        infos = {name: read_info(path / name) for name in (HIDDEN, ATTENTION) if name in attributes["digests"]}
    return CheckpointArrays(corpus, key, infos)


def read_hidden(root: Path, opened: CheckpointArrays, layer: int, start: int, stop: int | None) -> np.ndarray:
    """Return hidden states [t, width] of one layer (0 = embedding output), tokens ``start`` to ``stop``, as stored.

    Raises:
        BertdynError: there is no such layer, or chunks are damaged.
    """
    layers = opened.infos[HIDDEN].shape[0] - 1
    if not 0 <= layer <= layers:
        raise BertdynError(f"Checkpoint {opened.key} has hidden states of layers 0 to {layers}, not {layer}.")
    return _read(root, opened, HIDDEN, (layer,), start, stop)


def read_attention(
    root: Path, opened: CheckpointArrays, layer: int, head: int, start: int, stop: int | None
) -> np.ndarray:
    """Return packed attention [p] of one head, entries ``start`` to ``stop``, as stored; layer and head count from 1.

    Raises:
        BertdynError: there are no attentions, no such layer or head, or chunks are damaged.
    """
    if ATTENTION not in opened.infos:
        raise BertdynError(
            f"Checkpoint {opened.key} was extracted without attentions. Extract it again without --no-attentions."
        )
    layers, heads = opened.infos[ATTENTION].shape[:2]
    if not (1 <= layer <= layers and 1 <= head <= heads):
        raise BertdynError(
            f"Checkpoint {opened.key} has attention of layers 1 to {layers} and heads 1 to {heads}, "
            f"not layer {layer}, head {head}."
        )
    return _read(root, opened, ATTENTION, (layer - 1, head - 1), start, stop)


def read_outputs(root: Path, corpus: str, key: CheckpointKey) -> tuple[np.ndarray, Classes]:
    """Return logits [examples or tokens, classes] of a checkpoint's own classifier, and a description of the columns.

    Raises:
        BertdynError: the checkpoint does not exist or has no logits, or chunks are damaged.
    """
    classes = _classes_of(root, corpus, key)
    with _damage_named(root, corpus, key):
        return read_logits(checkpoint_path(root, corpus, key)), classes


def read_classifier(root: Path, corpus: str, key: CheckpointKey) -> dict[str, np.ndarray]:
    """Return the weights of a checkpoint's own classifier and of its pooler, by name.

    Raises:
        BertdynError: as ``read_outputs``.
    """
    _classes_of(root, corpus, key)
    with _damage_named(root, corpus, key):
        return read_weights(checkpoint_path(root, corpus, key))


def _classes_of(root: Path, corpus: str, key: CheckpointKey) -> Classes:
    attributes = checkpoint_attributes(root, corpus, key)
    found = attributes.get("classifier")
    if found is None:
        why = attributes.get("no_logits") or "its extraction stored none"
        raise BertdynError(f"Checkpoint {key} on corpus '{corpus}' has no logits: {why}.")
    return Classes(found["head"], tuple(found["labels"]), found["problem"])


def _read(
    root: Path, opened: CheckpointArrays, name: str, index: tuple[int, ...], start: int, stop: int | None
) -> np.ndarray:
    info = opened.infos[name]
    first, last, _ = slice(start, stop).indices(info.shape[len(index)])
    with _damage_named(root, opened.corpus, opened.key):
        return read_rows(info, index, first, last)


class _damage_named:  # noqa: N801 (used as a statement)
    """Turn errors of files and checksums into one sentence: which checkpoint is damaged, and what to do."""

    def __init__(self, root: Path, corpus: str, key: CheckpointKey) -> None:
        self._where = f"checkpoint {key} on corpus '{corpus}'"
        self._root = root

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, OSError | ValueError | KeyError | BertdynError):
            raise BertdynError(
                f"The arrays of {self._where} are damaged or were replaced meanwhile ({error}). "
                f"Run `bertdyn check {self._root} --repair` and extract again what it removes."
            ) from error


class CheckpointWriter:
    """Writes one checkpoint on one corpus. Leaving the ``with`` block without ``commit()`` discards everything.

    Threads check, hash and write the arrays, so that the caller's next forward pass need not wait. Memory is limited
    to a few batches, whatever the number of sentences.
    """

    def __init__(
        self,
        root: Path,
        info: CorpusInfo,
        key: CheckpointKey,
        *,
        layers: int,
        heads: int,
        width: int,
        dtype: str,
        attentions: bool,
        classifier: Classifier | None,
        attributes: Mapping[str, Any],
        replace: bool,
        done: Callable[[Path], None],
    ) -> None:
        if dtype not in DTYPES:
            raise BertdynError(f"Activations are stored as {' or '.join(DTYPES)}, not as {dtype}.")
        self._root, self._info, self._key = root, info, key
        self._replace, self._done = replace, done
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._shape = (layers, heads, width)
        self._attributes = {
            **attributes,
            "corpus": info.name, "task": key.task, "variant": key.variant, "seed": key.seed, "step": key.step,
            "layers": layers, "heads": heads, "width": width, "dtype": dtype,
            "classifier": None if classifier is None else asdict(classifier.classes),
        }  # fmt: skip
        self._tokens = self._pairs = 0
        self._gathered: list[tuple[np.ndarray, np.ndarray | None]] = []
        self._gathered_bytes = 0
        self._waiting: deque[list[Future[None]]] = deque()
        self._stage = Stage(root)
        try:
            with writing(root):
                make_group(self._stage.path, {})
                self._hidden = self._streams(HIDDEN, (layers + 1, info.tokens, width), ("layer", "token", "unit"))
                self._attention: list[list[Stream]] = []
                if attentions:
                    flat = self._streams(ATTENTION, (layers, heads, info.pairs), ("layer", "head", "pair"))
                    self._attention = [flat[i * heads : (i + 1) * heads] for i in range(layers)]
                self._outputs = None if classifier is None else OutputWriter(self._stage.path, info, classifier)
        except BaseException:
            self._stage.discard()
            raise
        # Each thread owns some layers, so the rows of a layer stay in order without a lock.
        count = max(1, min(_THREADS, os.cpu_count() or 1, layers + 1))
        self._pools = [ThreadPoolExecutor(1, thread_name_prefix="bertdyn-write") for _ in range(count)]

    def __enter__(self) -> CheckpointWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def append(self, hidden: np.ndarray, attention: np.ndarray | None, logits: np.ndarray | None = None) -> None:
        """Add the next examples, in the order of the corpus. The writer owns the arrays now: do not change them.

        Args:
            hidden: [layers + 1, t, width].
            attention: [layers, heads, p], where p is the sum of the examples' squared lengths; None without attentions.
            logits: [examples or t, classes]; None without a classifier.

        Raises:
            BertdynError: values are not finite or too large for the stored dtype (a later call or ``commit`` may raise
                it instead); the disk is full.
            ValueError: the shapes do not belong to this checkpoint.
        """
        layers, heads, width = self._shape
        if hidden.ndim != 3 or hidden.shape[0] != layers + 1 or hidden.shape[2] != width:
            raise ValueError(f"hidden states {hidden.shape} do not fit [{layers + 1}, t, {width}]")
        if bool(self._attention) != (attention is not None):
            raise ValueError("attentions were announced and not given, or given and not announced")
        if attention is not None and (attention.ndim != 3 or attention.shape[:2] != (layers, heads)):
            raise ValueError(f"attentions {attention.shape} do not fit [{layers}, {heads}, p]")
        if (self._outputs is None) != (logits is None):
            raise ValueError("logits were announced and not given, or given and not announced")
        if self._outputs is not None and logits is not None:
            with writing(self._root):
                self._outputs.append(self._finite(logits))
        self._tokens += hidden.shape[1]
        self._pairs += attention.shape[2] if attention is not None else 0
        if self._tokens > self._info.tokens or self._pairs > self._info.pairs:
            raise ValueError("more tokens than the corpus has")
        self._gathered.append((hidden, attention))
        self._gathered_bytes += hidden.nbytes + (attention.nbytes if attention is not None else 0)
        if self._gathered_bytes >= _BATCH_BYTES:
            self._submit()
            self._wait(_BATCHES_WAITING)

    def commit(self) -> bool:
        """Check, sync and publish the arrays. Return False, and discard them, if another process was first.

        Raises:
            BertdynError: as ``append``.
            ValueError: fewer tokens than the corpus has.
        """
        if self._gathered:
            self._submit()
        self._wait(0)
        if self._tokens != self._info.tokens or (self._attention and self._pairs != self._info.pairs):
            raise ValueError(
                f"{self._tokens} tokens and {self._pairs} pairs were given; corpus '{self._info.name}' has "
                f"{self._info.tokens} and {self._info.pairs}"
            )
        with writing(self._root):
            hidden = [stream.finish() for stream in self._hidden]
            attention = [_joined([stream.finish() for stream in layer]) for layer in self._attention]
            outputs, output_bytes = self._outputs.finish() if self._outputs is not None else ({}, 0)
            set_attributes(
                self._stage.path,
                {
                    **self._attributes,
                    "hidden_digests": [d.hex() for d in hidden],
                    "attention_digests": [d.hex() for d in attention],
                    "digests": {HIDDEN: _joined(hidden).hex()}
                    | ({ATTENTION: _joined(attention).hex()} if attention else {})
                    | outputs,
                    "bytes": self._verified() + output_bytes,
                    "created": datetime.now(UTC).isoformat(timespec="microseconds"),
                },
            )
        if corpus_info(corpus_path(self._root, self._info.name)).fingerprint != self._info.fingerprint:
            raise BertdynError(
                f"Corpus '{self._info.name}' was replaced while checkpoint {self._key} was extracted: run it again."
            )
        target = checkpoint_path(self._root, self._info.name, self._key)
        ours = self._stage.publish(target, self._replace)
        self.discard()
        if ours:
            self._done(target)
        return ours

    def discard(self) -> None:
        """Discard uncommitted arrays. Calling it twice is harmless."""
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)
        self._stage.discard()

    def _streams(self, name: str, shape: tuple[int, int, int], axes: Sequence[str]) -> list[Stream]:
        if name == HIDDEN:
            chunks = (1, chunk_length(shape[1], shape[2] * self._dtype.itemsize), shape[2])
            indices: list[tuple[int, ...]] = [(layer,) for layer in range(shape[0])]
        else:
            chunks = (1, 1, chunk_length(shape[2], self._dtype.itemsize))
            indices = list(np.ndindex(shape[:2]))
        info = make_array(self._stage.path, name, shape, chunks, self._dtype, axes)
        return [Stream(info, index) for index in indices]

    def _submit(self) -> None:
        batch, self._gathered, self._gathered_bytes = self._gathered, [], 0
        count = len(self._pools)
        self._waiting.append(
            [pool.submit(self._write, batch, range(i, len(self._hidden), count)) for i, pool in enumerate(self._pools)]
        )

    def _wait(self, left: int) -> None:
        while len(self._waiting) > left:
            for job in self._waiting.popleft():
                job.result()

    def _write(self, batch: list[tuple[np.ndarray, np.ndarray | None]], layers: range) -> None:
        with writing(self._root):
            for layer in layers:
                rows = _end_to_end([hidden[layer] for hidden, _ in batch], 0)
                self._hidden[layer].feed(self._stored(rows, f"hidden states of layer {layer}"))
                if layer and self._attention:
                    maps = _end_to_end([a[layer - 1] for _, a in batch if a is not None], 1)
                    maps = self._stored(maps, f"attentions of layer {layer}")
                    for stream, head in zip(self._attention[layer - 1], maps, strict=True):
                        stream.feed(head)

    def _stored(self, values: np.ndarray, what: str) -> np.ndarray:
        with np.errstate(over="ignore"):
            stored = np.ascontiguousarray(values, dtype=self._dtype)
        # Seen as integers, floats without their sign bit keep their order, with infinities and NaN at the top. So one
        # quick pass finds all bad values.
        if self._dtype.itemsize == 2:
            bad = stored.size and int((stored.view("<u2") & 0x7FFF).max()) >= 0x7BFF
        else:
            bad = stored.size and int((stored.view("<u4") & 0x7FFFFFFF).max()) >= 0x7F800000
        if bad:
            finite = bool(np.isfinite(values).all())
            raise BertdynError(
                f"The {what} of checkpoint {self._key} on corpus '{self._info.name}' hold "
                + (
                    f"values of {FLOAT16_LIMIT:.0f} or more, too large for float16. Extract with --dtype float32."
                    if finite
                    else "values that are not finite (NaN or infinity): the checkpoint or its training is broken."
                )
            )
        return stored

    def _finite(self, logits: np.ndarray) -> np.ndarray:
        if np.isfinite(logits).all():
            return logits
        raise BertdynError(
            f"The logits of checkpoint {self._key} on corpus '{self._info.name}' hold values that are not finite (NaN "
            "or infinity): the checkpoint or its training is broken."
        )

    def _verified(self) -> int:
        """Check that every chunk of the arrays exists in full size, and return the bytes written."""
        total = 0
        for name in (HIDDEN, ATTENTION) if self._attention else (HIDDEN,):
            info = read_info(self._stage.path / name)
            for path in info.chunk_files():
                size = path.stat().st_size
                if size != info.chunk_bytes:
                    raise ValueError(f"{path} has {size} bytes, not {info.chunk_bytes}")
                total += size
        return total


def _end_to_end(parts: list[np.ndarray], axis: int) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis)


def _joined(digests: Sequence[bytes]) -> bytes:
    return blake3(b"".join(digests)).digest(length=DIGEST_BYTES)
