"""Find out whether the terminal's background is dark or light, with an OSC 11 query. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

ASK = "\x1b]11;?\x1b\\"
_COLOUR = re.compile(r"\x1b\]11;rgba?:([0-9A-Fa-f]{1,4})/([0-9A-Fa-f]{1,4})/([0-9A-Fa-f]{1,4})")
_SHORT = re.compile(r"\x1b\]11;#([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})\b")
_MUTE = ("dumb", "unknown", "linux", "cygwin", "vt")
"""Prefixes of TERM for terminals that do not answer, or that print the query on the screen."""


def hinted(environ: Mapping[str, str]) -> bool | None:
    """Return whether COLORFGBG (``foreground;background``; 7 and 15 are white) says dark; None if it says nothing."""
    said = environ.get("COLORFGBG", "").rpartition(";")[2]
    return said not in ("7", "15") if said.isdecimal() else None


def answers(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal is likely to answer the query."""
    term = environ.get("TERM", "")
    if term.startswith("screen") and not environ.get("TMUX"):  # GNU screen
        return False
    return bool(term) and not term.startswith(_MUTE)


def dark(answer: str) -> bool | None:
    """Return whether the background is dark by the terminal's answer; None if it is an answer to another query."""
    found = _COLOUR.match(answer) or _SHORT.match(answer)
    if found is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
