"""Read a checkpoint's ``config.json``: sizes and class of its encoder, and the names of its weights."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from store.errors import BertdynError
from store.models.quiet import first_line, quiet

CONFIG = "config.json"
_SIZES = ("num_hidden_layers", "num_attention_heads", "hidden_size")


@dataclass(frozen=True)
class Geometry:
    """The sizes that checkpoints must share to be comparable."""

    layers: int
    heads: int
    width: int

    def __str__(self) -> str:
        return f"{self.layers} layers of {self.heads} heads, width {self.width}"


@dataclass(frozen=True, eq=False)
class Skeleton:
    """An encoder without its weights."""

    model_class: Any
    """Class of transformers for the bare encoder."""
    prefix: str
    """Prefix (with its dot) of the encoder's names in models with a head."""
    weights: frozenset[str]
    """Names of its weights and buffers."""
    modules: frozenset[str]
    """Names of its innermost modules."""
    dropped: tuple[str, ...]
    """Patterns of names that older versions saved and that its class ignores on purpose."""


@dataclass(frozen=True, eq=False)
class ModelConfig:
    """A configuration and the facts that follow from it."""

    folder: Path
    """Folder of its ``config.json``."""
    parsed: Any = field(repr=False)
    """The ``PretrainedConfig``."""
    geometry: Geometry
    trained_class: str
    """Name of the trained class, with its head; empty if the configuration does not give it."""

    def skeleton(self) -> Skeleton:
        """Return the encoder's class and the names of its weights, built once for all equal configurations.

        Raises:
            BertdynError: transformers cannot build the encoder.
        """
        try:
            with quiet():
                return _skeleton(_Key(self.parsed))
        except Exception as error:  # any error of the model's class: the configuration is at fault
            raise _unusable(self.folder, error) from None


def read_config(folder: Path) -> ModelConfig:
    """Read the configuration in a folder.

    Raises:
        BertdynError: there is none; transformers does not know it; it needs its own code; or it does not describe an
            encoder.
    """
    from transformers import AutoConfig

    if not (folder / CONFIG).is_file():
        raise BertdynError(f"{folder} has no {CONFIG}.")
    try:
        with quiet():
            parsed = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # ValueError, OSError, KeyError... depending on the fault of the file
        raise _unusable(folder, error) from None
    sizes = [getattr(parsed, name, None) for name in _SIZES]
    if getattr(parsed, "is_encoder_decoder", False) or not all(isinstance(s, int) and s > 0 for s in sizes):
        raise BertdynError(f"{folder}: '{parsed.model_type}' is not an encoder with layers, heads and width like BERT.")
    return ModelConfig(folder, parsed, Geometry(*(int(s) for s in sizes if s is not None)), _trained_class(parsed))


def without_advice(error: Exception) -> str:
    """Return the first line of an error of transformers, without its advice to run code that came with a model."""
    if "trust_remote_code" in str(error):
        return "it needs its own code (auto_map), which bertdyn does not run."
    return first_line(error)


class _Key:
    """A configuration as a cache key: equal to another if all settings are equal."""

    def __init__(self, parsed: Any) -> None:
        self.parsed = parsed
        self._text = f"{type(parsed).__name__} {parsed.to_json_string(use_diff=False)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=16)
def _skeleton(key: _Key) -> Skeleton:
    import torch
    from transformers import AutoModel

    with torch.device("meta"):  # takes no memory
        model = AutoModel.from_config(copy.deepcopy(key.parsed), trust_remote_code=False)
    return Skeleton(
        model_class=type(model),
        prefix=f"{model.base_model_prefix}." if model.base_model_prefix else "",
        weights=frozenset(model.state_dict()),
        modules=frozenset(name for name, module in model.named_modules() if name and not any(module.children())),
        dropped=tuple(getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ()),
    )


def _trained_class(parsed: Any) -> str:
    named = getattr(parsed, "architectures", None)
    first = named[0] if isinstance(named, (list, tuple)) and named else ""
    return first if isinstance(first, str) else ""


def _unusable(folder: Path, error: Exception) -> BertdynError:
    return BertdynError(f"{folder / CONFIG} cannot be used: {without_advice(error)}")


def takes_types(model: Any) -> bool:
    """Return whether a model takes token types."""
    return "token_type_ids" in inspect.signature(model.forward).parameters
