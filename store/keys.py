"""The names of things: checkpoints, corpora, what a listing says of them. Pure data; cheap to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

PRETRAINED = "pretrained"
"""Task name of the reference given with ``--reference``; its seed is "0" and its step 0."""


class CheckpointKey(NamedTuple):
    """One checkpoint of one fine-tuning run. Tasks and seeds are any text; steps are optimiser updates."""

    task: str
    seed: str
    step: int

    def __str__(self) -> str:
        return f"{self.task}/{self.seed}/{self.step}"


PRETRAINED_KEY = CheckpointKey(PRETRAINED, "0", 0)


@dataclass(frozen=True)
class CorpusInfo:
    """What a listing says of a corpus (counts, not arrays)."""

    name: str
    kind: Literal["sentence", "word"]
    examples: int
    tokens: int
    pairs: int
    """Sum over examples of length squared: the entries of one head's attention maps."""
    words: int
    labels: tuple[str, ...]
    """Label names; empty when the set has none."""
    tokenizer: str
    """Fingerprint of the tokenizer that made the ids."""
    fingerprint: str
    """Fingerprint of token ids, offsets and token types: two checkpoints are comparable only under the same one."""
    truncated: int
    """Examples that ``--max-length`` cut."""
    source: str


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
    label_ids: np.ndarray | None  # int32 [E] or [W], index into info.labels
    texts: tuple[tuple[str, ...], ...]
    """Per example its text columns (one, or two for sentence pairs; a ``.conllu`` sentence is its forms, joined)."""
    pieces: Mapping[int, str]
    """Written form of every token id that occurs."""
    attributes: Mapping[str, object] = field(default_factory=dict)
    """Provenance: source file, its SHA-256, text columns, maximal length, library versions."""

    @property
    def kind(self) -> str:
        """``sentence`` or ``word``: what a label belongs to."""
        return self.info.kind

    @property
    def label_names(self) -> tuple[str, ...]:
        """Label names in the order of the ids."""
        return self.info.labels


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a listing says of one stored checkpoint on one corpus."""

    corpus: str
    key: CheckpointKey
    layers: int
    """Transformer layers; hidden states have one more (layer 0 is the embedding output)."""
    heads: int
    width: int
    dtype: str
    has_attention: bool
    hidden_digest: str
    attention_digest: str
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


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the ``results`` table: one value, all that defines it, and what is needed to read it."""

    measure: str
    parameters: str
    """Canonical JSON (sorted keys, no blanks) of every parameter of the measure."""
    corpus: str
    task: str
    seed: str
    step: int
    layer: int
    head: int | None
    """Counted from 1, as layers with attention are; None for a value of the whole layer."""
    ref_task: str | None
    ref_seed: str | None
    ref_step: int | None
    ref_layer: int | None
    example: int | None
    """Counted from 0; None for a value of all examples."""
    query: int | None
    """Query token, counted from 0 within its example; None for a value of all of them."""
    statistic: str
    """Which of a measure's several numbers; empty where it gives one."""
    label_a: str | None
    label_b: str | None
    value: float | None
    """None when the number would mean nothing; ``reason`` says why."""
    unit: str
    n: int
    """Rows that entered: tokens, examples or points, as the measure says."""
    interval_low: float | None
    interval_high: float | None
    null_value: float | None
    details: str
    """JSON object: kept dimensions, n/d and whatever else belongs to reading the value."""
    reason: str
    """Why there is no value, or a warning about one; empty when all is well."""
    version: int
    """Version of the measure's definition in the code."""
    digest: str
    """Digest of the checkpoint's array that was read (``Checkpoint.hidden_digest`` or ``attention_digest``)."""
    ref_digest: str | None
    computed_at: str
    """UTC, ISO 8601 with microseconds."""
