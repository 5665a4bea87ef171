"""The filter line: ``task:sst* step>=100 layer:8-12 seed!=3 head:2 variance:0.9``, from state to state (pure)."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Sequence
from dataclasses import replace

from explorer.selection import Ranges
from explorer.ui.modes import MODES
from explorer.ui.state import Catalogue, State, compared, settled, with_corpus
from store.errors import BertdynError

_CONDITION = re.compile(r"([a-z_]+)(!=|>=|<=|>|<|=|:)(.*)", re.DOTALL)
_FIELDS = ("task", "seed", "step", "layer", "head", "statistic", "measure", "corpus", "annotation", "against")
_Spans = tuple[tuple[int, int | None], ...]


def is_condition(word: str) -> bool:
    """A word such as ``step>=100``; other words are looked for among names."""
    return _CONDITION.fullmatch(word) is not None


def filtered(state: State, catalogue: Catalogue, text: str) -> State:
    """Apply a filter line.

    Names may be globs, several separated by commas; ``!=`` takes what does not match. Numbers may be ranges, or be
    compared. Of several conditions on one field all must hold, but for heads and statistics: there the last one does.
    Other names are parameters of the measure that is shown.
    Words without a condition are looked for among tasks.

    Raises:
        BertdynError: a word that matches nothing; says what there is.
    """
    said: set[str] = set()
    for word in text.split():
        found = _CONDITION.fullmatch(word)
        what, sign, wanted = found.groups() if found else ("task", ":", f"*{word}*")
        sign = ":" if sign == "=" else sign
        if sign not in (":", "!=") and what not in ("step", "layer"):
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
            case _:
                state = _set(state, catalogue, what, wanted)
        said.add(what)
    return state


def unheard(state: State, text: str, table: str) -> str:
    """What the filter line said that the mode does not show, in words; ``table``: the key of the Table."""
    found = filter(None, map(_CONDITION.fullmatch, text.split()))
    if state.mode == "table" or "statistic" not in {match[1] for match in found}:
        return ""
    mode = MODES[state.mode].title
    return f"{mode} shows the statistics that it is made for; rows of other ones are in Table ({table})."


def _set(state: State, catalogue: Catalogue, name: str, value: str) -> State:
    """A parameter of the measure that is shown; its default is written as nothing said."""
    measure = catalogue.measure(state.measured)
    there = {p.name: p for p in measure.parameters} if measure is not None else {}
    if measure is None or name not in there:
        close = difflib.get_close_matches(name, (*_FIELDS, *there), 1)
        meant = f" Did you mean '{close[0]}:'?" if close else ""
        own = f"; parameters of {state.measured}: {', '.join(there)}" if there else ""
        raise BertdynError(f"There is no '{name}:'.{meant} There is {', '.join(_FIELDS)}{own}.")
    try:
        plain = there[name].read(value) == there[name].default
    except ValueError as error:
        raise BertdynError(str(error)) from None
    kept = tuple(p for p in state.parameters if p[:2] != (measure.name, name))
    changed = replace(state, parameters=kept if plain else tuple(sorted((*kept, (measure.name, name, value)))))
    changed.settings(measure)
    return changed


def _ranges(what: str, sign: str, wanted: str, before: Ranges | None) -> Ranges | None:
    """Numbers that a condition and what was said before allow."""
    if sign == ":" and wanted in ("", "all", "*"):
        return before
    given = Ranges.parse(wanted, what)
    if sign in (":", "!="):
        spans = given.spans if sign == ":" else _others(given.spans)
    else:
        low, high = given.spans[0]
        if len(given.spans) > 1 or low != high:
            raise BertdynError(f"{what}{sign}{wanted}: a number is compared with one number.")
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
    """All numbers from 0 on that are in none of the spans."""
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
