"""Does each view show the numbers of the selection, in words a reader understands, at any size?"""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.look import END
from explorer.render.cells import width_of
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views import words
from explorer.views.base import NOWHERE, SCALES, Cursor, DrawOptions
from explorer.views.kinds import VIEWS
from store.keys import CheckpointKey
from tests.explorer.views.samples import formula, result, rows

SIZES = [(40, 10), (80, 24), (120, 40), (250, 60), (1, 1), (3, 2)]
NAMES = [
    n
    for n, kind in VIEWS.items()
    if kind.computes and not kind.measure and not (kind.at_step or kind.plane) and n != "heads"
]
DATA = {
    "plain": {},
    "three seeds": {"seeds": ("1", "2", "10")},
    "nothing stored": {"kept": lambda key, layer: False},
    "one point": {"layers": [3], "steps": [100]},
    "one layer": {"layers": [12]},
    "one step": {"steps": [500]},
    "no value": {"value": lambda *_: None, "reason": "too few tokens for this width"},
    "half there": {"kept": lambda key, layer: key.step < 1000 and layer % 2 == 0},
    "wide names": {"tasks": ("任务 \x1b[31m", "a/b")},
    "many layers": {"layers": range(49), "steps": range(0, 4000, 40)},
    "all zero": {"value": lambda *_: 0.0},
}


def draw(view, width=80, height=24, depth=Depth.NONE, cursor=NOWHERE, **options):
    return view.draw(width, height, palette(depth), cursor, DrawOptions(**options))


def text(view, *size, **how):
    return to_text(draw(view, *size, **how).lines)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", DATA)
def test_every_view_fills_exactly_the_cells_it_is_given(name, case):
    view = VIEWS[name].build(rows(**DATA[case]))
    for width, height in SIZES:
        for depth in (Depth.NONE, Depth.EIGHT_BIT):
            for cursor in (Cursor(), Cursor(0, 0), Cursor(END, END)):
                picture = draw(view, width, height, depth, cursor)
                assert [width_of(line) for line in picture.lines] == [width] * height
    picture = draw(view, cursor=Cursor(0, 0))
    assert "".join((view.title, view.subtitle, picture.reading, *picture.notes)).isprintable()


@given(
    st.sampled_from(NAMES),
    st.sampled_from(["three seeds", "half there", "one point", "no value"]),
    st.integers(1, 260),
    st.integers(1, 70),
    st.sampled_from(list(Depth)),
    st.integers(-1, 30),
    st.integers(-1, 30),
    st.sampled_from([*SCALES, "unknown"]),
    st.booleans(),
)
def test_no_size_option_or_cursor_breaks_a_view(name, case, width, height, depth, x, y, scale, ascii_only):
    view = VIEWS[name].build(rows(**DATA[case], tasks=("sst2",)))
    picture = draw(view, width, height, depth, Cursor(x, y), scale=scale, ascii=ascii_only, digits=scale == "log")
    assert [width_of(line) for line in picture.lines] == [width] * height


@pytest.mark.parametrize("name", NAMES)
def test_the_title_says_what_is_compared_with_what(name):
    view = VIEWS[name].build(rows())
    assert view.title.startswith("SVCCA distance from the pre-trained model · sst2")
    direction = "0 = the same subspace · 1 = nothing in common · 99 % variance"
    assert view.subtitle == f"corpus dev · over 21,340 tokens · {direction}"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_computed_is_counted(name):
    view = VIEWS[name].build(rows(kept=lambda key, layer: layer != 5))
    assert draw(view).notes[0] == f"not computed: {'1 of 13' if name == 'layers' else '21 of 273'} values"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "overview"])  # it has other findings, and prices
def test_an_empty_picture_says_why(name):
    nothing = VIEWS[name].build(rows(kept=lambda key, layer: False))
    assert nothing.empty
    assert "not computed yet" in text(nothing)
    assert draw(nothing, cursor=Cursor(0, 0)).reading == ""


@pytest.mark.parametrize("name", ["curves", "profile", "heat", "seeds"])
def test_values_that_were_refused_are_said_with_their_reason(name):
    view = VIEWS[name].build(rows(value=lambda *_: None, reason="too few tokens for this width"))
    assert view.empty
    assert "too few tokens for this width" in " ".join(text(view).split())
    assert any(note.startswith("! 273 of 273 have no value: too few tokens") for note in draw(view).notes)


@pytest.mark.parametrize("name", NAMES)
def test_noise_is_called_noise(name):
    view = VIEWS[name].build(rows(value=lambda *_: 1e-8))
    many = 13 if name == "layers" else 273
    assert f"{many} of {many} values lie below 1e-6: rounding of the stored float16" in draw(view).notes


