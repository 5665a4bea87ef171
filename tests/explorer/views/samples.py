"""Stored rows as a store gives them, from a formula: size * (layer / layers)^2 * (1 - e^(-step / 500))."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from explorer.measures.base import Measure
from explorer.selection import Against, Selection
from explorer.views.cells import Place
from explorer.views.rows import Rows, choose_rows
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.results import Result

DISTANCE = Measure(
    name="svcca",
    title="SVCCA distance",
    reads="hidden",
    sides=2,
    unit="distance",
    low=0.0,
    high=1.0,
    direction="0 = the same subspace, 1 = nothing in common",
    definition="1 - mean canonical correlation",
    source="Raghu et al. 2017",
    cost="n d^2",
    counts="tokens",
    compute=lambda *_: [],
    floor=1e-6,
    cross_layers=True,
)


def formula(seed: int, layer: int, step: int, layers: int) -> float:
    """Grows with layers and steps, differs a little between seeds."""
    return (0.4 + 0.03 * seed) * (layer / max(1, layers)) ** 2 * (1 - math.exp(-step / 500))


def result(key: CheckpointKey, layer: int, value: float | None, reason: str = "", **changes: object) -> Result:
    """One row against the pre-trained model."""
    base = Result(
        measure="svcca",
        parameters='{"tokens":"all","variance":0.99}',
        corpus="dev",
        task=key.task,
        seed=key.seed,
        step=key.step,
        layer=layer,
        head=None,
        ref_task=PRETRAINED_KEY.task,
        ref_seed=PRETRAINED_KEY.seed,
        ref_step=0,
        ref_layer=layer,
        example=None,
        query=None,
        statistic="",
        label_a=None,
        label_b=None,
        value=value,
        unit="distance",
        n=21340,
        interval_low=None,
        interval_high=None,
        null_value=None,
        details="{}",
        reason=reason,
        version=1,
        digest="a",
        ref_digest="b",
        computed_at="2026-01-01T00:00:00.000000Z",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def rows(
    seeds: Sequence[str] = ("1",),
    layers: Sequence[int] = range(13),
    steps: Sequence[int] = range(0, 2001, 100),
    tasks: Sequence[str] = ("sst2",),
    value: Callable[[int, int, int, int], float | None] = formula,
    kept: Callable[[CheckpointKey, int], bool] = lambda key, layer: True,
    reason: str = "",
    measure: Measure = DISTANCE,
    others: Sequence[Result] = (),
    **changes: object,
) -> Rows:
    """Rows of a whole selection; ``kept`` says which were computed, ``reason`` goes to rows without a value.

    ``others`` are stored too; ``changes`` are made to every row of the selection.
    """
    keys = [CheckpointKey.plain(task, seed, step) for task in tasks for seed in seeds for step in steps]
    wanted = [Place.of(key, layer, PRETRAINED_KEY, layer) for key in keys for layer in layers]
    stored = []
    for key, layer in ((place.key, place.layer) for place in wanted):
        if kept(key, layer):
            number = value(int(key.seed) if key.seed.isdigit() else 0, layer, key.step, max(layers))
            stored.append(result(key, layer, number, reason if number is None else "", **changes))
    selection = Selection(
        "svcca", "dev", tuple(tasks), against=Against("pretrained"), parameters=(("tokens", "all"), ("variance", 0.99))
    )
    return choose_rows(measure, selection, [*stored, *others], wanted)
