"""Is the generated language the same each time, balanced, and what it says it is?"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from explorer.demo import texts


@pytest.mark.parametrize("make", [texts.topic, texts.tagged, texts.corpus])
def test_same_seed_same_text_in_another_process(make):
    here = make(7, 50)
    code = f"from explorer.demo import texts; print(repr(texts.{make.__name__}(7, 50)))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert there == repr(here)
    assert make(8, 50) != here


def test_generating_text_loads_no_torch():
    code = "import sys, explorer.demo.run, explorer.demo.recipe; print({'torch', 'numpy', 'zarr'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_topics_are_as_even_as_the_number_allows():
    counts = Counter(s.topic for s in texts.topic(3, 301))
    assert set(counts) == set(texts.TOPICS)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_nothing_is_trained_on_that_is_held_out():
    held_out = texts.topic(1, 300)
    training = texts.topic(1, 3000, avoid=held_out)  # the same seed, so it would repeat all of them
    assert not {s.words for s in held_out} & {s.words for s in training}
    assert len({s.words for s in training}) == 3000


def test_words_alone_do_not_give_the_topic_away():
    """Else one layer would do, and there would be no dynamics to look at: main and other clause must be told apart."""
    sentences = texts.topic(5, 3000)
    counted: dict[str, Counter[str]] = {}
    for s in sentences:
        for word in s.words:
            counted.setdefault(word.lower(), Counter())[s.topic] += 1
    right = 0
    for s in sentences:
        votes: Counter[str] = Counter()
        for word in s.words:
            total = sum(counted[word.lower()].values())
            votes.update({t: (n / total) ** 2 for t, n in counted[word.lower()].items()})
        right += votes.most_common(1)[0][0] == s.topic
    assert 0.5 < right / 3000 < 0.85  # far better than a guess (1/6), far from solved


def test_subject_and_verb_agree_across_a_distractor():
    """ "the map near the bridges is": the verb follows the first noun, though another number stands beside it."""
    crossed = 0
    for s in texts.tagged(2, 4000):
        for i in range(len(s.words) - 5):
            if s.tags[i : i + 6] != ("DET", "NOUN", "ADP", "DET", "NOUN", "AUX") or (i and s.tags[i - 1] == "ADP"):
                continue
            verb, first, second = s.words[i + 5], s.words[i].lower(), s.words[i + 3]
            if verb not in ("is", "was", "are", "were") or first == "the":
                continue
            assert (verb in ("are", "were")) == (first in ("these", "some", "all")), s.text
            crossed += second != "the" and (second in ("these", "some", "all")) != (verb in ("are", "were"))
    assert crossed > 20


def test_many_words_are_a_noun_here_and_a_verb_there():
    seen: dict[str, set[str]] = {}
    for s in texts.tagged(2, 2000):
        assert set(s.tags) <= set(texts.TAGS)
        for word, tag in zip(s.words, s.tags, strict=True):
            seen.setdefault(word.lower(), set()).add(tag)
    assert sum(tags >= {"NOUN", "VERB"} for tags in seen.values()) > 30


def test_written_sentences_can_be_read_back():
    sentences = texts.tagged(4, 20)
    blocks = texts.to_conllu(sentences).strip().split("\n\n")
    for block, s in zip(blocks, sentences, strict=True):
        rows = [line.split("\t") for line in block.splitlines() if not line.startswith("#")]
        assert {len(r) for r in rows} == {10}
        assert tuple(r[1] for r in rows) == s.words
        assert tuple(r[3] for r in rows) == s.tags
    lines = texts.to_tsv(sentences).splitlines()
    assert [tuple(line.split("\t")) for line in lines] == [(s.text, s.topic) for s in sentences]
