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
    "²": "2",
    "≥": ">",
    "≤": "<",
    "█": "#",
    "▌": "#",
}
_TABLE = str.maketrans(_PLAIN)


def plain(text: str) -> str:
    """The text in plain characters, a cell for a cell but for ``+-``; what the user's own names hold stays."""
    return text if text.isascii() else text.replace("±", "+-").translate(_TABLE)
