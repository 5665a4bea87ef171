"""Apply filter lines such as ``task:sst* step>=100 layer:8-12 seed!=3 module:query variance:0.9``. Pure."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.measures.declaration import LABEL_A, LABEL_B
from explorer.selection import Ranges
from explorer.selection.axes import check, choosable_axes
from explorer.ui.catalogue import Catalogue
from explorer.ui.modes import MODES, Mode
from explorer.ui.state import State, compared, settled, with_corpus
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.measures.declaration import Axis

_CONDITION = re.compile(r"([a-z_]+)(!=|>=|<=|>|<|=|:)(.*)", re.DOTALL)
_FIELDS = ("task", "seed", "step", "layer", "head", "statistic", "measure", "corpus", "annotation", "against")
_LISTED = 6
"""Largest number of steps or layers that a message lists."""
_Spans = tuple[tuple[int, int | None], ...]


def is_condition(word: str) -> bool:
    """Return whether a word is a condition such as ``step>=100``; all other words are parts of names."""
    return _CONDITION.fullmatch(word) is not None


def filtered(state: State, catalogue: Catalogue, text: str) -> State:
    """Return the state after a filter line is applied.

    The value of a condition may be globs, separated by commas; ``!=`` selects all names that do not match. Numbers may
    be ranges, or be compared with ``>=`` and so on. If a field has several conditions, all must hold; for heads and
    statistics only the last one counts. Axes and parameters of the measure that is shown are fields too.
    Words that are not conditions select tasks.

    Raises:
        BertdynError: a word matches nothing; the message lists the possible values.
    """
    said: set[str] = set()
    for word in text.split():
        found = _CONDITION.fullmatch(word)
        what, sign, wanted = found.groups() if found else ("task", ":", f"*{word}*")
        sign = ":" if sign == "=" else sign
        axis = own_axis(state, catalogue, what)
        ordered = what in ("step", "layer") or (axis is not None and axis.kind != "text" and sign == ">=")
        if sign not in (":", "!=") and not ordered:
            raise BertdynError(f"'{word}': {what} has no order, only steps and layers have; write {what}: or {what}!=.")
        match what:
            case "task":
                there = state.tasks if what in said else catalogue.tasks(state.corpus)
                state = settled(replace(state, tasks=_matching(wanted, there, "task", sign)), catalogue)
            case "seed":
                there = state.seeds if what in said else catalogue.seeds(state.corpus, state.tasks)
                state = replace(state, seeds=_matching(wanted, there, "seed", sign))
            case "step":
                state = replace(state, steps=_ranges(what, sign, wanted, state.steps if what in said else None))
            case "layer":
                layers = _ranges(what, sign, wanted, state.layers if what in said else None)
                state = replace(state, layers=layers, look=replace(state.look, layer=None))
            case "head":
                state = replace(state, look=replace(state.look, head=_head(wanted, catalogue.heads)))
            case "statistic":
                everything = wanted in ("", "all", "*") and sign == ":"
                said_so = "" if everything else f"{'!' if sign == '!=' else ''}{wanted}"
                state = replace(state, look=replace(state.look, statistic=said_so))
            case "measure":
                names = _matching(wanted, tuple(m.name for m in catalogue.measures), "measure", sign)
                state = replace(state, measure=names[0])
            case "corpus":
                names = _matching(wanted, tuple(info.name for info in catalogue.corpora), "corpus", sign)
                state = with_corpus(state, catalogue, names[0])
            case "annotation":
                info = catalogue.info(state.corpus)
                there = tuple(one.name for one in info.annotations) if info is not None else ()
                state = replace(state, annotation=_matching(wanted, there, "annotation", sign)[0])
            case "against":
                state = compared(state, wanted)
            case _ if axis is not None:
                state = _along(state, axis, sign, wanted)
            case _:
                state = _set(state, catalogue, what, wanted)
        said.add(what)
    steps = [key.step for key in catalogue.of(state.corpus) if key.recipe in state.tasks]
    if "step" in said and steps:
        _some_left(state.steps, steps, "step")
    if "layer" in said:
        _some_left(state.layers, range(catalogue.layers + 1), "layer")
    return state


def own_axis(state: State, catalogue: Catalogue, name: str) -> Axis | None:
    """Return the measure's own axis with that name; None if it has no such axis."""
    measure = catalogue.measure(state.measured)
    return next((axis for axis in choosable_axes(measure) if axis.name == name), None) if measure is not None else None


def _along(state: State, axis: Axis, sign: str, wanted: str) -> State:
    """Return the state with a choice along one of the measure's own axes; "all" is stored as no choice."""
    text = {"!=": f"!{wanted}", ">=": f"{wanted}-"}.get(sign, wanted)
    everything = text in ("", "all", "*")
    if not everything:
        check(axis, text)
    name = (state.measured, axis.name)
    kept = tuple(one for one in state.axes if one[:2] != name)
    return replace(state, axes=kept if everything else tuple(sorted((*kept, (*name, text)))))


def conditions(what: str, typed: str) -> tuple[str, str]:
    """Return the conditions in a typed line, and its other words.

    Args:
        what: row of the panel that the line was typed for (``step``, ``parameters``); empty for a filter line.
    """
    if what and what != "parameters":
        wanted = typed.replace(" ", "")
        return (f"{what}!={wanted[1:]}" if wanted.startswith("!") else f"{what}:{wanted}"), ""
    words = typed.split()
    return " ".join(filter(is_condition, words)), " ".join(w for w in words if not is_condition(w))


