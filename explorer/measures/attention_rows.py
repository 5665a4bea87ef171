"""Packed attention maps, streamed: whole examples of one head at a time, and the rows of a block on the device.

Row r of a head's packed maps belongs to query token r of the packed token axis: rows and tokens are counted alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures.base import MeasureError
from explorer.measures.protocols import Corpus, Layer
from explorer.measures.tokens import check_finite

if TYPE_CHECKING:
    import torch

BLOCK = {"cpu": 2**17, "other": 2**24}
"""Entries worked on at once: the dozen passes over them stay in a processor's cache; a GPU wants large launches."""
RUN = 2**22
"""Entries of one head among which a null looks for partners: what it holds of each side, whatever the corpus."""
LEAST_KEPT = 1e-4
"""Of a row's mass. Stored float16 counts in steps of 6e-8: what is left below this says more of the steps than of the
attention (measured with sharp heads: 1e-4 bits of divergence from storage alone, below 1e-6 without such rows)."""


@dataclass(frozen=True)
class Maps:
    """Whole attention maps of one head, packed one after another, for each side."""

    examples: np.ndarray
    """int64 [e], each of at least one token; in the order of the entries."""
    lengths: np.ndarray
    """int64 [e], tokens."""
    entries: tuple[np.ndarray, ...]
    """[sum of squared lengths] a side, stored dtype."""


@dataclass(frozen=True)
class Rows:
    """Where the rows of some packed entries lie and which of their keys are special."""

    lengths: np.ndarray
    """int64 [rows], keys."""
    tokens: np.ndarray
    """int64 [rows], first token of the row's example."""
    special: np.ndarray
    """bool [T], of the corpus."""
    device: str

    @cached_property
    def starts(self) -> np.ndarray:
        """First entry of each row, int64 [rows]."""
        return np.asarray(np.cumsum(self.lengths) - self.lengths)

    def sums(self, entries: torch.Tensor) -> torch.Tensor:
        """Sum of each row, float64 [rows]."""
        import torch

        if self.device == "cpu":  # numpy's is four times as fast here, and exact enough in float32: it sums pairwise
            return torch.from_numpy(np.add.reduceat(entries.numpy(), self.starts)).double()
        lengths = torch.from_numpy(self.lengths).to(self.device)
        return torch.segment_reduce(entries.double(), "sum", lengths=lengths, unsafe=True)

    def spread(self, values: torch.Tensor) -> torch.Tensor:
        """Each row's value at each of its entries, float32 [entries]."""
        import torch

        if self.device == "cpu":  # likewise, five times
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


Kernel = Callable[["tuple[torch.Tensor, ...]", "tuple[torch.Tensor, ...]", Rows], "torch.Tensor"]
"""From each side's entries, float32 and free to be written into, and their rows' sums, float64 and never 0, to the
rows' values, float64 [statistics, rows]."""


def chunk_bounds(lengths: np.ndarray, chunk: int) -> np.ndarray:
    """Examples before which stored chunks of ``chunk`` entries allow a cut, int64 from 0 to E: each is read once."""
    ends = np.cumsum(lengths**2)
    cuts = np.searchsorted(ends, np.arange(chunk, ends[-1], max(1, chunk)), side="right")
    return np.unique(np.concatenate([[0], cuts, [len(lengths)]]))


def run_bounds(lengths: np.ndarray) -> np.ndarray:
    """Cuts between runs of about RUN entries, int64 from 0 to E: from the corpus alone, however it is stored."""
    run = (np.cumsum(lengths**2) - lengths**2) // RUN
    return np.concatenate([[0], np.flatnonzero(np.diff(run)) + 1, [len(lengths)]])


def stream(layers: Sequence[Layer], head: int, lengths: np.ndarray, bounds: np.ndarray) -> Iterator[Maps]:
    """The maps of one head, examples bounds[i] to bounds[i + 1] at a time; examples without tokens left out.

    Reads along each side's stored chunks, whatever the bounds.
    """
    ends = np.concatenate([[0], np.cumsum(lengths**2)])
    tapes = [_Tape(layer, head, int(ends[-1])) for layer in layers]
    for start, stop in pairwise(bounds.tolist()):
        entries = tuple(tape.up_to(int(ends[stop])) for tape in tapes)
        examples = start + np.flatnonzero(lengths[start:stop])
        if len(examples):
            yield Maps(examples, lengths[examples], entries)


class _Tape:
    """One side's packed entries in order, read a stored chunk at a time; what was read too far waits."""

    def __init__(self, layer: Layer, head: int, total: int) -> None:
        self._layer, self._head, self._total = layer, head, total
        self._given = self._read = 0
        self._held: list[np.ndarray] = []

    def up_to(self, stop: int) -> np.ndarray:
        """The entries from where the last call stopped up to ``stop``."""
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
    """The kernel's values of every row of the maps, float64 [statistics, rows], and how many rows kept no mass.

    Args:
        drop: leave special tokens out, as keys (the kernel restores what is left to sum 1) and as queries (their rows
            are NaN, and so are those that keep no mass, less than LEAST_KEPT, on some side).

    Raises:
        MeasureError: entries that are not finite; rows without mass although nothing is left out.
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
        rows = Rows(lengths[done:upto], first_tokens[done:upto], special, device)
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
    """0, 1, ... of each of several lengths in turn."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
