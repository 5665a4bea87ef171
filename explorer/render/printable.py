"""Make text that comes from files and folders safe to print in a terminal.

A task, a label or a sentence may contain anything: escape sequences that set the clipboard or the title (OSC), 8-bit
control characters (C1) that some terminals obey, and bidirectional overrides that show a line in another order than it
has. They are written as escapes that can be read, such as ``\\x1b`` and ``\\u202e``.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0 and C1 control characters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\u2028\u2029\ufff9-\ufffb"  # separators of lines and paragraphs; interlinear annotation
    "\ud800-\udfff]"  # halves of characters, as in file names that are not UTF-8
)


def may_be_obeyed(text: str) -> bool:
    """Return whether text has a character that a terminal may obey."""
    return not (text.isascii() and text.isprintable()) and _UNSAFE.search(text) is not None


def printable(text: str, lines: bool = True) -> str:
    """Return text in which every character that a terminal may obey is an escape that can be read.

    Args:
        lines: whether line ends and tabs are kept, as in text of several lines.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda match: _escape(match[0], lines), text)


def _escape(char: str, lines: bool) -> str:
    if lines and char in "\n\t":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
