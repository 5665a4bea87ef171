"""Are all tensors of an operation on one device, where the device is a GPU? Without a GPU, one is pretended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer.compute import worker
from store.extract import plan
from store.models import load
from store.store import Store
from tests.devices.measured import ASKED, NAME, arrays, assert_same_arrays, assert_same_rows, extracted, measured
from tests.devices.pretended import PretendedGpu, WrongDeviceError, inline, on_gpu


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> PretendedGpu:
    """A GPU that extraction and measures find; it is there inside a block."""
    mode, built = PretendedGpu(), load._built

    def loaded(model: Any) -> Any:
        mode.loading = True
        try:
            return built(model)
        finally:
            mode.loading = False

    monkeypatch.setattr(load, "_built", loaded)
    monkeypatch.setattr(worker, "resolve_device", lambda device: device)
    monkeypatch.setattr(plan, "choose_device", torch.device)
    return mode


@pytest.mark.parametrize(
    "refused",
    [
        lambda: on_gpu((2,)) + torch.zeros(2),
        lambda: on_gpu((2,)).numpy(),
        lambda: torch.zeros(2)[on_gpu((2,)).long()],
        lambda: torch.rand(2, device="cuda", generator=torch.Generator()),
        lambda: torch.zeros(2).copy_(on_gpu((2,))) + on_gpu((2,)),
    ],
)
def test_what_cuda_refuses_is_refused(refused: Callable[[], object]) -> None:
    with PretendedGpu(), pytest.raises(WrongDeviceError):
        refused()


def test_what_cuda_does_is_done() -> None:
    with PretendedGpu() as gpu:
        found = (on_gpu((2, 2)) + 1).sum(1) * torch.tensor(2.0)
        assert found.device.type == "cuda"
        np.testing.assert_array_equal(found.cpu().numpy(), [4, 4])
        assert torch.zeros_like(found).device == found.device
        assert torch.zeros(2).copy_(found).device.type == "cpu"
    assert gpu.used


@pytest.mark.on_demand
def test_extraction_keeps_to_its_device(places: Path, tmp_path: Path, gpu: PretendedGpu) -> None:
    with gpu:
        found = extracted(places, tmp_path / "other", "cuda")
    assert gpu.used
    assert_same_arrays(arrays(found), arrays(Store.open(places / NAME)))


@pytest.mark.on_demand
@pytest.mark.parametrize("name", ASKED)
def test_each_measure_keeps_to_its_device(places: Path, tmp_path: Path, gpu: PretendedGpu, name: str) -> None:
    for number, asked in enumerate(ASKED[name]):
        with gpu:
            found = measured(places, tmp_path / f"gpu{number}", name, asked, "cuda", executor=inline)
        assert gpu.used
        wanted = measured(places, tmp_path / f"cpu{number}", name, asked, "cpu", executor=inline)
        assert_same_rows(found, wanted, asked)
