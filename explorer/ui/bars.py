"""Make the lines around the picture: title, notes, reading, footer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from explorer.render.fitting import DOT, fit
from explorer.ui.action import Action
from explorer.ui.actions import ACTIONS
from explorer.ui.catalogue import Catalogue
from explorer.ui.modes import MODES
from explorer.ui.state import State
from explorer.ui.widgets.text_lines import SegmentLine, abreast, spread
from explorer.views.spot import Spot, apart

if TYPE_CHECKING:
    from explorer.compute.requests import Request
    from explorer.render.palette import Palette
    from explorer.ui.messages import Progress


READING = "reading …"
_LONG = 20
"""Words longer than this number of cells may be cut inside."""


@dataclass(frozen=True)
class Remarks:
    """Texts about one picture."""

    word: str
    """Message to show until the next change."""
    late: bool
    """Whether reading the view takes so long that the screen says so."""
    notes: tuple[str, ...]
    reading: str


def both(line: Callable[[int, int], SegmentLine], at: int, width: int) -> SegmentLine:
    """Return one line for two pictures. The part of the second begins at a column; if it is empty, the first gets all.

    Args:
        line: function of the picture (0 or 1) and a width in cells that returns the picture's part.
        at: column where the part of the second picture begins.
    """
    there = line(1, width - at - 1) if at < width else []
    if not any(text.strip() for text, *_ in there):
        return line(0, width)
    return abreast(line(0, at), [Segment(" "), *there], at, width)


def noted(said: Sequence[Remarks], hint: str, more: str, palette: Palette) -> Callable[[int, int], SegmentLine]:
    """Return the notes of both pictures as a function for ``both``; notes that both share appear once."""

    def line(which: int, width: int) -> SegmentLine:
        one = said[which]
        known = {meaning(note) for note in said[0].notes} if which else ()
        word = DOT.join(filter(None, (READING if one.late else "", one.word)))
        return notes(
            word, [n for n in one.notes if meaning(n) not in known], "" if which else hint, more, palette, width
        )

    return line


def read(said: Sequence[Remarks], style: Style) -> Callable[[int, int], SegmentLine]:
    """Return the readings of both pictures as a function for ``both``."""
    return lambda which, width: reading(said[which].reading, style, width)


def beside_mark(reading: str, mark: Spot | None, here: Spot | None) -> str:
    """Return a reading with how far its value is from the marked one: behind the value and its warning."""
    if mark is None or here is None:
        return reading
    from explorer.render.axes import number  # numpy comes with the first picture

    _, *rest = reading.split("; ")
    warned = [part for part in rest if part.startswith("!")]
    said = apart(mark, here, number(abs(here.value - mark.value)))
    return "; ".join((f"{here.place}: {here.said}", *warned, said, *(part for part in rest if part not in warned)))


def heading(text: str, style: Style, width: int) -> SegmentLine:
    """Return a title after a blank; parts that do not fit are left out as a whole."""
    return plain(fit(text, width - 1), style, width)


def plain(text: str, style: Style, width: int) -> SegmentLine:
    """Return a text after a blank; a cut is marked."""
    text = cut(text, width - 1)
    return [Segment(f" {text}" if text else "", style)]


def reading(text: str, style: Style, width: int) -> SegmentLine:
    """Return the reading at the cursor. The last parts are left out as a whole if they do not fit.

    The first two parts always stay, at least with their first words: the value and, if there is one, its warning.
    """
    parts = text.split("; ")
    while len(parts) > 2 and cell_len(text) > width - 1:
        parts.pop()
        text = "; ".join((*parts, "…"))
    return plain(text, style, width)


def cut(text: str, width: int) -> str:
    """Return a text of at most ``width`` cells, cut between words unless a word is long; a cut is marked."""
    if cell_len(text) <= width:
        return text
    shown = set_cell_size(text, max(0, width - 1))
    whole = shown if text[len(shown) :].startswith(" ") else shown.rpartition(" ")[0]
    return (whole if whole and cell_len(shown) - cell_len(whole) <= _LONG else shown).rstrip() + "…"


def middle(text: str, width: int) -> str:
    """Return a text of at most ``width`` cells, cut in the middle: names with the same beginning then still differ."""
    if cell_len(text) <= width:
        return text
    tail = set_cell_size(text[::-1], max(0, (width - 1) // 2))[::-1].lstrip()
    return set_cell_size(text, max(0, width - 1 - cell_len(tail))).rstrip() + "…" + tail


def title(path: Path, state: State, catalogue: Catalogue | None, job: str, palette: Palette, width: int) -> SegmentLine:
    """Return the title: the store, its runs and the corpus, with the job at the right end."""
    right = [Segment(f"  {job} ", palette.warning)] if job else []
    left = [Segment(" bertdyn ", palette.strong), Segment(f" {path.name}", palette.text)]
    about: list[str] = []
    info = None
    if catalogue is not None:
        runs = catalogue.runs(state.corpus)
        for task in state.tasks:
            seeds = {run.seed for run in runs if run.recipe == task}
            steps = {step for run, each in runs.items() if run.recipe == task for step in each}
            about.append(f"  {task} {count(len(seeds), 'seed')} x {count(len(steps), 'step')}")
        info = catalogue.info(state.corpus)
        if info is not None:
            sizes = f"{count(info.examples, 'sentence')}, {count(info.tokens, 'token')}"
            about.append(f"  corpus {info.name}: {sizes}")
    room = width - Segment.get_line_length([*left, *right])
    # What the numbers are on goes last: the runs make room for it, then its sizes.
    forms = [about[:many] for many in range(len(about), 0, -1)]
    if info is not None:
        forms = [about, about[-1:], [f"  corpus {info.name}"]]
    shown = next((form for form in forms if cell_len("".join(form)) <= room), ())
    left += [Segment(text, palette.axis) for text in shown]
    return spread(left, right, width)


def job(
    running: Request | None,
    shown: Request | None,
    progress: Progress | None,
    missing: int,
    waiting: int = 0,
    keys: tuple[str, str] = ("c", "x"),
) -> str:
    """Return the running job with its progress and the number of waiting jobs; without a job, the number of values that
    are not computed.

    Args:
        running: request that is being done; None: no job.
        shown: request that would compute the picture; its title is not repeated.
        missing: number of values of the picture that are not computed.
        waiting: number of jobs that wait.
        keys: the keys that compute and cancel.
    """
    compute, cancel = keys
    if running is None:
        return f"{missing:,} not computed ({compute} computes)" if missing else ""
    doing = running.doing if running == shown else f"{running.doing} {running.title}"
    behind = f", {waiting} waiting" if waiting else ""
    if progress is None or not progress.total:
        return f"{doing} …{behind}  {cancel} cancels"
    share = 100 * progress.done // progress.total
    return f"{doing} {progress.done:,}/{progress.total:,} {share} %{behind}  {cancel} cancels"


def notes(word: str, said: Sequence[str], hint: str, more: str, palette: Palette, width: int) -> SegmentLine:
    """Return the message of the moment, or else as many of the picture's notes as fit.

    Args:
        hint: the mode's own keys, shown if all notes leave room for them.
        more: the key that shows all notes.
    """
    said = [note for note in said if note]
    if word:  # it does not hide that the values mean little
        return plain(DOT.join([word, *(note for note in said if note.startswith("!"))]), palette.warning, width)
    room = width - 2
    for told in ([*said, hint], said):
        if cell_len(DOT.join(filter(None, told))) <= room:
            return plain(DOT.join(filter(None, told)), palette.axis, width)
    for many in range(len(said) - 1, 0, -1):
        tail = f"{DOT}{count(len(said) - many, 'more note')}: {more}"
        if many == 1 or cell_len(DOT.join(said[:many]) + tail) <= room:
            return plain(cut(DOT.join(said[:many]), room - cell_len(tail)) + tail, palette.axis, width)
    tail = f"{DOT}in full: {more}"
    return plain(cut(said[0], room - cell_len(tail)) + tail if said else "", palette.axis, width)


def meaning(note: str) -> str:
    """Return a note without the sign that it explains: 'band, ±: ...' and '±: ...' mean the same."""
    return note.partition(": ")[2] or note


def hint(mode: str, actions: Sequence[Action]) -> str:
    """Return the mode's own keys with their titles: 'v: other picture, ]: next step'."""
    known = {a.id: a for a in actions}
    own = (known[name] for name in MODES[mode].keys if name in known and known[name].keys)
    return ", ".join(f"{a.shown_keys.split()[0]}: {a.title[:1].lower()}{a.title[1:]}" for a in own)


