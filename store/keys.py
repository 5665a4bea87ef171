"""Keys and descriptions of checkpoints, corpora and annotations. Pure data; cheap to import."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

PRETRAINED = "pretrained"
"""Task name of the reference given with ``--reference``; its seed is "0" and its step 0."""


NO_CORPUS = ""
"""Corpus name for data that does not depend on texts: the weights of a checkpoint, and values computed from them."""
WEIGHTS, METRICS = "weights", "metrics"
"""Kinds of digests of a checkpoint that do not depend on a corpus."""
PLAIN = "plain"
"""Name of the variant of a plain run where an empty name is not possible."""
VARIANT_MARK = "+"
"""Separator of task and variant in one name."""


def recipe_of(task: str, variant: str) -> str:
    """Return task and variant as one name: ``TASK``, or ``TASK+VARIANT``."""
    return f"{task}{VARIANT_MARK}{variant}" if variant else task


def task_and_variant(recipe: str) -> tuple[str, str]:
    """Split ``TASK+VARIANT`` at its first ``+``; the variant is empty if there is none."""
    task, _, variant = recipe.partition(VARIANT_MARK)
    return task, variant


class CheckpointKey(NamedTuple):
    """One checkpoint of one fine-tuning run. Tasks, variants and seeds are any text; steps are optimiser updates."""

    task: str
    variant: str
    """Way in which the run was made, such as ``freeze-6``; empty for the plain run."""
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
        """Return the key of a checkpoint from its task and variant as one name."""
        return cls(*task_and_variant(recipe), seed, step)

    @classmethod
    def parse(cls, text: str) -> CheckpointKey | None:
        """Parse ``TASK/SEED/STEP`` or ``TASK+VARIANT/SEED/STEP``; None if the text is neither."""
        recipe, *rest = text.rsplit("/", 2)
        return cls.of(recipe, rest[0], int(rest[1])) if len(rest) == 2 and rest[1].isdecimal() else None


PRETRAINED_KEY = CheckpointKey.plain(PRETRAINED, "0", 0)


Level = Literal["sentence", "word", "arc", "span", "pair"]
"""Unit that has a label: an arc leads from a word to its head, a span is a row of words of one sentence, and a pair is
two spans of one sentence."""
ITEM_WORDS: Mapping[str, int] = {"arc": 2, "span": 2, "pair": 4}
"""Number of word positions that name an item, by level. Sentences and words are not named: each has one label."""
LabelKind = Literal["class", "number", "split", "tree"]
"""Kind of labels; ``split`` is the part of the corpus that a sentence is in, ``tree`` the head of each word."""
NO_LABEL = -1
"""Id of a sentence, word or item without a label."""
ROOT, NO_HEAD = -1, -2
"""Values instead of a head: ROOT for the root of a sentence, NO_HEAD for a head that is unknown or was cut off."""

_NAMED = 6
"""Labels of an annotation that are named in a line."""


@dataclass(frozen=True)
class AnnotationInfo:
    """The listing entry of an annotation."""

    name: str
    """Name; by default that of the column that the labels were read from."""
    level: Level
    kind: LabelKind
    labels: tuple[str, ...]
    """Names of the classes or splits, in the order of the ids; empty for numbers and trees."""
    count: int
    """Number of sentences, words or items that have a label. An item with several labels counts once."""
    digest: str
    """Digest of level, kind, names, values and items."""
    place: int = 0
    """Position among the annotations of its corpus."""
    source: str = ""
    """File that the labels were read from."""
    left_out: int = 0
    """Number of items that are left out because one of their words is not in the corpus."""
    without_tokens: int = 0
    """Number of those that the maximum length did not cut off: the tokenizer gives one of their words no token."""

    def in_words(self) -> str:
        """Return it in one line: '2 labels of 400 sentences in label: negative, positive'."""
        unit = f"{self.count:,} {self.level}{'s' * (self.count != 1)}"
        cut = self.left_out - self.without_tokens
        more = (
            f"{cut:,} more cut off" * (cut > 0),
            f"{self.without_tokens:,} more without a token" * (cut < self.left_out),
        )
        unit += f" ({', '.join(filter(None, more))})" if self.left_out else ""
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
    """Values: [E] for sentences, [W] for words, [S] for arcs, spans and pairs. Classes and splits: int32 ids of
    ``info.labels``, NO_LABEL if missing. Numbers: float64, NaN if missing. Trees: int64, position of the head among all
    words of the corpus, ROOT or NO_HEAD."""
    items: np.ndarray | None = None
    """Positions of words among all words of the corpus, int64 [S, 2] or [S, 4]; None for labels of sentences or words.
    Arcs: the word and its head. Spans: the first and the last word (inclusive). Pairs: the same of both spans. An item
    with several labels has a row for each, one after the other; an item whose list of labels is empty has one row with
    NO_LABEL. So rows with equal positions are one target, and its labels are a set."""

    @property
    def level(self) -> Level:
        """Unit that has a label."""
        return self.info.level

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels, in the order of the ids."""
        return self.info.labels


