"""What a store holds, in a form that two stores can be compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from store.layout import MARKER
from store.results import Result
from store.rows import RowQuery
from store.store import Store

_AXES = (("alpha", "DOUBLE"),)
"""Further coordinates of the rows of loss curves, the only ones of these tests' measures."""
_OF_ONE_CALL = {"computed_at": "", "input_set": None, "artefact": ""}
"""Fields of a row that two computations of the same value need not share."""


def contents(path: Path) -> dict[str, str]:
    """Return a digest of each corpus, annotation, checkpoint and row of a store by its name; none without a store.

    All arrays are read: what cannot be read raises an error.
    """
    if not (path / MARKER).is_file():
        return {}
    store = Store.open(path)
    found: dict[str, str] = {}
    for info in store.corpora():
        corpus = store.corpus(info.name)
        found[f"corpus {info.name}"] = f"{info.fingerprint} {_digest({'tokens': corpus.token_ids})}"
        for name, annotation in corpus.annotations.items():
            found[f"annotation {info.name} {name}"] = annotation.info.digest
    for checkpoint in store.checkpoints():
        arrays: dict[str, np.ndarray] = {}
        for layer in range(checkpoint.layers + 1):
            arrays[f"hidden {layer}"] = store.hidden(checkpoint.corpus, checkpoint.key, layer)
        name = f"checkpoint {checkpoint.corpus} {checkpoint.key}"
        found[name] = f"{sorted(checkpoint.digests.items())} {_digest(arrays)}"
    for row in store.results(RowQuery(axes=_AXES)):
        found[_name(row)] = _value(store, row)
    return found


def _name(row: Result) -> str:
    key = (row.measure, row.parameters, row.corpus, row.annotation, row.key, row.ref_recipe, row.ref_seed, row.ref_step,
           row.third, row.layer, row.head, row.ref_layer, row.example, row.query, row.label_a, row.label_b, row.axes,
           row.statistic)  # fmt: skip
    return f"row {key}"


def _value(store: Store, row: Result) -> str:
    arrays = store.artefact(row.artefact) if row.artefact else {}
    return f"{row._replace(inputs=(), **_OF_ONE_CALL)!r} {_digest(arrays)}"  # type: ignore[arg-type]


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
