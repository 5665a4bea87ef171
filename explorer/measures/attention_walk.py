"""Walk over the packed maps of every head and collect the values; shared by all attention measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from explorer.measures.attention_rows import Kernel, Maps, chunk_bounds, row_values, run_bounds, stream
from explorer.measures.attention_sums import AttentionSums, Interval, example_groups, example_means, partners
from explorer.measures.computation import Context, MeasureError, Value
from explorer.measures.protocols import Corpus, Layer


@dataclass(frozen=True)
class Walk:
    """One layer or a pair of layers, and the computation on its attention rows."""

    name: str
    """Name of the measure."""
    kernel: Kernel
    sides: tuple[Layer, ...]
    corpus: Corpus
    parameters: Mapping[str, object]
    context: Context
    statistics: tuple[str, ...] = ("",)
    """Names of the kernel's statistics, the main one first."""
    no_null: str = ""
    """Reason why there is no null; empty: the null is the attention on another example of the same length."""

    @property
    def drop(self) -> bool:
        """Whether special tokens are left out."""
        return self.parameters.get("special") == "drop"

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each example, int64 [E]."""
        return np.diff(np.asarray(self.corpus.offsets))

    @property
    def draws(self) -> int:
        """Number of null draws."""
        return 0 if self.no_null else self.context.trust.null


@dataclass(frozen=True)
class _Found:
    sums: AttentionSums
    nulls: tuple[AttentionSums, ...]
    examples: np.ndarray | None
    """Values per example if requested, float64 [statistics, heads, E]; NaN if an example does not count."""
    queries: np.ndarray | None
    """Values per query token if requested, float64 [statistics, heads, T]; NaN if a token does not count."""


def answer(walk: Walk) -> list[Value]:
    """Return each statistic's value of the layer and of every head (from 1), then the rows that ``detail`` adds.

    Raises:
        MeasureError: the sides have different numbers of heads, or attention rows are not distributions.
    """
    heads = {side.heads for side in walk.sides}
    if len(heads) > 1:
        a, b = (side.heads for side in walk.sides)
        raise MeasureError(f"The two sides have {a} and {b} attention heads: {walk.name} compares a head with itself.")
    n = int((walk.lengths > 0).sum())
    if not n or not walk.sides[0].heads:
        reason = "there is nothing to measure: no examples or no attention heads"
        return [Value(None, n, statistic, reason=reason) for statistic in walk.statistics]
    found = _walk(walk)
    values = _layer_and_heads(walk, found)
    if found.examples is not None:
        values += _rows_of_examples(walk, found.examples)
    if found.queries is not None:
        values += _rows_of_queries(walk, found.queries)
    return values


def _walk(walk: Walk) -> _Found:
    """Read every attention row once, by head, and compute its value, and again for each null draw."""
    corpus, lengths, trust = walk.corpus, walk.lengths, walk.context.trust
    heads, statistics = walk.sides[0].heads, len(walk.statistics)
    by_query = walk.parameters["weighting"] == "queries"
    sums = AttentionSums.of(statistics, heads, example_groups(np.asarray(corpus.offsets)), by_query)
    one_group = np.zeros(len(lengths), np.int64)
    nulls = tuple(AttentionSums.of(statistics, heads, one_group, by_query) for _ in range(walk.draws))
    detail = walk.context.detail
    examples = np.full((statistics, heads, len(lengths)), np.nan) if detail in ("example", "query") else None
    queries = np.full((statistics, heads, int(lengths.sum())), np.nan) if detail == "query" else None
    bounds = run_bounds(lengths) if nulls else chunk_bounds(lengths, walk.sides[0].attention_chunk)
    for head in range(1, heads + 1):
        walk.context.progress(f"attention of head {head}", (head - 1) / heads)
        for run, maps in enumerate(stream(walk.sides, head, lengths, bounds)):
            rows, without = _rows(walk, maps, head)
            sums.add(head, maps.examples, maps.lengths, rows, without)
            if examples is not None:
                examples[:, head - 1, maps.examples] = example_means(maps.lengths, rows)[0]
            if queries is not None:
                first = int(corpus.offsets[maps.examples[0]])
                queries[:, head - 1, first : first + rows.shape[1]] = rows
            for draw, null in enumerate(nulls):
                other = _exchanged(walk, maps, (trust.seed, draw, run))
                if other is not None:
                    rows, without = _rows(walk, other, head)
                    null.add(head, other.examples, other.lengths, rows, without)
    return _Found(sums, nulls, examples, queries)


def _rows(walk: Walk, maps: Maps, head: int) -> tuple[np.ndarray, int]:
    return row_values(maps, walk.kernel, walk.corpus, walk.drop, head, walk.context.device)


def _exchanged(walk: Walk, maps: Maps, seed: tuple[int, ...]) -> Maps | None:
    """Return the first side's maps with the second side's maps of other examples; None if no example has a partner.

    Examples may be exchanged if they have the same length; without special tokens, these must also be at the same
    positions.
    """
    alike: list[object] = list(maps.lengths.tolist())
    if walk.drop:
        special, offsets = np.asarray(walk.corpus.special), np.asarray(walk.corpus.offsets)
        alike = [special[offsets[e] : offsets[e + 1]].tobytes() for e in maps.examples]
    mine, theirs = partners(alike, seed)
    if not len(mine):
        return None
    ends = np.cumsum(maps.lengths**2)
    starts = ends - maps.lengths**2
    a, b = maps.entries
    return Maps(
        maps.examples[mine],
        maps.lengths[mine],
        (
            np.concatenate([a[starts[i] : ends[i]] for i in mine]),
            np.concatenate([b[starts[i] : ends[i]] for i in theirs]),
        ),
    )


def _layer_and_heads(walk: Walk, found: _Found) -> list[Value]:
    trust, sums = walk.context.trust, found.sums
    values = sums.values()
    drawn = np.stack([null.values() for null in found.nulls]) if found.nulls else None
    interval = sums.interval(trust) if trust.interval else None
    return [
        Value(
            None if np.isnan(values[s, at]) else float(values[s, at]),
            int(sums.examples.max() if at == 0 else sums.examples[at - 1]),
            statistic,
            head=at or None,
            details=_left_out(walk, sums, at) | _of_null(walk, found, drawn, s, at) | _of_interval(interval),
            interval=_bounds(interval, s, at),
            null=None if drawn is None or np.isnan(drawn[:, s, at]).any() else float(drawn[:, s, at].mean()),
            reason="nothing is left of any attention row" if np.isnan(values[s, at]) else "",
        )
        for s, statistic in enumerate(walk.statistics)
        for at in range(values.shape[1])
    ]


def _left_out(walk: Walk, sums: AttentionSums, at: int) -> dict[str, object]:
    """Return details on the examples and rows that count; ``at`` is 0 for the layer, else the head."""
    special = int(np.asarray(walk.corpus.special).sum()) if walk.drop else 0
    tokens = int(walk.lengths.sum())
    details: dict[str, object] = {"queries": tokens - special if at == 0 else int(sums.queries[at - 1])}
    if at == 0:
        details["heads"] = len(sums.queries)
    if walk.drop:
        n = int(sums.examples.max() if at == 0 else sums.examples[at - 1])
        details |= {
            "special_tokens_left_out": special,
            "rows_without_mass": int(sums.without_mass.sum() if at == 0 else sums.without_mass[at - 1]),
            "examples_left_out": int((walk.lengths > 0).sum()) - n,
        }
    return details


def _of_null(walk: Walk, found: _Found, drawn: np.ndarray | None, s: int, at: int) -> dict[str, object]:
    if not walk.context.trust.null:
        return {}
    if drawn is None:
        return {"no_null": walk.no_null}
    if np.isnan(drawn[:, s, at]).any():
        return {"no_null": "no two examples have the same length, so no example has a partner"}
    examples = found.nulls[0].examples
    n = int(examples.max() if at == 0 else examples[at - 1])
    counted = int(found.sums.examples.max() if at == 0 else found.sums.examples[at - 1])
    details: dict[str, object] = {"null_examples": n, "null_without_partner": counted - n}
    if len(drawn) > 1:
        details["null_sd"] = float(drawn[:, s, at].std(ddof=1))
    return details


def _of_interval(interval: Interval | None) -> dict[str, object]:
    if interval is None:
        return {}
    if interval.reason:
        return {"no_interval": interval.reason}
    return {} if interval.groups is None else {"interval_groups": interval.groups}


def _bounds(interval: Interval | None, s: int, at: int) -> tuple[float, float] | None:
    if interval is None or interval.reason:
        return None
    low, high = interval.bounds[s, at]
    return float(low), float(high)


def _rows_of_examples(walk: Walk, found: np.ndarray) -> Iterator[Value]:
    """Yield each example's mean over its query tokens: averaged over the heads that have one, then of each head."""
    for s, statistic in enumerate(walk.statistics):
        for example in np.flatnonzero(~np.isnan(found[s]).all(0)):
            for head, value in _over_heads(found[s, :, example]):
                yield Value(value, 1, statistic, head=head, example=int(example))


def _rows_of_queries(walk: Walk, found: np.ndarray) -> Iterator[Value]:
    """Yield each query token's value: averaged over the heads that have one, then of each head."""
    offsets = np.asarray(walk.corpus.offsets)
    for s, statistic in enumerate(walk.statistics):
        for token in np.flatnonzero(~np.isnan(found[s]).all(0)):
            example = int(np.searchsorted(offsets, token, side="right")) - 1
            for head, value in _over_heads(found[s, :, token]):
                place = int(token - offsets[example])
                yield Value(value, 1, statistic, head=head, example=example, query=place)


def _over_heads(values: np.ndarray) -> Iterator[tuple[int | None, float]]:
    """Yield the mean of the heads that have a value, then the value of each such head."""
    known = np.flatnonzero(~np.isnan(values))
    yield None, float(values[known].mean())
    for head in known:
        yield int(head) + 1, float(values[head])
