"""Is the exported data map the one that its authors' formulas give?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from explorer.cli import main
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import CheckpointKey
from store.store import Store
from tests.store.extract import models


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    place = tmp_path_factory.mktemp("map")
    for step in (0, 10, 20, 30):
        folder = models.save(place / "runs" / "t" / "seed-1" / f"checkpoint-{step}", seed=step + 1)
        models.trained(folder, step)
    extract(place / "s.bertdyn", [place / "runs"], {"dev": models.corpus_file(place)}, ExtractOptions())
    return Store.open(place / "s.bertdyn")


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["data-map-export", *map(str, arguments)])
    return int(stopped.value.code or 0)


def forgetfulness(trend: list[bool]) -> int:
    """Written out: how often a label that was predicted is no longer."""
    if not any(trend):
        return 1000
    learnt, times = False, 0
    for right in trend:
        if learnt and not right:
            times += 1
        learnt = right
    return times


def test_every_line_is_what_the_formulas_give(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "map.jsonl"
    assert call(store.path, "t/1/20", file, "--corpus", "dev") == 0
    logits = [store.logits("dev", CheckpointKey.plain("t", "1", step))[0] for step in (0, 10, 20)]
    ids = [int(label) for label in models.LABELS]  # classes LABEL_0 and LABEL_1
    found = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(row["guid"], row["index"]) for row in found] == [(i, i) for i in range(len(ids))]
    for i, row in enumerate(found):
        p = np.array([softmax(x[i].astype(np.float64))[ids[i]] for x in logits])
        trend = [bool(x[i].argmax() == ids[i]) for x in logits]
        assert row["confidence"] == pytest.approx(p.mean())
        assert row["variability"] == pytest.approx(p.std())
        assert row["threshold_closeness"] == pytest.approx(p.mean() * (1 - p.mean()))
        assert (row["correctness"], row["forgetfulness"]) == (sum(trend), forgetfulness(trend))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("t/1/0", "--corpus", "dev"), "there is only one"),
        (("t/1/99", "--corpus", "dev"), "no checkpoint t/1/99"),
        (("t", "--corpus", "dev"), "bertdyn: 't' is not a checkpoint: name it as TASK/SEED/STEP."),
        (("t/1/20", "--corpus", "no"), "no corpus 'no'"),
        (("t/1/20", "--corpus", "dev", "--map", "0=maybe"), "'0=maybe' is not of the form LABEL=CLASS"),
        (("t/1/20", "--corpus", "dev", "--annotation", "x"), "has no 'x'"),
    ],
)
def test_what_cannot_be_exported_leaves_no_file(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    checkpoint, *rest = arguments
    assert call(store.path, checkpoint, tmp_path / "map.jsonl", *rest) == 2
    assert message in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
