"""Does the table of the labels' geometry say what the measures stored, and how to get the rest?"""

from __future__ import annotations

import csv
import io
import shlex
from itertools import product
from statistics import fmean, stdev

import pytest
from click.testing import CliRunner

from explorer.answers.geometry import COLUMNS, PARTS, Place, table_of, values_of
from explorer.commands.show import command as show
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.selection import Selection, ask_store
from explorer.views.kinds import VIEWS
from store.keys import PRETRAINED, PRETRAINED_KEY, Checkpoint, CheckpointKey
from store.results import Result
from store.store import Store
from tests.store.results import result
from tests.synthetic import LAYERS, make_store, sample_corpus

LABELS = ("a", "b")


def stored(store: Store, corpus: str, of: Checkpoint, measure: str, layer: int, value: float | None, **more: object):
    """A row of a measure as the table reads it."""
    declared = get(measure)
    part = next(part for part in PARTS if part.measure == measure)
    reference = store.checkpoint(corpus, PRETRAINED_KEY) if declared.compares else None
    return result(
        of, reference, measure=measure, corpus=corpus, annotation="label", layer=layer, value=value,
        ref_layer=layer if declared.cross_layers else None, version=declared.version,
        parameters=canonical(dict(declared.settle(part.changed))), **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two corpora; on the first, everything but the movement of centroids is there for the last layer."""
    corpora = [sample_corpus(name, labels=LABELS, examples=12) for name in ("one", "two")]
    made = make_store(tmp_path_factory.mktemp("geometry") / "a.bertdyn", steps=(0, 20), corpora=corpora)
    rows: list[Result] = []
    for i, checkpoint in enumerate(made.checkpoints("one")):
        for column, measure, statistic in (
            ("probe", "probe", "accuracy"),
            ("probe_sd", "probe", "accuracy-sd"),
            ("clusters", "clusters", "clusters"),
            ("linear", "clusters", "linear"),
            ("train_test", "split-similarity", "pearson"),
        ):
            value = (COLUMNS.index(column) + i / 10) * (1 if column != "linear" else 0)
            rows.append(stored(made, "one", checkpoint, measure, LAYERS, value, statistic=statistic))
        for label, value in zip(LABELS, (1.0, 4.0), strict=True):
            at = {"statistic": "label_min", "label_a": label}
            rows.append(stored(made, "one", checkpoint, "clusters", LAYERS, value + i, **at))
        if checkpoint.key.task != PRETRAINED:
            why = {"statistic": "pearson", "reason": "too few labels"}
            rows.append(stored(made, "one", checkpoint, "spatial-similarity", LAYERS, None, **why))
    made.add_results(rows)
    return made


def table(store: Store, *flags: str) -> list[dict[str, str]]:
    asked = ["geometry", str(store.path), *flags, "--format", "csv"]
    done = CliRunner().invoke(show, asked, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_a_row_per_task_at_the_end_of_its_runs_and_one_of_the_pretrained_model(store):
    rows = table(store, "--corpus", "one")
    assert [(r["task"], r["step"], r["layer"], r["seeds"]) for r in rows] == [
        (PRETRAINED, "0", str(LAYERS), "1"),
        ("pos", "20", str(LAYERS), "2"),
        ("sst2", "20", str(LAYERS), "2"),
    ]


def test_the_model_before_fine_tuning_is_there_whichever_task_is_chosen(store):
    rows = table(store, "--corpus", "one", "--task", "sst2")
    assert [(r["task"], r["step"]) for r in rows] == [(PRETRAINED, "0"), ("sst2", "20")]


def test_values_are_means_over_seeds_and_spreads_are_kept_apart(store):
    number = {c.key: i for i, c in enumerate(store.checkpoints("one"))}
    (row,) = (r for r in table(store, "--corpus", "one") if r["task"] == "sst2")
    of = [number[CheckpointKey.plain("sst2", seed, 20)] / 10 for seed in ("1", "2")]
    at = {name: i for i, name in enumerate(COLUMNS)}
    assert float(row["probe"]) == pytest.approx(at["probe"] + fmean(of))
    assert float(row["probe_sd"]) == pytest.approx(at["probe_sd"] + fmean(of))
    assert float(row["seeds_sd"]) == pytest.approx(stdev(of))
    assert float(row["clusters"]) == pytest.approx(at["clusters"] + fmean(of))
    assert (float(row["linear"]), float(row["label_min"])) == (0.0, pytest.approx(2.5 + 10 * fmean(of)))
    assert float(row["train_test"]) == pytest.approx(at["train_test"] + fmean(of))
    assert (row["moved"], row["similarity"]) == ("", "")


def test_steps_and_layers_can_be_chosen(store):
    rows = table(store, "--corpus", "one", "--task", "sst2", "--step", "0,20", "--layer", "1,2")
    assert [(r["step"], r["layer"]) for r in rows] == list(product(("0", "20"), ("1", "2")))


def test_missing_values_come_with_their_command_and_refused_ones_with_their_reason(store):
    done = CliRunner().invoke(show, ["geometry", str(store.path), "--corpus", "one"], catch_exceptions=False)
    commands = [shlex.split(line.removeprefix("-: ")) for line in done.stdout.splitlines() if line.startswith("-: ")]
    assert [command[2] for command in commands] == ["centroid-movement"]
    (said,) = commands
    assert said[said.index("--task") + 1] == "pos,sst2"  # the pre-trained model has no movement
    assert (said[said.index("--step") + 1], said[said.index("--layer") + 1]) == ("20", str(LAYERS))
    assert "! spatial-similarity: too few labels" in done.stdout


def test_several_corpora_are_one_table(store):
    rows = table(store)
    assert [r["corpus"] for r in rows] == ["one"] * 3 + ["two"] * 3
    assert {r["probe"] for r in rows if r["corpus"] == "two"} == {""}
    asked = ask_store(store, Selection("clusters", "one", beside=("two",)))
    assert len(VIEWS["geometry"].load(store, asked).rows()[1]) == 6


def test_a_mean_over_labels_needs_all_of_them():
    place = Place(CheckpointKey.plain("sst2", "1", 20), 3)
    part = next(part for part in PARTS if part.of_labels)

    def found(*values: float | None):
        from tests.explorer.views.samples import result as row

        rows = [row(place.key, 3, v, statistic="label_min", label_a=f"L{i}") for i, v in enumerate(values)]
        return values_of(part, rows, [place])["label_min"]

    assert found(1.0, 3.0) == {place: 2.0}
    assert found(1.0, None) == {}


def test_one_seed_has_no_spread_over_seeds(store):
    place = Place(CheckpointKey.plain("sst2", "1", 20), 3)
    question = ask_store(store, Selection("clusters", "one"))
    found = {column: {place: 0.5} for part in PARTS for column in part.statistics}
    (row,) = table_of(question, [place], found)
    assert (row.seeds, row.seeds_sd, row.probe, row.corpus, row.labels) == (1, None, 0.5, "one", "label")
