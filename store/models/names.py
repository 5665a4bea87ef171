"""Find the module and layer of a weight by its name: BERT, RoBERTa, ELECTRA, DistilBERT, DeBERTa, ALBERT.

Names are those of transformers. ``fit`` finds the prefix before the encoder's own names (``bert.``, ``module.``,
``_orig_mod.``) once and removes it. Old names of layer norms (``gamma``, ``beta``) are translated to the new ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
    CLASSIFIER: (
        "classifier", "pre_classifier", "classification_head", "score", "qa_outputs", "logits_proj", "sequence_summary",
    ),
}  # fmt: skip
_HEAD_OF = {name: module for module, names in _HEADS.items() for name in names}
_PRETRAINING = frozenset((
    "cls", "lm_head", "vocab_projector", "vocab_transform", "vocab_layer_norm", "predictions", "sop_classifier",
    "generator_predictions", "generator_lm_head", "discriminator_predictions", "lm_predictions", "mask_predictions",
    "lm_loss",
))  # fmt: skip
_BUFFERS = frozenset(("position_ids", "token_type_ids", "inv_freq"))
_LAYER = re.compile(r"(?:encoder|transformer)\.layer\.(\d+)\.(.+)")
_GROUP = re.compile(r"encoder\.albert_layer_groups\.(\d+)\.albert_layers\.(\d+)\.(.+)")


class Place(NamedTuple):
    """The place of a weight in a model."""

    name: str
    """Name within the encoder or head, the same for all spellings."""
    module: str
    """Module that the weight belongs to, one of ``MODULES``."""
    layer: int | None
    """Layer of the weight: 0 before the first layer; None for heads and for unknown places."""
    group: bool = False
    """True if ``layer`` is a group of ALBERT, counted from 0, that several layers share."""


@dataclass(frozen=True)
class Fit:
    """The match of the names in a checkpoint's files with those of its encoder."""

    prefix: str
    """Prefix of the encoder's names in the files, with its last dot."""
    written: Mapping[str, str]
    """Name in the files of each weight of the encoder."""
    missing: tuple[str, ...]
    """Weights of the encoder that are not in the files."""
    over: tuple[str, ...]
    """Weights in the files that belong to an encoder, but have no place in this one."""
    heads: tuple[str, ...]
    """Weights in the files outside the encoder that belong to a known head."""
    unknown: tuple[str, ...]
    """Other weights in the files outside the encoder."""

    @property
    def foreign(self) -> bool:
        """Whether so few names match that the files may use an older naming scheme."""
        return len(self.missing) > len(self.written)


def fit(written: Iterable[str], wanted: Iterable[str]) -> Fit:
    """Find the prefix of an encoder's weights in the files, and sort all names.

    Args:
        written: names in the files.
        wanted: names of the encoder's weights. Poolers and buffers may be missing from the files.

    Raises:
        ValueError: the encoder fits under more than one prefix (the message names them).
    """
    there, known = sorted(written), frozenset(wanted)
    needed = frozenset(name for name in known if not is_optional(name))
    found: dict[str, dict[str, str]] = {}
    for one in there:
        for prefix, name in _endings(one, known):
            found.setdefault(prefix, {})[name] = one
    whole = [prefix for prefix, names in found.items() if needed <= names.keys()]
    if len(whole) > 1:
        raise ValueError(f"of more than one encoder, under {' and '.join(repr(prefix) for prefix in sorted(whole))}")
    most = max(found, key=lambda prefix: len(needed & found[prefix].keys()), default="")
    prefix = whole[0] if whole else most
    names = found.get(prefix, {})
    over, heads, unknown = [], [], []
    taken = set(names.values())
    for one in there:
        inner = without(one, prefix)
        if one in taken or _is_buffer(one):
            continue
        if inner.partition(".")[0] in _HEAD_OF.keys() | _PRETRAINING:
            heads.append(one)
        elif one.startswith(prefix) or any(_endings(one, known)):
            over.append(one)
        else:
            unknown.append(one)
    return Fit(prefix, names, tuple(sorted(needed - names.keys())), tuple(over), tuple(heads), tuple(unknown))


def prefixes(written: Iterable[str], wanted: Iterable[str]) -> set[str]:
    """Return each prefix, with its last dot, that at least one wanted name has."""
    known = frozenset(wanted)
    return {prefix for one in written for prefix, _ in _endings(one, known)}


def without(written: str, prefix: str) -> str:
    """Return a name without the encoder's prefix, or, for a head, without the part of the prefix that both share."""
    parts, shared = written.split("."), 0
    for part, before in zip(parts[:-1], prefix.split(".")[:-1], strict=False):
        if part != before:
            break
        shared += 1
    return ".".join(parts[shared:])


def is_optional(name: str) -> bool:
    """Return whether a checkpoint's files may lack a weight: a buffer, or a pooler, which hidden states do not use."""
    return "pooler" in name.split(".") or _is_buffer(name)


def place_of(written: str, prefix: str = "") -> Place | None:
    """Return the place of a weight; None for buffers and the heads of pre-training.

    Args:
        written: name in the file.
        prefix: prefix of the encoder's names, as ``fit`` found it.
    """
    name = _plain(without(written, prefix))
    first = name.partition(".")[0]
    if _is_buffer(name) or first in _PRETRAINING:
        return None
    if first in _HEAD_OF:
        return Place(name, _HEAD_OF[first], None)
    if (layer := _LAYER.match(name)) is not None:
        return Place(name, _module(layer.group(2)), int(layer.group(1)) + 1)
    if (shared := _GROUP.match(name)) is not None:
        return Place(name, _module(shared.group(3)), int(shared.group(1)), group=True)
    if first.startswith("embeddings") or first in ("encoder", "transformer"):
        return Place(name, NORM if ".LayerNorm." in f".{name}" else EMBEDDINGS, 0)
    return Place(name, OTHER, None)


def places(written: Iterable[str], prefix: str = "") -> dict[str, Place]:
    """Return the place of each weight that has one, by its name in the file.

    Args:
        written: names in the file.
        prefix: prefix of the encoder's names, as ``fit`` found it.

    Raises:
        ValueError: two weights have the same place, so one belongs to another model (the message names both).
    """
    found: dict[str, Place] = {}
    names: dict[str, str] = {}
    for one in sorted(written):
        place = place_of(one, prefix)
        if place is None:
            continue
        if place.name in names:
            raise ValueError(f"'{names[place.name]}' and '{one}' are both {place.name}")
        names[place.name] = one
        found[one] = place
    return found


def layers_of_group(group: int, groups: int, layers: int) -> range:
    """Return the layers (from 1) that use a group of shared layers, by ALBERT's rule."""
    uses = [n + 1 for n in range(layers) if n * groups // layers == group]
    return range(uses[0], uses[-1] + 1) if uses else range(0)


def _endings(written: str, wanted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield each split of a name into a prefix (with its last dot) and a wanted name."""
    at = 0
    while at >= 0:
        prefix, name = written[:at], written[at:]
        for ours in dict.fromkeys((name, _plain(name))):
            if ours in wanted:
                yield prefix, ours
                break
        dot = written.find(".", at)
        at = dot + 1 if dot >= 0 else -1


def _is_buffer(name: str) -> bool:
    return name.rpartition(".")[2] in _BUFFERS


def _module(path: str) -> str:
    return _MODULE_OF.get(path.rpartition(".")[0], OTHER)


def _plain(name: str) -> str:
    stem, dot, last = name.rpartition(".")
    return f"{stem}{dot}{ {'gamma': 'weight', 'beta': 'bias'}.get(last, last) }"
