"""Seeds: seeds or tasks side by side, with mean and spread, and measures against each other."""

from __future__ import annotations

from explorer.ui.modes.mode import OF_A_LAYER, STEPS, Mode, Variant
from explorer.views.kinds import VIEWS

_KIND = VIEWS["seeds"]
MODE = Mode(
    "seeds",
    "4",
    _KIND.title,
    _KIND.help,
    (
        *(Variant(words, "seeds", part, STEPS, True, inside=OF_A_LAYER) for part, words in _KIND.parts.items()),
        Variant(
            "the measure against each other one, and their rank correlation",
            "agreement",
            axes=STEPS,
            lines=True,
            inside=OF_A_LAYER,
        ),
    ),
    ("vary",),
)
