"""Does a measure of its own file show up everywhere, without any other change?

tests/ridge.py has a surface over two axes of its own, refined in a second round and summed up in a cell of its own,
and a measure of whole runs.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest

from store.keys import CheckpointKey
from store.rows import RowQuery, rows_of
from store.store import Store
from tests.synthetic import make_store, write_checkpoint

pytestmark = pytest.mark.index

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ("sst2", "20")
KEY = CheckpointKey.plain("sst2", "1", 20)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("own") / "s.bertdyn"
    return make_store(path, tasks=("sst2",), seeds=("1",), steps=(0, 20), layers=2)


ENVIRONMENT = {**os.environ, "BERTDYN_MEASURES": "tests.ridge", "PYTHONPATH": str(ROOT)}


class Commands:
    """A process of a user who has the measure in a module of his own; it runs one command after the other."""

    def __init__(self) -> None:
        call = [sys.executable, "-m", "tests.own_commands"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(call, env=ENVIRONMENT, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What a command prints; with another code than 0, to the stream of errors."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        ended, printed, errors = json.loads(self._process.stdout.readline())
        assert ended == code, errors
        return printed if code == 0 else errors

    def end(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def bertdyn() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.end()


@pytest.fixture(scope="module")
def computed(bertdyn: Commands, store: Store) -> list[dict[str, str]]:
    printed = bertdyn("compute", "ridge", str(store.path), "--workers", "1", "--format", "csv")
    return list(csv.DictReader(io.StringIO(printed)))


def height(store: Store, tilt: float, fold: int) -> float:
    """The formula, from the stored array."""
    return float(np.abs(store.hidden("dev", KEY, 2).astype(np.float64)).mean()) * (1 + tilt) * fold


def test_it_is_computed_in_rounds_with_its_summary(store: Store, computed: list[dict[str, str]]) -> None:
    own = [row for row in computed if (row["task"], row["step"]) == ("sst2", "20")]
    points = {(float(r["tilt"]), int(r["fold"])): float(r["value"]) for r in own if not r["statistic"]}
    assert points == pytest.approx({at: height(store, *at) for at in ((0, 1), (0, 2), (1, 1), (1, 2), (0.5, 2))})
    (top,) = [row for row in own if row["statistic"] == "top"]
    assert float(top["value"]) == pytest.approx(height(store, 1, 2))
    assert (top["tilt"], top["fold"], top["layer"], top["n"]) == ("", "", "", "5")


def test_it_is_read_back(bertdyn: Commands, store: Store, computed: list[dict[str, str]]) -> None:
    before = len(list(store.path.glob("tables/results/*.parquet")))
    again = bertdyn("compute", "ridge", str(store.path), "--format", "csv")
    assert list(csv.DictReader(io.StringIO(again))) == computed
    assert len(list(store.path.glob("tables/results/*.parquet"))) == before


def test_its_summary_names_its_points_as_an_artefact(store: Store, computed: list[dict[str, str]]) -> None:
    query = RowQuery(rows_of("ridge", "dev"), axes=(("tilt", "DOUBLE"), ("fold", "BIGINT")))
    named = [row for row in store.results(query) if row.artefact]
    assert {row.key for row in named} >= {KEY}
    (row,) = [row for row in named if row.key == KEY]
    points = store.artefact(row.artefact)["points"]
    assert points.shape == (5, 3)
    assert points[:, 2].max() == row.value
    assert len(list((store.path / "artefacts").iterdir())) == len(named)


@pytest.mark.parametrize("client", ["bertdyn", "duckdb"])
def test_sql_has_its_view_with_its_axes(
    bertdyn: Commands, store: Store, computed: list[dict[str, str]], client: str
) -> None:
    sql = "SELECT tilt, fold, round(value, 6) AS height FROM ridge WHERE step = 20 AND tilt = 0.5"
    if client == "bertdyn":
        (found,) = json.loads(bertdyn("sql", str(store.path), sql, "--format", "json"))
        row = found["tilt"], found["fold"], found["height"]
    else:
        with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as connection:
            (row,) = connection.execute(sql).fetchall()
    assert row == (0.5, 2, round(height(store, 0.5, 2), 6))


def test_the_table_shows_its_axes(bertdyn: Commands, store: Store, computed: list[dict[str, str]]) -> None:
    shown = bertdyn("show", "table", str(store.path), "--measure", "ridge", "--format", "csv")
    found = {(r["tilt"], r["fold"], r["step"], r["statistic"]) for r in csv.DictReader(io.StringIO(shown))}
    assert ("0.5", "2", "20", "") in found
    assert ("", "", "20", "top") in found
    text = bertdyn("show", "table", str(store.path), "--measure", "ridge", "--sort", "tilt")
    assert "  tilt↑ fold  " in text.splitlines()[2]


def numbers(bertdyn: Commands, view: str, store: Store, *more: str, measure: str = "ridge") -> list[dict[str, str]]:
    """The rows behind a picture."""
    printed = bertdyn("show", view, str(store.path), "--measure", measure, "--task", "sst2", *more, "--format", "csv")
    return list(csv.DictReader(io.StringIO(printed)))


def test_two_axes_of_numbers_are_a_map_of_one_step(
    bertdyn: Commands, store: Store, computed: list[dict[str, str]]
) -> None:
    stored = {(r["tilt"], r["fold"]): r["value"] for r in computed if r["tilt"] and (r["task"], r["step"]) == SHOWN}
    shown = {(r["tilt"], r["fold"]): r["value"] for r in numbers(bertdyn, "heads", store)}
    assert {place: float(v) for place, v in shown.items()} == pytest.approx({p: float(v) for p, v in stored.items()})
    drawn = bertdyn("show", "heads", str(store.path), "--measure", "ridge", "--task", "sst2")
    assert "step 20, tilt by fold" in drawn.splitlines()[0]


def test_one_axis_is_drawn_as_lines_and_the_other_stays_at_its_last_place(
    bertdyn: Commands, store: Store, computed: list[dict[str, str]]
) -> None:
    stored = {(r["tilt"], r["step"]): r["value"] for r in computed if r["fold"] == "2" and r["task"] == "sst2"}
    for view in ("curves", "profile", "heat"):
        assert {(r["tilt"], r["step"]): r["value"] for r in numbers(bertdyn, view, store)} == stored
    assert "fold 2" in bertdyn("show", "curves", str(store.path), "--measure", "ridge").splitlines()[0]


def test_a_value_without_an_axis_is_a_line_against_the_step(bertdyn: Commands, store: Store) -> None:
    printed = bertdyn("compute", "step-ridge", str(store.path), "--workers", "1", "--format", "csv")
    stored = {r["step"]: r["value"] for r in csv.DictReader(io.StringIO(printed))}
    shown = numbers(bertdyn, "curves", store, measure="step-ridge")
    assert {r["step"]: r["value"] for r in shown} == stored
    refused = bertdyn("show", "heat", str(store.path), "--measure", "step-ridge", code=2)
    assert "has no axis such as layers: curves and the table show it" in refused


def test_the_readmes_table_has_a_row_of_it(bertdyn: Commands) -> None:
    assert "| `ridge` | a surface over tilt and fold that only tests know |  |" in bertdyn("measures", "--markdown")


def test_a_module_that_is_not_there_is_named() -> None:
    environment = {**os.environ, "BERTDYN_MEASURES": "no.such"}
    call = [sys.executable, "-c", "from explorer.cli import main; main()", "measures"]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith("bertdyn: BERTDYN_MEASURES: module 'no.such' has no measures:")


def test_the_explorer_offers_it_and_shows_its_table(store: Store, computed: list[dict[str, str]]) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.own_screen import shown\n"
        "print(asyncio.run(shown(Path(sys.argv[1]))))\n"
    )
    call = [sys.executable, "-c", code, str(store.path)]
    done = subprocess.run(call, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Ridge height" in done.stdout
    assert " tilt " in done.stdout
    assert " top " in done.stdout


def test_a_path_is_one_operand_and_a_later_checkpoint_outdates_it(bertdyn: Commands, tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20, 60), layers=2)

    def drifted() -> list[tuple[int, int, float]]:
        printed = bertdyn("compute", "drift", str(store.path), "--task", "sst2", "--workers", "1", "--format", "csv")
        rows = csv.DictReader(io.StringIO(printed))
        return [(int(row["step"]), int(row["layer"]), float(row["value"])) for row in rows]

    def path(*steps: int) -> list[tuple[int, int, float]]:
        found = []
        for layer in range(3):
            states = [store.hidden("dev", KEY._replace(step=step), layer).astype(np.float64) for step in steps]
            means = [each.mean(axis=0) for each in states]
            length = sum(float(np.linalg.norm(b - a)) for a, b in pairwise(means))
            found.append((steps[-1], layer, pytest.approx(length, rel=1e-9)))
        return found

    assert drifted() == path(0, 20, 60)
    assert len(store.results(RowQuery(rows_of("drift")))) == 3
    write_checkpoint(store, store.corpus("dev"), KEY._replace(step=40), layers=2)
    assert store.results(RowQuery(rows_of("drift"))) == []  # it went another way
    assert drifted() == path(0, 20, 40, 60)


def test_layers_inside_a_cell_are_chosen_for_showing_only(bertdyn: Commands, tmp_path: Path) -> None:
    path = str(make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20), layers=2).path)

    def layers(*arguments: str) -> list[str]:
        printed = bertdyn(*arguments, "--task", "sst2", "--format", "csv")
        return [row["layer"] for row in csv.DictReader(io.StringIO(printed))]

    assert layers("compute", "drift", path, "--workers", "1", "--layer", "1-2") == ["1", "2"]
    assert layers("compute", "drift", path) == ["0", "1", "2"]  # all were computed in one go
    assert layers("show", "table", path, "--measure", "drift", "--layer", "2-") == ["2"]
    said = bertdyn("compute", "drift", path, "--task", "sst2", "--layer", "9", code=2)
    assert "--layer: 9 matches none of the layers that drift reads, 0 to 2." in said


@pytest.mark.on_demand
def test_the_store_view_counts_cells_of_every_shape(bertdyn: Commands, tmp_path: Path) -> None:
    path = str(make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1", "2"), steps=(0, 20), layers=2).path)

    def counted() -> dict[str, tuple[int, int]]:
        rows = csv.DictReader(io.StringIO(bertdyn("show", "store", path, "--format", "csv")))
        return {row["measure"]: (int(row["known"]), int(row["possible"])) for row in rows if row["kind"] == "measure"}

    before = counted()
    assert before["drift"] == (0, 3)  # two runs and the pre-trained model
    assert before["ridge"] == (0, 5 * 4)
    assert before["step-ridge"] == (0, 2)
    bertdyn("compute", "drift", path, "--task", "sst2", "--seed", "1", "--workers", "1")
    bertdyn("compute", "ridge", path, "--task", "sst2", "--seed", "1", "--step", "20", "--workers", "1")
    bertdyn("compute", "step-ridge", path, "--seed", "2", "--workers", "1")
    after = counted()
    assert after["drift"] == (1, 3)
    assert after["ridge"] == (6, 4 * 4 + 6)
    assert after["step-ridge"] == (1, 2)
