"""Choose the examples that losses are evaluated on: a fixed sample, the same for every point and checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measures.base import Parameter
from explorer.measures.computation import MeasureError
from explorer.measures.protocols import Corpus, Labels

ALL = "all"
EXAMPLES = Parameter(
    "examples",
    "256",
    "number of labelled examples to evaluate on, a fixed sample that keeps the shares of the labels; or all",
)
_SEED = 0


@dataclass(frozen=True, eq=False)
class SampledLabels:
    """Labels of the chosen examples only (implements ``protocols.Labels``)."""

    level: str
    names: tuple[str, ...]
    values: np.ndarray
    """Label ids as in the annotation; -1 outside the sample."""
    items: np.ndarray | None
    examples: np.ndarray
    """The chosen examples, ascending, int64."""


def sampled(labels: Labels, corpus: Corpus, said: str) -> SampledLabels:
    """Return the labels of a sample of the labelled examples.

    Labels of sentences keep their shares (largest remainders); examples with labelled words are drawn as a whole. The
    sample depends on the labels and its size only.

    Args:
        said: number of examples, or ``all``; more than there are is all of them.

    Raises:
        MeasureError: the number is not a positive whole number, or no example has a label.
    """
    if said != ALL and not (said.isdecimal() and int(said) > 0 and said == str(int(said))):
        raise MeasureError(f"examples: '{said}' is neither a positive number nor {ALL}.")
    values = np.asarray(labels.values)
    counts = np.diff(corpus.word_offsets) if labels.level == "word" else np.ones(len(values), np.int64)
    of_value = np.repeat(np.arange(len(counts)), counts)
    there = np.unique(of_value[values >= 0])
    if not len(there):
        raise MeasureError("No example has a label.")
    chosen = there
    if said != ALL and int(said) < len(there):
        strata = values[there] if labels.level == "sentence" else np.zeros(len(there), np.int64)
        chosen = there[_stratified(np.asarray(strata, np.int64), int(said))]
    kept = np.isin(of_value, chosen)
    return SampledLabels(labels.level, labels.names, np.where(kept, values, -1), labels.items, chosen.astype(np.int64))


def _stratified(strata: np.ndarray, wanted: int) -> np.ndarray:
    """Return ``wanted`` places, ascending, with the shares of the strata [n] as near as whole numbers allow."""
    kinds, sizes = np.unique(strata, return_counts=True)
    exact = sizes * wanted / len(strata)
    many = np.floor(exact).astype(int)
    many[np.argsort(many - exact, kind="stable")[: wanted - many.sum()]] += 1
    draw = np.random.default_rng(_SEED).permutation(len(strata))
    found = [draw[strata[draw] == kind][:size] for kind, size in zip(kinds, many, strict=True)]
    return np.sort(np.concatenate(found))
