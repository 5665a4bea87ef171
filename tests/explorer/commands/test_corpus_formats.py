"""The table of formats in README: does each of its commands read the file as what the table says it is?"""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from explorer.cli import main
from store.corpora.conll import fits as is_conll
from store.corpora.directprobe import fits as is_directprobe
from store.corpora.edges import fits as is_edges
from store.corpora.holmes import fits as is_holmes
from store.corpora.senteval import fits as is_senteval
from store.corpora.text import Wanted
from store.store import Store
from tests.store.extract import models

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\w -]+) \|.*\| `bertdyn (corpus add .*)` \|$", README, re.MULTILINE)
SENTENCES = models.SENTENCES
SIGNS = {
    "ner": is_conll,
    "spr": is_edges,
    "length": is_senteval,
    "pos": is_holmes,
    "ss": is_directprobe,
}
"""Signs in the content of a file, by the corpus of README's table."""


def conllu(sentence: str) -> str:
    words = enumerate(sentence.split(), 1)
    return "".join(f"{i}\t{word}\t_\tX\t_\t_\t{i - 1}\tdep\t_\t_\n" for i, word in words) + "\n"


def columns(sentence: str) -> str:
    return "".join(f"{word} NN I-NP {'I-PER' if i < 2 else 'O'}\n" for i, word in enumerate(sentence.split())) + "\n"


def edge(sentence: str) -> str:
    targets = [{"span1": [0, 1], "label": "NP"}, {"span1": [0, 1], "span2": [0, 1], "label": ["A0", "ARG"]}]
    return json.dumps({"text": sentence, "targets": targets}) + "\n"


def holmes(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("inputs", "context", "label", "id", "set-0", "set-1"))
        for number, sentence in enumerate(SENTENCES):
            first = sentence.split()[0]
            writer.writerow([[(first, 0, 0, len(first))], [sentence], "NP", number, "train", "test"])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a tokenizer, and a file of the name that each command of the table has."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.chdir(tmp_path)
    models.corpus_file(tmp_path, "sst2_dev.tsv")
    with pytest.raises(SystemExit):
        main(["extract", "runs.bertdyn", str(models.runs(tmp_path / "runs", (0,))), "--corpus", "first=sst2_dev.tsv"])
    writers: dict[str, Any] = {
        "ewt_dev.conllu": conllu,
        "eng.testa": columns,
        "spr1.jsonl": edge,
        "sentence_length.txt": lambda sentence: f"tr\t0\t{sentence}\n",
        "train.txt": lambda sentence: f"{sentence}\tp.Gestalt\n",
        "test.txt": lambda sentence: f"{sentence}\tp.Gestalt\n",
        "lines.txt": lambda sentence: f"{sentence}\n",
    }
    for name, line in writers.items():
        head = "-DOCSTART- -X- -X- O\n\n" if name == "eng.testa" else ""
        (tmp_path / name).write_text(head + "".join(map(line, SENTENCES)))
    holmes(tmp_path / "folds.csv")
    saved = datasets.Dataset.from_dict({"sentence": SENTENCES, "label": models.LABELS})
    saved.save_to_disk("rte_saved")
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: datasets.load_from_disk("rte_saved"))
    return tmp_path


def test_each_command_of_the_table_reads_its_file_as_the_table_says(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(ROWS) == 10
    for name, command in ROWS:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(command))
        out, err = capfd.readouterr()
        assert not ended.value.code, err
        first = out.splitlines()[0]
        assert f"({name}" in first or (name == "table" and "(column sentence" in first), first
    found = {info.name: [one.name for one in info.annotations] for info in Store.open("runs.bertdyn").corpora()}
    assert found["spr"] == ["spans", "pairs"]
    assert found["ner"] == ["NER-spans"]
    assert found["ss"] == found["pos"] == found["length"] == ["label", "split"]
    with pytest.raises(SystemExit):
        main(["corpus", "add", "runs.bertdyn", "one=lines.txt", "--limit", "1"])
    assert capfd.readouterr().out.startswith("corpus one: 1 sentence (")


def test_no_file_of_the_table_has_the_signs_of_two_formats(place: Path) -> None:
    for corpus, path in re.findall(r" (\w+)(?::train)?=(\w[\w.]*)", " ".join(command for _, command in ROWS)):
        signs = [name for name, sign in SIGNS.items() if sign(Path(path), Wanted())]
        assert signs == [corpus] * (corpus in SIGNS), path
