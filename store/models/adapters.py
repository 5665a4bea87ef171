"""Read adapters that peft saved (LoRA and similar) and merge them into the encoder that they were trained on.

Merging needs the extra ``adapters``. Kinds that do more than change the encoder's weights are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from store.errors import BertdynError
from store.models.config import Skeleton
from store.models.files import names_in, read_tensors
from store.models.names import is_optional, prefixes
from store.models.quiet import first_line, quiet

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
"""Names of files with an adapter's weights, in order of preference."""
KINDS = ("LORA", "ADALORA", "IA3", "LOHA", "LOKR", "OFT")
"""Kinds of peft that can be merged into the weights of an encoder."""
_WRAPPED = "base_model.model."
"""Prefix that peft writes before every name."""
_FOREIGN_CODE = "megatron_config"
"""Setting that would make peft import a module named in the file."""
_SHOWN = 3


@dataclass(frozen=True)
class Adapter:
    """The description of an adapter, made without reading its weights."""

    folder: Path
    kind: str
    """Peft's name of its kind, such as ``LORA``."""
    base_name: str
    """Name of the model that it was trained on; empty if its configuration does not give it."""
    files: tuple[Path, ...]
    """Files with its configuration and its weights."""


def is_adapter(folder: Path) -> bool:
    """Return whether a folder holds an adapter or part of one."""
    return any((folder / name).is_file() for name in (ADAPTER_CONFIG, *ADAPTER_WEIGHTS))


def adapter_files(folder: Path) -> tuple[Path, ...]:
    """Return those files of an adapter's configuration and weights that exist."""
    weights = [folder / name for name in ADAPTER_WEIGHTS if (folder / name).is_file()]
    return (folder / ADAPTER_CONFIG, *weights[:1])


def read_adapter(folder: Path) -> Adapter:
    """Return the description of the adapter in a folder.

    Raises:
        BertdynError: a part is missing or cannot be read; the adapter cannot be merged or would run code; peft is not
            installed.
    """
    path = folder / ADAPTER_CONFIG
    files = adapter_files(folder)
    weights = files[-1]
    if len(files) == 1:
        raise BertdynError(f"{folder} has {ADAPTER_CONFIG} but no weights of an adapter: {', '.join(ADAPTER_WEIGHTS)}.")
    if not path.is_file():
        raise BertdynError(f"{folder} has {weights.name}, but no {ADAPTER_CONFIG} that says how it is added.")
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BertdynError(f"{path} cannot be read ({first_line(error)}).") from None
    kind = settings.get("peft_type") if isinstance(settings, dict) else None
    if kind not in KINDS:
        named = f"of kind '{kind}'" if isinstance(kind, str) else "of unknown kind (no peft_type)"
        raise BertdynError(
            f"{folder} holds an adapter {named}, which bertdyn cannot merge into a model: it reads {', '.join(KINDS)} "
            "of peft. Save a merged model instead."
        )
    if settings.get(_FOREIGN_CODE):
        raise BertdynError(f"{path} sets {_FOREIGN_CODE}, which would run code that bertdyn does not run.")
    if find_spec("peft") is None:
        raise BertdynError(
            f"{folder} holds an adapter ({kind}), which needs the extra 'adapters': pip install 'bertdyn[adapters]'. "
            "Or save the model after merge_and_unload()."
        )
    names_in((weights,))
    base = settings.get("base_model_name_or_path")
    return Adapter(folder, kind, base if isinstance(base, str) else "", files)


