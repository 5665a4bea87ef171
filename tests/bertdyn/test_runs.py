"""Does a notebook get what the command line prints, in values of Python?"""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bertdyn
from bertdyn.results import ResultSet
from bertdyn.runs import Runs
from explorer.cli import main
from explorer.compute.protocol import Update
from store.keys import CheckpointKey
from store.store import Store
from tests.synthetic import make_store, sample_corpus, write_checkpoint

OWN = {"task": "sst2", "seed": 1, "step": 80}


def printed(*arguments: object) -> tuple[str, str]:
    """What a command writes to stdout and to stderr."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as errors, pytest.raises(SystemExit):
        main([str(one) for one in arguments])
    return out.getvalue(), errors.getvalue()


class Cells(html.parser.HTMLParser):
    """The cells of tables, and the tags that are still open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("th", "td"):
            self.cells.append(data)


def test_a_store_says_what_ls_says_and_closes(runs: Runs, folder: Path) -> None:
    with bertdyn.open(folder / "runs.bertdyn") as opened:
        assert repr(opened) + "\n" == printed("ls", folder / "runs.bertdyn")[0]
        told = Cells(opened._repr_html_())
        assert not told.open
        assert {"task", "sst2", "pretrained", "dev", "svcca"} <= set(told.cells)


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    Store.create(tmp_path / "s.bertdyn")
    opened = bertdyn.open(str(tmp_path / "s.bertdyn"))
    assert "no checkpoint yet: run 'bertdyn extract'" in repr(opened)
    assert "no checkpoint yet" in opened._repr_html_()
    with pytest.raises(bertdyn.BertdynError, match="Which corpus"):
        opened.hidden("sst2")


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"layer": 6, "seed": [1, 2]}, ("--layer", "6", "--seed", "1,2")),
        ({"layer": range(2, 5), "step": [20, 80]}, ("--layer", "2-4", "--step", "20,80")),
        ({"task": ["sst2"], "step": np.array([20, 40]), "layer": "0-1,5"}, ("--step", "20,40", "--layer", "0-1,5")),
        ({"step": range(0, 100, 40), "seed": "2"}, ("--step", "0,40,80", "--seed", "2")),
        ({"against": "seeds", "layer": {3}}, ("--against", "seeds", "--layer", "3", "--task", "sst2")),
    ],
)
def test_options_are_values_of_python(runs: Runs, options: dict[str, Any], flags: tuple[str, ...]) -> None:
    options = {"task": "sst2", **options}
    found = runs.compute("svcca", **options)
    text, _ = printed("compute", "svcca", runs.store.path, "--task", "sst2", *flags, "--format", "csv")
    there = list(csv.DictReader(io.StringIO(text)))
    assert there
    assert [name for name in there[0] if name in found.columns] == [*found.columns[:-1]]
    ours = [dict(zip(found.columns, map(_plain, row), strict=True)) for row in found]
    assert [{name: row.get(name, "") for name in there[0]} for row in ours] == there
    assert runs.results("svcca", **options).rows == found.rows


def _plain(cell: object) -> str:
    """A cell as CSV has it."""
    text = "" if cell is None else str(cell)
    return json.dumps(json.loads(text), ensure_ascii=False) if text.startswith("{") else text


def test_computing_goes_through_the_pool_and_is_kept(tmp_path: Path) -> None:
    path = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20), layers=2).path
    updates: list[Update] = []
    opened = bertdyn.open(path)
    asked = {"task": "sst2", "workers": 1, "device": "cpu"}
    found = opened.compute(["cka", "svcca"], null=2, interval="jackknife", progress=updates.append, **asked)
    at = [found.columns.index(name) for name in ("measure", "layer", "step")]
    assert [(row[at[0]], row[at[1]]) for row in found if row[at[2]] == 20] == [
        (m, n) for m in ("cka", "svcca") for n in range(3)
    ]
    place = [found.columns.index(name) for name in ("null_value", "interval_low", "interval_high")]
    assert all(row[at] is not None for row in found for at in place)
    assert updates[-1].total == 12
    opened.compute(["cka", "svcca"], null=2, interval="jackknife", progress=updates.append, **asked)
    assert (updates[-1].total, updates[-1].known) == (0, 12)
    assert opened.sql("SELECT count(*) FROM cka WHERE null_value IS NOT NULL").rows == [(6,)]
    heads = opened.compute("js", by="head", layer=2, step=20, special="drop", **asked)
    assert [row[heads.columns.index("head")] for row in heads] == [1, 2]
    assert json.loads(heads.rows[0][heads.columns.index("parameters")])["special"] == "drop"