@dataclass(frozen=True)
class CorpusInfo:
    """The listing entry of a corpus (counts, not arrays)."""

    name: str
    kind: Literal["sentence", "word"]
    """``word`` if the file defines the words, ``sentence`` if the tokenizer does."""
    examples: int
    tokens: int
    pairs: int
    """Sum of the examples' squared lengths: the number of entries of one head's attention maps."""
    words: int
    annotations: tuple[AnnotationInfo, ...]
    """Annotations, in the order of their addition."""
    tokenizer: str
    """Fingerprint of the tokenizer that made the ids."""
    fingerprint: str
    """Fingerprint of token ids, offsets and token types; only checkpoints with the same one are comparable."""
    truncated: int
    """Number of examples that ``--max-length`` cut."""
    source: str

    def annotation(self, name: str) -> AnnotationInfo | None:
        """Return the annotation of that name, or the only one that matches in another case; None if there is none."""
        exact = [one for one in self.annotations if one.name == name]
        alike = [one for one in self.annotations if one.name.lower() == name.lower()]
        return next(iter(exact), alike[0] if len(alike) == 1 else None)

    @property
    def split(self) -> AnnotationInfo | None:
        """The annotation that splits the examples into train, dev and test; None if there is none."""
        return next((one for one in self.annotations if one.kind == "split"), None)


@dataclass(frozen=True, eq=False)
class Corpus:
    """Tokenised texts: E examples, T tokens, W words, packed without padding.

    ``special`` marks [CLS], [SEP] and similar tokens. Words are the tokenizer's pre-tokens (for sentences) or those of
    the file (such as a ``.conllu``). ``word_first`` is a position on the whole packed axis. Words that the maximum
    length cut off, and words to which the tokenizer gives no token, are not in the word arrays.
    """

    info: CorpusInfo
    token_ids: np.ndarray  # int32 [T]
    token_types: np.ndarray  # int8 [T]
    offsets: np.ndarray  # int64 [E + 1], tokens
    special: np.ndarray  # bool [T]
    word_first: np.ndarray  # int64 [W]
    word_length: np.ndarray  # int32 [W], sub-words
    word_offsets: np.ndarray  # int64 [E + 1], words
    word_index: np.ndarray  # int32 [W], position of the word in its sentence, from 0, also counting words cut off
    texts: tuple[tuple[str, ...], ...]
    """Texts of each example: one, or two for sentence pairs; for a file of words, the words joined by blanks."""
    words: tuple[tuple[str, ...], ...] | None
    """Words of the file for each example; None if the tokenizer splits sentences into words."""
    pieces: Mapping[int, str]
    """Written form of every token id that occurs."""
    annotations: Mapping[str, Annotation] = field(default_factory=dict)
    """Annotations by name, read from disk at their first use."""
    attributes: Mapping[str, object] = field(default_factory=dict)
    """Provenance: source file, its SHA-256, text columns, maximum length, library versions."""

    @cached_property
    def same_text(self) -> np.ndarray:
        """Number of each example's text, the same for texts of equal token ids and token types, int64 [E].

        So texts count as equal if the model's input is: if they differ in case alone and the model is uncased, or only
        behind the maximum length.
        """
        spans = zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
        return _numbered(
            (self.token_ids[first:end].tobytes(), self.token_types[first:end].tobytes()) for first, end in spans
        )

    @cached_property
    def word_limits(self) -> np.ndarray:
        """Position of the first word of the file that the maximum length cut off, of each example, int64 [E].

        Without such a word, it is the number of words. A word without a token behind the last stored word of an example
        with as many tokens as the maximum length counts as cut off.
        """
        import numpy as np

        if self.words is None:
            return np.diff(self.word_offsets)
        limits = np.array([len(words) for words in self.words], np.int64)
        if self.info.truncated:
            last = np.full(len(limits), -1, np.int64)
            np.maximum.at(last, np.repeat(np.arange(len(limits)), np.diff(self.word_offsets)), self.word_index)
            full = np.diff(self.offsets) >= int(str(self.attributes["max_length"]))
            limits = np.where(full, last + 1, limits)
        return limits

    @property
    def without_tokens(self) -> int:
        """Number of words of the file to which the tokenizer gives no token, without those that were cut off."""
        return int(self.word_limits.sum()) - self.info.words

    @cached_property
    def word_types(self) -> np.ndarray:
        """Number of each word's type, int64 [W]: words with the same token ids have the same type.

        So a type is what the model can tell apart. Forms as they are written are not: "The" and "the" have the same
        token ids in an uncased model, and so have all words that the tokenizer does not know.
        """
        spans = zip(self.word_first.tolist(), self.word_length.tolist(), strict=True)
        return _numbered(tuple(self.token_ids[first : first + length].tolist()) for first, length in spans)


def _numbered(values: Iterable[Hashable]) -> np.ndarray:
    """Return the number of each value in the order of first occurrence, int64."""
    import numpy as np

    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)


class Checkpoint(NamedTuple):
    """The listing entry of one stored checkpoint on one corpus."""

    corpus: str
    key: CheckpointKey
    layers: int
    """Number of transformer layers; hidden states have one more (layer 0 is the embedding output)."""
    heads: int
    width: int
    dtype: str
    digests: Mapping[str, str]
    """Digests of the extracted arrays by kind (``hidden``, ``attention``, ...), and of the ``weights``."""
    epoch: float | None
    loss: float | None
    """Last training loss logged at or before this step."""
    metrics: Mapping[str, float]
    """Evaluation metrics logged at this step (``eval_accuracy``, ...)."""
    model_class: str
    source: str
    weights_sha256: str
    bytes: int
    created: str
    kind: str = ""
    """What was changed in the run's model before training, such as ``freeze``; empty if its folder does not say so."""
    k: int | None = None
    """Number of layers that this concerns; None if there is no such number."""
