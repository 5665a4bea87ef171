"""Read the stored predictions of probes on one example: the label of each word or sentence, in two checkpoints.

The predictions are those of probes that were not trained on the word (``Measure.predicts``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from explorer.measures.base import PREDICTIONS, Measure
from explorer.measures.probes.spans import spans_of
from explorer.measures.registry import all_measures
from explorer.selection.stored import OPERANDS
from store.keys import CheckpointKey
from store.rows import AllOf, AnyOf, Is, Not, RowQuery, rows_of

if TYPE_CHECKING:
    from explorer.answers.example import Focus
    from explorer.selection import Question
    from store.keys import Annotation, Corpus
    from store.store import Store

COLUMNS = (
    *("corpus", "example", "task", "seed", "step", "reference", "layer", "annotation", "probe", "token", "word"),
    *("label", "predicted", "reference_predicted", "change"),
)
SAME, LOST, GAINED, OTHER = "same", "lost", "gained", "other"
"""Changes of a reading: none; right in the reference alone; right in the checkpoint alone; wrong in two ways."""


@dataclass(frozen=True)
class Unit:
    """One word, span, arc, pair or sentence: its label, and what the probes read off it."""

    token: int
    """Its first token in the example."""
    tokens: int
    """Number of its tokens; 0 for a sentence. Of an arc or a pair, token and tokens are those of its first span."""
    word: str
    """Its words; 'first + second' for an arc or a pair; empty for a sentence."""
    label: str
    checkpoint: str
    """Label that the probe predicts from the checkpoint; empty without a prediction."""
    reference: str

    @property
    def change(self) -> str:
        """SAME, LOST, GAINED or OTHER; empty unless both checkpoints have a prediction."""
        if not self.checkpoint or not self.reference:
            return ""
        if self.checkpoint == self.reference:
            return SAME
        return LOST if self.reference == self.label else GAINED if self.checkpoint == self.label else OTHER


@dataclass(frozen=True)
class Reading:
    """What the probes of one annotation read off an example."""

    annotation: str
    level: str
    """Unit of the annotation: sentence, word, span, arc or pair."""
    model: str
    """Parameters of the probe that differ from the default, in words; empty if none does."""
    units: tuple[Unit, ...]
    """The units of the example that have a label, in order."""
    keys: tuple[CheckpointKey, CheckpointKey]
    """The checkpoint and the reference."""
    compared: bool
    """Whether predictions of the reference are stored too."""

    @property
    def known(self) -> int:
        """Number of units with a prediction."""
        return sum(bool(unit.checkpoint) for unit in self.units)

    def at(self, token: int) -> int:
        """Return the place of the shortest unit that a token belongs to; -1 if it is in none that has a label."""
        places = [place for place, unit in enumerate(self.units) if 0 <= token - unit.token < unit.tokens]
        return min(places, key=lambda place: self.units[place].tokens, default=-1)

    def said(self, place: int) -> str:
        """Return a label and its predictions: 'UPOS NOUN, read as VERB, in the reference as NOUN'."""
        unit = self.units[place]
        now = f"read as {unit.checkpoint}" if unit.checkpoint else "no prediction"
        then = f", in the reference as {unit.reference}" if unit.reference else ""
        return f"{self.annotation} {unit.label}, {now}{then}"

    @property
    def note(self) -> str:
        """Number of predictions and of right ones; of a sentence, its prediction."""
        model = f" ({self.model})" if self.model else ""
        if self.level == "sentence":
            return f"probe{model}: {self.said(0)}"
        now, then = self.right
        beside = f", in the reference {then}" if self.compared else "; the reference was not probed"
        few = "; the others were in the probe's training data" if self.known < len(self.units) else ""
        read = f"{self.known} of {len(self.units)} {self.level}s read, {now} right"
        return f"probe of {self.annotation}{model}: {read}{beside}{few}"

    @property
    def right(self) -> tuple[int, int]:
        """Number of right predictions of the checkpoint and of the reference."""
        return (
            sum(unit.checkpoint == unit.label for unit in self.units),
            sum(unit.reference == unit.label for unit in self.units),
        )


class _Probed(NamedTuple):
    """A kind of probe with stored predictions: its measure, labels and parameters."""

    measure: Measure
    annotation: str
    parameters: str


def readings(store: Store, question: Question, focus: Focus) -> tuple[Reading, ...]:
    """Return what probes of the focus' layer read off its example: one reading per annotation.

    Of an annotation with several kinds of probes, those of the question come first, then those with predictions of both
    checkpoints, then those with default parameters. Annotations of words come before those of sentences.

    Raises:
        BertdynError: the store cannot be read.
    """
    corpus = store.corpus(focus.corpus)
    there: dict[_Probed, dict[CheckpointKey, str]] = {}
    for measure in all_measures():
        if measure.predicts:
            for probed, key, artefact in _stored(store, measure, focus):
                there.setdefault(probed, {})[key] = artefact
    order = [info.name for info in corpus.info.annotations]

    def rank(probed: _Probed) -> tuple[object, ...]:
        asked = (question.measure.name, question.annotation) == (probed.measure.name, probed.annotation)
        usual = probed.parameters == probed.measure.key(dict(probed.measure.settle({})))
        chosen = asked and probed.parameters == question.measure.key(dict(question.parameters))
        both = focus.reference in there[probed]
        return not asked, order.index(probed.annotation), not chosen, not both, not usual, probed.parameters

    best: dict[str, _Probed] = {}
    for probed in sorted((one for one, keys in there.items() if focus.key in keys), key=rank):
        best.setdefault(probed.annotation, probed)
    found = [_reading(store, corpus, focus, probed, there[probed]) for probed in best.values()]
    return tuple(sorted((one for one in found if one.units), key=lambda one: one.level == "sentence"))


def reading_rows(focus: Focus, found: Sequence[Reading]) -> list[tuple[object, ...]]:
    """Return one row per reading and word or sentence, in the order of COLUMNS."""
    key = focus.key
    place = (focus.corpus, focus.example, key.recipe, key.seed, key.step, str(focus.reference), focus.layer)
    rows = []
    for one in found:
        for unit in one.units:
            word = (unit.token, unit.word) if unit.word else (None, None)
            read = (unit.checkpoint or None, unit.reference or None, unit.change or None)
            rows.append((*place, one.annotation, one.model, *word, unit.label, *read))
    return rows


def unread(focus: Focus) -> str:
    """Return the sentence for an example whose words no probe has read."""
    able = " or ".join(measure.name for measure in all_measures() if measure.predicts)
    return (
        f"No predictions of a probe of words are stored for layer {focus.layer} of {focus.key}: 'bertdyn compute "
        f"{able} STORE --corpus {focus.corpus} --annotation NAME' stores them."
    )


def _stored(store: Store, measure: Measure, focus: Focus) -> Iterator[tuple[_Probed, CheckpointKey, str]]:
    """Yield the artefacts of a measure in the focus' layer and checkpoints."""
    of = (AllOf(tuple(map(Is, OPERANDS, key))) for key in (focus.key, focus.reference))
    where = (
        *rows_of(measure.name, focus.corpus, version=measure.version),
        *(Is("layer", focus.layer), Is("statistic", measure.main), Not(Is("artefact", "")), AnyOf(tuple(of))),
    )
    query = RowQuery(where, ("annotation", "parameters", "artefact", *OPERANDS[:4]))
    for annotation, parameters, artefact, *key in store.result_columns(query):
        yield _Probed(measure, annotation, parameters), CheckpointKey(*key), artefact


