"""Add corpora without extracting: texts on which later measures evaluate checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from store.errors import BertdynError
from store.extract.corpora import read_corpora, settled
from store.extract.plan import ExtractOptions
from store.extract.tokens import Tokenizer, has_tokenizer, load_tokenizer, make_corpus
from store.keys import PRETRAINED_KEY, Corpus
from store.store import Store


def add_corpora(
    store: Store, corpora: Mapping[str, Path], options: ExtractOptions, tokenizer: Path | None = None
) -> tuple[list[Corpus], list[str]]:
    """Tokenise text files and add them to a store, each completely or not at all.

    Args:
        corpora: files by NAME or NAME:SPLIT.
        options: only those about columns, rows and lengths are used.
        tokenizer: folder of the tokenizer; None: the tokenizer in the folders of the store's checkpoints.

    Returns:
        The corpora, and notes to the user about the reading.

    Raises:
        BertdynError: bad input, a name that is taken by other texts, or no tokenizer.
    """
    texts = read_corpora(corpora, options)
    found = load_tokenizer(tokenizer) if tokenizer is not None else _stored_tokenizer(store)
    made = [settled(store, make_corpus(name, text, found, options.max_length), options) for name, text in texts.items()]
    for corpus in made:
        store.add_corpus(corpus)
    return made, [f"corpus {name}: {note}" for name, text in texts.items() for note in text.notes]


def _stored_tokenizer(store: Store) -> Tokenizer:
    """Return the tokenizer of the pre-trained model, else of the first checkpoint whose folder still has one."""
    checkpoints = sorted(store.checkpoints(), key=lambda c: c.key != PRETRAINED_KEY)
    for checkpoint in checkpoints:
        folder = Path(str(store.attributes(checkpoint.corpus, checkpoint.key).get("folder", "")))
        if folder.is_dir() and has_tokenizer(folder):
            return load_tokenizer(folder)
    why = "the folders of its checkpoints are gone or have none" if checkpoints else "it has no checkpoint yet"
    raise BertdynError(f"Which tokenizer? {store.path} names none, since {why}: name a folder with --tokenizer.")
