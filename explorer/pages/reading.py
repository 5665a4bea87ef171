"""Show what probes read off an example under its words."""

from __future__ import annotations

from explorer.answers.readings import GAINED, LOST, Reading, Unit
from explorer.render.gloss import Gloss, GlossRow
from store.keys import PRETRAINED

_MARKS = {LOST: "-", GAINED: "+"}
_WRONG = "x"
SIGNS = f"{_WRONG} wrong, {_MARKS[LOST]} right in the reference alone, {_MARKS[GAINED]} right in the checkpoint alone"


def gloss_of(found: Reading) -> Gloss:
    """Return the words with their labels and predictions."""
    units, names = found.units, [PRETRAINED if key.recipe == PRETRAINED else str(key) for key in found.keys]
    wrong = tuple(_WRONG * (unit.reference not in ("", unit.label)) for unit in units)
    return Gloss(
        "word",
        tuple(unit.word for unit in units),
        (
            GlossRow(found.annotation, tuple(unit.label for unit in units)),
            GlossRow(names[0], tuple(unit.checkpoint for unit in units), tuple(map(_mark, units))),
            GlossRow(names[1], tuple(unit.reference for unit in units), wrong),
        ),
    )


def _mark(unit: Unit) -> str:
    return _MARKS.get(unit.change, _WRONG if unit.checkpoint not in ("", unit.label) else "")
