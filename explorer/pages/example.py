"""Example: one sentence's attention in two checkpoints, as maps or as text with the largest changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from explorer.answers.coordinates import SEED, STEP, TASK
from explorer.answers.example import COLUMNS, ExampleData
from explorer.answers.examples import Found
from explorer.answers.look import END, Look
from explorer.answers.readings import COLUMNS as READ
from explorer.answers.readings import reading_rows, unread
from explorer.measures.declaration import EXAMPLE, HEAD, LAYER
from explorer.measures.registry import get
from explorer.pages import reading
from explorer.pages.sentence_text import PIECES, SentenceText
from explorer.render import gloss
from explorer.render.axes import count, number, round_end, short
from explorer.render.cells import Grid, Line
from explorer.render.fitting import DOT
from explorer.render.matrix import Matrix, Panel, cell, draw, spans, targets, whole
from explorer.render.palette import Palette
from explorer.render.targets import Target, upwards
from explorer.render.text import clean, crop
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.ranking import ranked
from explorer.views.spot import Spot
from store.keys import PRETRAINED, CheckpointKey

QUERY, _KEY = "query", "key"
"""Names of the axes of query tokens and of attended tokens."""
_JS, _CHANGE = "js", "change of attention"
WORDS, READER = "words", "reader"
WHICH: Mapping[str, str] = {
    "": "a sentence of more than 20 tokens as text, a shorter one as maps",
    "all": "both maps and the difference",
    "difference": "the difference alone",
    "checkpoint": "the checkpoint's map alone",
    "reference": "the reference's map alone",
    READER: "the sentence as text, and its largest changes",
    WORDS: "each word's label, and what probes read off it",
}
"""Parts of the view Example, in the order of its key."""
_ROOMY = 10**6
_AROUND = 6
"""Lines of a map beside its rows: title, names and legend."""
_ALL_FROM = 88
"""Cells from which three maps are wide enough to be read side by side."""
_LONG = 20
"""Most tokens of a sentence that is first shown as maps. Three maps of a longer one do not fit beside each other in a
window of 120 columns with the panel. The rule is the same in every window, and so is what a cursor points at."""
_END = 99
"""Percentile of the sizes of the changes at which the colours of the difference end."""
_NOISE = 1e-7
"""Bits of mean divergence that two float16 copies of one attention differ by."""


class Example(Base):
    """x is the key token, from the left; y the query token's row, counted from the lowest up (see ``query_of``)."""

    name = "example"

    def __init__(self, data: ExampleData, which: str = "", found: tuple[int, ...] = (), where: str = "") -> None:
        """``which``: one of WHICH; ``found``: examples to walk through, in their order; ``where``: the
        place of this one among them, in words."""
        data = replace(data, tokens=tuple(map(clean, data.tokens)), text=clean(data.text))
        self.data, self.which, self.found = data, which, found
        focus = data.focus
        self.length = len(data.tokens)
        self.empty = self.length == 0
        self.names = named(focus.key), named(focus.reference)
        self.text: SentenceText | None = None
        if not self.empty and (which == READER or (not which and self.length > _LONG)):
            self.text = SentenceText(data, _NOISE)
        self.end = round_end(float(np.percentile(np.abs(data.difference), _END))) if self.length else 1.0
        """Change at which the colours of the difference end."""
        part = f"head {focus.head}" if focus.head else f"mean of {data.heads} heads"
        against = "pre-trained" if focus.reference.recipe == PRETRAINED else self.names[1]
        shown = f"layer {focus.layer}" if which == WORDS else f"layer {focus.layer}, {part}"
        what = "Words as probes read them" if which == WORDS else "Attention"
        self.title = clean(f"{what}, {shown}{DOT}{self.names[0]} against {against}")
        mean = float(data.js.mean()) if self.length else np.nan
        self.subtitle = DOT.join(
            text
            for text in (
                clean(where),
                f"'{crop(data.text, 60)}'",
                f"label {clean(data.label)}" if data.label else "",
                f"JS {number(mean)} bits over {self.length} query tokens",
                f"example {focus.example} of corpus {clean(focus.corpus)}",
            )
            if text
        )
        self.of_words = next((one for one in data.readings if one.level != "sentence"), None)
        self.notes = self._notes(mean)
        self._names = tuple(f"{i} {token}" for i, token in enumerate(data.tokens))
        # Written downwards every letter counts: one sign is enough for "goes on from the token before".
        self._short = tuple(token[1:] if token.startswith("##") and len(token) > 2 else token for token in data.tokens)

    def query_of(self, y: int) -> int:
        """Return the query token (from 0) of a row counted from the lowest up; -1 if there is none.

        In maps the first token is on top, so that this also returns the row of a token.
        """
        if self.text is not None:
            return self.text.query_of(y)
        return self.length - 1 - y if y >= 0 else -1

    def places(self, axis: str) -> Sequence[int]:
        """See ``View.places``: the query token of each row."""
        if axis != QUERY:
            return ()
        return self.text.queries if self.text is not None else range(self.length - 1, -1, -1)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; a logarithmic scale shows small values beside large ones.

        The maps are then in logarithms over three decades, the difference is on a square-root scale.
        """
        if self.empty:
            return words.instead("The example has no token.", width, height, palette)
        at = cursor.clamped(self.length, self.length if self.text is None else len(self.text.listed))
        if self.text is not None and cursor.x == END:
            at = replace(at, x=-1)  # no token was pointed at: the row as a whole is
        if self.which == WORDS:
            return self._read_words(width, height, palette, at, options.ascii)
        if self.text is not None:
            return self._as_text(self.text, width, height, palette, at, options)
        query = self.query_of(at.y)
        under = self._under(width, height - self.length - _AROUND, palette, query, options.ascii)
        height -= len(under)
        matrix, fewer = self._matrix(width, options.log)
        lines, window = draw(matrix, width, height, palette, query, at.x, options.digits, options.ascii)
        hidden = spans(window, self.length, self.length, "query tokens", "attended tokens")
        notes: tuple[str, ...] = (f"shows {hidden}: move the cursor for the others",) if hidden else ()
        if fewer:
            notes += ("shows the difference alone: three maps need a wider window",)
        notes += (reading.SIGNS,) * bool(under)
        given = query, at.x, options.digits, options.ascii
        found = upwards(targets(matrix, width, height, palette, *given), self.length)
        marked = cell(matrix, width, height, palette, (self.query_of(options.mark.y), options.mark.x), *given)
        marked = marked if options.mark.x >= 0 else _row(found, options.mark.y)
        reads = self._read(query, at.x, width)
        return Picture((*lines, *under), reads, at, notes + self.notes, found, marked)

    def _as_text(
        self, text: SentenceText, width: int, height: int, palette: Palette, at: Cursor, options: DrawOptions
    ) -> Picture:
        """The sentence as text over its largest changes; y is a listed query token, x any attended token."""
        query, ascii_only = text.query_of(at.y), options.ascii
        lines, hidden, blank = text.draw(width, height, palette, at.y, at.x, ascii_only)
        under = self._under(width, blank, palette, query, ascii_only)
        notes = (f"shows {hidden}: move the cursor for the others",) * bool(hidden) + (reading.SIGNS,) * bool(under)
        found = upwards(text.targets(width, height, palette, at.y, ascii_only), len(text.listed))
        return Picture(
            (*lines[: height - blank], *under, *lines[height - blank + len(under) :]),
            self._read(query, at.x, width),
            at,
            notes + self.notes,
            found,
            _row(found, options.mark.y),
        )

    def _under(self, width: int, spare: int, palette: Palette, query: int, ascii_only: bool) -> list[Line]:
        """Lines with what probes read off the words, fewer than are to spare; none where these are too few."""
        if self.of_words is None:
            return []
        shown = reading.gloss_of(self.of_words)
        tall = next((lines for lines in (gloss.whole(shown, width), shown.tall) if lines < spare), 0)
        word = self.of_words.at(query)
        return Grid(width, 1).lines() + gloss.draw(shown, width, tall, palette, word, ascii_only)[0] if tall else []

    def _read_words(self, width: int, height: int, palette: Palette, at: Cursor, ascii_only: bool) -> Picture:
        """What probes read off the words alone; x is the token."""
        if self.of_words is None:
            return words.instead(unread(self.data.focus), width, height, palette, self.notes)
        shown, word = reading.gloss_of(self.of_words), self.of_words.at(at.x)
        lines, (first, past) = gloss.draw(shown, width, height, palette, word, ascii_only)
        many, tokens = len(shown.words), [unit.token for unit in self.of_words.units]
        some = f"shows words {first}-{past - 1} of {many}: move the cursor for the others"
        found = gloss.targets(shown, width, height, word)
        text = self._token(at.x) + self._probed(at.x) if at.x >= 0 else ""
        notes = (some,) * (past - first < many) + self.notes
        return Picture(tuple(lines), clean(text), at, notes, tuple(t._replace(column=tokens[t.column]) for t in found))

    def ranked(self, options: DrawOptions = PLAIN) -> tuple[Cursor, ...]:
        """See ``View.ranked``: by how much a token's attention to another one changed; of text, the listed tokens."""
        if self.text is not None:
            return tuple(Cursor(-1, y) for y in reversed(range(len(self.text.listed))))
        return () if self.which == WORDS else ranked(np.abs(self.data.difference), top_first=True)

    def valued(self, at: Cursor, options: DrawOptions = PLAIN) -> Spot | None:
        """See ``View.valued``: the change of a token's attention to another one; without that one, its divergence."""
        query = self.query_of(at.y)
        return None if query < 0 or self.which == WORDS else self._spot(query, at.x)

    def place_of(self, spot: Spot, options: DrawOptions = PLAIN) -> Cursor:
        """See ``View.place_of``."""
        where, names = dict(spot.where), [self._token(i) for i in range(self.length)]
        query, key = (names.index(name) if (name := where.get(axis)) in names else -1 for axis in (QUERY, _KEY))
        row = next((y for y, token in enumerate(self.places(QUERY)) if token == query), -1)
        return Cursor(key, row) if row >= 0 and dict(self._spot(query, key).where) == where else NOWHERE

    def _spot(self, query: int, key: int) -> Spot:
        data, focus, token = self.data, self.data.focus, self._token(query)
        if key >= 0:
            value = float(data.difference[query, key])
            name, of, place = _CHANGE, _CHANGE, f"{token} to {self._token(key)}"
            said = f"change {value:+.3f}"
        else:
            measure, value = get(_JS), float(data.js[query])
            name, of, place, said = measure.name, measure.title, f"query token {token}", f"JS {number(value)} bits"
        where = {
            "measure": f"{of} from {self.names[1]}",
            "corpus": clean(focus.corpus),
            TASK: clean(focus.key.recipe),
            SEED: f"seed {focus.key.seed}",
            LAYER.name: f"layer {focus.layer}",
            HEAD.name: f"head {focus.head}" if focus.head else f"mean of {data.heads} heads",
            STEP: f"step {focus.key.step:,}",
            EXAMPLE.name: f"example {focus.example}",
            QUERY: token,
            _KEY: self._token(key) if key >= 0 else "",
        }
        return Spot(value, said, place, name, tuple((of, text) for of, text in where.items() if text))

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``; of a sentence that is shown as text, the maps."""
        matrix = self.matrix(options.log)
        notes = Example(self.data, "all").notes if self.text is not None else None
        return Sheet((Part(matrix, digits=options.digits, shares=matrix.shares),), notes=notes)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a query token and attended token; of the part WORDS, one a word or sentence that is read."""
        if self.which == WORDS:
            return READ, reading_rows(self.data.focus, self.data.readings)
        return COLUMNS, self.data.rows()

    def matrix(self, log: bool = False) -> Matrix:
        """The maps that are shown where there is room for all."""
        return self._matrix(_ROOMY, log)[0]

    def _matrix(self, width: int, log: bool) -> tuple[Matrix, bool]:
        """What to draw, and whether the width alone decided that maps are left out."""
        data = self.data
        high = round_end(max(data.checkpoint.max(), data.reference.max()))
        low = high / 1e3 if log else 0.0
        panels = {
            "checkpoint": Panel(self.names[0], data.checkpoint, low, high, log=log),
            "reference": Panel(self.names[1], data.reference, low, high, log=log),
            "difference": Panel(
                "difference, root scale" if log else "difference",
                data.difference,
                -self.end,
                self.end,
                signed=True,
                root=log,
            ),
        }
        side = Panel("JS bits", data.js[:, None], 0.0, round_end(data.js.max()))
        all_of_them = Matrix(tuple(panels.values()), self._names, self._short, "query", "attends to", side)
        roomy = width >= _ALL_FROM and whole(all_of_them, width)
        if self.which in panels:
            return replace(all_of_them, panels=(panels[self.which],)), False
        fewer = not self.which and not roomy
        return (replace(all_of_them, panels=(panels["difference"],)) if fewer else all_of_them), fewer

    def _read(self, query: int, key: int, room: int) -> str:
        """'bad' (5): JS 0.210 bits; moved most to '[SEP]' +0.180, from 'movie' -0.110."""
        if query < 0:
            return ""
        data, moved = self.data, self.data.difference[query]
        text = self._token(query)
        if key >= 0:
            now, then = float(data.checkpoint[query, key]), float(data.reference[query, key])
            change = f"{now - then:+.3f}"
            values = f"{self._token(key)}: {number(now)}, reference {number(then)} ({change});"
            values += f" row JS {number(float(data.js[query]))} bits"
            long = f"{text} attends to {values}"
            text = long if len(long) <= room - 2 else f"{text} to {values}"
        else:
            text = f"query token {text}: JS {number(float(data.js[query]))} bits"
            probed = self._probed(query)
            text += probed if len(text + probed) <= room - 2 else ""
        to, away = int(moved.argmax()), int(moved.argmin())
        if moved[to] > 0 > moved[away]:
            gained = f"; moved most to {self._token(to, False)} {moved[to]:+.3f}"
            lost = f", from {self._token(away, False)} {moved[away]:+.3f}"
            more = next((m for m in (gained + lost, gained) if len(text + m) <= room - 2), "")
            text += more
        return clean(text)

    def _token(self, index: int, place: bool = True) -> str:
        label = self.data.labels[index]
        beside = ", ".join(part for part in (str(index) if place else "", label if place else "") if part)
        return f"'{self.data.tokens[index]}'" + (f" ({beside})" if beside else "")

    def _probed(self, token: int) -> str:
        """'; UPOS ADJ, read as NOUN, in the reference as ADJ'."""
        place = -1 if self.of_words is None else self.of_words.at(token)
        return f"; {self.of_words.said(place)}" if self.of_words and place >= 0 else ""

    def _notes(self, mean: float) -> tuple[str, ...]:
        data, said = self.data, [one.note for one in self.data.readings]
        if self.which == WORDS:
            return tuple(clean(note) for note in (*said, *[reading.SIGNS] * bool(self.of_words)))
        if self.text is not None and not self.which:
            said.append(f"shown as text, as every sentence of more than {_LONG} tokens; the part 'all' shows maps")
        if self.text is not None and any(self.text.joined):
            said.append(PIECES)
        if self.text is None and self.which in ("", "all", "difference"):
            said += self._beyond()
        if data.focus.key == data.focus.reference:
            said.append("a checkpoint beside itself: every difference is 0")
        elif mean < _NOISE:
            said.append(f"JS divergence below {_NOISE:g} bits: noise of the stored float16")
        if data.special.any() and not data.special.all():
            now, then = (100 * float(m[:, data.special].sum(1).mean()) for m in (data.checkpoint, data.reference))
            names = " and ".join(dict.fromkeys(data.tokens[i] for i in np.flatnonzero(data.special)))
            said.append(f"{names} take {now:.0f} % of the attention, in the reference {then:.0f} %")
        if not data.focus.head:
            said.append("maps are means over heads, JS divergence is the mean of the heads' own")
        return tuple(clean(note) for note in said)

    def _beyond(self) -> list[str]:
        """Return a note on the changes beyond the end of the colours; none if there is no such change."""
        sizes = np.abs(self.data.difference)
        beyond = int((sizes > self.end).sum())
        end = f"±{short(self.end)} (99th percentile of the sizes, rounded up)"
        drawn = f"{count(beyond)} of {count(sizes.size)} changes are larger, up to {number(sizes.max())}"
        return [f"colours of the difference end at {end}: {drawn}"] if beyond else []


def _row(found: Iterable[Target], y: int) -> tuple[int, int] | None:
    """Return the cell at the name of a row; None if it is not drawn."""
    return next(((target.x, target.y) for target in found if target.row == y >= 0), None)


def named(key: CheckpointKey) -> str:
    """'sst2 seed 1 step 80', 'the pre-trained model'."""
    if key.recipe == PRETRAINED:
        return "the pre-trained model"
    return clean(f"{key.recipe} seed {key.seed} step {key.step:,}")


def sentence(found: Found, data: ExampleData, look: Look) -> Example:
    """Return the example that is looked at, and those that were found beside it."""
    example = data.focus.example
    place = found.examples.index(example) + 1 if example in found.examples else 0
    what = [f"holding '{look.find}'"] if look.find else []
    what += ["by how far they moved"] if look.changed else []
    moved = f" ({number(found.moved[example])} bits)" if example in found.moved else ""
    where = f"{count(place)} of {count(len(found.examples))} {', '.join(what)}{moved}" if what and place else ""
    return Example(data, "" if look.part == "auto" else look.part, found.examples, where)
