"""Does a GPU give what the processor gives? ``pytest -m gpu`` asks a GPU; on demand, the processor is asked twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.compute.executors.local import local_workers
from explorer.measures import Context, Given, Uncertainty
from explorer.measures.registry import get
from store.extract.forward import run
from store.models.load import load, look
from store.results import Result
from store.store import Store
from tests.devices.measured import (
    ASKED,
    CUDA,
    HIDDEN,
    NAME,
    OTHER_CPU,
    SUMS,
    Asked,
    arrays,
    assert_same_arrays,
    assert_same_rows,
    environment,
    extracted,
    measured,
    unlisted,
)
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer
from tests.store.extract import models
from tests.store.extract.test_forward import corpus_of

FAMILIES = list(models.CONFIGURATIONS)


def test_each_measure_is_compared_or_known_to_need_no_device() -> None:
    assert unlisted() == set()


@pytest.mark.parametrize("device", [CUDA, OTHER_CPU])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_extraction_stores_the_same_arrays(places: Path, tmp_path: Path, device: str, dtype: str) -> None:
    wanted = Store.open(places / NAME) if dtype == "float16" else extracted(places, tmp_path / "cpu", "cpu", dtype)
    found = extracted(places, tmp_path / "other", device, dtype)
    assert_same_arrays(arrays(found), arrays(wanted))
    assert not found.check().problems


@pytest.mark.gpu
@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_gives_the_same_on_a_gpu(tmp_path: Path, family: str) -> None:
    import torch

    folder = models.save(tmp_path, family)
    corpus = corpus_of(folder, models.SENTENCES)
    ((here, *_), *_), ((there, *_), *_) = (
        list(run(load(look(folder), torch.device(device)), corpus, dtype="float32")) for device in ("cpu", "cuda")
    )
    np.testing.assert_allclose(there, here, atol=HIDDEN)


LINEAR = ("svcca", "cca", "pwcca", "cka", "procrustes", "rsa")
SPECTRA = ("effective-rank", "participation-ratio", "anisotropy")


@pytest.mark.parametrize("name", [*LINEAR, *SPECTRA])
def test_the_code_for_other_devices_agrees(name: str) -> None:
    rng = np.random.default_rng(0)
    first = rng.standard_normal((200, 12)).astype(np.float32)
    layers = [MemoryLayer(first), MemoryLayer(first + rng.standard_normal(first.shape).astype(np.float32))]
    given = Given.layers(MemoryCorpus([10] * 20), *layers[: len(get(name).operands)])  # type: ignore[arg-type]
    extras = Uncertainty(null=2, interval="jackknife")
    here, other = (
        [
            (value.value, value.null, *(value.interval or (None, None)))
            for value in get(name).compute(given, dict(get(name).settle({})), Context(device=device, trust=extras))
        ]
        for device in ("cpu", "cpu:0")
    )
    np.testing.assert_allclose(np.array(other, float), np.array(here, float), rtol=SUMS, atol=SUMS)


def test_values_beyond_the_tolerance_are_noticed() -> None:
    asked = Asked(1e-6)
    row = Result(**{**dict.fromkeys(Result._fields), "value": 0.5, "n": 3})
    assert_same_rows({"a": row}, {"a": row._replace(value=0.5 + 9e-7)}, asked)
    for other in (
        row._replace(value=0.5 + 2e-6), row._replace(value=None), row._replace(n=4), row._replace(null_value=0.1),
    ):  # fmt: skip
        with pytest.raises(AssertionError):
            assert_same_rows({"a": row}, {"a": other}, asked)
    with pytest.raises(AssertionError):
        assert_same_rows({"a": row}, {"a": row, "b": row}, asked)
    states = {"hidden x 0": np.array([1.0, 2.0], np.float32)}
    assert_same_arrays(states, {"hidden x 0": states["hidden x 0"] + np.float32(1e-4)})
    with pytest.raises(AssertionError):
        assert_same_arrays(states, {"hidden x 0": states["hidden x 0"] + np.float32(4e-4)})


CASES = [pytest.param(name, n, id=f"{name} {n}") for name, every in ASKED.items() for n in range(len(every))]


@pytest.mark.parametrize("device", [CUDA, OTHER_CPU])
@pytest.mark.parametrize(("name", "number"), CASES)
def test_each_measure_gives_the_same_values(places: Path, tmp_path: Path, name: str, number: int, device: str) -> None:
    asked = ASKED[name][number]
    wanted = measured(places, tmp_path / "cpu", name, asked, "cpu")
    assert_same_rows(measured(places, tmp_path / "other", name, asked, device), wanted, asked)


@pytest.mark.parametrize("device", [CUDA, OTHER_CPU])
def test_two_extractions_share_a_device(places: Path, tmp_path: Path, device: str) -> None:
    store = Store.create(tmp_path / NAME)
    call = (
        *(sys.executable, "-m", "explorer.cli", "extract", store.path, places / "runs", "--device", device),
        *("--reference", places / "base", "--corpus", f"dev={places / 'dev.tsv'}"),
    )
    both = [
        subprocess.Popen([*call, "--part", f"{n}/2"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for n in (1, 2)
    ]
    said = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert_same_arrays(arrays(store), arrays(Store.open(places / NAME)))


@pytest.mark.parametrize("device", [CUDA, OTHER_CPU])
def test_two_workers_share_a_device(places: Path, tmp_path: Path, device: str) -> None:
    asked = ASKED["loss-curve"][0]
    wanted = measured(places, tmp_path / "cpu", "loss-curve", asked, "cpu")
    found = measured(places, tmp_path / "other", "loss-curve", asked, device, workers=2, executor=local_workers)
    assert_same_rows(found, wanted, asked)


@pytest.mark.gpu
def test_a_gpu_without_enough_memory_runs_smaller_batches(tmp_path: Path) -> None:
    """The limit leaves room for the results and about half of what a batch takes."""
    import torch

    sizes = {"hidden_size": 256, "num_attention_heads": 8, "intermediate_size": 1024, "max_position_embeddings": 128}
    folder = models.save(tmp_path, num_hidden_layers=6, **sizes)
    texts = [" ".join(models.SENTENCES)] * 128
    corpus = corpus_of(folder, texts, max_length=128)
    encoder = load(look(folder), torch.device("cuda"))
    held = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    ((hidden, maps, _),) = run(encoder, corpus)
    assert maps is not None
    results = hidden.nbytes + maps.nbytes
    rest = torch.cuda.max_memory_allocated() - held - results
    assert rest > 200 * 2**20, "the batch is too small for the test"
    torch.cuda.empty_cache()
    limit = held + results + 0.5 * rest
    torch.cuda.set_per_process_memory_fraction(limit / torch.cuda.get_device_properties(0).total_memory)
    limits: list[int] = []
    try:
        ((again, maps_again, _),) = run(encoder, corpus, smaller=limits.append)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert limits
    assert maps_again is not None
    np.testing.assert_allclose(again, hidden, rtol=2.0**-10, atol=HIDDEN)
    np.testing.assert_allclose(maps_again, maps, rtol=2.0**-10, atol=1e-4)