def test_the_cursor_reads_one_value_in_words():
    view = VIEWS["curves"].build(rows())
    value = formula(1, 9, 800, 12)
    expected = f"layer 9, step 800: {value:.3f}, from the pre-trained model"
    assert draw(view, cursor=Cursor(8, 9)).reading == f"{expected}; half by step 400"
    assert draw(VIEWS["heat"].build(rows()), cursor=Cursor(8, 9)).reading == expected
    assert draw(VIEWS["profile"].build(rows()), cursor=Cursor(9, 8)).reading == expected


def test_the_cursor_stays_inside_the_data():
    picture = draw(VIEWS["curves"].build(rows()), cursor=Cursor(END, END))
    assert picture.cursor == Cursor(20, 12)
    assert picture.reading.startswith("layer 12, step 2,000: ")
    assert draw(VIEWS["table"].build(rows()), cursor=Cursor(-1, END)).cursor == Cursor(-1, 272)


def test_a_cursor_on_one_axis_reads_the_extremes():
    view = VIEWS["curves"].build(rows())
    top = formula(1, 12, 800, 12)
    assert draw(view, cursor=Cursor(8, -1)).reading == f"step 800: 0 (layer 0) to {top:.3f} (layer 12)"


def test_a_value_that_is_missing_reads_as_missing():
    view = VIEWS["heat"].build(rows(kept=lambda key, layer: layer != 5))
    assert draw(view, cursor=Cursor(0, 5)).reading == "layer 5, step 0: not computed"


def test_several_seeds_are_shown_as_mean_with_spread():
    view = VIEWS["curves"].build(rows(seeds=("1", "2", "10")))
    values = [formula(s, 9, 800, 12) for s in (1, 2, 10)]
    mean = sum(values) / 3
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / 2)
    assert view.title.endswith("sst2, mean of seeds 1, 2, 10")
    reading = draw(view, cursor=Cursor(8, 9)).reading
    assert reading == f"layer 9, step 800: {mean:.3f} ± {spread:.3f} (3 of 3 seeds), from the pre-trained model"


def test_seeds_stand_side_by_side_on_one_scale():
    view = VIEWS["seeds"].build(rows(seeds=("1", "2", "10")))
    lines = text(view, 120, 24).splitlines()
    assert re.split(r"\s{2,}", lines[0].strip()) == ["seed 1", "seed 2", "seed 10", "mean ± sd"]
    ticked = [line for line in lines if "┤" in line]
    assert ticked
    assert all(len(set(re.findall(r"([\d.]+)┤", line))) == 1 and line.count("┤") == 4 for line in ticked)
    reading = draw(view, cursor=Cursor(8, 9)).reading
    for seed in (1, 2, 10):
        assert f"seed {seed} {formula(seed, 9, 800, 12):.3f}" in reading


def test_lines_are_named_beside_two_seeds_at_80_columns():
    lines = text(VIEWS["seeds"].build(rows(seeds=("1", "2"), layers=[0, 3, 6])), 80, 18).splitlines()
    assert [name for line in lines if (name := line.split()[-1]).startswith("L")] == ["L6", "L3", "L0"]
    three = text(VIEWS["seeds"].build(rows(seeds=("1", "2", "3"), layers=[0, 3, 6])), 80, 18).splitlines()
    assert any(line.rstrip().endswith("L6") for line in three)


def test_seeds_that_do_not_fit_are_counted_and_the_mean_stays():
    view = VIEWS["seeds"].build(rows(seeds=tuple(map(str, range(1, 13))), steps=[0, 100, 200]))
    picture = draw(view, 60, 10)
    assert "mean" in to_text(picture.lines)
    assert any(re.fullmatch(r"\d+ of 13 panels do not fit on this screen", note) for note in picture.notes)


def test_a_picture_of_one_task_names_the_others():
    view = VIEWS["curves"].build(rows(tasks=("sst2", "pos", "qqp")))
    assert "only sst2 is drawn; pos, qqp are chosen too: one line per task shows all" in draw(view).notes


def test_of_several_reasons_the_most_frequent_is_said():
    cells = [result(CheckpointKey.plain("sst2", "1", step), 3, None) for step in range(3)]
    found = [r._replace(reason="too few tokens" if r.step else "no head") for r in cells]
    assert words.flaws(found) == ("! 3 of 3 have no value: too few tokens (and 1 other reason)",)


@pytest.mark.parametrize("name", ["curves", "profile", "heat"])
def test_a_title_names_only_the_seeds_that_have_values(name):
    view = VIEWS[name].build(rows(seeds=("1", "2", "3"), kept=lambda key, layer: key.seed == "2"))
    assert view.title.endswith("sst2, seed 2")
    assert "seeds 1, 3 have no value here" in draw(view).notes
    columns, found = view.rows()
    assert {row[columns.index("seed")] for row in found if "seed" in columns} <= {"2"}
    some = VIEWS[name].build(rows(seeds=("1", "2"), kept=lambda key, layer: key.seed == "2" or key.step < 100))
    assert "mean of seeds 1, 2" in some.title
    assert not any("no value here" in note for note in draw(some).notes)
    nothing = VIEWS[name].build(rows(seeds=("1", "2"), kept=lambda key, layer: False))
    assert "mean of seeds 1, 2" in nothing.title


