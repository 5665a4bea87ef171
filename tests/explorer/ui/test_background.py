"""Which terminals are asked for their background, what is made of the answers, and what torn ones do."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.render.palette import palette
from explorer.ui.terminal.background import answers, dark, hinted
from explorer.ui.terminal.capabilities import asks
from explorer.ui.terminal.input_filter import Decoder
from tests.explorer.ui.conftest import main, opened, text_of, until

WHITE = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("\x1b]11;rgb:ffff/ffff/ffff\x07", False),
        ("\x1b]11;rgb:fd/f6/e3\x1b\\", False),
        ("\x1b]11;rgb:0/0/0\x07", True),
        ("\x1b]11;rgba:0000/2b2b/3636/ffff\x07", True),
        ("\x1b]11;rgb:00/ff/00\x07", False),
        ("\x1b]11;rgb:00/00/ff\x07", True),
        ("\x1b]11;#ffffff\x07", False),
        ("\x1b]10;rgb:ffff/ffff/ffff\x07", None),
        ("\x1b]11;?\x07", None),
        ("\x1b[?1;2c", None),
    ],
)
def test_light_is_what_is_bright(answer: str, expected: bool | None) -> None:
    assert dark(answer) is expected


@pytest.mark.parametrize(
    ("environ", "hint", "asked"),
    [
        ({"TERM": "xterm-256color"}, None, True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x"}, None, True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/x"}, None, True),
        ({"TERM": "screen"}, None, False),
        ({"TERM": "linux"}, None, False),
        ({"TERM": "dumb"}, None, False),
        ({}, None, False),
        ({"TERM": "xterm", "COLORFGBG": "0;15"}, False, True),
        ({"TERM": "xterm", "COLORFGBG": "15;0"}, True, True),
        ({"TERM": "xterm", "COLORFGBG": "default;default"}, None, True),
    ],
)
def test_who_is_asked(environ: dict[str, str], hint: bool | None, asked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hinted(environ) is hint
    assert answers(environ) is asked
    for name in ("TERM", "COLORFGBG", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert asks(palette("256"), "auto") is (asked and hint is None)
    assert not asks(palette("256"), "light")
    assert not asks(palette("none"), "auto")


@pytest.mark.parametrize("end", [b"\x07", b"\x1b\\"])
def test_an_answer_torn_anywhere_is_heard_once_and_types_nothing(end: bytes) -> None:
    answer = b"\x1b]11;rgb:1e1e/1e1e/2e2e" + end
    for cut in range(1, len(answer)):
        heard: list[str] = []
        decoder = Decoder(heard.append)
        typed = decoder.decode(answer[:cut]) + decoder.decode(answer[cut:]) + decoder.decode(b"q")
        # What could be a key of its own when it comes alone passes as that: it does nothing here.
        assert typed in ("q", "\x1bq", "\x1b]q"), cut
        assert len(typed) == 1 or cut <= 2
        assert [dark(text) for text in heard] == [True], cut


def test_an_answer_whose_end_is_lost_takes_no_key_with_it() -> None:
    decoder = Decoder()
    assert decoder.decode(b"\x1b]11;rgb:12") == ""
    assert decoder.decode(b"\x1b[A") == "\x1b[A"
    assert decoder.decode(b"j") == "j"


async def test_a_light_answer_turns_every_colour_and_moves_nothing(
    computed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLORFGBG", raising=False)
    async with opened(computed) as pilot:
        screen, app = main(pilot), pilot.app
        await until(pilot, lambda: "step" in text_of(pilot, "reading"))
        words, state = text_of(pilot, "chart"), screen.state

        def colours(name: str) -> set[object]:
            lines = screen.query_one(f"#{name}")
            strips = (lines.render_line(y) for y in range(lines.size.height))
            return {s.style.color for strip in strips for s in strip if s.style is not None and s.style.color}

        before = {name: colours(name) for name in ("panel", "chart", "title", "footer")}
        app.answered("\x1b]11;rgb:ffff/ffff/ffff\x07")  # type: ignore[attr-defined]
        await pilot.pause()
        assert screen.palette.dark  # nobody asked
        app.asks = True  # type: ignore[attr-defined]
        app.answered("\x1b]11;rgb:ffff/ffff/ffff\x07")  # type: ignore[attr-defined]
        await until(pilot, lambda: not screen.palette.dark)
        await until(pilot, lambda: all(colours(name) != before[name] for name in before if before[name]))
        assert app.theme == "ansi-light"
        assert text_of(pilot, "chart") == words
        assert screen.state == state
