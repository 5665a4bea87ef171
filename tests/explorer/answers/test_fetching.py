"""Is what pictures read of one task, layer or step what all rows say, and is nothing of the rest forgotten?"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from explorer.answers.fetching import fetch, fetch_each, fetch_first, fetch_heads, wanted_of
from explorer.answers.look import Look
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.selection import Against, Question, Ranges, Selection, ask_store
from explorer.selection.stored import cell_of
from explorer.views.kinds import VIEWS
from store.keys import PRETRAINED, CheckpointKey
from store.results import Result
from store.rows import RowQuery
from store.store import Store
from tests.explorer.views.samples import result
from tests.store.results import inputs
from tests.synthetic import HEADS, LAYERS, make_store

TASKS, SEEDS, STEPS = ("pos", "sst2", "ner"), ("1", "2"), (0, 20, 40)


def value(r: Result) -> float:
    """Another one for every place."""
    head = 0 if r.head is None else r.head
    return sum(map(ord, r.task)) / 1e3 + int(r.seed) + r.step / 7 + r.layer / 11 + head / 13


def filled(store: Store, name: str, tasks: tuple[str, ...], heads: tuple[int | None, ...] = (None,)) -> Question:
    """Values of some tasks at their first two steps; all others are missing."""
    measure = get(name)
    parameters = measure.settle({})
    reference = next(c for c in store.checkpoints("dev") if c.key.task == PRETRAINED)
    kept = []
    for c in store.checkpoints("dev"):
        for layer in range(measure.layers.low, LAYERS + 1):
            for head in heads if c.key.task in tasks and c.key.step in STEPS[:2] else ():
                r = result(
                    c.key, layer, 0.0, measure=name, parameters=canonical(dict(parameters)), head=head,
                    statistic=measure.main, version=measure.version,
                    inputs=inputs(c, reference, kind=measure.reads[0].kind),
                )  # fmt: skip
                kept.append(r._replace(value=value(r)))
    store.add_results(kept)
    return ask_store(store, Selection(name, "dev"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("fetched") / "a.bertdyn", tasks=TASKS, seeds=SEEDS, steps=STEPS)


@pytest.fixture(scope="module")
def svcca(store: Store) -> Question:
    return filled(store, "svcca", ("ner", "sst2"))


@pytest.fixture(scope="module")
def js(store: Store) -> Question:
    return filled(store, "js", ("ner", "pos"), (None, *range(1, HEADS + 1)))


CHANGES = [
    {},
    {"tasks": ("sst2", "pos")},
    {"tasks": ("pos",)},
    {"seeds": ("2",)},
    {"layers": Ranges.parse("1-2", "layer")},
    {"steps": Ranges.parse("20-", "step")},
    {"against": Against("first")},
    {"against": Against("seeds")},
]


@pytest.mark.parametrize("changes", [*CHANGES, {"ref_layers": Ranges.parse("2-", "layer")}], ids=str)
def test_the_first_task_is_read_and_the_others_counted(store: Store, svcca: Question, changes: dict) -> None:
    asked = replace(svcca, **changes)
    everything, first = fetch(store, asked), fetch_first(store, asked)
    assert first.tasks == everything.tasks
    assert first.results == tuple(r._replace(computed_at="") for r in everything.results
                                  if r.task == everything.tasks[0])  # fmt: skip
    assert (first.asked, first.missing) == (everything.asked, everything.missing)
    assert first.asked > first.missing or "against" in changes or asked.tasks == ("pos",)
    for task, share in first.unshown.items():
        wanted = {p for p in everything.wanted if p.task == task}
        there = {cell_of(r, get(r.measure)) for r in everything.results if r.task == task}
        assert (share.wanted, share.missing, share.rows) == (len(wanted), len(wanted - there), len(there))


def test_the_store_counts_the_values_of_other_tasks(
    store: Store, svcca: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    rows = store.result_columns

    def noted(query: RowQuery) -> list[tuple[object, ...]]:
        found = rows(query)
        counted.append(len(found) if query.count else 0)
        return found

    monkeypatch.setattr(store, "result_columns", noted)
    wanted = wanted_of(store, svcca)
    first = fetch_first(store, svcca)
    assert max(counted) <= sum(len(wanted.pairs_of(task)) for task in first.unshown), "no row per layer is read"


def test_task_by_task_is_everything(store: Store, svcca: Question) -> None:
    each = list(fetch_each(store, svcca))
    assert [rows.tasks for rows in each] == [("ner",), ("pos",), ("sst2",)]
    assert sum(len(rows.results) for rows in each) == len(fetch(store, svcca).results)
    assert sum(rows.missing for rows in each) == fetch(store, svcca).missing


@pytest.mark.parametrize("changes", [*CHANGES, {"ref_layers": Ranges.parse("2-", "layer")}], ids=str)
def test_what_is_wanted_is_found_counted_and_known_by_name(store: Store, svcca: Question, changes: dict) -> None:
    wanted = wanted_of(store, replace(svcca, **changes))
    places = list(wanted)
    assert len(places) == len(set(places)) == len(wanted) > 0
    assert all(p in wanted for p in places)
    assert {p.task for p in places} == set(wanted.tasks)
    assert {(p.task, p.seed) for p in places} == set(wanted.runs)
    inside = set(places)
    for p in places:
        for other in (p._replace(layer=p.layer + 1), p._replace(step=p.step + 20), p._replace(ref_task="mnli")):
            assert (other in wanted) == (other in inside)


@pytest.mark.parametrize("where", [{"layer": 2}, {"step": 20}])
def test_single_heads_of_one_layer_or_step(store: Store, js: Question, where: dict[str, int]) -> None:
    found = fetch_heads(store, fetch_first(store, replace(js, seeds=("2",))), **where)
    (name, number), layers = next(iter(where.items())), range(1, LAYERS + 1)
    expected = [
        (seed, step, layer, head)
        for seed in ("2",) for step in STEPS[:2] for layer in layers for head in range(1, HEADS + 1)
        if {"layer": layer, "step": step}[name] == number
    ]  # fmt: skip
    assert [(r.seed, r.step, r.layer, r.head) for r in found] == expected
    assert all(r.task == "ner" and r.value == value(r) for r in found)


LOOKS = [
    ("curves", Look(part="task")),
    ("curves", Look(part="task", layer=1)),
    ("curves", Look(part="seed", layer=2)),
    ("curves", Look(part="head", layer=3)),
    ("profile", Look(part="task")),
    ("profile", Look(part="seed")),
    ("seeds", Look(part="task")),
    ("heads", Look()),
]


@pytest.mark.parametrize(("name", "look"), LOOKS, ids=str)
def test_every_number_of_a_picture_is_that_of_its_task_layer_and_step(
    store: Store, js: Question, name: str, look: Look
) -> None:
    view = VIEWS[name].load(store, replace(js, steps=Ranges.parse("0-20", "step")), look)
    columns, rows = view.rows()
    assert rows

    def of(row: tuple[object, ...]) -> float:
        at = dict(zip(columns, row, strict=True))
        task, head = at["task"], at.get("head") or str(at.get("line", "")).removeprefix("head ")
        assert isinstance(task, str)
        assert isinstance(at["step"], int)
        assert isinstance(at["layer"], int)
        line, seed = str(at.get("line", "")), str(at.get("seed", ""))
        seeds = [line[5:]] if line.startswith("seed ") else [seed] if seed in SEEDS else SEEDS
        number = int(str(head)) if str(head).isdigit() else None
        each = [
            value(result(CheckpointKey.plain(task, seed, at["step"]), at["layer"], 0.0, head=number)) for seed in seeds
        ]
        return sum(each) / len(each)

    shown = [row for row in rows if row[columns.index("value")] is not None]
    assert shown
    for row in shown:
        assert math.isclose(row[columns.index("value")], of(row), rel_tol=1e-12)  # type: ignore[arg-type]
    if look.part == "task":
        assert {row[columns.index("task")] for row in shown} <= {"ner", "pos"}
        assert "pos" in {row[columns.index("task")] for row in shown}


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Question]:
    """Three labels' values in two layers of both seeds; of one checkpoint and of the other task none."""
    made = make_store(tmp_path_factory.mktemp("labels") / "a.bertdyn", tasks=("pos", "sst2"), seeds=SEEDS, steps=STEPS)
    measure = get("clusters")
    settled = measure.settle({})
    kept = []
    for c in made.checkpoints("dev"):
        for layer in (1, 3) if c.key.task == "pos" and c.key != CheckpointKey.plain("pos", "2", 40) else ():
            whole = result(
                c.key, layer, 0.5, measure="clusters", parameters=canonical(dict(settled)), statistic=measure.main,
                version=measure.version, annotation="label", inputs=inputs(c),
                **dict.fromkeys(("ref_task", "ref_variant", "ref_seed", "ref_step", "ref_layer")),
            )  # fmt: skip
            kept.append(whole)
            for i, (a, b) in enumerate((("A", "B"), ("A", "C"), ("B", "C"))):
                for statistic, shift in (("hull_distance", 0.0), ("centroid_distance", 10.0)):
                    far = i + layer / 7 + c.key.step / 100 + int(c.key.seed) / 1000 + shift
                    kept.append(whole._replace(label_a=a, label_b=b, statistic=statistic, value=far))
    made.add_results(kept)
    return made, ask_store(made, Selection("clusters", "dev"))


