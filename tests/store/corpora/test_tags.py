"""Spans from tags of words, and the files of columns that hold them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.corpora.tags import are_tags, scheme_of, spans_of
from store.corpora.text_files import read
from store.errors import BertdynError

SPANS = ((0, 1, "PER"), (2, 2, "PER"), (3, 5, "LOC"), (7, 7, "LOC"))
WRITTEN = {
    "IOB1": "I-PER I-PER B-PER I-LOC I-LOC I-LOC O I-LOC",
    "IOB2": "B-PER I-PER B-PER B-LOC I-LOC I-LOC O B-LOC",
    "IOBES": "B-PER E-PER S-PER B-LOC I-LOC E-LOC O S-LOC",
    "BILOU": "B-PER L-PER U-PER B-LOC I-LOC L-LOC O U-LOC",
}


@pytest.mark.parametrize("scheme", WRITTEN)
def test_the_scheme_is_found_and_all_schemes_describe_the_same_spans(scheme: str) -> None:
    tags = WRITTEN[scheme].split()
    assert (scheme_of([tags, ["O"]]), spans_of(tags)) == (scheme, SPANS)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["A", "B-C", ""])), max_size=8),
    st.sampled_from(list(WRITTEN)),
)
def test_any_spans_come_back_from_any_scheme(drawn: list[tuple[int, str]], scheme: str) -> None:
    tags: list[str] = []
    spans = []
    for length, name in drawn:
        if not name:
            tags += ["O"] * length
            continue
        spans.append((len(tags), len(tags) + length - 1, name))
        same = bool(tags) and tags[-1][2:] == name
        begin = {"IOB1": "B" if same else "I"}.get(scheme, "B")
        end = {"IOBES": "E", "BILOU": "L"}.get(scheme, "I")
        alone = {"IOBES": "S", "BILOU": "U"}.get(scheme, begin)
        letters = alone if length == 1 else begin + "I" * (length - 2) + end
        tags += [f"{letter}-{name}" for letter in letters]
    assert spans_of(tags) == tuple(spans)
    if spans:
        assert scheme_of([tags]) == scheme


@pytest.mark.parametrize(
    "tags", ["B-A O I-A", "I-A B-B", "B-A I-A S-A", "B-A E-B", "O E-A", "B-A O E-A", "U-A E-A", "S-A I-A"]
)
def test_tags_that_follow_no_scheme_have_none(tags: str) -> None:
    assert are_tags([tags.split()])
    assert scheme_of([tags.split()]) == ""


@pytest.mark.parametrize("tags", ["O O", "NN VB", "B-A NN", "-X- O", "O B"])
def test_other_labels_are_no_tags(tags: str) -> None:
    assert not are_tags([tags.split()])


CONLL = """\
-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
Dutch JJ I-NP B-MISC

no RB O O
"""


def test_the_plan_of_a_conll_2003_file_names_the_scheme(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text(CONLL)
    text = read(tmp_path / "a.conll")
    assert text.words == (("EU", "rejects", "German", "Dutch"), ("no",))
    assert [(one.name, one.level) for one in text.labels] == [
        ("POS", "word"),
        ("CHUNK", "word"),
        ("CHUNK-spans", "span"),
        ("NER", "word"),
        ("NER-spans", "span"),
    ]
    assert text.labels[2].values == (((0, 0, "NP"), (1, 1, "VP"), (2, 3, "NP")), ())
    assert text.labels[4].values == (((0, 0, "ORG"), (2, 2, "MISC"), (3, 3, "MISC")), ())
    assert text.columns["format"] == "CoNLL columns, CHUNK in IOB1, NER in IOB1"
    assert [one.name for one in read(tmp_path / "a.conll", label="ner-spans,4,4-spans").labels] == ["NER-spans", "NER"]


@pytest.mark.parametrize("name", ["eng.testa", "train.txt"])
def test_a_file_that_begins_with_a_document_has_columns_of_words_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\n" + CONLL)
    assert [one.name for one in read(tmp_path / name, label="NER").labels] == ["NER"]


def test_tags_that_follow_no_scheme_are_labels_of_words_and_it_is_said(tmp_path: Path, cases: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a B-X\nb O\nc I-X\n")
    text = read(path)
    assert [(one.name, one.level) for one in text.labels] == [("label", "word")]
    said = "the tags of column label follow none of IOB1, IOB2, IOBES and BILOU throughout"
    assert text.notes == (f"{said}: they are labels of words only",)
    with pytest.raises(BertdynError, match=f"labels are label. Also, {said}"):
        read(path, label="label-spans")
    assert "NER in IOB2" in read(cases / "ner.conll").columns["format"]


def test_a_line_with_another_number_of_columns_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text(CONLL.replace("German JJ", "German"))
    with pytest.raises(BertdynError, match=r"a\.conll, line 5: 3 columns, but the first line has 4"):
        read(tmp_path / "a.conll")


def test_lines_that_name_a_sentence_are_not_words(tmp_path: Path) -> None:
    path = tmp_path / "en-train.conll"
    path.write_text("# id 5239d808\tdomain=en\n# _ _ O\neli _ _ B-PER\n\n# id 77\tdomain=en\nid _ _ B-LOC\n")
    text = read(path, label="ner,ner-spans")
    assert text.words == (("#", "eli"), ("id",))
    assert [one.values for one in text.labels] == [
        (("O", "B-PER"), ("B-LOC",)),
        (((1, 1, "PER"),), ((0, 0, "LOC"),)),
    ]
