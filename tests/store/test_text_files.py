from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.corpora.labels import different
from store.corpora.text import Text
from store.corpora.text_files import columns_of, read, renamed
from store.errors import BertdynError


def labels(text: Text, name: str = "") -> tuple[object, ...] | None:
    """The labels of an annotation, or of the only one."""
    if not text.labels:
        return None
    (found,) = (one for one in text.labels if name in ("", one.name))
    return found.values


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_tsv_of_two_columns_without_header_is_sentence_and_label(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.tsv", "he said \"no\t0\n's  fine,\\n really\tpos\n"))
    assert text.texts == (('he said "no',), ("'s  fine,\\n really",))
    assert labels(text) == ("0", "pos")
    assert text.kind == "sentence"


def test_a_tsv_with_the_usual_header_is_read_by_its_columns(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.tsv", "sentence\tlabel\nfine\t1\n"))
    assert (text.texts, labels(text)) == ((("fine",),), ("1",))


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,"a ""q""",gold,b\n1,"x, y",yes,z\n2,"two\nlines",no,w\n')
    text = read(path, text='a "q",b', label="gold")
    assert text.texts == (("x, y", "z"), ("two\nlines", "w"))
    assert labels(text) == ("yes", "no")


def test_pairs_are_found_by_their_usual_names(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.csv", "premise,hypothesis\np,h\n"))
    assert text.texts == (("p", "h"),)
    assert labels(text) is None


def test_jsonl_gives_text_and_numbers_as_written(tmp_path: Path) -> None:
    rows = [{"text": "2021-01-05", "label": 1, "x": None}, {"text": "1e5", "label": 2}]
    text = read(write(tmp_path / "a.jsonl", "".join(json.dumps(r) + "\n" for r in rows)))
    assert text.texts == (("2021-01-05",), ("1e5",))
    assert labels(text) == ("1", "2")
    (scores,) = read(write(tmp_path / "b.jsonl", '{"text":"x","label":2.50}\n{"text":"y","label":3}\n')).labels
    assert (scores.kind, scores.values) == ("number", ("2.5", "3"))


def test_parquet_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    quoted = str(path).replace("'", "''")
    duckdb.sql(f"COPY (SELECT 'a' AS sentence, 3 AS label UNION ALL SELECT 'b', 4) TO '{quoted}'")
    text = read(path)
    assert (text.texts, labels(text)) == ((("a",), ("b",)), ("3", "4"))


def test_limit_keeps_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "".join(f"s{i}\t{i}\n" for i in range(50)))
    assert labels(read(path, limit=3)) == ("0", "1", "2")


@given(
    st.lists(st.text(st.characters(exclude_characters="\t\r\n\0", exclude_categories=["Cs"]), min_size=1), min_size=1)
)
def test_any_text_comes_back_from_a_tsv(tmp_path_factory: pytest.TempPathFactory, sentences: list[str]) -> None:
    sentences = [s for s in sentences if s.strip()] or ["x"]
    path = write(tmp_path_factory.mktemp("t") / "a.tsv", "".join(f"{s}\t1\n" for s in ["first", *sentences]))
    assert [t[0] for t in read(path).texts] == ["first", *sentences]


CONLLU = """\
# text = Don't he
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\t_\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\t_\t_\t3\tadvmod\t_\t_
2.1\tleave\tleave\tVERB\t_\t_\t_\t_\t_\t_
3\the\the\tPRON\t_\tCase=Nom|Number=Sing\t0\tnsubj:pass\t_\t_

1\tYes\tyes\tINTJ\t_\t_\t0\troot\t_\t_
"""


def test_conllu_gives_syntactic_words_without_ranges_and_empty_nodes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.conllu", CONLLU)
    text = read(path)
    assert text.words == (("Do", "n't", "he"), ("Yes",))
    assert text.texts == (("Do n't he",), ("Yes",))
    assert [(one.name, one.level, one.kind) for one in text.labels] == [
        ("UPOS", "word", "class"),
        ("DEPREL", "word", "class"),
        ("HEAD", "word", "tree"),
        ("ARCS", "arc", "class"),
        ("Case", "word", "class"),
        ("Number", "word", "class"),
    ]
    assert labels(text, "UPOS") == (("AUX", "PART", "PRON"), ("INTJ",))
    assert labels(text, "HEAD") == ((3, 3, 0), (0,))
    assert labels(text, "ARCS") == (((0, 2, "aux"), (1, 2, "advmod")), ())
    assert labels(text, "Number") == ((None, None, "Sing"), (None,))
    assert labels(read(path, label="deprel")) == (("aux", "advmod", "nsubj:pass"), ("root",))
    assert [one.name for one in read(path, label="number,UPOS").labels] == ["Number", "UPOS"]
    assert read(path, limit=1).words == (("Do", "n't", "he"),)


def test_real_treebank_words_are_all_there(realdata: Path) -> None:
    text = read(realdata / "ewt_dev.conllu")
    assert text.words is not None
    lines = (realdata / "ewt_dev.conllu").read_text(encoding="utf-8").splitlines()
    assert sum(map(len, text.words)) == sum(line.split("\t")[0].isdigit() for line in lines)


def test_real_sentences_are_all_there(realdata: Path) -> None:
    lines = (realdata / "sst2_dev.tsv").read_text(encoding="utf-8").splitlines()
    text = read(realdata / "sst2_dev.tsv")
    assert [f"{t[0]}\t{label}" for t, label in zip(text.texts, labels(text) or (), strict=True)] == lines


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.doc", "x", {}, "corpus files end in .tsv"),
        ("a.tsv", "", {}, "is empty"),
        ("a.csv", "text,label\n", {}, "is empty"),
        ("a.jsonl", "", {}, "a.jsonl"),
        ("a.conllu", "# nothing\n", {}, "is empty"),
        ("a.tsv", b"PK\0\0\1", {}, "is not text"),
        ("a.jsonl", b"\0\1", {}, "is not text"),
        ("a.conllu", b"\0\1", {}, "is not text"),
        ("a.parquet", "not parquet at all", {}, "cannot be read"),
        ("a.tsv", b"caf\xe9\t1\n", {}, "not UTF-8|cannot be read"),
        ("a.csv", "text,label\nx,1\n", {"text": "body"}, "no column 'body'"),
        ("a.csv", "text,label\nx,1\n", {"label": "gold"}, "no column 'gold'"),
        ("a.csv", "a,b\nx,1\n", {}, "which column is the text.*a, b.*--text"),
        ("a.csv", "a,b,c\nx,y,z\n", {"text": "a,b,c"}, "one text or a pair"),
        ("a.tsv", "x\t1\n", {"text": "body"}, "no column 'body'"),
        ("a.tsv", "x\t1\ny\t\n", {}, "line 2: no label"),
        ("a.csv", "text,label\nx,1\n ,2\n", {}, "line 3: no text"),
        ("a.jsonl", '{"text":"x","label":1}\n{"text":"y"}\n', {}, "row 2: no label"),
        ("a.tsv", "x\t1\ny\tz\t2\n", {}, "line 2: 3 columns, but the first line has 2"),
        ("a.tsv", "x\t1\n\ny\t2\nz\n", {}, "line 4: 1 column, but"),
        ("a.tsv", "x\t1\ny \r z\t2\n", {}, "line 2: a carriage return in the middle"),
        ("a.tsv", "x\t1\ry\t2\r", {}, "line 1: a carriage return"),
        ("a.csv", 'text,label\nx,1\n"y,2\n', {}, "line 3 cannot be read"),
        ("a.csv", "text,sentence,label\nx,y,1\n", {}, "'text' and 'sentence' fit; name one with --text"),
        ("a.csv", "premise,hypothesis,question1,question2\na,b,c,d\n", {}, "premise,hypothesis.*question1,question2"),
        ("a.csv", "text,label,gold_label\nx,1,2\n", {}, "'label' and 'gold_label' fit; name one with --label"),
        ("a.tsv", "id1\t0\tx\n", {}, "use numbers, as in --text 4 --label 2"),
        ("a.tsv", "id1\t0\tx\n", {"text": "4"}, "no column '4' for --text, only 3 columns without a header"),
        ("a.tsv", "id\tlabel\ttext\n1\t0\tx\n", {"text": "3"}, "use id, label, text, not numbers"),
        ("a.jsonl", '{"tokens":[["a"],["b"]],"label":1}\n', {"text": "tokens"}, "'tokens' holds lists or mappings"),
        ("a.jsonl", '{"tokens":{"a":1},"label":1}\n', {"text": "tokens"}, "'tokens' holds lists or mappings"),
        ("a.jsonl", '{"text":"a","label":[1]}\n', {}, "'label' holds a label for each word"),
        ("a.jsonl", '{"text":"a","tags":[1]}\n', {"label": "tags"}, "'tags' holds a label for each word"),
        ("a.jsonl", '{"tokens":["a","b"],"tags":[1]}\n', {}, "row 1: 2 words in column 'tokens' and 1 labels in"),
        ("a.jsonl", '{"tokens":["a",""],"tags":[1,2]}\n', {}, "row 1: a word of column 'tokens' is empty"),
        ("a.jsonl", '{"tokens":["a",null],"tags":[1,2]}\n', {}, "row 1: a word of column 'tokens' is empty"),
        ("a.jsonl", '{"tokens":[],"tags":[]}\n{"tokens":["a"],"tags":[1]}\n', {}, "row 1: no text in column 'tokens'"),
        (
            "a.jsonl",
            '{"tokens":["a"],"tags":[1],"ner_tags":[1]}\n',
            {},
            "which column is the label.* 'tags' and 'ner_tags'",
        ),
        ("a.jsonl", '{"tokens":["a"],"text":"a"}\n', {"text": "text,tokens"}, "cannot be part of a pair"),
        ("a.txt", "x\n", {"label": "y"}, "'y' has no meaning for it"),
        ("a.txt", "\n\n", {}, "is empty"),
        ("a.conll", "a B\nb\n", {}, "line 2: 1 columns, but the first line has 2"),
        ("a.conll", "a B\n", {"label": "ner"}, "has 2 columns; labels are label"),
        ("a.conll", "\n", {}, "is empty"),
        ("a.conll", "a B\n", {"text": "1"}, "columns of words, which are the text"),
        ("a.conll", b"\0\1", {}, "is not text: a .conll file was expected"),
        ("a.conll", b"caf\xe9 B\n", {}, "is not UTF-8 text"),
        ("a.txt", b"\0\1", {}, "is not text"),
        ("a.txt", b"caf\xe9\n", {}, "is not UTF-8 text"),
        ("a.csv", "text,label,text\nx,1,y\n", {}, "names a column twice in its first line: text, label, text"),
        ("a.conllu", b"1\tcaf\xe9\n", {}, "is not UTF-8 text"),
        ("a.conllu", CONLLU.replace("3\the", "3\t"), {}, "line 6: a word without a form"),
        ("a.conllu", "1\tDo\n", {}, "line 1: not CoNLL-U"),
        (
            "a.conllu",
            CONLLU,
            {"label": "xpos"},
            "no word of .* has XPOS. It has UPOS, DEPREL, HEAD, ARCS, Case, Number",
        ),
        (
            "a.conllu",
            CONLLU.replace("\t3\tadv", "\t0\tadv"),
            {},
            "line 6: a second root, 'he' after 'n't'.*--label upos",
        ),
        ("a.conllu", CONLLU.replace("\t0\tnsubj", "\t1\tnsubj"), {}, "line 3: the heads of 'Do' form a cycle"),
        ("a.conllu", CONLLU.replace("\t3\taux", "\t9\taux"), {}, "line 3: the head '9' is not a word of the sentence"),
        ("a.conllu", CONLLU.replace("\t3\taux", "\tx\taux"), {}, "line 3: the head 'x' is not a word of the sentence"),
        ("a.conllu", CONLLU.replace("3\the", "4\the"), {}, "line 6: word 4, but 3 was expected"),
        ("a.conllu", CONLLU, {"text": "form"}, "words are the text"),
    ],
)
def test_bad_files_get_one_sentence(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, str], message: str
) -> None:
    with pytest.raises(BertdynError, match=message) as caught:
        read(write(tmp_path / name, content), **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("first", "columns", "label"),
    [
        ("index\tquestion\tsentence\tlabel", "question,sentence", "label"),
        ("index\tgenre\tsentence1\tsentence2\tlabel1\tgold_label", "sentence1,sentence2", "gold_label"),
        ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", "question1,question2", "is_duplicate"),
        ("text\ttext_pair\tlabels", "text,text_pair", "labels"),
        ("index\tsentence1\tsentence2\tscore", "sentence1,sentence2", "score"),
        ("index\tsentence1\tsentence2\tgenre", "sentence1,sentence2", None),
    ],
)
def test_the_columns_of_known_data_sets_are_taken_whole(
    tmp_path: Path, first: str, columns: str, label: str | None
) -> None:
    names = first.split("\t")
    text = read(write(tmp_path / "a.tsv", f"{first}\n" + "\t".join(f"{name} of row" for name in names) + "\n"))
    assert text.columns == {"text": columns, **({"label": label} if label else {})}
    assert text.texts == (tuple(f"{name} of row" for name in columns.split(",")),)
    assert labels(text) == ((f"{label} of row",) if label else None)


