"""Do questions to the table of results find what a person would pick by hand?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.keys import CheckpointKey
from store.results import AXIS, Result, axis_columns, input_set_of, row_key
from store.rows import (
    AgainstFirst,
    AllOf,
    AnyOf,
    Best,
    Condition,
    In,
    Is,
    Not,
    RowQuery,
    Same,
    Within,
    of_recipes,
    query_sql,
    rows_of,
)
from store.store import Store
from tests.store.results import inputs, result
from tests.synthetic import make_store

NAMES = ("dev", "it's", 'q"uote', "a;b --", "?", "é")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = make_store(tmp_path_factory.mktemp("rows") / "s.bertdyn", tasks=("pos", "sst2"), seeds=("1", "2"))
    rows = []
    for place, checkpoint in enumerate(made.checkpoints("dev")):
        for layer in (1, 2):
            row = result(checkpoint, layer=layer, value=float(place) if place % 3 else None, ref_layer=None)
            rows += [row, row._replace(head=1, value=0.5), row._replace(statistic=NAMES[place % 6])]
    made.add_results(rows)
    return made


def matches(condition: Condition, row: Result) -> bool | None:
    """A condition in Python, with SQL's third truth value where a column is empty."""
    match condition:
        case Is(column, None):
            return getattr(row, column) is None
        case Is(column, value):
            got = getattr(row, column)
            return None if got is None else got == value
        case In(column, values):
            got = getattr(row, column)
            return False if not values else None if got is None else got in values
        case Within(column, spans):
            got = getattr(row, column)
            inside = [low <= (got or 0) and (high is None or (got or 0) <= high) for low, high in spans]
            return False if not spans else None if got is None else any(inside)
        case Same(column, other):
            pair = getattr(row, column), getattr(row, other)
            return None if None in pair else pair[0] == pair[1]
        case Not(inner):
            got = matches(inner, row)
            return None if got is None else not got
        case AnyOf(inner):
            found = [matches(one, row) for one in inner]
            return True if True in found else None if None in found else False
        case AllOf(inner):
            found = [matches(one, row) for one in inner]
            return False if False in found else None if None in found else True
        case AgainstFirst():
            raise AssertionError("not made here")


LEAVES = st.one_of(
    st.builds(Is, st.just("statistic"), st.sampled_from((*NAMES, ""))),
    st.builds(Is, st.just("head"), st.sampled_from((None, 1, 2))),
    st.builds(Is, st.just("value"), st.sampled_from((None, 1.0, 0.5))),
    st.builds(In, st.just("layer"), st.lists(st.sampled_from((1, 2, 3)), max_size=2).map(tuple)),
    st.builds(In, st.just("step"), st.lists(st.sampled_from((0, 20, 40)), max_size=2).map(tuple)),
    st.builds(Within, st.just("layer"), st.lists(st.sampled_from(((0, 1), (2, None), (3, 4))), max_size=2).map(tuple)),
    st.builds(Within, st.just("head"), st.just(((1, None),))),
    st.builds(Same, st.just("ref_layer"), st.just("layer")),
    st.builds(Same, st.just("ref_step"), st.just("step")),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CONDITIONS, max_size=3).map(tuple))
def test_conditions_mean_what_they_say(store: Store, conditions: tuple[Condition, ...]) -> None:
    everything = store.results()
    found = store.results(RowQuery(conditions))
    assert set(found) == {row for row in everything if all(matches(one, row) for one in conditions)}


def test_columns_counts_order_and_pages(store: Store) -> None:
    everything = store.results()
    where = (Is("statistic", ""),)
    here = [row for row in everything if row.statistic == ""]
    assert store.result_columns(RowQuery(where, count=True)) == [(len(here),)]
    counted = store.result_columns(RowQuery(where, ("layer", "head"), count=True))
    assert sorted(counted, key=str) == sorted(
        {(row.layer, row.head, sum((r.layer, r.head) == (row.layer, row.head) for r in here)) for row in here}, key=str
    )
    distinct = store.result_columns(RowQuery(columns=("task",), distinct=True))
    assert sorted(distinct) == [("pos",), ("pretrained",), ("sst2",)]
    order = (("value", True), ("task", False), ("seed", False), ("step", False), ("layer", False), ("head", False))
    ordered = [row.value for row in store.results(RowQuery(where, order=order))]
    numbers = [value for value in ordered if value is not None]
    assert numbers == sorted(numbers, reverse=True)
    assert ordered[len(numbers) :] == [None] * (len(ordered) - len(numbers)) != []
    pages = [store.results(RowQuery(where, order=order, limit=5, offset=start)) for start in range(0, len(here), 5)]
    assert [row for page in pages for row in page] == store.results(RowQuery(where, order=order))
    places = RowQuery((), ("measure",), count_distinct=("task", "seed", "step", "layer"))
    assert store.result_columns(places) == [("svcca", len({(*r.key, r.layer) for r in everything}))]


def test_the_best_rows_of_each_place(store: Store) -> None:
    ranks = (AllOf((Is("head", None), Is("statistic", ""))), Is("statistic", ""))
    best = store.results(RowQuery((), best=Best(("task", "variant", "seed", "step", "layer"), ranks, alone_from=1)))
    everything = store.results()
    assert set(best) == {row for row in everything if row.head is None and row.statistic == ""}
    only_heads = RowQuery((Not(Is("head", None)),), best=Best(("task",), (Is("value", 9.0),), alone_from=1))
    assert sorted(row.task for row in store.results(only_heads)) == ["pos", "pretrained", "sst2"]


