"""What is missing, and how is it cut into tasks?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compute.plan import (
    Coverage,
    Job,
    Plan,
    Task,
    coverage,
    group,
    group_by_checkpoint,
    jobs_of,
    make_plan,
    plan,
)
from explorer.measures import canonical
from explorer.measures.declaration import At
from explorer.measures.registry import get
from explorer.selection import Against, Cell, Cells, Pair, Question, QuestionError, Ranges, Selection, ask_store
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, Checkpoint, CheckpointKey
from store.results import InputDigest
from store.store import Store
from tests.questions import checkpoint, question
from tests.store.results import inputs, result
from tests.synthetic import Copied, make_store, sample_corpus, write_checkpoint

RUN = [CheckpointKey.plain("sst2", "1", step) for step in (0, 20, 40)]
LISTING = [checkpoint(key) for key in [*RUN, PRETRAINED_KEY]]


def planned(
    measure: str = "svcca",
    listing: list[Checkpoint] = LISTING,
    stored: frozenset[Cell] = frozenset(),
    **fields: object,
) -> Plan:
    asked = question(measure, [c.key for c in listing], **fields)
    return make_plan(Cells(asked, listing), stored)


class TestWhatIsMissing:
    def test_hidden_states_start_at_layer_0_and_attentions_at_1(self) -> None:
        assert {c.layer for c in planned("svcca").cells} == {0, 1, 2, 3}
        assert {c.layer for c in planned("js").cells} == {1, 2, 3}

    def test_everything_is_missing_in_a_new_store(self) -> None:
        made = planned(against=Against("pretrained"))
        assert made.missing == made.cells
        assert len(made.cells) == 3 * 4
        assert made.known == 0

    def test_no_comparison_named_means_pretrained_or_first(self) -> None:
        assert planned().question.against == Against("pretrained")
        assert planned(listing=LISTING[:3]).question.against == Against("first")

    def test_a_measure_of_one_checkpoint_alone_has_no_reference(self) -> None:
        made = planned("clusters")
        assert {c.pair for c in made.cells} == {Pair(c.key, None) for c in LISTING}

    def test_stored_values_are_not_missing(self) -> None:
        cells = planned().cells
        made = planned(stored=frozenset(c for c in cells if c.layer < 2))
        assert made.known == 6
        assert {c.layer for c in made.missing} == {2, 3}

    def test_layers_narrow_it_and_none_left_says_which_there_are(self) -> None:
        assert {c.layer for c in planned(layers=Ranges.parse("2-9", "--layer")).cells} == {2, 3}
        with pytest.raises(BertdynError, match="--layer: 0 matches none of the layers that js reads, 1 to 3"):
            planned("js", layers=Ranges.parse("0", "--layer"))

    def test_models_of_different_depth_are_compared_as_far_as_both_go(self) -> None:
        made = planned(listing=[checkpoint(RUN[0], layers=3), checkpoint(PRETRAINED_KEY, layers=2)])
        assert {c.layer for c in made.cells} == {0, 1, 2}

    def test_checkpoints_without_attentions_are_left_out_of_js_with_a_note(self) -> None:
        made = planned(
            "js", listing=[checkpoint(RUN[0], attentions=False), checkpoint(RUN[1]), checkpoint(PRETRAINED_KEY)]
        )
        assert {c.pair.key for c in made.cells} == {RUN[1]}
        assert made.notes == ("1 of 2 comparisons left out: extracted without attentions.",)

    def test_no_attentions_at_all_is_an_error(self) -> None:
        without = [checkpoint(c.key, attentions=False) for c in LISTING]
        with pytest.raises(BertdynError, match=r"js reads attentions, .* stored without them"):
            planned("js", listing=without)
        assert planned("svcca", listing=without).cells


class TestLayersAgainstOtherLayers:
    def test_every_layer_meets_the_chosen_layers_of_the_reference(self) -> None:
        made = planned(ref_layers=Ranges.parse("1-2", "--against-layer"), layers=Ranges.parse("0,3", "--layer"))
        assert {(c.layer, c.ref_layer) for c in made.cells} == {(0, 1), (0, 2), (3, 1), (3, 2)}
        assert len(made.cells) == 3 * 4

    def test_models_of_different_depth_are_compared_whole(self) -> None:
        listing = [checkpoint(RUN[0], layers=3), checkpoint(PRETRAINED_KEY, layers=1)]
        made = planned(listing=listing, ref_layers=Ranges.parse("0-", "--against-layer"))
        assert {(c.layer, c.ref_layer) for c in made.cells} == {(n, m) for n in range(4) for m in range(2)}

    def test_a_layer_against_itself_is_the_value_that_is_known_without_other_layers(self) -> None:
        made = planned(ref_layers=Ranges.parse("0-", "--against-layer"))
        assert set(planned().cells) <= set(made.cells)

    def test_a_measure_of_heads_compares_no_other_layers(self) -> None:
        with pytest.raises(
            QuestionError, match=r"js compares no layer with another one: --against-layer has no meaning for it\."
        ):
            planned("js", ref_layers=Ranges.parse("1", "--against-layer"))


def fields_of(asked: Question) -> dict[str, object]:
    """What rows of a question have in common."""
    measure = asked.measure
    return {
        "measure": measure.name,
        "version": measure.version,
        "parameters": canonical(dict(asked.parameters)),
    }


def cells_of(task: Task) -> list[Cell]:
    return [job.cell for job in task.jobs]


def jobs(cells: Iterable[Cell]) -> list[Job]:
    return [Job(cell) for cell in cells]


def at(step: int, layer: int, reference: CheckpointKey | None = PRETRAINED_KEY) -> Cell:
    return cell_of(CheckpointKey.plain("sst2", "1", step), reference, layer)


def cell_of(key: CheckpointKey, reference: CheckpointKey | None, layer: int, ref_layer: int | None = None) -> Cell:
    """One layer; the reference's is the same unless it is given."""
    return Cell.of(Pair(key, reference), At(layer, None if reference is None else ref_layer or layer))