def test_a_table_without_header_is_read_by_number(tmp_path: Path) -> None:
    path = write(tmp_path / "cola.tsv", "gj04\t0\t\tone road\ngj04\t1\t*\ttwo roads\n")
    text = read(path, text="4", label="2")
    assert (text.texts, labels(text)) == ((("one road",), ("two roads",)), ("0", "1"))
    assert read(path, text="4,1").texts == (("one road", "gj04"), ("two roads", "gj04"))
    assert text.columns == {"text": "4", "label": "2", "header": "none"}
    named = write(tmp_path / "years.csv", "2019,2020,label\na,b,1\n")
    assert read(named, text="2020").texts == (("b",),)


def test_bad_rows_are_left_out_and_counted_when_that_is_wanted(tmp_path: Path) -> None:
    table = "text\tlabel\nx\t1\ntorn\n\t2\ny\t2\nz\t\n a \r b\t1\nlast\t1\n"
    path = write(tmp_path / "a.tsv", table)
    text = read(path, skip=True)
    assert (text.texts, labels(text)) == ((("x",), ("y",), ("last",)), ("1", "2", "1"))
    assert text.notes[-1].startswith("4 bad lines are left out (line 3: 1 column, but the first line has 2; line 4: ")
    assert read(path, skip=True, limit=2).texts == (("x",), ("y",))
    rows = write(tmp_path / "a.jsonl", '{"text":"x","label":1}\n{"text":"y"}\n')
    assert read(rows, skip=True).notes == ("1 bad row is left out (row 2: no label in column 'label')",)
    words = read(write(tmp_path / "a.conllu", CONLLU.replace("\t3\tadv", "\t0\tadv")), skip=True)
    assert words.words == (("Yes",),)
    assert words.notes == ("1 sentence is left out (line 6: a second root, 'he' after 'n't')",)
    with pytest.raises(BertdynError, match="is empty"):
        read(write(tmp_path / "b.tsv", "text\tlabel\nx\n"), skip=True)