def test_recipes_are_tasks_with_their_variants(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2", "sst2+freeze-6", "sst2+x+y"), seeds=("1",), steps=(0,))
    store.add_results([result(checkpoint) for checkpoint in store.checkpoints("dev")])
    keys = {CheckpointKey("sst2", "", "1", 0), CheckpointKey("sst2", "freeze-6", "1", 0)}

    def found(*recipes: str) -> set[CheckpointKey]:
        return {row.key for row in store.results(RowQuery(rows_of("svcca", recipes=recipes)))}

    assert found("sst2") == {CheckpointKey("sst2", "", "1", 0)}
    assert found("sst2", "sst2+freeze-6") == keys
    assert found("sst2+x+y") == {CheckpointKey("sst2", "x+y", "1", 0)}
    assert found("freeze-6") == set()
    assert of_recipes(()) == ()


def test_values_are_never_part_of_the_sql() -> None:
    query = RowQuery((Is("statistic", "'; drop table x; --"),), ("value",), order=(("value", False),))
    sql, bound = query_sql(query, "select 1", ())
    assert "drop" not in sql
    assert bound == []  # a condition on the key belongs to the source
    with pytest.raises(ValueError, match="'value; --' is not a column of results"):
        query_sql(RowQuery(columns=("value; --",)), "select 1", ())


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r._replace(layer=2),
        lambda r: r._replace(axes=(("alpha", 0.5),)),
        lambda r: r._replace(variant="x"),
        lambda r: r._replace(annotation="upos"),
        lambda r: r._replace(third="sst2/1/0"),
        lambda r: r._replace(statistic="sd"),
        lambda r: r._replace(ref_variant=None, ref_task=None),
    ],
)
def test_whatever_names_a_value_is_in_its_key(store: Store, change: Callable[[Result], Result]) -> None:
    checkpoint, other = store.checkpoints("dev")[:2]
    row = result(checkpoint, other)
    assert row_key(change(row)) != row_key(row)


def test_what_is_only_said_of_a_value_is_not_in_its_key(store: Store) -> None:
    row = result(store.checkpoints("dev")[0])
    again = row._replace(value=3.0, n=1, version=9, details='{"a":1}', computed_at="later", artefact="x", inputs=())
    assert row_key(again) == row_key(row)


def test_a_value_shows_only_while_all_its_inputs_are_as_they_were(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20))
    first, second = (c for c in store.checkpoints("dev") if c.key.task == "sst2")
    (labels,) = store.corpora()[0].annotations
    read = inputs(first, second)
    annotated = (*read, read[0]._replace(kind="annotation", resource="dev/label", digest=labels.digest))
    rows = [
        result(first, layer=1, inputs=read),
        result(first, layer=2, inputs=annotated),
        result(first, layer=3, inputs=()),
        result(first, layer=4, inputs=(*read, read[0]._replace(digest="another"))),
        result(first, layer=5, inputs=(*read, read[0]._replace(kind="weights"))),
        result(first, layer=6, inputs=(read[0]._replace(kind="members", digest="1"),)),
        result(second, layer=7, inputs=(inputs(second)[0]._replace(kind="members", digest="1"),)),
    ]
    store.add_results(rows)
    assert {row.layer for row in store.results()} == {1, 2, 3, 6}
    assert {row[0] for row in store.query("select layer from svcca").rows} == {1, 2, 3, 6}
    assert input_set_of(read) == input_set_of(tuple(reversed(read))) != input_set_of(annotated)


def test_coordinates_have_columns_where_rows_use_them(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0,))
    (checkpoint,) = (c for c in store.checkpoints("dev") if c.key.task == "sst2")
    plain = result(checkpoint)
    curved = plain._replace(measure="curve", axes=(("alpha", 0.5), ("part", "top")))
    store.add_results([plain])
    store.add_results([curved, curved._replace(axes=(("alpha", 1.0),))])
    axes = (("alpha", "DOUBLE"), ("part", "VARCHAR"))
    found = store.results(RowQuery(rows_of("curve"), axes=axes))
    assert {row.axes for row in found} == {curved.axes, (("alpha", 1.0),)}
    assert store.results(RowQuery((*rows_of("curve"), Is(AXIS + "part", "top")), axes=axes)) == [curved]
    assert store.results(RowQuery(rows_of("svcca"), axes=axes)) == [plain]
    assert axis_columns([curved]) == {"axis_alpha": "DOUBLE", "axis_part": "VARCHAR"}
    assert store.query("select alpha, part from curve order by all").rows == [(0.5, "top"), (1.0, None)]
    assert "alpha" not in store.query("select * from svcca").columns


def test_the_first_checkpoint_of_a_run_as_reference(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2", "sst2+x"), seeds=("1", "2"), steps=(5, 20, 40))
    by_key = {c.key: c for c in store.checkpoints("dev") if c.key.task == "sst2"}
    rows = [
        result(by_key[key], by_key[other], value=1.0)
        for key in by_key
        for other in by_key
        if key != other and key.step == 40
    ]
    store.add_results(rows)
    found = store.results(RowQuery((AgainstFirst(),)))
    assert {(r.key, r.ref_variant, r.ref_seed, r.ref_step) for r in found} == {
        (key, key.variant, key.seed, 5) for key in by_key if key.step == 40
    }


def test_inputs_that_another_process_set_aside_are_written_again(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0,))
    checkpoint = store.checkpoints("dev")[0]
    store.add_results([result(checkpoint, layer=1)])
    for path in (store.path / "tables" / "inputs").glob("*.parquet"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    Store.open(store.path).check(repair=True)  # as another process would
    assert Store.open(store.path).results() == []
    store.add_results([result(checkpoint, layer=2)])
    assert {row.layer for row in Store.open(store.path).results()} == {1, 2}
