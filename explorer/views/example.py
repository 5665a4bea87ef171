"""Example: one sentence's attention in two checkpoints and the difference, and how far each query token's row moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from explorer.render.axes import number
from explorer.render.cells import clean, crop
from explorer.render.matrix import Matrix, Panel, draw, spans, targets, whole
from explorer.render.palette import Palette
from explorer.render.targets import upwards
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.fitting import DOT
from store.errors import BertdynError
from store.keys import NO_LABEL, PRETRAINED, Annotation, CheckpointKey, Corpus, Level
from store.layout import ATTENTION
from store.ragged import pair_offsets

if TYPE_CHECKING:
    from store.store import Store

COLUMNS = (
    *("corpus", "example", "task", "seed", "step", "reference", "layer", "head", "query", "query_token", "key"),
    *("key_token", "attention", "reference_attention", "difference", "query_js"),
)
WHICH: Mapping[str, str] = {
    "": "what the width allows",
    "all": "both maps and the difference",
    "difference": "the difference alone",
    "checkpoint": "the checkpoint's map alone",
    "reference": "the reference's map alone",
}
"""Parts of the view Example, in the order of its key."""
_ROOMY = 10**6
_ALL_FROM = 88
"""Cells from which three maps are wide enough to be read side by side."""
_NOISE = 1e-7
"""Bits of mean divergence that two float16 copies of one attention differ by."""
_ENDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
"""Ends of a scale: round, and the same from one step of a run to the next more often than not."""


@dataclass(frozen=True)
class Focus:
    """One map: an example's attention in a layer and head of a checkpoint, and what it is compared with."""

    corpus: str
    key: CheckpointKey
    reference: CheckpointKey
    layer: int
    """Counted from 1."""
    head: int
    """Counted from 1; 0: the mean over heads."""
    example: int
    """Counted from 0, as in the tables."""


@dataclass(frozen=True, eq=False)
class ExampleData:
    """Everything that is shown of one example of l tokens; queries are rows of the maps, keys (attended) columns."""

    focus: Focus
    heads: int
    layers: int
    examples: int
    """Number of the example in the corpus."""
    tokens: tuple[str, ...]
    special: np.ndarray
    """Bool [l]: [CLS], [SEP] and their kin."""
    labels: tuple[str, ...]
    """Of each token: that of the word which begins there; empty where there is none."""
    label: str
    """Of the sentence; empty where sentences have none."""
    text: str
    checkpoint: np.ndarray
    """Attention float64 [l, l], rows sum to 1; the mean over heads for head 0."""
    reference: np.ndarray
    js: np.ndarray
    """Jensen-Shannon divergence of each query token's two rows in bits, [l]; for head 0 the mean over heads."""
    missing: int = 0
    """Nothing here is computed beforehand, so nothing can be missing."""

    @cached_property
    def difference(self) -> np.ndarray:
        """The checkpoint's attention less the reference's, [l, l]."""
        return self.checkpoint - self.reference


