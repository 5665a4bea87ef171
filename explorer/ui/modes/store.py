"""Store: what is extracted, computed and missing."""

from __future__ import annotations

from explorer.ui.modes.mode import list_of

MODE = list_of("store", "9")
