"""Stream packed attention maps: whole examples of one head at a time, in blocks of rows on the device.

Row r of a head's packed maps belongs to query token r of the packed token axis: rows and tokens have the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.protocols import Corpus, Layer
from explorer.measures.tokens import check_finite

if TYPE_CHECKING:
    import torch

BLOCK = {"cpu": 2**17, "other": 2**24}
"""Number of entries per block: on a CPU, a dozen passes over them stay in the cache; a GPU needs large launches."""
RUN = 2**22
"""Number of entries of one head within which a null looks for partners; it limits the memory per side."""
LEAST_KEPT = 1e-4
"""Smallest mass that a row must keep. Stored float16 has steps of 6e-8, so a smaller mass reflects rounding more than
attention (measured with sharp heads: 1e-4 bits of divergence from storage alone, below 1e-6 without such rows)."""


@dataclass(frozen=True)
class Maps:
    """Whole attention maps of one head, packed one after another, for each side."""

    examples: np.ndarray
    """Examples with at least one token, in the order of the entries, int64 [e]."""
    lengths: np.ndarray
    """Number of tokens per example, int64 [e]."""
    entries: tuple[np.ndarray, ...]
    """Entries per side, [sum of squared lengths], as stored."""


@dataclass(frozen=True)
class AttentionRows:
    """Positions of the rows in some packed entries, and of their special keys."""

    lengths: np.ndarray
    """Number of keys per row, int64 [rows]."""
    tokens: np.ndarray
    """First token of the row's example, int64 [rows]."""
    special: np.ndarray
    """Whether each token of the corpus is special, bool [T]."""
    device: str

    @cached_property
    def starts(self) -> np.ndarray:
        """First entry of each row, int64 [rows]."""
        return np.asarray(np.cumsum(self.lengths) - self.lengths)

    def sums(self, entries: torch.Tensor) -> torch.Tensor:
        """Return the sum of each row, float64 [rows]."""
        import torch

        if self.device == "cpu":  # numpy is four times as fast here, and exact enough in float32: it sums pairwise
            return torch.from_numpy(np.add.reduceat(entries.numpy(), self.starts)).double()
        lengths = torch.from_numpy(self.lengths).to(self.device)
        return torch.segment_reduce(entries.double(), "sum", lengths=lengths, unsafe=True)

    def spread(self, values: torch.Tensor) -> torch.Tensor:
        """Return each row's value at each of its entries, float32 [entries]."""
        import torch

        if self.device == "cpu":  # numpy is five times as fast here
            return torch.from_numpy(np.repeat(values.float().numpy(), self.lengths))
        return torch.repeat_interleave(values.float(), torch.from_numpy(self.lengths).to(self.device))

    @cached_property
    def special_keys(self) -> torch.Tensor:
        """1 where the attended token is special, else 0; float32 [entries]."""
        import torch

        keys = np.repeat(self.tokens - self.starts, self.lengths) + np.arange(self.lengths.sum())
        return torch.from_numpy(self.special[keys].astype(np.float32)).to(self.device)

    @cached_property
    def first_is_special(self) -> np.ndarray:
        """Whether the first key of each row is special ([CLS]), bool [rows]."""
        return self.special[self.tokens]


Kernel = Callable[["tuple[torch.Tensor, ...]", "tuple[torch.Tensor, ...]", AttentionRows], "torch.Tensor"]
"""Function of each side's entries (float32, may be overwritten), of the sums of their rows (float64, never 0) and of
the rows, which returns the rows' values, float64 [statistics, rows]."""


def chunk_bounds(lengths: np.ndarray, chunk: int) -> np.ndarray:
    """Return examples at which to cut so that each stored chunk of ``chunk`` entries is read once, int64, 0 to E."""
    ends = np.cumsum(lengths**2)
    cuts = np.searchsorted(ends, np.arange(chunk, ends[-1], max(1, chunk)), side="right")
    return np.unique(np.concatenate([[0], cuts, [len(lengths)]]))


def run_bounds(lengths: np.ndarray) -> np.ndarray:
    """Return the examples between runs of about RUN entries, int64, 0 to E; they depend only on the corpus."""
    run = (np.cumsum(lengths**2) - lengths**2) // RUN
    return np.concatenate([[0], np.flatnonzero(np.diff(run)) + 1, [len(lengths)]])


