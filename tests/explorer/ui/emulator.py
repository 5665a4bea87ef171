"""A terminal as far as the explorer's output needs one: which character and which visible style every cell has."""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

_TOKEN = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|([^\x1b])", re.DOTALL)
_ATTRIBUTES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}

Cell = tuple[str, str, str, frozenset[str]]
"""Character, foreground and background as SGR parameters, attributes; what cannot be seen on a blank is left out."""


def seen(char: str, fore: str = "", back: str = "", attributes: frozenset[str] = frozenset()) -> Cell:
    """A cell as it looks: a blank shows its background, and the colour of what is drawn through or under it."""
    if char == " " and "reverse" not in attributes:
        attributes &= {"underline", "strike"}
        fore = fore if attributes else ""
    return char, fore, back, attributes


def styled(char: str, style: Style | None, colours: ColorSystem = ColorSystem.TRUECOLOR) -> Cell:
    """How a character of a style must look."""
    style = style or Style()
    fore, back = (
        ";".join(color.downgrade(colours).get_ansi_codes(i == 0)) if color else ""
        for i, color in enumerate((style.color, style.bgcolor))
    )
    return seen(char, fore, back, frozenset(name for name in _ATTRIBUTES.values() if getattr(style, name)))


class Emulator:
    """A screen of cells, blank at first."""

    def __init__(self, width: int, height: int) -> None:
        self.cells: list[list[Cell]] = [[seen(" ")] * width for _ in range(height)]
        self._x = self._y = 0
        self._fore = self._back = ""
        self._attributes: frozenset[str] = frozenset()

    @property
    def plain(self) -> bool:
        """What is written next has no style."""
        return not (self._fore or self._back or self._attributes)

    def feed(self, sent: str) -> None:
        """Do what a program's output says.

        Raises:
            ValueError: a sequence that this terminal does not know.
        """
        for token in _TOKEN.finditer(sent):
            numbers, kind, char = token.groups()
            if char == "\n":
                self._y += 1
            elif char:
                self._write(char)
            elif kind == "H":
                y, x = map(int, numbers.split(";"))
                self._x, self._y = x - 1, y - 1
            elif kind == "m":
                self._style([int(n or 0) for n in numbers.split(";")])
            else:
                raise ValueError(token.group())

    def _write(self, char: str) -> None:
        self.cells[self._y][self._x] = seen(char, self._fore, self._back, self._attributes)
        if cell_len(char) == 2:
            self.cells[self._y][self._x + 1] = seen("", self._fore, self._back, self._attributes)
        self._x += cell_len(char)

    def _style(self, codes: list[int]) -> None:
        while codes:
            code = codes.pop(0)
            if code == 0:
                self._fore = self._back = ""
                self._attributes = frozenset()
            elif code in _ATTRIBUTES:
                self._attributes |= {_ATTRIBUTES[code]}
            else:
                long = {5: 2, 2: 4}[codes[0]] if code in (38, 48) else 0
                parameters = ";".join(map(str, [code, *codes[:long]]))
                del codes[:long]
                if code // 10 in (3, 9):
                    self._fore = parameters
                elif code // 10 in (4, 10):
                    self._back = parameters
                else:
                    raise ValueError(code)
