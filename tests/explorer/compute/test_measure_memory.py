"""Does each measure take the same memory for ten times as many sentences, or ten times as many checkpoints?"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from explorer.compute.pool import THREADS
from explorer.measures.registry import all_measures
from explorer.selection import Selection
from store import layout
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from tests.devices.measured import ASKED, Asked, trees
from tests.explorer.compute.held import peak
from tests.store.extract import models

WIDTH, LINES, TREES = 128, 150, 150
"""Width of the models, and numbers of sentences and trees at 1 x."""
SIZES = {"hidden_size": WIDTH, "num_attention_heads": 2, "intermediate_size": 2 * WIDTH, "max_position_embeddings": 128}
GROWTH = 16 << 20
"""Bytes by which the peak may rise: about half of one layer at 10 x in float32, or nine models."""
STEPS = (3, 30)
"""Numbers of steps of each of two runs at 1 x and 10 x."""
UNMEASURED = {
    "ablation": "reads the metrics that training logged, no arrays",
    "output-error": "needs a regression; its inputs are those of output-loss",
}
_CORPUS_FREE = ("weight-change", "trajectory")
_FEW: Mapping[str, Asked] = {
    "rollback": Asked(0, {"groups": "1"}),
    "barrier": Asked(0, {"examples": "4"}, seeds=("1",)),
    "probe": Asked(0, {"probe_seeds": 1}, annotation="UPOS", corpus="trees"),
    "mdl": Asked(0, annotation="UPOS", corpus="trees"),
    **{name: Asked(0, corpus="") for name in _CORPUS_FREE},
}
"""Parameters of measures that take long with those for other tests."""

pytestmark = [
    pytest.mark.on_demand,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux"),
]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stores with few sentences and checkpoints, with ten times the sentences, and with ten times the checkpoints."""
    root = tmp_path_factory.mktemp("memory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CHUNK_BYTES", 1 << 18)  # else a whole layer is one chunk
        return {
            "few": _made(root / "few", STEPS[0], 1),
            "sentences": _made(root / "sentences", STEPS[0], 10),
            "checkpoints": _made(root / "checkpoints", STEPS[1], 1),
        }


def _made(place: Path, steps: int, times: int) -> Path:
    for seed in ("1", "2"):
        for step in range(0, 10 * steps, 10):
            folder = place / "runs" / "t" / f"seed-{seed}" / f"checkpoint-{step}"
            models.save(folder, seed=1000 * int(seed) + step, num_labels=2, **SIZES)
            models.trained(folder, step)
    base = models.save(place / "base", head=False, seed=99, **SIZES)
    three = " , ".join(models.SENTENCES[:3])
    (place / "dev.tsv").write_text("".join(f"{three}\t{n % 2}\n" for n in range(LINES * times)))
    (place / "trees.conllu").write_text(trees(TREES * times))
    texts = {"dev": place / "dev.tsv", "trees": place / "trees.conllu"}
    report = extract(place / "s.bertdyn", [place / "runs"], texts, ExtractOptions(reference=str(base), device="cpu"))
    assert report.exit_code == 0, report
    return place / "s.bertdyn"


@pytest.fixture(scope="module")
def alone() -> Iterator[ProcessPoolExecutor]:
    """Processes of one call each, forked from one that has imported everything and runs no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.explorer.compute.held", "transformers.models.bert.modeling_bert"])
    with pytest.MonkeyPatch.context() as patch:
        for name in THREADS:
            patch.setenv(name, "1")
        with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
            yield pool


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line although pytest captures what tests print."""

    def printed(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="", flush=True)

    return printed


@pytest.mark.parametrize("name", [measure.name for measure in all_measures() if measure.name not in UNMEASURED])
def test_memory_is_flat_in_sentences_and_checkpoints(
    name: str, stores: dict[str, Path], alone: ProcessPoolExecutor, say: Callable[[str], None]
) -> None:
    asked = _FEW.get(name) or ASKED.get(name, (Asked(0),))[0]
    selection = Selection(
        name, asked.corpus, tasks=("t",), seeds=asked.seeds, annotation=asked.annotation,
        parameters=tuple(asked.parameters.items()),
    )  # fmt: skip
    taken = {kind: alone.submit(peak, str(path), selection).result() for kind, path in stores.items()}
    say(f"{name}: {', '.join(f'{kind} {bytes / 1e6:.0f} MB' for kind, bytes in taken.items())}")
    assert taken["sentences"] - taken["few"] < GROWTH, taken
    assert taken["checkpoints"] - taken["few"] < GROWTH, taken
