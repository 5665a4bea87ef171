"""Curves: the measure against step."""

from __future__ import annotations

from explorer.ui.modes.mode import OF_A_HEAD, OF_A_LAYER, STEPS, Mode, Variant
from explorer.views.kinds import VIEWS

_KIND = VIEWS["curves"]
MODE = Mode(
    "curves",
    "1",
    _KIND.title,
    _KIND.help,
    (
        *(
            Variant(
                words,
                "curves",
                part,
                STEPS if part == "layer" else f"steps of a {part}",
                True,
                inside=OF_A_HEAD if part == "head" else OF_A_LAYER[: None if part == "layer" else 2],
            )
            for part, words in _KIND.parts.items()
        ),
        Variant("weight change, sharpness and path in one picture", "dynamics", axes="dynamics", lines=True),
    ),
    ("vary", "scale"),
)
