"""Flags that all commands share: the selection of values and their reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from explorer.measures import Measure, MeasureError, Uncertainty
from explorer.measures.registry import get
from explorer.selection import Against, Question, Ranges, Selection, ask, list_store
from explorer.selection.question import NO_TRUST, fitting
from store.errors import BertdynError

if TYPE_CHECKING:
    from store.keys import CorpusInfo
    from store.store import Store


SELECTING = ("corpus", "annotation", "task", "seed", "step", "layer", "against", "against_layer", "detail")
"""Names of the flags of ``selection_options``, as arguments of a command and of ``questions``."""
_ALL = "0-"


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags that select values, under the names in SELECTING."""
    flags = [
        click.option("--corpus", metavar="A,B", help="Corpora; default: all."),
        click.option("--annotation", metavar="A,B", help="Labels that the measure reads; default: the only ones."),
        click.option("--task", metavar="A,B", help="Tasks, each TASK or TASK+VARIANT; default: all."),
        click.option("--seed", metavar="1,2", help="Seeds; default: all."),
        click.option("--step", metavar="0,20,100-500", help="Steps; default: all."),
        click.option("--layer", metavar="0-6", help="Layers; 0 is the embedding output. Default: all."),
        click.option(
            "--against",
            metavar="WHAT",
            help="pretrained, first, previous, final, plain (the same task, seed and step without a variant), seeds "
            "(every other seed at the same step), next-seed (the one after its own), seed:N, task:NAME (the same seed "
            "and step of another task) or "
            "TASK[+VARIANT]/SEED/STEP. Default: the measure's own, mostly pretrained if the store has it, else first.",
        ),
        click.option(
            "--against-layer",
            metavar="all|0-6",
            help="Compare every layer with these layers of the reference. Default: each layer with itself.",
        ),
        click.option(
            "--detail",
            metavar="example|query",
            help="Also list rows of single examples or of single query tokens, if the measure has them.",
        ),
    ]
    for flag in reversed(flags):
        command = flag(command)
    return command


def measure_named(name: str) -> Measure:
    """Return the measure of that name.

    Raises:
        BertdynError: there is none (the message lists all names).
    """
    try:
        return get(name)
    except MeasureError as error:
        raise BertdynError(str(error)) from None


def questions(
    store: Store,
    measure: Measure,
    *,
    corpus: str | None = None,
    annotation: str | None = None,
    task: str | None = None,
    seed: str | None = None,
    step: str | None = None,
    layer: str | None = None,
    against: str | None = None,
    against_layer: str | None = None,
    detail: str | None = None,
    parameters: Mapping[str, object] | None = None,
    trust: Uncertainty = NO_TRUST,
) -> list[Question]:
    """Return one question per corpus: those in the flags, or every corpus on which the measure can be computed.

    Of several annotations in the flags, each corpus has one question for each that it has.

    Raises:
        BertdynError: a flag is not valid, the corpus is unknown, needed labels are missing, or the store is empty.
    """
    listing = list_store(store)
    others = _ALL if against_layer == "all" else against_layer
    chosen = Selection(
        measure=measure.name,
        tasks=_names(task, "--task"),
        seeds=_names(seed, "--seed"),
        steps=None if step is None else Ranges.parse(step, "--step"),
        layers=None if layer is None else Ranges.parse(layer, "--layer"),
        against=None if against is None else Against.parse(against),
        parameters=tuple(sorted((parameters or {}).items())),
        ref_layers=None if others is None else Ranges.parse(others, "--against-layer"),
        detail=detail or "",
    )
    labels = _names(annotation, "--annotation") or ("",)
    settled = corpus is not None or not listing.corpora or not measure.on_corpus
    if settled:
        names = _names(corpus, "--corpus") or ("",)
    else:
        names = tuple(info.name for info in listing.corpora if any(_readable(measure, info, one) for one in labels))
        names = names or (listing.corpora[0].name,)
    pairs = [(name, one) for name in names for one in labels]
    if len(labels) > 1:
        has = {info.name: {one.name for one in info.annotations} for info in listing.corpora}
        pairs = [(name, one) for name, one in pairs if one in has.get(name, ())] or pairs
    asked = [ask(replace(chosen, corpus=name, annotation=one), measure, listing, trust) for name, one in pairs]
    if settled:
        return asked
    begun = [question for question in asked if listing.of(question.corpus)]  # on other corpora nothing is extracted yet
    if not begun:
        raise BertdynError(f"{store.path} holds no checkpoint yet: run 'bertdyn extract' first.")
    return begun


def _readable(measure: Measure, corpus: CorpusInfo, annotation: str) -> bool:
    """Return whether a corpus has the labels that the measure reads."""
    if measure.labels is None:
        return True
    return corpus.annotation(annotation) is not None if annotation else bool(fitting(measure, corpus))


def _names(text: str | None, flag: str) -> tuple[str, ...]:
    names = () if text is None else tuple(part.strip() for part in text.split(",") if part.strip())
    if text is not None and not names:
        raise BertdynError(f"{flag} '{text}' names nothing: leave out the flag to select all.")
    return names
