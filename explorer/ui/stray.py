"""What comes from a terminal and is no key: answers to questions that somebody else asked, and bytes that are no text.

Textual 8.2.8 takes the letters of an answer that it does not know for keys: the colour of the background, that another
program asked for, would choose another reference and open the palette. And it ends on bytes that are no UTF-8.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

LONGEST = 4096
"""Characters of an answer that comes in several reads; at more its end is taken for lost."""
_END = r"(?:\x07|\x1b\\)"
_STRING = r"\x1b(?:\][0-9]+;|P[0-9>!$+]|_G)[^\x07\x1b]*"
_ANSWER = re.compile(
    rf"{_STRING}{_END}"  # colours, titles, the clipboard; versions and capabilities; pictures
    r"|\x1b\[[?>=][0-9;:]*(?:[ -#%-/][@-~]|[@-xz-~])"  # what it is and can; not ?..$y: Textual reads modes
    r"|\x1b\[[0-9]n|\x1b\[(?!48;)[0-9;]*t"  # that it is well; its size
)
_WHOLE = re.compile(_STRING + _END)
_BEGUN = re.compile(rf"(?:\x1b\][0-9]+|{_STRING}\x1b?)\Z")


_TORN = re.compile(r"\x1b\]11;[rgba:#/0-9A-Fa-f]*(?:\x07|\x1b\\|\Z)")
"""The background's colour, whose first bytes came alone and were taken for a key."""


class Decoder(codecs.IncrementalDecoder):
    """UTF-8 without answers; what is no UTF-8 becomes replacement characters."""

    def __init__(self, heard: Callable[[str], object] = len) -> None:
        """``heard`` is called with each answer."""
        super().__init__("replace")
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._heard = heard
        self._begun = ""
        """An answer that has not ended yet."""
        self._last = ""
        """A key that may be the beginning of one."""

    def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
        """See ``codecs.IncrementalDecoder``; an answer may come in several pieces."""
        text = self._text.decode(data, final)
        if not self._begun and self._last and _TORN.match(self._last + text):
            self._begun = self._last
        if self._begun:
            whole, self._begun = self._begun + text, ""
            ended = _WHOLE.match(whole)
            if ended is None and len(whole) < LONGEST and _BEGUN.fullmatch(whole):
                self._begun = whole
                return ""
            if ended is not None:
                self._heard(ended[0])
                text = whole[ended.end() :]
        text = _ANSWER.sub(self._take, text)
        begun = _BEGUN.search(text)
        if begun is not None:
            self._begun, text = begun[0], text[: begun.start()]
        self._last = next((key for key in ("\x1b]", "\x1b") if text.endswith(key)), "")
        return text

    def _take(self, found: re.Match[str]) -> str:
        self._heard(found[0])
        return ""
