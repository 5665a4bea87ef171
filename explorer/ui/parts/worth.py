"""What a value is worth: asking for its interval, its chance level and what two seeds differ by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.compute.requests import Compute
from explorer.measures.computation import Uncertainty
from explorer.selection import Against, Ranges
from explorer.selection.against import SEEDS
from explorer.ui import cursor_axes
from explorer.ui.modes import STEP
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.picks import Pick

if TYPE_CHECKING:
    from explorer.answers.rows import Rows
    from explorer.selection import Question
    from explorer.ui.screens.main import MainScreen

DRAWS = 5
"""Null draws of a chance level: enough for a mean."""
INTERVAL, CHANCE, BETWEEN_SEEDS, ALL = "interval", "chance", "seeds", "all"


@dataclass(frozen=True)
class Offer:
    """One thing that can be asked about the values of a picture."""

    name: str
    text: str
    request: Compute | None
    """None: it cannot be computed, and the text says why."""
    values: int
    """Number of values to compute."""
    known: int
    """Number of values that have it."""


def offers(rows: Rows, step: int | None) -> tuple[Offer, ...]:
    """Return what can be asked about the values of a picture (pure).

    Args:
        step: the step that is pointed at; None: all steps.
    """
    question, measure = rows.question, rows.measure
    at = replace(question, steps=Ranges.one(step)) if step is not None else question
    shown = [r for r in rows.main if r.value is not None and (step is None or r.step == step)]
    ways = measure.intervals
    found = [
        Offer(
            INTERVAL,
            f"{ways[0]} interval over examples" if ways else f"{measure.name} has no interval",
            Compute(at.selection, trust=Uncertainty(interval=ways[0])) if ways else None,
            len(shown),
            sum(r.interval_low is not None for r in shown),
        ),
        Offer(
            CHANCE,
            f"chance level, mean of {DRAWS} draws" if measure.null else f"{measure.name} has no chance level",
            Compute(at.selection, trust=Uncertainty(null=DRAWS)) if measure.null else None,
            len(shown),
            sum(r.null_value is not None for r in shown),
        ),
    ]
    seeds = len(rows.seeds(rows.tasks[0])) if rows.tasks else 0
    why = "" if measure.compares else f"{measure.name} is a value of one checkpoint: nothing lies between seeds"
    why = why or ("" if seeds > 1 else "one seed only: there is no other to compare with")
    why = why or ("these values compare seeds already" if rows.between_seeds else "")
    between = Compute(replace(at, against=Against(SEEDS)).selection)
    pairs = len({(r.step, r.layer, r.axes) for r in shown}) * measure.comparisons(seeds)
    apart = sum(rows.yardstick(r) is not None for r in shown)
    found.append(Offer(BETWEEN_SEEDS, why or "what two seeds differ by", None if why else between, pairs, apart))
    return tuple(found)


class Worth(ScreenPart):
    """Opens a list of what can be asked, and computes what is chosen."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self._offers: tuple[Offer, ...] = ()

    def open(self) -> None:
        """Ask what the values of the picture, or those at the step pointed at, are worth."""
        from explorer.ui.dialogs.picker import PickerScreen

        screen, view = self.screen, self.screen.chart.view
        question: Question | None = screen.question
        if view is None or question is None or view.stored is None or not view.stored.main:
            screen.tell("There is no value here that could be judged.")
            return
        picture = screen.picture
        at = cursor_axes.known(screen.state, view, picture.cursor) if picture is not None else {}
        step = at.get(STEP) if picture is not None and picture.cursor.x >= 0 else None
        here, everywhere = offers(view.stored, step), offers(view.stored, None) if step is not None else ()
        further = tuple(replace(one, name=f"{one.name}, all steps") for one in everywhere if one.request is not None)
        self._offers = (*here, *further)
        able = [one for one in here if one.request is not None]
        where = f"{question.measure.name}, step {step:,}" if step is not None else f"{question.measure.name}, all steps"
        rows = [Pick(one.name, one.text, why=self._why(one)) for one in self._offers]
        every = Pick(ALL, " and ".join(one.name for one in able), why="enter computes one after the other")
        rows[:0] = [every] if len(able) > 1 else []
        states = {one.name: self._state(one) for one in self._offers}
        states[ALL] = f"{sum(one.values for one in able):,} values"
        screen.app.push_screen(PickerScreen(f"what is it worth? {where}", rows, lambda: states, self._chosen))

    def _state(self, one: Offer) -> str:
        if one.request is None:
            return "-"
        done = one.known and one.known >= one.values
        return "done" if done else self.screen.computing.price(one.request, one.values)

    @staticmethod
    def _why(one: Offer) -> str:
        if one.request is None:
            return one.text
        return f"{one.known:,} values have it; enter computes the others" if one.known else "enter computes it"

    def _chosen(self, name: str | None) -> None:
        names = (INTERVAL, CHANCE, BETWEEN_SEEDS) if name == ALL else (name,)
        wanted = [one for one in self._offers if one.request is not None and one.name in names]
        if name is None:
            return
        if not wanted:
            self.screen.tell(next(one.text for one in self._offers if one.name == name) + ".")
            return
        for one in wanted:
            assert one.request is not None
            self.screen.computing.begin(one.request)
        what = ", ".join(one.text for one in wanted)
        self.screen.computing.announce(f"Computing {what}; {self.screen.key_of('mode.jobs')} shows the progress.")
