"""What is trained on, from files of corpora, and which files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.demo.run import tiny_bert
from explorer.training.examples import IGNORED, encoded, read_data
from store.errors import BertdynError
from store.extract.tokens import load_tokenizer
from tests.training import Files


def written(folder: Path, name: str, content: str) -> Path:
    """A file."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def refused(train: Path, evaluation: Path, **more: str) -> str:
    """The sentence that refuses two files."""
    with pytest.raises(BertdynError) as caught:
        read_data(train, evaluation, **more)
    return str(caught.value)


def test_a_sentence_has_its_class(sentences: Files) -> None:
    data = read_data(sentences.train, sentences.evaluation)
    tokenizer = load_tokenizer(tiny_bert()).fast
    rows = encoded(tokenizer, data.train, data.classes, 128)
    lines = [line.rsplit("\t", 1) for line in sentences.train.read_text().splitlines()]
    assert [data.classes[row["labels"]] for row in rows] == [label for _, label in lines]
    assert [row["input_ids"] for row in rows] == [tokenizer(text)["input_ids"] for text, _ in lines]


def test_a_word_has_its_class_at_its_first_piece(words: Files) -> None:
    data = read_data(words.train, words.evaluation, label="upos")
    tokenizer = load_tokenizer(tiny_bert()).fast
    rows = encoded(tokenizer, data.train, data.classes, 128)
    blocks = words.train.read_text().strip().split("\n\n")
    for row, block in zip(rows, blocks, strict=True):
        told = [line.split("\t") for line in block.splitlines() if not line.startswith("#")]
        tags = [data.classes[label] for label in row["labels"] if label != IGNORED]
        assert tags == [cells[3] for cells in told]
        pieces = [tokenizer.tokenize(cells[1]) for cells in told]
        expected = [label for each in pieces for label in (True, *[False] * (len(each) - 1))]
        assert [label != IGNORED for label in row["labels"]] == [False, *expected, False]


def test_pairs_are_pairs(tmp_path: Path) -> None:
    rows = "premise,hypothesis,label\na cat sat,a cat lay,0\na dog ran,it ran,1\n"
    path = written(tmp_path, "pairs.csv", rows)
    data = read_data(path, path)
    tokenizer = load_tokenizer(tiny_bert()).fast
    first = encoded(tokenizer, data.train, data.classes, 128)[0]
    assert first["input_ids"] == tokenizer("a cat sat", "a cat lay")["input_ids"]
    assert set(first["token_type_ids"]) == {0, 1}


def test_long_examples_are_cut(sentences: Files) -> None:
    data = read_data(sentences.train, sentences.evaluation)
    rows = encoded(load_tokenizer(tiny_bert()).fast, data.train, data.classes, 6)
    assert max(len(row["input_ids"]) for row in rows) == 6


def test_classes_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "n.tsv", "one\t10\ntwo\t9\nthree\t10\n")
    assert read_data(path, path).classes == ("9", "10")


def test_a_label_that_only_one_file_has(tmp_path: Path) -> None:
    three = written(tmp_path, "three.tsv", "one\ta\ntwo\tb\nthree\tc\n")
    two = written(tmp_path, "two.tsv", "one\ta\ntwo\tb\n")
    assert refused(two, three) == f"{three} has labels that {two} lacks: 'c'; {two} has 'a', 'b'."
    (note,) = read_data(three, two).notes
    assert note == f"{two} has no label 'c': no score counts it"


def test_a_file_to_evaluate_on_with_one_label_says_nothing(tmp_path: Path) -> None:
    two = written(tmp_path, "two.tsv", "one\ta\ntwo\tb\n")
    one = written(tmp_path, "one.tsv", "one\tb\ntwo\tb\n")
    assert refused(two, one).startswith(f"{one} has only the label 'b' of 'a', 'b'")


def test_files_without_classes_are_refused(tmp_path: Path, sentences: Files, words: Files) -> None:
    lines = written(tmp_path, "lines.txt", "one\ntwo\n")
    assert "has no labels of sentences or words" in refused(lines, lines)
    numbers = written(tmp_path, "numbers.tsv", "one\t0.5\ntwo\t0.25\n")
    assert "are numbers with fractions" in refused(numbers, numbers)
    same = written(tmp_path, "same.tsv", "one\ta\ntwo\ta\n")
    assert "has only the label 'a'" in refused(same, same)
    missing = written(tmp_path, "missing.jsonl", '{"text": "one", "label": "a"}\n{"text": "two", "label": null}\n')
    assert "row 2: no label" in refused(missing, missing)
    two = written(tmp_path, "two.csv", "text,label,labels\none,a,c\ntwo,b,d\n")
    assert "--label" in refused(two, two)
    assert "they must be of one kind" in refused(sentences.train, words.evaluation)
