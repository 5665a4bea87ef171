"""Where a weight belongs in an encoder, by its name in the file: BERT, RoBERTa, ELECTRA, DistilBERT, DeBERTa, ALBERT.

Names are those of transformers. What stands before the encoder's own part (``bert.``, ``module.``, ``_orig_mod.``)
does not matter, and old names of layer norms (``gamma``, ``beta``) are the new ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

EMBEDDINGS, POOLER, CLASSIFIER, NORM, OTHER = "embeddings", "pooler", "classifier", "layer-norm", "other"
MODULES = (
    EMBEDDINGS, "query", "key", "value", "attention-output", "mlp-in", "mlp-out", NORM, OTHER, POOLER, CLASSIFIER,
)  # fmt: skip
"""Every module that a weight can belong to, in the order of the forward pass."""

_PATHS = {
    "query": ("attention.self.query", "attention.self.query_proj", "attention.q_lin", "attention.query"),
    "key": ("attention.self.key", "attention.self.key_proj", "attention.k_lin", "attention.key"),
    "value": ("attention.self.value", "attention.self.value_proj", "attention.v_lin", "attention.value"),
    "attention-output": ("attention.output.dense", "attention.out_lin", "attention.dense"),
    "mlp-in": ("intermediate.dense", "ffn.lin1", "ffn"),
    "mlp-out": ("output.dense", "ffn.lin2", "ffn_output"),
    NORM: (
        "attention.output.LayerNorm", "output.LayerNorm", "sa_layer_norm", "output_layer_norm", "attention.LayerNorm",
        "full_layer_layer_norm",
    ),
}  # fmt: skip
_MODULE_OF = {path: module for module, paths in _PATHS.items() for path in paths}
_HEADS = {
    POOLER: ("pooler",),
    CLASSIFIER: ("classifier", "pre_classifier", "classification_head", "score", "qa_outputs"),
}
_HEAD_OF = {name: module for module, names in _HEADS.items() for name in names}
_PRETRAINING = frozenset((
    "cls", "lm_head", "vocab_projector", "vocab_transform", "vocab_layer_norm", "predictions", "sop_classifier",
    "generator_predictions", "generator_lm_head", "discriminator_predictions", "lm_predictions", "mask_predictions",
))  # fmt: skip
_BUFFERS = frozenset(("position_ids", "token_type_ids"))
_LAYER = re.compile(r"(?:encoder|transformer)\.layer\.(\d+)\.(.+)")
_GROUP = re.compile(r"encoder\.albert_layer_groups\.(\d+)\.albert_layers\.(\d+)\.(.+)")
_ENCODER = re.compile(
    r"(?:^|\.)((?:embeddings|embeddings_project|encoder|transformer"
    rf"|{'|'.join(sorted(_HEAD_OF))}|{'|'.join(sorted(_PRETRAINING))})\..+)"
)


class Place(NamedTuple):
    """Where a weight belongs."""

    name: str
    """Its name within the encoder or head, the same for every spelling of it."""
    module: str
    """One of ``MODULES``."""
    layer: int | None
    """0 for what comes before the first layer; None for the heads and for what has no known place."""
    group: bool = False
    """``layer`` is a group of ALBERT, counted from 0, which several layers share."""


def place_of(written: str) -> Place | None:
    """Return where a weight belongs; None for buffers and the heads of pre-training.

    Args:
        written: its name in the file.
    """
    found = _ENCODER.search(written)
    name = _plain(written if found is None else found.group(1))
    first = name.partition(".")[0]
    if name.rpartition(".")[2] in _BUFFERS or first in _PRETRAINING:
        return None
    if first in _HEAD_OF:
        return Place(name, _HEAD_OF[first], None)
    if (layer := _LAYER.match(name)) is not None:
        return Place(name, _module(layer.group(2)), int(layer.group(1)) + 1)
    if (shared := _GROUP.match(name)) is not None:
        return Place(name, _module(shared.group(3)), int(shared.group(1)), group=True)
    if first.startswith("embeddings") or (found is not None and first in ("encoder", "transformer")):
        return Place(name, NORM if ".LayerNorm." in f".{name}" else EMBEDDINGS, 0)
    return Place(name, OTHER, None)


def places(written: Iterable[str]) -> dict[str, Place]:
    """Return the place of each weight of a file that has one, by its name there.

    Raises:
        ValueError: two weights have the same place, so that one of them belongs to another model; names both.
    """
    found: dict[str, Place] = {}
    names: dict[str, str] = {}
    for one in sorted(written):
        place = place_of(one)
        if place is None:
            continue
        if place.name in names:
            raise ValueError(f"'{names[place.name]}' and '{one}' are both {place.name}")
        names[place.name] = one
        found[one] = place
    return found


def layers_of_group(group: int, groups: int, layers: int) -> range:
    """Return the layers (from 1) that use a group of shared layers, as ALBERT deals them out."""
    uses = [n + 1 for n in range(layers) if n * groups // layers == group]
    return range(uses[0], uses[-1] + 1) if uses else range(0)


def _module(path: str) -> str:
    return _MODULE_OF.get(path.rpartition(".")[0], OTHER)


def _plain(name: str) -> str:
    stem, dot, last = name.rpartition(".")
    return f"{stem}{dot}{ {'gamma': 'weight', 'beta': 'bias'}.get(last, last) }"
