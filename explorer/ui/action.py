"""Actions: keys and their effect. Bindings, footer, help and command palette are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Action:
    """Keys, their effect, and the texts that describe it."""

    id: str
    """Stable name of the action, used in [keys]."""
    keys: tuple[str, ...]
    """Keys, by the names that Textual uses."""
    call: str
    """Textual's action string."""
    title: str
    help: str
    group: str
    footer: str = ""
    """Short text in the footer; empty: the action is only in the help."""
    back: bool = False
    """Whether it belongs to the action before it, as its opposite or its shorter way; the help shows both in
    one line."""
    waits: Literal["", "picture", "place"] = ""
    """What the action waits for: the requested picture is drawn, or the mode has made its own default choice."""
    leads: bool = False
    """Whether it opens something that receives the next keys."""
    storeless: bool = False
    """Whether it works before the store is listed."""

    @property
    def shown_keys(self) -> str:
        """Keys as they are displayed."""
        return " ".join(_SHOWN.get(key, key.replace("ctrl+", "^")) for key in self.keys)

    @property
    def plain_keys(self) -> str:
        """Keys as they are displayed with plain characters: arrows are written as words."""
        return " ".join(key if key in _ARROWS else _SHOWN.get(key, key.replace("ctrl+", "^")) for key in self.keys)


_ARROWS = ("left", "right", "up", "down")
_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "space": "space",
    "dollar_sign": "$",
    "circumflex_accent": "^",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "minus": "-",
    "backslash": "\\",
    "apostrophe": "'",
    "plus": "+",
    "equals_sign": "=",
    "underscore": "_",
    "semicolon": ";",
    "exclamation_mark": "!",
    "number_sign": "#",
    "asterisk": "*",
    "grave_accent": "`",
    "tilde": "~",
    "vertical_line": "|",
    "at": "@",
    "percent_sign": "%",
    "ampersand": "&",
    "quotation_mark": '"',
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}
