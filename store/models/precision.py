"""Keep float32 products exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_precision() -> Iterator[None]:
    """Forbid TF32 and bfloat16 in float32 products inside the block, whatever the process or its environment says.

    NVIDIA's containers set ``TORCH_ALLOW_TF32_CUBLAS_OVERRIDE``, with which products keep 10 bits of their factors.
    Convolutions, which some encoders have, are products too: torch allows TF32 in them unless it is forbidden.
    """
    import torch

    products, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions
