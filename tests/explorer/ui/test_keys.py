"""What each key does, asked on a real store."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from explorer.measures.registry import all_measures
from explorer.selection import Ranges
from explorer.ui.actions import ACTIONS
from explorer.ui.modes import MODES
from explorer.ui.session import Session
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, sql, text_of, until
from tests.parameters import first, later


async def test_what_does_it_open_to(computed: Path) -> None:
    async with opened(computed) as pilot:
        state = main(pilot).state
        assert (state.mode, state.measure, state.tasks) == ("curves", "svcca", ("pos",))
        assert str(state.against) == "pretrained"
        assert "SVCCA distance from the pre-trained model" in text_of(pilot, "heading")
        assert "L3" in text_of(pilot, "chart")
        assert "2 seeds x 3 steps" in text_of(pilot, "title")


async def test_a_number_key_shows_its_view(computed: Path) -> None:
    async with opened(computed) as pilot:
        for mode in reversed(MODES.values()):
            await pilot.press(mode.key)
            await until(pilot, lambda m=mode: main(pilot).state.mode == m.name and main(pilot).picture is not None)
            shows = mode.variants[0].view
            await until(pilot, lambda s=shows: not s or getattr(main(pilot).chart.view, "name", "") == s)
            footer = main(pilot).query_one("#footer").render_line(0)
            marked = "".join(s.text for s in footer if s.style and s.style.reverse)
            assert marked.split() == [mode.key, mode.title]


async def test_shift_m_shows_the_next_measure(computed: Path) -> None:
    async with opened(computed) as pilot:
        names = [m.name for m in all_measures()]
        after = all_measures()[names.index("svcca") + 1]
        await pilot.press("M")
        await until(pilot, lambda: text_of(pilot, "heading").strip().startswith(after.title))


async def test_shift_t_d_p_and_r_go_around_tasks_seeds_corpora_and_references(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("T")
        await until(pilot, lambda: "sst2" in text_of(pilot, "heading"))
        seen = []
        for _ in range(3):
            await pilot.press("D")
            seen.append(screen.state.seeds)
        assert seen == [("1",), ("2",), ()]
        await pilot.press("P")
        await until(pilot, lambda: "corpus plain" in text_of(pilot, "subheading"))
        references = set()
        for _ in range(8):
            await pilot.press("R")
            references.add(str(screen.state.against))
        assert references == {"pretrained", "first", "previous", "final", "seeds", "next-seed", "seed:1", "seed:2"}


@pytest.mark.parametrize("keys", [("left", "down", "right", "up"), ("h", "j", "l", "k")])
async def test_the_cursor_reads_exact_values(computed: Path, keys: tuple[str, ...]) -> None:
    left, down, right, up = keys
    async with opened(computed) as pilot:
        await until(pilot, lambda: "(layer 0) to" in text_of(pilot, "reading"))  # no line is pointed at: none is dim
        await pilot.press("D", left, down)
        await until(pilot, lambda: "layer 3, step 20" in text_of(pilot, "reading"))
        await pilot.press(down)
        await until(pilot, lambda: "layer 2, step 20" in text_of(pilot, "reading"))
        view = main(pilot).chart.view
        assert view is not None
        columns, rows = view.rows()
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        value = next(r["value"] for r in found if (r["layer"], r["step"], r["seed"]) == (2, 20, "1"))
        assert f"{value:.3f}" in text_of(pilot, "reading") or f"{value:.3g}" in text_of(pilot, "reading")
        await pilot.press(right, up)
        await until(pilot, lambda: "layer 3, step 40" in text_of(pilot, "reading"))
        await pilot.press("3")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "heat")
        assert "layer 3, step 40" in text_of(pilot, "reading")


async def test_home_and_end_go_to_the_first_and_the_last_step(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("home")
        await until(pilot, lambda: "step 0:" in text_of(pilot, "reading"))
        await pilot.press("end")
        await until(pilot, lambda: "step 40" in text_of(pilot, "reading"))


async def test_the_panel_is_changed_from_the_keyboard(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        assert "[x] pos" in text_of(pilot, "panel")
        assert "[ ] sst2" in text_of(pilot, "panel")
        await pilot.press("tab")
        assert screen.panel.has_focus
        for _ in range(60):
            if screen.panel.row is not None and screen.panel.row.name == "sst2":
                break
            await pilot.press("j")
        await pilot.press("space")
        await until(pilot, lambda: screen.state.tasks == ("pos", "sst2"))
        assert "[x] sst2" in text_of(pilot, "panel")
        await pilot.press("escape")
        assert screen.chart.has_focus


async def test_steps_are_typed_as_on_the_command_line(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("tab")
        for _ in range(60):
            if screen.panel.row is not None and screen.panel.row.section == "step":
                break
            await pilot.press("down")
        await pilot.press("enter")
        await shown(pilot, "step: ")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"20-40", "enter")
        await until(pilot, lambda: str(screen.state.steps) == "20-40")
        assert "step   20-40" in text_of(pilot, "panel")


async def test_slash_filters_the_panel_and_applies_words_with_a_colon(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"sst")
        await until(pilot, lambda: "pretrained" not in text_of(pilot, "panel"))
        assert "[ ] sst2" in text_of(pilot, "panel")
        await pilot.press("enter", "space")
        await until(pilot, lambda: screen.state.tasks == ("pos", "sst2"))
        await pilot.press("escape", "slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"task:s* layer:1-2", "enter")
        await until(pilot, lambda: screen.state.tasks == ("sst2",) and str(screen.state.layers) == "1-2")
        await until(pilot, lambda: "sst2" in text_of(pilot, "heading"))
        assert "L3" not in text_of(pilot, "chart")


async def test_a_whole_name_goes_to_its_row_among_longer_names(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"cca")
        await until(pilot, lambda: "pwcca" in text_of(pilot, "panel"))
        await pilot.press("enter", "space")
        await until(pilot, lambda: screen.state.measure == "cca")


async def test_a_filter_that_matches_nothing_is_answered_in_words(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"task:qnli", "enter")
        await shown(pilot, "No task matches 'qnli'; there is pos, sst2.")


async def test_the_help_lists_every_action_and_defines_the_measure(computed: Path) -> None:
    async with opened(computed, size=(120, 110)) as pilot:
        await pilot.press("question_mark")
        await shown(pilot, "Next measure")
        text = screen_text(pilot)
        missing = [a.title for a in ACTIONS if a.title not in text]
        assert not missing
        assert "SVCCA distance" in text
        await pilot.press("question_mark")
        await until(pilot, lambda: pilot.app.screen is main(pilot))


async def test_the_palette_finds_every_action_and_runs_one(computed: Path) -> None:
    async with opened(computed) as pilot:
        commands = {c.title.split("  ")[0] for c in pilot.app.get_system_commands(pilot.app.screen)}
        nouns = {name for _, name, _ in main(pilot).picking.nouns()}
        assert commands - nouns == {a.title for a in ACTIONS} - {"Commands"}
        await pilot.press("colon")
        await until(pilot, lambda: pilot.app.screen is not main(pilot))
        await pilot.press(*"heat")
        await shown(pilot, "layer by step")
        await pilot.press("enter")
        await until(pilot, lambda: main(pilot).state.mode == "heat")


@pytest.mark.parametrize(
    ("key", "suffix"), first(2, [("c", "csv"), ("s", "svg"), ("t", "txt"), ("j", "json"), ("p", "parquet")])
)
async def test_e_writes_the_view_and_shows_the_path(
    computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(computed) as pilot:
        for number in ("", "-2"):
            await pilot.press("e")
            await until(pilot, lambda: pilot.app.screen is not main(pilot))
            await pilot.press(key, "enter")
            path = tmp_path / f"curves-svcca-pos-dev{number}.{suffix}"
            await until(pilot, lambda path=path: str(path) in text_of(pilot, "notes").replace("…", ""))
            if suffix == "parquet":
                assert path.read_bytes().startswith(b"PAR1")
                continue
            text = path.read_text(encoding="utf-8")
            if suffix == "json":
                assert {r["layer"] for r in json.loads(text)} == {0, 1, 2, 3}
            elif suffix == "csv":
                rows = list(csv.DictReader(text.splitlines()))
                assert {r["layer"] for r in rows} == {"0", "1", "2", "3"}
                assert all(float(r["value"]) >= 0 for r in rows)
            else:
                assert "L3" in text
                assert ("<svg" in text) == (suffix == "svg")


async def test_ways_of_drawing_are_switched(computed: Path) -> None:
    async with opened(computed) as pilot:
        linear = text_of(pilot, "chart")
        await pilot.press("y")
        await until(pilot, lambda: text_of(pilot, "notes").strip() == "value axis: logarithmic")
        assert text_of(pilot, "chart") != linear
        await pilot.press("y")
        await until(pilot, lambda: "value axis: per cent of each line's final value" in text_of(pilot, "notes"))
        assert "SVCCA distance: % of the final value" in text_of(pilot, "chart")
        await pilot.press("y")
        await until(
            pilot, lambda: "value axis: linear; multiples of the distance between two" in text_of(pilot, "notes")
        )
        assert text_of(pilot, "chart") == linear
        await pilot.press("a")
        await until(pilot, lambda: text_of(pilot, "chart") != linear)
        assert not any("\u2800" < char < "\u28ff" for char in text_of(pilot, "chart"))


async def test_a_map_of_layers_is_computed_and_read(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("3", "v", "v")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "layers")
        assert "seed 1, step 40, layer by layer" in text_of(pilot, "heading")
        await until(pilot, lambda: main(pilot).missing == 0, seconds=60)
        await until(pilot, lambda: "layer 3 against layer 3: " in text_of(pilot, "reading"))
        await pilot.press("left", "down")
        await until(pilot, lambda: "layer 2 against layer 2: " in text_of(pilot, "reading"))
        await pilot.press("right")
        await until(pilot, lambda: "layer 2 against layer 3: 0." in text_of(pilot, "reading"))
        await pilot.press("1")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "curves")
        await pilot.press("left")
        await until(pilot, lambda: ", step 20: " in text_of(pilot, "reading"))
        await pilot.press("3")
        await until(pilot, lambda: "step 20, layer by layer" in text_of(pilot, "heading"))


async def test_a_measure_without_a_map_says_which_have_one(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"measure:js", "enter", "3", "v", "v")
        await shown(pilot, "compares no layer with another one")


async def test_at_80x24_the_panel_shows_tasks_and_seeds_and_opens_the_list_of_measures(computed: Path) -> None:
    async with opened(computed, size=(80, 24)) as pilot:
        panel = main(pilot).panel
        names = [m.name for m in all_measures()]

        def at() -> tuple[str, str]:
            return ("", "") if panel.row is None else (panel.row.section, panel.row.name)

        await pilot.press("tab")
        await until(pilot, lambda: f"{len(names) - 1} more" in text_of(pilot, "panel"))
        assert "[x] pos" in text_of(pilot, "panel")
        await pilot.press("down")
        await until(pilot, lambda: names[4] in text_of(pilot, "panel"))
        assert at() == ("measure", names[1])
        await pilot.press("right")
        await until(pilot, lambda: f"{len(names) - 1} more" in text_of(pilot, "panel"))
        assert at() == ("against", "pretrained")
        await pilot.press("up")
        assert at() == ("measure", names[-1])
        await pilot.press("right", "right", "right")
        assert at()[0] == "seed"
        await pilot.press("left", "left", "left", "left")
        assert at() == ("measure", "svcca")


async def test_o_sorts_the_table(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "table")
        before = text_of(pilot, "chart")
        view = main(pilot).chart.view
        assert view is not None
        for _ in range(2 * len(view.rows()[0])):
            await pilot.press("o")
            if main(pilot).state.options.sort == "value" and main(pilot).state.options.descending:
                break
        await until(pilot, lambda: text_of(pilot, "chart") != before)
        assert "sorted by value, descending" in text_of(pilot, "notes")


@pytest.mark.parametrize("mode", first(6, MODES))
async def test_no_key_in_any_mode_ends_the_explorer(computed: Path, tmp_path: Path, monkeypatch, mode: str) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(computed) as pilot:
        await pilot.press(MODES[mode].key)
        # Each key in every third mode; in all of them on request.
        step, start = (1, 0) if os.environ.get("BERTDYN_LONG") else (3, list(MODES).index(mode) % 3)
        for action in [a for a in ACTIONS if a.id != "quit" and not a.id.startswith("mode.")][start::step]:
            await pilot.press(action.keys[0])
            if pilot.app.screen is not main(pilot) or not main(pilot).chart.has_focus:
                await pilot.press("escape")
                await pilot.press("escape")
            if main(pilot).state.mode != mode:  # W, with two views side by side
                await pilot.press(MODES[mode].key)
        await pilot.press("escape")
        assert pilot.app.is_running
        assert main(pilot).state.mode == mode
        await until(pilot, lambda: pilot.app.screen is main(pilot))


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_q_leaves(computed: Path, key: str) -> None:
    async with opened(computed) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.return_code == 0


async def test_a_statistic_is_filtered_in_the_table_and_other_views_say_so(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"statistic:nearest", "enter")
        await shown(pilot, "all rows are in Table (7)")
        await pilot.press("7")
        await shown(pilot, "No row has a statistic 'nearest'; there is main.")


async def test_a_cut_table_is_sorted_before_it_is_cut(computed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.state.MOST_ROWS", 5)
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("7")
        await shown(pilot, "19 more rows are too many for a table")
        columns = screen.chart.view.rows()[0] if screen.chart.view is not None else ()
        seen = getattr(screen.chart.view, "columns", ())
        for _ in range(2 * seen.index("layer") + 2):
            await pilot.press("o")
        await until(pilot, lambda: (screen.state.look.sort, screen.state.look.descending) == ("layer", True))

        def layers() -> set[object]:
            view = screen.chart.view
            return set() if view is None else {row[columns.index("layer")] for row in view.rows()[1]}

        await until(pilot, lambda: layers() == {3})
        await pilot.press("j")
        await shown(pilot, "the first 5 by layer are here")


NAMES = {"/": "slash", " ": "space", "?": "question_mark", "\r": "enter", "\x1b": "escape", "\t": "tab", "$": "end"}


def typed_ahead(pilot: Pilot[None], keys: str) -> None:
    """Keys that come faster than they are worked off, as over a slow line."""
    for key in keys:
        pilot.app.post_message(events.Key(NAMES.get(key, key), key if key.isprintable() else None))


async def test_what_is_typed_ahead_goes_where_the_key_before_leads(computed: Path) -> None:
    async with opened(computed) as pilot:
        before = main(pilot).state
        typed_ahead(pilot, "/sstq")
        await until(pilot, lambda: "filter: sstq" in screen_text(pilot))
        assert main(pilot).state == before
        await pilot.press("escape")
        typed_ahead(pilot, "8iselect 1")
        await until(pilot, lambda: sql(pilot).editor is not None and "select 1" in sql(pilot).editor.text)
        assert main(pilot).state == replace(before, mode="sql")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("/task:sst2\r3", {"tasks": ("sst2",)}),
        later("/sst\r3", {}),
        ("/qqq\x1b3", {}),
        ("/task:s\t3", {}),
        later("Sqqq\r3", {}),
        ("/task:sst2\r/seed:1\r3", {"tasks": ("sst2",), "seeds": ("1",)}),
        ("8iselect 1\x1b3", {}),
        later("8\r\x1b3", {}),
        later("8isele\t\x1b3", {}),
        ("\tllll\r0-20\r3", {"steps": Ranges.parse("0-20", "step")}),
        later("\tll \x1bk3", {"tasks": ("pos",)}),
        ("\tllj \t3", {"tasks": ("pos", "sst2")}),
        later("?q3", {}),
        ("e\x1b3", {}),
    ],
)
async def test_what_is_typed_behind_the_end_of_a_line_is_for_the_picture(
    computed: Path, tmp_path: Path, keys: str, told: dict[str, object]
) -> None:
    session = Session(computed, {"XDG_STATE_HOME": str(tmp_path)})
    async with opened(computed, config=changed(compute=False), session=session) as pilot:
        typed_ahead(pilot, keys)
        await until(pilot, lambda: main(pilot).state.mode == "heat")
        await pilot.pause()
        state = main(pilot).state
        assert {name: getattr(state, name) for name in told} == told
        assert (state.mode, state.measure) == ("heat", "svcca")
        assert pilot.app.screen is main(pilot)
        assert not main(pilot).prompt.has_class("-open")
        assert list(session.presets()) == (["qqq"] if keys.startswith("S") else [])
        typed_ahead(pilot, "1")
        await until(pilot, lambda: main(pilot).state.mode == "curves")
