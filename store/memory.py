"""Recognise errors that say that memory, or the number of threads, did not suffice."""

from __future__ import annotations

import errno

_WORDS = (
    *("out of memory", "can't allocate memory", "Cannot allocate memory", "ALLOC_FAILED"),
    *("calling `cublasCreate", "calling `cusolverDnCreate"),
)
"""Words of torch's errors for a GPU, for the CPU, for mapped files, and for the libraries of CUDA. On a full GPU these
libraries cannot begin, and say that they are not initialised or that they had an internal error."""
_NO_THREAD = "can't start new thread"
"""Python's whole message if the system gives it no further thread."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory did not suffice, on the host or on a device.

    Only for CUDA's allocator does torch have a class of its own, ``OutOfMemoryError``, a RuntimeError; elsewhere it
    raises plain RuntimeErrors. DuckDB's class is ``OutOfMemoryException``.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and (
        type(error).__name__ == "OutOfMemoryError" or any(words in str(error) for words in _WORDS)
    )


def shortage(error: BaseException) -> str:
    """Return a sentence if an error says that the system gave this process too little memory or too few threads.

    It is empty for any other error.
    """
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return (
            "The system allows this process no further thread. End other programs, or raise the limit (ulimit -u, "
            "ulimit -v, the container's)."
        )
    if not is_out_of_memory(error):
        return ""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (
        f"Memory did not suffice ({said.rstrip('.')}). End other programs, or raise the limit (ulimit -v, the "
        "container's); finished work is kept."
    )
