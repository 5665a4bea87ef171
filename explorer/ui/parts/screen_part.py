"""The base class of the main screen's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.ui.screens.main import MainScreen


class ScreenPart:
    """One concern of the main screen, with its own state."""

    def __init__(self, screen: MainScreen) -> None:
        self.screen = screen
