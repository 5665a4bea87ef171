"""Tokenise a text into a Corpus: packed token ids, special tokens, words and their sub-words, fingerprints."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from store.corpora.labels import Words, annotation_of
from store.corpora.text import Text
from store.errors import BertdynError
from store.keys import Corpus, CorpusInfo
from store.models.quiet import first_line, quiet
from store.ragged import offsets_of

_VOCABULARIES = (
    "tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "spm.model", "sentencepiece.bpe.model",
    "tokenizer.model",
)  # fmt: skip
TOKENIZER_FILES = (
    *_VOCABULARIES, "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
)  # fmt: skip
_AT_ONCE = 1000
_BLANK = "Ġ"
"""The sign of a blank in tokens of byte-level BPE."""


@dataclass(frozen=True, eq=False)
class Tokenizer:
    """A checkpoint's tokenizer."""

    folder: Path
    fast: Any
    """The ``PreTrainedTokenizerFast``."""
    fingerprint: str
    """SHA-256 of its vocabulary, merges, normalisation and special tokens."""


def has_tokenizer(folder: Path) -> bool:
    """Return whether a checkpoint's folder has its own tokenizer."""
    return any((folder / name).is_file() for name in _VOCABULARIES)


def files_digest(folder: Path) -> str:
    """Return the SHA-256 of the tokenizer's files, so that equal tokenizers of a run are loaded only once."""
    digest = hashlib.sha256()
    for name in TOKENIZER_FILES:
        path = folder / name
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer in a local folder.

    Raises:
        BertdynError: it cannot be read, or cannot align words and sub-words ("slow" tokenizers).
    """
    from transformers import AutoTokenizer

    try:
        with quiet():
            fast = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # any error of the tokenizer libraries: the file is at fault
        raise BertdynError(f"The tokenizer in {folder} cannot be loaded: {first_line(error)}") from None
    if not getattr(fast, "is_fast", False):
        raise BertdynError(
            f"The tokenizer in {folder} ({type(fast).__name__}) cannot tell the sub-words of a word; save it as a fast "
            "tokenizer (tokenizer.json)."
        )
    return Tokenizer(folder, fast, _fingerprint(fast))


def make_corpus(name: str, text: Text, tokenizer: Tokenizer, max_length: int) -> Corpus:
    """Tokenise a text file.

    Args:
        name: name of the corpus.
        text: content of the file.
        tokenizer: gives the ids, special tokens and words.
        max_length: maximum tokens of an example, special tokens included; longer examples are cut off and counted.

    A word is a word of the file, or a unit into which the tokenizer splits a sentence before it makes sub-words. Words
    that ``max_length`` cuts off, even in part, and words without any token, such as a zero-width space, are not in the
    word arrays.

    Raises:
        BertdynError: the tokenizer adds more special tokens than ``max_length``, or fails on the text.
    """
    fast = tokenizer.fast
    made = _Packed()
    try:
        for row in _rows(fast, text, max_length):
            made.add(row)
    except BertdynError:
        raise
    except Exception as error:  # any error of the tokenizer libraries
        raise BertdynError(f"The tokenizer in {tokenizer.folder} fails on {text.source}: {first_line(error)}") from None
    offsets, word_offsets = offsets_of(made.lengths), offsets_of(made.words)
    token_ids, token_types = np.array(made.ids, np.int32), np.array(made.types, np.int8)
    word_index = np.array(made.word_index, np.int32)
    pieces = np.unique(token_ids)
    written = _written(fast, [int(i) for i in pieces])
    info = CorpusInfo(
        name=name,
        kind=text.kind,
        examples=len(made.lengths),
        tokens=int(offsets[-1]),
        pairs=int((np.diff(offsets) ** 2).sum()),
        words=len(word_index),
        annotations=(),
        tokenizer=tokenizer.fingerprint,
        fingerprint=fingerprint(token_ids, offsets, token_types),
        truncated=made.cut,
        source=text.source,
    )
    corpus = Corpus(
        info=info,
        token_ids=token_ids,
        token_types=token_types,
        offsets=offsets,
        special=np.array(made.special, np.bool_),
        word_first=np.array(made.word_first, np.int64),
        word_length=np.array(made.word_length, np.int32),
        word_offsets=word_offsets,
        word_index=word_index,
        texts=text.texts,
        words=text.words,
        pieces={int(i): str(piece) for i, piece in zip(pieces, written, strict=True)},
        attributes={
            "source_sha256": text.sha256,
            "columns": dict(text.columns),
            "max_length": max_length,
            "versions": versions("transformers", "tokenizers"),
        },
    )
    words = Words.of(corpus)
    labels = {one.name: annotation_of(one, words, text.source, place) for place, one in enumerate(text.labels)}
    return replace(
        corpus, info=replace(info, annotations=tuple(one.info for one in labels.values())), annotations=labels
    )


def fingerprint(token_ids: np.ndarray, offsets: np.ndarray, token_types: np.ndarray) -> str:
    """Return the SHA-256 of a model's input: two checkpoints are comparable only if it is the same for both."""
    digest = hashlib.sha256()
    for values, dtype in ((token_ids, "<i4"), (offsets, "<i8"), (token_types, "<i1")):
        digest.update(np.ascontiguousarray(values, dtype).tobytes())
    return digest.hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """Return installed versions by package, for provenance."""
    from importlib.metadata import version

    return {package: version(package) for package in packages}


