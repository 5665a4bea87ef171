"""The selection panel's rows, made from the state: pure, so that what can be picked is tested without a screen."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.selection.question import fitting
from explorer.ui.state import Catalogue, State, compared, toggled_seed, toggled_task, with_corpus

if TYPE_CHECKING:
    from explorer.measures.base import Measure

MORE = "\0more"
"""Name of the row that stands for those of a folded list; no measure, task, seed or corpus is called so."""
_DEFAULT = "param  default"
SHORT = 4
"""Lists of so many rows are not folded."""


@dataclass(frozen=True)
class Choice:
    """One row: a section's head, a value that can be picked, or a range that can be typed."""

    section: str
    name: str = ""
    mark: str = ""
    """``(x)`` one of several, ``[x]`` any of several; empty for heads and ranges."""
    text: str = ""
    """What the row says after its mark."""
    key: str = ""
    """The quick key of the section, on its head."""

    @property
    def head(self) -> bool:
        """Not to be picked."""
        return not self.name


def choices(state: State, catalogue: Catalogue, wanted: str = "") -> list[Choice]:
    """All rows, or those that match the words (part of a name, or a glob); a section without a match is left out."""
    measure = catalogue.measure(state.measured)
    against = state.compared_with
    sections = [
        [
            Choice("measure", key="m", text=_of_measure(state)),
            *(Choice("measure", m.name, _one(m.name == state.measured), m.name) for m in catalogue.measures),
        ],
        [
            Choice("against", key="r", text=_of_against(state, measure)),
            *(
                Choice("against", name, _one(name == against), name)
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
            *_statistic(state),
            *_parameters(state, catalogue),
        ],
        [
            Choice("corpus", key="p", text="corpus"),
            *(Choice("corpus", i.name, _one(i.name == state.corpus), i.name) for i in catalogue.corpora),
        ],
        [Choice("annotation", key="", text="labels"), *_annotations(state, catalogue)],
    ]
    rows = []
    for head, *rest in sections:
        kept = [row for row in rest if _matches(row, wanted)]
        rows += [head, *kept] if kept else []
    return rows


def _of_measure(state: State) -> str:
    """Says so where the view shows another measure than the chosen one."""
    return "measure" if state.measured == state.measure else f"measure: here {state.measured}"


def _of_against(state: State, measure: Measure | None) -> str:
    if measure is not None and not measure.compares:
        return "against (not used)"
    return "against" if state.compared_with == str(state.against) else "against (fixed here)"


def _statistic(state: State) -> list[Choice]:
    """Which statistics a table shows, where it is not all."""
    wanted = state.look.statistic
    return [Choice("statistic", "statistic", "", f"stat   {wanted}")] if wanted else []


def _annotations(state: State, catalogue: Catalogue) -> list[Choice]:
    """The annotations that the measure can read, where there are several."""
    measure, info = catalogue.measure(state.measured), catalogue.info(state.corpus)
    fits = fitting(measure, info) if measure is not None and info is not None else ()
    chosen = state.labels(catalogue, measure) if measure is not None else ""
    return [Choice("annotation", f.name, _one(f.name == chosen), f.name) for f in fits] if len(fits) > 1 else []


def _parameters(state: State, catalogue: Catalogue) -> list[Choice]:
    """One row for all of the measure's parameters: those that the user changed, with their values."""
    measure = catalogue.measure(state.measured)
    if measure is None or not measure.parameters:
        return []
    changed = ", ".join(f"{name} {value}" for of, name, value in state.parameters if of == measure.name)
    return [Choice("parameters", "parameters", "", f"param  {changed}" if changed else _DEFAULT)]


def folded(rows: list[Choice], opened: str, room: int) -> list[Choice]:
    """The rows as they are where they fit; else the longest lists of which one is picked show that one alone, as many
    as must; the ``opened`` section never."""
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
    if left > room:  # parameters that nobody changed: the filter line sets them too
        shown = [row for row in shown if (row.section, row.text) != ("parameters", _DEFAULT)]
    return shown


def _sections(rows: list[Choice]) -> dict[str, list[Choice]]:
    """Each head with its rows, by the head's section."""
    found: dict[str, list[Choice]] = {}
    name = ""
    for row in rows:
        name = row.section if row.head else name
        found.setdefault(name, []).append(row)
    return found


def picked(row: Choice, state: State, catalogue: Catalogue) -> State:
    """The state after a row was picked (ranges are typed elsewhere)."""
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
            return with_corpus(state, catalogue, row.name)
        case "annotation":
            return replace(state, annotation=row.name)
    return state


def _matches(row: Choice, wanted: str) -> bool:
    if not wanted:
        return True
    name, wanted = row.name.lower(), wanted.lower()
    return wanted in name or fnmatch.fnmatchcase(name, wanted) or row.section.startswith(wanted)


def _with(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return names if name in names else (*names, name)


def _one(on: bool) -> str:
    return "(x)" if on else "( )"


def _any(on: bool) -> str:
    return "[x]" if on else "[ ]"
