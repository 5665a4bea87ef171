"""The flags that mean the same everywhere: which values, compared with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from explorer.measures import Measure, MeasureError, get
from explorer.selection import Against, Ranges, Selection, default_against
from store.errors import BertdynError

if TYPE_CHECKING:
    from store.store import Store


SELECTING = ("corpus", "task", "seed", "step", "layer", "against", "against_layer")
"""The flags of ``selection_options``, as they reach a command and as ``selections`` takes them."""
_ALL = "0-"


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --corpus, --task, --seed, --step, --layer, --against and --against-layer, under the names of SELECTING."""
    flags = [
        click.option("--corpus", metavar="NAME", help="Corpus; default: every one."),
        click.option("--task", metavar="A,B", help="Tasks; default: all."),
        click.option("--seed", metavar="1,2", help="Seeds; default: all."),
        click.option("--step", metavar="0,20,100-500", help="Steps; default: all."),
        click.option("--layer", metavar="0-6", help="Layers; 0 is the embedding output. Default: all."),
        click.option(
            "--against",
            metavar="WHAT",
            help="pretrained, first, previous, final, seeds (every other seed at the same step), seed:N or "
            "TASK/SEED/STEP. Default: pretrained when the store has it, else first.",
        ),
        click.option(
            "--against-layer",
            metavar="all|0-6",
            help="Compare every layer with these layers of the reference. Default: each layer with itself.",
        ),
    ]
    for flag in reversed(flags):
        command = flag(command)
    return command


def measure_named(name: str) -> Measure:
    """The measure, or a BertdynError that names all."""
    try:
        return get(name)
    except MeasureError as error:
        raise BertdynError(str(error)) from None


def selections(
    store: Store,
    measure: Measure,
    *,
    corpus: str | None = None,
    task: str | None = None,
    seed: str | None = None,
    step: str | None = None,
    layer: str | None = None,
    against: str | None = None,
    against_layer: str | None = None,
    parameters: Mapping[str, object] | None = None,
) -> list[Selection]:
    """One Selection a corpus that the flags name (or every corpus the measure can be computed on).

    Raises:
        BertdynError: an unusable flag, an unknown corpus, no labels where the measure needs them, an empty store.
    """
    try:
        settled = measure.settle(parameters or {})
    except MeasureError as error:
        raise BertdynError(str(error)) from None
    infos = {info.name: info for info in store.corpora()}
    if not infos:
        raise BertdynError(f"{store.path} holds no corpus yet: run 'bertdyn extract' first.")
    if corpus is not None and corpus not in infos:
        raise BertdynError(f"--corpus: the store has no '{corpus}', only {', '.join(infos)}.")
    usable = [i for i in infos.values() if (corpus in (None, i.name)) and (i.labels or not measure.needs_labels)]
    if not usable:
        raise BertdynError(
            f"{measure.name} needs labels, and {f'corpus {corpus!r} has' if corpus else 'the corpora have'} none: "
            "extract one with --label."
        )
    if against is not None and measure.sides == 1:
        raise BertdynError(f"{measure.name} is a value of one checkpoint alone: --against has no meaning for it.")
    if against_layer is not None and not measure.cross_layers:
        raise BertdynError(f"{measure.name} compares no layer with another one: --against-layer has no meaning for it.")
    others = _ALL if against_layer == "all" else against_layer
    chosen = []
    for info in usable:
        keys = [c.key for c in store.checkpoints(info.name)]
        if not keys and corpus is None:
            continue  # a corpus whose extraction has not begun
        compared = Against.parse(against) if against is not None else default_against(keys)
        chosen.append(
            Selection(
                measure=measure.name,
                corpus=info.name,
                tasks=_names(task),
                seeds=_names(seed),
                steps=None if step is None else Ranges.parse(step, "--step"),
                layers=None if layer is None else Ranges.parse(layer, "--layer"),
                against=compared if measure.sides == 2 else None,
                parameters=settled,
                ref_layers=None if others is None else Ranges.parse(others, "--against-layer"),
            )
        )
    if not chosen:
        raise BertdynError(f"{store.path} holds no checkpoint yet: run 'bertdyn extract' first.")
    return chosen


def _names(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(part.strip() for part in text.split(",") if part.strip())
