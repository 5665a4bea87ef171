"""Make functions of plain arrays from the registry of measures. A measure that is added there appears here by itself.

``bertdyn.svcca(X, Y)`` takes hidden states [n, d], one row per token. ``bertdyn.js(A, B)`` takes attentions
[heads, q, k] of one example, or a list of such arrays. ``bertdyn.clusters(X, labels)`` takes one label per row.

The arrays take the place of the store's arrays. The same code computes, so the values equal those of ``runs.compute``.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from bertdyn.corpora import corpus_of, labels_of
from bertdyn.inputs import PLAIN_INPUTS
from bertdyn.measured import Measured
from bertdyn.options import argument_names, uncertainty
from bertdyn.refusals import refusals
from explorer.commands.parameters import parameter_help
from explorer.compute.trust import stamp
from explorer.compute.worker import resolve_device
from explorer.measures import Context, Given, Measure, Parameter
from explorer.measures.declaration import once
from explorer.measures.registry import all_measures
from explorer.selection.question import check_extras
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.measures.protocols import Corpus

_OPTIONS = {
    "examples": "which rows belong to one example: the number of tokens of each example, bertdyn.Examples, or what "
    "runs.corpus() returns. Default: each attention array is one example, each row of hidden states or logits is one.",
    "classes": "names of the columns of logits, or what runs.classes() returns.",
    "detail": "the finest rows to return: {details}.",
    "null": "number of null draws; the mean of their values is the chance level. Each draw permutes {null}.",
    "interval": "also compute an interval over whole examples: {intervals}.",
    "level": "level of the interval.",
    "resamples": "number of bootstrap resamples.",
    "device": "where to compute: auto, cpu, cuda.",
}
"""Arguments beside a measure's own parameters, with their descriptions."""
_LABELS = {
    "class": "one class per {levels}: numbers (negative: no label) or texts",
    "number": "one number per {levels} (NaN: no label)",
    "tree": "the position of each word's head among all words (-1: a root, -2: none)",
}
"""Descriptions of plain labels, by the kind of labels that a measure reads."""
_WIDTH = 100
"""Width in characters of the text that ``help`` prints."""


def names() -> list[str]:
    """Return the names of the functions of all measures that can be computed from arrays."""
    return [_function_name(measure) for measure in all_measures() if not refusal(measure)]


def function_named(name: str) -> Callable[..., Measured] | None:
    """Return the function of a measure; None if there is no measure with that name."""
    found = next((measure for measure in all_measures() if _function_name(measure) == name), None)
    return None if found is None else function(found)


def _function_name(measure: Measure) -> str:
    return measure.name.replace("-", "_")


def refusal(measure: Measure) -> str:
    """Return why a measure cannot be computed from arrays; empty if it can."""
    instead = f"open a store and call runs.compute('{measure.name}')."
    for one in measure.reads:
        if one.kind not in PLAIN_INPUTS:
            return f"{measure.name} reads {one.title}, which cannot be given as arrays: {instead}"
    if measure.cells not in (None, once):
        return f"{measure.name} is computed in several rounds, which is not possible with arrays: {instead}"
    return ""


@dataclass(frozen=True)
class Argument:
    """An argument that takes arrays: one input of one operand of a measure."""

    name: str
    role: str
    kind: str
    """Kind of the input."""
    depth: int
    """Number of sequences nested around the arrays of one layer: 1 for checkpoints or layers, 2 for both."""
    words: str
    """Description of the argument."""

    def each(self, given: Any, make: Callable[[Any], object], depth: int | None = None) -> Any:
        """Apply a function to the arrays of each layer; return the results in tuples nested in the same way.

        Raises:
            BertdynError: several layers or checkpoints are needed, and ``given`` is not a sequence or is empty.
        """
        depth = self.depth if depth is None else depth
        if not depth:
            return make(given)
        if depth == 1 and PLAIN_INPUTS[self.kind].one_layer(given):
            given = (given,)
        if not hasattr(given, "__len__") or not len(given):
            raise BertdynError(f"{self.name}: a sequence is needed, {self.words}.")
        return tuple(self.each(part, make, depth - 1) for part in given)


def arguments_of(measure: Measure) -> tuple[Argument, ...]:
    """Return the arguments that take the arrays of a measure's operands. Inputs that are files have no argument."""
    found: list[Argument] = []
    for operand in measure.operands:
        for one in measure.inputs:
            plain = PLAIN_INPUTS.get(one.kind)
            if one.role != operand.role or plain is None:
                continue
            words = plain.words
            whole = plain.layered and (measure.layers is None or measure.layers.within)
            if whole:
                words = f"for each layer, the embedding output first: {words}"
            if operand.path:
                words = f"for each checkpoint of the run, in order: {words}"
            before = sum(other.kind == one.kind for other in found)
            found.append(Argument(plain.names[before], operand.role, one.kind, whole + operand.path, words))
    return tuple(found)


