"""Jobs: what is being done, what waits, how far and how fast it is, and why something failed."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.render.axes import count
from explorer.render.cells import Grid
from explorer.render.palette import Palette
from explorer.render.targets import Target
from explorer.render.text import clean, crop, pad
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Picture

HowItIs = Literal["running", "stopping", "waiting", "done", "in part", "failed", "cancelled", "stopped: you moved on"]
_BEFORE = ("job", "state", "what")
_AFTER = ("units", "done", "total", "known", "seconds", "per_minute", "failures", "reason")
"""Columns around the facts of the jobs."""
_HEADS = ("", "what", "of", "progress", "a minute", "time left")
_BAR, _SHORT_BAR, _WIDE = 16, 6, 110
_MOST_REASONS = 8
_OWN = "this explorer's own jobs only"
_MARKS = {"running": "▶", "stopping": "■", "waiting": "…", "done": "✓"}
_PLAIN_MARKS = {"running": ">", "stopping": "#", "waiting": ".", "done": "+"}


@dataclass(frozen=True)
class Job:
    """One request that is, was or will be done."""

    number: int
    title: str
    """What it gives, in a word."""
    subject: str
    """What that is of."""
    facts: tuple[tuple[str, str], ...] = ()
    """What it asks for: columns of a table with their cells."""
    units: str = "units"
    """What its progress counts."""
    state: HowItIs = "waiting"
    beside: bool = False
    """Whether it runs beside the queue."""
    asked: bool = False
    """By the user, with a key: it waits its turn when another one goes first."""
    done: int = 0
    total: int = 0
    known: int = 0
    """Units that were done before."""
    current: str = ""
    began: float | None = None
    """When it was known what is to be done; in seconds of a clock that never goes back."""
    seen: float | None = None
    """When it last said something."""
    failures: tuple[str, ...] = ()
    """Why single units could not be done; the first few."""
    lost: int = 0
    """How many could not."""
    reason: str = ""
    """Why the whole job ended early."""
    results: tuple[str, ...] = ()
    """What it has done, in sentences, where that is more than values."""

    @property
    def seconds(self) -> float:
        """How long it has worked."""
        return self.seen - self.began if self.seen is not None and self.began is not None else 0.0

    @property
    def rate(self) -> float | None:
        """Units a second; None before there are any."""
        return self.done / self.seconds if self.done and self.seconds > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds to go at this rate."""
        return (self.total - self.done) / self.rate if self.state == "running" and self.rate else None


@dataclass(frozen=True)
class JobList:
    """Jobs in the order in which they are shown: what runs, what waits, what is over, the latest first."""

    jobs: tuple[Job, ...]
    missing: int = 0


