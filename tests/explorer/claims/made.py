"""Made rows and runs, from which claims are judged without a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from explorer.claims.evidence import Evidence, Need, Point, Run, Scope
from explorer.measures.registry import get
from store.keys import PRETRAINED
from store.outputs import Classes
from store.results import Result

HERE = Scope("sst2", "dev", "label")
SENTENCES = Classes("sequence", ("negative", "positive"), "single_label_classification")
WORDS = Classes("token", ("NOUN", "VERB"), "single_label_classification")
SPANS = Classes("span", ("start", "end"), "single_label_classification")


def run(
    seed: str = "1",
    task: str = "sst2",
    steps: Sequence[int] = (0, 20, 40),
    *,
    layers: int = 6,
    variant: str = "",
    kind: str = "",
    k: int | None = None,
    classes: Classes = SENTENCES,
    losses: Sequence[float] = (),
    epochs: float | None = None,
    accuracy: float | None = None,
) -> Run:
    """A run; ``losses`` are those of its steps, ``epochs`` and ``accuracy`` those of the last one."""
    metrics = {} if accuracy is None else {"eval_accuracy": accuracy}
    points = tuple(
        Point(step, epochs, loss, metrics)
        for step, loss in zip(steps, [*losses, *[None] * (len(steps) - len(losses))], strict=True)
    )
    return Run(task, seed, layers, points, variant, kind, k, classes)


def row(need: Need, of: Run | None, value: float | None, **more: object) -> Result:
    """One row of a need: of a run's last checkpoint, or of the pre-trained model."""
    measure = get(need.measure)
    where = (PRETRAINED, "", "0", 0) if of is None else (of.task, of.variant, of.seed, of.last)
    named = dict(zip(("task", "variant", "seed", "step"), where, strict=True))
    labels = "label" if measure.labels is not None else ""
    made = Result(measure.name, corpus="dev" if measure.on_corpus else "", annotation=labels, **named, value=value)
    return made._replace(statistic=need.statistic or measure.main, **more)


def layered(need: Need, of: Run | None, values: Iterable[float], first: int = 1, **more: object) -> list[Result]:
    """Rows of layers, from ``first`` on."""
    return [row(need, of, value, layer=layer, **more) for layer, value in enumerate(values, first)]


def evidence(runs: Sequence[Run], rows: Mapping[Need, Sequence[Result]], scope: Scope = HERE) -> Evidence:
    """What a claim is judged from."""
    return Evidence(scope, tuple(runs), rows)
