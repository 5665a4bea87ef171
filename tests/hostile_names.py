"""Names and texts that a terminal would obey, and a store that is full of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from store.store import Store
from tests.synthetic import make_store, sample_corpus

CLIPBOARD = "\x1b]52;c;cHduZWQ=\x07"
TITLE = "\x1b]0;pwned\x1b\\"
C1 = "\x9b2J\x9d0;pwned\x9c"
BIDI = "\u202egnp.txe\u202c\u2066x\u2069"
HOSTILE = f"a{CLIPBOARD}{TITLE}{C1}{BIDI}\r\x08\u2028[bold]z"
"""Sets the clipboard and the title, clears the screen, turns text around, and is markup; a folder may be named so."""
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
"""Characters that must not reach a terminal, line ends excepted."""


def hostile_store(path: Path) -> Store:
    """Return a store whose task, seed, corpus, labels, texts and tokens are hostile."""
    corpus = sample_corpus(HOSTILE, labels=(HOSTILE, "other"), examples=6)
    texts = tuple((f"{HOSTILE} {number}",) for number in range(corpus.info.examples))
    pieces = dict.fromkeys(corpus.pieces, HOSTILE)
    info = replace(corpus.info, source=f"/tmp/{HOSTILE}.tsv", tokenizer=HOSTILE)
    corpus = replace(corpus, info=info, texts=texts, pieces=pieces)
    return make_store(path, tasks=(HOSTILE,), seeds=(HOSTILE,), steps=(0, 20), corpora=[corpus])
