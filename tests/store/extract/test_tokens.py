from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.corpora.annotate import annotations_of
from store.corpora.labels import Labels
from store.corpora.text import Text
from store.errors import BertdynError
from store.extract.tokens import Tokenizer, files_digest, has_tokenizer, load_tokenizer, make_corpus
from store.keys import Corpus
from tests.store.extract import models


def saved(folder: Path, tokenizer: Any) -> Tokenizer:
    tokenizer.save_pretrained(folder)
    return load_tokenizer(folder)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return saved(tmp_path_factory.mktemp("bert"), models.wordpiece())


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return saved(tmp_path_factory.mktemp("roberta"), models.byte_level())


def sentences(*texts: str | tuple[str, ...], labels: tuple[str, ...] | None = None) -> Text:
    columns = tuple((t,) if isinstance(t, str) else t for t in texts)
    taken = () if labels is None else (Labels("label", "sentence", "class", labels),)
    return Text("sentence", columns, None, taken, "here", "0" * 64, {"text": "text"})


def words(*rows: tuple[str, ...]) -> Text:
    labels = tuple(tuple(w[:1].upper() or "EMPTY" for w in row) for row in rows)
    taken = (Labels("UPOS", "word", "class", labels),)
    return Text("word", tuple((" ".join(r),) for r in rows), rows, taken, "here", "0" * 64, {"label": "UPOS"})


def labels_of(corpus: Corpus) -> list[str]:
    """The labels of the only annotation."""
    (labels,) = corpus.annotations.values()
    return [labels.names[i] for i in labels.values]


def spelled(corpus: Any) -> list[list[str]]:
    """Each word as the sub-words it points at."""
    return [
        [corpus.pieces[int(i)] for i in corpus.token_ids[first : first + n]]
        for first, n in zip(corpus.word_first, corpus.word_length, strict=True)
    ]


def test_sentences_are_packed_as_the_tokenizer_alone_would_give_them(bert: Tokenizer) -> None:
    corpus = make_corpus("dev", sentences(*models.SENTENCES), bert, 128)
    for i, sentence in enumerate(models.SENTENCES):
        alone = bert.fast(sentence)
        part = slice(int(corpus.offsets[i]), int(corpus.offsets[i + 1]))
        assert corpus.token_ids[part].tolist() == alone["input_ids"]
        assert corpus.token_types[part].tolist() == alone["token_type_ids"]
        assert np.flatnonzero(corpus.special[part]).tolist() == [0, len(alone["input_ids"]) - 1]
    lengths = np.diff(corpus.offsets)
    assert (corpus.info.tokens, corpus.info.pairs) == (lengths.sum(), (lengths**2).sum())
    assert (corpus.info.examples, corpus.info.truncated, corpus.info.annotations) == (7, 0, ())


def test_words_are_pre_tokens_and_their_sub_words_spell_them(bert: Tokenizer) -> None:
    corpus = make_corpus("dev", sentences("the unbelievably dull cat!"), bert, 128)
    spelt = ["".join(p.removeprefix("##") for p in word) for word in spelled(corpus)]
    assert spelt == ["the", "unbelievably", "dull", "cat", "!"]
    assert not corpus.special[corpus.word_first].any()


def test_pairs_have_two_token_types_and_the_words_of_both(bert: Tokenizer) -> None:
    corpus = make_corpus("nli", sentences(("the cat", "the mat"), ("no", "no film")), bert, 128)
    alone = bert.fast("the cat", "the mat")["token_type_ids"] + bert.fast("no", "no film")["token_type_ids"]
    assert corpus.token_types.tolist() == alone
    assert set(alone) == {0, 1}
    assert corpus.word_offsets.tolist() == [0, 4, 7]
    assert corpus.texts == (("the cat", "the mat"), ("no", "no film"))


def test_a_model_without_token_types_gets_none(roberta: Tokenizer) -> None:
    corpus = make_corpus("nli", sentences(("the cat", "the mat")), roberta, 128)
    assert set(corpus.token_types.tolist()) == {0}
    assert corpus.info.words == 4


def test_given_words_are_kept_apart_and_labelled(bert: Tokenizer) -> None:
    corpus = make_corpus("ewt", words(("the", "cat-mat", "sat"), ("no",)), bert, 128)
    assert corpus.info.kind == "word"
    assert corpus.word_offsets.tolist() == [0, 3, 4]
    assert len(spelled(corpus)[1]) >= 3
    assert labels_of(corpus) == ["T", "C", "S", "N"]


def test_byte_level_words_are_tokenised_as_inside_a_sentence(roberta: Tokenizer) -> None:
    split = make_corpus("w", words(("dogs", "chase", "cats")), roberta, 128)
    whole = roberta.fast(" dogs chase cats")["input_ids"]
    assert split.token_ids.tolist() == whole
    assert ["".join(w) for w in spelled(split)] == ["Ġdogs", "Ġchase", "Ġcats"]


