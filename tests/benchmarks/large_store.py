"""Stores with very many checkpoints, values or fragments in seconds: folders without arrays, values made by DuckDB.

What lists, selects and draws sees no difference; nothing could be computed from it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from explorer.measures.base import canonical
from explorer.measures.registry import get
from store import layout
from store.fragments import TableSpec, adopt
from store.keys import PRETRAINED, CheckpointKey
from store.results import checkpoint_resource
from store.store import Store
from store.tables import INPUTS, RESULTS
from tests.synthetic import make_store

LAYERS, HEADS = 12, 5
_HEADS = f", range({HEADS + 1}) h(head)"
_EMPTY = {"unit": "''", "statistic": "''", "n": "21340", "details": "'{}'", "reason": "''"}


def make_large_store(path: Path, tasks: int = 10, seeds: int = 5, steps: int = 200) -> Store:
    """SVCCA, CKA and JS (with heads) from the pre-trained model, of every layer of every checkpoint."""
    store = _checkpoints_without_arrays(path, tasks, seeds, steps)
    with _places(tasks, seeds, steps) as connection:
        _write_inputs(connection, store)
        for name, places in (("svcca", "places"), ("cka", "places"), ("js", f"places{_HEADS} where layer > 0")):
            _write(connection, store, RESULTS, f"select {_columns(store, name)} from {places}")
    return store


def make_fragmented_store(path: Path, fragments: int) -> Store:
    """JS of 25 runs of 10 checkpoints, with one fragment per layer of a checkpoint; at most 3,000."""
    store = _checkpoints_without_arrays(path, tasks=5, seeds=5, steps=10)
    with _places(tasks=5, seeds=5, steps=10) as connection:
        _write_inputs(connection, store)
        cells = connection.execute("select task, seed, step, layer from places where layer > 0").fetchall()
        assert fragments <= len(cells)
        connection.execute(f"create table rows as select {_columns(store, 'js')} from places{_HEADS} where layer > 0")
        for cell in cells[:fragments]:
            where = "task = '{}' and seed = '{}' and step = {} and layer = {}".format(*cell)
            _write(connection, store, RESULTS, f"select * from rows where {where}")
    return store


def _checkpoints_without_arrays(path: Path, tasks: int, seeds: int, steps: int) -> Store:
    make_store(path, tasks=("pattern",), seeds=("1",), steps=(0,), layers=LAYERS)
    pattern = layout.checkpoint_path(path, "dev", CheckpointKey.plain("pattern", "1", 0))
    group = json.loads((pattern / "zarr.json").read_text())
    shutil.rmtree(pattern.parents[1])
    for task in range(tasks):
        for seed in range(1, seeds + 1):
            for step in range(0, 10 * steps, 10):
                _describe(path, group, CheckpointKey.plain(f"task{task}", str(seed), step))
    store = Store.open(path)
    store.checkpoints("dev")  # writes the rows that tell what the folders hold
    return store


def _places(tasks: int, seeds: int, steps: int) -> duckdb.DuckDBPyConnection:
    """A connection with a table of every layer of every checkpoint, with some noise for its values."""
    connection = duckdb.connect()
    connection.execute(
        f"create table places as select 'task' || t as task, (s + 1)::varchar as seed, 10 * i as step, l as layer, "
        f"hash(t, s, l) / 2e19 as noise from range({tasks}) a(t), range({seeds}) b(s), range({steps}) c(i), "
        f"range({LAYERS + 1}) d(l) order by t, s, i, l"
    )
    return connection


def _columns(store: Store, name: str) -> str:
    """SQL of a measure's rows at places that a FROM names."""
    heads = name == "js"
    given = _values(name, heads)
    return ", ".join(f"({given[c]})::{kind} as {c}" for c, kind in RESULTS.columns.items())


def _input_set(kind: str) -> str:
    """SQL of the name of what a row at a place was computed from."""
    return f"md5(concat_ws('/', '{kind}', task, seed, step))"


def _write_inputs(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Write down what the rows at all places were computed from: both sides, of either kind."""
    reference = next(c for c in store.checkpoints("dev") if c.key.task == PRETRAINED)
    runs = "(select distinct task, seed, step from places)"
    selects = []
    for kind in ("hidden", "attention"):
        own = "'dev/' || task || '/' || seed || '/' || step"
        other = checkpoint_resource("dev", reference.key)
        digests = ((own, "task || '/' || seed || '/' || step"), (f"'{other}'", f"'{reference.digests[kind]}'"))
        for resource, digest in digests:
            named = f"({_input_set(kind)})::UUID as input_set, '{kind}' as kind"
            selects.append(f"select {named}, {resource} as resource, {digest} as digest from {runs}")
    _write(connection, store, INPUTS, " union all ".join(selects))


def _write(connection: duckdb.DuckDBPyConnection, store: Store, table: TableSpec, rows: str) -> None:
    """Write one fragment of a table."""
    table.folder(store.path).mkdir(parents=True, exist_ok=True)
    draft = store.path / "draft.parquet"
    connection.execute(f"copy ({rows}) to '{draft}' (format parquet)")
    adopt(connection, store.path, table, draft)


def _describe(path: Path, group: Mapping[str, object], key: CheckpointKey) -> None:
    folder = layout.checkpoint_path(path, "dev", key)
    folder.mkdir(parents=True, exist_ok=True)
    named = f"{key.task}/{key.seed}/{key.step}"
    assert isinstance(group["attributes"], dict)
    own = {
        **key._asdict(),
        "digests": {"hidden": named, "attention": named},
    }
    (folder / "zarr.json").write_text(json.dumps({**group, "attributes": {**group["attributes"], **own}}))


def _values(name: str, heads: bool) -> Mapping[str, str]:
    """SQL of every column."""
    measure = get(name)
    grows = "(1 - exp(-step / 400.0)) * (0.2 + layer / 20.0) * (0.8 + 0.2 * noise)"
    text: Sequence[str] = [c for c, kind in RESULTS.columns.items() if kind == "VARCHAR"]
    given = {c: "''" if c in text else "null" for c in RESULTS.columns} | dict.fromkeys(("label_a", "label_b"), "null")
    return {
        **given,
        **_EMPTY,
        "measure": f"'{name}'",
        "parameters": f"'{canonical(dict(measure.settle({})))}'",
        "corpus": "'dev'",
        "task": "task",
        "seed": "seed",
        "step": "step",
        "layer": "layer",
        "head": "nullif(head, 0)" if heads else "null",
        "ref_task": f"'{PRETRAINED}'",
        "ref_seed": "'0'",
        "ref_step": "0",
        "ref_layer": "layer",
        "statistic": f"'{measure.main}'",
        "unit": f"'{measure.unit}'",
        "value": grows,
        "version": str(measure.version),
        "ref_variant": "''",
        "input_set": _input_set("attention" if heads else "hidden"),
        "row_key": f"md5(concat_ws('/', '{name}', task, seed, step, layer{', head' if heads else ''}))",
        "computed_at": "'2026-01-01T00:00:00.000000'",
    }
