"""Capabilities of the terminal: colours, full screens, and input that Textual cannot read.

This module replaces ``textual.drivers.linux_driver.getincrementaldecoder``: the driver of Textual 8.2.8 has no other
place for a filter of its input (see ``input_filter``). A public hook would make this unnecessary.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual.drivers import linux_driver

from explorer.render.palette import Depth, Palette, palette
from explorer.render.printable import printable
from explorer.ui.terminal.background import answers, hinted
from explorer.ui.terminal.input_filter import Decoder

_DEPTHS = {"truecolor": Depth.TRUECOLOR, "256": Depth.EIGHT_BIT, "standard": Depth.STANDARD, "windows": Depth.STANDARD}


def colours(color_system: str | None, no_color: bool, background: str = "auto") -> Palette:
    """Return the palette for the colours that Textual will send.

    Args:
        background: ``dark``, ``light`` or ``auto``. ``auto`` uses COLORFGBG, which few terminals set and ssh does not
            forward; without it the background counts as dark until the terminal says otherwise (see ``asks``).
    """
    depth = Depth.NONE if no_color else _DEPTHS.get(color_system or "", Depth.NONE)
    dark = hinted(os.environ) is not False if background == "auto" else background == "dark"
    return palette(depth, dark=dark)


def asks(shown: Palette, background: str) -> bool:
    """Return whether to query the terminal's background: it is unknown, it matters, and the terminal may answer."""
    unsaid = background == "auto" and hinted(os.environ) is None
    return unsaid and shown.depth is not Depth.NONE and answers(os.environ)


def unusable() -> str:
    """Return why the full screen cannot be drawn here; empty if it can."""
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return f"TERM={os.environ.get('TERM', '')} cannot show a full screen"
    if not (sys.__stdin__ and sys.__stdin__.isatty() and sys.__stderr__ and sys.__stderr__.isatty()):
        return "the full screen needs a terminal for its input and its output"
    return ""


def text_view(path: Path, why: str) -> int:
    """Print the first view as text, and say how to get other views; return the exit code 2.

    Raises:
        BertdynError: the store cannot be opened.
    """
    import shutil

    from explorer.ui.cursor_axes import drawn
    from explorer.ui.reader import catalogue
    from explorer.ui.state import LANDING, settled
    from explorer.views.kinds import VIEWS
    from store.store import Store

    store = Store.open(path)
    listed = catalogue(store)
    state = settled(LANDING, listed)
    wish = state.wish(listed)
    assert wish is not None, "the first mode shows values"
    view = VIEWS[wish.view].load(store, wish.question, wish.look)
    width, height = shutil.get_terminal_size((80, 24))
    picture = view.draw(width, max(12, height - 6), palette(Depth.NONE), drawn(state, view), state.drawing)
    lines = ["".join(s.text for s in line).rstrip() for line in picture.lines]
    said = [view.title, view.subtitle, *lines, *(n for n in (picture.reading, *picture.notes) if n)]
    print(printable("\n".join(said)))
    print(f"bertdyn-tui: {why}; this is the text view. See 'bertdyn show --help' for the others.", file=sys.stderr)
    return 2


def read_keys(heard: Callable[[str], object], awaits: Callable[[], bool]) -> None:
    """Let Textual read only keys from the terminal, without the terminal's answers to queries.

    Both functions are called in the thread that reads.

    Args:
        heard: called with each answer of the terminal.
        awaits: returns whether an answer to our own query may still come.
    """
    linux_driver.getincrementaldecoder = lambda encoding: partial(Decoder, heard, awaits)  # type: ignore[assignment]
