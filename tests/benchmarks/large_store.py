"""A store of 10,000 checkpoints and a million values in a few seconds: folders without arrays, values made by DuckDB.

What lists, selects and draws sees no difference; nothing could be computed from it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from explorer.measures import get
from explorer.measures.base import canonical
from store import layout
from store.fragments import adopt
from store.keys import PRETRAINED, CheckpointKey
from store.store import Store
from store.tables import RESULTS
from tests.synthetic import make_store

LAYERS, HEADS = 12, 5
_EMPTY = {"unit": "''", "statistic": "''", "n": "21340", "details": "'{}'", "reason": "''"}


def make_large_store(path: Path, tasks: int = 10, seeds: int = 5, steps: int = 200) -> Store:
    """SVCCA, CKA and JS (with heads) from the pre-trained model, of every layer of every checkpoint."""
    make_store(path, tasks=("pattern",), seeds=("1",), steps=(0,), layers=LAYERS)
    pattern = layout.checkpoint_path(path, "dev", CheckpointKey("pattern", "1", 0))
    group = json.loads((pattern / "zarr.json").read_text())
    shutil.rmtree(pattern.parents[1])
    for task in range(tasks):
        for seed in range(1, seeds + 1):
            for step in range(0, 10 * steps, 10):
                _describe(path, group, CheckpointKey(f"task{task}", str(seed), step))
    store = Store.open(path)
    store.checkpoints("dev")  # writes the rows that tell what the folders hold
    reference = next(c for c in store.checkpoints("dev") if c.key.task == PRETRAINED)
    with duckdb.connect() as connection:
        connection.execute(
            f"create table places as select 'task' || t as task, (s + 1)::varchar as seed, 10 * i as step, l as layer, "
            f"hash(t, s, l) / 2e19 as noise from range({tasks}) a(t), range({seeds}) b(s), range({steps}) c(i), "
            f"range({LAYERS + 1}) d(l) order by t, s, i, l"
        )
        for name, heads in (("svcca", ""), ("cka", ""), ("js", f", range({HEADS + 1}) h(head)")):
            other = reference.attention_digest if heads else reference.hidden_digest
            given = _values(name, bool(heads), other)
            columns = ", ".join(f"({given[c]})::{kind} as {c}" for c, kind in RESULTS.columns.items())
            draft = path / f"{name}.parquet"
            where = "where layer > 0" if heads else ""
            connection.execute(f"copy (select {columns} from places{heads} {where}) to '{draft}' (format parquet)")
            adopt(connection, path, RESULTS, draft)
    return store


def _describe(path: Path, group: Mapping[str, object], key: CheckpointKey) -> None:
    folder = layout.checkpoint_path(path, "dev", key)
    folder.mkdir(parents=True, exist_ok=True)
    named = f"{key.task}/{key.seed}/{key.step}"
    assert isinstance(group["attributes"], dict)
    own = {
        "task": key.task,
        "seed": key.seed,
        "step": key.step,
        "hidden_digest": named,
        "attention_digest": f"a{named}",
    }
    (folder / "zarr.json").write_text(json.dumps({**group, "attributes": {**group["attributes"], **own}}))


def _values(name: str, heads: bool, reference: str) -> Mapping[str, str]:
    """SQL of every column."""
    measure = get(name)
    digest = "task || '/' || seed || '/' || step"
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
        "digest": f"'a' || {digest}" if heads else digest,
        "ref_digest": f"'{reference}'",
        "computed_at": "'2026-01-01T00:00:00.000000'",
    }
