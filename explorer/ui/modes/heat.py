"""Heat: maps of two axes."""

from __future__ import annotations

from explorer.answers.look import END
from explorer.ui.modes.mode import OF_A_HEAD, OF_A_LAYER, STEPS, Mode, Variant
from explorer.views.base import Cursor

MODE = Mode(
    "heat",
    "3",
    "Heat",
    "a map: layer by step, layer by head, layer by layer, seed by seed",
    (
        Variant("layer by step", "heat", axes=STEPS, inside=OF_A_LAYER),
        Variant("layer by head, at one step", "heads", axes="heads", inside=OF_A_HEAD),
        Variant("layer by layer of the reference, at one step", "layers", axes="layers"),
        Variant("surface with paths, at one step", "surface", "first", axes="plane"),
        Variant("surfaces of all corpora", "surface", "corpus", axes="plane"),
        Variant("surfaces of all tasks, such as one from scratch", "surface", "task", axes="plane", every_task=True),
        Variant("seed by seed, similar ones side by side", "seed-pairs", "cluster", axes="seed-clusters"),
        Variant("seed by seed, at one step", "seed-pairs", "seed", axes="seed-pairs", start=Cursor(0, END)),
    ),
    ("vary", "step.next", "digits"),
)
