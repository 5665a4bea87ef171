"""Do ls, sql, check and measures tell what is there?"""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from explorer.commands import check, ls, measures, sql
from explorer.commands.options import SELECTING
from explorer.compute.run import compute
from explorer.measures.registry import all_measures
from explorer.selection import Selection, ask_store
from store.disk import readable
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.layout import checkpoint_path
from store.store import Store
from tests.pools import here
from tests.store.results import result
from tests.synthetic import make_store, sample_corpus

pytestmark = pytest.mark.index


def call(command: object, *arguments: object) -> Result:
    return CliRunner().invoke(command.command, [str(a) for a in arguments], catch_exceptions=False)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = make_store(tmp_path_factory.mktemp("ls") / "s.bertdyn", tasks=("sst2",), seeds=("1", "2"), steps=(0, 20))
    compute(made, [ask_store(made, Selection("svcca", "dev"))], workers=1, executor=here)
    return made


class TestLs:
    def test_the_overview_names_runs_corpora_sizes_and_what_is_computed(self, store: Store) -> None:
        shown = call(ls, store.path).stdout
        assert "5 checkpoints" in shown
        runs, corpora, results = shown.split("\n\n")[1:]
        assert [line.split()[:2] for line in runs.splitlines()[3:]] == [
            ["pretrained", "0"],
            ["sst2", "1"],
            ["sst2", "2"],
        ]
        assert corpora.splitlines()[-1].split()[:3] == ["dev", "sentence", "40"]
        assert "svcca" in results
        assert "variance 0.99" in results
        assert " 16 " in results

    def test_a_list_that_cannot_be_read_does_not_hide_the_others(self, store: Store, tmp_path: Path) -> None:
        copy = Path(shutil.copytree(store.path, tmp_path / "t"))
        largest = max(copy.glob("tables/results/*.parquet"), key=lambda path: path.stat().st_size)
        largest.write_bytes(largest.read_bytes()[:-50])
        (copy / "index.duckdb").unlink()
        runs, corpora, results = call(ls, copy).stdout.split("\n\n")[1:]
        assert len(runs.splitlines()) == 6
        assert corpora.splitlines()[-1].split()[0] == "dev"
        assert f"{largest.name}' is damaged" in results
        assert "--repair" in results
        assert call(sql, copy, "select count(*) from runs").exit_code == 0
        assert call(check, copy).exit_code == 1
        assert largest.name in call(check, copy, "--repair").output
        assert call(check, copy).exit_code == 0
        assert "damaged" not in call(ls, copy).stdout
        assert (copy / "index.duckdb").exists()

    def test_json_holds_all_four_lists(self, store: Store) -> None:
        found = json.loads(call(ls, store.path, "--format", "json").stdout)
        assert [len(found[name]) for name in ("runs", "checkpoints", "corpora", "results")] == [3, 5, 1, 1]
        assert found["results"][0]["parameters"]["variance"] == 0.99
        assert found["results"][0]["layer_values"] == 16
        assert found["checkpoints"][0]["metrics"] == {"eval_accuracy": 0.5}
        assert found["errors"] == {}

    def test_json_holds_the_lists_that_can_be_read_and_says_why_the_others_cannot(
        self, store: Store, tmp_path: Path
    ) -> None:
        copy = Path(shutil.copytree(store.path, tmp_path / "t"))
        sound = json.loads(call(ls, copy, "--format", "json").stdout)
        largest = max(copy.glob("tables/results/*.parquet"), key=lambda path: path.stat().st_size)
        largest.write_bytes(largest.read_bytes()[:-50])
        found = json.loads(call(ls, copy, "--format", "json").stdout)
        errors = found.pop("errors")
        assert found == {name: part for name, part in sound.items() if name != "errors"} | {"results": None}
        assert list(errors) == ["results"]
        assert f"{largest.name}' is damaged" in errors["results"]
        assert "--repair" in errors["results"]

    def test_one_list_as_csv(self, store: Store) -> None:
        rows = list(csv.DictReader(io.StringIO(call(ls, store.path, "checkpoints", "--format", "csv").stdout)))
        assert [(r["task"], r["step"]) for r in rows] == [("pretrained", "0")] + [("sst2", "0"), ("sst2", "20")] * 2
        assert sum(int(r["bytes"]) for r in rows) == sum(c.bytes for c in store.checkpoints())

    def test_csv_of_everything_asks_which_list(self, store: Store) -> None:
        with pytest.raises(BertdynError, match="csv holds one list: say which, runs, checkpoints, corpora, results"):
            call(ls, store.path, "--format", "csv")

    def test_a_checkpoint_is_counted_once_however_many_corpora_it_was_read_on(self, tmp_path: Path) -> None:
        corpora = [sample_corpus("dev"), sample_corpus("ewt", examples=5)]
        made = make_store(tmp_path / "c.bertdyn", tasks=("a",), seeds=("1",), steps=(0, 20), corpora=corpora)
        size = readable(sum(c.bytes for c in made.checkpoints()))
        assert call(ls, made.path).stdout.splitlines()[0] == f"{made.path}: 3 checkpoints, {size}"

    def test_parameters_without_a_value_are_not_listed(self, tmp_path: Path) -> None:
        made = make_store(tmp_path / "p.bertdyn", tasks=("a",), seeds=("1",), steps=(20,))
        checkpoint = made.checkpoints("dev")[0]
        made.add_results([result(checkpoint, measure="probe", parameters='{"C":1.0,"erase":"","model":"lda"}')])
        listed = next(line for line in call(ls, made.path).stdout.splitlines() if line.startswith("probe"))
        assert " C 1.0, model lda " in listed

    def test_an_empty_store_says_what_to_do(self, tmp_path: Path) -> None:
        Store.create(tmp_path / "e.bertdyn")
        shown = call(ls, tmp_path / "e.bertdyn").stdout
        assert "0 checkpoints" in shown
        assert shown.count("run 'bertdyn") == 3