@pytest.mark.parametrize("prefix", [False, True])
def test_words_are_tokenised_alike_whatever_splits_them_before_the_bytes(tmp_path: Path, prefix: bool) -> None:
    """GPT-4's kind of pre-tokenizer: a pattern, then bytes, which are not split again (tokenizers #915)."""
    from tokenizers import Regex, pre_tokenizers

    pattern = r"'s|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"
    own = models.byte_level()
    own.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=False),
        ]
    )
    tokenizer = saved(tmp_path / "own", own)
    split = make_corpus("w", words(("the", "river's", "cats")), tokenizer, 128)
    assert split.token_ids.tolist() == tokenizer.fast(" the river's cats")["input_ids"]
    assert len(spelled(split)) == 3


def test_words_that_the_model_cannot_tell_apart_are_one_type(bert: Tokenizer, roberta: Tokenizer) -> None:
    rows = words(("The", "cat", "sat"), ("CAT", "the", "日本", "cats", "中国"))
    uncased, cased = (make_corpus("w", rows, tokenizer, 128) for tokenizer in (bert, roberta))
    assert spelled(uncased)[5] == spelled(uncased)[7] == ["[UNK]", "[UNK]"]
    assert uncased.word_types.tolist() == [0, 1, 2, 1, 0, 3, 4, 3]
    assert cased.word_types.tolist() == list(range(8))


def test_texts_that_are_the_same_input_of_the_model_are_one_text(bert: Tokenizer, roberta: Tokenizer) -> None:
    rows = sentences("the cat sat", "The  cat SAT", "the cat", "the cat sat down")
    assert make_corpus("a", rows, bert, 128).same_text.tolist() == [0, 0, 1, 2]
    assert make_corpus("a", rows, bert, 5).same_text.tolist() == [0, 0, 1, 0]
    assert make_corpus("a", rows, roberta, 128).same_text.tolist() == [0, 1, 2, 3]
    pairs = sentences(("the", "cat [SEP] sat"), ("the [SEP] cat", "sat"))
    made = make_corpus("a", pairs, bert, 128)
    assert made.token_ids[: made.offsets[1]].tolist() == made.token_ids[made.offsets[1] :].tolist()
    assert made.same_text.tolist() == [0, 1]  # other token types


def test_truncation_cuts_counts_and_drops_the_words_it_cut(bert: Tokenizer) -> None:
    text = words(("the", "committeedogsmice", "cat"), ("no",))
    whole = make_corpus("w", text, bert, 128)
    pieces = int(whole.word_length[1])
    assert pieces > 2
    short = make_corpus("w", text, bert, 1 + 1 + (pieces - 1) + 1)  # [CLS] the committee... [SEP]
    assert short.info.truncated == 1
    assert np.diff(short.offsets).tolist() == [1 + 1 + (pieces - 1) + 1, 2 + int(whole.word_length[3])]
    assert ["".join(word).replace("##", "") for word in spelled(short)] == ["the", "no"]
    assert labels_of(short) == ["T", "N"]


def test_a_word_without_tokens_has_no_label_either(bert: Tokenizer) -> None:
    corpus = make_corpus("w", words(("cat", "\u200b", "mat")), bert, 128)
    assert corpus.word_offsets.tolist() == [0, 2]
    assert labels_of(corpus) == ["C", "M"]


PIECES = ("AlbertTokenizer", "XLMRobertaTokenizer", "DebertaV2Tokenizer")
ODD = ("naïve", "\u200b", "東京", "\ufeff", "1 000", "…", "l’été", "a\u200bb", "👍🏽", "e\u0301", "\u200d")
"""Words outside of ASCII; three of zero width, which SentencePiece's own normalisation turns into nothing."""


@pytest.fixture(scope="module", params=PIECES)
def pieces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return saved(tmp_path_factory.mktemp(request.param), models.sentence_pieces(request.param))


def test_words_of_sentence_pieces_are_those_of_running_text(pieces: Tokenizer) -> None:
    rows = [tuple(sentence.split()) for sentence in models.SENTENCES]
    split = make_corpus("w", words(*rows), pieces, 128)
    for i, row in enumerate(rows):
        part = slice(int(split.offsets[i]), int(split.offsets[i + 1]))
        assert split.token_ids[part].tolist() == pieces.fast(" ".join(row))["input_ids"]
    assert ["".join(word).removeprefix("▁") for word in spelled(split)] == [word for row in rows for word in row]


@pytest.mark.parametrize("length", range(4, 30))
def test_each_word_of_sentence_pieces_has_its_own_tokens_or_is_counted(pieces: Tokenizer, length: int) -> None:
    row = (*models.SENTENCES[4].split(), *ODD)
    made = make_corpus("w", words(row), pieces, length)
    alone = [pieces.fast.encode(word, add_special_tokens=False) for word in row]
    ends = np.cumsum([len(ids) for ids in alone])
    there = [i for i, ids in enumerate(alone) if ids and ends[i] <= length - 2]
    assert made.word_index.tolist() == there
    spans = zip(made.word_first.tolist(), made.word_length.tolist(), strict=True)
    assert [made.token_ids[a : a + n].tolist() for a, n in spans] == [alone[i] for i in there]
    cut = bool(ends[-1] > length - 2)
    assert made.info.truncated == cut
    limit = (there[-1] + 1 if there else 0) if cut else len(row)
    assert made.without_tokens == sum(not ids for ids in alone[:limit])


