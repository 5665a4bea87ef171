"""Titles that fit: their parts stand in the order of importance, and what has no room is left out whole. Pure."""

from __future__ import annotations

from rich.cells import cell_len

DOT = " · "
"""Between the parts of a line of words."""
_MORE = "…"
_KEPT = 2
"""Parts without which a title says nothing: what and where; on what and on how much."""
_SHORTER = (
    ("from the pre-trained model", "from pre-trained"),
    ("to the pre-trained model", "to pre-trained"),
    ("the run's ", "the "),
    (" at the same step", ""),
    (", means over seeds", ""),
)
"""Words of ours that can be said shorter, in the order in which they are."""


def fit(text: str, width: int) -> str:
    """A title in at most so many cells: said shorter, then without the parts that find no room, the last ones first,
    then without its last words.

    What was left out is marked; nothing is cut within a word unless it is longer than the line.
    """
    for long, short in _SHORTER:
        if cell_len(text) <= width:
            return text
        text = text.replace(long, short)
    if cell_len(text) <= width:
        return text
    parts = text.split(DOT)
    shown = parts[:_KEPT]
    for part in parts[_KEPT:]:
        if cell_len(DOT.join((*shown, part, _MORE))) <= width:
            shown.append(part)
    if len(parts) > _KEPT and cell_len(DOT.join((*shown, _MORE))) <= width:
        return DOT.join((*shown, _MORE))
    words = DOT.join(shown).split(" ")
    while len(words) > 1 and cell_len(" ".join(words)) > width - 1:
        words.pop()
    said = " ".join(words).rstrip(",· ")
    while said and cell_len(said) > width - 1:
        said = said[:-1]
    return said + _MORE if width > 0 else ""
