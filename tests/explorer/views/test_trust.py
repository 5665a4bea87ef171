"""Does every view say what a value is worth: its interval, what chance gives, how far seeds are apart?"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from explorer.answers.look import Look
from explorer.answers.rows import Rows, choose_rows
from explorer.fields.placing import field_along
from explorer.measures.base import Parameter
from explorer.measures.declaration import LABELS
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.selection import Against
from explorer.selection.stored import cell_of
from explorer.views.base import NOWHERE, Cursor, DrawOptions, Picture, View
from explorer.views.kinds import VIEWS
from explorer.views.side_by_side import member_of
from explorer.views.words import parameter
from store.keys import CheckpointKey
from store.results import Result
from tests.explorer.views.samples import DISTANCE, formula, result, rows

ASKED = json.dumps({"trust": {"null": 20, "interval": "jackknife", "level": 0.9, "resamples": 200, "seed": 0}})
SIMILARITY = replace(
    DISTANCE, title="CKA similarity", direction="1 = the same, 0 = nothing in common", same=1.0, unit="similarity"
)
CHANGE = replace(DISTANCE, title="Change of entropy", low=float("-inf"), high=float("inf"), unit="bits")
LINES = ["curves", "profile", "heat"]


def between(seeds: tuple[str, ...], steps: range, layers: range, apart: float = 0.125) -> list[Result]:
    """Every seed against every smaller one."""
    return [
        result(CheckpointKey.plain("sst2", a, step), layer, apart, ref_task="sst2", ref_seed=b, ref_step=step)
        for a in seeds
        for b in seeds
        if int(b) < int(a)
        for step in steps
        for layer in layers
    ]


def trusted(seeds: tuple[str, ...] = ("1",), **how: object) -> Rows:
    """Values with everything that can come with them, in a store of three seeds."""
    others = between(("1", "2", "3"), range(0, 2001, 100), range(13))
    extra = {"interval_low": 0.2, "interval_high": 0.25, "null_value": 0.93, "details": ASKED}
    return rows(seeds=seeds, others=others, **{**extra, **how})  # type: ignore[arg-type]


def draw(view: View, cursor: Cursor = NOWHERE, size: tuple[int, int] = (120, 40), **options: object) -> Picture:
    return view.draw(*size, palette(Depth.NONE), cursor, DrawOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LINES)
def test_one_seeds_reading_has_interval_yardstick_and_chance(name):
    cursor = Cursor(9, 8) if name == "profile" else Cursor(8, 9)
    reading = draw(VIEWS[name].build(trusted()), cursor).reading
    value = f"{formula(1, 9, 800, 12):.3f}"
    trust = "[90 %: 0.200, 0.250]; two seeds differ by 0.125; chance 0.930: beyond seeds"
    onset = "; half by step 400" if name == "curves" else ""
    assert reading == f"layer 9, step 800: {value} {trust}{onset}"


@pytest.mark.parametrize("name", LINES)
def test_a_mean_over_seeds_has_yardstick_and_chance_but_no_interval(name):
    cursor = Cursor(9, 8) if name == "profile" else Cursor(8, 9)
    reading = draw(VIEWS[name].build(trusted(("1", "2", "3"))), cursor).reading
    assert "(3 of 3 seeds); two seeds differ by 0.125; chance 0.930: beyond seeds" in reading
    assert "[" not in reading


def test_at_80_columns_no_number_is_cut():
    reading = draw(VIEWS["curves"].build(trusted()), Cursor(20, 12), (80, 24)).reading
    assert "seeds 0.125; chance 0.930" in reading[:79]


def test_seeds_and_table_and_layers_read_them_too():
    seeds = draw(VIEWS["seeds"].build(trusted(("1", "2", "3"))), Cursor(8, 9), (130, 40)).reading
    assert seeds.endswith("; two seeds differ by 0.125; chance 0.930")
    table = draw(VIEWS["table"].build(trusted()), Cursor(0, 0)).reading
    assert "[90 %: 0.200, 0.250]; two seeds differ by 0.125; chance 0.930" in table
    layers = draw(VIEWS["layers"].build(trusted()), Cursor(9, 9)).reading
    assert "layer 9 against layer 9" in layers
    assert "two seeds differ by 0.125" in layers


@pytest.mark.parametrize("name", ["curves", "profile", "heat", "seeds", "table", "layers"])
def test_the_numbers_of_every_view_have_them(name):
    columns, found = VIEWS[name].build(trusted()).rows()
    for row in found:
        one = dict(zip(columns, row, strict=True))
        assert (one["interval_low"], one["interval_high"], one["null"]) == (0.2, 0.25, 0.93)
        assert one["seed_to_seed"] == pytest.approx(0.125)
    assert len(found) == (13 if name == "layers" else 273)


def test_a_mean_over_seeds_has_a_mean_chance_level_and_no_interval_in_its_numbers():
    columns, found = VIEWS["curves"].build(trusted(("1", "2"))).rows()
    one = dict(zip(columns, found[0], strict=True))
    assert (one["interval_low"], one["interval_high"]) == (None, None)
    assert one["null"] == pytest.approx(0.93)


@pytest.mark.parametrize("name", ["curves", "profile"])
def test_the_line_pointed_at_has_chance_and_seeds_as_broken_lines(name):
    view = VIEWS[name].build(trusted())
    pointed = to_text(draw(view, Cursor(8, 9)).lines)
    assert "╌ seeds 0.125" in pointed
    assert "┈ chance 0.930 ↑" in pointed
    assert "chance" not in to_text(draw(view, Cursor(8, -1)).lines)


def test_without_them_nothing_is_said_of_them():
    reading = draw(VIEWS["curves"].build(rows()), Cursor(8, 9))
    text = to_text(reading.lines) + reading.reading + " ".join(reading.notes)
    assert not any(word in text for word in ("chance", "seeds", "[", "jackknife"))


def test_the_notes_say_how_they_were_had_and_why_one_could_not():
    notes = draw(VIEWS["heat"].build(trusted()), Cursor(8, 9)).notes
    assert "[ ]: 90 % jackknife interval over examples" in notes
    warned = trusted(measure=replace(DISTANCE, interval_notes={"jackknife": "too wide"}))
    notes = draw(VIEWS["heat"].build(warned), Cursor(8, 9)).notes
    assert "[ ]: 90 % jackknife interval over examples, too wide" in notes
    assert "chance: mean of 20 draws with examples permuted" in notes
    of_labels = draw(
        VIEWS["heat"].build(trusted(measure=replace(DISTANCE, inputs=(*DISTANCE.inputs, LABELS)))), Cursor(8, 9)
    ).notes
    assert "chance: mean of 20 draws with labels permuted" in of_labels
    why = json.dumps({"no_interval": "fewer than three examples", "trust": {"interval": "jackknife", "level": 0.9}})
    notes = draw(VIEWS["heat"].build(rows(details=why)), Cursor(8, 9)).notes
    assert "no interval: fewer than three examples" in notes


def test_a_mean_over_seeds_says_what_its_spread_is_and_speaks_of_no_interval():
    notes = draw(VIEWS["curves"].build(trusted(seeds=("1", "2"))), Cursor(8, 9)).notes
    assert "band, ±: standard deviation over seeds" in notes
    assert not any("interval" in note for note in notes)
    alone = draw(VIEWS["curves"].build(trusted()), Cursor(8, 9)).notes
    assert "band, [ ]: 90 % jackknife interval over examples" in alone
    assert not any("deviation" in note for note in alone)


ON_TRUST = ("±", "[ ]", "band", "chance", "interval", "seeds: ")


@pytest.mark.parametrize("seeds", [("1",), ("1", "2", "3")])
@pytest.mark.parametrize(
    ("name", "look"),
    [
        *((name, Look()) for name in ("curves", "profile", "heat", "seeds", "layers", "seed-pairs")),
        *(("curves", Look(part=part)) for part in ("seed", "task", "head")),
        *(("profile", Look(part=part)) for part in ("seed", "task")),
        ("seeds", Look(part="task")),
    ],
)
def test_the_notes_speak_only_of_what_is_shown(name, look, seeds):
    """A sign in the notes stands in the picture or in the reading, a picture's own sign in the notes."""
    data = trusted(seeds)
    several = name == "seeds" and look.part == "task"
    view = VIEWS[name].build(data, *([[member_of(data, data.tasks[0])]] if several else []), look=look)
    for cursor in (Cursor(8, -1), Cursor(8, 0), Cursor(8, 2)):
        picture = draw(view, cursor, (200, 40))
        shown = to_text(picture.lines) + picture.reading
        told = [note for note in picture.notes if note.startswith(ON_TRUST)]
        for note in told:
            signs = note.partition(": ")[0].removesuffix(" of the mean").split(", ")
            for sign in signs:
                if sign in ("±", "chance", "seeds"):
                    assert {"±": "± ", "chance": "chance", "seeds": "seeds"}[sign] in shown, note
                if sign == "[ ]":
                    assert "[90 %" in shown, note
        assert ("chance" in shown) == any(note.startswith("chance: ") for note in told)
        assert ("[90 %" in picture.reading) == any("[ ]: " in note for note in told)
        assert ("± " in picture.reading) == any("deviation" in note and "±" in note for note in told)


