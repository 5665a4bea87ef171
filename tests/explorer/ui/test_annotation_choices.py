"""Which labels a measure reads, chosen in the explorer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from explorer.ui.choices import Choice, choices, picked
from explorer.ui.filters import filtered
from explorer.ui.state import State
from store.corpora.annotations import make_annotation
from store.errors import BertdynError
from store.keys import AnnotationInfo
from tests.explorer.ui.conftest import fill, main, opened, text_of, until
from tests.explorer.ui.test_state import START, STORE
from tests.synthetic import make_store, sample_corpus, sample_labels

TAGS = AnnotationInfo("UPOS", "word", "class", ("NOUN", "VERB"), 80, "")
SCORES = AnnotationInfo("score", "sentence", "number", (), 10, "")
DEV = STORE.corpora[0]
SEVERAL = replace(STORE, corpora=(replace(DEV, annotations=(SCORES, *DEV.annotations, TAGS)), STORE.corpora[1]))
CLUSTERS = replace(START, measure="clusters")


def rows(state: State) -> list[Choice]:
    return [row for row in choices(state, SEVERAL) if row.section == "annotation" and not row.head]


def test_the_first_that_fits_is_read_until_another_is_chosen() -> None:
    assert CLUSTERS.question(SEVERAL).annotation == "label"
    assert replace(CLUSTERS, annotation="UPOS").question(SEVERAL).annotation == "UPOS"
    # One that does not fit this measure waits for one that it fits.
    assert replace(CLUSTERS, annotation="score").question(SEVERAL).annotation == "label"
    assert replace(START, annotation="UPOS").question(SEVERAL).annotation == ""


def test_the_panel_lists_those_that_fit_where_there_are_several() -> None:
    assert [(row.name, row.mark) for row in rows(CLUSTERS)] == [("label", "(x)"), ("UPOS", "( )")]
    (_, tags) = rows(CLUSTERS)
    state = picked(tags, CLUSTERS, SEVERAL)
    assert [(row.name, row.mark) for row in rows(state)] == [("label", "( )"), ("UPOS", "(x)")]
    assert rows(START) == []
    assert not [row for row in choices(CLUSTERS, STORE) if row.section == "annotation"]


def test_a_filter_names_them() -> None:
    assert filtered(CLUSTERS, SEVERAL, "annotation:UP*").annotation == "UPOS"
    with pytest.raises(BertdynError, match="No annotation matches 'XPOS'; there is score, label, UPOS"):
        filtered(CLUSTERS, SEVERAL, "annotation:XPOS")


async def test_another_annotation_is_another_picture(tmp_path: Path) -> None:
    corpus = sample_corpus()
    store = make_store(tmp_path / "s.bertdyn", tasks=("pos",), seeds=("1",), steps=(0, 20), corpora=[corpus])
    store.annotate("dev", sample_labels("sentence", ("even", "odd", "third"), 40, "topic")["topic"])
    store.annotate("dev", make_annotation("score", "sentence", "number", (), [0.5] * 40))
    for annotation in ("label", "topic"):
        fill(store, "clusters", "dev", annotation=annotation)
    async with opened(store.path) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "label of corpus dev" in text_of(pilot, "subheading"))
        await until(pilot, lambda: "(x) label" in text_of(pilot, "panel"))
        await pilot.press("slash", *"annotation:topic", "enter")
        await until(pilot, lambda: "topic of corpus dev" in text_of(pilot, "subheading"))
        await until(pilot, lambda: "odd" in text_of(pilot, "chart") and "negative" not in text_of(pilot, "chart"))
        assert not main(pilot).missing
