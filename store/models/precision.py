"""Keep float32 products exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_precision() -> Iterator[None]:
    """Forbid TF32 and bfloat16 in float32 products inside the block, whatever the process or its environment says.

    NVIDIA's containers set ``TORCH_ALLOW_TF32_CUBLAS_OVERRIDE``, with which products keep 10 bits of their factors.
    """
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