class Jobs(Base):
    """y is the job, counted from the top; x does nothing."""

    name = "jobs"

    def __init__(self, data: JobList) -> None:
        self.data = data
        self.empty = not data.jobs
        states = [job.state for job in data.jobs]
        waiting, over = states.count("waiting"), sum(s not in ("running", "stopping", "waiting") for s in states)
        self.title = "Jobs"
        running = "one is running" if len(states) > waiting + over else "nothing is running"
        self.subtitle = f"{running} · {count(waiting)} waiting · {count(over)} ended · {_OWN}"
        self.notes: tuple[str, ...] = ("what a job has finished stays when it is cancelled",)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        jobs = self.data.jobs
        if self.empty:
            text = (
                "Nothing was computed since the explorer was opened. What is shown and missing is computed by itself. "
                "What bertdyn compute or another explorer computes is not listed here; its values appear all the same."
            )
            return words.instead(text, width, height, palette)
        at = Cursor(-1, max(0, cursor.clamped(1, len(jobs)).y))
        chosen = jobs[at.y]
        room = max(8, width - 4)
        told = [(clean(one), palette.text) for one in chosen.results]
        told += [(why, palette.warning) for why in _reasons(chosen)]
        lines = [(line, style) for text, style in told for line in textwrap.wrap(text, room, subsequent_indent="  ")]
        below = min(len(lines) + 1, height // 2) if lines else 0
        size = max(1, height - below - 1)
        top = at.y // size * size
        shown = jobs[top : top + size]
        bar = _BAR if width >= _WIDE else _SHORT_BAR
        cells = [_cells(job, bar) for job in shown]
        widths = [max(len(row[j]) for row in (_HEADS, *cells)) for j in range(len(_HEADS))]
        widths[2] = min(widths[2], max(8, width - sum(widths) + widths[2] - 2 * len(widths) - 2))
        grid = Grid(width, height)
        marks = _PLAIN_MARKS if options.ascii else _MARKS
        for line, row in enumerate((_HEADS, *cells)):
            x = 2
            for j, (text, wide) in enumerate(zip(row, widths, strict=True)):
                style = palette.axis if not line else palette.strong if top + line - 1 == at.y else palette.text
                grid.put(line, x, pad(crop(text, wide, options.ascii), wide, j in (4, 5)), style)
                x += wide + 2
            if line:
                job = shown[line - 1]
                grid.put(line, 0, marks.get(job.state, "!"), palette.strong if top + line - 1 == at.y else palette.text)
                _bar(grid, line, 2 + sum(widths[:3]) + 6, job, bar, palette, options.ascii)
        for i, (text, style) in enumerate(lines[: max(0, below - 1)]):
            grid.put(height - below + 1 + i, 2, crop(text, width - 2, options.ascii), style)
        targets = tuple(Target(0, 1 + line, row=top + line) for line in range(len(shown)))
        return Picture(tuple(grid.lines()), clean(_read(chosen)), at, self.notes, targets)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row per job; the facts of all kinds of jobs are columns."""
        facts = tuple(dict.fromkeys(name for job in self.data.jobs for name, _ in job.facts))
        return (*_BEFORE, *facts, *_AFTER), [
            (
                *(job.number, job.state, job.title),
                *(dict(job.facts).get(name, "") for name in facts),
                *(job.units, job.done, job.total, job.known, round(job.seconds, 2)),
                *(None if job.rate is None else round(60 * job.rate, 2), job.lost, job.reason),
            )
            for job in self.data.jobs
        ]


def lasting(seconds: float) -> str:
    """'8 s', '1m10s', '2h05m'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}m{whole % 60:02}s" if whole < 3600 else f"{whole // 3600}h{whole // 60 % 60:02}m"


def _cells(job: Job, bar: int) -> tuple[str, ...]:
    figures = f"{count(job.done)}/{count(job.total)}" if job.total else ""
    rate = f"{60 * job.rate:.0f}" if job.rate else ""
    left = lasting(job.left) if job.left is not None else ""
    state = f"{job.state}, {count(job.lost)} failed" if job.lost else job.state
    return state, clean(job.title), clean(job.subject), f"{'':{bar}} {figures}", rate, left


def _bar(grid: Grid, line: int, at: int, job: Job, wide: int, palette: Palette, plain: bool) -> None:
    if not job.total:
        return
    full, rest = ("#", ".") if plain else ("█", "░")
    done = wide * job.done // job.total
    grid.put(line, at, full * done, palette.text)
    grid.put(line, at + done, rest * (wide - done), palette.faint)


def _reasons(job: Job) -> Sequence[str]:
    said = [clean(job.reason)] if job.reason else []
    said += [clean(f) for f in job.failures[:_MOST_REASONS]]
    more = job.lost - len(job.failures[:_MOST_REASONS])
    return [*said, f"and {count(more)} more"] if more > 0 else said


def _read(job: Job) -> str:
    text = clean(f"job {job.number}: {job.title} of {job.subject}; {job.state}")
    if job.total:
        text += f", {count(job.done)} of {count(job.total)} {job.units}"
    if job.known:
        text += f" ({count(job.known)} were there)"
    if job.seconds >= 1:
        text += f", {lasting(job.seconds)}"
    return f"{text}; now {clean(job.current)}" if job.current and job.state == "running" else text
