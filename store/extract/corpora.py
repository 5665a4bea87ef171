"""Read and tokenise the corpora of an extraction, and reconcile them with the stored ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from store.corpora import text_files as files
from store.corpora.splits import joined, splits_of
from store.corpora.text import Text
from store.errors import BertdynError
from store.extract.tokens import Tokenizer, load_tokenizer, make_corpus
from store.extract.usable import Usable
from store.keys import Corpus
from store.store import Store

if TYPE_CHECKING:
    from store.extract.plan import ExtractOptions


def text_of(corpus: Corpus) -> Text:
    """Return the texts of a stored corpus, without labels, as if they were read from its file again."""
    columns = corpus.attributes.get("columns")
    return Text(
        kind=corpus.info.kind,
        texts=corpus.texts,
        words=corpus.words,
        labels=(),
        source=corpus.info.source,
        sha256=str(corpus.attributes.get("source_sha256", "")),
        columns=columns if isinstance(columns, Mapping) else {},
    )


def read_corpora(given: Mapping[str, Path | Text], options: ExtractOptions) -> dict[str, Text]:
    """Read the files of corpora, given by NAME or NAME:SPLIT, and join the splits of each corpus.

    Texts that are given instead of a file are returned as they are.

    Raises:
        BertdynError: bad input.
    """
    corpora = {name: path for name, path in given.items() if not isinstance(path, Text)}
    parts = splits_of(corpora)
    first = {name: next(iter(paths.values())) for name, paths in parts.items()}
    text = files.columns_of(first, options.text, "--text")
    label = files.columns_of(first, options.label, "--label")
    found = {name: text for name, text in given.items() if isinstance(text, Text)}
    for name, paths in parts.items():
        read = {
            split: files.read(
                path, text=text.get(name), label=label.get(name), limit=options.limit, skip=options.skip_bad_rows
            )
            for split, path in paths.items()
        }
        found[name] = read[""] if "" in read else joined(read)
    return found


def settled(store: Store | None, made: Corpus, options: ExtractOptions) -> Corpus:
    """Return the stored corpus of that name with the new annotations, or the new corpus if the store has none.

    Raises:
        BertdynError: the stored corpus of that name has other texts, or other labels under the same name.
    """
    name = made.info.name
    if store is None or not any(info.name == name for info in store.corpora()):
        return made
    there = store.corpus(name)
    other = f"The store has another corpus '{name}' already"
    if there.info.kind != made.info.kind or (there.texts, there.words) != (made.texts, made.words):
        raise BertdynError(
            f"{other}: {there.info.examples:,} examples of {there.info.source}, but {made.info.source} gives "
            f"{made.info.examples:,}. Give this one another name."
        )
    length = there.attributes.get("max_length")
    if length != options.max_length and (there.info.truncated or made.info.truncated):
        raise BertdynError(f"{other}: the same text with --max-length {length}. Use that, or another name.")
    if there.info.fingerprint != made.info.fingerprint:
        return there
    stored = {info.name: info.digest for info in there.info.annotations}
    for one in made.info.annotations:
        if stored.get(one.name, one.digest) != one.digest:
            raise BertdynError(
                f"{other}: the same text with other labels '{one.name}'. Give this one another name, or replace the "
                "old labels with `bertdyn annotate --replace`."
            )
    new = tuple(one for one in made.info.annotations if one.name not in stored)
    if not new:
        return there
    annotations = {**there.annotations, **{one.name: made.annotations[one.name] for one in new}}
    return replace(
        there, info=replace(there.info, annotations=(*there.info.annotations, *new)), annotations=annotations
    )


class Tokenizers:
    """The tokenizers of the checkpoints, each kind loaded once, and the corpora that they make of the text files."""

    def __init__(self, texts: Mapping[str, Text], usable: Sequence[Usable], max_length: int) -> None:
        """
        Raises:
            BertdynError: no checkpoint has a tokenizer.
        """
        self._texts, self._max_length = texts, max_length
        self._folders: dict[str, Path] = {}
        for checkpoint in usable:
            if checkpoint.tokenizer:
                self._folders.setdefault(checkpoint.tokenizer, checkpoint.found.folder)
        if not self._folders:
            raise BertdynError(
                f"No checkpoint has a tokenizer (for example {usable[0].found.folder}). Give the pre-trained model "
                "with --reference: its tokenizer is then used."
            )
        self._loaded: dict[str, Tokenizer] = {}
        self._sets: dict[tuple[str, str], Corpus] = {}

    def first(self, corpus: str) -> Corpus:
        """Return the corpus by the first tokenizer that can be loaded; the reference's comes first.

        Raises:
            BertdynError: no tokenizer can be loaded, or the text is at fault.
        """
        failed: BertdynError | None = None
        for digest in self._folders:
            try:
                return self.of(digest, corpus)
            except BertdynError as error:
                failed = failed or error
        assert failed is not None
        raise failed

    def of(self, digest: str, corpus: str) -> Corpus:
        """Return the corpus by the tokenizer with this digest.

        Raises:
            BertdynError: the tokenizer cannot be loaded or fails on the text.
        """
        if (digest, corpus) not in self._sets:
            if digest not in self._loaded:
                self._loaded[digest] = load_tokenizer(self._folders[digest])
            made = make_corpus(corpus, self._texts[corpus], self._loaded[digest], self._max_length)
            self._sets[digest, corpus] = made
        return self._sets[digest, corpus]
