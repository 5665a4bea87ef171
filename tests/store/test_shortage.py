"""Which errors say that memory or threads did not suffice, whatever library they come from."""

from __future__ import annotations

import errno

import duckdb
import pytest

from store.memory import is_out_of_memory, shortage


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        duckdb.OutOfMemoryException("could not allocate block"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("cusolver error: CUSOLVER_STATUS_INTERNAL_ERROR, when calling `cusolverDnCreate(handle)`"),
    ],
)
def test_a_lack_of_memory_is_recognised_and_said_in_a_sentence(error: Exception) -> None:
    assert is_out_of_memory(error)
    said = str(error).rstrip(".") or "MemoryError"
    assert shortage(error).startswith(f"Memory did not suffice ({said}). End other programs")


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "No such file"), RuntimeError("a kernel failed"), ValueError("out of memory")]
)
def test_other_errors_are_none(error: Exception) -> None:
    assert not is_out_of_memory(error)
    assert shortage(error) == ""


def test_a_lack_of_threads_is_another_sentence() -> None:
    error = RuntimeError("can't start new thread")
    assert not is_out_of_memory(error)
    assert shortage(error).startswith("The system allows this process no further thread.")
