"""How many times as fast is a GPU as the processor, and what limits it? A table, with ``pytest -m gpu -s``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from explorer.measures import Context, Given
from explorer.measures.registry import get
from store.evaluation.model import StoredModel
from store.extract.forward import run
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import CheckpointKey
from store.models.load import load, look
from store.store import Store
from tests.benchmarks.timing import FAR_OFF
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer
from tests.store.extract import models

ROUNDS = 3
Job = Callable[[str], object]
"""Work on a device, which ends when its results are on the host."""


@dataclass(frozen=True)
class Sizes:
    """How large the work is."""

    layers: int
    width: int
    sentences: int
    tokens: int


LARGE = Sizes(layers=12, width=768, sentences=280, tokens=10_000)
SMALL = Sizes(layers=2, width=24, sentences=14, tokens=300)
"""For a processor, to see that the table can be made."""


@dataclass(frozen=True)
class Spent:
    """Seconds of one job on the device."""

    whole: float
    kernels: float
    copies: float

    @property
    def limit(self) -> str:
        """Return what takes most of the time: the GPU's arithmetic, copies to and from it, or the rest on the host."""
        parts = {"arithmetic": self.kernels, "copies": self.copies, "host": self.whole - self.kernels - self.copies}
        most = max(parts, key=lambda name: parts[name])
        return f"{most} ({parts[most] / self.whole:.0%})"


def fastest(work: Callable[[], object]) -> float:
    """Return the shortest time of some rounds in seconds, after one to warm up."""
    work()
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def spent(job: Job, device: str) -> Spent:
    """Return what a job takes on a device, and how long the device computed and copied."""
    import torch
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    whole = fastest(lambda: job(device))
    if torch.device(device).type != "cuda":
        return Spent(whole, 0.0, 0.0)
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        job(device)
        torch.cuda.synchronize()
    on_device = [event for event in seen.events() if event.device_type == DeviceType.CUDA]
    copies = sum(event.time_range.elapsed_us() for event in on_device if event.name.startswith("Mem"))
    return Spent(whole, sum(event.time_range.elapsed_us() for event in on_device) / 1e6 - copies / 1e6, copies / 1e6)


def jobs(place: Path, sizes: Sizes) -> Iterator[tuple[str, Job]]:
    """Yield work by name: extraction, and one measure of each kind of arithmetic."""
    import torch

    heads = 12 if sizes.width >= 768 else 2
    folder = models.save(
        place / "runs/t/seed-1/checkpoint-1", num_labels=2, num_hidden_layers=sizes.layers, hidden_size=sizes.width,
        num_attention_heads=heads, intermediate_size=4 * sizes.width, max_position_embeddings=128,
    )  # fmt: skip
    file = models.corpus_file(place)
    file.write_text(file.read_text() * (sizes.sentences // len(models.SENTENCES)))
    report = extract(
        place / "s.bertdyn", [place / "runs"], {"dev": file}, ExtractOptions(device="cpu", attentions=False)
    )
    assert report.exit_code == 0, report
    store = Store.open(place / "s.bertdyn")
    corpus = store.corpus("dev")
    encoders = {}

    def extraction(device: str) -> object:
        if device not in encoders:
            encoders[device] = load(look(folder), torch.device(device))
        return [part[0].shape for part in run(encoders[device], corpus)]

    yield f"extraction, {corpus.info.tokens:,} tokens x {sizes.layers} layers of {sizes.width}", extraction

    model = StoredModel(store, store.checkpoint("dev", CheckpointKey.plain("t", "1", 1)))
    yield "logits of a point of a landscape", lambda device: model.logits({}, device)
    rows, classes = np.arange(corpus.info.examples), np.zeros(corpus.info.examples, np.int64)

    def product(device: str) -> object:
        curved = model.curvature(None, rows, classes, device)
        return curved.product(np.ones(len(curved.weights), np.float32))

    yield "product with a Hessian", product

    rng = np.random.default_rng(0)
    examples = sizes.tokens // 25
    packed = MemoryCorpus([25] * examples)
    first = rng.standard_normal((25 * examples, sizes.width)).astype(np.float16)
    sides = first, (first + 0.3 * rng.standard_normal(first.shape)).astype(np.float16)
    maps = [rng.dirichlet(np.ones(25), (heads, 25 * examples)).astype(np.float16).reshape(heads, -1) for _ in range(2)]

    def measure(name: str, layers: list[MemoryLayer], labels: MemoryLabels | None = None, **parameters: object) -> Job:
        settled = dict(get(name).settle(parameters))
        given = Given.layers(packed, *layers, labels=labels)  # type: ignore[arg-type]
        return lambda device: get(name).compute(given, settled, Context(device=device))

    states = [MemoryLayer(side) for side in sides]
    shown = f"{25 * examples:,} x {sizes.width}"
    yield f"svcca, {shown}", measure("svcca", states)
    yield f"procrustes, {shown}", measure("procrustes", states)
    yield "rsa, 5,000 tokens", measure("rsa", states)
    yield f"js, {heads} heads, {maps[0].shape[1]:,} entries each", measure("js", [MemoryLayer(maps=m) for m in maps])


def table(place: Path, device: str, sizes: Sizes) -> Mapping[str, tuple[float, Spent]]:
    """Return the seconds on the processor and on the device, by job."""
    return {name: (fastest(lambda job=job: job("cpu")), spent(job, device)) for name, job in jobs(place, sizes)}  # type: ignore[misc]


def as_text(rows: Mapping[str, tuple[float, Spent]]) -> str:
    """Return the table, a line per job."""
    lines = [f"\n{'work':52} {'processor':>10} {'device':>10} {'ratio':>7}  limited by"]
    for name, (here, there) in rows.items():
        lines.append(f"{name:52} {here:9.3f}s {there.whole:9.3f}s {here / there.whole:7.1f}  {there.limit}")
    return "\n".join(lines)


@pytest.mark.gpu
@pytest.mark.benchmark
def test_what_a_gpu_is_worth(tmp_path: Path, say: Callable[[str], None]) -> None:
    rows = table(tmp_path, "cuda", LARGE)
    say(as_text(rows))
    slower = {name for name, (here, there) in rows.items() if there.whole > FAR_OFF * here}
    assert not slower


@pytest.mark.on_demand
def test_the_table_can_be_made_without_a_gpu(tmp_path: Path) -> None:
    rows = table(tmp_path, "cpu:0", SMALL)
    text = as_text(rows)
    assert len(text.strip().splitlines()) == 1 + len(rows) == 8
    assert all("host (100%)" in line for line in text.strip().splitlines()[1:])


def test_what_limits_a_job_is_what_takes_most_of_its_time() -> None:
    assert Spent(10.0, 7.0, 2.0).limit == "arithmetic (70%)"
    assert Spent(10.0, 1.0, 6.0).limit == "copies (60%)"
    assert Spent(10.0, 1.0, 2.0).limit == "host (70%)"
