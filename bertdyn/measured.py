"""The result of a measure that was computed from plain arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from bertdyn.results import RowTable
from explorer.commands.compute import cell
from explorer.compute.worker import with_value
from store.errors import BertdynError
from store.results import AXIS, COLUMNS, Result, axis_columns

if TYPE_CHECKING:
    import numpy as np

    from explorer.measures import Measure, Value

_BEFORE = ("layer", "head", "example", "query", "label_a", "label_b")
_AFTER = ("statistic", "value", "unit", "n", "interval_low", "interval_high", "null_value", "reason", "details")


class Measured(RowTable):
    """The result of a measure computed from plain arrays: its main value, and all its rows.

    >>> import numpy as np
    >>> import bertdyn
    >>> X = np.random.default_rng(0).standard_normal((400, 8))
    >>> same = bertdyn.svcca(X, 2 * X)
    >>> round(float(same), 6), same.n, same.unit
    (0.0, 400, 'distance')
    >>> chance = bertdyn.svcca(X, X[::-1], null=5, interval="jackknife")
    >>> low, high = chance.interval
    >>> low < chance.value < high
    True
    """

    def __init__(self, measure: Measure, values: Sequence[Value], asked: Mapping[str, object], settled: str) -> None:
        row = Result(measure.name, measure.version, settled)
        results = [with_value(row, value, measure, asked) for value in values]
        more = {name.removeprefix(AXIS): kind for name, kind in axis_columns(results).items()}
        types = {**{n: COLUMNS[n] for n in _BEFORE}, **more, **{n: COLUMNS[n] for n in _AFTER}}
        rows = [tuple(cell(one, name) for name in types) for one in results]
        used = [n for place, n in enumerate(types) if n == "value" or any(row[place] not in (None, "") for row in rows)]
        super().__init__(tuple(types), rows, tuple(types.values()), shown=[n for n in used if n != "details"])
        self._measure = measure
        place = next((at for at, value in enumerate(values) if _is_main(value, measure)), 0)
        self._value, self._main = values[place], results[place]

    @property
    def value(self) -> float | None:
        """Main value; None if there is no value (``reason`` says why)."""
        return self._main.value

    @property
    def n(self) -> int:
        """Number of tokens, examples or points that the value is computed from (the measure says which)."""
        return self._main.n

    @property
    def unit(self) -> str:
        """Unit of the main value."""
        return self._main.unit

    @property
    def null(self) -> float | None:
        """Chance level: the mean of the null draws; None if it was not requested."""
        return self._main.null_value

    @property
    def interval(self) -> tuple[float, float] | None:
        """Ends of the interval; None if it was not requested, or could not be computed (``details`` says why)."""
        low, high = self._main.interval_low, self._main.interval_high
        return None if low is None or high is None else (low, high)

    @property
    def reason(self) -> str:
        """Reason why there is no value, or a warning about the value; empty if there is neither."""
        return self._main.reason

    @property
    def details(self) -> dict[str, Any]:
        """Further numbers and remarks that help to interpret the value."""
        found: dict[str, Any] = json.loads(self._main.details)
        return found

    @property
    def artefact(self) -> Mapping[str, np.ndarray]:
        """Arrays that belong to the value, by name."""
        return self._value.artefact or {}

    def __float__(self) -> float:
        """
        Raises:
            BertdynError: there is no value.
        """
        if self.value is None:
            raise BertdynError(f"{self._measure.name} has no value: {self.reason}.")
        return self.value

    def __repr__(self) -> str:
        statistic = f" {self._main.statistic}" if self._main.statistic else ""
        said = "no value" if self.value is None else f"{self.value:.6g} {self.unit}"
        parts = [f"{self._measure.name}{statistic}: {said}, n {self.n:,} {self._measure.counts}"]
        if self.null is not None:
            parts.append(f"chance {self.null:.6g}")
        if self.interval is not None:
            parts.append("interval {:.6g} to {:.6g}".format(*self.interval))
        if self.reason:
            parts.append(self.reason)
        if len(self) > 1:
            parts.append(f"{len(self) - 1:,} more values in .rows")
        return "; ".join(parts)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def _is_main(value: Value, measure: Measure) -> bool:
    """Return whether a value is the main one: of the main statistic, and not of a single layer, head or example."""
    parts = (value.head, value.example, value.query, value.label_a, value.label_b, value.layer)
    return value.statistic == measure.main and not value.axes and all(part is None for part in parts)
