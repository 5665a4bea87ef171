"""Do views read what the store holds, and only what was asked for?"""

import math
from dataclasses import replace

import numpy as np
import pytest

from explorer.answers import fetching
from explorer.answers.look import Look
from explorer.answers.table_rows import fetch_counts, fetch_table
from explorer.fields.placing import field_along
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.render.palette import Depth, palette
from explorer.selection import Against, Ranges, Selection, ask_store
from explorer.views.base import DrawOptions
from explorer.views.kinds import VIEWS
from explorer.views.table import Table
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from tests.explorer.views.samples import result, rows
from tests.store.results import inputs, operands
from tests.synthetic import LAYERS, make_store

SETTLED = get("svcca").settle({})


@pytest.fixture
def store(tmp_path, copied):
    return copied(make_store, tmp_path / "a.bertdyn")


def chosen(**changes) -> Selection:
    asked = Selection("svcca", "dev", against=Against("pretrained"), parameters=SETTLED)
    return replace(asked, **changes)


def fetch(store, selection, **more):
    return fetching.fetch(store, ask_store(store, selection), **more)


def table_of(store, selection, most=None, statistic="", order=("", False)):
    question = ask_store(store, selection)
    return fetch_table(store, question, fetch_counts(store, question, statistic), most, order)


def keep(store, key, layer, value, reference=PRETRAINED_KEY, measure="svcca", **changes):
    changes = {"ref_layer": layer, "measure": measure, **changes}
    statistic = changes.pop("statistic", get(measure).main)
    checkpoint, other = store.checkpoint("dev", key), store.checkpoint("dev", reference)
    parameters = changes.pop("parameters", canonical(dict(get(measure).settle({}))))
    row = result(
        key, layer, value, parameters=parameters, statistic=statistic,
        version=get(measure).version, inputs=inputs(checkpoint, other, kind=get(measure).reads[0].kind),
        **operands(checkpoint, other), **changes,
    )  # fmt: skip
    store.add_results([row])


def test_an_empty_store_has_everything_missing(store):
    found = fetch(store, chosen())
    assert found.main == ()
    assert found.missing == len(found.wanted) == 2 * 2 * 3 * (LAYERS + 1)
    assert found.tasks == ("pos", "sst2")


def test_attention_has_no_layer_zero(store):
    js = get("js")
    found = fetch(store, chosen(measure="js", parameters=js.settle({})))
    assert {place.layer for place in found.wanted} == set(range(1, LAYERS + 1))


def test_a_store_without_attentions_wants_no_attention_values(tmp_path):
    store = make_store(tmp_path / "b.bertdyn", attentions=False)
    assert fetch(store, chosen(measure="js", parameters=get("js").settle({}))).wanted == ()


def test_values_come_back_at_their_place(store):
    key = CheckpointKey.plain("sst2", "2", 40)
    keep(store, key, 2, 0.25)
    found = fetch(store, chosen(tasks=("sst2",)))
    cube = field_along(found, "sst2", "seed", "layer", "step")
    assert cube.values.shape == (2, LAYERS + 1, 3)
    assert cube.values[1, 2, 2] == 0.25
    assert np.isfinite(cube.values).sum() == 1
    assert found.missing == len(found.wanted) - 1


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": canonical({**dict(SETTLED), "variance": 0.5})},
        {"reference": CheckpointKey.plain("sst2", "1", 0)},
        {"key": CheckpointKey.plain("pos", "1", 40)},
        {"layer": 3},
    ],
)
def test_values_of_other_questions_are_left_out(store, changes):
    key, layer = changes.pop("key", CheckpointKey.plain("sst2", "1", 40)), changes.pop("layer", 1)
    keep(store, key, layer, 0.5, **changes)
    assert fetch(store, chosen(tasks=("sst2",), layers=Ranges.parse("0-2", "--layer"))).results == ()


def test_values_of_an_earlier_definition_are_not_shown(store):
    key = CheckpointKey.plain("sst2", "1", 20)
    checkpoint, other = store.checkpoint("dev", key), store.checkpoint("dev", PRETRAINED_KEY)
    old = result(
        key, 1, 0.5, parameters=canonical(dict(SETTLED)), statistic="", version=get("svcca").version - 1,
        inputs=inputs(checkpoint, other),
    )  # fmt: skip
    store.add_results([old])
    assert fetch(store, chosen()).main == ()


