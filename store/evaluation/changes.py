"""Change weights of a model for a while and put the old ones back, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from store.errors import BertdynError


@contextmanager
def changed(parameters: Mapping[str, Any], values: Mapping[str, np.ndarray]) -> Iterator[None]:
    """Give parameters other values inside the block.

    The old tensors are kept aside, not copied, and come back even after an error.

    Args:
        parameters: the model's parameters by name.
        values: new values of some of them, float32, in the same shapes.

    Raises:
        BertdynError: a name is unknown or a shape is different; nothing is changed then.
    """
    import torch

    for name, value in values.items():
        if name not in parameters:
            raise BertdynError(f"The model has no weight '{name}'.")
        own = tuple(parameters[name].shape)
        if own != value.shape:
            shapes = " and ".join(" x ".join(map(str, shape)) for shape in (own, value.shape))
            raise BertdynError(f"{name} has shapes {shapes}: the two models are not of the same architecture.")
    old = {name: parameters[name].data for name in values}
    try:
        for name, value in values.items():
            parameters[name].data = torch.from_numpy(np.ascontiguousarray(value)).to(old[name])
        yield
    finally:
        for name, data in old.items():
            parameters[name].data = data