class TestTasks:
    def test_a_small_set_is_one_task_a_layer_so_that_the_reference_is_read_once(self) -> None:
        tasks = group(jobs_of([planned()]), workers=1)
        assert [{c.layer for c in cells_of(t)} for t in tasks] == [{0}, {1}, {2}, {3}]
        assert all(len(t.jobs) == 3 for t in tasks)

    def test_one_layer_is_cut_so_that_every_worker_has_something(self) -> None:
        wanted = jobs(at(step, 5) for step in range(12))
        assert len(group(wanted, workers=1)) == 3
        assert len(group(wanted, workers=4)) == 12

    def test_checkpoints_measured_alone_are_tasks_of_their_own(self) -> None:
        wanted = jobs(at(step, 5, None) for step in range(12))
        assert [len(task.jobs) for task in group(wanted, workers=1)] == [1] * 12

    def test_neighbours_in_a_chain_of_previous_share_a_side(self) -> None:
        keys = [CheckpointKey.plain("sst2", "1", step) for step in range(9)]
        made = planned(listing=[checkpoint(k) for k in keys], against=Against("previous"))
        for task in group(jobs_of([made]), workers=1):
            for one, next_one in zip(cells_of(task), cells_of(task)[1:], strict=False):
                assert next_one.pair.reference == one.pair.key

    def test_every_layer_of_the_first_pairs_comes_before_the_later_pairs(self) -> None:
        tasks = group(jobs(at(step, layer) for step in range(100) for layer in range(3)), workers=2)
        assert [t.jobs[0].cell.layer for t in tasks[:6]] == [0, 1, 2, 0, 1, 2]
        assert [c.pair for c in cells_of(tasks[0])] == [c.pair for c in cells_of(tasks[2])]

    def test_a_task_says_what_it_is(self) -> None:
        cells = [cell_of(key, PRETRAINED_KEY, 3) for key in RUN]
        assert str(Task(tuple(jobs(cells)))) == "layer 3 of sst2/1/0 to sst2/1/40 against pretrained/0/0"
        assert str(Task(tuple(jobs(cells[1:2])))) == "layer 3 of sst2/1/20 against pretrained/0/0"
        assert str(Task((Job(cell_of(RUN[0], None, 3)),))) == "layer 3 of sst2/1/0"
        crossed = Task((Job(cell_of(RUN[0], PRETRAINED_KEY, 3, 1)),))
        assert str(crossed) == "layer 3 of sst2/1/0 against layer 1 of pretrained/0/0"

    def test_measures_of_the_same_cells_share_a_task_and_each_does_only_what_it_lacks(self) -> None:
        first = planned(stored=frozenset(c for c in planned().cells if c.layer < 2))
        both = jobs_of([first, planned()])
        assert {(job.cell.layer, job.questions) for job in both} == {(0, (1,)), (1, (1,)), (2, (0, 1)), (3, (0, 1))}
        assert sum(task.cells for task in group(both, workers=2)) == len(first.missing) + 12

    @given(
        st.sets(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=200),
        st.integers(1, 16),
    )
    def test_every_missing_value_is_in_exactly_one_task(self, wanted: set[tuple[int, int]], workers: int) -> None:
        cells = [at(step, layer) for step, layer in sorted(wanted)]
        tasks = group(jobs(cells), workers)
        assert sorted(c for t in tasks for c in cells_of(t)) == sorted(cells)
        assert all(1 <= len(t.jobs) <= 8 for t in tasks)
        assert all(len({c.layer for c in cells_of(t)}) == 1 for t in tasks)


