"""Commands of the palette that carry a number or a name of their own, such as ``layer 4``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import Hit, Hits, Provider

from explorer.ui.picks import place

if TYPE_CHECKING:
    from explorer.ui.app import Explorer

_FIRST = 1000.0
"""Score above that of every command whose name is only similar to what was typed."""


class TypedPlaces(Provider):
    """Offers to go to the step, layer or head that is typed, or to compare with the checkpoint that is typed."""

    async def search(self, query: str) -> Hits:
        """Yield the place that a query names, if it names one."""
        found = place(query)
        app: Explorer = self.app  # type: ignore[assignment]
        if found is not None:
            yield Hit(_FIRST, f"{found.what} {found.value}", partial(app.main.picking.go, found), help=found.about)