@pytest.mark.parametrize(
    ("name", "options", "columns"),
    [
        ("qnli.tsv", {}, {"text": "question,sentence", "label": "label"}),
        ("mnli.tsv", {}, {"text": "sentence1,sentence2", "label": "gold_label"}),
        ("stsb.tsv", {}, {"text": "sentence1,sentence2", "label": "score"}),
        ("cola.tsv", {"text": "4", "label": "2"}, {"text": "4", "label": "2", "header": "none"}),
        ("senteval.tsv", {"text": "3", "label": "2"}, {"text": "3", "label": "2", "header": "none"}),
    ],
)
def test_files_as_their_owners_publish_them(
    cases: Path, name: str, options: dict[str, str], columns: dict[str, str]
) -> None:
    text = read(cases / name, **options)  # type: ignore[arg-type]
    assert text.columns == columns
    header = "label" in (cases / name).read_text().split("\n")[0] or "score" in (cases / name).read_text()
    assert len(text.texts) == len((cases / name).read_text().splitlines()) - header


def test_words_and_their_labels_as_they_are_published(cases: Path) -> None:
    text = read(cases / "ner.jsonl", text="tokens", label="ner_tags")
    rows = [json.loads(line) for line in (cases / "ner.jsonl").read_text().splitlines()]
    assert text.words == tuple(tuple(row["tokens"]) for row in rows)
    assert labels(text, "ner_tags") == tuple(tuple(map(str, row["ner_tags"])) for row in rows)


