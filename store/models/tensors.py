"""Read the tensors of a file of weights, whole or in parts.

A whole tensor is mapped into memory where the format allows it. Pages of a mapped file that were read once count as
memory of the process until the file is closed. A part of a tensor of a safetensors file is therefore read into memory
of its own: hundreds of checkpoints can be read side by side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from store.errors import BertdynError

if TYPE_CHECKING:
    import torch

_FLOATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""Types of torch by their names in a safetensors file."""


class Tensors(Protocol):
    """Tensors by name."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all tensors."""
        ...

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor, without reading it."""
        ...

    def whole(self, name: str) -> torch.Tensor:
        """Return a tensor."""
        ...

    def part(self, name: str, start: int, stop: int) -> torch.Tensor:
        """Return entries ``start`` to ``stop`` of a tensor that is laid out in one row."""
        ...


class LoadedTensors:
    """Tensors that are in memory, or mapped into it as a whole."""

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self._tensors = tensors

    def names(self) -> tuple[str, ...]:
        """See ``Tensors``."""
        return tuple(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """See ``Tensors``."""
        return tuple(self._tensors[name].shape)

    def whole(self, name: str) -> torch.Tensor:
        """See ``Tensors``."""
        return self._tensors[name]

    def part(self, name: str, start: int, stop: int) -> torch.Tensor:
        """See ``Tensors``."""
        return self._tensors[name].reshape(-1)[start:stop]


class SafeTensors:
    """Tensors of one safetensors file."""

    def __init__(self, path: Path, opened: ExitStack) -> None:
        """
        Args:
            opened: closes the file.

        Raises:
            BertdynError: the file cannot be read.
        """
        from safetensors import SafetensorError, safe_open

        self._path = path
        try:
            # Opened together: if the file is replaced later, both are still the old one.
            self._file: Any = opened.enter_context(path.open("rb", buffering=0))
            self._mapped: Any = opened.enter_context(safe_open(str(path), framework="pt"))
        except (SafetensorError, OSError) as error:
            raise unreadable(path, error) from None
        self._places: dict[str, tuple[int, str]] = {}

    def names(self) -> tuple[str, ...]:
        """See ``Tensors``."""
        return tuple(self._mapped.keys())

    def shape(self, name: str) -> tuple[int, ...]:
        """See ``Tensors``."""
        return tuple(self._mapped.get_slice(name).get_shape())

    def whole(self, name: str) -> torch.Tensor:
        """See ``Tensors``."""
        tensor: torch.Tensor = self._mapped.get_tensor(name)
        return tensor

    def part(self, name: str, start: int, stop: int) -> torch.Tensor:
        """See ``Tensors``.

        Raises:
            BertdynError: the file cannot be read, or has been cut.
        """
        import torch

        try:
            if not self._places:
                self._places = _places(self._file)
            first, kind = self._places[name]
            if kind not in _FLOATS:
                return self.whole(name).reshape(-1)[start:stop]
            found = torch.empty(stop - start, dtype=getattr(torch, _FLOATS[kind]))
            data = found.view(torch.uint8).numpy()
            self._file.seek(first + start * found.itemsize)
            read = self._file.readinto(data)
        except OSError as error:
            raise unreadable(self._path, error) from None
        if read != len(data):
            raise unreadable(self._path, "it has been cut")
        return found


def unreadable(path: Path, why: object) -> BertdynError:
    """Return the error that says why a file of weights cannot be read."""
    said = str(why).partition("\n")[0]
    return BertdynError(f"The weights in {path} cannot be read: {said}")


def _places(file: Any) -> dict[str, tuple[int, str]]:
    """Return first byte and type of each tensor of a safetensors file: a length, a header in JSON, then the tensors."""
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    return {n: (8 + length + of["data_offsets"][0], of["dtype"]) for n, of in header.items() if n != "__metadata__"}