def test_what_the_title_says_goes_first_where_there_is_no_room():
    view = VIEWS["curves"].build(trusted())
    wide, narrow = (draw(view, Cursor(8, 9), (width, 20)).reading for width in (200, 90))
    assert "; from the pre-trained model;" in wide
    assert "pre-trained" not in narrow
    assert len(narrow) <= 90


def test_details_that_are_no_json_break_nothing():
    picture = draw(VIEWS["curves"].build(trusted(details='{"trust"')), Cursor(8, 9))
    assert "[0.200, 0.250]" in picture.reading


def test_seeds_draws_the_distance_between_seeds_beside_them():
    view = VIEWS["seeds"].build(trusted(("1", "2", "3")))
    text = to_text(draw(view, size=(200, 24)).lines)
    assert "between seeds" in text.splitlines()[0]
    assert "mean ± sd, ╌ seeds" in to_text(draw(view, Cursor(3, 4), size=(200, 24)).lines).splitlines()[0]
    slim = to_text(draw(VIEWS["seeds"].build(trusted(("1", "2"))), Cursor(3, 4), size=(80, 18)).lines).splitlines()[0]
    assert slim.split() == ["seed", "1", "seed", "2", "mean", "±", "sd", "between", "seeds"]
    assert to_text(draw(view, Cursor(3, 4), ascii=True).lines).isascii()
    alone = to_text(draw(VIEWS["seeds"].build(rows(seeds=("1", "2"))), size=(200, 24)).lines)
    assert "between seeds" not in alone


