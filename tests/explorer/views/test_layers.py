"""Does the map of layers show each layer against each, and say which comparison it is?"""

import re
from dataclasses import replace

import pytest

from explorer.answers.look import END
from explorer.answers.rows import Rows, choose_rows
from explorer.measures.declaration import ALONE, LAYER, At
from explorer.measures.registry import all_measures
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.selection import EVERY, Against, Cell, Pair
from explorer.views.base import NOWHERE, Cursor, DrawOptions, Picture, View
from explorer.views.kinds import VIEWS
from store.keys import PRETRAINED_KEY, CheckpointKey
from tests.explorer.views.samples import DISTANCE, result, rows

LAYERS = range(5)
FIRST, LAST = CheckpointKey.plain("sst2", "1", 100), CheckpointKey.plain("sst2", "1", 800)


def crossed(keys=(LAST,), kept=lambda key, layer, other: True, measure=DISTANCE, **changes) -> Rows:
    """Every layer against every layer of the pre-trained model: layer + other / 10."""
    wanted = [Cell.of(Pair(key, PRETRAINED_KEY), At(a, b)) for key in keys for a in LAYERS for b in LAYERS]
    stored = [
        result(p.key, p.layer, p.layer + p.ref_layer / 10, ref_layer=p.ref_layer, **changes)
        for p in wanted
        if kept(p.key, p.layer, p.ref_layer)
    ]
    chosen = replace(rows().question, ref_layers=EVERY, against=Against("pretrained"))
    return choose_rows(replace(chosen, measure=measure), stored, wanted)


def view(data: Rows) -> View:
    return VIEWS["layers"].build(data)


def draw(one: View, cursor=NOWHERE, size=(80, 24), **options) -> Picture:
    return one.draw(*size, palette(Depth.NONE), cursor, DrawOptions(**options))


def test_layers_of_the_checkpoint_run_up_and_those_of_the_reference_to_the_right():
    lines = to_text(draw(view(crossed()), digits=True).lines).splitlines()
    body = [line.split()[:6] for line in lines if re.match(r"\d +\d", line)]
    shown = [(int(first), [float(v) for v in rest]) for first, *rest in body]
    assert shown == [(a, [pytest.approx(a + b / 10) for b in LAYERS]) for a in reversed(LAYERS)]
    assert next(line for line in lines if "reference layer" in line).split()[:5] == ["0", "1", "2", "3", "4"]


def test_the_cursor_reads_both_layers_and_which_is_nearest():
    one = view(crossed())
    assert draw(one, Cursor(4, 2)).reading == "layer 2 against layer 4: 2.40; layer 2 is nearest to 0 (2.00)"
    assert draw(one, Cursor(2, 2)).reading.startswith("layer 2 against layer 2: 2.20")
    assert draw(one, Cursor(END, END)).cursor == Cursor(4, 4)


def test_of_similarities_the_nearest_is_the_largest():
    one = view(crossed(measure=replace(DISTANCE, same=9.0)))
    assert draw(one, Cursor(0, 2)).reading.endswith("layer 2 is nearest to 4 (2.40)")


def test_of_several_comparisons_the_last_step_is_shown_and_the_others_are_counted():
    one = view(crossed((FIRST, LAST, CheckpointKey.plain("sst2", "2", 900))))
    assert "sst2, seed 1, step 800" in one.title
    assert "shows sst2/1/800; the selection has 2 more comparisons" in draw(one).notes
    assert len(one.rows()[1]) == 25


def test_one_whose_map_is_there_goes_first():
    one = view(crossed((FIRST, LAST), kept=lambda key, a, b: key == FIRST or a == b))
    assert "step 100" in one.title
    assert draw(one).notes[0] != "not computed"


def test_values_of_the_same_layer_fill_the_diagonal_and_the_rest_is_missing():
    one = view(crossed(kept=lambda key, a, b: a == b))
    assert "not computed: 20 of 25 values" in draw(one).notes
    assert draw(one, Cursor(1, 2)).reading == "layer 2 against layer 1: not computed"
    assert "2.20" in draw(one, Cursor(2, 2)).reading


def test_an_empty_map_says_how_to_compute_one():
    text = " ".join(to_text(draw(view(crossed(kept=lambda *_: False))).lines).split())
    assert "25 values of SVCCA distance are not computed yet" in text
    assert "bertdyn compute svcca STORE --against-layer all" in text


@pytest.mark.parametrize("changes", [{"axes": (LAYER,)}, {"axes": (LAYER,), "operands": ALONE}])
def test_a_measure_without_maps_names_those_that_have_one(changes):
    data = choose_rows(replace(rows().question, measure=replace(DISTANCE, **changes)), [], [])
    text = " ".join(to_text(draw(view(data)).lines).split())
    assert "does not compare a layer with another one" in text
    assert all(m.name in text for m in all_measures() if m.cross_layers)


def test_refused_values_keep_their_reason():
    data = crossed()
    refused = tuple(r._replace(value=None, reason="too few tokens") if r.ref_layer == 1 else r for r in data.results)
    one = view(replace(data, results=refused))
    assert draw(one, Cursor(1, 2)).reading == "layer 2 against layer 1: no value, too few tokens"
    assert "! 5 of 25 have no value: too few tokens" in draw(one).notes


def test_other_views_of_the_same_values_show_each_layer_against_itself():
    curves = VIEWS["curves"].build(crossed((FIRST, LAST)))
    assert "layer 2, step 800: 2.20" in draw(curves, Cursor(1, 2)).reading
    table = VIEWS["table"].build(crossed())
    assert len(table.rows()[1]) == 25
    assert "ref_layer" in to_text(draw(table, size=(160, 30)).lines)
    assert "against layer 1" in draw(table, Cursor(0, 1), (160, 30)).reading
