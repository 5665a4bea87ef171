"""Curves: the measure against step."""

from __future__ import annotations

from explorer.ui.modes.mode import STEPS, Mode, Variant
from explorer.views.kinds import VIEWS

_KIND = VIEWS["curves"]
MODE = Mode(
    "curves",
    "1",
    _KIND.title,
    _KIND.help,
    (
        *(
            Variant(words, "curves", part, STEPS if part == "layer" else f"steps of a {part}", True)
            for part, words in _KIND.parts.items()
        ),
        Variant("weight change, sharpness and path in one picture", "dynamics", axes="dynamics", lines=True),
    ),
    ("vary", "scale"),
)