class TestSimilarities:
    def data(self, **how: object) -> Rows:
        return trusted(measure=SIMILARITY, value=lambda *where: 1 - formula(*where), interval_low=None, **how)

    def test_words_point_the_right_way(self):
        view = VIEWS["curves"].build(self.data())
        assert view.title.startswith("CKA similarity to the pre-trained model")
        assert "1 = the same · 0 = nothing in common · 99 % variance" in view.subtitle
        assert (
            "between seeds 0.125; chance 0.930: within chance; to the pre-trained model"
            in draw(view, Cursor(8, 9)).reading
        )

    def test_noise_lies_at_one(self):
        view = VIEWS["curves"].build(rows(measure=SIMILARITY, value=lambda *_: 1 - 1e-8))
        assert "273 of 273 values lie within 1e-6 of 1: rounding of the stored float16" in draw(view).notes
        low = VIEWS["curves"].build(rows(measure=SIMILARITY, value=lambda *_: 1e-8))
        assert not any("rounding" in note for note in draw(low).notes)
        assert "within 1e-6 of 1, rounding" in draw(view, Cursor(0, 0)).reading

    def test_axes_end_at_one(self):
        curves = VIEWS["curves"].build(rows(measure=SIMILARITY, value=lambda *where: 1 - formula(*where)))
        assert "1.0┤" in to_text(draw(curves).lines)
        heat = VIEWS["heat"].build(rows(measure=SIMILARITY, value=lambda *where: 1 - formula(*where)))
        assert "1.0" in to_text(draw(heat).lines)