def test_what_fails_in_part_is_warned_of_and_noted(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20), layers=2)
    other = CheckpointKey.plain("sst2", "1", 40)
    write_checkpoint(store, store.corpus("dev"), other, layers=2, heads=4)
    opened = bertdyn.open(store.path)
    with pytest.warns(UserWarning, match="another|heads") as caught:
        found = opened.compute("js", task="sst2", workers=1, device="cpu")
    assert caught[0].filename == __file__
    assert any("4 and 2 attention heads" in note for note in found.notes)
    assert "4 and 2 attention heads" in repr(found)
    assert {row[found.columns.index("step")] for row in found} == {0, 20}
    with pytest.raises(bertdyn.BertdynError, match="4 and 2 attention heads"):
        opened.compute("js", task="sst2", step=40, workers=1, device="cpu")


def test_corpora_that_do_not_fit_are_passed_over(tmp_path: Path) -> None:
    corpora = [sample_corpus("dev"), sample_corpus("bare", seed=1)]
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), layers=2, corpora=corpora[:1])
    store.add_corpus(corpora[1])
    for step in (0, 20):
        write_checkpoint(store, corpora[1], CheckpointKey.plain("sst2", "1", step), layers=2, attentions=False)
    found = bertdyn.open(store.path).results("js", task="sst2", against="first")
    assert [note for note in found.notes if note.startswith("passed over: js reads attentions")]
    assert repr(found).splitlines()[0] == "no rows"


def test_results_say_what_is_missing(runs: Runs) -> None:
    found = runs.results("procrustes", task="sst2", layer=[1, 2])
    assert found.rows == []
    assert found.notes[-1] == (
        "16 values are not computed; compute('procrustes', task='sst2', layer=[1, 2]) computes them."
    )


REFUSED = {
    ("compute", "svca"): ({}, ()),
    ("compute", "svcca"): ({"layer": 99}, ("--layer", "99")),
    ("compute", "cka"): ({"task": "no"}, ("--task", "no")),
    ("compute", "rsa"): ({"interval": "percentile"}, None),
    ("compute", "clusters"): ({"against": "first"}, ("--against", "first")),
    ("compute", "cca"): ({"variance": 2}, ("--variance", "2")),
    ("compute", "pwcca"): ({"against": "yesterday"}, ("--against", "yesterday")),
    ("compute", "shape"): ({"corpus": "no"}, ("--corpus", "no")),
    ("compute", "anisotropy"): ({"by": "head"}, ("--by", "head")),
    ("compute", "churn"): ({"null": 2}, ("--null", "2")),
    ("compute", "output-kl"): ({"step": "x"}, ("--step", "x")),
    ("show", "curves"): ({"part": "no"}, ("--part", "no")),
    ("show", "seed-pairs"): ({"measure": "anisotropy"}, ("--measure", "anisotropy")),
}


