"""Write the words of a view: titles, readings and notes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from explorer.answers.cells import signed
from explorer.answers.coordinates import SEED, TASK
from explorer.answers.details import known
from explorer.answers.rows import Rows
from explorer.answers.uncertainty_notes import UncertaintyNotes
from explorer.answers.worth import worth
from explorer.fields.field import Point
from explorer.measures import Measure
from explorer.render.axes import count, number, short
from explorer.render.cells import message
from explorer.render.fitting import DOT
from explorer.render.palette import Palette
from explorer.render.text import clean
from explorer.views.base import LOG, NOWHERE, DrawOptions, Picture
from store.results import Result

WIDE = 1000
"""Width that has room for every word."""
_EDGE = 2
"""Number of cells left free beside a line of words."""
_APART, _ALIKE = "two seeds differ by", "between seeds"


def against(rows: Rows) -> str:
    """'from the pre-trained model' (or 'to', 'toward', as the measure says); empty for a measure of one checkpoint
    alone."""
    chosen = rows.question.against
    return "" if chosen is None else f"{rows.measure.before_reference} {chosen.said}"


def title(rows: Rows, *where: str) -> str:
    """'SVCCA distance from the pre-trained model · sst2, seed 1'."""
    what = " ".join(part for part in (rows.measure.title, against(rows)) if part)
    place = ", ".join(part for part in where if part)
    return clean(what + (DOT + place if place else ""))


def seeds(names: Sequence[str]) -> str:
    """'seed 1', 'mean of seeds 1, 2, 3', 'mean of 12 seeds'."""
    if len(names) == 1:
        return f"seed {names[0]}"
    return f"mean of seeds {', '.join(names)}" if len(names) <= 5 else f"mean of {len(names)} seeds"


def whereabouts(rows: Rows, task: str, names: Sequence[str]) -> dict[str, str]:
    """Return what a value is of, without its places along axes, in words: measure, options, labels, corpus and runs.

    Args:
        names: seeds of the runs.
    """
    question = rows.question
    options = (parameter(*one) for one in question.measure.effective(question.parameters))
    found = {
        "measure": f"{rows.measure.title} {against(rows)}".strip(),
        "options": ", ".join(filter(None, options)),
        "labels": question.annotation,
        "corpus": question.corpus,
        TASK: task,
        SEED: seeds(names) if names else "",
    }
    return {name: said for name, said in found.items() if said}


def subtitle(rows: Rows, shown: Sequence[Result]) -> str:
    """'corpus dev · over 21,340 tokens · 0 = the same · 1 = nothing in common · 99 % variance': on what, on how much,
    which parameters were changed, which way values point, the usual parameters; where there is no room the last of
    these go first."""
    counts = sorted({r.n for r in shown if r.value is not None})
    labels = f"{rows.question.annotation} of " if rows.question.annotation else ""
    several = len(rows.question.corpora) > 1
    named = f"corpora {', '.join(rows.question.corpora)}" if several else f"corpus {rows.question.corpus}"
    parts = [labels + named if rows.question.corpus else ""]
    if counts and counts[-1] > 1:
        span = count(counts[0]) if counts[0] == counts[-1] else f"{count(counts[0])} to {count(counts[-1])}"
        parts.append(f"over {span} {rows.measure.counts}")
    usual = {p.name: p.default for p in rows.measure.parameters}
    chosen = [(name, value) for name, value in rows.question.parameters if value != usual.get(name, value)]
    parts += [parameter(name, value) for name, value in chosen]
    none, *other = rows.measure.direction.split(", ")
    effective = rows.measure.effective(rows.question.parameters)
    left = ((name, value) for name, value in effective if (name, value) not in chosen and value != "")
    parts += [none, *other, *(parameter(*p) for p in left)]
    return clean(DOT.join(part for part in parts if part))


def parameter(name: str, value: object) -> str:
    """Return a parameter in words."""
    if name == "variance" and isinstance(value, (int, float)):
        return f"{100 * value:g} % variance"
    if (name, value) in _PLAIN:
        return ""
    return _SAID.get((name, value), f"{name.replace('_', ' ')} {value}")


_SAID: Mapping[tuple[str, object], str] = {
    ("tokens", "content"): "tokens without special ones",
    ("tokens", "cls"): "[CLS] tokens",
    ("special", "keep"): "special tokens counted",
    ("special", "drop"): "special tokens left out",
    ("weighting", "examples"): "every sentence weighs the same",
    ("weighting", "queries"): "every token weighs the same",
}
"""Parameter values in words."""
_PLAIN = {
    *(("definition", "variance99"), ("tokens", "all"), ("held_out", 0.0)),
    *((seed, 0) for seed in ("split_seed", "order_seed", "sample_seed")),
}
"""Parameter values that are not written: defaults, and values that other words already state."""


def y_name(measure: Measure) -> str:
    """Return the name and unit of the value axis."""
    plain = measure.unit in ("", "1", "none", "distance") or measure.unit in measure.title
    return measure.title if plain else f"{measure.title} ({measure.unit})"


def notes(rows: Rows, shown: Sequence[Result]) -> tuple[str, ...]:
    """Return the notes on the values behind a picture, the most important first."""
    return missing(rows) + flaws(shown) + unmoved(shown)


def missing(rows: Rows) -> tuple[str, ...]:
    """Return the note on values that are not computed."""
    return (f"not computed: {count(rows.missing)} of {count(rows.asked)} values",) if rows.missing else ()


def flaws(shown: Sequence[Result]) -> tuple[str, ...]:
    """Return notes on rows without a value and on unreliable values, with reasons."""
    said = []
    without = [r for r in shown if r.value is None]
    if without:
        said.append(f"! {count(len(without))} of {count(len(shown))} have no value: {_reasons(without)}")
    warned = [r for r in shown if r.value is not None and r.reason]
    if warned:
        said.append(f"! {count(len(warned))} of {count(len(shown))} are unreliable: {_reasons(warned)}")
    return tuple(clean(note) for note in said)


def unmoved(shown: Sequence[Result]) -> tuple[str, ...]:
    """Return notes on weights that are the same at every point of a line or plane (detail ``stays``), with reasons."""
    some = (known(r).get("stays") for r in shown if '"stays"' in r.details)
    found = Counter(str(what) for stays in some if isinstance(stays, list) for what in stays)
    return tuple(
        clean(
            f"does not move{'' if many == len(shown) else f' in {count(many)} of {count(len(shown))} values'}: {what}"
        )
        for what, many in found.items()
    )


def on_noise(measure: Measure, shown: Sequence[Result]) -> tuple[str, ...]:
    """Return the note on values within the noise: they cannot be told from a checkpoint against itself."""
    low = sum(noise(measure, r) for r in shown)
    return (f"{count(low)} of {count(len(shown))} values lie {_near(measure)}: {_NOISE}",) if low else ()


_NOISE = "rounding of the stored float16"


def noise(measure: Measure, result: Result) -> bool:
    """Return whether a value is within the noise of a checkpoint against itself."""
    return result.value is not None and abs(result.value - measure.same) < measure.floor


def _near(measure: Measure) -> str:
    floor = short(measure.floor)
    return f"within {floor} of {short(measure.same)}" if measure.same else f"below {floor}"


def no_log(measure: Measure) -> dict[str, str]:
    """Return why values have no logarithmic scale, by its name; nothing if they have one."""
    return {LOG: "changes below zero have no logarithm"} if signed(measure) else {}


def on_scale(refused: Mapping[str, str], options: DrawOptions) -> tuple[str, ...]:
    """Return the note that the scale is linear though another one was asked for."""
    return (f"linear scale: {refused[options.scale]}",) if options.scale in refused else ()


def _reasons(rows: Sequence[Result]) -> str:
    reasons: dict[str, int] = {}
    for r in rows:
        reasons[r.reason or "no reason given"] = reasons.get(r.reason or "no reason given", 0) + 1
    most = max(reasons, key=lambda reason: reasons[reason])
    others = len(reasons) - 1
    return most.rstrip(".") + (f" (and {others} other reason{'s' if others > 1 else ''})" if others else "")


def reading(rows: Rows, place: str, result: Result | None, room: int = WIDE, instead: str = "") -> str:
    """Return one stored value in words: see ``point``."""
    if result is None:
        return clean(f"{place}: not computed")
    found = Point(
        result.value, result.interval_low, result.interval_high, result.null_value, rows.yardstick(result), None,
        int(result.value is not None), 1, True, result.reason, result.unit,
    )  # fmt: skip
    return point(rows, place, found, room, instead, UncertaintyNotes.of(rows.measure, (result,)).level)


def point(rows: Rows, place: str, at: Point, room: int = WIDE, instead: str = "", level: str = "") -> str:
    """Return one value in words, with what it is worth.

    'layer 9, step 800: 0.240 [95 %: 0.231, 0.250]; two seeds differ by 0.110; chance 0.930; from the pre-trained model'

    Args:
        room: cells that there are for it.
        instead: takes the place of what the value is compared with.
        level: of the interval, '95 %'.
    """
    if not at.there:
        return clean(f"{place}: {'not computed' if at.averaged < 2 else 'no value of any seed'}")
    if at.value is None:
        return clean(f"{place}: no value, {at.reason or 'no reason given'}")
    text = f"{place}: {number(at.value)}{unit(rows.measure, at)}{spread_words(at.spread)}{interval(at, level)}"
    text += f" ({at.count} of {at.averaged} seeds)" if at.averaged > 1 else ""
    beside = [f"! {at.reason}"] if at.reason else []  # first: the end is cut where there is no room
    beside += yardstick(rows, at.yardstick) + chance(at.null)
    ends = None if at.low is None or at.high is None else (at.low, at.high)
    if (verdict := worth(rows.measure, at.value, at.yardstick, at.null, ends)) and beside:
        beside[-1] += f": {verdict}"
    if at.count == 1 and abs(at.value - rows.measure.same) < rows.measure.floor:
        beside.append(f"{_near(rows.measure)}, {_NOISE}")
    if instead:
        beside.append(instead)
    return clean(together(text, beside, "" if instead else against(rows), room))


def unit(measure: Measure, at: Point | Result) -> str:
    """' bits', or nothing where the measure's title says it."""
    return "" if y_name(measure) == measure.title else f" {at.unit}"