class TestSql:
    def test_a_question_about_a_measure(self, store: Store) -> None:
        query = (
            "SELECT seed, max(value) > 0.01 AS moved, count(*) AS n FROM svcca WHERE step = 20 GROUP BY ALL ORDER BY 1"
        )
        done = call(sql, store.path, query, "--format", "json")
        assert json.loads(done.stdout) == [{"seed": s, "moved": True, "n": 4} for s in ("1", "2")]

    def test_every_measure_has_a_table_before_anything_is_computed(self, store: Store) -> None:
        tables = [measure.name.replace("-", "_") for measure in all_measures()]
        counts = ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in tables)
        (row,) = json.loads(call(sql, store.path, f"SELECT {counts}", "--format", "json").stdout)
        assert row["svcca"] > 0
        assert list(row) == tables

    def test_the_query_may_come_from_stdin(self, store: Store) -> None:
        done = CliRunner().invoke(sql.command, [str(store.path), "-", "--format", "csv"], input="SELECT 6 * 7 AS n")
        assert done.stdout == "n\n42\n"

    def test_truncation_is_never_silent(self, store: Store) -> None:
        done = call(sql, store.path, "SELECT * FROM range(5)", "--limit", 3, "--format", "csv")
        assert done.stdout.count("\n") == 4
        assert "more rows than --limit 3" in done.stderr
        assert call(sql, store.path, "SELECT * FROM range(5)", "--limit", 5).stderr == ""

    @pytest.mark.parametrize("query", ["SELECT nothing FROM runs", "SELEC 1", "DELETE FROM results", ""])
    def test_bad_sql_is_answered_in_words(self, store: Store, query: str) -> None:
        with pytest.raises(BertdynError):
            call(sql, store.path, query)


class TestCheck:
    def test_a_sound_store(self, store: Store) -> None:
        done = call(check, store.path)
        assert done.exit_code == 0
        assert "1 corpus and 5 checkpoints" in done.stdout
        assert "sound" in done.stdout

    def test_damage_is_named_and_repair_sets_it_aside(self, tmp_path: Path) -> None:
        store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20))
        folder = checkpoint_path(store.path, "dev", CheckpointKey.plain("sst2", "1", 20))
        chunk = next(p for p in sorted((folder / "hidden").rglob("*")) if p.is_file() and p.name != "zarr.json")
        chunk.unlink()
        found = call(check, store.path)
        assert found.exit_code == 1
        assert "sst2/1/20" in found.stdout
        assert "--repair" in found.stdout
        mended = call(check, store.path, "--repair")
        assert mended.exit_code == 0
        assert "mended" in mended.stdout
        assert call(check, store.path).exit_code == 0
        assert "sst2/1/20" not in {str(c.key) for c in Store.open(store.path).checkpoints()}
        assert list((store.path / "trash").iterdir())
        assert "removed from trash/: 1" in call(check, store.path, "--empty-trash").stdout
        assert not list((store.path / "trash").iterdir())


class TestMeasures:
    def test_each_measure_says_what_it_is(self) -> None:
        shown = call(measures).stdout
        for measure in all_measures():
            assert f"{measure.name}: {measure.title}" in shown
            for word in (measure.source.split()[0], *(f"--{p.name.replace('_', '-')}" for p in measure.parameters)):
                assert word in shown
        assert max(map(len, shown.splitlines())) <= 110

    def test_one_measure_as_json(self) -> None:
        (found,) = json.loads(call(measures, "svcca", "--format", "json").stdout)
        assert (found["name"], found["low"], found["high"]) == ("svcca", 0.0, 1.0)
        assert {"tokens": "all", "variance": 0.99}.items() <= {
            p["name"]: p["default"] for p in found["parameters"]
        }.items()
        assert all(found[field] for field in ("definition", "source", "cost", "direction", "counts"))

    def test_what_n_counts_is_named_as_a_reader_names_it(self) -> None:
        assert "rows" not in {measure.counts for measure in all_measures()}, "of a table that the reader does not see"

    def test_an_unknown_measure_names_all(self) -> None:
        with pytest.raises(BertdynError, match="There is no measure 'kca', only svcca, cca, ") as refused:
            call(measures, "kca")
        assert all(measure.name in str(refused.value) for measure in all_measures())

    def test_no_parameter_has_the_name_of_a_flag_that_chooses(self) -> None:
        for measure in all_measures():
            names = {p.name for p in measure.parameters}
            assert not names & {
                *SELECTING,
                "by",
                "null",
                "interval",
                "level",
                "resamples",
                "workers",
                "device",
                "format",
            }
