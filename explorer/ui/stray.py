"""What comes from a terminal and is no key: answers to questions that somebody else asked, and bytes that are no text.

Textual 8.2.8 takes the letters of an answer that it does not know for keys: the colour of the background, that another
program asked for, would choose another reference and open the palette. And it ends on bytes that are no UTF-8.
"""

from __future__ import annotations

import codecs
import re

LONGEST = 4096
"""Characters that an answer may go on for after the read that it began in; then its end is taken for lost."""
_END = r"(?:\x07|\x1b\\)"
_STRING = r"\x1b(?:\][0-9]+;|P[0-9>!$+]|_G)[^\x07\x1b]*"
_ANSWER = re.compile(
    rf"{_STRING}{_END}"  # colours, titles, the clipboard; versions and capabilities; pictures
    r"|\x1b\[[?>=][0-9;:]*(?:[ -#%-/][@-~]|[@-xz-~])"  # what it is and can; not ?..$y: Textual reads modes
    r"|\x1b\[[0-9]n|\x1b\[(?!48;)[0-9;]*t"  # that it is well; its size
)
_BEGUN = re.compile(rf"{_STRING}\x1b?\Z")


class Decoder(codecs.IncrementalDecoder):
    """UTF-8 without answers; what is no UTF-8 becomes replacement characters."""

    def __init__(self) -> None:
        super().__init__("replace")
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        """The end of an answer that has begun but not ended yet."""
        self._left = 0
        """Characters that it may still have."""

    def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
        """See ``codecs.IncrementalDecoder``; an answer may come in several pieces."""
        text = self._text.decode(data, final)
        if self._left:
            ended = re.search(_END, self._rest + text)
            if ended is None and len(text) < self._left and "\x1b" not in text[:-1]:
                self._left, self._rest = self._left - len(text), text[-1:]
                return ""
            text = (self._rest + text)[ended.end() :] if ended else text
            self._left = 0
        text = _ANSWER.sub("", text)
        begun = _BEGUN.search(text)
        if begun is None:
            return text
        self._left, self._rest = LONGEST, text[-1:]
        return text[: begun.start()]
