"""Choices along a measure's own axes, as a person writes them: ``k:0-6``, ``module:query,key``, ``module:!pooler``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from explorer.selection.ranges import Ranges
from store.errors import BertdynError
from store.results import AXIS, COLUMNS
from store.rows import Condition, In, Not, Within

if TYPE_CHECKING:
    from explorer.measures.base import Measure
    from explorer.measures.declaration import Axis, Coordinate
    from explorer.selection.question import Question

_ELSEWHERE = ("layer", "ref_layer", "head", "example", "query")
"""Axes that are chosen in other ways."""
_SPAN = re.compile(r"(-?[0-9.]+(?:e-?[0-9]+)?)(?:(-)(-?[0-9.]+(?:e-?[0-9]+)?)?)?")
_Spans = tuple[tuple[float, float | None], ...]


def choosable_axes(measure: Measure) -> tuple[Axis, ...]:
    """Return the axes along which values can be chosen by name: all but layers, heads and finer rows."""
    return tuple(axis for axis in measure.axes if axis.name not in _ELSEWHERE)


def check(axis: Axis, text: str) -> None:
    """Check a choice along an axis.

    Raises:
        BertdynError: it is not a range of numbers, on an axis of numbers.
    """
    if axis.kind != "text":
        _spans(axis, text.removeprefix("!"))


def holds(axis: Axis, text: str, value: Coordinate | None) -> bool:
    """Return whether a coordinate is chosen; None, no coordinate on this axis, never is."""
    if value is None:
        return False
    wanted = text.removeprefix("!")
    if axis.kind == "text":
        inside = value in wanted.split(",")
    else:
        number = float(value)
        inside = any(low <= number and (high is None or number <= high) for low, high in _spans(axis, wanted))
    return inside != text.startswith("!")


def chosen_rows(question: Question) -> tuple[Condition, ...]:
    """Return what holds for the rows that are chosen among the values of one cell."""
    found: list[Condition] = []
    for name, text in question.axes:
        axis = question.measure.axis(name)
        if axis is None or not axis.within:
            continue
        column, wanted = name if name in COLUMNS else AXIS + name, text.removeprefix("!")
        one: Condition = In(column, tuple(wanted.split(",")))
        if axis.kind != "text":
            one = Within(column, cast("tuple[tuple[int, int | None], ...]", _spans(axis, wanted)))
        found.append(Not(one) if text.startswith("!") else one)
    return tuple(found)


def _spans(axis: Axis, text: str) -> _Spans:
    if axis.kind == "int":
        return Ranges.parse(text, axis.name).spans
    spans: list[tuple[float, float | None]] = []
    for part in (p.strip() for p in text.split(",")):
        match = _SPAN.fullmatch(part)
        try:
            low, high = (float(match[1]), float(match[3]) if match[3] else None) if match else (0.0, None)
        except ValueError:
            match = None
        if match is None:
            raise BertdynError(f"{axis.name}: '{part}' is neither a number nor a range such as 0-0.5.")
        spans.append((low, high if match[2] else low))
    return tuple(spans)
