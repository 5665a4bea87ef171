"""Select the rows of a layer's packed hidden states for a measure, and stream them chunk by chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.protocols import Corpus, Layer

CHOICES = ("all", "content", "cls", "words")


def check_finite(total: float, what: str) -> None:
    """Refuse sums of NaN or infinite entries.

    Raises:
        MeasureError: ``total`` is not finite.
    """
    if not np.isfinite(total):
        raise MeasureError(f"The {what} contain NaN or infinite numbers: extract this checkpoint again.")


def rows_digest(corpus: Corpus, tokens: str) -> str:
    """Return a digest of the rows that ``tokens`` selects: corpora of equal text may have different words."""
    parts: dict[str, tuple[np.ndarray, ...]] = {
        "all": (corpus.offsets[-1:],),
        "content": (corpus.special,),
        "cls": (corpus.offsets,),
        "words": (corpus.word_first, corpus.word_length),
    }
    return hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in parts[tokens])).hexdigest()[:16]


def count(corpus: Corpus, tokens: str) -> int:
    """Return the number of rows that ``tokens`` selects."""
    if tokens == "all":
        return int(corpus.offsets[-1])
    if tokens == "content":
        return int((~corpus.special).sum())
    return int((np.diff(corpus.offsets) > 0).sum()) if tokens == "cls" else len(corpus.word_first)


def row_offsets(corpus: Corpus, tokens: str) -> np.ndarray:
    """Return the number of selected rows before each example, int64 [E + 1]."""
    if tokens == "all":
        return np.asarray(corpus.offsets, np.int64)
    if tokens == "words":
        return np.asarray(corpus.word_offsets, np.int64)
    if tokens == "content":
        return np.concatenate([[0], np.cumsum(~corpus.special)])[corpus.offsets].astype(np.int64)
    return np.concatenate([[0], np.cumsum(np.diff(corpus.offsets) > 0)]).astype(np.int64)


def cut(
    arrays: Iterable[tuple[np.ndarray, ...]], bounds: Sequence[int]
) -> Iterator[tuple[int, tuple[np.ndarray, ...]]]:
    """Cut a stream of rows at the given row numbers.

    Args:
        arrays: the arrays that blocks() yields.
        bounds: ascending row numbers, the first 0 and the last the number of rows.

    Yields:
        The number of the piece (rows bounds[i] to bounds[i + 1] are piece i) and its rows; a piece may come in parts.
    """
    piece, at = 0, 0
    for block in arrays:
        done = 0
        while done < len(block[0]):
            while bounds[piece + 1] <= at:
                piece += 1
            size = min(len(block[0]) - done, int(bounds[piece + 1]) - at)
            yield piece, tuple(a[done : done + size] for a in block)
            done, at = done + size, at + size


def blocks(layers: tuple[Layer, ...], corpus: Corpus, tokens: str) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the selected rows of several layers in parallel, in the order of the packed axis, chunk by chunk.

    ``all``: every token, special ones included; ``content``: without special tokens; ``cls``: the first token of each
    example; ``words``: the mean of each word's first to last sub-word.

    Yields:
        One array [rows, width] per layer, in the stored dtype (word means: float32).
    """
    total = int(corpus.offsets[-1])
    step = max(1, layers[0].hidden_chunk)
    if tokens == "words":
        yield from _words(layers, corpus, total, step)
        return
    firsts = corpus.offsets[:-1][np.diff(corpus.offsets) > 0]
    for start in range(0, total, step):
        stop = min(start + step, total)
        chunks = tuple(layer.hidden(start, stop) for layer in layers)
        if tokens == "all":
            yield chunks
            continue
        if tokens == "content":
            rows = np.flatnonzero(~corpus.special[start:stop])
        else:
            rows = firsts[(firsts >= start) & (firsts < stop)] - start
        if len(rows):
            yield tuple(chunk[rows] for chunk in chunks)


def _words(layers: tuple[Layer, ...], corpus: Corpus, total: int, step: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield word means. Words with sub-words in two chunks wait, with their rows, for the second chunk."""
    first = np.asarray(corpus.word_first, dtype=np.int64)
    last = first + corpus.word_length
    held = tuple(np.empty((0, layer.width), np.float32) for layer in layers)
    done = 0
    for start in range(0, total, step):
        stop = min(start + step, total)
        base = start - len(held[0])
        rows = tuple(
            np.concatenate([h, layer.hidden(start, stop).astype(np.float32)])
            for h, layer in zip(held, layers, strict=True)
        )
        ready = int(np.searchsorted(last, stop, side="right"))
        if ready > done:
            lengths = (last - first)[done:ready]
            begins = np.cumsum(lengths) - lengths
            picked = np.repeat(first[done:ready] - base - begins, lengths) + np.arange(lengths.sum())
            yield tuple(np.add.reduceat(r[picked], begins, axis=0) / lengths[:, None].astype(np.float32) for r in rows)
            done = ready
        keep = int(first[done]) if done < len(first) else stop
        held = tuple(r[min(keep, stop) - base :] for r in rows)
