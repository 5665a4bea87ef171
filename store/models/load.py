"""Load a checkpoint's encoder safely: only local files, no code that came with it, and no weight unaccounted for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import BertdynError
from store.keys import Corpus
from store.models.adapters import Adapter, is_adapter, merge, read_adapter
from store.models.config import CONFIG, Geometry, ModelConfig, Skeleton, read_config, takes_types, without_advice
from store.models.files import names_in, present_files, read_tensors, weight_files
from store.models.names import Fit, fit, is_optional, without
from store.models.quiet import quiet

_SHOWN = 3
"""Number of weights that a message names."""


@dataclass(frozen=True, eq=False)
class ModelFiles:
    """The files of a checkpoint's model and how to read them, found without reading the weights."""

    folder: Path
    config: ModelConfig
    weights: tuple[Path, ...]
    """Files with the encoder's weights; for an adapter, those of its base."""
    prefix: str
    """Prefix of the encoder's names in these files."""
    adapter: Adapter | None = None
    notes: tuple[str, ...] = ()
    """Notes to the user about the reading."""

    @property
    def geometry(self) -> Geometry:
        """Layers, heads and width of the encoder."""
        return self.config.geometry

    @property
    def files(self) -> tuple[Path, ...]:
        """All files on which the values depend; the digest of the weights covers them."""
        return self.weights + (self.adapter.files if self.adapter is not None else ())

    @property
    def base(self) -> Path | None:
        """Folder of an adapter's base; None if the checkpoint is a whole model."""
        return self.weights[0].parent if self.adapter is not None else None


@dataclass(frozen=True, eq=False)
class Encoder:
    """A loaded model in evaluation mode, float32, with eager attention."""

    model: Any
    geometry: Geometry
    device: Any
    folder: Path
    model_class: str
    """Name of the trained class (with its head), from the configuration."""
    pad: int
    takes_types: bool
    heads: Mapping[str, Any]
    """Weights outside the encoder by name, without a wrapper's prefix; for an adapter, those in its files."""
    absent: frozenset[str]
    """Names of weights that no file has and that are random numbers: a pooler's, which hidden states do not use."""


def look(folder: Path, reference: Path | None = None) -> ModelFiles:
    """Inspect the files of a checkpoint and decide how to read its model, without reading the weights.

    Args:
        folder: folder of the checkpoint.
        reference: folder of the pre-trained model. It is the base of an adapter, and its configuration is used for a
            checkpoint that has none.

    Raises:
        BertdynError: there are no weights, or they must be converted first; a file is truncated, of another format, or
            holds pickled code; there is no configuration of an encoder that transformers knows; weights of the encoder
            are missing, left over, or of more than one encoder; an adapter has no base or cannot be merged.
    """
    if is_adapter(folder):
        return _look_at_adapter(read_adapter(folder), reference)
    weights = present_files(folder)
    names = names_in(weights)
    notes: list[str] = []
    if not (folder / CONFIG).is_file():
        if reference is None or reference == folder:
            raise BertdynError(
                f"{folder} has no {CONFIG}: give the pre-trained model with --reference; its configuration is then "
                "used."
            )
        config = read_config(reference)
        notes.append(f"no {CONFIG}: that of the reference {reference} is used")
    else:
        config = read_config(folder)
    skeleton = config.skeleton()
    fits = _fitted(folder, names, skeleton)
    prefix = "" if fits.foreign else fits.prefix
    if prefix not in ("", skeleton.prefix):
        notes.append(f"weights read under the prefix '{prefix}'")
    if fits.unknown and not fits.foreign:
        notes.append(f"left over beside the encoder: {_listed(fits.unknown)}")
    return ModelFiles(folder, config, weights, prefix, None, tuple(notes))


def load(model: ModelFiles, device: Any) -> Encoder:
    """Load the encoder of a checkpoint without its task head; an adapter is merged into its base.

    Raises:
        BertdynError: as ``look``; a weight has another shape than the configuration says (poolers excepted, since
            hidden states do not use them); weights in an adapter's folder differ from those of its base; the model
            cannot run with eager attention.
    """
    config = model.config
    encoder, heads, absent = _built(model)
    if model.adapter is not None:
        _check_beside(model, encoder)
        heads, brought = merge(model.adapter, encoder, config.skeleton())
        absent -= brought
    encoder = encoder.to(device).eval()
    if getattr(encoder.config, "_attn_implementation", "eager") != "eager":
        name = type(encoder).__name__
        raise BertdynError(f"{name} in {model.folder} cannot be run with eager attention: no attention maps.")
    pad = getattr(config.parsed, "pad_token_id", None)
    own = config.trained_class if config.folder == model.folder else ""
    return Encoder(
        model=encoder,
        geometry=model.geometry,
        device=device,
        folder=model.folder,
        model_class=own or type(encoder).__name__,
        pad=pad if isinstance(pad, int) else 0,
        takes_types=takes_types(encoder),
        heads=heads,
        absent=absent,
    )


