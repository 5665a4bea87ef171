"""Show when lines of steps had made half and 90 % of their change: marks, words and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from explorer.answers.coordinates import STEP
from explorer.answers.onsets import HALF, Between, Onsets, onsets
from explorer.answers.rows import Rows
from explorer.fields.field import Field
from explorer.render.chart import Mark, Series

ONSETS = ("half_after", "half_by", "ninety_after", "ninety_by")
"""Columns of rows, as in the SQL view ``onsets``."""
_HALF, _MOST = ("◐", "/"), ("●", "#")


def of_field(field: Field, data: Rows) -> tuple[Onsets | None, ...]:
    """Return the onset of each place of a field's first axis along its second one; None where nothing may be claimed.

    Of a mean over seeds, only steps count where every seed has a value: otherwise the curve also changes with the seeds
    in it. There is no onset where some seed lacks a value at the last step, whose change is the whole one, nor where
    values are changes since the checkpoint before.
    """
    lines, x = field.axes
    against = data.question.against
    if x.name != STEP or (against is not None and against.follows):
        return (None,) * len(lines.places)
    steps = [int(place) for place in x.places]
    whole = np.where(field.count == field.averaged, field.values, np.nan)
    return tuple(
        onsets(steps, of_every.tolist(), data.measure.floor) if _last(of_every) == _last(values) else None
        for values, of_every in zip(field.values, whole, strict=True)
    )


def _last(values: np.ndarray) -> int:
    """Return the place of the last value; -1 where there is none."""
    return int(np.flatnonzero(~np.isnan(values)).max(initial=-1))


def marked(series: Sequence[Series], found: Sequence[Onsets | None]) -> tuple[Series, ...]:
    """Return lines with a mark at each onset."""
    return tuple(one if o is None else replace(one, marks=_marks(o)) for one, o in zip(series, found, strict=False))


def _marks(found: Onsets) -> tuple[Mark, ...]:
    return Mark(found.half.by, *_HALF, HALF), Mark(found.most.by, *_MOST, 1.0)


def legend(found: Sequence[Onsets | None]) -> tuple[str, ...]:
    """Return the note on the marks; nothing where there are none."""
    return (f"{_HALF[0]} half, {_MOST[0]} 90 % of the change is made",) if any(found) else ()


def columns(found: Onsets | None) -> Mapping[str, object]:
    """Return the values of the columns ``ONSETS``."""
    steps = (None,) * len(ONSETS) if found is None else (*found.half, *found.most)
    return dict(zip(ONSETS, steps, strict=True))


def in_words(found: Onsets) -> str:
    """'half of it between step 0 and 20, 90 % between 20 and 40'."""
    since = f"the change since step {found.first:,}" if found.first else "it"
    if found.half == found.most:
        return f"half and 90 % of {since} {_between(found.half, 'step ')}"
    return f"half of {since} {_between(found.half, 'step ')}, 90 % {_between(found.most)}"


def in_brief(found: Onsets) -> str:
    """'half by step 20'; where the first step is not 0, 'half since step 20 by step 40'."""
    since = f" since step {found.first:,}" if found.first else ""
    return f"half{since} by step {found.half.by:,}"


def _between(found: Between, word: str = "") -> str:
    return f"between {word}{found.after:,} and {found.by:,}"