@pytest.mark.parametrize("name", ["qqp_torn.tsv", "qqp_empty.tsv", "bare_cr.tsv"])
def test_one_bad_row_is_named_or_left_out(cases: Path, name: str) -> None:
    with pytest.raises(BertdynError, match=r"line \d+: .*--skip-bad-rows"):
        read(cases / name)
    whole = read(cases / name, skip=True)
    assert whole.notes[-1].startswith("1 ")


def test_a_word_without_a_label_is_a_word_without_that_label(cases: Path) -> None:
    text = read(cases / "one_hole.conllu")
    assert any(label is None for sentence in labels(text, "UPOS") or () for label in sentence)  # type: ignore[attr-defined]
    assert any(None not in sentence for sentence in labels(text, "DEPREL") or ())  # type: ignore[operator]


def test_several_columns_of_labels_are_several_annotations_and_fractions_make_numbers(tmp_path: Path) -> None:
    table = "text\tlabel\tscore\tsplit\nx\t1\t2.5\ttrain\ny\t0\t3\ttest\n"
    text = read(write(tmp_path / "a.tsv", table), label="label,score")
    assert [(one.name, one.kind, one.values) for one in text.labels] == [
        ("label", "class", ("1", "0")),
        ("score", "number", ("2.5", "3")),
        ("split", "split", ("train", "test")),
    ]
    with pytest.raises(BertdynError, match="line 3: no split in column 'split'"):
        read(write(tmp_path / "b.tsv", table.replace("\ttest", "\t")))
    bare = write(tmp_path / "c.tsv", table.replace("0\t3", "\t3"))
    with pytest.raises(BertdynError, match="line 3: no label in column 'label'"):
        read(bare)
    assert labels(read(bare, unlabelled=True), "label") == ("1", None)


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".json", ".parquet"])
def test_lists_of_words_with_lists_of_labels_are_words_and_labels(tmp_path: Path, ending: str) -> None:
    rows = [
        {"tokens": ["a 1", "b"], "ner_tags": [3, 0], "topic": "x"},
        {"tokens": ["c"], "ner_tags": [None], "topic": "y"},
    ]
    path = tmp_path / f"a{ending}"
    lines = tmp_path / "lines.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if ending == ".parquet":
        duckdb.sql(f"copy (select * from read_json('{lines}')) to '{path}'")
    else:
        path.write_text(json.dumps(rows) if ending == ".json" else lines.read_text())
    text = read(path)
    assert (text.kind, text.words, text.texts) == ("word", (("a 1", "b"), ("c",)), (("a 1 b",), ("c",)))
    assert [(one.name, one.level, one.values) for one in text.labels] == [
        ("ner_tags", "word", (("3", "0"), (None,))),
    ]
    assert labels(read(path, label="topic")) == ("x", "y")