def test_bytes_of_words_outside_of_ascii_belong_to_their_word(roberta: Tokenizer) -> None:
    made = make_corpus("w", words(ODD), roberta, 512)
    alone = [roberta.fast.encode(" " + word, add_special_tokens=False) for word in ODD]
    assert (made.word_index.tolist(), made.without_tokens) == (list(range(len(ODD))), 0)
    assert made.word_length.tolist() == [len(ids) for ids in alone]
    assert made.token_ids.tolist()[1:-1] == [i for ids in alone for i in ids]


def test_tokens_of_bytes_are_written_as_characters_where_they_are_whole(tmp_path: Path) -> None:
    tokenizer = saved(tmp_path / "own", models.byte_level(" café 東京"))
    assert tokenizer.fast.tokenize(" café 東京") == ["ĠcafÃ©", "ĠæĿ±äº¬"]
    made = make_corpus("w", words(("café", "東京", "ö", "\n")), tokenizer, 128)
    assert spelled(made) == [["Ġcafé"], ["Ġ東京"], ["Ġ", "Ã", "¶"], ["Ġ", "Ċ"]]


def test_a_later_annotation_counts_words_as_the_first_did(bert: Tokenizer) -> None:
    row = ("the", "\u200b", "cat", "sat", "\u200b")
    spans = Labels("s", "span", "class", (((0, 1, "A"), (1, 3, "B"), (2, 2, "C"), (4, 4, "D")),))
    text = replace(words(row), labels=(spans,))
    for length, counts in ((128, (3, 3, 2)), (4, (3, 1, 1))):  # at 4, the last two words are cut off
        made = make_corpus("w", text, bert, length)
        (later,) = annotations_of(made, text)
        (first,) = made.info.annotations
        assert (first.left_out, first.without_tokens, made.without_tokens) == counts
        assert later.info == replace(first, place=later.info.place)


def test_labels_are_ordered_as_numbers_then_as_words(bert: Tokenizer) -> None:
    corpus = make_corpus("dev", sentences("a", "b", "c", "d", labels=("10", "9", "no", "-1.5")), bert, 128)
    (labels,) = corpus.annotations.values()
    assert labels.names == ("-1.5", "9", "10", "no")
    assert labels.values.tolist() == [2, 1, 3, 0]


def test_no_room_for_text_is_said(bert: Tokenizer) -> None:
    with pytest.raises(BertdynError, match="--max-length 2 leaves no room"):
        make_corpus("dev", sentences("a"), bert, 2)


def test_the_fingerprint_is_of_what_the_model_is_given(bert: Tokenizer, roberta: Tokenizer) -> None:
    text = sentences(*models.SENTENCES)
    first = make_corpus("dev", text, bert, 128).info
    assert make_corpus("other name", text, bert, 64).info.fingerprint == first.fingerprint
    assert make_corpus("dev", replace(text, texts=text.texts[:-1]), bert, 128).info.fingerprint != first.fingerprint
    assert make_corpus("dev", text, roberta, 128).info.fingerprint != first.fingerprint


def test_a_tokenizers_fingerprint_does_not_depend_on_its_last_use(tmp_path: Path) -> None:
    fresh = models.wordpiece()
    fresh.save_pretrained(tmp_path / "fresh")
    fresh(["a", "the cat sat"], truncation=True, padding="max_length", max_length=7)
    fresh.save_pretrained(tmp_path / "used")
    assert load_tokenizer(tmp_path / "used").fingerprint == load_tokenizer(tmp_path / "fresh").fingerprint


def test_which_folders_have_a_tokenizer_and_which_have_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        models.wordpiece().save_pretrained(tmp_path / name)
    models.byte_level().save_pretrained(tmp_path / "c")
    assert has_tokenizer(tmp_path / "a")
    assert not has_tokenizer(tmp_path)
    assert files_digest(tmp_path / "a") == files_digest(tmp_path / "b") != files_digest(tmp_path / "c")


def test_a_broken_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    models.wordpiece().save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"version": ')
    with pytest.raises(BertdynError, match=r"tokenizer in .* cannot be loaded: .") as caught:
        load_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_cannot_tell_the_parts_of_a_word_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.wordpiece().save_pretrained(tmp_path)
    slow = type("SlowTokenizer", (), {"is_fast": False})
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: slow())
    with pytest.raises(BertdynError, match=r"\(SlowTokenizer\) cannot tell the sub-words of a word"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_that_fails_on_a_text_is_one_sentence(tmp_path: Path) -> None:
    models.wordpiece().save_pretrained(tmp_path)
    tokenizer = load_tokenizer(tmp_path)

    class Failing:
        def __getattr__(self, name: str) -> Any:
            raise ValueError(f"no {name}\nand more")

    broken = replace(tokenizer, fast=Failing())
    with pytest.raises(BertdynError, match=r"fails on here: no [a-z_]+$"):
        make_corpus("dev", Text("sentence", (("a",),), None, (), "here", "", {}), broken, 20)
