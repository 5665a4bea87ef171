"""Load a checkpoint's encoder safely: local files only, no code that came with it, every weight accounted for."""

from __future__ import annotations

import hashlib
import inspect
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import BertdynError
from store.extract.find import CONFIG, WEIGHTS, weight_files
from store.extract.quiet import quiet
from store.extract.tokens import first_line
from store.keys import Corpus


@dataclass(frozen=True)
class Geometry:
    """What must be the same for checkpoints to be compared."""

    layers: int
    heads: int
    width: int

    def __str__(self) -> str:
        return f"{self.layers} layers of {self.heads} heads, width {self.width}"


@dataclass(frozen=True, eq=False)
class Encoder:
    """A loaded model in evaluation mode, float32, with eager attention."""

    model: Any
    geometry: Geometry
    device: Any
    folder: Path
    model_class: str
    """Class that was trained (with its head), by its configuration."""
    pad: int
    takes_types: bool


def read_geometry(folder: Path) -> Geometry:
    """Layers, heads and width by ``config.json``.

    Raises:
        BertdynError: no configuration, one that transformers does not know or that needs code of its own, no encoder.
    """
    return _geometry(folder, _config(folder))


def check_weights(folder: Path) -> tuple[Path, ...]:
    """The weights files of a checkpoint, looked at without reading the weights.

    Raises:
        BertdynError: none, a truncated or foreign file, or pickled code.
    """
    files = weight_files(folder)
    if not files:
        raise BertdynError(f"{folder} has no weights: looked for {', '.join(WEIGHTS)}.")
    for path in files:
        if not path.is_file():
            raise BertdynError(f"{folder} has no weights: its index names {path.name}, which is not there.")
        if path.suffix == ".safetensors":
            _check_safetensors(path)
        else:
            _check_pickle(path)
    return files


def weights_digest(files: Sequence[Path]) -> str:
    """SHA-256 of the weights, file after file."""
    if len(files) == 1:
        with files[0].open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256("".join(weights_digest([path]) for path in files).encode()).hexdigest()


def weights_stamp(files: Sequence[Path]) -> tuple[int, int]:
    """Bytes together and latest change in nanoseconds: as long as both stay, the weights are taken to be the same."""
    stats = [path.stat() for path in files]
    return sum(s.st_size for s in stats), max(s.st_mtime_ns for s in stats)


def load(folder: Path, device: Any) -> Encoder:
    """Load the encoder of a checkpoint; a task head is left out.

    Raises:
        BertdynError: as ``read_geometry`` and ``check_weights``; weights that are missing from the file or have another
            shape than the configuration says (a pooler excepted, which no hidden state goes through); attention that
            cannot be run eagerly.
    """
    import torch
    from transformers import AutoModel

    files = check_weights(folder)
    config = _config(folder)
    geometry = _geometry(folder, config)
    architectures = getattr(config, "architectures", None)
    try:
        with quiet():
            model, info = AutoModel.from_pretrained(
                str(folder),
                config=config,
                attn_implementation="eager",
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=files[0].suffix == ".safetensors",
                weights_only=True,
                # Told apart below: transformers' own report is a table of many lines.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:  # whatever safetensors, torch and transformers raise: the checkpoint is at fault
        raise BertdynError(f"{folder} cannot be loaded: {_without_advice(error)}") from None
    _check_loaded(folder, info)
    model = model.to(device).eval()
    if getattr(model.config, "_attn_implementation", "eager") != "eager":
        raise BertdynError(f"{type(model).__name__} in {folder} cannot be run with eager attention: no attention maps.")
    return Encoder(
        model=model,
        geometry=geometry,
        device=device,
        folder=folder,
        model_class=architectures[0] if architectures else type(model).__name__,
        pad=getattr(config, "pad_token_id", None) or 0,
        takes_types="token_type_ids" in inspect.signature(model.forward).parameters,
    )


def check_fits(encoder: Encoder, corpus: Corpus) -> None:
    """Refuse a corpus that the model has no embeddings for, before an index error does.

    Raises:
        BertdynError: token ids beyond the vocabulary, examples longer than the positions, types beyond the table.
    """
    from torch import nn

    if corpus.info.tokens == 0:
        return
    where = f"{encoder.folder} on corpus '{corpus.info.name}'"
    size = encoder.model.get_input_embeddings().num_embeddings
    largest = int(corpus.token_ids.max())
    if largest >= size:
        raise BertdynError(
            f"{where}: token id {largest} is outside its vocabulary of {size}; the tokenizer is another model's."
        )
    longest = int((corpus.offsets[1:] - corpus.offsets[:-1]).max())
    for name, module in encoder.model.named_modules():
        if not isinstance(module, nn.Embedding):
            continue
        if name.endswith("position_embeddings"):
            # RoBERTa and its kin count positions from behind the padding's.
            positions = module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
            if longest > positions:
                raise BertdynError(
                    f"{where}: {longest} tokens, but {positions} positions; use --max-length {positions}."
                )
        elif name.endswith("token_type_embeddings") and int(corpus.token_types.max()) >= module.num_embeddings:
            raise BertdynError(f"{where}: pairs have two token types, but it knows {module.num_embeddings}.")


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    if not (folder / CONFIG).is_file():
        raise BertdynError(f"{folder} has no {CONFIG}.")
    try:
        with quiet():
            return AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # ValueError, OSError, KeyError... by what is wrong with the file
        raise BertdynError(f"{folder / CONFIG} cannot be used: {_without_advice(error)}") from None


def _geometry(folder: Path, config: Any) -> Geometry:
    sizes = [getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")]
    if getattr(config, "is_encoder_decoder", False) or not all(isinstance(s, int) and s > 0 for s in sizes):
        raise BertdynError(f"{folder}: '{config.model_type}' is no encoder with layers, heads and a width, as BERT is.")
    return Geometry(*(int(s) for s in sizes if s is not None))


def _check_loaded(folder: Path, info: Any) -> None:
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key.split("."))
    if missing:
        raise BertdynError(
            f"{folder}: {len(missing)} weights of the encoder are missing from the file, {missing[0]} among them; "
            "they would be random numbers."
        )
    for name, found, wanted in sorted(info["mismatched_keys"]):
        if "pooler" not in name.split("."):
            raise BertdynError(
                f"{folder}: {name} is {_shape(found)} in the weights and {_shape(wanted)} by {CONFIG}; the two do not "
                "belong together."
            )


def _check_safetensors(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt"):
            pass
    except (SafetensorError, OSError) as error:
        raise BertdynError(f"{path} is truncated or no safetensors file ({first_line(error)}).") from None


def _check_pickle(path: Path) -> None:
    import torch

    try:
        with quiet():
            torch.load(path, map_location="meta", weights_only=True)
    except pickle.UnpicklingError:
        raise BertdynError(
            f"{path} holds pickled code, not only weights, and is not opened; save the model as safetensors."
        ) from None
    except Exception as error:  # RuntimeError, EOFError, KeyError... by where the file breaks off
        raise BertdynError(f"{path} is truncated or no PyTorch file ({first_line(error)}).") from None


def _without_advice(error: Exception) -> str:
    if "trust_remote_code" in str(error):
        return "it needs code of its own (auto_map), which bertdyn does not run."
    return first_line(error)


def _shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
