"""Does the view of a store say what is there, what is computed, and what is missing of both?"""

from dataclasses import replace

import pytest

from explorer.answers.coverage import (
    BARE,
    FULL,
    MISSING,
    Coverage,
    RunCoverage,
    default_questions,
    fetch_coverage,
    measure_coverage,
    run_coverage,
)
from explorer.answers.look import END
from explorer.measures.base import canonical
from explorer.measures.declaration import LAYER
from explorer.measures.registry import get
from explorer.pages.store_view import StoreView
from explorer.render.cells import width_of
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.selection import Selection, ask_store
from explorer.views.base import NOWHERE, Cursor, DrawOptions
from explorer.views.kinds import VIEWS
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.results import InputDigest
from store.store import Store
from tests.store.results import inputs, result
from tests.synthetic import LAYERS, make_store, sample_corpus, sample_labels, write_checkpoint

STEPS = (0, 20, 40)


def uneven(path):
    """Two seeds, of which one lacks a step and attentions of another; a second corpus without labels."""
    dev, plain = sample_corpus(), sample_corpus("plain", labels=(), examples=4)
    made = make_store(path, tasks=("sst2",), seeds=("1",), steps=STEPS, corpora=[dev, plain])
    write_checkpoint(made, dev, CheckpointKey.plain("sst2", "2", 0))
    write_checkpoint(made, dev, CheckpointKey.plain("sst2", "2", 40), attentions=False)
    return made


@pytest.fixture
def store(tmp_path, copied):
    return copied(uneven, tmp_path / "s.bertdyn")


def value(store, measure, step, layer, against=PRETRAINED_KEY, seed="1", **more):
    """One stored value of a measure with its default parameters."""
    declared = get(measure)
    of = store.checkpoint("dev", CheckpointKey.plain("sst2", seed, step))
    reference = store.checkpoint("dev", against) if declared.compares else None
    sides = [of] if reference is None else [of, reference]
    row = result(
        of, reference, measure=measure, parameters=canonical(dict(declared.settle({}))), layer=layer,
        version=declared.version, inputs=inputs(*sides, kind=declared.reads[0].kind),
        ref_layer=layer if reference else None,
    )  # fmt: skip
    return row._replace(**more)


def known(coverage, measure, corpus="dev"):
    return next((m.known, m.possible) for m in coverage.measures if (m.measure.name, m.corpus) == (measure, corpus))


def draw(view, width=80, height=17, cursor=NOWHERE, depth=Depth.NONE, **options):
    return view.draw(width, height, palette(depth), cursor, DrawOptions(**options))


def test_every_run_says_which_steps_are_there_on_each_corpus(store):
    found = {(run.task, run.seed, run.corpus): run.states for run in fetch_coverage(store).runs}
    assert found == {
        ("sst2", "1", "dev"): (FULL, FULL, FULL),
        ("sst2", "1", "plain"): (FULL, FULL, FULL),
        ("sst2", "2", "dev"): (FULL, MISSING, BARE),
        ("sst2", "2", "plain"): (MISSING, MISSING, MISSING),
        ("pretrained", "0", "dev"): (FULL,),
        ("pretrained", "0", "plain"): (FULL,),
    }


def test_steps_of_one_task_are_not_missed_in_another(tmp_path):
    store = make_store(tmp_path / "s.bertdyn", tasks=("a",), seeds=("1",), steps=(0, 20), pretrained=False)
    write_checkpoint(store, sample_corpus(), CheckpointKey.plain("b", "1", 7))
    assert [(run.task, run.steps, run.missing) for run in run_coverage(store.checkpoints())] == [
        ("a", (0, 20), ()),
        ("b", (7,), ()),
    ]


def test_what_is_possible_is_counted_by_layers_and_by_what_a_measure_reads(store):
    found = fetch_coverage(store)
    assert known(found, "svcca") == (0, 5 * (LAYERS + 1))
    assert known(found, "js") == (0, 4 * LAYERS)
    assert known(found, "clusters") == (0, 6 * (LAYERS + 1))
    assert known(found, "svcca", "plain") == (0, 3 * (LAYERS + 1))
    assert not [m for m in found.measures if m.measure.name == "clusters" and m.corpus == "plain"]


