"""Seeds: seeds or tasks side by side, with mean and spread."""

from __future__ import annotations

from explorer.ui.modes.mode import OF_A_LAYER, STEPS, Mode, Variant
from explorer.views.kinds import VIEWS

_KIND = VIEWS["seeds"]
MODE = Mode(
    "seeds",
    "4",
    _KIND.title,
    _KIND.help,
    tuple(Variant(words, "seeds", part, STEPS, True, inside=OF_A_LAYER) for part, words in _KIND.parts.items()),
    ("vary",),
)
