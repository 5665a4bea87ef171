"""Fit text into cells: without characters of unknown width, cropped, padded."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size


def clean(text: str) -> str:
    """Return text whose width is predictable: composed, without control, combining and joining characters."""
    if text.isascii() and text.isprintable():
        return text
    kept = []
    for char in unicodedata.normalize("NFC", text):
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp"):
            kept.append("?")
        elif cell_len(char) > 0:
            kept.append(char)
    return "".join(kept)


def crop(text: str, width: int, ascii_only: bool = False) -> str:
    """Crop text to at most ``width`` cells, with a mark if it was cut, now or earlier."""
    ellipsis = "~" if ascii_only else "…"
    text = clean(text).replace("…", ellipsis)
    if cell_len(text) <= width:
        return text
    if width <= len(ellipsis):
        return set_cell_size(text, max(0, width)).rstrip()
    return set_cell_size(text, width - len(ellipsis)).rstrip() + ellipsis


def pad(text: str, width: int, right: bool = False) -> str:
    """Crop or pad text to exactly ``width`` cells, aligned to the left or to the right."""
    text = crop(text, width)
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
