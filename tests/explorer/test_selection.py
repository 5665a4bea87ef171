"""What does a selection pick, and what is each checkpoint compared with?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.selection import EVERY, Against, Pair, Ranges, Selection, choose, default_against, narrowed, pairs
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey

RUNS = [
    CheckpointKey.plain(task, seed, step) for task in ("pos", "sst2") for seed in ("1", "2") for step in (0, 20, 100)
]
KEYS = [*RUNS, PRETRAINED_KEY]


def pick(**fields: object) -> Selection:
    return Selection(measure="svcca", corpus="dev", **fields)  # type: ignore[arg-type]


def compared(against: str, keys: list[CheckpointKey] = KEYS, **fields: object) -> list[tuple[str, str]]:
    found = pairs(pick(against=Against.parse(against), **fields), keys)
    return [(str(p.key), str(p.reference)) for p in found]


class TestRanges:
    def test_numbers_and_ranges_with_both_ends_belong_to_it(self) -> None:
        chosen = Ranges.parse("0, 20,100-500", "--step")
        assert [n for n in (0, 1, 20, 99, 100, 300, 500, 501) if n in chosen] == [0, 20, 100, 300, 500]

    def test_an_open_end_goes_on(self) -> None:
        chosen = Ranges.parse("100-", "--step")
        assert 99 not in chosen
        assert 10**9 in chosen

    @pytest.mark.parametrize("text", ["a", "", "1,,2", "-5", "1-2-3", "1.5", "3-x"])
    def test_anything_else_is_refused_with_the_flag_named(self, text: str) -> None:
        with pytest.raises(BertdynError, match=r"--step: .* neither a number nor a range"):
            Ranges.parse(text, "--step")

    def test_a_backward_range_is_refused(self) -> None:
        with pytest.raises(BertdynError, match="--layer: the range '5-2' runs backwards"):
            Ranges.parse("5-2", "--layer")

    @given(
        st.lists(
            st.integers(0, 50).flatmap(lambda low: st.tuples(st.just(low), st.none() | st.integers(low, 60))),
            min_size=1,
        )
    )
    def test_writing_and_reading_again_gives_the_same_set(self, spans: list[tuple[int, int | None]]) -> None:
        chosen = Ranges(tuple(spans))
        assert Ranges.parse(str(chosen), "--step") == chosen
        assert [n for n in range(70) if n in chosen] == [
            n for n in range(70) if any(low <= n <= (70 if high is None else high) for low, high in spans)
        ]


class TestAgainst:
    @pytest.mark.parametrize(
        "text", ["pretrained", "first", "previous", "final", "seeds", "seed:2", "seed:a:b", "sst2/1/20", "a/b/1/0"]
    )
    def test_it_is_written_as_it_is_read(self, text: str) -> None:
        assert str(Against.parse(text)) == text

    def test_a_task_name_may_hold_slashes(self) -> None:
        assert Against.parse("glue/sst2/1/20").key == CheckpointKey.plain("glue/sst2", "1", 20)

    @pytest.mark.parametrize("text", ["", "last", "seed:", "sst2/1", "sst2/1/x", "sst2/1/-5", "20"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(BertdynError, match=r"--against: .* is not one of pretrained, first"):
            Against.parse(text)

    def test_the_default_is_the_pretrained_model_where_there_is_one(self) -> None:
        assert default_against(KEYS) == Against("pretrained")
        assert default_against(RUNS) == Against("first")
        assert default_against([]) == Against("first")


class TestChoose:
    def test_an_empty_selection_means_everything_in_order(self) -> None:
        assert list(choose(pick(), reversed(KEYS))) == sorted(KEYS)

    def test_tasks_seeds_and_steps_narrow_it(self) -> None:
        chosen = choose(pick(tasks=("sst2",), seeds=("2",), steps=Ranges.parse("20-", "--step")), KEYS)
        assert [str(k) for k in chosen] == ["sst2/2/20", "sst2/2/100"]

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


class TestPairs:
    def test_a_measure_of_one_checkpoint_alone_takes_all_of_them(self) -> None:
        assert pairs(pick(), KEYS) == tuple(Pair(k, None) for k in sorted(KEYS))

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
        found = pairs(pick(against=Against("seeds")), keys)
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


class TestNarrowed:
    def one(self, against: str = "pretrained", step: int | None = None, **fields: object) -> tuple[str, str]:
        chosen = narrowed(pick(against=Against.parse(against), ref_layers=EVERY, **fields), KEYS, step)
        (found,) = pairs(chosen, KEYS)
        assert chosen.ref_layers == EVERY
        return str(found.key), str(found.reference)

    def test_it_is_the_last_step_of_the_first_seed_of_the_first_task(self) -> None:
        assert self.one() == ("pos/1/100", "pretrained/0/0")
        assert self.one(tasks=("sst2", "pos"), seeds=("2",)) == ("sst2/2/100", "pretrained/0/0")

    def test_of_the_steps_that_are_there_it_is_the_one_asked_for_or_the_nearest_before(self) -> None:
        assert [self.one(step=n)[0] for n in (0, 19, 20, 99, 100, 5_000)] == [
            *("pos/1/0", "pos/1/0", "pos/1/20", "pos/1/20", "pos/1/100", "pos/1/100")
        ]

    def test_the_steps_are_those_that_are_compared(self) -> None:
        assert self.one("previous", step=0) == ("pos/1/20", "pos/1/0")

    def test_of_the_seeds_one_pair_is_left(self) -> None:
        assert self.one("seeds") == ("pos/2/100", "pos/1/100")

    def test_a_measure_of_one_checkpoint_is_refused(self) -> None:
        with pytest.raises(BertdynError, match="nothing it is compared with"):
            narrowed(pick(), KEYS)
