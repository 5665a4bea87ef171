"""Input that nobody planned: does each end in one clear sentence and exit code 2, or work? Never in a traceback."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.cli import main
from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from explorer.ui.settings import SETTINGS, read
from store.corpora.text_files import read as read_texts
from store.errors import BertdynError
from store.extract.find import Layout, history
from store.models.files import weight_files
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store

LONG = bool(os.environ.get("BERTDYN_LONG"))


def few(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try so many examples, always the same ones; ten times as many on request, at random."""
    return settings(
        max_examples=examples * 10 if LONG else examples,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),
    )


def refused_or_done(work: Callable[[], object]) -> None:
    """Do something that may be refused with one short sentence, and in no other way."""
    try:
        work()
    except BertdynError as error:
        text = str(error)
        assert text.strip()
        assert "Traceback" not in text
        assert len(text) < 3000


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
    """Run a command as the shell does: it works, or says one sentence and ends with code 2."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    told = capsys.readouterr()
    assert ended.value.code in (0, 2), (arguments, told.err)
    assert "Traceback" not in told.err + told.out
    if ended.value.code == 2:
        assert re.search(r"^(bertdyn: |Error: )\S", told.err, re.MULTILINE), told.err
        assert told.out == ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    """A small store with SVCCA distances."""
    made = make_store(folder / "s.bertdyn", tasks=("sst2", "pos+freeze-1"), seeds=("1",), steps=(0, 20))
    assert compute(made, [ask_store(made, Selection("svcca", "dev"))], workers=1, device="cpu", executor=here).ok
    return made


NUMBERS = ("", " ", "0", "-1", "1e999", "nan", "99999999999999999999")
SIGNS = (
    "..",
    "/",
    "//",
    "~",
    "*",
    "[",
    "{",
    "}",
    "{}",
    "%s",
    "'",
    '"',
    "\\",
    ",",
    ",,",
    "-",
    "--",
    "=",
    ":",
    "a" * 300,
)
UNPRINTABLE = ("é", "\ufeff", "\x00", "\udcff", "\u202e", "\x1b[2J")
odd = st.sampled_from(NUMBERS + SIGNS + UNPRINTABLE)
token = st.one_of(odd, st.text(max_size=6))


def spliced(sound: Sequence[str]) -> st.SearchStrategy[str]:
    """Text made of pieces of sound ones, and of others."""
    return st.lists(st.one_of(st.sampled_from(sound), token), max_size=12).map("".join)


TABLE = (
    "sentence",
    "label",
    "text",
    "\t",
    "\t",
    ",",
    "\n",
    "\n",
    "\r\n",
    '"',
    "good film",
    "1",
    "0.5",
    "split",
    "train",
)
JSONL = (
    '{"text": "a b", "label": 1}\n',
    '{"tokens": ["a"], "ner_tags": [0]}\n',
    '{"text": "a", "targets": [',
    "{",
    "}",
)
JSONL += ('{"span1": [0, 1], "label": "x"}', "]}", '"text"', ": ", "null", "[]", "\n", "1", ", ", '"a"', "[[1]]", "{}")
CONLLU = (
    "# sent_id = 1\n",
    "1\ta\ta\tX\tY\t_\t0\troot\t_\t_\n",
    "2\tb\tb\tX\t_\tCase=Nom|x\t1\tdep\t_\t_\n",
    "1-2\tab",
)
CONLLU += ("\t_" * 8, "\n", "\n\n", "1.1\tc", "3\tc\tc\t_\t_\t=\t9\t\t_\t_\n", "\t", "0", "-1", "_", "2\tb\n")
CONLL = ("-DOCSTART- -X- O O\n", "\n", "\n\n", "a NN B-NP O\n", "b NN I-LOC\n", "c\n", "d DT E-X S-\n", " ", "\t")
SENTEVAL = ("tr\t1\tgood film\n", "va\t0\tbad\n", "te\tx\ty\n", "tr", "\t", "\n", "tr\t\n")
HOLMES = (
    "inputs,context,label,set-0\n",
    '"[(0, 1)]","a b",1,train\n',
    "\"['a']\",,x,test\n",
    '"[',
    "]",
    "__import__",
    "\n",
)
FILES = {
    "tsv": TABLE + SENTEVAL,
    "csv": TABLE + HOLMES,
    "jsonl": JSONL,
    "json": (*JSONL, "[", "]"),
    "conllu": CONLLU,
    "conll": CONLL,
    "txt": (*TABLE, *CONLL[:2], *SENTEVAL),
    "parquet": ("PAR1", "PAR1"),
}


@pytest.mark.parametrize("ending", FILES)
@few(20)
@given(data=st.data())
def test_files_of_corpora(folder: Path, ending: str, data: st.DataObject) -> None:
    text = data.draw(spliced(FILES[ending])).encode(
        "utf-8", "surrogateescape" if data.draw(st.booleans()) else "replace"
    )
    path = folder / f"corpus.{ending}"
    path.write_bytes(text)
    columns = st.one_of(
        st.none(), st.sampled_from(["text", "label", "1", "2", "upos", "ner-spans", "label,split"]), token
    )
    refused_or_done(
        lambda: read_texts(
            path,
            text=data.draw(columns),
            label=data.draw(columns),
            limit=data.draw(st.sampled_from([None, 1])),
            skip=data.draw(st.booleans()),
        )
    )


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), token),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(token, inner, max_size=3)),
    max_leaves=6,
)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@few(40)
@given(
    state=st.fixed_dictionaries(
        {},
        optional={
            "global_step": values,
            "epoch": values,
            "log_history": st.one_of(
                values,
                st.lists(
                    st.one_of(
                        values,
                        st.fixed_dictionaries(
                            {"step": values}, optional={"loss": values, "eval_x": values, "epoch": values}
                        ),
                    ),
                    max_size=3,
                ),
            ),
        },
    )
)
def test_histories_of_training(folder: Path, state: dict[str, Any]) -> None:
    (folder / "trainer_state.json").write_bytes(_json(state))
    told = history(folder)
    assert told.step is None or told.step >= 0
    json.dumps([told.epoch, told.loss, told.metrics, told.log], allow_nan=False)  # as the store keeps it


@few(40)
@given(
    index=st.one_of(
        values, st.fixed_dictionaries({"weight_map": st.one_of(values, st.dictionaries(token, token, max_size=3))})
    )
)
def test_indexes_of_weights(folder: Path, index: object) -> None:
    place = folder / "index"
    place.mkdir(exist_ok=True)
    (place / "model.safetensors.index.json").write_bytes(_json(index))

    def found() -> None:
        for path in weight_files(place):
            assert path.parent == place

    refused_or_done(found)


CONFIG = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 30}
CONFIG |= {"intermediate_size": 8, "max_position_embeddings": 8, "architectures": ["BertModel"]}


@few(15)
@given(key=st.sampled_from([*CONFIG, "id2label", "auto_map", "hidden_act", "quantization_config"]), value=values)
def test_configurations(
    folder: Path, capsys: pytest.CaptureFixture[str], store: Store, key: str, value: object
) -> None:
    place = folder / "runs" / "sst2" / "seed-1" / "checkpoint-1"
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_bytes(_json({**CONFIG, key: value}))
    (place / "model.safetensors").write_bytes(b"")
    command(capsys, "register", str(store.path), str(folder / "runs"))


template = spliced(
    ["{task}", "{seed}", "{step}", "{variant}", "/", "seed-", "checkpoint-", "*", "{tsk}", "+", "(", "\\"]
)


@few(40)
@given(template=template, name=token.filter(lambda name: name and "/" not in name and "\0" not in name))
def test_layouts(template: str, name: str) -> None:
    def read_paths() -> None:
        layout = Layout(template)
        for path in (Path("/r/sst2/seed-1/checkpoint-20"), Path(f"/r/{name}/seed-{name}/checkpoint-1"), Path("/")):
            found = layout.read(path)
            assert found is None or found[3] is None or found[3] >= 0

    refused_or_done(read_paths)


@few(10)
@given(template=template)
def test_layouts_of_the_command(folder: Path, capsys: pytest.CaptureFixture[str], store: Store, template: str) -> None:
    command(capsys, "register", str(store.path), str(folder), "--layout", template)


SELECTING = {
    "--task": ["sst2", "pos+freeze-1", "pretrained", "+", ","],
    "--seed": ["1", ",", "-1"],
    "--step": ["0", "20", "-", ",", "0-", "-20", "20-0", "1_0", "٣"],
    "--layer": ["0", "3", "-", ",", "all", "3-1"],
    "--against": ["first", "pretrained", "seed:", "seed:1", "sst2/1/20", "/", "plain", "previous", "seeds", "+"],
    "--against-layer": ["all", "0", "-", "99"],
    "--corpus": ["dev", ",", "dev,dev"],
    "--annotation": ["label", ","],
    "--detail": ["example", "query"],
    "--variance": ["0.9", "0", "1"],
    "--tokens": ["words", "all"],
}


@few(25)
@given(data=st.data())
def test_selections(capsys: pytest.CaptureFixture[str], store: Store, data: st.DataObject) -> None:
    flags = data.draw(st.lists(st.sampled_from(list(SELECTING)), min_size=1, max_size=3, unique=True))
    arguments = [part for flag in flags for part in (flag, data.draw(spliced(SELECTING[flag])))]
    command(capsys, "show", data.draw(st.sampled_from(["table", "curves", "heat"])), str(store.path), *arguments)


QUERY = [
    "select ",
    "from ",
    "runs",
    "svcca",
    "*",
    "value",
    "(",
    ")",
    " where ",
    "1",
    "'",
    '"',
    ";",
    "--",
    "/*",
    " as ",
    ",",
]
QUERY += [
    "with x as (",
    "copy ",
    "pivot ",
    "explain ",
    "group by all",
    "describe ",
    "$1",
    "?",
    "::int",
    "[1]",
    "{'a': 1}",
]


@few(12)
@given(query=st.lists(st.one_of(st.sampled_from(QUERY), token), max_size=10).map("".join))
def test_queries(capsys: pytest.CaptureFixture[str], store: Store, query: str) -> None:
    command(capsys, "sql", "--limit", "3", str(store.path), "--", query)


CONFIG_FILE = [f"{one.name} = " for one in SETTINGS] + [
    "true",
    "1",
    '"dark"',
    "\n",
    "[keys]\n",
    '"measure.next" = ',
    "#",
    "[",
]


@few(60)
@given(text=spliced(CONFIG_FILE))
def test_configuration_files(folder: Path, text: str) -> None:
    path = folder / "config.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape") if "\ud800" not in text else b"")
    refused_or_done(lambda: read({}, ["measure.next"], {"BERTDYN_CONFIG": str(path)}))


@few(60)
@given(
    names=st.lists(st.sampled_from([*(one.variable for one in SETTINGS), "BERTDYN_CONFIG", "HOME"]), max_size=3),
    data=st.data(),
)
def test_environment_variables(names: list[str], data: st.DataObject) -> None:
    said = {name: data.draw(token).replace("\0", "") for name in names}
    refused_or_done(lambda: read({}, ["measure.next"], said))


@few(3)
@given(data=st.data())
def test_environment_variables_of_commands(
    capsys: pytest.CaptureFixture[str], store: Store, data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COLUMNS", "LINES", "TERM", "COLORTERM", "NO_COLOR", "BERTDYN_SCHEDULER", "TZ"):
            patch.setenv(name, data.draw(token).replace("\0", ""))
        command(capsys, "show", "curves", str(store.path), "--color", data.draw(st.sampled_from(["auto", "256"])))
        command(capsys, "ls", str(store.path))
