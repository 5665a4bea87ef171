"""Minimal screen updates: send only cells that look different from before, and a style only where it changes.

Textual 8.2.8 sends each changed span from the left edge of its widget, paints the whole screen for every layout (three
times when the help opens), and sets and resets the style of every run of characters. Over ssh every byte counts. The
updates come from the private ``textual._compositor``. This module can be removed once Textual compares cells with what
it has sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import SGR_STYLES, Strip

from explorer.ui.widgets.spans import JOIN, hidden

_PLAIN = Style()
_Cell = tuple[str, Style]
"""A character (empty in the second cell of a wide one) and its style; a blank has only the visible part of a style."""


class MinimalUpdates:
    """Remembers which cells the terminal shows, and sends only cells that change."""

    def __init__(self) -> None:
        self._shown: dict[int, list[_Cell | None]] = {}

    def forget(self) -> None:
        """Forget what is shown, because the size has changed or another program wrote on the terminal."""
        self._shown.clear()

    def lean(self, update: RenderableType | None) -> Any:
        """Return a shorter version of an update; other renderables are returned unchanged."""
        return Lean(update, self) if isinstance(update, (ChopsUpdate, LayoutUpdate)) else update

    def news(self, x: int, y: int, strip: Strip) -> Iterator[tuple[int, list[_Cell]]]:
        """Yield the runs of cells that differ from what is shown, each with its column, and remember them as shown."""
        cells = _cells(strip)
        row = self._shown.setdefault(y, [])
        row.extend([None] * (x + len(cells) - len(row)))
        old = row[x : x + len(cells)]
        if old == cells:
            return
        row[x : x + len(cells)] = cells
        start = stop = -1
        for place, (before, after) in enumerate(zip(old, cells, strict=True)):
            if before == after:
                continue
            if start >= 0 and place - stop >= JOIN:
                yield x + start, cells[start:stop]
                start = -1
            # A run begins at the first cell of a wide character.
            start = start if start >= 0 else place - (not after[0] and place > 0)
            stop = place + 1
        yield x + start, cells[start:stop]


class Lean(CompositorUpdate):
    """An update of Textual that sends few bytes."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, sent: MinimalUpdates) -> None:
        self._update, self._sent = update, sent

    def render_segments(self, console: Console) -> str:
        """Return the text to write to the terminal; at its end all styles are reset."""
        colours = console._color_system or ColorSystem.TRUECOLOR
        update = self._update
        pieces = _changes(update) if isinstance(update, ChopsUpdate) else _everything(update)
        sent: list[str] = []
        there, style = None, _PLAIN
        for left, y, strip in pieces:
            for x, cells in self._sent.news(left, y, strip):
                if (x, y) != there:
                    sent.append(Control.move_to(x, y).segment.text)
                for char, now in cells:
                    if now is not style and not (char == " " and hidden(now) and hidden(style)):
                        sent.append(_turn(style, now, colours))
                        style = now
                    sent.append(char)
                there = (x + len(cells), y)
        return "".join([*sent, _turn(style, _PLAIN, colours)])


def _cells(strip: Strip) -> list[_Cell]:
    cells: list[_Cell] = []
    for text, style, _ in strip:
        looks = style or _PLAIN
        blank = (" ", _PLAIN if hidden(looks) else looks)
        if text.isascii() and text.isprintable():
            cells += [blank if char == " " else (char, looks) for char in text]
        else:
            for char in text:
                wide = cell_len(char)  # 0 for whatever a terminal would obey: it is never sent
                if wide:
                    cells += [blank if char == " " else (char, looks), *[("", looks)] * (wide - 1)]
    return cells


def _changes(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Yield the spans that changed: column, line and cells of each."""
    for y, start, stop in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            first, last = max(x, start), min(end, stop)
            if strip is not None and first < last:
                yield first, y, strip.crop(first - x, last - x)


def _everything(update: LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield x, y, strip
            x += strip.cell_length


@lru_cache(maxsize=4096)
def _turn(old: Style, new: Style, colours: ColorSystem) -> str:
    """Return the codes that change one style into another, without attributes that both share."""
    on, wanted = _attributes(old), _attributes(new)
    codes: list[str] = []
    if on & ~wanted or (old.color and not new.color) or (old.bgcolor and not new.bgcolor):
        old, on, codes = _PLAIN, 0, ["0"]  # there is no shorter way to remove an attribute or a colour
    codes += [SGR_STYLES[bit] for bit in range(wanted.bit_length()) if wanted & ~on & (1 << bit)]
    for before, now, fore in ((old.color, new.color, True), (old.bgcolor, new.bgcolor, False)):
        if now is not None and now != before:
            codes += now.downgrade(colours).get_ansi_codes(fore)
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _attributes(style: Style) -> int:
    return style._attributes & style._set_attributes
