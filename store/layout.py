"""What is on disk: names, shapes, dtypes, encodings, the format's version. Pure data and pure functions.

NAME.bertdyn/
  bertdyn.json
  corpora/<corpus>/                                          Zarr v3 group: tokens, offsets, words, texts
  corpora/<corpus>/annotations/<name>/                       Zarr v3 group: labels of sentences or words
  activations/<corpus>/<task>[+<variant>]/<seed>/<step>/     Zarr v3 group: hidden, attention, logits,
                                                             classifier; there <=> complete. The corpus ``%`` (no
                                                             name) has checkpoints that were registered: no arrays
  artefacts/<id>/                                            Zarr v3 group of arrays that a row names
  tables/<table>/<id>.parquet
  index.duckdb
  kept/                                           a cache: what belongs to one layer alone and is dear to compute
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
"""Target size of a chunk: large reads run at disk speed, a slice of one example stays at milliseconds."""
LONGEST_FOLDER_NAME = 120
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


def folder_name(name: str) -> str:
    """Folder name of a corpus, task or seed name: percent-encoded UTF-8, hashed where it would be too long.

    Injective: plain names stay as they are, ``%`` and ``~`` occur only in escaped ones, ``+`` in none. The real name is
    in the group's attributes, never decoded from the folder.
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
    """Folder of a corpus's Zarr group."""
    return root / CORPORA / folder_name(corpus)


def annotation_path(corpus: Path, name: str) -> Path:
    """Folder of an annotation's Zarr group, in the folder of its corpus."""
    return corpus / ANNOTATIONS / folder_name(name)


def checkpoint_path(root: Path, corpus: str, key: CheckpointKey) -> Path:
    """Folder of one checkpoint's Zarr group on one corpus."""
    recipe = recipe_of(folder_name(key.task), folder_name(key.variant) if key.variant else "")
    return root / ACTIVATIONS / folder_name(corpus) / recipe / folder_name(key.seed) / str(key.step)


def chunk_length(n: int, bytes_per_row: int) -> int:
    """Rows of a chunk along a packed axis of n rows: near CHUNK_BYTES, and even, so that the last chunk is nearly full.

    (Zarr stores edge chunks in full; an uneven split wasted 46 % in a measured case.)
    """
    target = max(1, CHUNK_BYTES // bytes_per_row)
    return max(1, math.ceil(n / math.ceil(n / target))) if n else 1


def array_bytes(layers: int, heads: int, width: int, tokens: int, pairs: int, itemsize: int, attentions: bool) -> int:
    """Bytes that one checkpoint takes on one corpus (chunk padding and metadata, well under 1 %, left out)."""
    hidden = (layers + 1) * tokens * width
    return itemsize * (hidden + (layers * heads * pairs if attentions else 0))
