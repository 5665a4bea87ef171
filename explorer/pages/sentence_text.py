"""A sentence as text: each token shaded by how far its attention moved, and the largest changes in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from explorer.answers.example import ExampleData, largest_changes, largest_shifts
from explorer.render import prose, shifts
from explorer.render.axes import round_end
from explorer.render.cells import Grid, Line, message
from explorer.render.ink import ink
from explorer.render.matrix import Panel, legend
from explorer.render.palette import Palette
from explorer.render.prose import Prose
from explorer.render.shifts import PartShift, Shift, Shifts
from explorer.render.targets import Target
from explorer.render.text import crop

MOST = 10
"""Query tokens that are listed."""
_PARTS = 6
"""Attended tokens that are listed of each."""
_LONGEST = 14
"""Most cells of a piece or word in a name."""
NOTHING = "Nothing moved: every token attends as in the reference, up to the noise of the stored float16."
PIECES = "pieces of a word are shaded and listed one by one: values are those of tokens"
_PIECE, _BLANKS = "##", ("Ġ", "▁")
"""What WordPiece writes before a token that goes on; and byte-level BPE and SentencePiece before one that does not."""


@dataclass(frozen=True)
class _Room:
    """Lines of the picture, from the top; the last ones may stay blank."""

    text: int
    legend: int
    """The last of them has the legend; there is a blank line before it if there is room."""
    listed: int


class SentenceText:
    """The picture of one sentence. Rows are the listed query tokens, counted from the lowest up."""

    def __init__(self, data: ExampleData, noise: float) -> None:
        """``noise``: bits below which nothing moved. ``data.tokens`` must be clean (``render.text``)."""
        self.data = data
        self.listed = largest_changes(data, MOST, noise)
        """Query tokens, the largest divergence first."""
        pieces, self.joined = running_text(data.tokens, data.special.tolist())
        high = round_end(float(data.js.max()))
        panel = Panel("JS", data.js[:, None], 0.0, high, scale="JS bits of the row")
        self.prose = Prose(pieces, self.joined, panel)
        names, tokens = self._names(pieces), _numbered([crop(token, _LONGEST) for token in data.tokens])
        rows = []
        for query in self.listed:
            moved = largest_shifts(data, query, _PARTS)
            parts = (PartShift(tokens[j], data.reference[query, j], data.checkpoint[query, j]) for j in moved)
            rows.append(Shift(names[query], float(data.js[query]), tuple(parts)))
        self.shifts = Shifts(
            tuple(rows), high, "query token", "row JS, bits", "attends to: reference → checkpoint, change"
        )

    def query_of(self, y: int) -> int:
        """Return the query token of a row; -1 if there is none."""
        return self.listed[len(self.listed) - 1 - y] if 0 <= y < len(self.listed) else -1

    @property
    def queries(self) -> tuple[int, ...]:
        """Return the query token of each row, from the lowest up."""
        return self.listed[::-1]

    def draw(
        self, width: int, height: int, palette: Palette, y: int = -1, key: int = -1, ascii_only: bool = False
    ) -> tuple[list[Line], str, int]:
        """Return exactly ``height`` lines, what they leave out in words, and how many of them at the end are blank.

        Args:
            y: the row that is pointed at; -1: none.
            key: the attended token that is pointed at; -1: none.
        """
        room, query = self._room(width, height, palette, ascii_only), self.query_of(y)
        lines, (first, past) = prose.draw(self.prose, width, room.text, palette, query, key, ascii_only)
        hidden = []
        if past - first < len(self.data.tokens):
            hidden.append(f"tokens {first}-{past - 1} of {len(self.data.tokens)}")
        if room.legend:
            between = Grid(width, room.legend)
            legend(between, room.legend - 1, 1, width - 1, self.prose.values, ink(palette, False, ascii_only), palette)
            lines += between.lines()
        if room.listed and self.listed:
            rows, (first, past) = shifts.draw(
                self.shifts, width, room.listed, palette, len(self.listed) - 1 - y if query >= 0 else -1, ascii_only
            )
            lines += rows
            if past - first < len(self.listed):
                hidden.append(f"{past - first} of {len(self.listed)} changes")
        elif room.listed:
            lines += message(NOTHING, width, room.listed, palette.text)
        blank = height - len(lines)
        return lines + Grid(width, blank).lines(), " and ".join(hidden), blank

    def targets(
        self, width: int, height: int, palette: Palette, y: int = -1, ascii_only: bool = False
    ) -> tuple[Target, ...]:
        """Return the jump targets in the same picture: tokens as columns, rows counted from the top."""
        room = self._room(width, height, palette, ascii_only)
        found = prose.targets(self.prose, width, room.text, palette, self.query_of(y), ascii_only)
        if not room.listed or not self.listed:
            return found
        at = len(self.listed) - 1 - y if y >= 0 else -1
        rows = shifts.targets(self.shifts, room.listed, at)
        return (*found, *(target.moved(0, room.text + room.legend) for target in rows))

    def _room(self, width: int, height: int, palette: Palette, ascii_only: bool) -> _Room:
        """Return the lines of each part: the list stays whole as long as half of the lines are left to the text."""
        tall = prose.tall(self.prose, width, palette, ascii_only)
        between = int(height >= 8)
        wanted = len(self.listed) + 1 if self.listed else 3
        text = min(tall, max(1, height - between - wanted, (height - between) // 2))
        between += bool(between and height > text + between + wanted)
        return _Room(text, between, max(0, min(wanted, height - text - between)))

    def _names(self, pieces: tuple[str, ...]) -> tuple[str, ...]:
        """Return the tokens' names: pieces of a word together with the word."""
        edges = [*(i for i, joined in enumerate(self.joined) if not joined), len(pieces)]
        names = [crop(token, _LONGEST) for token in self.data.tokens]
        for first, past in pairwise(edges):
            if past - first > 1:
                word = crop("".join(pieces[first:past]), _LONGEST)
                names[first:past] = (f"{name} in {word}" for name in names[first:past])
        return _numbered(names)


def running_text(tokens: Sequence[str], special: Sequence[bool]) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """Return what each token reads in running text, and whether no blank stands before it.

    If any token of the sentence begins with the sign of a blank, those without it go on; otherwise, those with ##.
    """
    signs = any(token[:1] in _BLANKS and len(token) > 1 for token in tokens)
    pieces, joined = [], []
    for i, token in enumerate(tokens):
        begins = token[:1] in _BLANKS if signs else not (token.startswith(_PIECE) and len(token) > len(_PIECE))
        on = not begins and i > 0 and not special[i - 1] and not special[i]
        sign = (1 if begins else 0) if signs else len(_PIECE) * on
        pieces.append(token[sign:] or token)
        joined.append(on)
    return tuple(pieces), tuple(joined)


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, with the token's number where a name occurs more than once: 'the (12)'."""
    often = Counter(names)
    return tuple(f"{name} ({i})" if often[name] > 1 else name for i, name in enumerate(names))