def test_a_fine_tuned_task_is_shown_before_the_pretrained_model(store):
    alone = Selection("clusters", "dev", parameters=get("clusters").settle({}))
    assert fetch(store, alone).tasks == ("pos", "sst2", "pretrained")


def test_heads_stay_out_of_curves_and_in_the_table(store):
    key = CheckpointKey.plain("sst2", "1", 40)
    keep(store, key, 1, 0.5)
    keep(store, key, 1, 0.7, head=1)
    found = fetch(store, chosen(tasks=("sst2",)))
    assert [r.value for r in found.main] == [0.5]
    assert len(found.results) == 2


def test_a_selection_that_matches_nothing_says_what_there_is(store):
    with pytest.raises(BertdynError, match="only pos, pretrained, sst2"):
        fetch(store, chosen(tasks=("mnli",)))


def test_mean_and_spread_are_over_the_seeds_that_have_a_value():
    data = rows(
        seeds=("1", "2", "3"),
        layers=[0],
        steps=[0, 20],
        value=lambda seed, layer, step, layers: float(seed),
        kept=lambda key, layer: not (key.seed == "3" and key.step == 20),
    )
    cube = field_along(data, "sst2", "seed", "layer", "step").over("seed")
    assert cube.values.tolist() == [[2.0, 1.5]]
    assert cube.spread.tolist() == [[1.0, pytest.approx(math.sqrt(0.5))]]
    assert cube.count.tolist() == [[3, 2]]


def test_one_seed_has_no_spread():
    assert np.isnan(field_along(rows(), "sst2", "seed", "layer", "step").over("seed").spread).all()


def test_seeds_that_are_numbers_stand_in_their_order():
    assert rows(seeds=("10", "2", "a", "1")).seeds("sst2") == ("1", "2", "10", "a")


def test_rows_of_single_examples_are_read_for_the_table_that_asks_for_them(store):
    key = CheckpointKey.plain("sst2", "1", 40)
    keep(store, key, 1, 0.5, measure="js")
    keep(store, key, 1, 0.7, measure="js", example=0)
    keep(store, key, 1, 0.9, measure="js", example=0, query=3)
    coarse = Selection("js", "dev", ("sst2",))
    detailed = replace(coarse, detail="query")
    found = fetch(store, detailed)
    assert [r.value for r in found.results] == [0.5]
    whole = table_of(store, detailed)
    assert sorted(r.value for r in whole.results) == [0.5, 0.7, 0.9]
    assert [r.value for r in whole.main] == [0.5]
    assert whole.missing == found.missing
    table = VIEWS["table"].load(store, ask_store(store, detailed))
    assert len(table.rows()[1]) == 3
    assert {"example", "query"} <= set(table.columns)
    assert not {"example", "query"} & set(VIEWS["table"].build(found).columns)
    assert [r.value for r in table_of(store, coarse).results] == [0.5]


def test_too_many_rows_of_single_examples_are_counted_instead(store, monkeypatch):
    monkeypatch.setattr("explorer.answers.table_rows.MOST_PARTS", 1)
    key = CheckpointKey.plain("sst2", "1", 40)
    for example in range(3):
        keep(store, key, 1, 0.7, measure="js", example=example)
    found = table_of(store, Selection("js", "dev", ("sst2",), detail="example"))
    assert (found.left_out, found.results) == (3, ())
    shown = VIEWS["table"].build(found)
    assert shown.notes[0].startswith("3 more rows are too many for a table")


def test_layers_against_other_layers_are_read_when_asked_for(store):
    key = CheckpointKey.plain("sst2", "1", 40)
    keep(store, key, 1, 0.5)
    keep(store, key, 1, 0.8, ref_layer=2)
    one = chosen(tasks=("sst2",), seeds=("1",), steps=Ranges.parse("40", "--step"))
    same = fetch(store, one)
    assert ([r.value for r in same.results], same.missing) == ([0.5], LAYERS)
    crossed = fetch(store, VIEWS["layers"].asked(one))
    assert [r.value for r in crossed.results] == [0.5, 0.8]
    assert [r.value for r in crossed.main] == [0.5]
    assert (len(crossed.wanted), crossed.missing) == ((LAYERS + 1) ** 2, (LAYERS + 1) ** 2 - 2)
    some = fetch(store, replace(one, ref_layers=Ranges.parse("2-", "--against-layer")))
    assert {place.ref_layer for place in some.wanted} == {2, 3}


