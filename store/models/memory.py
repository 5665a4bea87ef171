"""Recognise errors that say that memory did not suffice."""

from __future__ import annotations

_WORDS = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
"""Words of torch's errors for a GPU, for the CPU, and for the libraries of CUDA."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory did not suffice, on the host or on a device.

    Only for CUDA's allocator does torch have a class of its own, ``OutOfMemoryError``, a RuntimeError; elsewhere it
    raises plain RuntimeErrors.
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and (
        type(error).__name__ == "OutOfMemoryError" or any(words in str(error) for words in _WORDS)
    )
