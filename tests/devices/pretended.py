"""Pretend that tensors lie on a GPU: they are computed on the processor, and what CUDA would refuse is refused.

Each tensor remembers the device that it was made for. An operation of tensors of two devices raises an error, and so
does reading a tensor of the GPU as an array. Nothing is said about speed, memory or rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from tests.pools import Here

_DEVICE = Tensor.device.__get__  # type: ignore[attr-defined]
_DATA = Tensor.data.__set__  # type: ignore[attr-defined]
_ANY = (Tensor.copy_, torch._has_compatible_shallow_copy_type, Tensor.grad.__set__)  # type: ignore[attr-defined]
"""Operations of tensors of any devices."""


class WrongDeviceError(AssertionError):
    """CUDA would refuse this operation."""


def _gpu(tensor: Tensor) -> bool:
    return getattr(tensor, "pretended", False)


def _marked(found: Any, gpu: bool) -> Any:
    for one in tree_leaves(found):
        if isinstance(one, Tensor):
            one.pretended = gpu  # type: ignore[attr-defined]
    return found


def _is_cuda(device: object) -> bool:
    return isinstance(device, str | torch.device) and torch.device(device).type == "cuda"


class PretendedGpu(TorchFunctionMode):
    """Inside the block, ``cuda`` is a device of this process."""

    def __init__(self) -> None:
        super().__init__()
        self.loading = False
        """Whether a model is being loaded, which happens on the processor."""
        self.used = 0
        """Number of operations on the GPU."""

    def __torch_function__(
        self, function: Any, types: object, given: tuple[Any, ...] = (), named: dict[str, Any] | None = None
    ) -> Any:
        """Carry out an operation, or refuse it.

        Raises:
            WrongDeviceError: its tensors are on two devices, or an array of one on the GPU is wanted.
        """
        named = dict(named or {})
        if self.loading:
            return function(*given, **named)
        tensors = [one for one in tree_leaves((given, named)) if isinstance(one, Tensor)]
        there = any(map(_gpu, tensors))
        self.used += there
        if function == _DEVICE:
            return torch.device("cuda", 0) if there else function(*given)
        if function in (Tensor.numpy, Tensor.__array__) and there:
            raise WrongDeviceError("an array of a tensor on the GPU is read")
        if function == _DATA:
            given[0].pretended = _gpu(given[1])
            return function(*given)
        if function == Tensor.cpu:
            return _marked(given[0].clone(), False)
        if function == Tensor.to:
            return self._moved(given, named)
        if function in (Tensor.__getitem__, Tensor.__setitem__):
            self._check_index(*given)
            return _marked(function(*given), _gpu(given[0]))
        if function not in _ANY and len({_gpu(one) for one in tensors if one.dim()}) > 1:
            raise WrongDeviceError(
                f"{function} of tensors on two devices: {[(one.shape, _gpu(one)) for one in tensors]}"
            )
        made = named.get("device")
        if made is not None:
            there = _is_cuda(made)
            named["device"] = torch.device("cpu") if there else made
            if there and named.get("generator") is not None:
                raise WrongDeviceError(f"{function} on the GPU with a generator of the processor")
        found = function(*given, **named)
        return _marked(found, _gpu(given[0]) if function == Tensor.copy_ else there)

    @staticmethod
    def _moved(given: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
        tensor, *how = given
        there, places = _gpu(tensor), [*how, named.get("device")]
        for place in places:
            if isinstance(place, Tensor | str | torch.device):
                there = _gpu(place) if isinstance(place, Tensor) else _is_cuda(place)
        how = [one.dtype if isinstance(one, Tensor) else "cpu" if _is_cuda(one) else one for one in how]
        if _is_cuda(named.get("device")):
            named["device"] = "cpu"
        found: Tensor = tensor.to(*how, **named) if how or named else tensor
        moved: Tensor = _marked(found.clone() if there != _gpu(tensor) else found, there)
        return moved

    @staticmethod
    def _check_index(tensor: Tensor, index: Any, value: Any = None) -> None:
        places = [one for one in tree_leaves(index) if isinstance(one, Tensor) and one.dim()]
        if not _gpu(tensor) and any(map(_gpu, places)):
            raise WrongDeviceError("a tensor on the processor is indexed from the GPU")
        if places and isinstance(value, Tensor) and value.dim() and _gpu(value) != _gpu(tensor):
            raise WrongDeviceError("elements are set to values on another device")


class _Inline(Here):
    """Does tasks in the calling thread: a mode of torch belongs to a thread."""

    def __init__(self) -> None:
        self._noted = []

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*given, **named))
        except BaseException as error:
            future.set_exception(error)
        return future


@contextmanager
def inline(workers: int) -> Iterator[Here]:
    """Workers of ``compute`` in the calling thread."""
    yield _Inline()


def on_gpu(shape: tuple[int, ...]) -> Tensor:
    """Return zeros on the GPU."""
    return torch.from_numpy(np.zeros(shape)).to("cuda")
