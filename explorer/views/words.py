"""What a view says in words: titles, readings, and what the reader must know before believing the picture."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.measures import Measure
from explorer.render.axes import count, number
from explorer.render.cells import clean
from explorer.selection import Against
from explorer.views.rows import Rows
from store.keys import Result

DOT = " · "


def against(chosen: Against | None) -> str:
    """'from the pre-trained model', and so on; empty for a measure of one checkpoint alone."""
    if chosen is None:
        return ""
    match chosen.kind:
        case "pretrained":
            return "from the pre-trained model"
        case "first":
            return "from the run's first checkpoint"
        case "previous":
            return "from the checkpoint before"
        case "final":
            return "from the run's final checkpoint"
        case "seed":
            return f"from seed {chosen.seed} at the same step"
        case _:
            return f"from {chosen}"


def title(rows: Rows, *where: str) -> str:
    """'SVCCA distance from the pre-trained model · sst2, seed 1'."""
    what = " ".join(part for part in (rows.measure.title, against(rows.selection.against)) if part)
    place = ", ".join(part for part in where if part)
    return clean(what + (DOT + place if place else ""))


def seeds(names: Sequence[str]) -> str:
    """'seed 1', 'mean of seeds 1, 2, 3', 'mean of 12 seeds'."""
    if len(names) == 1:
        return f"seed {names[0]}"
    return f"mean of seeds {', '.join(names)}" if len(names) <= 5 else f"mean of {len(names)} seeds"


def subtitle(rows: Rows, shown: Sequence[Result]) -> str:
    """'probe dev · over 21,340 tokens · 99 % variance': on what, on how much, in which definition."""
    counts = sorted({r.n for r in shown if r.value is not None})
    parts = [f"probe {rows.selection.probe}"]
    if counts:
        span = count(counts[0]) if counts[0] == counts[-1] else f"{count(counts[0])} to {count(counts[-1])}"
        parts.append(f"over {span} {rows.measure.counts}")
    parts += [parameter(name, value) for name, value in rows.selection.parameters]
    return clean(DOT.join(parts))


def parameter(name: str, value: object) -> str:
    """A parameter as a reader says it."""
    if name == "variance" and isinstance(value, (int, float)):
        return f"{100 * value:g} % variance"
    if name == "tokens":
        return {"all": "all tokens", "content": "tokens without special ones", "cls": "[CLS] tokens"}.get(
            str(value), str(value)
        )
    return f"{name} {value}"


def y_name(measure: Measure) -> str:
    """Name and unit of the value axis."""
    plain = measure.unit in ("", "1", "none", "distance") or measure.unit in measure.title
    return measure.title if plain else f"{measure.title} ({measure.unit})"


def notes(rows: Rows, shown: Sequence[Result]) -> tuple[str, ...]:
    """What the reader must know, most important first."""
    said = []
    if rows.missing:
        said.append(f"not computed: {count(rows.missing)} of {count(len(rows.wanted))} values")
    without = [r for r in shown if r.value is None]
    if without:
        said.append(f"! {count(len(without))} of {count(len(shown))} have no value: {_reasons(without)}")
    warned = [r for r in shown if r.value is not None and r.reason]
    if warned:
        said.append(f"! {count(len(warned))} of {count(len(shown))} mean little: {_reasons(warned)}")
    floor = rows.measure.floor
    low = [r for r in shown if r.value is not None and abs(r.value) < floor]
    if floor and low:
        said.append(
            f"{count(len(low))} of {count(len(shown))} values lie below {number(floor, 1)}: noise of the stored float16"
        )
    return tuple(clean(note) for note in said)


def _reasons(rows: Sequence[Result]) -> str:
    reasons: dict[str, int] = {}
    for r in rows:
        reasons[r.reason or "no reason given"] = reasons.get(r.reason or "no reason given", 0) + 1
    most = max(reasons, key=lambda reason: reasons[reason])
    others = len(reasons) - 1
    return most.rstrip(".") + (f" (and {others} other reason{'s' if others > 1 else ''})" if others else "")


def reading(rows: Rows, place: str, result: Result | None) -> str:
    """One stored value in words: 'layer 9, step 800: 0.240, from the pre-trained model'."""
    if result is None:
        return f"{place}: not computed"
    if result.value is None:
        return f"{place}: no value, {result.reason or 'no reason given'}"
    unit = "" if y_name(rows.measure) == rows.measure.title else f" {result.unit}"
    text = f"{place}: {number(result.value)}{unit}"
    source = against(rows.selection.against)
    if source:
        text += f", {source}"
    if rows.measure.floor and abs(result.value) < rows.measure.floor:
        text += "; below the noise of the stored float16"
    return clean(text + (f"; ! {result.reason}" if result.reason else ""))


def nothing(rows: Rows) -> str:
    """What an empty picture says."""
    if rows.missing and not rows.main:
        return f"Nothing computed yet: {count(rows.missing)} values of {rows.measure.title} wait."
    reasons = [r for r in rows.main if r.value is None]
    return f"No value to draw: {_reasons(reasons)}." if reasons else "The selection has no value."