def test_the_distance_between_seeds_comes_with_what_is_compared_with_something_else(store):
    key, other = CheckpointKey.plain("sst2", "2", 40), CheckpointKey.plain("sst2", "1", 40)
    keep(store, key, 1, 0.5)
    keep(store, key, 1, 0.125, reference=other)
    keep(store, CheckpointKey.plain("pos", "2", 40), 1, 0.9, reference=CheckpointKey.plain("pos", "1", 40))
    found = fetch(store, chosen(tasks=("sst2",)))
    assert [r.value for r in found.results] == [0.5]
    assert found.yardsticks == {("sst2", 1, 40, ()): 0.125}
    assert fetch(store, chosen(tasks=("sst2",), seeds=("1",))).yardsticks == found.yardsticks
    between = fetch(store, chosen(tasks=("sst2",), against=Against("seeds")))
    assert [r.value for r in between.results] == [0.125]
    assert between.yardsticks == {}
    cube = field_along(between, "sst2", "seed", "layer", "step")
    assert cube.values[:, 1, 2].tolist() == [0.125, 0.125]


def test_curves_read_less_and_show_the_same(store):
    first, second, third, other = (
        CheckpointKey.plain("sst2", *at) for at in (("1", 0), ("1", 20), ("1", 40), ("2", 0))
    )
    keep(store, first, 1, 0.5)
    keep(store, second, 1, 0.6)
    for head in (1, 2):
        keep(store, second, 1, head / 10, head=head)
        keep(store, third, 1, head / 10, head=head)
    keep(store, other, 1, 7.0, statistic="kept")  # computed, but nothing to draw
    keep(store, other, 2, None, statistic="kept", reason="too few tokens")
    keep(store, other, 2, 7.0, statistic="other")
    wanted = chosen(tasks=("sst2",))
    everything, less = fetch(store, wanted), fetch(store, wanted, whole=True)
    assert len(less.results) < len(everything.results)
    assert less.missing == everything.missing

    def drawn(found):
        return [(r.task, r.seed, r.step, r.layer, r.value, r.reason) for r in found.main]

    assert drawn(less) == drawn(everything)
    assert [r.value for r in less.main if r.seed == "1"] == [0.5, 0.6, pytest.approx(0.15)]


def test_a_table_of_too_many_rows_holds_the_first_runs_and_counts_the_others(store):
    for seed in ("1", "2"):
        for layer in range(3):
            keep(store, CheckpointKey.plain("sst2", seed, 40), layer, layer + int(seed))
    wanted = chosen(tasks=("sst2",))
    found = table_of(store, wanted, most=4)
    assert [(r.seed, r.layer) for r in found.results] == [("1", 0), ("1", 1), ("1", 2), ("2", 0)]
    assert found.left_out == 2
    assert found.missing == fetch(store, wanted).missing
    assert table_of(store, wanted, most=6).left_out == 0


def test_a_table_that_is_full_counts_the_rows_of_single_examples(store):
    for layer in (1, 2):
        keep(store, CheckpointKey.plain("sst2", "1", 40), layer, 0.3, measure="js")
    keep(store, CheckpointKey.plain("sst2", "1", 40), 1, 0.3, measure="js", example=0)
    assert table_of(store, Selection("js", "dev", ("sst2",), detail="example"), most=2).left_out == 1


def test_a_table_of_one_statistic_holds_its_rows_alone_and_misses_nothing_else(store):
    key = CheckpointKey.plain("pos", "1", 20)
    for statistic in ("", "hull_least", "hull_mean", "centroid_mean"):
        keep(store, key, 1, 0.5, statistic=statistic)
    keep(store, key, 2, 0.5)

    def shown(statistic):
        view = VIEWS["table"].load(store, ask_store(store, chosen()), Look(statistic=statistic))
        assert view.data.missing == VIEWS["table"].load(store, ask_store(store, chosen())).data.missing
        columns, values = view.rows()
        return sorted(row[columns.index("statistic")] for row in values), view

    assert shown("hull_mean")[0] == ["hull_mean"]
    assert shown("hull*,centroid_mean")[0] == ["centroid_mean", "hull_least", "hull_mean"]
    assert shown("!hull*")[0] == ["", "", "centroid_mean"]
    assert shown("main")[0] == ["", ""]
    none, view = shown("nearest")
    assert none == []
    assert view.notes[0] == ("no row has a statistic 'nearest'; there is main, centroid_mean, hull_least, hull_mean")
    text = "".join(s.text for line in view.draw(100, 9, palette(Depth.NONE)).lines for s in line)
    assert "No row has a statistic 'nearest'" in text
    assert shown("hull_mean")[1].notes[0].startswith("statistic hull_mean alone; there is also main")


