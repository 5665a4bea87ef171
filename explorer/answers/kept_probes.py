"""Read the probes that were kept with their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from explorer.selection import Question
from explorer.selection.stored import conditions
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.rows import Is, Not, RowQuery

if TYPE_CHECKING:
    from store.store import Store


def kept_at(store: Store, question: Question, key: CheckpointKey, layer: int) -> object:
    """Return the probes of one layer of a checkpoint, as the measure restores them.

    Raises:
        BertdynError: the measure keeps none, they were not kept, or there is no such layer.
    """
    measure = question.measure
    if measure.restore is None:
        raise BertdynError(f"{measure.name} keeps no probes.")
    layers = store.checkpoint(question.corpus, key).layers
    if not 0 <= layer <= layers:
        raise BertdynError(f"{key} has layers 0 to {layers}, but no {layer}.")
    where = (
        *conditions(question, (key.recipe,)),
        *(Is("seed", key.seed), Is("step", key.step)),
        *(Is("statistic", measure.main), Not(Is("artefact", ""))),
    )
    rows = store.result_columns(RowQuery(where, ("layer", "artefact", "details")))
    kept = {at: name for at, name, details in rows if json.loads(details).get("trust", {}).get("keep")}
    if not kept:
        usual = {p.name: p.default for p in measure.parameters}
        chosen = {
            "corpus": question.corpus, "annotation": question.annotation, "task": key.recipe, "seed": key.seed,
            "step": key.step, **{name: value for name, value in question.parameters if value != usual[name]},
        }  # fmt: skip
        flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in chosen.items())
        raise BertdynError(
            f"The probes of {key} were not kept: 'bertdyn compute {measure.name} {store.path.name} {flags} "
            "--keep' stores them."
        )
    if layer not in kept:
        there = ", ".join(map(str, sorted(kept)))
        raise BertdynError(f"{key} has no {measure.name} of layer {layer} with these parameters, only of {there}.")
    names = store.corpus(question.corpus).annotations[question.annotation].names
    return measure.restore(store.artefact(kept[layer]), layer, dict(question.parameters), names)
