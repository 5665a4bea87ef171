"""Translate Python values (numbers, lists, ranges) into the options of the command line, which are text."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bertdyn.refusals import refusals
from explorer.commands.options import SELECTING
from explorer.measures.base import Parameter
from explorer.measures.computation import Uncertainty
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.measures.base import Measure

Chosen = str | int | Iterable[int] | Iterable[str] | None
"""One value, several values, or a text as on the command line (``"1,2"``, ``"8-12"``); None: the default."""
_LEVEL = Parameter("--level", 0.95, "", low=0.5, high=0.999)
_RESAMPLES = Parameter("--resamples", 200, "", low=20, high=100_000)
_NULL = Parameter("--null", 0, "", low=0, high=10_000)


def flags_of(chosen: Mapping[str, Any]) -> tuple[dict[str, str | None], dict[str, object]]:
    """Split keyword arguments into the flags that select, as text, and the parameters of the measure.

    Raises:
        BertdynError: a list is empty. As text it would mean "all".
    """
    rest = {name.removesuffix("_"): value for name, value in chosen.items() if name not in SELECTING}
    return {name: flag_text(name, chosen.get(name)) for name in SELECTING}, rest


def flag_text(name: str, value: Chosen) -> str | None:
    """Return a choice in the spelling of the command line.

    >>> flag_text("layer", range(8, 13))
    '8-12'
    >>> flag_text("seed", [1, 2])
    '1,2'

    Raises:
        BertdynError: the list is empty.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, range) and value.step == 1 and value.start < value.stop:
        return f"{value.start}-{value.stop - 1}"
    several = [str(one) for one in value] if isinstance(value, Iterable) else [str(value)]
    if not several:
        raise BertdynError(f"--{name.replace('_', '-')}: nothing is chosen. Leave it out for all.")
    return ",".join(several)


def uncertainty(
    null: int = 0, interval: str | None = None, level: float = 0.95, resamples: int = 200, keep: bool = False
) -> Uncertainty:
    """Return the extras that are requested with values.

    Raises:
        BertdynError: a number is out of range.
    """
    with refusals():
        numbers = _NULL.read(null), _LEVEL.read(level), _RESAMPLES.read(resamples)
    return Uncertainty(int(numbers[0]), interval or "", float(numbers[1]), int(numbers[2]), keep=keep)


def argument_names(measure: Measure, taken: Collection[str]) -> dict[str, str]:
    """Return the names of a measure's parameters by the names of their keyword arguments.

    A keyword argument ends in an underscore if the parameter's name is taken by another argument or is a Python
    keyword.
    """
    return {p.name + "_" * (p.name in taken or keyword.iskeyword(p.name)): p.name for p in measure.parameters}