def row_js(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits of rows [..., l] that sum to 1: H((P + Q) / 2) - (H(P) + H(Q)) / 2, float64."""

    def entropy(rows: np.ndarray) -> np.ndarray:
        return -(rows * np.log2(np.where(rows > 0, rows, 1.0))).sum(-1)

    return np.asarray(np.clip(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2, 0.0, 1.0))


def fetch_example(store: Store, focus: Focus) -> ExampleData:
    """Read one example's attention in both checkpoints.

    Raises:
        BertdynError: no such corpus, checkpoint, layer, head or example, or no attention was extracted.
    """
    corpus = store.corpus(focus.corpus)
    if not 0 <= focus.example < corpus.info.examples:
        raise BertdynError(
            f"Corpus '{focus.corpus}' has no example {focus.example}: they count from 0 to {corpus.info.examples - 1}."
        )
    sides = [store.checkpoint(focus.corpus, key) for key in (focus.key, focus.reference)]
    heads = {side.heads for side in sides}
    if len(heads) > 1:
        raise BertdynError(
            f"{focus.key} has {sides[0].heads} attention heads and {focus.reference} {sides[1].heads}: "
            "there is no head to compare with."
        )
    start, stop = corpus.offsets[focus.example : focus.example + 2].tolist()
    length = stop - start
    chosen = range(1, sides[0].heads + 1) if focus.head == 0 else (focus.head,)
    begin = int(pair_offsets(corpus.offsets[: focus.example + 1])[-1])
    maps = np.empty((2, len(chosen), length, length))
    for i, key in enumerate((focus.key, focus.reference)):
        for j, head in enumerate(chosen):
            packed = store.attention(focus.corpus, key, focus.layer, head, begin, begin + length**2)
            maps[i, j] = packed.astype(np.float64).reshape(length, length)
    sums = maps.sum(-1, keepdims=True)
    if not (sums > 0).all():
        raise BertdynError(
            f"Attention of {focus.key} or {focus.reference} in example {focus.example} has rows without any weight: "
            "extract the checkpoint again."
        )
    maps /= sums
    words, label = _labels(corpus, focus.example)
    return ExampleData(
        focus=focus,
        heads=sides[0].heads,
        layers=sides[0].layers,
        examples=corpus.info.examples,
        tokens=tuple(clean(corpus.pieces[i]) for i in corpus.token_ids[start:stop].tolist()),
        special=corpus.special[start:stop],
        labels=words,
        label=label,
        text=clean(" / ".join(corpus.texts[focus.example])),
        checkpoint=maps[0].mean(0),
        reference=maps[1].mean(0),
        js=row_js(maps[0], maps[1]).mean(0),
    )


def film(store: Store, focus: Focus) -> tuple[Focus, ...]:
    """The same example in every checkpoint of the run that has attention, in the order of the steps.

    Raises:
        BertdynError: no such corpus.
    """
    run = (focus.key.recipe, focus.key.seed)
    found = store.checkpoints(focus.corpus)
    return tuple(
        replace(focus, key=c.key) for c in found if (c.key.recipe, c.key.seed) == run and ATTENTION in c.digests
    )


class Example(Base):
    """x is the key token, from the left; y the query token, counted from the lowest row up (see ``query_of``)."""

    name = "example"

    def __init__(self, data: ExampleData, which: str = "") -> None:
        self.data, self.which = data, which
        focus = data.focus
        self.length = len(data.tokens)
        self.empty = self.length == 0
        self.names = named(focus.key), named(focus.reference)
        part = f"head {focus.head}" if focus.head else f"mean of {data.heads} heads"
        against = "pre-trained" if focus.reference.recipe == PRETRAINED else self.names[1]
        self.title = clean(f"Attention, layer {focus.layer}, {part}{DOT}{self.names[0]} against {against}")
        mean = float(data.js.mean()) if self.length else np.nan
        self.subtitle = DOT.join(
            text
            for text in (
                f"'{crop(data.text, 60)}'",
                f"label {clean(data.label)}" if data.label else "",
                f"JS {number(mean)} bits over {self.length} query tokens",
                f"example {focus.example} of corpus {clean(focus.corpus)}",
            )
            if text
        )
        self.notes = self._notes(mean)
        self._names = tuple(f"{i} {token}" for i, token in enumerate(data.tokens))
        # Written downwards every letter counts: one sign is enough for "goes on from the token before".
        self._short = tuple(token[1:] if token.startswith("##") and len(token) > 2 else token for token in data.tokens)

    def showing(self, which: str) -> Example:
        """The same example, showing another of WHICH."""
        return Example(self.data, which)

    def query_of(self, y: int) -> int:
        """The query token (from 0, the first on top) of a cursor's y, and the other way round."""
        return self.length - 1 - y

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``; ``log_y`` shows small values beside large ones: the maps in logarithms over three decades,
        the difference on a square-root scale."""
        if self.empty:
            return words.instead("The example has no token.", width, height, palette)
        at = cursor.clamped(self.length, self.length)
        query = self.query_of(at.y) if at.y >= 0 else -1
        matrix, fewer = self._matrix(width, options.log_y)
        lines, window = draw(matrix, width, height, palette, query, at.x, options.digits, options.ascii)
        hidden = spans(window, self.length, self.length, "query tokens", "attended tokens")
        notes: tuple[str, ...] = (f"shows {hidden}: move the cursor for the others",) if hidden else ()
        if fewer:
            notes += ("shows the difference alone: three maps need a wider window",)
        found = targets(matrix, width, height, palette, query, at.x, options.digits, options.ascii)
        return Picture(
            tuple(lines), self._read(query, at.x, width), at, notes + self.notes, upwards(found, self.length)
        )

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        matrix = self.matrix(options.log_y)
        return Sheet((Part(matrix, digits=options.digits, shares=matrix.shares),))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a query token and attended token."""
        data, f = self.data, self.data.focus
        place = (f.corpus, f.example, f.key.recipe, f.key.seed, f.key.step, str(f.reference), f.layer, f.head or None)
        return COLUMNS, [
            (
                *(*place, i, query, j, key, float(data.checkpoint[i, j]), float(data.reference[i, j])),
                *(float(data.difference[i, j]), float(data.js[i])),
            )
            for i, query in enumerate(data.tokens)
            for j, key in enumerate(data.tokens)
        ]

    def matrix(self, log: bool = False) -> Matrix:
        """The maps that are shown where there is room for all."""
        return self._matrix(_ROOMY, log)[0]

    def _matrix(self, width: int, log: bool) -> tuple[Matrix, bool]:
        """What to draw, and whether the width alone decided that maps are left out."""
        data = self.data
        high = _end(max(data.checkpoint.max(), data.reference.max()))
        most = _end(np.abs(data.difference).max())
        low = high / 1e3 if log else 0.0
        panels = {
            "checkpoint": Panel(self.names[0], data.checkpoint, low, high, log=log),
            "reference": Panel(self.names[1], data.reference, low, high, log=log),
            "difference": Panel(
                "difference, root scale" if log else "difference", data.difference, -most, most, signed=True, root=log
            ),
        }
        side = Panel("JS bits", data.js[:, None], 0.0, _end(data.js.max()))
        all_of_them = Matrix(tuple(panels.values()), self._names, self._short, "query", "attends to", side)
        roomy = width >= _ALL_FROM and whole(all_of_them, width)
        if self.which == "all" or (not self.which and roomy):
            return all_of_them, False
        return replace(all_of_them, panels=(panels[self.which or "difference"],)), not self.which

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

    def _notes(self, mean: float) -> tuple[str, ...]:
        data, said = self.data, []
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


def named(key: CheckpointKey) -> str:
    """'sst2 seed 1 step 80', 'the pre-trained model'."""
    if key.recipe == PRETRAINED:
        return "the pre-trained model"
    return clean(f"{key.recipe} seed {key.seed} step {key.step:,}")


def _labels(corpus: Corpus, example: int) -> tuple[tuple[str, ...], str]:
    """Label of each token of an example (on the first sub-word of its word), and that of the sentence."""
    start, stop = corpus.offsets[example : example + 2].tolist()
    words = [""] * (stop - start)
    sentence, of_words = (_first_classes(corpus, level) for level in ("sentence", "word"))
    label = int(sentence.values[example]) if sentence is not None else NO_LABEL
    said = sentence.names[label] if sentence is not None and label != NO_LABEL else ""
    if of_words is None:
        return tuple(words), said
    for word in range(*corpus.word_offsets[example : example + 2].tolist()):
        label = int(of_words.values[word])
        if label != NO_LABEL:
            words[int(corpus.word_first[word]) - start] = of_words.names[label]
    return tuple(words), said


def _first_classes(corpus: Corpus, level: Level) -> Annotation | None:
    """The first annotation with classes of sentences or words."""
    known = (one.name for one in corpus.info.annotations if (one.level, one.kind) == (level, "class"))
    name = next(known, None)
    return None if name is None else corpus.annotations[name]


def _end(value: float) -> float:
    return next((end for end in _ENDS if value <= end), 1.0)
