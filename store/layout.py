"""Define the layout on disk: names, paths, chunk sizes and the format's version. Pure data and pure functions.

NAME.bertdyn/
  bertdyn.json
  corpora/<corpus>/                                          Zarr v3 group: tokens, offsets, words, texts
  corpora/<corpus>/annotations/<name>/                       Zarr v3 group: labels of sentences or words
  activations/<corpus>/<task>[+<variant>]/<seed>/<step>/     Zarr v3 group: hidden, attention, logits,
                                                             classifier; it exists <=> it is complete. The corpus
                                                             ``%`` (no name) has registered checkpoints: no arrays
  artefacts/<id>/                                            Zarr v3 group of arrays that a row names
  tables/<table>/<id>.parquet
  index.duckdb
  kept/                                           a cache of arrays of single layers that are costly to compute
  staging/  trash/
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

from store.keys import CheckpointKey, recipe_of

FORMAT = "bertdyn"
VERSION = 2
MARKER = "bertdyn.json"
CORPORA, ACTIVATIONS, TABLES, STAGING, TRASH = "corpora", "activations", "tables", "staging", "trash"
ARTEFACTS, ANNOTATIONS = "artefacts", "annotations"
FOLDERS = (CORPORA, ACTIVATIONS, ARTEFACTS, TABLES, STAGING, TRASH)
INDEX = "index.duckdb"
KEPT = "kept"
HIDDEN, ATTENTION = "hidden", "attention"
LOGITS, CLASSIFIER = "logits", "classifier"

CHUNK_BYTES = 8 * 2**20
"""Target size of a chunk: large reads run at disk speed, and reading one example takes only milliseconds."""
LONGEST_FOLDER_NAME = 120
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


def folder_name(name: str) -> str:
    """Return the folder name of a corpus, task or seed: percent-encoded UTF-8, hashed if it would be too long.

    Injective: plain names do not change, ``%`` and ``~`` occur only in escaped names, and ``+`` in none. The real name
    is in the group's attributes and is never decoded from the folder.
    """
    raw = name.encode("utf-8", "surrogatepass")
    text = "".join(chr(b) if b in _PLAIN else f"%{b:02X}" for b in raw)
    if text.startswith("."):
        text = "%2E" + text[1:]
    if not text:
        return "%"
    if len(text) > LONGEST_FOLDER_NAME:
        return text[:60] + "~" + hashlib.sha256(raw).hexdigest()[:40]
    return text


def corpus_path(root: Path, corpus: str) -> Path:
    """Return the folder of a corpus's Zarr group."""
    return root / CORPORA / folder_name(corpus)


def annotation_path(corpus: Path, name: str) -> Path:
    """Return the folder of an annotation's Zarr group, in the folder of its corpus."""
    return corpus / ANNOTATIONS / folder_name(name)


def checkpoint_path(root: Path, corpus: str, key: CheckpointKey) -> Path:
    """Return the folder of the Zarr group of a checkpoint on a corpus."""
    recipe = recipe_of(folder_name(key.task), folder_name(key.variant) if key.variant else "")
    return root / ACTIVATIONS / folder_name(corpus) / recipe / folder_name(key.seed) / str(key.step)


def chunk_length(n: int, bytes_per_row: int) -> int:
    """Return the rows per chunk for a packed axis of n rows: about CHUNK_BYTES, in chunks of about equal size.

    Zarr stores edge chunks in full; an uneven split wasted 46 % in a measured case.
    """
    target = max(1, CHUNK_BYTES // bytes_per_row)
    return max(1, math.ceil(n / math.ceil(n / target))) if n else 1


def array_bytes(layers: int, heads: int, width: int, tokens: int, pairs: int, itemsize: int, attentions: bool) -> int:
    """Return the bytes of one checkpoint on one corpus, without chunk padding and metadata (well under 1 %)."""
    hidden = (layers + 1) * tokens * width
    return itemsize * (hidden + (layers * heads * pairs if attentions else 0))
