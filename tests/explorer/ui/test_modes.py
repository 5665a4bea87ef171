"""What each mode shows and what its own keys do, on a small store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from explorer.render.palette import Depth, palette
from explorer.ui.bars import middle, notes, reading
from explorer.ui.modes import MODES
from tests.explorer.ui.conftest import main, opened, screen_text, shown, text_of, until
from tests.parameters import later
from tests.synthetic import make_store

OTHER_SIZES = [(80, 24), (120, 40)]


def titled(pilot: Pilot[None], words: str) -> Callable[[], bool]:
    return lambda: words in text_of(pilot, "heading")


def under(pilot: Pilot[None], words: str) -> Callable[[], bool]:
    """Whole, although the line may cut it."""
    return lambda: (view := main(pilot).chart.view) is not None and words in view.subtitle


def name_of(pilot: Pilot[None]) -> str:
    return getattr(main(pilot).chart.view, "name", "")


async def test_v_goes_through_the_ways_to_look_at_clusters_and_back(labelled: Path) -> None:
    async with opened(labelled) as pilot:
        await pilot.press("5")
        seen = []
        for _ in MODES["clusters"].variants:
            await until(pilot, lambda: name_of(pilot) == main(pilot).state.variant.view)
            seen.append((main(pilot).chart.view.name, text_of(pilot, "heading").strip()))  # type: ignore[union-attr]
            await pilot.press("v")
        views = ["clusters", "clusters", "labels", "labels", "paths", "geometry", "data-map", "confusion", "confusion"]
        assert [name for name, _ in seen] == views
        assert "Paths of the labels' centroids" in seen[4][1]
        assert "Data map" in seen[6][1]
        assert "Confusion of labels" in seen[7][1]
        assert main(pilot).state.variant == MODES["clusters"].variants[0]
        await pilot.press("V", "V", "V", "V", "V")
        await until(pilot, titled(pilot, "Paths of the labels"))


async def test_steps_and_layers_are_walked_in_a_view_of_one_checkpoint(labelled: Path) -> None:
    async with opened(labelled) as pilot:
        await pilot.press("5")
        await until(pilot, titled(pilot, "step 40, layer 3"))
        await pilot.press("left_square_bracket")
        await until(pilot, titled(pilot, "step 20, layer 3"))
        await pilot.press("comma", "comma")
        await until(pilot, titled(pilot, "step 20, layer 1"))
        await pilot.press("right_square_bracket", "full_stop")
        await until(pilot, titled(pilot, "step 40, layer 2"))
        await pilot.press("1")
        await until(pilot, lambda: "step 40" in text_of(pilot, "reading"))


async def test_an_example_is_a_film_of_one_sentence(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("6")
        await until(pilot, titled(pilot, "layer 3, mean of 2 heads · pos seed 1 step 40 against pre-trained"))
        assert under(pilot, "example 0")()
        await pilot.press("n", "n")
        await until(pilot, under(pilot, "example 2 "))
        await pilot.press("left_square_bracket", "greater_than_sign", "comma")
        await until(pilot, titled(pilot, "layer 2, head 1 · pos seed 1 step 20 against pre-trained"))
        assert under(pilot, "example 2 ")()
        await pilot.press("less_than_sign", "N")
        await until(pilot, titled(pilot, "mean of 2 heads"))
        await until(pilot, under(pilot, "example 1 "))


async def test_a_sentence_is_found_by_its_text_and_by_its_label(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("6", "slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"sentence 3", "enter")
        await until(pilot, under(pilot, "1 of 11 holding 'sentence 3'"))
        await pilot.press("n")
        await until(pilot, under(pilot, "2 of 11"))
        assert under(pilot, "example 30 ")()
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press("ctrl+u", *"label:positive", "enter")
        await until(pilot, under(pilot, "example 1 "))
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press("ctrl+u", *"nowhere", "enter")
        await shown(pilot, "No example of corpus 'dev' holds 'nowhere'")


async def test_o_walks_sentences_by_how_far_they_moved(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("6", "o")
        await until(pilot, under(pilot, "1 of 40 by how far they moved"))
        moved = []
        for place in ("2", "3", "4"):
            moved.append(main(pilot).chart.view.data.js.mean())  # type: ignore[union-attr]
            await pilot.press("n")
            await until(pilot, under(pilot, f"{place} of 40"))
        assert moved == sorted(moved, reverse=True)


async def test_the_parts_of_an_example_are_chosen_and_a_narrow_screen_shows_one(computed: Path) -> None:
    async with opened(computed, size=(120, 40)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "difference" in text_of(pilot, "chart"))
        await pilot.press("v", "v", "v")
        await until(pilot, lambda: "difference" not in text_of(pilot, "chart"))
        assert "pos seed 1 step 40" in text_of(pilot, "chart")
        assert "the pre-trained model" not in text_of(pilot, "chart")


async def test_the_store_shows_what_is_there_and_scrolls(computed: Path) -> None:
    async with opened(computed, size=(80, 24)) as pilot:
        await pilot.press("9")
        await until(pilot, titled(pilot, "Store "))
        assert "free on disk" in screen_text(pilot)
        assert "checkpoints" in text_of(pilot, "subheading")
        before = text_of(pilot, "chart")
        await pilot.press("pagedown")
        await until(pilot, lambda: text_of(pilot, "chart") != before)
        await pilot.press("end", "home")
        await until(pilot, lambda: text_of(pilot, "chart") == before)
        assert not main(pilot).missing


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("comma", "Table does not show a single layer."),
        ("greater_than_sign", "Table does not show a single head."),
        ("n", "That key belongs to Example: press 6 first."),
        ("v", "Table has one picture; these have several: 1 Curves, 2 Profile, 3 Heat"),
    ],
)
async def test_a_key_that_has_no_meaning_here_says_where_it_has(computed: Path, key: str, said: str) -> None:
    async with opened(computed) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: main(pilot).chart.view.name == "table")  # type: ignore[union-attr]
        await pilot.press(key)
        await until(pilot, lambda: said in text_of(pilot, "notes"))


@pytest.mark.parametrize("size", [(60, 16), *map(later, [(250, 60), *OTHER_SIZES])])
async def test_every_way_to_look_fits_every_size(labelled: Path, size: tuple[int, int]) -> None:
    async with opened(labelled, size=size) as pilot:
        for mode in MODES.values():
            await pilot.press(mode.key)
            for variant in mode.variants:
                if variant.kind is not None and variant.kind.plane:  # SVCCA has no values in a plane
                    await until(pilot, lambda: "no values in a plane" in screen_text(pilot))
                else:
                    await until(pilot, lambda v=variant: v.view in ("", name_of(pilot)))
                assert len(screen_text(pilot).splitlines()) == size[1]
                assert "could not be drawn" not in screen_text(pilot)
                if len(mode.variants) > 1:
                    await pilot.press("v")


async def test_v_in_curves_makes_a_line_a_seed_a_task_or_a_head_of_one_layer(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("v")
        await until(pilot, titled(pilot, "pos, layer 3, one line per seed"))
        assert "seed 2" in text_of(pilot, "chart")
        await pilot.press("comma", "up")
        await until(pilot, titled(pilot, "pos, layer 2, one line per seed"))
        await until(pilot, lambda: text_of(pilot, "reading").startswith(" seed 2, layer 2, step 40: 0."))
        await pilot.press("v", "slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"task:*", "enter")
        await until(pilot, titled(pilot, "layer 2, one line per task"))
        await until(pilot, lambda: "sst2" in text_of(pilot, "chart"))
        await pilot.press("v")
        await until(pilot, lambda: "has no second axis, such as heads" in text_of(pilot, "chart"))
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"measure:js", "enter")
        await until(pilot, lambda: "head 2" in text_of(pilot, "chart"))
        await pilot.press("v")
        await until(pilot, lambda: main(pilot).state.variant.part == "corpus")
        await pilot.press("v")
        await until(pilot, lambda: main(pilot).state.variant.view == "dynamics")
        await pilot.press("v")
        await until(pilot, lambda: main(pilot).state.variant.part == "layer")


async def test_training_is_read_with_the_curves_where_there_is_room(computed: Path) -> None:
    async with opened(computed, size=(120, 40)) as pilot:
        await until(pilot, lambda: "step 40" in text_of(pilot, "reading"))
        assert "; mean accuracy 0.900, training loss 0.024" in text_of(pilot, "reading"), "of two seeds"
        assert "loss" in text_of(pilot, "chart")
        await pilot.resize_terminal(80, 18)
        await until(pilot, lambda: "loss" not in text_of(pilot, "chart"))


async def test_heat_goes_on_to_heads_and_to_seeds(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"measure:js", "enter", "3", "v")
        await until(pilot, titled(pilot, "step 40, lay"))
        await until(pilot, lambda: "layer 3, head 2, step 40: 0." in text_of(pilot, "reading"))
        await pilot.press("left_square_bracket")
        await until(pilot, titled(pilot, "step 20, lay"))


@pytest.mark.slow
async def test_seeds_are_compared_at_one_step_and_what_is_missing_is_computed(tmp_path: Path) -> None:
    make_store(tmp_path / "s.bertdyn", tasks=("pos",), seeds=("1", "2", "3"))
    async with opened(tmp_path / "s.bertdyn", wait=False) as pilot:
        await until(pilot, lambda: main(pilot).catalogue is not None)
        await pilot.press("3", "V")
        await until(pilot, lambda: "are not compared yet" in text_of(pilot, "chart"))
        await until(
            pilot, lambda: (v := main(pilot).chart.view) is not None and v.name == "seed-pairs" and not v.empty, 90
        )
        await until(pilot, lambda: "seeds 3 and 1, layer 3, step 40: 0." in text_of(pilot, "reading"))
        await pilot.press("right")
        await until(pilot, lambda: "seeds 3 and 2, layer 3, step 40: 0." in text_of(pilot, "reading"))


async def test_z_leaves_the_picture_alone_and_brings_everything_back(computed: Path) -> None:
    async with opened(computed) as pilot:
        before = main(pilot).chart.size
        await pilot.press("z")
        await until(pilot, lambda: main(pilot).chart.size.width == 120)
        assert main(pilot).chart.size.height > before.height
        assert "L3" in text_of(pilot, "chart")
        await pilot.press("left", "z")
        await until(pilot, lambda: main(pilot).chart.size == before)


async def test_a_parameter_of_the_measure_is_set_from_the_panel(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("tab")
        for _ in range(60):
            if main(pilot).panel.row is not None and main(pilot).panel.row.section == "parameters":  # type: ignore[union-attr]
                break
            await pilot.press("j")
        await pilot.press("enter")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        assert "variance:0.99" in pilot.app.focused.value  # type: ignore[union-attr]
        await pilot.press("ctrl+u", *"variance:0.5", "enter")
        await until(pilot, under(pilot, "50 % variance"))
        await until(pilot, lambda: "options: variance 0.5" in text_of(pilot, "panel"))


async def test_a_mode_tells_its_own_keys_where_there_is_room(computed: Path) -> None:
    async with opened(computed, size=(250, 60)) as pilot:
        await until(pilot, lambda: "v: other picture, y: value axis" in text_of(pilot, "notes"))
        await pilot.press("z", "3")
        await until(pilot, lambda: "v: other picture, ]: next step, d: digits" in text_of(pilot, "notes"))
        await pilot.pause()
        assert "v: other picture, ]: next step, d: digits" in text_of(pilot, "notes")


@pytest.mark.parametrize(("key", "measure"), [("5", "clusters"), ("6", "js")])
async def test_the_panel_marks_the_measure_that_is_shown_and_m_says_that_it_stays(
    computed: Path, key: str, measure: str
) -> None:
    async with opened(computed) as pilot:
        assert "(x) svcca" in text_of(pilot, "panel")
        await pilot.press(key)
        await until(pilot, lambda: f"(x) {measure}" in text_of(pilot, "panel"))
        assert "(x) svcca" not in text_of(pilot, "panel")
        assert f"measure: {measure}" in text_of(pilot, "panel")
        await pilot.press("M")
        words = f"always shows {measure}: Overview, Curves, Profile, Heat, Seeds, Table can show another one."
        await until(pilot, lambda: words in text_of(pilot, "notes"))
        assert main(pilot).state.measure == "svcca"
        await pilot.press("1")
        await until(pilot, lambda: "(x) svcca" in text_of(pilot, "panel"))
        await pilot.press("M")
        await until(pilot, lambda: main(pilot).state.measure != "svcca")


async def test_a_measure_of_one_checkpoint_says_that_nothing_is_compared(labelled: Path) -> None:
    async with opened(labelled) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "compared with: -" in text_of(pilot, "panel"))
        before = main(pilot).state
        await pilot.press("R")
        assert "clusters is a value of one checkpoint: it has no reference" in text_of(pilot, "notes")
        assert main(pilot).state == before


async def test_the_layer_pointed_at_is_the_one_that_example_and_clusters_show(labelled: Path) -> None:
    async with opened(labelled) as pilot:
        await pilot.press("5")
        await until(pilot, titled(pilot, "layer 3"))
        await pilot.press("3")
        await until(pilot, lambda: name_of(pilot) == "heat")
        await pilot.press("down", "down", "left", "5")
        await until(pilot, titled(pilot, "step 20, layer 1"))
        await pilot.press("6")
        await until(pilot, titled(pilot, "layer 1, mean"))
        # What is chosen there stays until another layer is pointed at.
        await pilot.press("full_stop", "3")
        await until(pilot, lambda: name_of(pilot) == "heat")
        await pilot.press("right", "6")
        await until(pilot, titled(pilot, "layer 2, mean"))
        await pilot.press("2")
        await until(pilot, lambda: name_of(pilot) == "profile")
        await pilot.press("end", "6")
        await until(pilot, titled(pilot, "layer 3, mean"))


async def test_notes_that_do_not_fit_are_counted_and_stand_in_the_help(computed: Path) -> None:
    async with opened(computed, size=(80, 24)) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"task:* against:final", "enter")
        await until(pilot, lambda: (p := main(pilot).picture) is not None and len(p.notes) > 3)
        await until(pilot, lambda: "not computed" not in text_of(pilot, "notes"))
        notes = main(pilot).picture.notes  # type: ignore[union-attr]
        await until(pilot, lambda: any(f"{n} more note" in text_of(pilot, "notes") for n in range(1, len(notes))))
        await pilot.press("question_mark")
        for note in notes:
            await shown(pilot, note[:60])


def test_as_many_notes_as_fit_and_how_many_more() -> None:
    def line(*said: str, width: int = 40, word: str = "", hint: str = "") -> str:
        return "".join(s.text for s in notes(word, said, hint, "?", palette(Depth.NONE), width))

    assert line("one", "two", hint="v next") == " one · two · v next"
    assert line("one", "two", hint="v " + "next " * 9) == " one · two"
    assert line("a" * 20, "b" * 20, "c") == " " + "a" * 20 + " · 2 more notes: ?"
    assert line("a" * 60, "b") == " " + "a" * 20 + "… · 1 more note: ?"
    assert line("a" * 60) == " " + "a" * 24 + "… · in full: ?"
    assert line("one", word="reading …") == " reading …"
    assert line(hint="v next") == " v next"
    assert all(len(line("a" * n, "b" * n, "c" * n)) < 40 for n in range(60))


def test_a_reading_loses_whole_parts_and_keeps_the_first_words_of_a_warning() -> None:
    def line(text: str, width: int) -> str:
        return "".join(s.text for s in reading(text, palette(Depth.NONE).text, width))

    said = "layer 6, step 80: 0.331 ± 0.039; seeds 0.279; chance 0.776"
    assert line(said, 80) == f" {said}"
    assert line(said, 58) == " layer 6, step 80: 0.331 ± 0.039; seeds 0.279; …"
    warned = "layer 6, step 80: 0.061; ! few tokens: 120 for a width of 384; chance -0.008"
    assert line(warned, 50) == " layer 6, step 80: 0.061; ! few tokens: 120 for a…"


def test_long_names_keep_their_ends() -> None:
    names = [f"a-very-long-name-of-a-run-{n}" for n in (1, 2, 23)]
    assert len({middle(name, 21) for name in names}) == 3
    assert all(len(middle(name, 21)) == 21 and "…" in middle(name, 21) for name in names)
    assert middle("short", 21) == "short"
    assert cell_len(middle("ワイド" * 9, 21)) <= 21


async def test_views_by_task_take_in_every_task_where_only_one_is_chosen(computed: Path) -> None:
    async with opened(computed) as pilot:
        assert len(main(pilot).state.tasks) == 1
        await pilot.press("4", "v")
        await until(pilot, lambda: "2 tasks side by side" in text_of(pilot, "heading"))
        assert main(pilot).state.tasks == ("pos", "sst2")
        await pilot.press("T")
        await until(pilot, lambda: "one task" in text_of(pilot, "heading"))
        await pilot.press("2", "v", "v")
        await until(pilot, lambda: "one line per task" in text_of(pilot, "heading"))
        assert main(pilot).state.tasks == ("pos", "sst2")
        await pilot.press("[")
        await until(pilot, lambda: "step 20, one line per task" in text_of(pilot, "heading"))