def _reading(
    store: Store, corpus: Corpus, focus: Focus, probed: _Probed, artefacts: Mapping[CheckpointKey, str]
) -> Reading:
    annotation = corpus.annotations[probed.annotation]
    places, spans = _units(corpus, annotation, focus.example)
    ids = np.asarray(annotation.values)[places]
    names = (*annotation.names, "")  # the last one: no label, no prediction

    def predicted(key: CheckpointKey) -> Sequence[int]:
        if key not in artefacts:
            return [-1] * len(places)
        every = store.artefact(artefacts[key], only=(PREDICTIONS,))[PREDICTIONS]
        return every[focus.layer][places].tolist()

    read = zip(spans.tolist(), ids.tolist(), predicted(focus.key), predicted(focus.reference), strict=True)
    units = [
        Unit(*_where(corpus, of, focus.example), names[label], names[now], names[then])
        for of, label, now, then in read
        if label >= 0
    ]
    found = tuple(sorted(units, key=lambda unit: unit.token))
    keys = focus.key, focus.reference
    return Reading(probed.annotation, annotation.level, _unusual(probed), found, keys, focus.reference in artefacts)


def _units(corpus: Corpus, annotation: Annotation, example: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of an example's units in an annotation, int64 [n], and the first and last word of each of
    their spans, int64 [n, spans, 2]; a sentence has none."""
    if annotation.level == "sentence":
        return np.array([example]), np.empty((1, 0, 2), np.int64)
    spans = spans_of(annotation)
    first, past = corpus.word_offsets[example : example + 2].tolist()
    places = np.flatnonzero((spans[:, 0, 0] >= first) & (spans[:, 0, 0] < past))
    return places, spans[places]


def _where(corpus: Corpus, spans: Sequence[tuple[int, int]], example: int) -> tuple[int, int, str]:
    """Return the first token in the example and the number of tokens of the first span, and the words of all spans."""
    if not spans:
        return 0, 0, ""
    first, last = spans[0]
    token = int(corpus.word_first[first])
    past = int(corpus.word_first[last]) + int(corpus.word_length[last])
    said = (" ".join(_word(corpus, word) for word in range(a, b + 1)) for a, b in spans)
    return token - int(corpus.offsets[example]), past - token, " + ".join(said)


def _word(corpus: Corpus, word: int) -> str:
    """Return a word as the file has it or, if the tokenizer splits sentences into words, by its tokens."""
    if corpus.words is not None:
        example = int(np.searchsorted(corpus.word_offsets, word, "right")) - 1
        return corpus.words[example][int(corpus.word_index[word])]
    first, many = int(corpus.word_first[word]), int(corpus.word_length[word])
    return "".join(corpus.pieces[i].removeprefix("##") for i in corpus.token_ids[first : first + many].tolist())


def _unusual(probed: _Probed) -> str:
    usual = {p.name: p.default for p in probed.measure.parameters}
    return ", ".join(f"{name} {value}" for name, value in json.loads(probed.parameters).items() if value != usual[name])
