"""Is text from files and folders harmless in a terminal, and still readable?"""

import ast
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.render.printable import printable
from tests.hostile_names import HOSTILE, OBEYED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("é 日本 हिन्दी 👩‍👩‍👧 עברית", "é 日本 हिन्दी 👩‍👩‍👧 עברית"),
        ("a\x1b]52;c;x\x07", "a\\x1b]52;c;x\\x07"),
        ("\x9b2J\x7f", "\\x9b2J\\x7f"),
        ("\u202eabc\u2069", "\\u202eabc\\u2069"),
        ("a\rb\u2028c", "a\\x0db\\u2028c"),
        ("caf\udce9", "caf\\udce9"),
        ("a\tb\n", "a\tb\n"),
    ],
)
def test_what_a_terminal_may_obey_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_cell_of_a_table_has_neither_tabs_nor_lines() -> None:
    assert printable("a\tb\n", lines=False) == "a\\x09b\\x0a"


@given(st.text(st.characters(), max_size=20))
def test_nothing_obeyed_is_left_and_nothing_else_changes(text: str) -> None:
    shown = printable(text, lines=False)
    assert OBEYED.search(shown) is None
    shown.encode()
    kept = "".join(char for char in text if char in shown)
    assert all(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in set(text) - set(kept))


def test_the_escapes_are_pythons() -> None:
    text = HOSTILE.replace("\\", "")
    assert ast.literal_eval(f'"{printable(text, lines=False)}"') == text
