"""What stored probes read off an example: the predictions of both checkpoints, word by word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.answers.example import Focus
from explorer.answers.readings import GAINED, LOST, OTHER, SAME, Reading, Unit, readings
from explorer.measures.base import PREDICTIONS
from explorer.selection import Question, Ranges, Selection, ask_store
from store.corpora.annotations import make_annotation
from store.keys import PRETRAINED_KEY, CheckpointKey, Corpus, Level
from store.store import Store
from tests.computed import compute_here
from tests.synthetic import make_store, sample_corpus, sample_labels

KEY = CheckpointKey.plain("pos", "1", 20)
SMALL = (("probe_seeds", 2),)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Words and sentences with labels: those of words are probed in both checkpoints, those of sentences in one."""
    corpus = sample_corpus("words", kind="word", labels=(), examples=40)
    labels = {
        **sample_labels("word", ("NOUN", "VERB"), corpus.info.words, "UPOS"),
        **sample_labels("sentence", ("neg", "pos"), corpus.info.examples, "tone"),
    }
    info = replace(corpus.info, annotations=tuple(one.info for one in labels.values()))
    place = tmp_path_factory.mktemp("read") / "s.bertdyn"
    corpora = [replace(corpus, info=info, annotations=labels), with_spans()]
    store = make_store(place, tasks=("pos",), seeds=("1",), steps=(20,), corpora=corpora)
    last = Ranges.one(20)
    compute_here(
        store,
        asked("UPOS", tasks=("pos", "pretrained")),
        asked("UPOS", tasks=("pos",), steps=last, parameters=(("model", "logistic"), *SMALL)),
        asked("tone", tasks=("pos",), steps=last),
        *(asked(level, corpus="spans", tasks=("pos",), steps=last) for level in ("span", "pair")),
    )
    return store


def with_spans() -> Corpus:
    """Each sentence has a span of its first two words, and a pair of this and of its last word."""
    corpus = sample_corpus("spans", kind="word", labels=(), examples=40)
    first, last = corpus.word_offsets[:-1], corpus.word_offsets[1:] - 1
    spans = np.stack([first, first + 1], axis=1)
    bounds: dict[Level, np.ndarray] = {"span": spans, "pair": np.column_stack([spans, last, last])}
    labels = sample_labels("word", ("NOUN", "VERB"), corpus.info.words, "UPOS") | {
        level: make_annotation(level, level, "class", ("x", "y"), np.arange(len(items)) % 2, items)
        for level, items in bounds.items()
    }
    info = replace(corpus.info, annotations=tuple(one.info for one in labels.values()))
    return replace(corpus, info=info, annotations=labels)


def asked(
    annotation: str, parameters: tuple[tuple[str, object], ...] = SMALL, corpus: str = "words", **more: object
) -> Selection:
    return Selection("probe", corpus, annotation=annotation, parameters=parameters, **more)  # type: ignore[arg-type]


def focus(example: int = 3, layer: int = 2) -> Focus:
    return Focus("words", KEY, PRETRAINED_KEY, layer, 0, example)


def question(store: Store, measure: str = "js") -> Question:
    return ask_store(store, Selection(measure, "words"))


def test_each_word_has_what_was_stored_for_it(store: Store) -> None:
    corpus = store.corpus("words")
    words, sentences = readings(store, question(store), focus())
    assert (words.annotation, words.level, words.compared) == ("UPOS", "word", True)
    assert (sentences.annotation, sentences.level, sentences.compared) == ("tone", "sentence", False)
    first, past = corpus.word_offsets[3:5].tolist()
    assert len(words.units) == past - first
    stored = {}
    for row in store.results():
        if (row.annotation, row.layer, row.statistic) == ("UPOS", 2, "accuracy") and "lda" in row.parameters:
            stored[row.key] = store.artefact(row.artefact)[PREDICTIONS][2, first:past]
    names = np.array(["NOUN", "VERB", ""])
    assert [unit.checkpoint for unit in words.units] == names[stored[KEY]].tolist()
    assert [unit.reference for unit in words.units] == names[stored[PRETRAINED_KEY]].tolist()
    assert [unit.label for unit in words.units] == names[np.arange(first, past) % 2].tolist()
    start = corpus.offsets[3]
    assert [unit.token for unit in words.units] == (corpus.word_first[first:past] - start).tolist()


def test_words_in_the_training_data_of_every_probe_have_no_prediction(store: Store) -> None:
    every = [readings(store, question(store), focus(example))[0] for example in range(10)]
    without = [one for one in every if not one.known]
    assert without  # of two probes, both were trained on about 0.36 of the texts
    assert all(one.known in (0, len(one.units)) for one in every)  # a sentence is in one part of the split
    assert "the others were in the probe's training data" in without[0].note


def test_the_probe_of_the_question_comes_before_the_one_of_both_checkpoints(store: Store) -> None:
    chosen = ask_store(store, asked("UPOS", (("model", "logistic"), *SMALL)))
    words = readings(store, chosen, focus())[0]
    assert (words.compared, words.model) == (False, "model logistic, probe_seeds 2")
    assert "the reference was not probed" in words.note


@pytest.mark.parametrize("level", ["span", "pair"])
def test_a_span_is_read_under_its_words_and_a_pair_names_both_spans(store: Store, level: str) -> None:
    corpus = store.corpus("spans")
    found = readings(store, question(store), replace(focus(), corpus="spans"))
    one = next(one for one in found if one.level == level)
    (unit,) = one.units
    first, last = corpus.annotations[level].items[3, :2].tolist()  # type: ignore[index]
    assert unit.label == "y"
    assert unit.token == corpus.word_first[first] - corpus.offsets[3]
    assert unit.tokens == corpus.word_length[first : last + 1].sum()
    assert last - first + 1 == 2
    assert corpus.words is not None
    words = corpus.words[3]
    assert unit.word == " ".join(words[:2]) + f" + {words[-1]}" * (level == "pair")
    assert f"of 1 {level}s read" in one.note


def test_nothing_is_read_where_nothing_is_stored(store: Store) -> None:
    other = replace(focus(), key=PRETRAINED_KEY, reference=KEY)
    assert [one.annotation for one in readings(store, question(store), other)] == ["UPOS"]
    assert readings(store, question(store), replace(focus(), key=KEY._replace(step=7))) == ()


def test_a_change_is_named_by_who_is_right() -> None:
    said = {
        (now, then): Unit(0, 1, "w", "A", now, then).change for now in ("A", "B", "C", "") for then in ("A", "B", "")
    }
    assert said[("A", "A")] == said[("B", "B")] == SAME
    assert (said[("B", "A")], said[("A", "B")], said[("C", "B")]) == (LOST, GAINED, OTHER)
    assert said[("", "A")] == said[("A", "")] == said[("", "")] == ""


def test_a_token_belongs_to_the_word_that_it_is_a_part_of() -> None:
    units = (Unit(1, 1, "a", "A", "A", "A"), Unit(2, 2, "bc", "A", "B", "A"), Unit(5, 1, "d", "A", "A", "A"))
    found = Reading("UPOS", "word", "", units, (KEY, PRETRAINED_KEY), True)
    assert [found.at(token) for token in range(7)] == [-1, 0, 1, 1, -1, 2, -1]  # 4: a word without a label
    assert found.said(1) == "UPOS A, read as B, in the reference as A"
    assert (found.known, found.right) == (3, (2, 3))
    around = replace(found, units=(Unit(1, 5, "a bc d", "A", "A", "A"), *units))
    assert [around.at(token) for token in range(7)] == [-1, 1, 2, 2, 0, 3, -1]  # the shortest span