class TestChanges:
    def data(self, seeds: tuple[str, ...] = ("1",)) -> Rows:
        return rows(seeds=seeds, measure=CHANGE, value=lambda s, layer, step, n: (layer - 5.5) * step / 1e4)

    def test_curves_have_a_line_at_zero_and_no_logarithm(self):
        view = VIEWS["curves"].build(self.data())
        text = to_text(draw(view).lines)
        assert "┈┈┈" in next(line for line in text.splitlines() if line.strip().startswith("0.0"))
        log = draw(view, scale="log")
        assert to_text(log.lines) == text
        assert any("no logarithm" in note for note in log.notes)

    def test_a_map_has_two_sides(self):
        lines = to_text(draw(VIEWS["heat"].build(self.data())).lines).splitlines()
        assert any("MM" in line for line in lines)
        assert any("WW" in line for line in lines)


class TestAgainstSeeds:
    def data(self, asked: tuple[str, ...] = ()) -> Rows:
        """Three seeds; the distance of seeds a and b is (a + b) / 10."""
        stored = [
            r._replace(value=(int(r.seed) + int(r.ref_seed or 0)) / 10)
            for r in between(("1", "2", "3"), range(0, 101, 100), range(2))
        ]
        base = rows(seeds=("1", "2", "3"))
        chosen = replace(base.question, against=Against("seeds"), tasks=("sst2",), seeds=asked)
        kept = [r for r in stored if not asked or r.seed in asked or r.ref_seed in asked]
        return choose_rows(replace(chosen, measure=DISTANCE), stored, [cell_of(r, DISTANCE) for r in kept])

    def test_a_seeds_value_is_the_mean_over_the_others(self):
        data = self.data()
        assert data.seeds("sst2") == ("1", "2", "3")
        cube = field_along(data, "sst2", "seed", "layer", "step")
        assert cube.values[:, 0, 0] == pytest.approx([(0.3 + 0.4) / 2, (0.3 + 0.5) / 2, (0.4 + 0.5) / 2])
        assert np.isnan(cube.yardstick).all()
        assert data.missing == 0

    def test_a_chosen_seed_is_compared_with_smaller_and_larger_ones(self):
        data = self.data(("2",))
        assert data.seeds("sst2") == ("2",)
        assert field_along(data, "sst2", "seed", "layer", "step").values[0, 0, 0] == pytest.approx((0.3 + 0.5) / 2)

    def test_the_title_says_so_and_there_is_no_second_yardstick(self):
        view = VIEWS["curves"].build(self.data())
        assert "from the other seeds at the same step" in view.title
        assert "two seeds differ by" not in draw(view, Cursor(0, 0)).reading
        assert math.isfinite(float(view.rows()[1][0][7]))  # type: ignore[arg-type]


def test_a_subtitle_leaves_out_what_says_nothing_and_keeps_what_was_chosen():
    for name, value in (("held_out", 0.0), ("split_seed", 0), ("tokens", "all")):
        assert not parameter(name, value)
    assert parameter("held_out", 0.2) == "held out 0.2"
    assert parameter("split_seed", 7) == "split seed 7"
    assert parameter("definition", "zscore") == "definition zscore"


def test_a_parameter_that_was_changed_stands_before_what_the_measure_is_like():
    data = rows()
    measure = replace(
        data.measure, parameters=(Parameter("variance", 0.9, "share"), Parameter("tokens", "all", "which"))
    )
    said = VIEWS["curves"].build(replace(data, question=replace(data.question, measure=measure))).subtitle
    assert said.index("99 % variance") < said.index("0 = the same subspace")
