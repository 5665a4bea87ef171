"""From one state to the next, without a screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.answers.look import END, Look
from explorer.measures.registry import all_measures
from explorer.selection import Question, Ranges
from explorer.ui.catalogue import Catalogue
from explorer.ui.choices import MORE, choices, folded, picked
from explorer.ui.cycles import cycled, next_seed, next_task, varied, where
from explorer.ui.filters import filtered
from explorer.ui.state import State, compared, settled, toggled_seed, toggled_task, with_corpus
from explorer.views.base import Cursor
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, AnnotationInfo, CheckpointKey, CorpusInfo


def corpus(name: str, labels: tuple[str, ...] = ("a", "b")) -> CorpusInfo:
    annotations = (AnnotationInfo("label", "sentence", "class", labels, 1, ""),) if labels else ()
    return CorpusInfo(name, "sentence", 10, 100, 1000, 80, annotations, "t", "f", 0, "x.tsv")


def keys(*tasks: str, seeds: tuple[str, ...] = ("1", "2", "10")) -> tuple[CheckpointKey, ...]:
    return tuple(CheckpointKey.plain(t, s, step) for t in tasks for s in seeds for step in (0, 100))


STORE = Catalogue(
    corpora=(corpus("dev"), corpus("plain", labels=())),
    keys=((PRETRAINED_KEY, *keys("pos", "sst2", "sst5")), keys("pos", seeds=("1",))),
    layers=6,
    measures=all_measures(),
    heads=12,
)
START = settled(State(mode="curves"), STORE)


def test_what_is_chosen_at_the_start() -> None:
    assert (START.corpus, START.tasks, START.seeds, str(START.against)) == ("dev", ("pos",), (), "pretrained")
    asked = START.question(STORE)
    assert (asked.measure.name, asked.corpus, asked.tasks) == ("svcca", "dev", ("pos",))
    assert dict(asked.parameters)["variance"] == pytest.approx(0.99)


def test_a_store_without_the_pretrained_model_is_compared_with_the_first_checkpoint() -> None:
    alone = replace(STORE, keys=(keys("pos"), ()))
    assert str(settled(State(), alone).against) == "first"


def test_the_pretrained_model_becomes_the_reference_when_it_comes_unless_another_was_chosen() -> None:
    alone = replace(STORE, keys=(keys("pos"), ()))
    early = settled(State(), alone)
    assert str(settled(early, STORE).against) == "pretrained"
    assert str(settled(compared(early, "first"), STORE).against) == "first"


def test_seeds_are_offered_in_the_order_of_their_numbers() -> None:
    assert STORE.seeds("dev") == ("1", "2", "10")


def test_the_last_task_and_the_last_seed_cannot_be_taken_out() -> None:
    assert toggled_task(START, STORE, "pos").tasks == ("pos",)
    one = replace(START, seeds=("1",))
    assert toggled_seed(one, STORE, "1").seeds == ("1",)


def test_lines_for_tasks_take_in_the_others_behind_the_one_that_was_chosen() -> None:
    state = replace(START, tasks=("sst2",), mode="curves")
    while state.variant.part != "task":
        state = varied(state, STORE)
    assert state.tasks == ("sst2", "pos", "sst5")
    after = varied(state, STORE).question(STORE)
    assert after.tasks[0] == "sst2"


def test_lines_for_corpora_take_in_those_that_have_the_task_and_each_has_a_box() -> None:
    state = replace(START, tasks=("pos",), mode="curves")
    assert {r.mark for r in choices(state, STORE) if r.section == "corpus" and r.name} == {"(x)", "( )"}
    while state.variant.part != "corpus":
        state = varied(state, STORE)
    assert (state.corpus, state.further, state.question(STORE).corpora) == ("dev", ("plain",), ("dev", "plain"))
    rows = {r.name: r for r in choices(state, STORE) if r.section == "corpus" and r.name}
    assert [r.mark for r in rows.values()] == ["[x]", "[x]"]
    alone = picked(rows["dev"], state, STORE)
    assert (alone.corpus, alone.further) == ("plain", ())
    assert picked(rows["plain"], alone, STORE) == alone
    assert picked(rows["dev"], alone, STORE).question(STORE).corpora == ("plain", "dev")
    assert varied(state, STORE).question(STORE).corpora == ("dev",)
    lonely = replace(START, mode="curves", tasks=("sst2",))
    while lonely.variant.part != "corpus":
        lonely = varied(lonely, STORE)
    assert lonely.further == ()


def test_all_seeds_picked_one_by_one_are_all_seeds() -> None:
    state = replace(START, seeds=("1", "2"))
    assert toggled_seed(state, STORE, "10").seeds == ()


def test_a_seed_that_the_next_task_has_not_is_dropped() -> None:
    store = replace(STORE, keys=((*keys("pos", seeds=("1",)), *keys("sst2", seeds=("2",))), ()))
    state = next_task(replace(settled(State(), store), seeds=("1",)), store)
    assert (state.tasks, state.seeds) == (("sst2",), ())


def test_another_corpus_keeps_the_task_and_takes_a_reference_that_it_has() -> None:
    state = with_corpus(START, STORE, "plain")
    assert (state.corpus, state.tasks, str(state.against)) == ("plain", ("pos",), "first")


def test_the_cursor_goes_from_no_line_to_the_top_one_and_below_the_lowest_to_none() -> None:
    assert START.cursor == Cursor(END, -1)
    assert START.moved(Cursor(4, -1), 0, -1) == Cursor(4, END)
    assert START.moved(Cursor(4, 0), 0, -1) == Cursor(4, -1)
    assert START.moved(Cursor(4, -1), -1, 0) == Cursor(3, -1)
    heat = replace(START, mode="heat")
    assert heat.cursor == Cursor(END, END)
    assert heat.moved(Cursor(4, 0), 0, -1) == Cursor(4, 0)


def test_t_goes_from_task_to_task_then_to_all_of_them_and_says_so() -> None:
    seen, state = [], START
    for _ in range(5):
        seen.append((state.tasks, where(state, STORE, "task", "t", "v")))
        state = next_task(state, STORE)
    assert [tasks for tasks, _ in seen] == [("pos",), ("sst2",), ("sst5",), ("pos", "sst2", "sst5"), ("pos",)]
    assert [words for _, words in seen[:4]] == [
        "Task pos, 1 of 3; t shows the next, after the last one all of them.",
        "Task sst2, 2 of 3; t shows the next, after the last one all of them.",
        "Task sst5, 3 of 3; t shows all of them.",
        "All 3 tasks; t shows one after the other. Only pos is drawn; v: one line per task.",
    ]
    every = replace(START, tasks=("pos", "sst2", "sst5"))
    for mode, ways, end in (
        ("seeds", (("seeds", 1),), "other."),
        ("table", (), "other."),
        ("clusters", (), "pos is drawn."),
    ):
        assert where(replace(every, mode=mode, variants=ways), STORE, "task", "t", "v").endswith(end)
    assert next_task(replace(START, tasks=("sst2", "sst5")), STORE).tasks == ("pos",)


def test_s_goes_from_all_seeds_to_one_after_the_other_and_back() -> None:
    seen, state = [], START
    for _ in range(4):
        seen.append((state.seeds, where(state, STORE, "seed", "s", "v")))
        state = next_seed(state, STORE)
    assert [seeds for seeds, _ in seen] == [(), ("1",), ("2",), ("10",)]
    assert [words for _, words in seen[::3]] == [
        "All 3 seeds; s shows one after the other.",
        "Seed 10, 3 of 3; s shows all of them.",
    ]


def test_where_there_is_one_there_is_nothing_to_go_through() -> None:
    one = replace(STORE, keys=(keys("pos", seeds=("1",)), ()))
    start = settled(State(), one)
    assert next_task(start, one) == start
    assert where(start, one, "task", "t", "v") == "There is one task: pos."
    assert where(next_seed(start, one), one, "seed", "s", "v") == "There is one seed: 1."
    none = Catalogue((), (), 0, all_measures())
    assert where(next_task(settled(State(), none), none), none, "task", "t", "v") == "There is no task."


def test_going_around_comes_back() -> None:
    state = START
    for _ in range(4):
        state = next_seed(state, STORE)
    assert state == START
    assert cycled(("a", "b"), "gone") == "a"
    assert cycled((), "x") == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("task:sst*", {"tasks": ("sst2", "sst5")}),
        ("task:pos,sst2 seed:1,2", {"tasks": ("pos", "sst2"), "seeds": ("1", "2")}),
        ("step:20-100", {"steps": Ranges.parse("20-100", "step")}),
        ("layer:all", {"layers": None}),
        ("measure:js", {"measure": "js"}),
        ("corpus:pl*", {"corpus": "plain"}),
        ("task!=pos", {"tasks": ("sst2", "sst5")}),
        ("task:sst* task!=sst5", {"tasks": ("sst2",)}),
        ("seed!=2", {"seeds": ("1", "10")}),
        ("step>=100", {"steps": Ranges.parse("100-", "step")}),
        ("step>20 step<=180", {"steps": Ranges.parse("21-180", "step")}),
        ("step!=0", {"steps": Ranges.parse("1-", "step")}),
        ("layer!=2-4", {"layers": Ranges.parse("0-1,5-", "layer")}),
        ("layer=3", {"layers": Ranges.parse("3", "layer")}),
        ("statistic:hull*,centroid_mean", {"look": Look(statistic="hull*,centroid_mean")}),
        ("statistic!=separable", {"look": Look(statistic="!separable")}),
        ("statistic:x statistic:*", {"look": Look()}),
        ("variance:0.9", {"parameters": (("svcca", "variance", "0.9"),)}),
        ("variance:0.9 variance:0.99", {"parameters": ()}),
    ],
)
def test_a_filter_line_is_applied(text: str, expected: dict[str, object]) -> None:
    state = filtered(replace(START, layers=Ranges.parse("1", "layer")), STORE, text)
    assert {name: getattr(state, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task:qnli", "No task matches 'qnli'"),
        ("step:x", "neither a number nor a range"),
        ("against:nothing", "not one of pretrained"),
        ("colour:red", "There is task, seed, step.*parameters of svcca"),
        ("task>=pos", "task has no order"),
        ("step<10 step>20", "no step is left"),
        ("step>=10-20", "needs a single number"),
        ("head:40", "heads 1 to 12"),
        ("seed!=*", "No seed is left"),
        ("variance:9", "outside"),
        ("variance:some", "variance: 'some' is not a number"),
        ("step>=900", r"No step matches '900-'; there are 0, 100\."),
        ("layer:99", r"No layer matches '99'; there are 7 from 0 to 6\."),
        ("tokens:some", "not one of all"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(BertdynError, match=said):
        filtered(START, STORE, text)


def test_a_measure_that_needs_labels_says_which_corpus_has_them() -> None:
    state = replace(with_corpus(START, STORE, "plain"), measure="clusters")
    with pytest.raises(BertdynError, match=r"needs labels, but corpus .plain. has none.*dev"):
        state.question(STORE)


def test_an_empty_store_says_that_new_checkpoints_will_appear() -> None:
    empty = Catalogue((), (), 0, all_measures())
    with pytest.raises(BertdynError, match="No checkpoints here yet"):
        settled(State(), empty).question(empty)


def test_a_measure_of_one_checkpoint_keeps_the_reference_for_the_next() -> None:
    alone = next(m for m in STORE.measures if not m.compares)
    state = replace(START, measure=alone.name)
    assert state.question(STORE).against is None
    assert str(replace(state, measure="svcca").question(STORE).against) == "pretrained"


def test_curves_and_heat_share_a_cursor_and_the_table_has_its_own() -> None:
    state = START.pointing(Cursor(3, 2))
    assert replace(state, mode="heat").cursor == Cursor(3, 2)
    assert replace(state, mode="table").cursor == Cursor(0, 0)


def test_every_row_of_the_panel_can_be_picked_and_is_then_marked() -> None:
    for row in choices(START, STORE):
        if row.head or not row.mark:
            continue
        state = picked(row, START, STORE)
        mark = next(r.mark for r in choices(state, STORE) if (r.section, r.name) == (row.section, row.name))
        toggled_off = row.mark == "[x]" and (row.section, row.name) != ("task", "pos")
        assert ("x" in mark) != toggled_off, row


def test_rows_are_found_by_a_part_of_their_name_or_a_glob() -> None:
    assert [r.name for r in choices(START, STORE, "sst") if not r.head] == ["sst2", "sst5"]
    assert [r.name for r in choices(START, STORE, "ss*2") if not r.head] == ["sst2"]
    assert choices(START, STORE, "nothing like it") == []


def values(state: State) -> Question:
    wish = state.wish(STORE)
    assert wish is not None
    assert wish.question is not None
    return wish.question


def test_a_map_of_layers_is_of_one_comparison_at_the_step_that_is_pointed_at() -> None:
    layers = replace(START, mode="heat", variants=(("heat", 2),))
    chosen = values(layers)
    assert (chosen.tasks, chosen.seeds, str(chosen.steps), str(chosen.ref_layers)) == (("pos",), ("1",), "100", "0-")
    early = replace(START.pointing(Cursor(0, 2)), mode="heat", variants=(("heat", 2),))
    assert str(values(early).steps) == "0"
    assert early.cursor == Cursor(END, 2)  # the layer is pointed at everywhere, that of the reference here alone
    assert str(values(replace(layers, seeds=("10",))).seeds) == "('10',)"


FITTING = [m for m in all_measures() if m.labels is None or (m.labels.of == "class" and "sentence" in m.labels.levels)]
"""Measures that the store can be asked for: its labels are classes."""


@pytest.mark.parametrize("name", [m.name for m in FITTING if m.layers is not None and not m.cross_layers])
def test_a_measure_that_compares_no_other_layers_names_those_that_do(name: str) -> None:
    with pytest.raises(BertdynError, match=r"compares no layer with another one\. These do: .*svcca"):
        replace(START, mode="heat", variants=(("heat", 2),), measure=name).wish(STORE)


def test_seeds_can_be_compared_where_there_are_several() -> None:
    assert "seeds" in STORE.references("dev")
    assert "seeds" not in STORE.references("plain")


def test_a_long_list_of_measures_leaves_room_for_the_other_choices() -> None:
    rows = choices(START, STORE)
    assert folded(rows, "", len(rows)) == rows
    short = folded(rows, "", 20)
    assert len(short) <= 20
    assert [r.name for r in short if r.section == "measure" and not r.head] == ["svcca", MORE]
    assert next(r.text for r in short if r.name == MORE).strip() == f"{len(all_measures()) - 1} more"
    for section in ("task", "seed"):
        assert [r for r in short if r.section == section] == [r for r in rows if r.section == section]
    opened = folded(rows, "measure", 20)
    assert [r for r in opened if r.section == "measure"] == [r for r in rows if r.section == "measure"]


def test_a_parameter_belongs_to_the_measure_that_is_shown() -> None:
    changed = filtered(START, STORE, "definition:zscore variance:0.9")
    assert dict(changed.question(STORE).parameters)["definition"] == "zscore"
    assert dict(changed.question(STORE).parameters)["variance"] == 0.9
    assert "variance" not in dict(replace(changed, measure="cka").question(STORE).parameters)
    clusters = filtered(replace(changed, mode="clusters"), STORE, "method:directprobe")
    wish = clusters.wish(STORE)
    assert wish is not None
    assert wish.question is not None
    assert (wish.question.measure.name, dict(wish.question.parameters)["method"]) == ("clusters", "directprobe")
    assert any("definition zscore" in row.text for row in choices(changed, STORE))


def test_a_head_is_looked_at_and_layers_that_are_chosen_replace_the_one_looked_at() -> None:
    looked = replace(START, look=replace(START.look, layer=2))
    state = filtered(looked, STORE, "head:2 layer:5")
    assert (state.look.head, state.look.layer) == (2, None)


def test_the_panel_says_where_a_view_shows_another_measure_than_the_chosen_one() -> None:
    heads = [row.text for row in choices(replace(START, mode="clusters"), STORE) if row.head]
    assert "measure: clusters" in heads
    assert "compared with: -" in heads
    assert "measure" in [row.text for row in choices(START, STORE) if row.head]