def test_values_are_counted_once_and_only_those_that_answer_the_question(store):
    good = [value(store, "svcca", step, layer) for step in STEPS for layer in range(LAYERS + 1)]
    store.add_results(
        [
            *good,
            good[0]._replace(computed_at="2026-01-02T00:00:00.000000"),  # again
            good[1]._replace(head=1),
            value(store, "svcca", 20, 1, against=CheckpointKey.plain("sst2", "2", 0)),
            value(store, "svcca", 20, 1, ref_layer=2),
            value(store, "svcca", 0, 1, seed="2", version=get("svcca").version + 1),
            value(
                store, "svcca", 0, 2, seed="2", inputs=(InputDigest("hidden", "dev/sst2/2/0", "of another checkpoint"),)
            ),
            value(store, "svcca", 0, 3, seed="2", parameters="{}"),
            value(store, "clusters", 20, 1, value=None, reason="one label", annotation="label"),
            value(store, "clusters", 40, 1, annotation="another"),
        ]
    )
    found = fetch_coverage(store)
    assert known(found, "svcca") == (len(good), 20)
    assert known(found, "clusters") == (1, 24)
    assert found.missing == sum(m.possible for m in found.measures) - len(good) - 1
    assert {m.measure.name for m in found.measures[:2]} == {"svcca", "clusters"}


def test_annotations_without_values_are_neither_listed_nor_asked_for(store, monkeypatch):
    asked = []
    answer = Store.result_columns
    monkeypatch.setattr(Store, "result_columns", lambda self, query: asked.append(query) or answer(self, query))
    fetch_coverage(store)
    few = len(asked)
    for i in range(5):
        store.annotate("dev", sample_labels("sentence", ("even", "odd"), 40, f"label{i}")[f"label{i}"])
    store.add_results([value(store, "mdl", 20, 1, annotation="label3")])
    asked.clear()
    of_mdl = [(m.annotation, m.known) for m in fetch_coverage(store).measures if m.measure.name == "mdl"]
    assert of_mdl == [("label3", 1), ("label", 0)]
    assert len(asked) <= few + 2, "those of the one annotation with values"


def test_without_a_pretrained_model_the_first_checkpoint_is_the_reference(tmp_path):
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1", "2"), steps=STEPS, pretrained=False)
    first = CheckpointKey.plain("sst2", "1", 0)
    store.add_results(
        [
            value(store, "svcca", 20, 1, first),
            value(store, "svcca", 40, 1, first),
            value(store, "svcca", 40, 1, CheckpointKey.plain("sst2", "1", 20)),  # the one before
            value(store, "svcca", 40, 1, first, seed="2"),
        ]
    )
    found = fetch_coverage(store)
    assert found.against == "first"
    assert known(found, "svcca") == (2, 4 * (LAYERS + 1))
    shown = to_text(draw(StoreView(found), 100, 40).lines)
    assert "against each run's first checkpoint" in shown


def test_the_page_shows_a_mark_a_step_and_a_share_a_measure(store):
    store.add_results([value(store, "svcca", step, layer) for step in STEPS for layer in range(LAYERS + 1)])
    view = StoreView(fetch_coverage(store))
    lines = to_text(draw(view, 100, 40).lines).splitlines()
    assert next(line for line in lines if line.split()[:3] == ["sst2", "2", "dev"]).endswith("  ●·○")
    assert next(line for line in lines if line.split()[:2] == ["svcca", "dev"]).split()[2:5] == ["12", "20", "60"]
    assert view.notes[0] == "not extracted: 4 of 14 checkpoints that other seeds or corpora have"
    plain = to_text(draw(view, 100, 40, ascii=True).lines)
    assert next(line for line in plain.splitlines() if line.split()[:3] == ["sst2", "2", "dev"]).endswith("  #.o")


def test_the_cursor_reads_what_is_missing(store):
    view = StoreView(fetch_coverage(store))
    assert draw(view, cursor=Cursor(0, 2)).reading.endswith("; not extracted: step 20; without attentions: step 40")
    assert draw(view, cursor=Cursor(0, 3)).reading == "sst2, seed 2 on plain: 0 B; not extracted: steps 0, 20, 40"
    row = 6 + next(i for i, m in enumerate(view.data.measures) if (m.measure.name, m.corpus) == ("svcca", "dev"))
    assert draw(view, cursor=Cursor(0, row)).reading == (
        "SVCCA distance on dev: 0 of 20 layers of checkpoints; bertdyn compute svcca computes the other 20"
    )