def merge(adapter: Adapter, encoder: Any, skeleton: Skeleton) -> tuple[dict[str, Any], frozenset[str]]:
    """Merge an adapter into the encoder of its base. Changes the encoder's weights in place.

    Args:
        encoder: the base's encoder.
        skeleton: the encoder's names.

    Returns:
        The weights of task heads in the adapter, by name, and the names of its weights for the encoder.

    Raises:
        BertdynError: the adapter does not fit the encoder: a weight has no place there, is missing, or has a wrong
            shape.
    """
    tensors = read_tensors(adapter.files[1:])
    strangers = [name for name in tensors if not name.startswith(_WRAPPED)]
    if strangers:
        raise BertdynError(f"{adapter.files[1]}: '{strangers[0]}' is not a name that peft gives to weights.")
    names = [name.removeprefix(_WRAPPED) for name in tensors]
    prefix = _prefix(adapter, names, skeleton)
    heads = {name: tensors[_WRAPPED + name] for name in names if not _is_inside(name, prefix, skeleton)}
    own = {_WRAPPED + name: tensors[_WRAPPED + name] for name in names if name not in heads}
    before = encoder.state_dict().keys()
    try:
        with quiet():
            _merge(adapter, encoder, prefix, own)
    except BertdynError:
        raise
    except Exception as error:  # any error of peft or torch: the adapter is at fault
        raise BertdynError(f"The adapter in {adapter.folder} cannot be merged: {first_line(error)}") from None
    if encoder.state_dict().keys() != before:
        raise BertdynError(f"The adapter in {adapter.folder} ({adapter.kind}) leaves parts that cannot be merged.")
    return heads, frozenset(name.removeprefix(_WRAPPED).removeprefix(prefix) for name in own)


def _merge(adapter: Adapter, encoder: Any, prefix: str, own: dict[str, Any]) -> None:
    import peft

    config = peft.PeftConfig.from_pretrained(str(adapter.folder))
    config.task_type = None  # avoid the classes of peft that look for a head
    config.inference_mode = True
    saved = getattr(config, "modules_to_save", None)
    if saved:
        modules = [name for name, _ in encoder.named_modules()]
        config.modules_to_save = [one for one in saved if any(f".{name}".endswith(f".{one}") for name in modules)]
    wrapped = peft.get_peft_model(_contained(encoder, prefix), config)
    needed = peft.get_peft_model_state_dict(wrapped, save_embedding_layers=False).keys()
    # A model with a head may lack the pooler that the bare encoder has.
    missing = sorted(name for name in needed - own.keys() if not is_optional(name))
    if missing:
        raise BertdynError(f"The adapter in {adapter.folder} lacks weights that it must have: {_listed(missing)}.")
    # Whole embeddings may be saved along with the adapter's changes to them.
    over = sorted(own.keys() - needed - wrapped.state_dict().keys())
    if over:
        raise BertdynError(f"The adapter in {adapter.folder} has weights without a place in its base: {_listed(over)}.")
    peft.set_peft_model_state_dict(wrapped, own)
    wrapped.merge_and_unload(safe_merge=True)


def _prefix(adapter: Adapter, names: Iterable[str], skeleton: Skeleton) -> str:
    """Return the prefix of the encoder's modules in the names of the adapter's weights."""
    parts = [name.split(".") for name in names]
    paths = {".".join(one[:stop]) for one in parts for stop in range(1, len(one))}
    found = sorted(prefixes(paths, skeleton.modules))
    if len(found) != 1:
        why = f"it fits under {' and '.join(map(repr, found))}" if found else "it has no weights for a module of it"
        raise BertdynError(f"The adapter in {adapter.folder} does not fit its base: {why}.")
    return found[0]


def _is_inside(name: str, prefix: str, skeleton: Skeleton) -> bool:
    """Return whether a weight of an adapter belongs to the encoder, not to a task head."""
    tops = {module.partition(".")[0] for module in skeleton.modules}
    return name.startswith(prefix) and (bool(prefix) or name.partition(".")[0] in tops)


def _contained(encoder: Any, prefix: str) -> Any:
    """Return the encoder nested in one module per part of its prefix, since peft matches whole paths."""
    from torch import nn

    module = encoder
    for name in reversed(prefix.split(".")[:-1]):
        outer = nn.Module()
        outer.add_module(name, module)
        outer.get_input_embeddings = encoder.get_input_embeddings
        module = outer
    return module


def _listed(names: list[str]) -> str:
    shown = [name.removeprefix(_WRAPPED) for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