@pytest.mark.parametrize("called", REFUSED, ids=" ".join)
def test_refusals_are_the_command_lines_sentences(runs: Runs, called: tuple[str, str]) -> None:
    options, flags = REFUSED[called]
    method, what = called
    with pytest.raises(bertdyn.BertdynError) as refused:
        getattr(runs, method)(what, **options)
    if flags is None:
        assert str(refused.value) == "--interval: rsa has no percentile interval, only jackknife and bootstrap."
        return
    _, errors = printed(method, what, runs.store.path, *flags)
    assert errors == f"bertdyn: {refused.value}\n"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda runs: runs.compute("svcca", seed=[]), "--seed: nothing is chosen. Leave it out for all."),
        (lambda runs: runs.compute("svcca", null=-1), "--null: -1 is outside 0 to 10000."),
        (lambda runs: runs.compute("svcca", resamples=2), "--resamples: 2 is outside 20 to 100000."),
        (lambda runs: runs.compute("js", by="row"), "--by: 'row' is neither layer nor head."),
        (lambda runs: runs.show("cloud"), "There is no view 'cloud', only overview,"),
        (lambda runs: runs.hidden("sst2", layer=1), "Which checkpoint of 'sst2' on corpus 'dev'? It has seeds 1, 2"),
        (lambda runs: runs.hidden("mnli"), "The store has no task 'mnli' on corpus 'dev', only pretrained, sst2."),
        (lambda runs: runs.hidden(**OWN, layer=9), "Checkpoint sst2/1/80 has hidden states of layers 0 to 6, not"),
        (lambda runs: runs.attention(**OWN, layer=0), "Checkpoint sst2/1/80 has attention of layers 1 to 6 and heads"),
        (lambda runs: runs.attention(**OWN, layer=1, example=40), "Corpus 'dev' has examples 0 to 39, but no 40."),
        (lambda runs: runs.logits("pretrained"), "Checkpoint pretrained/0/0 on corpus 'dev' has no logits"),
        (lambda runs: runs.annotation("upos"), "Which annotation of corpus 'dev'? It has label."),
        (lambda runs: runs.corpus("ewt"), "The store has no corpus 'ewt'. It has dev."),
        (lambda runs: runs.artefact("0"), "The store has no artefact '0'."),
        (lambda runs: runs.sql("DROP TABLE svcca").rows, "A query is one SELECT"),
        (lambda runs: runs.sql("CREATE TABLE x AS SELECT 1").columns, "A query is one SELECT"),
        (lambda runs: repr(runs.sql("from nowhere")), "The query failed."),
        (lambda runs: bertdyn.open("/no/such.bertdyn"), "There is no folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_in_a_sentence(runs: Runs, call: Any, said: str) -> None:
    with pytest.raises(bertdyn.BertdynError) as refused:
        call(runs)
    assert str(refused.value).startswith(said)


def test_arrays_are_the_stores(runs: Runs) -> None:
    store, key = runs.store, CheckpointKey.plain("sst2", "1", 80)
    every = runs.hidden(**OWN)
    assert every.shape == (7, 238, 16)
    assert np.array_equal(every[5], store.hidden("dev", key, 5))
    assert np.array_equal(runs.hidden("sst2", seed="1", step=80, layer=5, corpus="dev"), every[5])
    maps = runs.attention(**OWN, layer=3)
    lengths = np.diff(runs.corpus().offsets)
    assert [one.shape for one in maps] == [(2, length, length) for length in lengths]
    assert np.array_equal(np.concatenate([one[1].ravel() for one in maps]), store.attention("dev", key, 3, 2))
    assert np.array_equal(runs.attention(**OWN, layer=3, example=9), maps[9])
    logits, classes = store.logits("dev", key)
    assert np.array_equal(runs.logits(**OWN), logits)
    assert runs.classes(**OWN) == classes
    name = store.add_artefact({"points": np.eye(2)})
    assert np.array_equal(runs.artefact(name)["points"], np.eye(2))


@pytest.mark.parametrize("view", ["curves", "profile", "heat", "table", "store"])
def test_a_view_is_drawn_as_show_prints_it(runs: Runs, view: str) -> None:
    chosen: dict[str, Any] = {} if view == "store" else {"task": "sst2", "seed": 1}
    flags = [] if view == "store" else ["--task", "sst2", "--seed", "1"]
    drawn = runs.show(view, width=70, height=12, **chosen)
    text, _ = printed("show", view, runs.store.path, *flags, "--width", "70", "--height", "12")
    free = re.compile(r"[\d.,]+ [kMGT]?B free")  # the disk is used by others between the two
    assert free.sub("", drawn.text) == free.sub("", text)
    assert free.sub("", str(drawn)) == free.sub("", text).rstrip("\n")
    told = drawn._repr_html_()
    assert told.startswith("<pre")
    assert "<" not in told.removeprefix('<pre style="line-height: 1.2">').removesuffix("</pre>")
    there, _ = printed("show", view, runs.store.path, *flags, "--format", "json")
    rows = json.loads(there)
    assert [*drawn.columns] == [*rows[0]]
    assert len(drawn) == len(rows)


def test_a_view_says_what_computes_what_is_missing(runs: Runs) -> None:
    drawn = runs.show("curves", measure="shape", task="sst2", tokens="cls")
    call = "compute('shape', task='sst2', tokens='cls', corpus='dev')"
    assert drawn.notes == (f"56 values are not computed; {call} computes them.",)
    assert repr(drawn).endswith(drawn.notes[0])


@pytest.mark.parametrize(
    ("view", "more"),
    [
        ("seed-pairs", "against='seeds'"),
        ("layers", "task='sst2', seed='1', step='80', against_layer='all'"),
    ],
)
def test_what_is_missing_is_what_the_view_compares(runs: Runs, view: str, more: str) -> None:
    (note,) = runs.show(view, measure="pwcca", weights="y").notes
    assert note.endswith(f"compute('pwcca', weights='y', corpus='dev', {more}) computes them.")


def test_a_query_is_asked_when_it_is_looked_at(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0,), layers=2)
    query = bertdyn.open(store.path).sql("SELECT step FROM checkpoints WHERE task = 'sst2' ORDER BY step")
    write_checkpoint(store, store.corpus("dev"), CheckpointKey.plain("sst2", "1", 20), layers=2)
    assert repr(query).splitlines() == ["step", "----", "   0", "  20"]
    assert list(query) == query.rows == [(0,), (20,)]
    assert query.columns == ("step",)
    nothing = bertdyn.open(store.path).sql("from svcca")
    assert len(nothing) == 0


