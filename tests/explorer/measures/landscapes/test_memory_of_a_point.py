"""Does a point of a line or plane hold the model, its directions and one batch, whatever the number of examples?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from store.extract.plan import ExtractOptions
from store.extract.run import extract
from tests.store.extract import models

SIZES = {
    "num_hidden_layers": 4, "hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 4,
    "max_position_embeddings": 128, "vocab_size": 60_000,
}  # fmt: skip
"""Embeddings are most of the weights, 70 MB, so that a copy of them stands out of the rest of the process."""
POINTS = 4
"""Points that are evaluated one after the other: memory must not grow with them."""

CHILD = """
import json, sys
from pathlib import Path
import numpy as np
from explorer.measures.computation import Context, Given
from explorer.measures.declaration import At
from explorer.measures.registry import get
from store.evaluation.model import StoredModel
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.models.weights import StoredWeights
from store.store import Store

path, name, examples, points = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
def resident(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
store, key = Store.open(path), CheckpointKey.plain("t", "1", 10)
model = StoredModel(store, store.checkpoint("dev", key))
model.logits({}, "cpu", np.arange(2))  # the model is loaded, and torch has its buffers
measure, context = get(name), Context()
corpus = store.corpus("dev")
parameters = dict(measure.settle({"examples": examples}))
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew: loading takes more than a point
before = resident("VmRSS")
for number in range(points):
    own, other = ({"weights": StoredWeights.of(store, "dev", k)} for k in (key, PRETRAINED_KEY))
    roles = {"checkpoint": {**own, "model": model}, "reference": other}
    more = tuple((axis.name, 0.01 * (number + 1)) for axis in measure.own_axes)
    given = Given(corpus, roles, next(iter(corpus.annotations.values())), at=At(more=more))
    measure.compute(given, parameters, context)
print(json.dumps(resident("VmHWM") - before))
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("memory")
    folder = root / "runs" / "t" / "seed-1" / "checkpoint-10"
    models.save(folder, "bert", seed=1, task="SequenceClassification", **SIZES)
    models.trained(folder, 10)
    base = models.save(root / "base", "bert", seed=2, head=False, **SIZES)
    lines = [f"{models.SENTENCES[n % 7]} {models.SENTENCES[n % 5]}\t{n % 2}\n" for n in range(160)]
    (root / "dev.tsv").write_text("".join(lines))
    options = ExtractOptions(reference=str(base), attentions=False)
    report = extract(root / "s.bertdyn", [root / "runs"], {"dev": root / "dev.tsv"}, options)
    assert report.exit_code == 0, [one.reason for one in report.outcomes]
    return root / "s.bertdyn"


def grown(path: Path, measure: str, examples: int, points: int = POINTS) -> float:
    """Return how much the peak memory of a process grows after it has loaded the model, in multiples of the weights."""
    arguments = [str(path), measure, str(examples), str(points)]
    done = subprocess.run([sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    weights = (path.parent / "runs" / "t" / "seed-1" / "checkpoint-10" / "model.safetensors").stat().st_size
    return float(json.loads(done.stdout.splitlines()[-1])) / weights


@pytest.mark.on_demand
@pytest.mark.parametrize(
    ("measure", "budget"),
    [("loss-curve", 4.2), ("loss-surface-random", 5.4)],
    ids=["line", "plane"],
)
def test_a_point_holds_one_set_of_weights_beside_its_directions(path: Path, measure: str, budget: float) -> None:
    """The new weights, one tensor more (here most of the weights), and the pages of the files that are read, which the
    system can take back: two of a line, one of a random plane, which also keeps two directions."""
    assert grown(path, measure, 32) < budget


@pytest.mark.on_demand
def test_memory_does_not_grow_with_examples_or_points(path: Path) -> None:
    few = grown(path, "loss-curve", 16, points=2)
    assert grown(path, "loss-curve", 160, points=6) < few + 1  # a set of weights that a point left behind
