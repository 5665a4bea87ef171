"""Is what a person typed filled in from the measure and the store, and refused in words where it makes no sense?"""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import pytest

from explorer.measures import Uncertainty
from explorer.measures.registry import all_measures, get
from explorer.selection import EVERY, Against, Listing, Question, QuestionError, Ranges, Selection, ask
from tests.explorer.selection.runs import KEYS, RUNS
from tests.questions import listed
from tests.synthetic import sample_corpus

THERE = listed(KEYS)
UNLABELLED = listed(KEYS, labels=())


def asked(selection: Selection, listing: Listing = THERE, trust: Uncertainty | None = None) -> Question:
    return ask(selection, get(selection.measure), listing, trust or Uncertainty())


class TestDefaults:
    def test_two_names_are_enough(self) -> None:
        found = asked(Selection("svcca", "dev"))
        assert found == Question(
            measure=get("svcca"),
            corpus="dev",
            annotation="",
            tasks=(),
            seeds=(),
            steps=None,
            layers=None,
            against=Against("pretrained"),
            parameters=get("svcca").settle({}),
            ref_layers=None,
            detail="",
        )

    def test_without_a_pretrained_model_runs_are_compared_with_their_first_checkpoint(self) -> None:
        assert asked(Selection("svcca", "dev"), listed(RUNS)).against == Against("first")

    def test_what_was_typed_stays(self) -> None:
        typed = Selection(
            "js",
            "dev",
            tasks=("sst2", "pos"),
            seeds=("2",),
            steps=Ranges.parse("20-", "--step"),
            layers=Ranges.parse("1-2", "--layer"),
            against=Against.parse("sst2+freeze-6/1/20"),
            detail="query",
        )
        found = asked(typed)
        for name in ("corpus", "tasks", "seeds", "steps", "layers", "against", "ref_layers", "detail"):
            assert getattr(found, name) == getattr(typed, name), name

    def test_parameters_are_all_there_in_their_types_sorted_by_name(self) -> None:
        found = asked(Selection("svcca", "dev", parameters=(("variance", "0.9"),)))
        assert dict(found.parameters)["variance"] == 0.9
        assert [name for name, _ in found.parameters] == sorted(p.name for p in get("svcca").parameters)

    def test_a_measure_of_one_checkpoint_is_compared_with_nothing(self) -> None:
        assert asked(Selection("effective-rank", "dev")).against is None

    def test_labels_are_named_where_they_are_read(self) -> None:
        assert asked(Selection("clusters", "dev")).annotation == "label"
        assert asked(Selection("svcca", "dev")).annotation == ""

    def test_the_coarsest_detail_is_none(self) -> None:
        assert asked(Selection("js", "dev", detail="layer")) == asked(Selection("js", "dev"))
        assert asked(Selection("js", "dev", detail="example")).detail == "example"

    def test_a_question_asked_again_is_the_same(self) -> None:
        typed = Selection("js", "dev", tasks=("sst2",), steps=Ranges.one(20), detail="example")
        found = asked(typed)
        assert asked(found.selection) == found
        assert hash(asked(found.selection)) == hash(found)
        assert {f.name for f in fields(Selection)} <= {f.name for f in fields(Question)}

    def test_a_question_travels_to_another_process(self) -> None:
        found = asked(Selection("svcca", "dev", ref_layers=EVERY))
        assert pickle.loads(pickle.dumps(found)) == found

    @pytest.mark.parametrize("measure", [m.name for m in all_measures()])
    def test_every_measure_can_be_asked_for_by_its_name_alone(self, measure: str) -> None:
        needs = get(measure).labels
        if needs is not None and not (needs.of == "class" and "sentence" in needs.levels):
            with pytest.raises(QuestionError, match="has none"):  # it has classes of sentences
                asked(Selection(measure, "dev"))
            return
        found = asked(Selection(measure, "dev" if get(measure).on_corpus else ""))
        assert (found.against is not None) == found.measure.compares

    def test_comparisons_between_seeds_are_known_as_such(self) -> None:
        kinds = {kind: asked(Selection("svcca", "dev", against=Against.parse(kind))) for kind in ("seeds", "seed:2")}
        assert all(found.between_seeds for found in kinds.values())
        assert not asked(Selection("svcca", "dev")).between_seeds
        assert not asked(Selection("clusters", "dev")).between_seeds


