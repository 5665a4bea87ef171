"""Does `--detail` bring the rows of single examples, and leave the values as they are?"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from explorer.commands import compute, show
from store.errors import BertdynError
from store.store import Store
from tests.synthetic import HEADS, make_store, sample_corpus

pytestmark = pytest.mark.usefixtures("computed_here")

EXAMPLES = 12
CHOSEN = ("--task", "sst2", "--step", "40", "--layer", "3")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """JS of one layer of one checkpoint, whole and example by example."""
    corpus = sample_corpus(examples=EXAMPLES)
    path = tmp_path_factory.mktemp("detail") / "s.bertdyn"
    made = make_store(path, tasks=("sst2",), seeds=("1",), steps=(0, 40), corpora=[corpus])
    call(compute, "js", made.path, *CHOSEN, "--detail", "example")
    return made


def call(command: object, *arguments: object) -> Result:
    given = [str(a) for a in arguments]
    done = CliRunner().invoke(command.command, given, catch_exceptions=False)  # type: ignore[attr-defined]
    assert done.exit_code == 0, done.output
    return done


def computed(store: Store, *flags: str) -> list[dict[str, object]]:
    found = json.loads(call(compute, "js", store.path, *CHOSEN, "--format", "json", *flags).stdout)
    assert isinstance(found, list)
    return found


def shown(store: Store, *flags: str) -> list[dict[str, str]]:
    done = call(show, "table", store.path, "--measure", "js", *CHOSEN, "--format", "csv", *flags)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_compute_prints_the_rows_of_single_examples_below_that_of_the_layer(store: Store) -> None:
    whole, *single = computed(store, "--detail", "example")
    assert whole["example"] is None
    assert [row["example"] for row in single] == list(range(EXAMPLES))
    assert whole["n"] == EXAMPLES
    assert whole["value"] == pytest.approx(np.mean([row["value"] for row in single]), rel=1e-9)
    assert {row["query"] for row in (whole, *single)} == {None}
    assert {str(row["parameters"]) for row in single} == {str(whole["parameters"])}


def test_compute_prints_those_of_heads_on_request(store: Store) -> None:
    rows = computed(store, "--detail", "example", "--by", "head")
    assert [row["head"] for row in rows if row["example"] is None] == list(range(1, HEADS + 1))
    assert len(rows) == HEADS * (1 + EXAMPLES)


def test_without_it_the_value_is_read_back_alone(store: Store) -> None:
    done = call(compute, "js", store.path, *CHOSEN, "--format", "json")
    (row,) = json.loads(done.stdout)
    assert "0 computed, 1 read back" in done.stderr
    assert row == computed(store, "--detail", "example")[0]
    assert computed(store, "--detail", "layer") == [row]


def test_what_is_finer_than_what_is_stored_is_computed(tmp_path: Path) -> None:
    corpus = sample_corpus(examples=EXAMPLES)
    made = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 40), corpora=[corpus])
    (coarse,) = computed(made)
    done = call(compute, "js", made.path, *CHOSEN, "--detail", "query", "--format", "json")
    assert "1 computed, 0 read back" in done.stderr
    rows = json.loads(done.stdout)
    assert sum(row["query"] is not None for row in rows) == corpus.info.tokens
    assert [row["value"] for row in rows if row["example"] is None] == [coarse["value"]]


def test_show_table_lists_the_rows_of_single_examples(store: Store) -> None:
    single = [row for row in shown(store, "--detail", "example") if row["example"]]
    assert [row["example"] for row in single if not row["head"]] == [str(n) for n in range(EXAMPLES)]
    assert len(single) == (1 + HEADS) * EXAMPLES
    values = {row["example"]: row["value"] for row in computed(store, "--detail", "example")}
    assert all(float(row["value"]) == values[int(row["example"])] for row in single if not row["head"])
    assert all(not row["example"] for row in shown(store))
    assert len(shown(store)) == 1 + HEADS


def test_show_says_which_flags_compute_them(store: Store) -> None:
    done = call(show, "table", store.path, "--measure", "js", "--task", "sst2", "--step", "0", "--detail", "example")
    assert "3 of 3 values are not computed" in done.stderr
    assert f"bertdyn compute js {store.path} --corpus dev --task sst2 --step 0 --detail example" in done.stderr


@pytest.mark.parametrize(
    ("measure", "detail", "said"),
    [
        ("svcca", "example", "--detail: svcca has no detail 'example' nor any other."),
        ("js", "sentence", "--detail: js has no detail 'sentence', only layer, example, query."),
    ],
)
def test_a_detail_that_a_measure_does_not_have_is_refused(store: Store, measure: str, detail: str, said: str) -> None:
    for command, *arguments in ((compute, measure, store.path), (show, "table", store.path, "--measure", measure)):
        with pytest.raises(BertdynError) as refused:
            call(command, *arguments, "--detail", detail)
        assert str(refused.value) == said
