"""Signs of ours that not every font has, and what stands for each where only plain characters may be written."""

from __future__ import annotations

_PLAIN = {
    "·": "-",
    "…": "~",
    "×": "x",
    "−": "-",
    "–": "-",
    "—": "-",
    "│": "|",
    "─": "-",
    "╌": "=",
    "▸": ">",
    "◆": "*",
    "←": "<",
    "→": ">",
    "↑": "^",
    "↓": "v",
    "±": "+",
}
_TABLE = str.maketrans(_PLAIN)


def plain(text: str) -> str:
    """The same number of cells in plain characters; what the user's own texts and names hold stays."""
    return text.translate(_TABLE)


def spelled(text: str) -> str:
    """For text that may grow: ``±`` as ``+-``."""
    return plain(text.replace("±", "+-"))