def test_a_statistic_is_chosen_before_the_table_is_cut(store):
    for step in (0, 20, 40):
        for layer in range(LAYERS):
            keep(store, CheckpointKey.plain("pos", "1", step), layer, 0.1)
    keep(store, CheckpointKey.plain("sst2", "2", 40), 1, 0.7, statistic="it's rare")
    found = table_of(store, chosen(), most=4, statistic="it's*")
    assert [r.value for r in found.results] == [0.7]
    assert found.left_out == 0


@pytest.mark.parametrize("descending", [False, True])
def test_a_table_that_is_cut_holds_the_first_rows_of_its_order(store, descending):
    values = {}
    for i, seed in enumerate(("1", "2")):
        for step in (0, 20, 40):
            for layer in range(3):
                values[seed, step, layer] = ((i * 9 + step // 20 * 3 + layer) * 7) % 18 / 10
                keep(store, CheckpointKey.plain("sst2", seed, step), layer, values[seed, step, layer])
                keep(store, CheckpointKey.plain("pos", seed, step), layer, -5.0 if not descending else 5.0)
    keep(store, CheckpointKey.plain("sst2", "1", 0), 3, None, reason="too few tokens")
    wanted = chosen(tasks=("sst2",), steps=Ranges.parse("20-40", "step"))
    found = table_of(store, wanted, most=4, order=("value", descending))
    asked = sorted((v for (_, step, _), v in values.items() if step), reverse=descending)
    view = Table(found)
    sort = DrawOptions(sort="value", descending=descending)
    picture = view.draw(100, 9, palette(Depth.NONE), options=sort)
    shown = [view.row(y, sort)[1][view.columns.index("value")] for y in range(4)]
    assert shown == asked[:4]
    assert found.left_out == 8
    assert found.missing == fetch(store, wanted).missing
    assert picture.notes[0].startswith("8 more rows are too many for a table: the first 4 by value are here")
    other = view.draw(100, 9, palette(Depth.NONE), options=DrawOptions(sort="layer"))
    assert other.notes[0].startswith("! only the 4 rows that were read are sorted, 8 more")


def test_an_order_that_the_store_does_not_know_cuts_run_by_run(store):
    for seed in ("1", "2"):
        keep(store, CheckpointKey.plain("sst2", seed, 20), 1, 0.1)
    found = table_of(store, chosen(tasks=("sst2",)), most=1, order=("seed_to_seed", False))
    assert [r.seed for r in found.results] == ["1"]


@pytest.mark.parametrize("most", [None, 2, 1])
def test_a_table_knows_what_seeds_differ_by_however_much_of_it_is_cut(tmp_path, most):
    store = make_store(tmp_path / "c.bertdyn", tasks=("sst2",), seeds=("1", "2", "3"), steps=(20,))
    for i, seed in enumerate(("1", "2", "3"), 1):
        keep(store, CheckpointKey.plain("sst2", seed, 20), 1, i / 10)
    for seed, other, value in (("2", "1", 0.5), ("3", "1", 0.7), ("3", "2", 0.9)):
        keep(store, CheckpointKey.plain("sst2", seed, 20), 1, value, CheckpointKey.plain("sst2", other, 20))
    found = table_of(store, chosen(), most)
    assert found.yardsticks == fetch(store, chosen()).yardsticks
    columns, rows = Table(found).rows()
    assert [row[columns.index("seed_to_seed")] for row in rows] == [pytest.approx(0.7)] * (most or 3)
    assert found.left_out == 3 - (most or 3)
    assert found.missing == fetch(store, chosen()).missing
