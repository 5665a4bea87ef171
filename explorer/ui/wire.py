"""What an update of the screen puts on the wire: the cells that changed, and a style only where it changes.

Textual 8.2.8 sends each changed span from the left edge of its widget on, and sets and resets every run of characters
by itself. Over ssh every byte is paid for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import SGR_STYLES, Strip

from explorer.ui.widgets.spans import hidden

_PLAIN = Style()


class Lean(CompositorUpdate):
    """An update of Textual's, sent as few bytes."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate) -> None:
        self._update = update

    def render_segments(self, console: Console) -> str:
        """What to write to the terminal; it is left without a style."""
        colours = console._color_system or ColorSystem.TRUECOLOR
        update = self._update
        pieces = _changes(update) if isinstance(update, ChopsUpdate) else _everything(update)
        sent: list[str] = []
        there, before = None, _PLAIN
        for x, y, strip in pieces:
            if (x, y) != there:
                sent.append(Control.move_to(x, y).segment.text)
            for text, style, _ in strip:
                now = style or _PLAIN
                if now is not before and not (text.isspace() and hidden(now) and hidden(before)):
                    sent.append(_turn(before, now, colours))
                    before = now
                sent.append(text)
            there = (x + strip.cell_length, y)
        return "".join([*sent, _turn(before, _PLAIN, colours)])


def lean(update: RenderableType | None) -> Any:
    """The same update, sent as few bytes where it is one that can be."""
    return Lean(update) if isinstance(update, (ChopsUpdate, LayoutUpdate)) else update


def _changes(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The spans that changed, each from its first cell to its last."""
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
    """What turns one style into another: nothing is said again that holds already."""
    on, wanted = _attributes(old), _attributes(new)
    codes: list[str] = []
    if on & ~wanted or (old.color and not new.color) or (old.bgcolor and not new.bgcolor):
        old, on, codes = _PLAIN, 0, ["0"]  # there is no shorter way to take something back
    codes += [SGR_STYLES[bit] for bit in range(wanted.bit_length()) if wanted & ~on & (1 << bit)]
    for before, now, fore in ((old.color, new.color, True), (old.bgcolor, new.bgcolor, False)):
        if now is not None and now != before:
            codes += now.downgrade(colours).get_ansi_codes(fore)
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _attributes(style: Style) -> int:
    return style._attributes & style._set_attributes
