"""Print a view's picture as text and as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.render.fitting import fit
from explorer.render.output import to_ansi, to_svg
from explorer.render.palette import Depth, palette
from explorer.render.printable import printable
from explorer.render.signs import plain
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions

if TYPE_CHECKING:
    from explorer.views.base import View


def as_text(
    view: View,
    size: tuple[int, int],
    depth: Depth = Depth.NONE,
    dark: bool = True,
    cursor: Cursor = NOWHERE,
    options: DrawOptions = PLAIN,
    heading: int | None = None,
) -> str:
    """Return title, picture of ``size`` (columns, lines), values under the cursor, and notes as text.

    Args:
        heading: width of the title's lines in cells if the picture is wider than the reader's screen.
    """
    picture = view.draw(*size, palette(depth, dark), cursor, options)
    room = heading or size[0]
    title = "".join(f"{fit(line, room)}\n" for line in (view.title, view.subtitle))
    words = "".join(f"{printable(line)}\n" for line in (picture.reading, *picture.notes) if line)
    text = title + to_ansi(picture.lines, depth) + words
    return plain(text) if options.ascii else text


def as_svg(
    view: View,
    size: tuple[int, int],
    dark: bool = True,
    cursor: Cursor = NOWHERE,
    options: DrawOptions = PLAIN,
) -> str:
    """Return the same as an SVG picture in full colour."""
    picture = view.draw(*size, palette(Depth.TRUECOLOR, dark), cursor, options)
    words = tuple(printable(line) for line in (view.subtitle, picture.reading, *picture.notes) if line)
    return to_svg(picture.lines, dark, view.title, words)