def test_every_row_is_on_one_page_under_its_heading(store):
    view = StoreView(fetch_coverage(store))
    count = len(view.rows()[1])
    for height in (5, 9, 17, 60):
        seen = []
        for row in range(count):
            picture = draw(view, 100, height, Cursor(0, row))
            lines = to_text(picture.lines).splitlines()
            marked = [line for line in lines if line.startswith("▸")]
            assert len(marked) == 1
            assert any(line.strip().startswith(("Extracted", "Computed")) for line in lines)
            seen.append(marked[0])
        assert len(set(seen)) == count


def test_sizes_add_up_and_the_numbers_can_be_had(store):
    found = fetch_coverage(store)
    assert found.bytes == sum(c.bytes for c in store.checkpoints()) == sum(run.bytes for run in found.runs)
    columns, rows = StoreView(found).rows()
    row = next(dict(zip(columns, r, strict=True)) for r in rows if r[:4] == ("run", "sst2", "2", "dev"))
    assert (row["extracted"], row["with_attention"], row["expected"], row["missing_steps"]) == (2, 1, 3, "20")


def test_an_empty_store_says_how_to_begin(tmp_path):
    view = StoreView(fetch_coverage(Store.create(tmp_path / "e.bertdyn")))
    assert view.empty
    assert "bertdyn extract" in to_text(draw(view, 80, 10).lines)


def test_many_steps_share_marks_and_a_gap_shows():
    states = [FULL] * 400
    states[200] = MISSING
    run = RunCoverage("sst2", "1", "dev", tuple(range(400)), tuple(states), 10)
    view = StoreView(Coverage("s", "first", (run,), (), 10, 0, 0, 0))
    line = next(line for line in to_text(draw(view).lines).splitlines() if "sst2" in line)
    assert line.count("◐") == 1
    assert set(line.split()[-1]) == {"●", "◐"}


def test_no_size_breaks_it(store):
    view = StoreView(fetch_coverage(store))
    for shape in ((1, 1), (3, 2), (40, 10), (80, 17), (250, 60)):
        for depth in (Depth.NONE, Depth.EIGHT_BIT):
            for cursor in (NOWHERE, Cursor(0, 0), Cursor(END, END)):
                for options in ({}, {"ascii": True}):
                    lines = draw(view, *shape, cursor, depth, **options).lines
                    assert [width_of(line) for line in lines] == [shape[0]] * shape[1]


def test_a_variant_is_a_task_of_its_own(tmp_path):
    tasks = ("sst2", "sst2+freeze-6")
    made = make_store(tmp_path / "v.bertdyn", tasks=tasks, seeds=("1",), steps=(0, 20))
    key = CheckpointKey("sst2", "freeze-6", "1", 20)
    made.add_results([value(made, "svcca", 20, 1), value(made, "svcca", 20, 1)._replace(variant="freeze-6", value=0.75,
                      inputs=inputs(made.checkpoint("dev", key), made.checkpoint("dev", PRETRAINED_KEY)))])  # fmt: skip
    found = fetch_coverage(made)
    assert [run.task for run in found.runs] == ["sst2", "sst2+freeze-6", "pretrained"]
    assert known(found, "svcca") == (2, 4 * (LAYERS + 1))
    curves = VIEWS["curves"].load(made, ask_store(made, Selection("svcca", "dev", tasks[1:])))
    assert "sst2+freeze-6" in curves.title
    columns, rows = curves.rows()
    shown = [row for row in rows if row[columns.index("value")] is not None]
    assert [(row[columns.index("task")], row[columns.index("value")]) for row in shown] == [("sst2+freeze-6", 0.75)]
    table = VIEWS["table"].load(made, ask_store(made, Selection("svcca", "dev")))
    columns, rows = table.rows()
    assert sorted(row[columns.index("task")] for row in rows) == list(tasks)


def test_a_measure_without_layers_has_one_value_per_checkpoint(tmp_path):
    made = make_store(tmp_path / "w.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20))
    whole = replace(get("effective-rank"), name="whole", axes=())
    deep = replace(whole, name="deep", axes=(replace(LAYER, within=True),))
    checkpoints = made.checkpoints()
    questions = default_questions([whole, deep, get("effective-rank")], made.corpora(), checkpoints)
    counted = {m.measure.name: m.possible for m in measure_coverage(questions, checkpoints, {})}
    assert counted == {"whole": 3, "deep": 3, "effective-rank": 3 * (LAYERS + 1)}
