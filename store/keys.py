"""The names of things: checkpoints, corpora, what a listing says of them. Pure data; cheap to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

PRETRAINED = "pretrained"
"""Task name of the reference given with ``--reference``; its seed is "0" and its step 0."""


NO_CORPUS = ""
"""Corpus of what belongs to no texts: the weights of a checkpoint, and what is computed from them."""
PLAIN = "plain"
"""What the variant of a plain run is called where an empty name cannot be written."""
VARIANT_MARK = "+"
"""Separates task and variant where they are written as one name."""


def recipe_of(task: str, variant: str) -> str:
    """Return task and variant as one name: ``TASK``, or ``TASK+VARIANT``."""
    return f"{task}{VARIANT_MARK}{variant}" if variant else task


def task_and_variant(recipe: str) -> tuple[str, str]:
    """Split ``TASK+VARIANT`` at its first ``+``; the variant is empty where there is none."""
    task, _, variant = recipe.partition(VARIANT_MARK)
    return task, variant


class CheckpointKey(NamedTuple):
    """One checkpoint of one fine-tuning run. Tasks, variants and seeds are any text; steps are optimiser updates."""

    task: str
    variant: str
    """How the run was made when it is not the plain one (``freeze-6``); empty for the plain one."""
    seed: str
    step: int

    def __str__(self) -> str:
        return f"{self.recipe}/{self.seed}/{self.step}"

    @property
    def recipe(self) -> str:
        """Task and variant as one name."""
        return recipe_of(self.task, self.variant)

    @classmethod
    def plain(cls, task: str, seed: str, step: int) -> CheckpointKey:
        """Return the key of a checkpoint of a task's plain run."""
        return cls(task, "", seed, step)

    @classmethod
    def of(cls, recipe: str, seed: str, step: int) -> CheckpointKey:
        """Return the key of a checkpoint, given task and variant as one name."""
        return cls(*task_and_variant(recipe), seed, step)

    @classmethod
    def parse(cls, text: str) -> CheckpointKey | None:
        """Read ``TASK/SEED/STEP`` or ``TASK+VARIANT/SEED/STEP``; None where the text is neither."""
        recipe, *rest = text.rsplit("/", 2)
        return cls.of(recipe, rest[0], int(rest[1])) if len(rest) == 2 and rest[1].isdecimal() else None


PRETRAINED_KEY = CheckpointKey.plain(PRETRAINED, "0", 0)


Level = Literal["sentence", "word", "arc"]
"""What a label belongs to; an arc leads from a word to its head."""
LabelKind = Literal["class", "number", "split", "tree"]
"""``split`` names the part of the corpus that a sentence is in, ``tree`` the head of each word."""
NO_LABEL = -1
"""Id of a sentence, word or arc without a label."""
ROOT, NO_HEAD = -1, -2
"""In the place of a head: the word is the root of its sentence; its head is not known, or was cut off."""

_NAMED = 6
"""Labels of an annotation that are named in a line."""


@dataclass(frozen=True)
class AnnotationInfo:
    """What a listing says of labels on a corpus."""

    name: str
    """The column that they were read from."""
    level: Level
    kind: LabelKind
    labels: tuple[str, ...]
    """Names of the classes or splits, in the order of the ids; none for numbers and trees."""
    count: int
    """Sentences, words or arcs that have a label."""
    digest: str
    """Digest of level, kind, names and values."""
    place: int = 0
    """Position among the annotations of its corpus."""
    source: str = ""
    """The file that they were read from."""

    def in_words(self) -> str:
        """Return it in one line: '2 labels of 400 sentences in label: negative, positive'."""
        unit = f"{self.count:,} {self.level}{'s' * (self.count != 1)}"
        if self.kind == "tree":
            return f"heads of {unit} in {self.name}"
        if self.kind == "number":
            return f"numbers of {unit} in {self.name}"
        names = ", ".join(self.labels[:_NAMED]) + ", ..." * (len(self.labels) > _NAMED)
        what = f"{len(self.labels)} {'split' if self.kind == 'split' else 'label'}"
        return f"{what}{'s' * (len(self.labels) != 1)} of {unit} in {self.name}: {names}"