def check_fits(encoder: Encoder, corpus: Corpus) -> None:
    """Refuse a corpus for which the model has no embeddings.

    Raises:
        BertdynError: token ids outside the vocabulary, examples longer than the positions, or unknown token types.
    """
    from torch import nn

    if corpus.info.tokens == 0:
        return
    where = f"{encoder.folder} on corpus '{corpus.info.name}'"
    size = encoder.model.get_input_embeddings().num_embeddings
    largest = int(corpus.token_ids.max())
    if largest >= size:
        raise BertdynError(
            f"{where}: token id {largest} is outside its vocabulary of {size}; the tokenizer belongs to another model."
        )
    longest = int((corpus.offsets[1:] - corpus.offsets[:-1]).max())
    for name, module in encoder.model.named_modules():
        if not isinstance(module, nn.Embedding):
            continue
        if name.endswith("position_embeddings"):
            # RoBERTa and similar models count positions from the one after the padding's.
            positions = module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
            if longest > positions:
                raise BertdynError(
                    f"{where}: {longest} tokens, but {positions} positions; use --max-length {positions}."
                )
        elif name.endswith("token_type_embeddings") and int(corpus.token_types.max()) >= module.num_embeddings:
            raise BertdynError(f"{where}: pairs have two token types, but it knows {module.num_embeddings}.")


def _look_at_adapter(adapter: Adapter, reference: Path | None) -> ModelFiles:
    folder = adapter.folder
    if reference is None or reference == folder:
        of = f" of '{adapter.base_name}'" if adapter.base_name else ""
        raise BertdynError(
            f"{folder} is an adapter ({adapter.kind}){of}, not a whole model: give its base with --reference; the "
            "adapter is then merged into it."
        )
    base = look(reference)
    trained_on = f", trained on '{adapter.base_name}'" if adapter.base_name else ""
    note = f"adapter ({adapter.kind}{trained_on}), merged into the reference {reference}"
    return ModelFiles(folder, base.config, base.weights, base.prefix, adapter, (note, *base.notes))


def _fitted(folder: Path, names: Sequence[str], skeleton: Skeleton) -> Fit:
    """Match the names in a checkpoint's files with its encoder; only an older naming scheme is left to transformers."""
    try:
        fits = fit(names, skeleton.weights)
    except ValueError as error:
        raise BertdynError(f"The weights in {folder} are {error}; keep one of them.") from None
    if fits.foreign:
        return fits
    if fits.missing:
        raise BertdynError(_missing(folder, fits.missing, names))
    over = [name for name in fits.over if not any(re.search(pattern, name) for pattern in skeleton.dropped)]
    if over:
        raise _left_over(folder, over)
    return fits


def _built(model: ModelFiles) -> tuple[Any, dict[str, Any], frozenset[str]]:
    """Return the encoder with its weights, the weights outside it, and the names of weights that the files lack."""
    import torch

    folder, skeleton = model.weights[0].parent, model.config.skeleton()
    tensors = read_tensors(model.weights)
    fits = _fitted(folder, tuple(tensors), skeleton)
    if fits.foreign:
        state, heads = tensors, {}
    else:
        state = {name: tensors[written] for name, written in fits.written.items()}
        heads = {without(name, fits.prefix): tensors[name] for name in fits.heads + fits.unknown}
    try:
        with quiet():
            encoder, info = skeleton.model_class.from_pretrained(
                None,  # with explicit weights nothing else in the folder is read, such as adapters
                config=model.config.parsed,
                state_dict=state,
                attn_implementation="eager",
                dtype=torch.float32,
                local_files_only=True,
                # Checked below, since transformers' own report is a table of many lines.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:  # any error of torch or transformers: the checkpoint is at fault
        raise BertdynError(f"{folder} cannot be loaded: {without_advice(error)}") from None
    _check_loaded(folder, info, tuple(tensors), skeleton)
    return encoder, heads, frozenset(info["missing_keys"])


def _check_loaded(folder: Path, info: Any, names: Sequence[str], skeleton: Skeleton) -> None:
    missing = sorted(key for key in info["missing_keys"] if not is_optional(key))
    if missing:
        raise BertdynError(_missing(folder, missing, names))
    inside = tuple(f"{name.partition('.')[0]}." for name in skeleton.weights)
    over = sorted(
        key
        for key in info["unexpected_keys"]
        if not is_optional(key) and (key.startswith(inside) or key.startswith(skeleton.prefix or inside))
    )
    if over:
        raise _left_over(folder, over)
    for name, found, wanted in sorted(info["mismatched_keys"]):
        if not is_optional(name):
            raise BertdynError(
                f"{folder}: {name} is {_shape(found)} in the weights, but {_shape(wanted)} by {CONFIG}; the two files "
                "do not belong together."
            )


def _check_beside(model: ModelFiles, base: Any) -> None:
    """Refuse weights in an adapter's folder that differ from its base: the adapter may be merged into them already."""
    import torch

    beside = weight_files(model.folder)
    if not beside:
        return
    tensors = read_tensors(present_files(model.folder))
    fits = _fitted(model.folder, tuple(tensors), model.config.skeleton())
    state = base.state_dict()
    for name, written in fits.written.items():
        if not is_optional(name) and not torch.equal(tensors[written].float(), state[name].float()):
            raise BertdynError(
                f"{model.folder} holds an adapter and weights that differ from the reference {model.base} ({name}): "
                "the adapter may or may not be merged into them. Keep one of the two in the folder."
            )


def _missing(folder: Path, names: Sequence[str], written: Sequence[str]) -> str:
    unmerged = any(".lora_" in name for name in written)
    advice = " The file holds an unmerged adapter: save the model after merge_and_unload()."
    return (
        f"{folder}: {len(names)} weights of the encoder are missing from the file ({_listed(names)}); they would be "
        f"random numbers.{advice if unmerged else ''}"
    )


def _left_over(folder: Path, names: Sequence[str]) -> BertdynError:
    return BertdynError(
        f"{folder}: {len(names)} weights of an encoder have no place in the encoder that {CONFIG} describes: "
        f"{_listed(names)}."
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