class TestRefusals:
    @pytest.mark.parametrize(
        ("selection", "said", "about"),
        [
            (
                Selection("svcca", "dev", parameters=(("colour", 1),)),
                r"svcca has no parameter 'colour', only tokens, definition, variance\.",
                "",
            ),
            (Selection("svcca", "dev", parameters=(("variance", 7),)), r"variance: 7\.0 is outside 0\.", ""),
            (Selection("svcca", "dv"), r"--corpus: the store has no 'dv', only dev\.", "corpus"),
            (
                Selection("clusters", "dev", against=Against("first")),
                r"clusters is a value of one checkpoint alone: --against has no meaning for it\.",
                "measure",
            ),
            (
                Selection("js", "dev", ref_layers=EVERY),
                r"js compares no layer with another one: --against-layer has no meaning for it\.",
                "measure",
            ),
            (
                Selection("js", "dev", detail="word"),
                r"--detail: js has no detail 'word', only layer, example, query\.",
                "",
            ),
            (
                Selection("svcca", "dev", detail="example"),
                r"--detail: svcca has no detail 'example' nor any other\.",
                "",
            ),
        ],
    )
    def test_it_is_one_sentence_and_says_which_choice_it_is_about(
        self, selection: Selection, said: str, about: str
    ) -> None:
        with pytest.raises(QuestionError, match=f"^{said}") as refused:
            asked(selection)
        assert refused.value.about == about
        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize(
        ("measure", "trust", "said"),
        [
            ("attention-entropy", Uncertainty(null=3), r"--null: attention-entropy has no null\."),
            (
                "clusters",
                Uncertainty(interval="bootstrap"),
                r"--interval: clusters has no bootstrap interval, only jackknife\.",
            ),
            (
                "spatial-similarity",
                Uncertainty(interval="jackknife"),
                r"--interval: spatial-similarity has no jackknife interval nor any other\.",
            ),
        ],
    )
    def test_a_null_or_interval_that_the_measure_does_not_have(
        self, measure: str, trust: Uncertainty, said: str
    ) -> None:
        with pytest.raises(QuestionError, match=f"^{said}") as refused:
            asked(Selection(measure, "dev"), trust=trust)
        assert refused.value.about == "uncertainty"

    def test_labels_that_are_not_there(self) -> None:
        with pytest.raises(
            QuestionError,
            match=r"^clusters needs labels, but corpus 'dev' has none\. Add some with 'bertdyn annotate'\.$",
        ) as refused:
            asked(Selection("clusters", "dev"), UNLABELLED)
        assert refused.value.about == ""

    def test_labels_of_other_units(self) -> None:
        info = sample_corpus("dev").info
        pairs = replace(info, annotations=tuple(replace(one, level="pair") for one in info.annotations))
        with pytest.raises(
            QuestionError, match=r"^clusters needs classes of sentences or words, but corpus 'dev' has none\. Add some"
        ):
            asked(Selection("clusters", "dev"), replace(UNLABELLED, corpora=(pairs,)))

    def test_labels_that_another_corpus_has(self) -> None:
        two = Listing((*UNLABELLED.corpora, sample_corpus("ewt").info), (*UNLABELLED.keys, tuple(KEYS)))
        with pytest.raises(
            QuestionError, match=r"^clusters needs labels, but corpus 'dev' has none\. Labelled: ewt\.$"
        ) as refused:
            asked(Selection("clusters", "dev"), two)
        assert refused.value.about == "corpus"

    def test_a_store_without_a_corpus(self) -> None:
        with pytest.raises(QuestionError, match=r"^The store holds no corpus yet: run 'bertdyn extract' first\.$"):
            asked(Selection("svcca", "dev"), Listing((), ()))

    def test_what_comes_with_a_value_is_no_part_of_the_question(self) -> None:
        trust = Uncertainty(null=3, interval="bootstrap")
        assert asked(Selection("svcca", "dev"), trust=trust) == asked(Selection("svcca", "dev"))
