"""Find and read the files that hold a checkpoint's weights, and compute their digest.

This module knows nothing about models. It prefers safetensors to pickles, and reads a pickle only if it holds no code.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from store.errors import BertdynError
from store.models.formats import training_format
from store.models.quiet import first_line, quiet

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Names of files with weights, in order of preference."""
_ENTRIES = 3
"""Number of entries of a foreign file that a message names."""


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the files that hold a checkpoint's weights, safetensors before pickles; empty if there are none.

    Raises:
        BertdynError: an index cannot be read, or names a file in another folder.
    """
    for name in WEIGHTS:
        path = folder / name
        if not path.is_file():
            continue
        if not name.endswith(".index.json"):
            return (path,)
        try:
            parts = sorted(set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BertdynError(f"{path} is not an index of weights.") from None
        for part in parts:
            if not _is_file_name(part):
                raise BertdynError(f"{path} names {part!r}, which is not the name of a file beside it.")
        return tuple(folder / part for part in parts)
    return ()


def _is_file_name(part: object) -> bool:
    """Return whether an entry of an index names a file in the folder of the index, not a path to elsewhere."""
    return isinstance(part, str) and part not in ("", ".", "..") and "\0" not in part and Path(part).name == part


def present_files(folder: Path) -> tuple[Path, ...]:
    """Return the files that hold a checkpoint's weights.

    Raises:
        BertdynError: there are none, or a file in the index is missing; or the weights are in the format of a training
            tool (the message names the command that converts them).
    """
    files = weight_files(folder)
    if not files:
        sharded = training_format(folder)
        if sharded is not None:
            raise BertdynError(f"{folder} {sharded}")
        raise BertdynError(f"{folder} has no weights: looked for {', '.join(WEIGHTS)}.")
    for path in files:
        if not path.is_file():
            raise BertdynError(f"{folder} has no weights: its index names {path.name}, which does not exist.")
    return files


def names_in(files: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of all weights in the files, without reading the weights.

    Raises:
        BertdynError: a file is truncated, of another format, or holds pickled code.
    """
    names: list[str] = []
    for path in files:
        names += _safe_names(path) if path.suffix == ".safetensors" else _pickled(path, "meta")
    return tuple(names)


def read_tensors(files: Sequence[Path]) -> dict[str, Any]:
    """Return all weights in the files by name, mapped into memory where the format allows it.

    Raises:
        BertdynError: as ``names_in``.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    tensors: dict[str, Any] = {}
    for path in files:
        if path.suffix != ".safetensors":
            tensors.update(_pickled(path, "cpu"))
            continue
        try:
            tensors.update(load_file(path))
        except (SafetensorError, OSError) as error:
            raise _broken_safetensors(path, error) from None
    return tensors


def weights_digest(files: Sequence[Path]) -> str:
    """Return the SHA-256 of one file of weights, or of the joined digests of several."""
    if len(files) == 1:
        with files[0].open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256("".join(weights_digest([path]) for path in files).encode()).hexdigest()


@lru_cache(maxsize=4096)
def stamped_digest(files: tuple[Path, ...], stamp: tuple[int, int]) -> str:
    """Return the SHA-256 of the weights; read the files again only if their stamp has changed."""
    return weights_digest(files)


def weights_stamp(files: Sequence[Path]) -> tuple[int, int]:
    """Return total bytes and latest change in nanoseconds: while both stay, the weights count as unchanged."""
    stats = [path.stat() for path in files]
    return sum(s.st_size for s in stats), max(s.st_mtime_ns for s in stats)


def _safe_names(path: Path) -> list[str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            return list(file.keys())
    except (SafetensorError, OSError) as error:
        raise _broken_safetensors(path, error) from None


def _broken_safetensors(path: Path, error: Exception) -> BertdynError:
    return BertdynError(f"{path} is truncated or not a safetensors file ({first_line(error)}).")


def _pickled(path: Path, device: str) -> Mapping[str, Any]:
    import torch

    try:
        with quiet():
            # Old pickles are not archives and cannot be mapped into memory.
            mapped = device == "cpu" and _is_archive(path)
            found = torch.load(path, map_location=device, weights_only=True, mmap=mapped)
    except pickle.UnpicklingError:
        raise BertdynError(
            f"{path} holds pickled code, not only weights, and is not opened; save the model as safetensors."
        ) from None
    except Exception as error:  # RuntimeError, EOFError, KeyError... depending on where the file breaks off
        raise BertdynError(f"{path} is truncated or not a PyTorch file ({first_line(error)}).") from None
    if not isinstance(found, Mapping):
        raise BertdynError(f"{path} holds a {type(found).__name__}, not weights by name.")
    others = [repr(name) for name, value in found.items() if not (isinstance(name, str) and torch.is_tensor(value))]
    if others:
        more = ", ..." if len(others) > _ENTRIES else ""
        raise BertdynError(
            f"{path} holds more than weights by name: {', '.join(others[:_ENTRIES])}{more} is something else. Save "
            "only the model's state_dict()."
        )
    return found


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"
