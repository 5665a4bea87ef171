"""Explain intervals, chance levels and spreads in notes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from explorer.answers.details import known, trust_of
from explorer.measures import Measure
from store.results import Result


@dataclass(frozen=True)
class UncertaintyNotes:
    """Intervals and chance levels that came with the values of a view; its picture explains those that it shows."""

    interval: str = ""
    """How intervals were computed; empty where no value has one."""
    chance: str = ""
    """How chance levels were computed; empty where no value has one."""
    level: str = ""
    """Confidence level of the intervals: '95 %'."""
    no_interval: str = ""
    """Why an interval was asked for and could not be computed."""
    no_chance: str = ""
    """Why a chance level was asked for and could not be computed."""

    @classmethod
    def of(cls, measure: Measure, shown: Sequence[Result]) -> UncertaintyNotes:
        """Return what came with the rows behind a picture."""
        wish = next((found for found in map(trust_of, shown) if found), {})
        level, method, draws = wish.get("level"), wish.get("interval"), wish.get("null")
        interval = chance = ""
        if method and isinstance(level, (int, float)) and any(r.interval_low is not None for r in shown):
            interval = f"{100 * level:g} % {method} interval over examples"
            note = measure.interval_notes.get(str(method))
            interval += f", {note}" if note else ""
        if draws and any(r.null_value is not None for r in shown):
            what = "labels" if measure.labels is not None else "examples"
            chance = f"mean of {draws} {'draw' if draws == 1 else 'draws'} with {what} permuted"
        stated = f"{100 * level:g} %" if isinstance(level, (int, float)) else ""
        return cls(interval, chance, stated, _reason(shown, "no_interval"), _reason(shown, "no_null"))

    def notes(self, interval: str = "", chance: bool = False) -> tuple[str, ...]:
        """Return the notes of a picture.

        Args:
            interval: the sign of an interval in it ('[ ]'); empty: it shows none.
            chance: whether it shows chance levels.
        """
        said = (
            f"{interval}: {self.interval}" if interval and self.interval else "",
            f"chance: {self.chance}" if chance and self.chance else "",
            f"no interval: {self.no_interval}" if interval and self.no_interval else "",
            f"no chance level: {self.no_chance}" if chance and self.no_chance else "",
        )
        return tuple(note for note in said if note)


def joined(several: Sequence[UncertaintyNotes]) -> UncertaintyNotes:
    """Return what came with any of them."""
    return UncertaintyNotes(
        *(next(filter(None, (getattr(t, f.name) for t in several)), "") for f in fields(UncertaintyNotes))
    )


def spread(sign: str, over: str = "seeds") -> tuple[str, ...]:
    """Return the note on the sign of a spread ('±', 'bands'); nothing without a sign."""
    return (f"{sign}: standard deviation over {over}",) if sign else ()


def _reason(shown: Sequence[Result], name: str) -> str:
    return next((str(known(r)[name]) for r in shown if f'"{name}"' in r.details and known(r).get(name)), "")
