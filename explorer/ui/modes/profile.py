"""Profile: the measure against layer."""

from __future__ import annotations

from explorer.ui.modes.mode import OF_A_HEAD, OF_A_LAYER, Mode, Variant
from explorer.views.kinds import VIEWS

_KIND = VIEWS["profile"]
MODE = Mode(
    "profile",
    "2",
    _KIND.title,
    _KIND.help,
    (
        *(
            Variant(
                words,
                "profile",
                part,
                "profile" if part == "step" else f"layers of a {part}",
                True,
                inside=OF_A_HEAD if part == "head" else OF_A_LAYER,
            )
            for part, words in _KIND.parts.items()
        ),
        Variant("how far each layer moved, beside its rollback damage", "moved", axes="moved", lines=True),
    ),
    ("vary", "step.next"),
)