def spread_words(spread: float | None) -> str:
    """' ± 0.012', or nothing."""
    return "" if spread is None else f" ± {number(spread)}"


def together(value: str, beside: Sequence[str], source: str, room: int = WIDE) -> str:
    """Join a value, what belongs to it and, if there is room, its reference."""
    if len("; ".join([value, *beside])) > room - _EDGE:
        beside = [part.replace(_APART, "seeds").replace(_ALIKE, "seeds") for part in beside]
    if len("; ".join([value, *beside, source])) > room - _EDGE:
        source = ""
    parts = [part for part in (*beside, source) if part]
    return value + (", " if parts == [source] else "; " if parts else "") + "; ".join(parts)


def interval(at: Point, level: str = "") -> str:
    """' [95 %: 0.231, 0.250]', or nothing."""
    if at.low is None or at.high is None:
        return ""
    return f" [{level}{': ' if level else ''}{number(at.low)}, {number(at.high)}]"


def yardstick(rows: Rows, value: float | None) -> list[str]:
    """'seeds differ by 0.110', of a similarity 'between seeds 0.980'; nothing where there is none."""
    if value is None or math.isnan(value):
        return []
    return [f"{_ALIKE if rows.measure.same else _APART} {number(value)}"]


def apart(measure: Measure) -> str:
    """Return the note on the distance between seeds."""
    return f"seeds: mean {measure.title} between two seeds at the same step"


def chance(value: float | None) -> list[str]:
    """'chance 0.930'; nothing where there is none."""
    return [] if value is None or math.isnan(value) else [f"chance {number(value)}"]


def nothing(rows: Rows) -> str:
    """Return the text of an empty picture."""
    if rows.missing and not rows.cells:
        values = "1 value of {} is" if rows.missing == 1 else f"{count(rows.missing)} values of {{}} are"
        return f"{values.format(rows.measure.title)} not computed yet."
    reasons = [r for r in rows.cells if r.value is None]
    if reasons or not rows.cells:
        return f"No value to draw: {_reasons(reasons)}." if reasons else "The selection has no value."
    return f"{count(len(rows.cells))} values have no place in this picture: the table shows them."


def instead(text: str, width: int, height: int, palette: Palette, notes: tuple[str, ...] = ()) -> Picture:
    """Return a text in place of an empty picture."""
    return Picture(tuple(message(text, width, height, palette.text)), "", NOWHERE, notes)