def stream(layers: Sequence[Layer], head: int, lengths: np.ndarray, bounds: np.ndarray) -> Iterator[Maps]:
    """Yield the maps of one head, examples bounds[i] to bounds[i + 1] at a time, without examples that have no tokens.

    Reads are aligned with each side's stored chunks, whatever the bounds.
    """
    ends = np.concatenate([[0], np.cumsum(lengths**2)])
    tapes = [_Tape(layer, head, int(ends[-1])) for layer in layers]
    for start, stop in pairwise(bounds.tolist()):
        entries = tuple(tape.up_to(int(ends[stop])) for tape in tapes)
        examples = start + np.flatnonzero(lengths[start:stop])
        if len(examples):
            yield Maps(examples, lengths[examples], entries)


class _Tape:
    """One side's packed entries in order, read by stored chunks; entries read in advance are kept for the next call."""

    def __init__(self, layer: Layer, head: int, total: int) -> None:
        self._layer, self._head, self._total = layer, head, total
        self._given = self._read = 0
        self._held: list[np.ndarray] = []

    def up_to(self, stop: int) -> np.ndarray:
        """Return the entries from the end of the last call up to ``stop``."""
        while self._read < stop:
            upto = min(self._read + max(1, self._layer.attention_chunk), self._total)
            self._held.append(self._layer.attention(self._head, self._read, upto))
            self._read = upto
        data = self._held[0] if len(self._held) == 1 else np.concatenate(self._held or [np.empty(0, np.float32)])
        cut = stop - self._given
        self._held, self._given = [data[cut:]], stop
        return data[:cut]


def row_values(
    maps: Maps, kernel: Kernel, corpus: Corpus, drop: bool, head: int, device: str
) -> tuple[np.ndarray, int]:
    """Return the kernel's values of all rows, float64 [statistics, rows], and the number of rows that keep no mass.

    Args:
        drop: leave out special tokens as keys (the kernel rescales the rest to sum 1) and as queries (their rows are
            NaN, like the rows that keep less mass than LEAST_KEPT on some side).

    Raises:
        MeasureError: entries are not finite, or rows have no mass although nothing is left out.
    """
    import torch

    special = np.asarray(corpus.special)
    lengths = np.repeat(maps.lengths, maps.lengths)
    first_tokens = np.repeat(np.asarray(corpus.offsets)[maps.examples], maps.lengths)
    ends = np.cumsum(lengths)
    block = BLOCK["cpu" if device == "cpu" else "other"]
    done, without, found = 0, 0, []
    while done < len(ends):
        begin = int(ends[done] - lengths[done])
        upto = int(np.searchsorted(ends, max(begin + block, ends[done]), side="right"))
        rows = AttentionRows(lengths[done:upto], first_tokens[done:upto], special, device)
        piece = slice(begin, int(ends[upto - 1]))
        sides = tuple(
            torch.from_numpy(np.ascontiguousarray(x[piece])).to(device).to(torch.float32, copy=True)
            for x in maps.entries
        )
        if drop:
            sides = tuple(x * (1 - rows.special_keys) for x in sides)
        sums = tuple(rows.sums(x) for x in sides)
        check_finite(sum(float(s.sum()) for s in sums), f"attention maps of head {head}")
        least = LEAST_KEPT if drop else 0.0
        empty = torch.stack([s <= least for s in sums]).any(0) if min(float(s.min()) for s in sums) <= least else None
        if empty is not None:
            sums = tuple(s.masked_fill(empty, 1) for s in sums)
        of_piece = kernel(sides, sums, rows)
        if empty is not None:
            of_piece.masked_fill_(empty, torch.nan)
        found.append(of_piece.cpu().numpy())
        done = upto
    values = np.concatenate(found, axis=1)
    empty_rows = np.isnan(values[0])
    if not drop and empty_rows.any():
        raise MeasureError(f"Attention rows of head {head} sum to 0: extract this checkpoint again.")
    if drop:
        queries = special[first_tokens + _positions(maps.lengths)]
        without = int((empty_rows & ~queries).sum())
        values[:, queries] = np.nan
    return values, without


def _positions(lengths: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... for each of the lengths, one after the other."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