@cache
def function(measure: Measure) -> Callable[..., Measured]:
    """Return a measure as a function of arrays, with a signature and a docstring of its own."""
    arrays = [one.name for one in arguments_of(measure)] + ["labels"] * (measure.labels is not None)
    parameters = argument_names(measure, (*arrays, *_OPTIONS))
    by_place = inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in arrays])

    def compute(*args: object, **options: Any) -> Measured:
        if why := refusal(measure):
            raise BertdynError(why)
        own = {name: options.pop(name) for name in _OPTIONS if name in options}
        named = {name: options.pop(name) for name in arrays if name in options}
        try:
            given = by_place.bind(*args, **named).arguments
        except TypeError as error:
            raise TypeError(f"{compute.__name__}() {error}") from None
        return _computed(measure, given, {parameters.get(name, name): value for name, value in options.items()}, **own)

    compute.__name__ = compute.__qualname__ = _function_name(measure)
    compute.__module__ = "bertdyn"
    compute.__doc__ = _docstring(measure, parameters)
    keywords = {name: p.default for name, p in _declared(measure, parameters).items()} | _options(measure)
    compute.__signature__ = by_place.replace(  # type: ignore[attr-defined]
        parameters=[
            *by_place.parameters.values(),
            *(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=each) for name, each in keywords.items()),
        ]
    )
    return compute


def _computed(
    measure: Measure,
    given: Mapping[str, object],
    chosen: Mapping[str, object],
    *,
    examples: object = None,
    classes: object = None,
    detail: str = "",
    device: str = "auto",
    **uncertain: Any,
) -> Measured:
    trust = uncertainty(**uncertain)
    check_extras(measure, detail, trust)
    with refusals():
        settled = dict(measure.settle(chosen))
        arguments = arguments_of(measure)
        arrays = {one.name: one.each(given[one.name], partial(_arrays, one)) for one in arguments}
        corpus = corpus_of(examples, _lengths(arguments[0], arrays[arguments[0].name]))
        operands: dict[str, dict[str, object]] = {operand.role: {} for operand in measure.operands}
        for one in arguments:
            operands[one.role][one.kind] = one.each(arrays[one.name], partial(_read, one, corpus, classes))
        needs = measure.labels
        labels = None if needs is None else labels_of(given["labels"], corpus, needs, measure.name)
        context = Context(resolve_device(device), trust=trust, detail=detail)
        values = measure.compute(Given(corpus, operands, labels), settled, context)
    return Measured(measure, values, stamp(trust, detail), measure.key(settled))


def _arrays(argument: Argument, given: object) -> Any:
    return PLAIN_INPUTS[argument.kind].arrays(given, argument.name)


def _lengths(argument: Argument, arrays: Any) -> Sequence[int]:
    """Return the number of tokens of each example, read from the first arrays of an argument."""
    for _ in range(argument.depth):
        arrays = arrays[0]
    return PLAIN_INPUTS[argument.kind].lengths(arrays)


def _read(argument: Argument, corpus: Corpus, classes: object, arrays: Any) -> object:
    return PLAIN_INPUTS[argument.kind].read(arrays, argument.name, corpus, classes)


def _declared(measure: Measure, parameters: Mapping[str, str]) -> dict[str, Parameter]:
    """Return the parameters of a measure by the names of their arguments."""
    known = {p.name: p for p in measure.parameters}
    return {name: known[declared] for name, declared in parameters.items()}


def _options(measure: Measure) -> dict[str, object]:
    """Return those of ``_OPTIONS`` that apply to a measure, with their defaults."""
    usual = inspect.signature(uncertainty).parameters | inspect.signature(_computed).parameters
    fits = {
        "classes": any(one.kind == "logits" for one in measure.reads),
        "detail": bool(measure.details),
        "null": bool(measure.null),
        **dict.fromkeys(("interval", "level", "resamples"), bool(measure.intervals)),
    }
    return {name: usual[name].default for name in _OPTIONS if fits.get(name, True) and not refusal(measure)}


def _docstring(measure: Measure, parameters: Mapping[str, str]) -> str:
    """Return the text that ``help`` prints for a measure."""
    told = {one.name: f"{one.words}." for one in arguments_of(measure)}
    if measure.labels is not None:
        levels = " or ".join(measure.labels.levels)
        told["labels"] = f"{_LABELS[measure.labels.of]}, or what runs.annotation() returns.".format(levels=levels)
    told |= {name: f"{parameter_help(p)}." for name, p in _declared(measure, parameters).items()}
    there = _options(measure)
    of_measure = {
        "details": " or ".join(measure.details),
        "intervals": " or ".join(measure.intervals),
        "null": measure.null,
    }
    told |= {name: words.format_map(of_measure) for name, words in _OPTIONS.items() if name in there}
    parts = [
        f"{measure.title}: {measure.direction}.",
        measure.definition,
        "Args:\n" + "\n".join(_wrapped(f"{name}: {words}", "    ", "        ") for name, words in told.items()),
        f"Returns:\n{_wrapped(f'The value in {measure.unit} (n: number of {measure.counts}), and all rows.', '    ')}",
        "Raises:\n    BertdynError: the arrays do not fit the measure or each other.",
        f"Source: {measure.source}",
    ]
    if why := refusal(measure):
        parts[2:5] = [why]
    return "\n\n".join(part if part.startswith(("Args", "Returns", "Raises")) else _wrapped(part) for part in parts)


def _wrapped(text: str, first: str = "", others: str | None = None) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=first if others is None else others)