def test_minus_100_in_a_list_of_labels_is_a_word_without_a_label(tmp_path: Path) -> None:
    text = read(write(tmp_path / "a.jsonl", '{"tokens":["a","b","c"],"ner_tags":[0,-100,-1]}\n'))
    assert labels(text, "ner_tags") == (("0", None, "-1"),)
    sentences = read(write(tmp_path / "b.jsonl", '{"text":"a","label":-100}\n'))
    assert labels(sentences) == ("-100",)


def test_a_word_and_its_labels_in_each_line(tmp_path: Path, cases: Path) -> None:
    text = read(cases / "ner.conll")
    assert [one.name for one in text.labels if one.level == "word"] == ["POS", "CHUNK", "NER"]
    assert text.words is not None
    assert len(text.words) == 20
    assert "-DOCSTART-" not in text.words[0]
    assert labels(read(cases / "ner.conll", label="ner,2"), "POS") == labels(text, "POS")
    two = read(write(tmp_path / "a.conll", "a\tX\nb\tY\n\nc Z"))
    assert (two.words, labels(two, "label")) == ((("a", "b"), ("c",)), (("X", "Y"), ("Z",)))
    three = read(write(tmp_path / "b.conll", "a X 1\n"))
    assert [one.name for one in three.labels] == ["2", "3"]


