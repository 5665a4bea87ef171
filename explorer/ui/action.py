"""Actions: a key and its effect. Bindings, footer, help and command palette are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Action:
    """A key, its effect and its words."""

    id: str
    """Stable name of the binding, used in [keys]."""
    keys: tuple[str, ...]
    """Keys by Textual's names."""
    call: str
    """Textual's action string."""
    title: str
    help: str
    group: str
    footer: str = ""
    """Short text in the footer; empty: only in the help."""
    back: bool = False
    """It does the opposite of the action before it in the list: the help shows both in one line."""
    waits: Literal["", "picture", "place"] = ""
    """Condition for acting: the picture that was asked for is drawn, or a mode has made its own default choice."""
    leads: bool = False
    """It opens something that the next keys are for."""
    storeless: bool = False
    """It works before the store is listed."""

    @property
    def shown_keys(self) -> str:
        """The keys as a person reads them."""
        return " ".join(_SHOWN.get(key, key.replace("ctrl+", "^")) for key in self.keys)

    @property
    def plain_keys(self) -> str:
        """The same in plain characters: arrows are words."""
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