class TestTasksOfCheckpoints:
    def test_a_worker_gets_the_cells_of_one_comparison(self) -> None:
        wanted = jobs(at(step, layer) for step in range(12) for layer in range(7))
        tasks = group_by_checkpoint(wanted, workers=2)
        assert [{c.step for c in cells_of(task)} for task in tasks] == [{step} for step in range(12)]
        assert all(len(task.jobs) == 7 for task in tasks)

    def test_one_worker_or_few_comparisons_get_single_cells(self) -> None:
        assert len(group_by_checkpoint(jobs(at(20, layer) for layer in range(24)), workers=4)) == 24
        several = jobs(at(step, layer) for step in range(9) for layer in range(7))
        alone = group_by_checkpoint(several, workers=1)
        assert [len(task.jobs) for task in alone] == [1] * 63
        assert [cells_of(task)[0].step for task in alone] == sorted(7 * list(range(9)))
        assert len(group_by_checkpoint(several, workers=4)) == 9
        assert group_by_checkpoint([], workers=4) == ()

    @given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 12)), max_size=60), st.integers(1, 9))
    def test_every_missing_value_is_in_exactly_one_task(self, wanted: set[tuple[int, int]], workers: int) -> None:
        cells = [at(step, layer) for step, layer in sorted(wanted)]
        tasks = group_by_checkpoint(jobs(cells), workers)
        assert sorted(c for t in tasks for c in cells_of(t)) == sorted(cells)
        assert all(len({c.pair for c in cells_of(t)}) == 1 for t in tasks)


def two_steps(path: Path) -> Store:
    return make_store(path, tasks=("sst2",), seeds=("1",), steps=(0, 20))


class TestAgainstAStore:
    @pytest.fixture
    def store(self, tmp_path: Path, copied: Copied) -> Store:
        return copied(two_steps, tmp_path / "s.bertdyn")

    @pytest.mark.parametrize("replaced", [CheckpointKey.plain("sst2", "1", 20), PRETRAINED_KEY])
    def test_values_of_arrays_that_were_replaced_are_missing(self, store: Store, replaced: CheckpointKey) -> None:
        key = CheckpointKey.plain("sst2", "1", 20)
        asked = ask_store(store, Selection("svcca", "dev"))
        compared = store.checkpoint("dev", key), store.checkpoint("dev", PRETRAINED_KEY)
        store.add_results([result(*compared, **fields_of(asked))])
        assert cell_of(key, PRETRAINED_KEY, 1) not in plan(store, asked).missing
        write_checkpoint(store, store.corpus("dev"), replaced, replace=True, shift=0.25)
        assert cell_of(key, PRETRAINED_KEY, 1) in plan(store, asked).missing

    def test_attention_values_are_known_by_the_attentions_digest(self, store: Store) -> None:
        key = CheckpointKey.plain("sst2", "1", 20)
        asked = ask_store(store, Selection("js", "dev"))
        compared = store.checkpoint("dev", key), store.checkpoint("dev", PRETRAINED_KEY)
        row = result(*compared, **fields_of(asked))
        stale = tuple(InputDigest("attention", one.resource, one.digest) for one in inputs(*compared))
        store.add_results([row._replace(inputs=stale)])
        assert cell_of(key, PRETRAINED_KEY, 1) in plan(store, asked).missing
        store.add_results([row._replace(inputs=inputs(*compared, kind="attention"))])
        assert cell_of(key, PRETRAINED_KEY, 1) not in plan(store, asked).missing

    def test_coverage_of_a_new_store(self, tmp_path: Path) -> None:
        store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",))
        found = coverage(store, ask_store(store, Selection("svcca", "dev")))
        assert found == Coverage(known=0, missing=12)
        assert str(found) == "not computed: 12 of 12 values"
        assert str(Coverage(1300, 0)) == "all 1,300 values computed"

    def test_parameters_are_spelled_out(self, tmp_path: Path) -> None:
        store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20))
        made = plan(store, ask_store(store, Selection("svcca", "dev", parameters=(("variance", "0.9"),))))
        assert dict(made.question.parameters)["variance"] == 0.9
        assert set(dict(made.question.parameters)) == {p.name for p in get("svcca").parameters}

    @pytest.mark.parametrize(
        ("selection", "said"),
        [
            (Selection("svca", "dev"), "There is no measure 'svca', only svcca"),
            (Selection("svcca", "dv"), "--corpus: the store has no 'dv', only dev"),
            (Selection("svcca", "dev", parameters=(("colour", 1),)), "svcca has no parameter 'colour'"),
            (Selection("svcca", "dev", parameters=(("variance", 7),)), "variance"),
            (Selection("clusters", "dev"), "clusters needs labels, but corpus 'dev' has none"),
            (Selection("svcca", "dev", tasks=("ner",)), "--task: the store has no 'ner'"),
        ],
    )
    def test_what_cannot_be_computed_is_one_sentence(self, tmp_path: Path, selection: Selection, said: str) -> None:
        corpus = sample_corpus(labels=(), examples=4)
        store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20), corpora=[corpus])
        with pytest.raises(BertdynError) as refused:
            plan(store, ask_store(store, selection))
        assert said in str(refused.value)
        assert "\n" not in str(refused.value)