@dataclass(frozen=True, eq=False)
class Annotation:
    """Labels on a corpus of E examples and W words."""

    info: AnnotationInfo
    values: np.ndarray
    """Classes and splits: int32 ids of ``info.labels``, NO_LABEL where there is none. Numbers: float64, NaN where there
    is none. Trees: int64 [W], the head's place among the words, ROOT or NO_HEAD. [E], [W] or as many as ``items``."""
    items: np.ndarray | None = None
    """int64 [A, 2] for arcs: places of the word and of its head; None where each sentence or word has its place."""

    @property
    def level(self) -> Level:
        """What a label belongs to."""
        return self.info.level

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels, in the order of the ids."""
        return self.info.labels


@dataclass(frozen=True)
class CorpusInfo:
    """What a listing says of a corpus (counts, not arrays)."""

    name: str
    kind: Literal["sentence", "word"]
    """``word`` where the file says what a word is; else the tokenizer does."""
    examples: int
    tokens: int
    pairs: int
    """Sum over examples of length squared: the entries of one head's attention maps."""
    words: int
    annotations: tuple[AnnotationInfo, ...]
    """In the order in which they were added."""
    tokenizer: str
    """Fingerprint of the tokenizer that made the ids."""
    fingerprint: str
    """Fingerprint of token ids, offsets and token types: two checkpoints are comparable only under the same one."""
    truncated: int
    """Examples that ``--max-length`` cut."""
    source: str

    def annotation(self, name: str) -> AnnotationInfo | None:
        """Return the annotation of that name, in whatever case where only one matches; None where there is none."""
        exact = [one for one in self.annotations if one.name == name]
        alike = [one for one in self.annotations if one.name.lower() == name.lower()]
        return next(iter(exact), alike[0] if len(alike) == 1 else None)


@dataclass(frozen=True, eq=False)
class Corpus:
    """Fixed text, tokenised: E examples, T tokens, W words, packed without padding.

    ``special`` marks [CLS], [SEP] and their kin. Words are the tokenizer's pre-tokens (of a sentence) or the file's
    (of a ``.conllu``); ``word_first`` counts tokens of the whole packed axis. A word that was cut off by the maximal
    length is not in the word arrays.
    """

    info: CorpusInfo
    token_ids: np.ndarray  # int32 [T]
    token_types: np.ndarray  # int8 [T]
    offsets: np.ndarray  # int64 [E + 1], tokens
    special: np.ndarray  # bool [T]
    word_first: np.ndarray  # int64 [W]
    word_length: np.ndarray  # int32 [W], sub-words
    word_offsets: np.ndarray  # int64 [E + 1], words
    word_index: np.ndarray  # int32 [W], number of the word in its sentence, from 0; words that were cut off count
    texts: tuple[tuple[str, ...], ...]
    """Per example its text columns: one, or two for sentence pairs; where the file has words, these, joined."""
    words: tuple[tuple[str, ...], ...] | None
    """Per example the words of the file; None where the tokenizer splits sentences into words."""
    pieces: Mapping[int, str]
    """Written form of every token id that occurs."""
    annotations: Mapping[str, Annotation] = field(default_factory=dict)
    """By name; read from disk when they are asked for."""
    attributes: Mapping[str, object] = field(default_factory=dict)
    """Provenance: source file, its SHA-256, text columns, maximal length, library versions."""


class Checkpoint(NamedTuple):
    """What a listing says of one stored checkpoint on one corpus."""

    corpus: str
    key: CheckpointKey
    layers: int
    """Transformer layers; hidden states have one more (layer 0 is the embedding output)."""
    heads: int
    width: int
    dtype: str
    digests: Mapping[str, str]
    """Digest of each array that was extracted, by what it is (``hidden``, ``attention``), and of the ``weights``."""
    epoch: float | None
    loss: float | None
    """Training loss last logged at or before this step."""
    metrics: Mapping[str, float]
    """Evaluation metrics logged at this step (``eval_accuracy``, ...)."""
    model_class: str
    source: str
    weights_sha256: str
    bytes: int
    created: str
