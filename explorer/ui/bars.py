"""The one-line texts around the picture: title, notes, footer. Pure: state in, segments out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from explorer.ui.actions import ACTIONS
from explorer.ui.state import Catalogue, State
from explorer.ui.widgets.lines import SegmentLine, spread

if TYPE_CHECKING:
    from explorer.render.palette import Palette


def plain(text: str, style: Style) -> SegmentLine:
    """One text behind a blank."""
    return [Segment(f" {text}" if text else "", style)]


def title(
    path: Path, state: State, catalogue: Catalogue | None, job: str, palette: Palette, width: int
) -> SegmentLine:
    """The store, what it holds, the probe set, and at the right end what is being computed."""
    left = [Segment(" bertdyn ", palette.strong), Segment(f" {path.name}", palette.text)]
    if catalogue is not None:
        keys = catalogue.of(state.probe)
        for task in state.tasks:
            seeds = {k.seed for k in keys if k.task == task}
            steps = {k.step for k in keys if k.task == task}
            left.append(Segment(f"  {task} {count(len(seeds), 'seed')} x {count(len(steps), 'step')}", palette.axis))
        info = catalogue.info(state.probe)
        if info is not None:
            sizes = f"{count(info.examples, 'sentence')}, {count(info.tokens, 'token')}"
            left.append(Segment(f"  probe {info.name}: {sizes}", palette.axis))
    right = [Segment(f"  {job} ", palette.warning)] if job else []
    return spread(left, right, width)


def notes(word: str, said: Sequence[str], palette: Palette, width: int) -> SegmentLine:
    """What there is to tell just now, else the picture's notes as far as they fit."""
    if word:
        return plain(word, palette.warning)
    fitting: list[str] = []
    for note in said:
        if fitting and sum(map(len, fitting)) + 3 * len(fitting) + len(note) > width - 4:
            break
        fitting.append(note)
    return plain(" · ".join(fitting), palette.axis)


def footer(mode: str, palette: Palette, width: int) -> SegmentLine:
    """Keys with their names; the active mode stands out without colour; what does not fit is in the help."""
    line: SegmentLine = []
    used = 0
    shown = [a for a in ACTIONS if a.footer]
    # Help and quit are promised first: whoever sees only a few keys must see these.
    for action in sorted(shown, key=lambda a: (a.group != "Views", a.id not in ("help", "quit"))):
        key, name = action.keys[0].replace("question_mark", "?").replace("slash", "/"), action.footer
        size = len(key) + len(name) + 3
        if used + size > width:
            break
        active = action.id == f"mode.{mode}"
        line.append(Segment(" "))
        line.append(Segment(f"{key}", palette.strong + Style(reverse=True) if active else palette.strong))
        line.append(Segment(f" {name} ", palette.strong + Style(reverse=True) if active else palette.axis))
        used += size
    return line


def count(number: int, what: str) -> str:
    """``1 seed``, ``2 seeds``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
