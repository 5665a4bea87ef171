"""Filter of the terminal's input: drops answers to queries of other programs, and bytes that are not text.

Textual 8.2.8 reads the letters of an answer that it does not know as keys: the background colour, queried by another
program, would choose another reference and open the palette. Of an answer that comes in two pieces over a slow line it
reads the second piece as keys. And bytes that are not UTF-8 (old mouse reports) end it: Textual issue 6668, pull
request 6696. A parser in Textual that skips unknown answers would let this module go.
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
    r"|\x1b\[[?>=][0-9;:]*(?:[ -#%-/][@-~]|[@-xz-~])"  # device attributes; not ?..$y: Textual reads modes
    r"|\x1b\[[0-9]n|\x1b\[(?!48;)[0-9;]*t"  # status; size
)
_LOST = re.compile(rf"\x1b\][0-9]+\Z|{_STRING}\x1b?\Z")
"""The beginning of an answer that is dropped where its end does not come: its letters would be keys."""
_BEGUN = re.compile(
    rf"(?:{_LOST.pattern}"
    r"|\x1b\[(?:[<?>=][0-9;:]*|[0-9;:]+)[ -/]*\Z"  # a mouse report, a mode, a key with parameters
    r"|\x1b\[M[^\x1b]{0,2}\Z)"  # the oldest kind of mouse report: three characters follow
)
_TORN = re.compile(r"\x1b\]11;[rgba:#/0-9A-Fa-f]*(?:\x07|\x1b\\|\Z)")
"""The background's colour, whose first bytes came alone and were taken for a key."""
_AWAITED = re.compile(r"\x1b\](?:1(?:1(?:;[rgba:#/0-9A-Fa-f]*(?:\x07|\x1b\\|\x1b)?)?)?)?\Z")
"""The same, or any beginning of it."""


class Decoder(codecs.IncrementalDecoder):
    """Decodes UTF-8 and drops answers; other bytes become replacement characters."""

    def __init__(self, heard: Callable[[str], object] = len, awaits: Callable[[], bool] = bool) -> None:
        """``heard`` is called with each answer; ``awaits`` says whether one that was asked for may still come."""
        super().__init__("replace")
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._heard, self._awaits = heard, awaits
        self._begun = ""
        """Beginning of an answer whose end has not come yet."""
        self._given = ""
        """Part of that beginning that was already passed on as a key."""
        self._last = ""
        """A key that may be the beginning of an answer."""

    def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
        """See ``codecs.IncrementalDecoder``; an answer may come in several pieces."""
        text = self._text.decode(data, final)
        kept, given, self._begun, self._given = self._begun, self._given, "", ""
        if not kept and self._last and text and self._continued(self._last + text):
            kept = given = self._last
        whole = _ANSWER.sub(self._take, kept + text)
        begun = (given and _AWAITED.search(whole)) or _BEGUN.search(whole, len(given))
        if begun and len(begun[0]) < LONGEST:
            self._begun, self._given = begun[0], given if whole == begun[0] else ""
            whole = whole[: begun.start()]
        if whole.startswith(kept):
            lost = (_TORN if given else _LOST).match(kept)
            whole = whole[len(kept if lost else given) :]
        if text:
            self._last = next((key for key in ("\x1b]", "\x1b") if whole.endswith(key)), "")
        return whole

    def _continued(self, whole: str) -> bool:
        """Whether new input continues an answer whose beginning was passed on as a key."""
        return bool(_TORN.match(whole) or (self._awaits() and _AWAITED.match(whole)))

    def _take(self, found: re.Match[str]) -> str:
        self._heard(found[0])
        return ""
