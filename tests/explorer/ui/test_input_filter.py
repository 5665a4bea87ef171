"""Answers that nobody here asked for reach no key; keys reach the explorer as they were pressed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.ui.terminal.input_filter import LONGEST, Decoder

ANSWERS = (
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    b"\x1b]52;c;cXVpdA==\x07",
    b"\x1bP>|tmux 3.3a\x1b\\",
    b"\x1bP1+r524742\x1b\\",
    b"\x1bP0$r0m\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b[?1;2c",
    b"\x1b[>84;0;0c",
    b"\x1b[?1u",
    b"\x1b[?997;1n",
    b"\x1b[0n",
    b"\x1b[8;40;120t",
    b"\x1b[6;17;8t",
)
KEYS = (
    *(
        "q",
        "3",
        "\r",
        "\t",
        "é",
        "日",
        "\x1b",
        "\x1b]",
        "\x1bP",
        "\x1b_",
        "\x1bx",
        "\x1b[A",
        "\x1b[1;5C",
        "\x1bOP",
        "\x1b[Z",
    ),
    *("\x1b[<35;40;20M", "\x1b[<0;3;4m", "\x1b[I", "\x1b[O", "\x1b[15~", "\x1b[97;5u", "\x1b[12;40R"),
    *("\x1b[200~pasted\x1b[201~", "\x1b[?2026;2$y", "\x1b[48;40;120;800;960t"),
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_no_key(answer: bytes) -> None:
    decoder = Decoder()
    assert decoder.decode(b"j" + answer + b"k") == "jk"
    assert decoder.decode(b"q") == "q"


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_may_come_in_pieces(answer: bytes) -> None:
    for cut in range(3 if answer.startswith((b"\x1b[", b"\x1b]")) else 6, len(answer)):
        decoder = Decoder()
        assert decoder.decode(b"j" + answer[:cut]) + decoder.decode(answer[cut:] + b"k") == "jk", cut
        assert decoder.decode(b"q") == "q"


REPORTS = [k for k in KEYS if k.startswith(("\x1b[<", "\x1b[?", "\x1b[48")) or k[-1] in "uR" or k.endswith("5~")]


@pytest.mark.parametrize("report", [*REPORTS, "\x1b[M 0x", "\x1b[32;40;20M"])
def test_what_the_terminal_reports_is_passed_on_in_one_piece(report: str) -> None:
    for cut in range(3, len(report)):
        decoder = Decoder()
        assert decoder.decode(b"j" + report[:cut].encode()) == "j", cut
        assert decoder.decode(report[cut:].encode() + b"k") == report + "k", cut
        assert decoder.decode(b"q") == "q"


def test_what_only_looks_like_a_report_is_not_kept_for_long() -> None:
    decoder = Decoder()
    assert decoder.decode(b"\x1b[1") == ""
    assert decoder.decode(b"\x1b[A") == "\x1b[1\x1b[A"
    assert decoder.decode(b"\x1b[M a") == ""
    assert decoder.decode(b"\x1b") == "\x1b[M a\x1b"


COLOUR = b"\x1b]11;rgb:f0f0/e1e1/dada"


@pytest.mark.parametrize("end", [b"\x07", b"\x1b\\"])
def test_the_answer_that_is_awaited_may_come_byte_by_byte(end: bytes) -> None:
    heard: list[str] = []
    decoder = Decoder(heard.append, lambda: True)
    passed = [decoder.decode(bytes([byte])) for byte in COLOUR + end + b"q"]
    assert "".join(passed) == "\x1bq"  # the first byte alone is the escape key
    assert heard == [(COLOUR + end).decode()]
    assert decoder.decode(b"\x1b") + decoder.decode(b"]") + decoder.decode(b"k") == "\x1b]k"
    assert decoder.decode(b"\x1b") + decoder.decode(b"]1") + decoder.decode(b"2") == "\x1b]12"


def test_keys_behind_escape_are_keys_where_no_answer_is_awaited() -> None:
    decoder = Decoder()
    assert [decoder.decode(key) for key in (b"\x1b", b"]", b"1", b"\x1b", b"]1")] == ["\x1b", "]", "1", "\x1b", "]1"]


@given(st.lists(st.sampled_from(KEYS), min_size=1, max_size=8))
def test_keys_pass_as_they_are(keys: list[str]) -> None:
    decoder = Decoder()
    assert [decoder.decode(key.encode()) for key in keys] == keys


def test_an_answer_that_never_ends_does_not_swallow_all_that_is_typed() -> None:
    decoder = Decoder()
    assert decoder.decode(b"\x1b]11;rgb") == ""
    assert decoder.decode(b"x" * LONGEST) != ""
    assert decoder.decode(b"q") == "q"
    assert decoder.decode(b"\x1b]11;rgb") == ""
    assert decoder.decode(b"\x1b[A") == "\x1b[A", "a key that begins with escape ends what came before it"
    assert decoder.decode(b"q") == "q"


def test_bytes_that_are_no_text_are_marked_and_do_no_harm() -> None:
    assert Decoder().decode(b"\x1b[M \xa00q") == "\x1b[M �0q"
