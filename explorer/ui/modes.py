"""Every mode of the explorer, declared once: its key, and the views that one key cycles through in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.views.base import END, Cursor, ViewKind
from explorer.views.kinds import VIEWS


@dataclass(frozen=True)
class Variant:
    """One way to look in a mode."""

    title: str
    view: str = ""
    """One of VIEWS; empty: the mode makes its picture itself."""
    part: str = ""
    """One of the view's parts."""
    axes: str = ""
    """Variants with the same axes share a cursor."""
    lines: bool = False
    """It draws lines: with no line pointed at, all keep their colours."""
    downwards: bool = False
    """Rows are counted from the top."""
    start: Cursor | None = None
    """Where the cursor is until it is moved."""

    @property
    def kind(self) -> ViewKind | None:
        """The view; None where the mode makes its own."""
        return VIEWS[self.view] if self.view else None

    @property
    def meaning(self) -> tuple[str, str]:
        """What x and y are, where other views have the same: STEP, LAYER, HEAD or nothing."""
        return AXES.get(self.axes, ("", ""))


@dataclass(frozen=True)
class Mode:
    """What a number key shows."""

    name: str
    key: str
    title: str
    help: str
    variants: tuple[Variant, ...]
    keys: tuple[str, ...] = ()
    """Names of the actions that are this mode's own: what a first look should know."""


STEPS = "steps"
"""Axes of views with a step along x and a layer along y."""
STEP, LAYER, HEAD = "step", "layer", "head"
AXES: Mapping[str, tuple[str, str]] = {
    STEPS: (STEP, LAYER),
    "steps of a seed": (STEP, ""),
    "steps of a task": (STEP, ""),
    "steps of a head": (STEP, HEAD),
    "labels": (STEP, ""),
    "paths": (STEP, ""),
    "profile": (LAYER, STEP),
    "layers of a seed": (LAYER, ""),
    "layers of a task": (LAYER, ""),
    "heads": (HEAD, LAYER),
    "layers": ("", LAYER),
}
"""Axes along which a cursor means the same in several views: who points at a step, a layer or a head does so in all
of them. A state's cursors hold the numbers of these, and places along other axes."""
_TOP = Cursor(0, 0)


def _one(name: str, key: str, axes: str = "", downwards: bool = False, keys: tuple[str, ...] = ()) -> Mode:
    kind = VIEWS[name]
    start = _TOP if downwards else None
    variant = Variant(kind.title, name, "", axes or name, False, downwards, start)
    return Mode(name, key, kind.title, kind.help, (variant,), keys)


MODES: Mapping[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            "curves",
            "1",
            "Curves",
            VIEWS["curves"].help,
            tuple(
                Variant(words, "curves", part, STEPS if part == "layer" else f"steps of a {part}", lines=True)
                for part, words in VIEWS["curves"].parts.items()
            ),
            ("vary", "log"),
        ),
        Mode(
            "profile",
            "2",
            "Profile",
            VIEWS["profile"].help,
            tuple(
                Variant(words, "profile", part, "profile" if part == "step" else f"layers of a {part}", lines=True)
                for part, words in VIEWS["profile"].parts.items()
            ),
            ("vary", "step.next"),
        ),
        Mode(
            "heat",
            "3",
            "Heat",
            "a map: layer by step, by head, by layer; seed by seed",
            (
                Variant("layer by step", "heat", axes=STEPS),
                Variant("layer by head, at one step", "heads", axes="heads"),
                Variant("layer by layer of the reference, at one step", "layers", axes="layers"),
                Variant("seed by seed, at one step", "seed-pairs", axes="seed-pairs", start=Cursor(0, END)),
            ),
            ("vary", "step.next", "digits"),
        ),
        Mode(
            "seeds",
            "4",
            "Seeds",
            VIEWS["seeds"].help,
            tuple(Variant(words, "seeds", part, STEPS, lines=True) for part, words in VIEWS["seeds"].parts.items()),
            ("vary",),
        ),
        Mode(
            "clusters",
            "5",
            "Clusters",
            "how far labels lie apart, along the steps, the paths of their centroids; data map of the examples",
            (
                Variant("label by label, hulls", "clusters", "hulls", axes="pairs"),
                Variant("label by label, centroids", "clusters", "centroids", axes="pairs"),
                Variant("along the steps, hulls", "labels", "hulls", axes="labels", lines=True),
                Variant("along the steps, centroids", "labels", "centroids", axes="labels", lines=True),
                Variant("paths of the centroids", "paths", axes="paths", lines=True),
                Variant("data map: each example along the run", "data-map", axes="examples", start=_TOP),
            ),
            ("vary", "step.next", "layer.next"),
        ),
        Mode(
            "example",
            "6",
            "Example",
            VIEWS["example"].help,
            tuple(Variant(words, "example", part, axes="tokens") for part, words in VIEWS["example"].parts.items()),
            ("step.next", "layer.next", "head.next", "example.next", "filter", "sort", "vary"),
        ),
        _one("table", "7", downwards=True, keys=("sort", "filter", "copy")),
        Mode(
            "sql",
            "8",
            "SQL",
            "ask the store's tables; starts from worked queries",
            (Variant("statement", axes="sql", downwards=True, start=_TOP),),
            ("sql.pick", "sql.write", "sql.run", "sql.worked", "cancel"),
        ),
        _one("store", "9", downwards=True),
        Mode(
            "jobs",
            "0",
            "Jobs",
            "what is being computed, what waits and what failed",
            (Variant("queue", axes="jobs", downwards=True, start=_TOP),),
            ("cancel",),
        ),
    )
}
