"""Say which part of a question is looked at, and name the sources of the answers. Costs nothing to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.selection import Question
    from store.store import Store

END = 10**9
"""Sentinel index and step: the last place of any axis."""


@dataclass(frozen=True)
class Look:
    """The part of a question that a view shows if it cannot show all of it. Unset: the view chooses."""

    part: str = ""
    """Variant of the view, a key of ``ViewKind.parts``."""
    step: int = END
    """The step, or the nearest one before it; END: the last step."""
    layer: int | None = None
    """None: the highest."""
    head: int = 0
    """Counted from 1; 0: the mean over heads."""
    example: int = -1
    """Counted from 0; -1: the first of those that are found."""
    find: str = ""
    """Text that an example contains; ``label:NAME`` finds a label."""
    changed: bool = False
    """Sort examples by how far their attention moved."""
    statistic: str = ""
    """Globs of the statistics whose rows a table shows, separated by commas, ``!`` before them for all others; empty:
    every row."""
    sort: str = ""
    """Column by which a table is sorted before it is cut; empty: it is cut run by run."""
    descending: bool = False
    most: int | None = None
    """Maximum number of rows of a table; None: all."""


ANYWHERE = Look()


@dataclass(frozen=True)
class Source:
    """Numbers that views need, and the fields of Look on which they depend: equal questions share one answer."""

    fetcher: str
    """``module:function`` of (store, question, look, *results of the sources before it)."""
    uses: tuple[str, ...] = ()
    """Fields of Look on which the numbers depend."""
    parts: tuple[str, ...] = ()
    """Parts of a view that need the numbers; other parts get None. Empty: every part."""

    stored: bool = False
    """Whether the numbers are stored values of a question, some of which may be missing."""
    later: bool = False
    """Whether the explorer draws the view before they are read; its maker gets None in their place."""

    def fetch(self, store: Store, question: Question | None, look: Look, earlier: Sequence[Any]) -> Any:
        """Read them.

        Raises:
            BertdynError: the selection matches nothing, or the store cannot be read.
        """
        return named(self.fetcher)(store, question, self.trimmed(look), *earlier) if self.serves(look) else None

    def serves(self, look: Look) -> bool:
        """Return whether the part of the view needs the numbers."""
        return not self.parts or look.part in self.parts

    def trimmed(self, look: Look) -> Look:
        """Return the look with only the fields on which the numbers depend."""
        uses = ("part", *self.uses) if self.parts else self.uses
        return trimmed(look, uses) if self.serves(look) else ANYWHERE


def trimmed(look: Look, uses: Sequence[str]) -> Look:
    """Return the look with only these fields set."""
    return replace(ANYWHERE, **{name: getattr(look, name) for name in uses})


FIRST = Source("explorer.answers.sources:first_task", stored=True)
"""Source of most views: the values of the first task."""


def named(place: str) -> Any:
    """Return the object of ``module:name``."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
