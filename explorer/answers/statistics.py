"""Choose a measure's statistics by name, and describe the choice. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAIN = "main"
"""Stands for a measure's main statistic, which has no name where it is the only one."""


@dataclass(frozen=True)
class Statistics:
    """Statistics that are shown, and the others that exist."""

    pattern: str
    shown: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def note(self) -> str:
        """The note of a table with these statistics."""
        if not self.shown:
            return f"no row has a statistic '{self.pattern}'; there is {_listed(self.others)}"
        left = f"; there is also {_listed(self.others)}" if self.others else ""
        return f"statistic {_listed(self.shown)} alone{left}"


def chosen(there: Iterable[str], pattern: str, main: str) -> Statistics:
    """Choose the statistics that match a pattern.

    Args:
        there: their names.
        pattern: globs separated by commas; with ``!`` before them: what fits none.
        main: the measure's main statistic, which ``main`` stands for too.
    """
    names = sorted(set(there))
    globs = pattern.removeprefix("!").split(",")
    fits = {n for n in names if any(fnmatch.fnmatchcase(n, g) or (g == MAIN and n == main) for g in globs)}
    shown = tuple(n for n in names if (n in fits) != pattern.startswith("!"))
    return Statistics(pattern, shown, tuple(n for n in names if n not in shown))


def _listed(names: Sequence[str]) -> str:
    said = [name or MAIN for name in names[:6]]
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(said) + more if said else "none"
