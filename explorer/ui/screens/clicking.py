"""The part of the main screen that a mouse may press: names in the last line, rows of the panel. Nothing needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.ui import bars
from explorer.ui.screens.core import Core
from explorer.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual import events


class Clicking(Core):
    """A screen that hears clicks."""

    async def on_click(self, event: events.Click) -> None:
        """A name in the last line is its key, a row of the panel is picked; elsewhere a click ends what is typed."""
        footer = self.query_one("#footer", Lines)
        if self.prompt.has_class("-open") and event.widget not in (self.prompt, *self.prompt.walk_children()):
            self.prompt.drop()
        if event.widget is footer:
            action = bars.footer_at(event.x, self.state.mode, self.size.width, self.actions)
            if action is not None:
                await self.run_action(action.call)
        elif event.widget is self.panel and event.y in self.panel.places():
            self.panel.take(event.y)