def test_a_long_answer_is_shown_in_part(runs: Runs) -> None:
    query = runs.sql("from svcca")
    assert repr(query).splitlines()[-1] == "and more rows"
    assert len(repr(query).splitlines()) == 2 + 20 + 1
    many = len(query)
    assert repr(query).splitlines()[-1] == f"and {many - 20} more rows"
    told = Cells(runs.compute("svcca", task="sst2")._repr_html_())
    assert not told.open
    assert told.cells[0] == "measure"
    text = runs.sql("SELECT '<b>' AS \"a&b\"")._repr_html_()
    assert "<th>a&amp;b</th>" in text
    assert "<td>&lt;b&gt;</td>" in text


ANSWERS = {
    "computed": lambda runs: runs.compute("svcca", task="sst2", layer=[1, 2], against="previous"),
    "asked in SQL": lambda runs: runs.sql("SELECT * FROM svcca WHERE layer < 2 ORDER BY ALL"),
    "a view": lambda runs: runs.show("table", task="sst2", layer=1),
    "measured": lambda runs: bertdyn.js(runs.attention(**OWN, layer=1), runs.attention("pretrained", layer=1)),
    "nothing": lambda runs: runs.results("procrustes", task="sst2"),
    "lists": lambda runs: runs.sql("SELECT name, annotations FROM corpora"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_pandas_has_the_same_rows(runs: Runs, answer: str) -> None:
    pandas = pytest.importorskip("pandas")
    found: ResultSet = ANSWERS[answer](runs)
    frame = found.df()
    assert isinstance(frame, pandas.DataFrame)
    assert tuple(frame.columns) == found.columns
    own = [tuple(_known(cell) for cell in row) for row in frame.itertuples(index=False, name=None)]
    assert own == [tuple(map(_known, row)) for row in found.rows]


@pytest.mark.parametrize("answer", ANSWERS)
def test_polars_has_the_same_rows(runs: Runs, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    polars = pytest.importorskip("polars")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    found: ResultSet = ANSWERS[answer](runs)
    frame = found.pl()
    assert isinstance(frame, polars.DataFrame)
    assert tuple(frame.columns) == found.columns
    assert [tuple(map(_known, row)) for row in frame.rows()] == [tuple(map(_known, row)) for row in found.rows]


@pytest.mark.parametrize("answer", ANSWERS)
def test_pyarrow_has_the_same_rows(runs: Runs, answer: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    found: ResultSet = ANSWERS[answer](runs)
    table = found.arrow()
    assert isinstance(table, pyarrow.Table)
    assert tuple(table.column_names) == found.columns
    rows = [tuple(map(_known, row.values())) for row in table.to_pylist()]
    assert rows == [tuple(map(_known, row)) for row in found.rows]


def _known(cell: Any) -> object:
    """A cell, whatever a library has for one that is empty or a list."""
    if isinstance(cell, (list, np.ndarray)):
        return tuple(cell)
    missing = cell is None or type(cell).__name__ == "NAType" or (isinstance(cell, float) and cell != cell)
    return None if missing else cell


@pytest.mark.parametrize(("method", "library"), [("df", "pandas"), ("pl", "polars"), ("arrow", "pyarrow")])
def test_a_library_that_is_missing_is_named(
    runs: Runs, method: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(bertdyn.BertdynError) as refused:
        getattr(runs.sql("from runs"), method)()
    assert str(refused.value) == (
        f"{method}() needs {library}, which is not installed here: pip install {library}. Without it, use .rows "
        "and .columns, which hold the same data."
    )


def test_nothing_is_warned_of_where_all_is_well(runs: Runs) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert runs.compute("svcca", task="sst2", seed=1).rows


def test_a_script_without_a_guard_computes(tmp_path: Path) -> None:
    """Child processes do not run the user's script again."""
    path = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(20,), layers=1).path
    script = tmp_path / "mine.py"
    script.write_text(
        f"import bertdyn\nprint(len(bertdyn.open({str(path)!r}).compute('cka', task='sst2', workers=1)))\n"
    )
    root = Path(__file__).resolve().parents[2]
    code = f"import sys, runpy; sys.path.insert(0, {str(root)!r}); runpy.run_path({str(script)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr


def test_the_columns_are_those_that_the_measure_uses(runs: Runs) -> None:
    two, one = runs.results("svcca", task="sst2").columns, runs.results("clusters", task="sst2").columns
    assert {"ref_task", "layer", "ref_layer"} <= set(two)
    assert not {"annotation", "head", "label_a", "ref_corpus", "third"} & set(two)
    assert {"annotation", "label_a", "label_b"} <= set(one)
    assert not {"ref_task", "ref_layer", "head"} & set(one)
