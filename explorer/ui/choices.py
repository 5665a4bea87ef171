"""Rows of the selection panel, made from the state. Pure."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.selection.against import NEXT_SEED, SEEDS
from explorer.selection.axes import choosable_axes
from explorer.selection.question import fitting
from explorer.ui.catalogue import Catalogue
from explorer.ui.state import State, compared, toggled_corpus, toggled_seed, toggled_task, with_corpus
from store.keys import PLAIN

if TYPE_CHECKING:
    from explorer.measures.base import Measure

MORE = "\0more"
"""Name of the row that unfolds a list; no measure, task, seed or corpus can have this name."""
_DEFAULT = "options: default"
SHORT = 4
"""Largest number of rows of a list that is never folded."""


@dataclass(frozen=True)
class Choice:
    """A row of the panel: the head of a section, a value that can be picked, or a range that can be typed."""

    section: str
    name: str = ""
    mark: str = ""
    """``(x)`` if one of several can be chosen, ``[x]`` if any can; empty for heads and ranges."""
    text: str = ""
    """Text of the row after its mark."""
    key: str = ""
    """Key of the section, shown in its head."""

    @property
    def head(self) -> bool:
        """Whether it is the head of a section, which cannot be picked."""
        return not self.name


def choices(state: State, catalogue: Catalogue, wanted: str = "") -> list[Choice]:
    """Return all rows, or the rows whose name contains ``wanted`` or matches it as a glob, with the sections' heads."""
    measure = catalogue.measure(state.measured)
    against = state.compared_with(catalogue)
    sections = [
        [
            Choice("measure", key="m", text=_of_measure(state)),
            *(Choice("measure", m.name, _one(m.name == state.measured), m.name) for m in catalogue.measures),
        ],
        [
            Choice("against", key="r", text=_of_against(state, measure, against)),
            *(
                Choice("against", name, _one(name == against), _reference(name))
                for name in _with(against, catalogue.references(state.corpus))
            ),
        ],
        [
            Choice("task", key="t", text="task"),
            *(Choice("task", t, _any(not state.tasks or t in state.tasks), t) for t in catalogue.tasks(state.corpus)),
        ],
        [
            Choice("seed", key="s", text="seed"),
            *(
                Choice("seed", s, _any(not state.seeds or s in state.seeds), s)
                for s in catalogue.seeds(state.corpus, state.tasks)
            ),
        ],
        [
            Choice("range", key="", text="range"),
            Choice("step", "step", "", f"step   {state.steps or 'all'}"),
            Choice("layer", "layer", "", f"layer  {state.layers or 'all'}"),
            *_axes(state, catalogue),
            *_statistic(state),
            *_parameters(state, catalogue),
        ],
        [
            Choice("corpus", key="p", text="corpus"),
            *(Choice("corpus", i.name, _of_corpus(state, i.name), i.name) for i in catalogue.corpora),
        ],
        [Choice("annotation", key="", text="labels"), *_annotations(state, catalogue)],
    ]
    rows = []
    for head, *rest in sections:
        kept = [row for row in rest if _matches(row, wanted)]
        rows += [head, *kept] if kept else []
    return rows


def _of_measure(state: State) -> str:
    """Return the head of the measures; it names the measure if the view always shows the same one."""
    return "measure" if state.measured == state.measure else f"measure: {state.measured}"


def _of_against(state: State, measure: Measure | None, against: str) -> str:
    if measure is not None and not measure.compares:
        return "compared with: -"
    fixed = state.variant.kind is not None and state.variant.kind.against == against
    return "compared with (fixed)" if fixed else "compared with"


def _axes(state: State, catalogue: Catalogue) -> list[Choice]:
    """Return one row per axis that only this measure has."""
    measure = catalogue.measure(state.measured)
    chosen = dict(state.along(state.measured))
    own = choosable_axes(measure) if measure is not None else ()
    return [Choice(a.name, a.name, "", f"{a.name:6} {chosen.get(a.name, 'all')}") for a in own]


_SAME_STEP = {SEEDS: "other seeds same step", NEXT_SEED: "next seed same step", PLAIN: "plain run same step"}


def _reference(name: str) -> str:
    """Return a reference in words."""
    if name in _SAME_STEP:
        return _SAME_STEP[name]
    kind, _, named = name.partition(":")
    return f"{kind} {named} same step" if kind in ("seed", "task") and named else name


def _statistic(state: State) -> list[Choice]:
    """Return the row of the statistics that a table shows; none if it shows all statistics."""
    wanted = state.look.statistic
    return [Choice("statistic", "statistic", "", f"stat   {wanted}")] if wanted else []


