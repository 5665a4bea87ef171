"""Go from one picture to another: through a finding, a row of a table, or deeper into what is pointed at. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from explorer.answers.findings import Door
from explorer.ui.catalogue import Catalogue
from explorer.ui.modes import HEAD, LAYER, MODES, STEP, Mode, Variant
from explorer.ui.state import State, compared, looking, settled
from explorer.views.base import Cursor
from explorer.views.kinds import VIEWS
from store.errors import BertdynError


def through(door: Door, state: State, catalogue: Catalogue) -> State:
    """Return the state that shows what a door opens.

    Raises:
        BertdynError: no mode shows its view.
    """
    mode, place = picture_of(door.view, door.part)
    variants = {**dict(state.variants), mode.name: place}
    measure = door.measure if door.measure and catalogue.measure(door.measure) is not None else state.measure
    new = replace(
        state,
        mode=mode.name,
        variants=tuple(variants.items()),
        measure=measure,
        annotation=door.annotation or state.annotation,
        tasks=door.tasks or state.tasks,
    )
    if door.against:
        new = compared(new, door.against)
    new = settled(new, catalogue)
    at = {STEP: door.step, LAYER: door.layer, HEAD: door.head or None}
    look = replace(new.look, changed=door.changed, example=-1 if door.changed else new.look.example)
    look = replace(look, layer=look.layer if door.layer is None else door.layer, head=door.head or look.head)
    return _pointing(replace(new, look=look), new.variant, at)


def to_place(name: str, place: int, state: State, catalogue: Catalogue) -> State:
    """Return the state that points at a step, layer or head in all views; views of a single one show that one.

    Args:
        name: the axis: step, layer or head.

    Raises:
        BertdynError: no checkpoint has such a place.
    """
    steps = sorted({key.step for key in catalogue.of(state.corpus)})
    ends = {STEP: (steps[0], steps[-1]) if steps else (0, 0), LAYER: (0, catalogue.layers), HEAD: (1, catalogue.heads)}
    low, high = ends[name]
    if not low <= place <= high:
        raise BertdynError(f"There is no {name} {place:,}, only {low:,} to {high:,}.")
    return replace(state, look=looking(state.look, name, place)).pointing_at(name, place)


def deeper(state: State, catalogue: Catalogue, at: Mapping[str, int]) -> State | None:
    """Return the state that shows what is inside the place that is pointed at; None where nothing is.

    Args:
        at: step, layer and head that are pointed at, as far as they are.
    """
    measure = catalogue.measure(state.measured)
    if measure is None:
        return None
    for view, part, axis in state.variant.inside:
        kind = VIEWS[view]
        if (axis and measure.axis(axis) is None) or (kind.measure or measure.name) != measure.name:
            continue
        if not kind.refusal(measure):
            example = view == "example"
            door = Door(view, part, step=at.get(STEP), layer=at.get(LAYER), head=at.get(HEAD, 0), changed=example)
            return through(door, state, catalogue)
    return None


def of_row(columns: Sequence[str], values: Sequence[object], catalogue: Catalogue) -> Door | None:
    """Return the door of a row of a table or of an SQL answer; None if it names neither measure nor task.

    Columns that matter: measure, task (with variant), seed, step, layer, head, annotation.
    """
    row = {name: value for name, value in zip(columns, values, strict=False) if value is not None}
    measure, task = str(row.get("measure", "")), str(row.get("task", ""))
    variant = str(row.get("variant", ""))
    task = f"{task}+{variant}" if variant and "+" not in task else task
    if catalogue.measure(measure) is None and not task:
        return None
    numbers = {name: value for name in (STEP, LAYER, HEAD) if isinstance(value := row.get(name), int)}
    return Door(
        "curves",
        "head" if HEAD in numbers else "layer",
        measure if catalogue.measure(measure) is not None else "",
        str(row.get("annotation", "")),
        (task,) if task else (),
        step=numbers.get(STEP),
        layer=numbers.get(LAYER),
        head=numbers.get(HEAD, 0),
    )


def picture_of(view: str, part: str) -> tuple[Mode, int]:
    """Return the mode and the number of the variant that show a part of a view (empty: its first).

    Raises:
        BertdynError: there is none.
    """
    for mode in MODES.values():
        for place, variant in enumerate(mode.variants):
            if (variant.view or mode.name) == view and part in ("", variant.part):
                return mode, place
    raise BertdynError(f"No picture shows {view} {part}".rstrip() + ".")


def _pointing(state: State, variant: Variant, at: Mapping[str, int | None]) -> State:
    """Return the state with its cursor at a step, layer and head, along the axes that the variant has."""
    x, y = variant.meaning
    cursor = state.cursor
    places = [
        known if name and (known := at.get(name)) is not None else old for name, old in ((x, cursor.x), (y, cursor.y))
    ]
    if variant.downwards:
        return state
    return state.pointing(Cursor(*places), variant.axes)