def test_json_and_lines_are_read_by_what_they_hold(tmp_path: Path, cases: Path) -> None:
    assert len(read(cases / "lines.json").texts) == 20
    rows = read(write(tmp_path / "a.json", '[{"text": "x", "label": "1"},\n {"text": "y", "label": "0"}]'))
    assert (rows.texts, labels(rows)) == ((("x",), ("y",)), ("1", "0"))
    lines = read(write(tmp_path / "a.txt", "one\n\n two\tthree \n"), limit=2)
    assert (lines.texts, lines.labels, lines.kind) == ((("one",), ("two\tthree",)), (), "sentence")
    assert labels(read(cases / "xpos_only.conllu", label="xpos")) is not None


def test_blank_lines_and_rows_are_no_examples(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "text,label\nx,1\n\n ,\ny,2\n")).texts == (("x",), ("y",))
    words = read(write(tmp_path / "a.conllu", f"\n\n{CONLLU}\n\n\n{CONLLU}")).words
    assert words is not None
    assert words[: len(words) // 2] == words[len(words) // 2 :]


def test_labels_that_are_no_finite_numbers_are_classes(tmp_path: Path) -> None:
    (found,) = read(write(tmp_path / "a.tsv", "x\tinf\ny\t1.5\n")).labels
    assert (found.kind, found.values) == ("class", ("inf", "1.5"))


def test_numbers_come_before_words_and_inf_and_nan_are_words() -> None:
    given = ["nan", "10", "Inf", "2", "Fin", "1", "NaN", "b"]
    ordered = ("1", "2", "10", "Fin", "Inf", "NaN", "b", "nan")
    assert {different(given[start:] + given[:start]) for start in range(len(given))} == {ordered}


def test_only_a_single_column_of_labels_can_have_another_name(tmp_path: Path) -> None:
    table = "text\tlabel\tscore\nx\t1\t2.5\n"
    one = renamed(read(write(tmp_path / "a.tsv", table), label="score"), "grade")
    assert [labels.name for labels in one.labels] == ["grade"]
    with pytest.raises(BertdynError, match=r"--name grade needs exactly one column of labels.* has label, score"):
        renamed(read(tmp_path / "a.tsv", label="label,score"), "grade")
    with pytest.raises(BertdynError, match=r"has none\."):
        renamed(read(write(tmp_path / "b.txt", "x\n")), "grade")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match=r"no corpus file .*x\.tsv"):
        read(tmp_path / "x.tsv")


CORPORA = {"dev": Path("dev.csv"), "ewt": Path("ewt.conllu"), "m": Path("m.jsonl")}


def test_a_bare_label_is_for_the_corpora_it_can_be_meant_for() -> None:
    assert columns_of(CORPORA, ["upos"], "--label") == {"ewt": "upos"}
    assert columns_of(CORPORA, ["gold", "deprel"], "--label") == {"dev": "gold", "m": "gold", "ewt": "deprel"}
    assert columns_of(CORPORA, ["m:x:y", "gold"], "--label") == {"m": "x:y", "dev": "gold"}
    assert columns_of(CORPORA, ["gold", "m:x"], "--label") == {"m": "x", "dev": "gold"}
    assert columns_of(CORPORA, ["a:b"], "--text") == {"dev": "a:b", "m": "a:b"}
    assert columns_of({"dev": Path("dev.csv")}, ["upos"], "--label") == {"dev": "upos"}


def test_labels_add_up_and_two_texts_for_one_corpus_or_one_for_none_are_errors() -> None:
    assert columns_of(CORPORA, ["a", "b,c", "a"], "--label") == {"dev": "a,b,c", "m": "a,b,c"}
    assert columns_of({"ewt": Path("ewt.conllu")}, ["Number", "upos"], "--label") == {"ewt": "Number,upos"}
    with pytest.raises(BertdynError, match="both 'a' and 'b' are given for corpus 'dev'"):
        columns_of(CORPORA, ["a", "b"], "--text")
    with pytest.raises(BertdynError, match=r"in a \.conllu the words are the text"):
        columns_of({"ewt": Path("ewt.conllu")}, ["gold"], "--text")
