"""Which checkpoints does a question pick, and what is each compared with?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.selection import Against, Cells, Pair, Question, Ranges
from explorer.selection.comparisons import choose, comparisons
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from tests.explorer.selection.runs import KEYS, RUNS, VARIANT
from tests.questions import checkpoint, question


def pick(**fields: object) -> Question:
    return question("svcca", KEYS, **fields)


def compared(against: str, keys: list[CheckpointKey] = KEYS, **fields: object) -> list[tuple[str, str]]:
    found = comparisons(pick(against=Against.parse(against), **fields), keys)
    return [(str(p.key), str(p.reference)) for p in found]


class TestChoose:
    def test_an_empty_selection_means_everything_in_order(self) -> None:
        assert list(choose(pick(), reversed(KEYS))) == sorted(KEYS)

    def test_tasks_seeds_and_steps_narrow_it(self) -> None:
        chosen = choose(pick(tasks=("sst2",), seeds=("2",), steps=Ranges.parse("20-", "--step")), KEYS)
        assert [str(k) for k in chosen] == ["sst2/2/20", "sst2/2/100"]

    def test_a_variant_is_chosen_beside_its_task_or_alone(self) -> None:
        keys = [*KEYS, *VARIANT]
        assert choose(pick(tasks=("sst2+freeze-6",)), keys) == tuple(VARIANT)
        assert {k.variant for k in choose(pick(tasks=("sst2",)), keys)} == {""}
        both = choose(pick(tasks=("sst2+freeze-6", "sst2"), seeds=("1",), steps=Ranges.parse("20-", "--step")), keys)
        assert [str(k) for k in both] == [*("sst2/1/20", "sst2/1/100", "sst2+freeze-6/1/20", "sst2+freeze-6/1/100")]
        with pytest.raises(BertdynError, match=r"no 'sst2\+freeze', .* Did you mean 'sst2\+freeze-6'"):
            choose(pick(tasks=("sst2+freeze",)), keys)

    def test_an_unknown_task_names_what_there_is_and_the_nearest(self) -> None:
        with pytest.raises(
            BertdynError, match=r"--task: the store has no 'sst', only pos, pretrained, sst2. Did you mean 'sst2'"
        ):
            choose(pick(tasks=("sst",)), KEYS)

    def test_an_unknown_seed_names_what_there_is(self) -> None:
        with pytest.raises(BertdynError, match=r"--seed: the store has no '77', only 0, 1, 2\.$"):
            choose(pick(seeds=("77",)), KEYS)

    def test_no_match_says_what_there_is(self) -> None:
        with pytest.raises(
            BertdynError,
            match=r"corpus 'dev'\. There are tasks pos, pretrained, sst2; seeds 0, 1, 2; steps 0, 20, 100\.",
        ):
            choose(pick(steps=Ranges.parse("7", "--step")), KEYS)

    def test_a_store_with_many_steps_is_not_listed_to_the_end(self) -> None:
        many = [CheckpointKey.plain("sst2", "1", step) for step in range(100)]
        with pytest.raises(BertdynError, match=r"steps 0, 1, .*, 11, \.\.\.\.$"):
            choose(pick(steps=Ranges.parse("1000", "--step")), many)

    def test_an_empty_corpus_has_nothing(self) -> None:
        with pytest.raises(BertdynError, match="tasks none; seeds none; steps none"):
            choose(pick(), [])
        with pytest.raises(BertdynError, match="--task: the store has no 'sst2', only nothing"):
            choose(pick(tasks=("sst2",)), [])


class TestComparisons:
    def test_a_measure_of_one_checkpoint_alone_takes_all_of_them(self) -> None:
        assert comparisons(question("clusters", KEYS), KEYS) == tuple(Pair(k, None) for k in sorted(KEYS))

    def test_against_pretrained(self) -> None:
        assert compared("pretrained") == [(str(k), "pretrained/0/0") for k in sorted(RUNS)]

    def test_the_pretrained_model_is_compared_only_when_named(self) -> None:
        assert compared("sst2/1/20", tasks=("pretrained",)) == [("pretrained/0/0", "sst2/1/20")]
        assert ("pretrained/0/0", "sst2/1/20") not in compared("sst2/1/20")

    def test_against_the_first_of_its_run(self) -> None:
        assert compared("first", tasks=("pos",), seeds=("1",)) == [("pos/1/20", "pos/1/0"), ("pos/1/100", "pos/1/0")]

    def test_against_the_previous_of_its_run_even_when_that_is_not_chosen(self) -> None:
        assert compared("previous", steps=Ranges.parse("100", "--step"), tasks=("pos",)) == [
            ("pos/1/100", "pos/1/20"),
            ("pos/2/100", "pos/2/20"),
        ]

    def test_against_the_final_of_its_run(self) -> None:
        assert compared("final", tasks=("pos",), seeds=("2",)) == [("pos/2/0", "pos/2/100"), ("pos/2/20", "pos/2/100")]

    def test_against_another_seed_at_the_same_task_and_step(self) -> None:
        without = [k for k in KEYS if k != CheckpointKey.plain("pos", "2", 20)]
        assert compared("seed:2", without, tasks=("pos",)) == [("pos/1/0", "pos/2/0"), ("pos/1/100", "pos/2/100")]

    def test_against_the_other_seeds_each_pair_comes_once_and_the_smaller_seed_is_the_reference(self) -> None:
        three = [CheckpointKey.plain("sst2", seed, step) for seed in ("10", "2", "1") for step in (0, 20)]
        assert compared("seeds", three, steps=Ranges.parse("20", "--step")) == [
            ("sst2/10/20", "sst2/1/20"),
            ("sst2/10/20", "sst2/2/20"),
            ("sst2/2/20", "sst2/1/20"),
        ]

    def test_one_chosen_seed_is_compared_with_all_others_larger_or_smaller(self) -> None:
        three = [CheckpointKey.plain("sst2", seed, 20) for seed in ("1", "2", "3")]
        assert compared("seeds", three, seeds=("2",)) == [("sst2/2/20", "sst2/1/20"), ("sst2/3/20", "sst2/2/20")]

    def test_a_measure_that_is_not_symmetric_compares_two_seeds_in_both_directions(self) -> None:
        three = [CheckpointKey.plain("sst2", seed, 20) for seed in ("1", "2", "3")]
        one = question("pwcca", three, against=Against("seeds"), seeds=("2",))
        assert [(p.key, p.reference) for p in comparisons(one, three)] == [(three[1], three[0]), (three[1], three[2])]
        every = question("pwcca", three, against=Against("seeds"))
        found = [(p.key, p.reference) for p in comparisons(every, three)]
        assert found == [(a, b) for a in three for b in three if a != b]

    def test_against_plain_is_the_same_task_seed_and_step_without_a_variant(self) -> None:
        keys = [*KEYS, *VARIANT, CheckpointKey("sst2", "freeze-6", "1", 60), CheckpointKey("ner", "freeze-6", "1", 20)]
        assert compared("plain", keys) == [
            ("sst2+freeze-6/1/20", "sst2/1/20"),
            ("sst2+freeze-6/1/100", "sst2/1/100"),
            ("sst2+freeze-6/2/20", "sst2/2/20"),
            ("sst2+freeze-6/2/100", "sst2/2/100"),
        ]
        assert compared("plain", keys, tasks=("sst2+freeze-6",), seeds=("2",), steps=Ranges.one(20)) == [
            ("sst2+freeze-6/2/20", "sst2/2/20")
        ]
        with pytest.raises(BertdynError, match="counterpart 'plain'"):
            compared("plain", keys, tasks=("sst2",))

    def test_a_variant_is_a_run_of_its_own(self) -> None:
        keys = [*KEYS, *VARIANT]
        chosen = {"tasks": ("sst2+freeze-6",), "seeds": ("1",)}
        assert compared("first", keys, **chosen) == [("sst2+freeze-6/1/100", "sst2+freeze-6/1/20")]
        assert compared("previous", keys, **chosen) == [("sst2+freeze-6/1/100", "sst2+freeze-6/1/20")]
        assert compared("final", keys, **chosen) == [("sst2+freeze-6/1/20", "sst2+freeze-6/1/100")]
        assert compared("seed:2", keys, **chosen) == [
            ("sst2+freeze-6/1/20", "sst2+freeze-6/2/20"),
            ("sst2+freeze-6/1/100", "sst2+freeze-6/2/100"),
        ]
        assert compared("seeds", keys, **chosen) == [
            ("sst2+freeze-6/2/20", "sst2+freeze-6/1/20"),
            ("sst2+freeze-6/2/100", "sst2+freeze-6/1/100"),
        ]
        assert compared("sst2+freeze-6/2/20", keys, tasks=("pos",), seeds=("1",), steps=Ranges.one(0)) == [
            ("pos/1/0", "sst2+freeze-6/2/20")
        ]

    def test_a_step_that_one_seed_alone_has_and_the_pretrained_model_have_no_other_seed(self) -> None:
        lone = [k for k in KEYS if k != CheckpointKey.plain("pos", "2", 20)]
        found = compared("seeds", lone, tasks=("pos", "pretrained"))
        assert found == [("pos/2/0", "pos/1/0"), ("pos/2/100", "pos/1/100")]
        with pytest.raises(BertdynError, match="counterpart 'seeds'"):
            compared("seeds", [k for k in KEYS if k.seed != "2"])

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(0, 3)), min_size=1, unique=True))
    def test_the_pairs_of_seeds_are_all_combinations_within_a_task_and_step(
        self, runs: list[tuple[str, int, int]]
    ) -> None:
        keys = [CheckpointKey.plain(task, str(seed), step) for task, seed, step in runs]
        wanted = {
            (a, b) for a in keys for b in keys if (a.task, a.step) == (b.task, b.step) and int(a.seed) > int(b.seed)
        }
        if not wanted:
            return
        found = comparisons(pick(against=Against("seeds")), keys)
        assert len(found) == len(wanted)
        assert {(p.key, p.reference) for p in found} == wanted

    def test_across_layers_the_named_checkpoint_is_compared_with_itself_too(self) -> None:
        every = Ranges.parse("0-", "--against-layer")
        asked = {"tasks": ("pos",), "seeds": ("1",), "ref_layers": every}
        assert ("pos/1/20", "pos/1/20") in compared("pos/1/20", **asked)
        assert compared("pretrained", tasks=("pretrained",), ref_layers=every) == [("pretrained/0/0", "pretrained/0/0")]
        assert compared("first", **asked) == [("pos/1/20", "pos/1/0"), ("pos/1/100", "pos/1/0")]

    def test_against_one_checkpoint_never_itself(self) -> None:
        assert compared("pos/1/20", tasks=("pos",), seeds=("1",)) == [
            ("pos/1/0", "pos/1/20"),
            ("pos/1/100", "pos/1/20"),
        ]

    @pytest.mark.parametrize("against", ["seed:9", "sst2/9/0", "sst2/1/7", "none/1/0"])
    def test_without_any_counterpart_it_says_so(self, against: str) -> None:
        with pytest.raises(
            BertdynError, match=f"Nothing to compare: .* counterpart '{against}'. There are tasks pos, pretrained, sst2"
        ):
            compared(against)

    def test_tasks_that_have_a_counterpart_are_named(self) -> None:
        lone = [k for k in KEYS if (k.task, k.seed) != ("pos", "2")]
        with pytest.raises(BertdynError, match=r"counterpart 'next-seed'\. These tasks have one: sst2\.$"):
            compared("next-seed", lone, tasks=("pos",))

    def test_no_pretrained_model_in_the_store(self) -> None:
        with pytest.raises(BertdynError, match="Nothing to compare"):
            compared("pretrained", RUNS)

    def test_a_run_of_one_checkpoint_has_no_previous(self) -> None:
        with pytest.raises(BertdynError, match="Nothing to compare"):
            compared("previous", [CheckpointKey.plain("sst2", "1", 0)])

    @given(
        st.permutations(KEYS),
        st.sampled_from(["pretrained", "first", "previous", "final", "seeds", "seed:1", "sst2/1/20"]),
    )
    def test_the_order_of_the_listing_does_not_matter(self, keys: list[CheckpointKey], against: str) -> None:
        assert compared(against, keys) == compared(against)
        assert all(a != b for a, b in compared(against, keys))


def test_each_operand_needs_only_what_is_read_from_it() -> None:
    """The pre-trained model has no classifier, and rolling back to it needs none; the checkpoint needs one."""
    run, bare = CheckpointKey.plain("sst2", "1", 20), CheckpointKey.plain("sst2", "1", 40)
    classified = {"hidden": "h", "weights": "w", "classifier": "c", "logits": "l"}
    listing = [
        checkpoint(run)._replace(digests=classified),
        checkpoint(bare)._replace(digests={"hidden": "h", "weights": "w"}),
        checkpoint(PRETRAINED_KEY)._replace(digests={"hidden": "h", "weights": "w"}),
    ]
    cells = Cells(question("rollback", [c.key for c in listing]), listing)
    assert {cell.key for cell in cells} == {run}
    assert cells.left_out == 1