def _annotations(state: State, catalogue: Catalogue) -> list[Choice]:
    """Return the annotations that the measure can read; none if there is only one."""
    measure, info = catalogue.measure(state.measured), catalogue.info(state.corpus)
    fits = fitting(measure, info) if measure is not None and info is not None else ()
    chosen = state.labels(catalogue, measure) if measure is not None else ""
    return [Choice("annotation", f.name, _one(f.name == chosen), f.name) for f in fits] if len(fits) > 1 else []


def _parameters(state: State, catalogue: Catalogue) -> list[Choice]:
    """Return one row with the parameters that the user changed, and their values."""
    measure = catalogue.measure(state.measured)
    if measure is None or not measure.parameters:
        return []
    changed = ", ".join(f"{name} {value}" for of, name, value in state.parameters if of == measure.name)
    return [Choice("parameters", "parameters", "", f"options: {changed}" if changed else _DEFAULT)]


def folded(rows: list[Choice], opened: str, room: int) -> list[Choice]:
    """Return the rows unchanged if they fit into ``room`` lines. Otherwise fold as many lists as needed, the longest
    first, to the row that is picked; the ``opened`` section is never folded."""
    sections = _sections(rows)
    lengths = {name: len(section) for name, section in sections.items() if any(r.mark == _one(True) for r in section)}
    left = len(rows)
    for name in sorted(lengths, key=lambda name: -lengths[name]):
        if left <= room or lengths[name] <= SHORT:
            break
        if name == opened:
            continue
        head, *section = sections[name]
        kept = [head, *(r for r in section if r.mark == _one(True)), Choice(name, MORE, "", "")]
        sections[name] = [*kept[:-1], replace(kept[-1], text=f"    {len(section) + 2 - len(kept)} more")]
        left -= lengths[name] - len(kept)
    shown = [row for section in sections.values() for row in section]
    if left > room:  # unchanged parameters can be left out: the filter line sets them too
        shown = [row for row in shown if (row.section, row.text) != ("parameters", _DEFAULT)]
    return shown


def _sections(rows: list[Choice]) -> dict[str, list[Choice]]:
    """Return each head with its rows, by the name of the section."""
    found: dict[str, list[Choice]] = {}
    name = ""
    for row in rows:
        name = row.section if row.head else name
        found.setdefault(name, []).append(row)
    return found


def picked(row: Choice, state: State, catalogue: Catalogue) -> State:
    """Return the state after a row is picked."""
    match row.section:
        case "measure":
            return replace(state, measure=row.name)
        case "against":
            return compared(state, row.name)
        case "task":
            return toggled_task(state, catalogue, row.name)
        case "seed":
            return toggled_seed(state, catalogue, row.name)
        case "corpus":
            chosen = toggled_corpus if state.joined else with_corpus
            return chosen(state, catalogue, row.name)
        case "annotation":
            return replace(state, annotation=row.name)
    return state


def typed(row: Choice, state: State, catalogue: Catalogue) -> tuple[str, str] | None:
    """Return the value and a hint for a row whose value is typed; None for a row that is picked."""
    measure = catalogue.measure(state.measured)
    match row.section:
        case "step" | "layer":
            return str((state.steps if row.section == "step" else state.layers) or ""), "0,20,100-500 or all"
        case "statistic":
            return state.look.statistic, "hull* or all"
        case "parameters" if measure is not None:
            return " ".join(f"{name}:{value}" for name, value in state.settings(measure)), f"of {measure.name}"
    own = {axis.name: axis for axis in choosable_axes(measure)} if measure is not None else {}
    if row.section not in own:
        return None
    hint = f"{own[row.section].title}: " + ("names, or all" if own[row.section].kind == "text" else "0,2-6 or all")
    return dict(state.along(state.measured)).get(row.section, ""), hint


def _matches(row: Choice, wanted: str) -> bool:
    if not wanted:
        return True
    name, wanted = row.name.lower(), wanted.lower()
    return wanted in name or fnmatch.fnmatchcase(name, wanted) or row.section.startswith(wanted)


def _with(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return names if name in names else (*names, name)


def _one(on: bool) -> str:
    return "(x)" if on else "( )"


def _of_corpus(state: State, name: str) -> str:
    """Return the mark of a corpus: a box where the picture shows several corpora."""
    return _any(name in (state.corpus, *state.further)) if state.joined else _one(name == state.corpus)


def _any(on: bool) -> str:
    return "[x]" if on else "[ ]"
