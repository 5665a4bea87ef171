"""Do the exported files say, in DirectProbe's format, what the measure says?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from explorer.cli import main
from explorer.commands import clusters_export
from explorer.compute.run import compute
from explorer.selection import Ranges, Selection, ask_store
from store.errors import BertdynError
from store.rows import RowQuery, rows_of
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store, sample_corpus


def call(*arguments: object) -> Result:
    return CliRunner().invoke(clusters_export.command, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    words = sample_corpus("ewt", kind="word", labels=("NOUN", "VERB", "ADP"), examples=60)
    bare = sample_corpus("bare", labels=(), examples=5)
    root = tmp_path_factory.mktemp("export")
    return make_store(root / "s.bertdyn", tasks=("pos",), seeds=("1",), steps=(40,), corpora=[words, bare])


def test_the_files_hold_the_measures_clusters_and_distances(store: Store, tmp_path: Path) -> None:
    done = call(store.path, "pos/1/40", tmp_path / "out", "--layer", 2)
    assert done.exit_code == 0, done.output
    directprobe = (("method", "directprobe"),)
    selection = Selection("clusters", "ewt", tasks=("pos",), layers=Ranges.one(2), parameters=directprobe)
    compute(store, [ask_store(store, selection)], workers=1, executor=here)
    rows = {
        (r.statistic, r.label_a, r.label_b): r
        for r in store.results(RowQuery(rows_of("clusters", "ewt")))
        if r.layer == 2
    }
    details = json.loads(rows["clusters", None, None].details)
    assigned = [int(line) for line in (tmp_path / "out" / "clusters.txt").read_text().splitlines()]
    assert assigned == details["assignment"]
    names = details["cluster_labels"]
    labels = store.corpus("ewt").annotations["label"].values
    assert [names[k] for k in assigned] == [("NOUN", "VERB", "ADP")[i] for i in labels]
    wanted = {}
    for (statistic, _, _), row in rows.items():
        if statistic == "hull_distance":
            wanted |= {(i, j): d for i, j, d in json.loads(row.details)["cluster_distances"]}
    found = {}
    for line in (tmp_path / "out" / "dis.txt").read_text().splitlines():
        i, a, j, b, distance = re.fullmatch(r"\((\d+)-(\w+), (\d+)-(\w+)\): (\d+\.\d{4}|nan)", line).groups()
        assert (names[int(i)], names[int(j)]) == (a, b)
        found[int(i), int(j)] = float(distance)
    assert found.keys() == wanted.keys()
    assert all(np.isnan(found[k]) if d is None else abs(found[k] - d) < 6e-5 for k, d in wanted.items())
    assert not (tmp_path / "out" / "prediction.txt").exists()


def test_held_out_points_and_their_distances_nearest_first(store: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()  # an empty folder will do
    done = call(store.path, "pos/1/40", tmp_path / "out", "--layer", 3, "--held-out", 0.25, "--split-seed", 1)
    assert done.exit_code == 0, done.output
    clusters = (tmp_path / "out" / "clusters.txt").read_text().split()
    lines = (tmp_path / "out" / "prediction.txt").read_text().splitlines()
    assert len(clusters) + len(lines) == len(store.corpus("ewt").annotations["label"].values)
    for line in lines:
        gold, *near = line.split("\t")
        assert gold in ("NOUN", "VERB", "ADP")
        distances = [float(n.rpartition(",")[2]) for n in near]
        assert distances == sorted(distances)
        assert len(near) == len(set(clusters))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pos/1/99", "new", "--layer", 1), "99"),
        (("pos-1-40", "new", "--layer", 1), "^'pos-1-40' is not a checkpoint: name it as TASK/SEED/STEP."),
        (("final", "new", "--layer", 1), "TASK/SEED/STEP"),
        (("pos/1/40", "new", "--layer", 4), "layers 0 to 3"),
        (("pos/1/40", "new", "--layer", 1, "--corpus", "bare"), "has none. Labelled: ewt"),
        (("pos/1/40", "new", "--layer", 1, "--held-out", 0.9), "held_out"),
        (("pos/1/40", "new", "--layer", 1, "--method", "kmeans"), "kmeans"),
        (("pos/1/40", "full", "--layer", 1), "not an empty folder"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_left(
    store: Store, tmp_path: Path, arguments: tuple[object, ...], said: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    checkpoint, folder, *rest = arguments
    with pytest.raises(BertdynError, match=said):
        call(store.path, checkpoint, tmp_path / str(folder), *rest)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["full", "mine.txt"]


def test_the_command_is_found_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["clusters-export", "--help"])
    assert end.value.code == 0
    assert "dis.txt" in capsys.readouterr().out
