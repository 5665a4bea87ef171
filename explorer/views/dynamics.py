"""Dynamics: weight change, sharpness and path of a task's runs as lines along their steps."""

from __future__ import annotations

from explorer.answers.coordinates import STEP
from explorer.answers.dynamics import Dynamics
from explorer.render.fitting import DOT
from explorer.views import words
from explorer.views.profiles import SCALED, Profiles, ProfileWords

COLUMNS = (
    *("corpus", "annotation", "task", "step", "measure", "statistic", "value", "sd", "seeds", "unit", "of_maximum"),
)


class DynamicsView(Profiles):
    """x is the step, y the quantity."""

    def __init__(self, found: Dynamics) -> None:
        self.found = found
        asked = found.rows.question
        said = ProfileWords(
            DOT.join(("Dynamics", ", ".join((found.task, words.seeds(found.seeds))))),
            f"{asked.annotation} of corpus {asked.corpus}{DOT}{SCALED}{DOT}weight change as mean over layers",
            (),
            "Neither weight change nor sharpness nor trajectory of these runs is computed.",
        )
        super().__init__("dynamics", found.rows, found.profiles, STEP, said)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per quantity and step, not scaled."""
        asked = self.found.rows.question
        rows: list[tuple[object, ...]] = []
        for profile in self.profiles:
            measure, spreads = profile.measure, profile.spreads
            for step, mean in profile.means.items():
                place = (asked.corpus, asked.annotation, self.found.task, step)
                numbers = (mean, spreads.get(step), len(profile.values[step]), profile.unit, mean / profile.largest)
                rows.append((*place, measure.name, profile.statistic or measure.main, *numbers))
        return COLUMNS, rows


def dynamics(rows: object, found: Dynamics) -> DynamicsView:
    """Return the view; the rows of the sharpness were only needed to find its runs."""
    return DynamicsView(found)
