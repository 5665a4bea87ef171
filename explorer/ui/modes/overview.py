"""Overview: findings in sentences; enter computes what one lacks, or opens its picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.compute.requests import Compute
from explorer.ui.modes.mode import Behaviour, list_of
from explorer.ui.news import under_way

if TYPE_CHECKING:
    from explorer.answers.findings import Price
    from explorer.pages.overview import Overview
    from explorer.ui.state import State
    from explorer.views.base import Cursor, View


class FindingsList(Behaviour):
    """Opens findings; the first say how far the jobs beside the queue are, and what is new since the last visit."""

    def dressed(self, view: View) -> View:
        """See ``Behaviour``."""
        from explorer.pages.overview import Overview

        if not isinstance(view, Overview):
            return view
        first = (*under_way(self.screen.jobs.listed()), *self.screen.keeping.news(view.data))
        prices = {
            finding.price: self.screen.computing.price(_request(finding.price), finding.price.values)
            for finding in view.data.findings
            if finding.price is not None
        }
        return view.after(first, prices)

    def followed(self, before: View, view: View, at: Cursor) -> Cursor:
        """See ``Behaviour``: a row that was pointed at stays so when rows come before it; the first one stays first."""
        from explorer.pages.overview import Overview

        if not isinstance(before, Overview) or not isinstance(view, Overview) or at.y < 1:
            return at
        finding = before.finding(at.y)
        return at if finding is None else replace(at, y=view.row_of(finding, at.y))

    def deeper(self) -> State | None:
        """Start to compute what the finding under the cursor lacks, or return the state that shows it."""
        from explorer.ui import doors

        screen, picture = self.screen, self.screen.picture
        view: Overview | None = screen.chart.view  # type: ignore[assignment]
        finding = view.finding(picture.cursor.y) if view is not None and picture is not None else None
        if finding is None or screen.catalogue is None:
            return None
        if finding.price is not None:
            screen.computing.begin(_request(finding.price))
            words = f"Computing {finding.price.values:,} values of {finding.price.question.measure.name} ..."
            screen.computing.announce(words)
            return None
        return None if finding.door is None else doors.through(finding.door, screen.state, screen.catalogue)


def _request(price: Price) -> Compute:
    return Compute(price.question.selection, trust=price.trust)


MODE = list_of("overview", "g", keys=("deeper", "back", "measure.pick"), behaviour=FindingsList)
