"""Replace special signs, which not every font has, by plain characters."""

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
    "◐": "/",
    "●": "#",
    "←": "<",
    "→": ">",
    "↑": "^",
    "↓": "v",
    "²": "2",
    "≥": ">",
    "≤": "<",
    "█": "#",
    "▌": "#",
    "▏": "|",
}
_TABLE = str.maketrans(_PLAIN)


def plain(text: str) -> str:
    """Return the text in plain characters of the same width (except ``+-``); the user's own names do not change."""
    return text if text.isascii() else text.replace("±", "+-").translate(_TABLE)
