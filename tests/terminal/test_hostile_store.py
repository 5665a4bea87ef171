"""Names and texts that a terminal would obey, in a real terminal: what is sent?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.hostile_names import HOSTILE, hostile_store
from tests.terminal.conftest import Terminal

OF_OURS = re.compile(
    rb"\x1b(\[[0-9;:?<>=]*[ $]?[A-Za-z]|[=>78]|P\$?q?[^\x1b]*\x1b\\|\][0-9]+;(\?|default)(\x07|\x1b\\))"
)
"""Sequences that the explorer sends itself: cursor, colours, modes, the shape of the pointer, and questions."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_store(tmp_path_factory.mktemp("hostile") / f"{HOSTILE}.bertdyn").path


def test_nothing_is_sent_but_the_explorers_own_sequences(terminal: Terminal, hostile: Path) -> None:
    terminal.start([str(hostile), "--no-compute"])
    terminal.until(lambda screen: "not computed" in screen)
    for key in ("2", "6", "7", "8", "9", "0", "?"):
        terminal.press(key)
        terminal.quiet()
    sent = terminal.sent
    assert b"pwned" in sent  # the names are there
    assert b"\x1b]52" not in sent
    text = OF_OURS.sub(b"", sent).decode(errors="strict")
    assert not set(text) & {"\x1b", "\x07", "\x08", *map(chr, range(0x80, 0xA0)), "\u202e", "\u2066", "\u2028"}