@dataclass(frozen=True)
class _Row:
    ids: Sequence[int]
    types: Sequence[int]
    special: Sequence[bool]
    words: Sequence[tuple[int, int, int]]
    """One entry per word: first token in the row, number of sub-words, position of the word in its sentence."""
    cut: bool


class _Packed:
    """The rows of a corpus one after another, in arrays: lists of them would take ten times the memory."""

    def __init__(self) -> None:
        self.lengths, self.words = array("i"), array("i")
        self.ids, self.types, self.special = array("i"), array("b"), array("b")
        self.word_first, self.word_length, self.word_index = array("q"), array("i"), array("i")
        self.cut = 0

    def add(self, row: _Row) -> None:
        """Append a row; its words' first tokens are counted from the start of the corpus."""
        start = len(self.ids)
        self.lengths.append(len(row.ids))
        self.ids.extend(row.ids)
        self.types.extend(row.types)
        self.special.extend(row.special)
        self.words.append(len(row.words))
        for first, length, index in row.words:
            self.word_first.append(start + first)
            self.word_length.append(length)
            self.word_index.append(index)
        self.cut += row.cut


def _rows(fast: Any, text: Text, max_length: int) -> Iterator[_Row]:
    pairs = text.words is None and any(len(columns) > 1 for columns in text.texts)
    smallest = fast.num_special_tokens_to_add(pair=pairs) + 1
    if max_length < smallest:
        raise BertdynError(
            f"--max-length {max_length} leaves no room for text: this tokenizer needs at least {smallest}."
        )
    settings = {"add_special_tokens": True, "return_attention_mask": False, "return_special_tokens_mask": True}
    # Token types only if the model uses them: RoBERTa has only one type.
    settings["return_token_type_ids"] = "token_type_ids" in fast.model_input_names
    settings["is_split_into_words"] = text.words is not None
    blank = _before_a_word(fast)
    for start in range(0, len(text.texts), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        if text.words is not None:
            inputs: tuple[list[Any], ...] = ([[blank + word for word in words] for words in text.words[part]],)
        else:
            inputs = tuple([list(column) for column in zip(*text.texts[part], strict=True)])
        with quiet():
            whole = fast(*inputs, truncation=False, **settings)
        for i, encoding in enumerate(whole.encodings):
            if len(encoding.ids) <= max_length:
                yield _row(encoding, settings["return_token_type_ids"], None)
                continue
            with quiet():
                one = fast(*([column[i]] for column in inputs), truncation=True, max_length=max_length, **settings)
            yield _row(one.encodings[0], settings["return_token_type_ids"], encoding)


def _row(encoding: Any, types: bool, whole: Any | None) -> _Row:
    words = _words(encoding)
    if whole is not None:
        complete = {(sequence, word): n for sequence, word, _, n in _words(whole)}
        words = [w for w in words if complete[w[0], w[1]] == w[3]]
    return _Row(
        ids=encoding.ids,
        types=encoding.type_ids if types else [0] * len(encoding.ids),
        special=[bool(s) for s in encoding.special_tokens_mask],
        words=[(first, n, word) for _, word, first, n in words],
        cut=whole is not None,
    )


def _words(encoding: Any) -> list[tuple[int, int, int, int]]:
    """Return text (0 or 1 of a pair), word, first token and number of sub-words of every word of one example."""
    found: list[tuple[int, int, int, int]] = []
    before: tuple[int, int] | None = None
    for token, (sequence, word) in enumerate(zip(encoding.sequence_ids, encoding.word_ids, strict=True)):
        now = None if word is None or sequence is None else (sequence, word)
        if now is not None and now == before:
            *same, n = found[-1]
            found[-1] = (same[0], same[1], same[2], n + 1)
        elif now is not None:
            found.append((*now, token, 1))
        before = now
    return found


def _before_a_word(fast: Any) -> str:
    """Return the blank that byte-level BPE makes part of a word inside a sentence; empty for other tokenizers."""
    from tokenizers.pre_tokenizers import ByteLevel, Sequence

    splitter: Any = fast.backend_tokenizer.pre_tokenizer
    steps: Any = splitter if isinstance(splitter, Sequence) else [splitter]
    return " " if any(isinstance(step, ByteLevel) for step in steps) else ""


def _written(fast: Any, ids: list[int]) -> list[str]:
    """Return tokens as they are written: those of byte-level BPE as characters, if their bytes are whole characters."""
    from tokenizers.decoders import ByteLevel

    pieces: list[str] = fast.convert_ids_to_tokens(ids)
    if not _before_a_word(fast):
        return pieces
    read = [ByteLevel().decode([piece]) for piece in pieces]
    whole = (text.isprintable() and "\ufffd" not in text for text in read)
    return [text.replace(" ", _BLANK) if fits else piece for piece, text, fits in zip(pieces, read, whole, strict=True)]


def _fingerprint(fast: Any) -> str:
    content = json.loads(fast.backend_tokenizer.to_str())
    for state in ("truncation", "padding"):  # left over from the last use
        content.pop(state, None)
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