@pytest.mark.parametrize(
    ("look", "step", "layer"),
    [(Look(), 40, 3), (Look(layer=2), 40, 1), (Look(step=20), 20, 3), (Look(step=39, layer=1), 20, 1)],
)
@pytest.mark.parametrize("part", ["hulls", "centroids"])
def test_a_map_of_labels_reads_one_layer_of_one_checkpoint(
    clusters: tuple[Store, Question], look: Look, step: int, layer: int, part: str
) -> None:
    store, asked = clusters
    view = VIEWS["clusters"].load(store, asked, replace(look, part=part))
    columns, rows = view.rows()
    place = {name: columns.index(name) for name in columns}
    assert {(r[place["task"]], r[place["seed"]], r[place["step"]], r[place["layer"]]) for r in rows} == {
        ("pos", "1", step, layer)
    }
    everything = {r for r in fetch(store, asked).results if (r.seed, r.step, r.layer) == ("1", step, layer)}
    values = {(r.label_a, r.label_b, r.statistic): r.value for r in everything if r.label_b is not None}
    found = {(r[place["label_a"]], r[place["label_b"]], r[place["statistic"]]): r[place["value"]] for r in rows}
    assert found == values
    assert len(found) == 6
    assert any("9 more layers and steps" in note for note in view.notes)  # 2 seeds, 3 steps, 2 layers, but one each
    assert view.data.missing == fetch(store, asked).missing