def without_effect(state: State, text: str, key_of: Callable[[str], str]) -> str:
    """Return a sentence about conditions that have no effect in this mode; empty if there are none."""
    said = {match[1] for match in map(_CONDITION.fullmatch, text.split()) if match}
    rows = {"statistic", *(axis for axis, _ in state.along(state.measured) if axis in (LABEL_A.name, LABEL_B.name))}
    if not said & rows or _shows_statistics(MODES[state.mode]):
        return ""
    where = ", ".join(f"{m.title} ({key_of(f'mode.{m.name}')})" for m in MODES.values() if _shows_statistics(m))
    mode = MODES[state.mode].title
    what = "its own statistics" if "statistic" in said else "values of whole layers"
    return f"{mode} shows only {what}; all rows are in {where}."


def _shows_statistics(mode: Mode) -> bool:
    kind = mode.variants[0].kind
    return kind is not None and "statistic" in kind.depends


def _set(state: State, catalogue: Catalogue, name: str, value: str) -> State:
    """Return the state with a parameter of the measure that is shown; its default value is not stored."""
    measure = catalogue.measure(state.measured)
    there = {p.name: p for p in measure.parameters} if measure is not None else {}
    if measure is None or name not in there:
        axes = [axis.name for axis in choosable_axes(measure)] if measure is not None else []
        close = difflib.get_close_matches(name, (*_FIELDS, *axes, *there), 1)
        meant = f" Did you mean '{close[0]}:'?" if close else ""
        own = f"; parameters of {state.measured}: {', '.join(there)}" if there else ""
        raise BertdynError(f"There is no '{name}:'.{meant} There is {', '.join((*_FIELDS, *axes))}{own}.")
    try:
        plain = there[name].read(value) == there[name].default
    except ValueError as error:
        raise BertdynError(str(error)) from None
    kept = tuple(p for p in state.parameters if p[:2] != (measure.name, name))
    changed = replace(state, parameters=kept if plain else tuple(sorted((*kept, (measure.name, name, value)))))
    changed.settings(measure)
    return changed


def _ranges(what: str, sign: str, wanted: str, before: Ranges | None) -> Ranges | None:
    """Return the numbers that are allowed by a condition and by the earlier ones on the same field."""
    if sign == ":" and wanted in ("", "all", "*"):
        return before
    given = Ranges.parse(wanted, what)
    if sign in (":", "!="):
        spans = given.spans if sign == ":" else _others(given.spans)
    else:
        low, high = given.spans[0]
        if len(given.spans) > 1 or low != high:
            raise BertdynError(f"{what}{sign}{wanted}: {sign} needs a single number.")
        spans = {
            ">=": ((low, None),),
            ">": ((low + 1, None),),
            "<=": ((0, low),),
            "<": ((0, low - 1),) if low else (),
        }[sign]
    spans = spans if before is None else _both(before.spans, spans)
    if not spans:
        raise BertdynError(f"{what}{sign}{wanted}: no {what} is left.")
    return Ranges(tuple(spans))


def _some_left(chosen: Ranges | None, there: Sequence[int], what: str) -> None:
    """Check that there is something among the chosen numbers."""
    numbers = sorted(set(there))
    if chosen is not None and not any(number in chosen for number in numbers):
        few = len(numbers) <= _LISTED
        said = ", ".join(map(str, numbers)) if few else f"{len(numbers):,} from {numbers[0]:,} to {numbers[-1]:,}"
        raise BertdynError(f"No {what} matches '{chosen}'; there are {said}.")


def _both(one: _Spans, other: _Spans) -> _Spans:
    found = []
    for low, high in one:
        for lower, higher in other:
            start = max(low, lower)
            ends = [end for end in (high, higher) if end is not None]
            stop = min(ends) if ends else None
            if stop is None or start <= stop:
                found.append((start, stop))
    return tuple(sorted(found, key=lambda span: span[0]))


def _others(spans: _Spans) -> _Spans:
    """Return all numbers from 0 that are in none of the spans."""
    found: _Spans = ((0, None),)
    for low, high in spans:
        below = ((0, low - 1),) if low else ()
        above = ((high + 1, None),) if high is not None else ()
        found = _both(found, (*below, *above))
    return found


def _head(wanted: str, heads: int) -> int:
    if wanted in ("", "all", "*", "mean"):
        return 0
    if not wanted.isdecimal() or int(wanted) > heads:
        raise BertdynError(f"head:{wanted}: there are heads 1 to {heads}; 0 is their mean.")
    return int(wanted)


def _matching(patterns: str, there: Sequence[str], what: str, sign: str) -> tuple[str, ...]:
    fits = {name for name in there if any(name == p or fnmatch.fnmatchcase(name, p) for p in patterns.split(","))}
    if not fits and sign == ":":
        raise BertdynError(f"No {what} matches '{patterns}'; there is {', '.join(there) or 'none'}.")
    found = tuple(name for name in there if (name in fits) == (sign == ":"))
    if not found:
        raise BertdynError(f"No {what} is left without '{patterns}'; there is {', '.join(there) or 'none'}.")
    return found