def footer(mode: str, palette: Palette, width: int, actions: Sequence[Action] = ACTIONS) -> SegmentLine:
    """Return keys with their names, the active mode in reverse. Keys that do not fit are only in the help."""
    line: SegmentLine = []
    end = 0
    for action, start, key, name in _footed(mode, width, actions):
        active = action.id == f"mode.{mode}"
        style = palette.strong + Style(reverse=True) if active else palette.axis
        line += [
            Segment(" " * (start - end), Style()),
            Segment(key, style if active else palette.strong),
            Segment(name, style),
        ]
        end = start + len(key) + len(name)
    return line


def footer_at(x: int, mode: str, width: int, actions: Sequence[Action] = ACTIONS) -> Action | None:
    """Return the action at a cell of the footer."""
    found = _footed(mode, width, actions)
    return next((action for action, start, key, name in found if start <= x < start + len(key) + len(name)), None)


def _footed(mode: str, width: int, actions: Sequence[Action]) -> list[tuple[Action, int, str, str]]:
    """Return the footer's actions, each with its first cell, key and name (empty if it does not fit)."""
    # Help and quit get room before the others: users who see only a few keys need these most.
    shown = sorted((a for a in actions if a.footer), key=lambda a: (a.group != "Views", a.id not in ("help", "quit")))
    texts = [(a, a.shown_keys.split()[0], f" {a.footer}") for a in shown]
    gap = 2 if sum(len(key) + len(name) + 2 for _, key, name in texts) < width else 1
    promised = [t for t in texts if t[0].group == "Views" or t[0].id in ("help", "quit")]
    # If the names of all modes do not fit, the last modes show only their keys; the active mode is always named.
    nameless = {a.id for a, _, _ in promised if a.group == "Views" and a.id != f"mode.{mode}"}
    for action, _, _ in promised:
        if action.id in nameless:
            rest = [len(key) + (0 if a.id in nameless - {action.id} else len(name)) for a, key, name in promised]
            if sum(rest) + len(rest) < width:
                nameless.discard(action.id)
    found = []
    start = 1
    for action, key, name in texts:
        name = "" if action.id in nameless else name
        if start + len(key) + len(name) >= width:
            break
        found.append((action, start, key, name))
        start += len(key) + len(name) + gap
    return found


def count(number: int, what: str) -> str:
    """Return a number with its noun: ``1 seed``, ``2 seeds``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
