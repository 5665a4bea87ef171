"""Does `bertdyn show` print to a pipe what the explorer draws on a screen?"""

import csv
import io
import json
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from explorer.commands.show import command
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.views.kinds import VIEWS as KINDS
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from tests.store.results import result
from tests.synthetic import LAYERS, make_store, sample_corpus

VIEWS = ["curves", "profile", "heat", "seeds", "table"]
"""Views of all checkpoints of a selection."""
VIEWS_OF_ALL = [name for name, kind in KINDS.items() if not kind.measure or kind.measure == "rollback"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A store with SVCCA values for task sst2 and none for pos."""
    store = make_store(tmp_path_factory.mktemp("show") / "a.bertdyn")
    svcca = get("svcca")
    reference = store.checkpoint("dev", PRETRAINED_KEY)
    defines = {
        "statistic": svcca.main,
        "parameters": canonical(dict(svcca.settle({}))),
        "version": svcca.version,
    }
    rows = []
    for key in (CheckpointKey.plain("sst2", seed, step) for seed in ("1", "2") for step in (0, 20, 40)):
        checkpoint = store.checkpoint("dev", key)
        for layer in range(LAYERS + 1):
            at = {"layer": layer, "ref_layer": layer, "value": layer * key.step / 1000}
            rows.append(result(checkpoint, reference, **at, **defines))
    store.add_results(rows)
    return str(store.path)


def show(*arguments: str, **environment: str):
    done = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.parametrize("view", VIEWS)
def test_a_pipe_gets_text_without_escapes(path, view):
    done = show(view, path, "--task", "sst2", COLORTERM="truecolor")
    assert "\x1b" not in done.stdout
    assert done.stdout.startswith("SVCCA distance from the pre-trained model · sst2")
    assert done.stderr == ""


def test_colour_can_be_asked_for_in_a_pipe(path):
    assert "\x1b[38;5;" in show("curves", path, "--task", "sst2", "--color", "256").stdout


@pytest.mark.parametrize("view", VIEWS)
def test_a_picture_has_the_size_asked_for(path, view):
    lines = show(view, path, "--task", "sst2", "--width", "60", "--height", "12").stdout.splitlines()
    assert len(lines) >= 2 + 12
    assert max(map(len, lines[:14])) <= 60


@pytest.mark.parametrize("view", VIEWS)
def test_csv_and_json_hold_the_same_numbers(path, view):
    flags = (view, path, "--task", "sst2", "--seed", "1")
    table = list(csv.DictReader(io.StringIO(show(*flags, "--format", "csv").stdout)))
    objects = json.loads(show(*flags, "--format", "json").stdout)
    assert len(table) == len(objects) == 3 * (LAYERS + 1)
    for row, one in zip(table, objects, strict=True):
        assert float(row["value"]) == one["value"] == pytest.approx(one["layer"] * one["step"] / 1000)


def test_an_example_is_printed_as_text_and_its_numbers_are_those_of_the_maps(path):
    printed = show("example", path, "--task", "sst2", "--step", "40", "--part", "reader").stdout
    assert "row JS, bits" in printed
    assert "attends to: reference → checkpoint, change" in printed
    plain = show("example", path, "--task", "sst2", "--step", "40", "--part", "reader", "--ascii").stdout
    assert plain.isascii()
    assert "reference -> checkpoint" in plain
    csvs = {
        part: show("example", path, "--task", "sst2", "--step", "40", "--part", part, "--format", "csv").stdout
        for part in ("reader", "all")
    }
    assert csvs["reader"] == csvs["all"]


def test_an_example_that_one_corpus_has_is_shown_whatever_the_others_lack(tmp_path):
    few, many = sample_corpus("few", examples=3), sample_corpus("many", examples=9)
    made = make_store(tmp_path / "s.bertdyn", tasks=("a",), seeds=("1",), steps=(20,), corpora=[few, many])
    done = show("example", str(made.path), "--find", "sentence 7")
    assert done.stdout.count("Attention, layer") == 1
    assert "1 of 1 holding 'sentence 7'" in done.stdout


def test_a_table_in_a_pipe_is_whole(path):
    lines = show("table", path, "--task", "sst2", "--sort", "value", "--descending").stdout.splitlines()
    values = [float(line.split()[4]) for line in lines if line.startswith("  sst2")]
    assert len(values) == 2 * 3 * (LAYERS + 1)
    assert values == sorted(values, reverse=True)


def test_svg_is_a_picture_and_the_name_of_the_file_asks_for_it(path, tmp_path):
    target = tmp_path / "curves.svg"
    show("curves", path, "--task", "sst2", "-o", str(target))
    root = ElementTree.parse(target).getroot()
    assert root.tag.endswith("svg")
    texts = [e.text or "" for e in root.iter() if e.tag.endswith("text")]
    assert "SVCCA distance from the pre-trained model · sst2, mean of seeds 1, 2" in texts
    assert any(0x2801 <= ord(char) <= 0x28FF for text in texts for char in text)


def test_what_is_missing_is_said_on_stderr_with_the_command_that_computes_it(path):
    done = show("curves", path, "--task", "pos", "--step", "20,40")
    many = 2 * 2 * (LAYERS + 1)
    assert f"{many} of {many} values are not computed" in done.stderr
    assert f"bertdyn compute svcca {path} --corpus dev --task pos --step 20,40" in done.stderr
    assert "not computed yet" in done.stdout


def test_a_map_of_layers_says_which_flags_compute_it(path):
    done = show("layers", path, "--task", "sst2", "--step", "20,40")
    assert done.stdout.startswith("SVCCA distance from the pre-trained model · sst2, seed 1, step 40, layer by layer")
    assert "reference layer" in done.stdout
    many = (LAYERS + 1) ** 2
    assert f"{many - LAYERS - 1} of {many} values are not computed" in done.stderr
    command = f"bertdyn compute svcca {path} --corpus dev --task sst2 --seed 1 --step 40 --against-layer all"
    assert command in done.stderr
    rows = list(csv.DictReader(io.StringIO(show("layers", path, "--task", "sst2", "--format", "csv").stdout)))
    assert [(r["layer"], r["ref_layer"], float(r["value"])) for r in rows] == [
        (str(n), str(n), pytest.approx(n * 40 / 1000)) for n in range(LAYERS + 1)
    ]


def test_bad_input_is_one_sentence(path, tmp_path):
    for arguments, words in (
        (["curves", str(tmp_path / "none")], "none"),
        (["curves", path, "--measure", "svca"], "There is no measure 'svca'"),
        (["curves", path, "--task", "sst"], "Did you mean 'sst2'"),
        (["table", path, "--task", "sst2", "--sort", "valu"], "no column 'valu'"),
        (["curves", path, "-o", str(tmp_path / "no" / "where.txt")], "Cannot write"),
        (["curves", path, "-o", str(tmp_path / "a.jpg")], r"'.jpg' files are not written; .* --format: text, csv, "),
        (["table", path, "--task", "sst2", "--part", "all"], "table has no parts: leave --part out"),
        (["example", path, "--task", "sst2", "--find", "xyzzy"], "No example of corpus 'dev' holds 'xyzzy'.$"),
    ):
        with pytest.raises(BertdynError, match=words):
            CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.mark.parametrize("view", VIEWS_OF_ALL)
def test_a_measure_without_any_checkpoint_to_read_is_no_bug(tmp_path_factory, view):
    """No checkpoint here has a classifier, which the rollback reads."""
    path = make_store(tmp_path_factory.getbasetemp() / f"{view}.bertdyn", tasks=("a",), seeds=("1",), steps=(0,)).path
    done = CliRunner().invoke(command, [view, str(path), "--measure", "rollback"])
    assert done.exit_code == 0 or isinstance(done.exception, BertdynError), done.exception
