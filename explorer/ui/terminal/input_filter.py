"""Filter the terminal's input: drop answers to queries of other programs, and bytes that are not text.

Textual 8.2.8 reads the letters of an unknown answer as keys: the background colour, queried by another program, would
choose another reference and open the palette. If an answer comes in two pieces over a slow line, Textual reads the
second piece as keys. And bytes that are not UTF-8 (old mouse reports) end Textual: issue 6668, pull request 6696. If
Textual's parser skipped unknown answers, this module could be removed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

LONGEST = 4096
"""Largest length in characters of an answer that comes in several reads; if it is longer, its end counts as lost."""
_END = r"(?:\x07|\x1b\\)"
_STRING = r"\x1b(?:\][0-9]+;|P[0-9>!$+]|_G)[^\x07\x1b]*"
_ANSWER = re.compile(
    rf"{_STRING}{_END}"  # colours, titles, the clipboard; versions and capabilities; pictures
    r"|\x1b\[[?>=][0-9;:]*(?:[ -#%-/][@-~]|[@-xz-~])"  # device attributes; not ?..$y: Textual reads modes
    r"|\x1b\[[0-9]n|\x1b\[(?!48;)[0-9;]*t"  # status; size
)
_LOST = re.compile(rf"\x1b\][0-9]+\Z|{_STRING}\x1b?\Z")
"""Beginning of an answer that is dropped if its end does not come, since its letters would be read as keys."""
_BEGUN = re.compile(
    rf"(?:{_LOST.pattern}"
    r"|\x1b\[(?:[<?>=][0-9;:]*|[0-9;:]+)[ -/]*\Z"  # a mouse report, a mode, a key with parameters
    r"|\x1b\[M[^\x1b]{0,2}\Z)"  # the oldest kind of mouse report: three characters follow
)
_TORN = re.compile(r"\x1b\]11;[rgba:#/0-9A-Fa-f]*(?:\x07|\x1b\\|\Z)")
"""An answer with the background colour whose first bytes came alone and were read as a key."""
_AWAITED = re.compile(r"\x1b\](?:1(?:1(?:;[rgba:#/0-9A-Fa-f]*(?:\x07|\x1b\\|\x1b)?)?)?)?\Z")
"""Any beginning of an answer with the background colour."""


class Decoder(codecs.IncrementalDecoder):
    """Decodes UTF-8 and drops answers. Bytes that are not UTF-8 become replacement characters."""

    def __init__(self, heard: Callable[[str], object] = len, awaits: Callable[[], bool] = bool) -> None:
        """
        Args:
            heard: called with each answer.
            awaits: returns whether an answer to our own query may still come.
        """
        super().__init__("replace")
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._heard, self._awaits = heard, awaits
        self._begun = ""
        """Beginning of an answer whose end has not come yet."""
        self._given = ""
        """Part of ``_begun`` that was already passed on as a key."""
        self._last = ""
        """The last key that was passed on, if it may be the beginning of an answer."""

    def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
        """Decode bytes as ``codecs.IncrementalDecoder`` does, without answers, which may come in several pieces."""
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
        """Return whether new input continues an answer whose beginning was passed on as a key."""
        return bool(_TORN.match(whole) or (self._awaits() and _AWAITED.match(whole)))

    def _take(self, found: re.Match[str]) -> str:
        self._heard(found[0])
        return ""
