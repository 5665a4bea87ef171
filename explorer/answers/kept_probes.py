"""Read the probes that were kept with their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from explorer.measures.probes.kept import KeptProbe, kept_probe
from explorer.measures.probes.models import MODELS
from explorer.selection import Question
from explorer.selection.stored import conditions
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.rows import Is, Not, RowQuery

if TYPE_CHECKING:
    from store.store import Store


def kept_at(store: Store, question: Question, key: CheckpointKey, layer: int) -> KeptProbe:
    """Return the probes of one layer of a checkpoint.

    Args:
        question: a question for the measure probe.

    Raises:
        BertdynError: they were not kept, or there is no such layer.
    """
    layers = store.checkpoint(question.corpus, key).layers
    if not 0 <= layer <= layers:
        raise BertdynError(f"{key} has layers 0 to {layers}, but no {layer}.")
    where = (
        *conditions(question, (key.recipe,)),
        *(Is("seed", key.seed), Is("step", key.step), Is("layer", layer)),
        *(Is("statistic", question.measure.main), Not(Is("artefact", ""))),
    )
    found = store.result_columns(RowQuery(where, ("artefact", "details")))
    kept = [name for name, details in found if json.loads(details).get("trust", {}).get("keep")]
    if not kept:
        usual = {p.name: p.default for p in question.measure.parameters}
        chosen = {
            "corpus": question.corpus, "annotation": question.annotation, "task": key.recipe, "seed": key.seed,
            "step": key.step, **{name: value for name, value in question.parameters if value != usual[name]},
        }  # fmt: skip
        flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in chosen.items())
        raise BertdynError(
            f"The probes of {key} were not kept: 'bertdyn compute {question.measure.name} {store.path.name} {flags} "
            "--keep' stores them."
        )
    model = MODELS[str(dict(question.parameters)["model"])]
    names = store.corpus(question.corpus).annotations[question.annotation].names
    return kept_probe(store.artefact(kept[0]), layer, model, names)
