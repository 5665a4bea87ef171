"""Stored rows as a store gives them, from a formula: size * (layer / layers)^2 * (1 - e^(-step / 500))."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from explorer.answers.rows import Rows, choose_rows
from explorer.measures.base import Measure
from explorer.measures.declaration import COMPARED, LAYER, REF_LAYER, At, hidden
from explorer.selection import Against, Cell, Pair, Question
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.results import Result

DISTANCE = Measure(
    name="svcca",
    title="SVCCA distance",
    inputs=hidden(*COMPARED),
    axes=(LAYER, REF_LAYER),
    unit="distance",
    low=0.0,
    high=1.0,
    direction="0 = the same subspace, 1 = nothing in common",
    definition="1 - mean canonical correlation",
    source="Raghu et al. 2017",
    cost="n d^2",
    counts="tokens",
    compute=lambda *_: [],
    summary="how far apart",
    symmetric=True,
    floor=1e-6,
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
        layer=layer,
        ref_layer=layer,
        value=value,
        unit="distance",
        n=21340,
        reason=reason,
        computed_at="2026-01-01T00:00:00.000000Z",
        **key._asdict(),
        **{f"ref_{name}": part for name, part in PRETRAINED_KEY._asdict().items()},
    )
    return base._replace(**changes)  # type: ignore[arg-type]


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
    wanted = [Cell.of(Pair(key, PRETRAINED_KEY), At(layer, layer)) for key in keys for layer in layers]
    stored = []
    for key, layer in ((cell.key, cell.layer or 0) for cell in wanted):
        if kept(key, layer):
            number = value(int(key.seed) if key.seed.isdigit() else 0, layer, key.step, max(layers))
            stored.append(result(key, layer, number, reason if number is None else "", **changes))
    parameters = (("tokens", "all"), ("variance", 0.99))
    question = Question(measure, "dev", "", tuple(tasks), (), None, None, Against("pretrained"), parameters, None, "")
    return choose_rows(question, [*stored, *others], wanted)
