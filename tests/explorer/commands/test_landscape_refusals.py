"""Is bad input of loss landscapes refused in one sentence with exit code 2, and a loss that is no number kept?"""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.extract.plan import ExtractOptions
from store.extract.run import extract
from tests.own_commands import run
from tests.store.extract import models

pytestmark = pytest.mark.usefixtures("computed_here")


def checkpoint(root: Path, task: str, seed: int, **settings: object) -> Path:
    folder = root / "runs" / task / f"seed-{seed}" / "checkpoint-10"
    models.save(folder, seed=100 + seed, task="SequenceClassification", num_labels=2, **settings)
    models.configure(folder, id2label={0: "0", 1: "1"}, label2id={"0": 0, "1": 1})
    models.trained(folder, 10)
    return folder


def large(tensors: dict[str, Any]) -> None:
    tensors["classifier.bias"][0] = 3e38


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of runs that do not fit together, and their checkpoints."""
    root = tmp_path_factory.mktemp("refusals")
    own = checkpoint(root, "t", 1)
    checkpoint(root, "t", 2)
    for seed in (3, 4):
        shutil.copytree(own, root / "runs" / "t" / f"seed-{seed}" / "checkpoint-10")
    models.reweigh(root / "runs" / "t" / "seed-4" / "checkpoint-10", large)
    checkpoint(root, "wide", 1, intermediate_size=40)
    checkpoint(root, "words", 1, vocab_size=400)
    ordered = checkpoint(root, "ordered", 2)
    models.configure(ordered, id2label={0: "1", 1: "0"}, label2id={"1": 0, "0": 1})
    base = models.save(root / "base", seed=99, head=False)
    text = models.corpus_file(root)
    strange = root / "strange.tsv"
    strange.write_text("the cat sat\tgood\nno\tbad\n")
    options = ExtractOptions(reference=str(base), attentions=False)
    report = extract(root / "s.bertdyn", [root / "runs"], {"dev": text, "strange": strange}, options)
    assert report.exit_code == 0, [one.reason for one in report.outcomes]
    return root


def bertdyn(made: Path, measure: str, *flags: str, corpus: str = "dev") -> tuple[int, str, str]:
    where = [] if measure == "trajectory" else ["--corpus", corpus]
    grid = ["--grid", "3"] if measure.startswith("loss") else []
    return run(["compute", measure, str(made / "s.bertdyn"), *where, "--task", "t", "--seed", "1", *grid, *flags])


def refused(done: tuple[int, str, str], said: str) -> None:
    code, out, errors = done
    assert (code, out) == (2, ""), errors
    assert errors.count(said) == 1
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("measure", "flags", "said"),
    [
        ("loss-curve", ("--against", "wide/1/10"), "The reference is of another size: encoder.layer.0"),
        ("trajectory", ("--against", "wide/1/10"), "The reference of step 10 is of another size"),
        ("loss-curve", ("--against", "words/1/10"), "is of another size: embeddings.word_embeddings.weight has shapes"),
        ("loss-curve", ("--against", "ordered/2/10"), "classifiers have the same classes in another order: 0, 1 and"),
        ("barrier", ("--against", "seed:3"), "The two checkpoints have the same weights: there is no line between"),
        ("loss-surface", ("--against", "seed:3"), "directions are parallel (cosine 1.000000): they span no plane."),
        ("loss-surface", ("--origin", "t/2/10", "--against", "seed:2"), "has the same weights as the origin"),
        ("loss-surface-pca", (), "span no plane: at least three with different weights are needed."),
        ("loss-curve", ("--range", "1,1"), "range: '1,1' must end above its start."),
        ("loss-curve", ("--groups", "9"), "outside 0 to 3"),
    ],
)  # fmt: skip
def test_operands_that_make_no_line_or_plane(made: Path, measure: str, flags: tuple[str, ...], said: str) -> None:
    refused(bertdyn(made, measure, *flags), said)


@pytest.mark.parametrize("measure", ["loss-curve", "loss-surface-random", "sharpness"])
def test_labels_outside_the_classifier(made: Path, measure: str) -> None:
    refused(bertdyn(made, measure, corpus="strange"), "The classifier has no class for 'bad', 'good'.")


@pytest.mark.parametrize("measure", ["loss-curve", "sharpness"])
def test_weights_that_are_missing_or_changed(made: Path, tmp_path: Path, measure: str) -> None:
    shutil.copytree(made / "s.bertdyn", tmp_path / "s.bertdyn")
    folder = made / "runs" / "t" / "seed-1" / "checkpoint-10"
    kept = (folder / "model.safetensors").read_bytes()
    try:
        models.reweigh(folder, lambda tensors: tensors["classifier.bias"].add_(1))
        refused(bertdyn(tmp_path, measure), "have changed since t/1/10 was stored")
        (folder / "model.safetensors").unlink()
        refused(bertdyn(tmp_path, measure), "The weights of t/1/10 are no longer in")
    finally:
        (folder / "model.safetensors").write_bytes(kept)


def test_a_loss_that_is_no_number_is_kept_with_its_reason_and_drawn_as_refused(made: Path) -> None:
    """Three times 3e38 is infinite in float32."""
    place = ("--against", "seed:4", "--range", "-2,1")
    code, out, errors = bertdyn(made, "loss-curve", *place, "--format", "csv")
    assert code == 0, errors
    rows = {float(r["alpha"]): r for r in csv.DictReader(io.StringIO(out)) if r["statistic"] == "loss"}
    assert np.isfinite(float(rows[1.0]["value"]))
    assert (rows[-2.0]["value"], rows[-2.0]["reason"]) == ("", "loss-curve is not a finite number")
    shown = ["show", "profile", str(made / "s.bertdyn"), "--measure", "loss-curve", "--corpus", "dev"]
    code, out, errors = run([*shown, *place, "--grid", "3", "--task", "t", "--seed", "1"])
    assert code == 0, errors
    assert "have no value: loss-curve is not a finite number" in out