@pytest.mark.parametrize(("look", "layer"), [(Look(), 3), (Look(layer=2), 1)])
@pytest.mark.parametrize("part", ["hulls", "centroids"])
def test_lines_of_labels_read_one_layer_of_every_checkpoint(
    clusters: tuple[Store, Question], look: Look, layer: int, part: str
) -> None:
    store, asked = clusters
    view = VIEWS["labels"].load(store, asked, replace(look, part=part))
    columns, rows = view.rows()
    statistic = {"hulls": "hull_distance", "centroids": "centroid_distance"}[part]
    at = {(r[columns.index("label")], r[columns.index("step")]): r for r in rows}
    everything = fetch(store, asked).results
    for label in "ABC":
        for step in STEPS:
            seeds = [seed for seed in SEEDS if (seed, step) != ("2", 40)]
            pairs = [r for r in everything if r.statistic == statistic and label in (r.label_a, r.label_b)]
            here = [[r for r in pairs if (r.seed, r.step, r.layer) == (seed, step, layer)] for seed in seeds]
            each = [min(r.value for r in found if r.value is not None) for found in here]
            row = at[label, step]
            assert row[columns.index("layer")] == layer
            assert row[columns.index("seeds")] == len(each)
            assert math.isclose(row[columns.index("value")], sum(each) / len(each))  # type: ignore[arg-type]
    assert VIEWS["labels"].load(store, replace(asked, tasks=("sst2",)), look).empty  # type: ignore[attr-defined]