@pytest.mark.parametrize("name", ["curves", "profile", "heat"])
def test_the_rows_behind_a_picture_are_its_numbers(name):
    columns, found = VIEWS[name].build(rows()).rows()
    assert len(found) == 13 * 21
    for row in found[:40]:
        one = dict(zip(columns, row, strict=True))
        assert one["value"] == formula(1, one["layer"], one["step"], 12)
        assert (one["seed"], one["against"], one["unit"]) == ("1", "pretrained", "distance")


def test_the_rows_behind_seeds_are_each_seed_and_the_mean():
    columns, found = VIEWS["seeds"].build(rows(seeds=("1", "2"), steps=[100])).rows()
    kinds = [row[columns.index("seed")] for row in found]
    assert [kinds.count(k) for k in ("1", "2", "mean of 1,2")] == [13, 13, 13]


def test_the_table_sorts_with_missing_values_last():
    data = rows(steps=[100], value=lambda seed, layer, step, layers: None if layer == 3 else (layer * 7 % 13) / 10)
    view = VIEWS["table"].build(data)
    shown = text(view, 120, 20, sort="value", descending=True).splitlines()
    values = [m[1] for line in shown[1:] if (m := re.search(r"sst2  1\s+100\s+\d+\s+([\d.]+)\s", line))]
    assert [float(v) for v in values] == sorted(map(float, values), reverse=True)
    assert len(values) == 12
    assert re.search(r"sst2  1\s+100\s+3\s", shown[13])


def test_the_table_shows_whole_columns_and_leaves_out_what_the_title_says():
    view = VIEWS["table"].build(rows())
    head = text(view, 200, 12).splitlines()[0].split()
    assert head[:5] == ["task", "seed", "step", "layer", "value"]
    assert not {"unit", "ref_task", "ref_seed", "ref_step"} & set(head)
    for width in range(30, 120):
        assert set(text(view, width, 12).splitlines()[0].split()) <= set(view.columns)


def test_the_table_turns_its_pages_with_the_cursor():
    view = VIEWS["table"].build(rows())
    assert "rows 1-10 of 273" in text(view, 100, 12)
    assert "rows 21-30 of 273" in text(view, 100, 12, cursor=Cursor(0, 25))


def test_rows_with_a_warning_are_marked_and_read_with_it():
    data = rows(steps=[100])
    results = tuple(r._replace(reason="n/d 1.1: too few tokens") if r.layer == 4 else r for r in data.results)
    warned = replace(data, results=results)
    table = VIEWS["table"].build(warned)
    marked = [line for line in text(table, 120, 20).splitlines() if line.startswith(" !")]
    assert len(marked) == 1
    assert "n/d 1.1: too few tokens" in marked[0]
    curves = VIEWS["curves"].build(warned)
    read = draw(curves, 120, cursor=Cursor(0, 4)).reading
    assert read.endswith("; ! n/d 1.1: too few tokens; from the pre-trained model")
    assert "! 1 of 13 are unreliable: n/d 1.1: too few tokens" in draw(curves).notes


def test_a_layer_has_the_letter_of_its_number_where_colours_are_few():
    lines = text(VIEWS["curves"].build(rows(layers=[4, 11])), 80, 20).splitlines()
    assert [m[1] for line in lines if (m := re.search(r"(\w) L(?:4|11) \d", line))] == ["b", "4"]


def test_ascii_pictures_are_ascii():
    for name in NAMES:
        assert text(VIEWS[name].build(rows(seeds=("1", "2"))), 100, 24, ascii=True).isascii()


def test_parameters_are_said_in_words_and_defaults_that_say_nothing_are_not():
    said = {
        ("special", "drop"): "special tokens left out",
        ("weighting", "examples"): "every sentence weighs the same",
        ("tokens", "content"): "tokens without special ones",
        ("variance", 0.99): "99 % variance",
        ("hidden_size", 16): "hidden size 16",
        ("tokens", "all"): "",
    }
    assert {given: words.parameter(*given) for given in said} == said


@pytest.mark.parametrize("name", ["curves", "profile", "heat"])
def test_values_that_a_picture_has_no_place_for_are_not_said_to_be_missing(name):
    of_whole_models = [result(CheckpointKey.plain("sst2", "1", step), None, 0.5) for step in (100, 200)]
    view = VIEWS[name].build(rows(layers=[None], steps=[100, 200], kept=lambda *_: False, others=of_whole_models))
    assert "2 values have no place in this picture: the table shows them." in text(view)
    assert "no value" not in text(view)
