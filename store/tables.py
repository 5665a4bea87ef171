"""The tables, the rows that go into them, and the SQL views over them. Pure text and data.

``checkpoints`` and ``corpora`` repeat what the groups' attributes say, for SQL and for quick listings. A row shows only
while its group is in place: ``live_checkpoints`` and ``live_corpora`` hold the folders that are (with the time they
were written), from a scan here and from a glob in ``index.duckdb``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from store.duck_paths import everything_in, quoted, texts_in
from store.fragments import TableSpec
from store.keys import Checkpoint, CheckpointKey, CorpusInfo, Result
from store.layout import ACTIVATIONS, CORPORA, TABLES

CHECKPOINTS = TableSpec(
    "checkpoints",
    {
        "folder": "VARCHAR", "modified": "BIGINT",
        "corpus": "VARCHAR", "task": "VARCHAR", "seed": "VARCHAR", "step": "BIGINT",
        "layers": "BIGINT", "heads": "BIGINT", "width": "BIGINT", "dtype": "VARCHAR", "has_attention": "BOOLEAN",
        "hidden_digest": "VARCHAR", "attention_digest": "VARCHAR",
        "epoch": "DOUBLE", "loss": "DOUBLE", "metrics": "MAP(VARCHAR, DOUBLE)",
        "model_class": "VARCHAR", "source": "VARCHAR", "weights_sha256": "VARCHAR",
        "bytes": "BIGINT", "created": "VARCHAR",
        "training_log": 'STRUCT(step BIGINT, epoch DOUBLE, "name" VARCHAR, "value" DOUBLE)[]',
    },
    key=("folder",),
    newest="created",
)  # fmt: skip
CORPUS_TABLE = TableSpec(
    "corpora",
    {
        "folder": "VARCHAR", "modified": "BIGINT",
        "name": "VARCHAR", "kind": "VARCHAR", "examples": "BIGINT", "tokens": "BIGINT", "pairs": "BIGINT",
        "words": "BIGINT", "labels": "VARCHAR[]", "tokenizer": "VARCHAR", "fingerprint": "VARCHAR",
        "truncated": "BIGINT", "source": "VARCHAR",
    },
    key=("folder",),
    newest="modified",
)  # fmt: skip
_RESULT_TYPES = {"str": "VARCHAR", "int": "BIGINT", "float": "DOUBLE"}
RESULTS = TableSpec(
    "results",
    {field.name: _RESULT_TYPES[str(field.type).split(" |")[0]] for field in fields(Result)},
    key=(
        "measure", "parameters", "corpus", "task", "seed", "step", "layer", "head", "ref_task", "ref_seed", "ref_step",
        "ref_layer", "example", "query", "statistic", "label_a", "label_b", "version", "digest", "ref_digest",
    ),
    newest="computed_at",
)  # fmt: skip
ALL = (CHECKPOINTS, CORPUS_TABLE, RESULTS)
_SHOWN_KEY = ", ".join(name for name in RESULTS.key if name not in ("version", "digest", "ref_digest"))
VIEWS = ("checkpoints", "runs", "training_log", "corpora", "results")

_ALWAYS = ("corpus", "task", "seed", "step", "layer", "value", "unit", "n")
_ORDER = (
    "corpus", "task", "seed", "step", "ref_task", "ref_seed", "ref_step", "layer", "head", "ref_layer",
    "example", "query", "label_a", "label_b", "statistic", "value", "unit", "interval_low", "interval_high",
    "null_value", "n", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class MeasureShape:
    """What the view of one measure shows: the columns that its values use, and its parameters with their SQL types."""

    columns: frozenset[str] = frozenset(_ORDER)
    parameters: tuple[tuple[str, str], ...] = ()

    def merged(self, other: MeasureShape) -> MeasureShape:
        """The shape that shows both; a parameter of two types becomes text."""
        kinds = dict(self.parameters)
        for name, kind in other.parameters:
            kinds[name] = kind if kinds.get(name, kind) == kind else "VARCHAR"
        return MeasureShape(self.columns | other.columns, tuple(sorted(kinds.items())))


def shapes_of(results: Sequence[Result]) -> dict[str, MeasureShape]:
    """Shape of each measure that occurs."""
    shapes: dict[str, MeasureShape] = {}
    for result in results:
        used = frozenset(name for name in _ORDER if getattr(result, name) not in (None, "")) | set(_ALWAYS)
        parameters = tuple(sorted((n, _kind(v)) for n, v in json.loads(result.parameters or "{}").items()))
        shape = MeasureShape(used, parameters)
        known = shapes.get(result.measure)
        shapes[result.measure] = known.merged(shape) if known and known != shape else shape
    return shapes


def checkpoint_row(folder: str, modified: int, attributes: Mapping[str, Any]) -> tuple[object, ...]:
    """Row of ``checkpoints`` for a group with these attributes; nested values as JSON text.

    Raises:
        KeyError, TypeError, ValueError: the attributes are not those of a checkpoint.
    """
    a = attributes
    return (
        folder, modified, _text(a["corpus"]), _text(a["task"]), _text(a["seed"]), int(a["step"]),
        int(a["layers"]), int(a["heads"]), int(a["width"]), _text(a["dtype"]), bool(a["attention_digest"]),
        _text(a["hidden_digest"]), _text(a["attention_digest"]), _float(a.get("epoch")), _float(a.get("loss")),
        _json({k: v for k, v in (a.get("metrics") or {}).items() if isinstance(v, int | float)}),
        _text(a.get("model_class") or ""), _text(a.get("source") or ""), _text(a.get("weights_sha256") or ""),
        int(a["bytes"]), _text(a["created"]), _json(a.get("training_log") or []),
    )  # fmt: skip


def checkpoint_of(row: Sequence[Any]) -> Checkpoint:
    """The checkpoint that a row of ``checkpoints`` describes (metrics as JSON text or as a mapping)."""
    value = dict(zip(CHECKPOINTS.columns, row, strict=False))
    metrics = value["metrics"]
    return Checkpoint(
        corpus=value["corpus"],
        key=CheckpointKey(value["task"], value["seed"], value["step"]),
        metrics=json.loads(metrics) if isinstance(metrics, str) else dict(metrics or {}),
        **{
            name: value[name]
            for name in (
                "layers", "heads", "width", "dtype", "has_attention", "hidden_digest", "attention_digest", "epoch",
                "loss", "model_class", "source", "weights_sha256", "bytes", "created",
            )
        },
    )  # fmt: skip


def corpus_row(folder: str, modified: int, info: CorpusInfo) -> tuple[object, ...]:
    """Row of ``corpora``."""
    rest = list(CORPUS_TABLE.columns)[2:]
    return (folder, modified, *(_json(info.labels) if n == "labels" else getattr(info, n) for n in rest))


def result_row(result: Result) -> tuple[object, ...]:
    """Row of ``results``."""
    return tuple(getattr(result, name) for name in RESULTS.columns)


def outlines(paths: Mapping[str, Sequence[Path]]) -> Iterator[str]:
    """Yield statements that make empty tables with the names and columns of what ``sources`` makes.

    DuckDB looks up the columns behind a view each time that a view over it is made: views are made over these tables,
    at once, and read what takes their place, which may be thousands of files.
    """
    for table in ALL:
        yield f"create table stored_{table.name} as select * from ({table.shaped(paths.get(table.name, ()))}) limit 0"
    for name in ("live_checkpoints", "live_corpora"):
        yield f"create table {name} (folder VARCHAR, modified BIGINT)"


def sources(paths: Mapping[str, Sequence[Path]], without: Collection[str] = ()) -> Iterator[str]:
    """Yield statements that put views over given fragments, and over rows not yet in one, in the place of the outlines.

    Tables of ``without`` are not there afterwards: a question about them cannot be answered.
    """
    for table in ALL:
        yield f"create temp table unsaved_{table.name} as {table.empty()}"
        yield f"drop table stored_{table.name}"
        if table.name not in without:
            yield (
                f"create view stored_{table.name} as {table.read(paths[table.name])} "
                f"union all by name select * from unsaved_{table.name}"
            )


def lasting_sources(root: Path) -> Iterator[str]:
    """Yield statements that put lasting views in the place of the outlines, for ``index.duckdb``.

    They are over whatever fragments and groups there are at the time of the query. They read replaced fragments too,
    whose rows show once, and compare no checksums.
    """
    for table in ALL:
        # Named columns, since the views over it are settled; the empty table gives those that a fragment of an earlier
        # version lacks.
        found = everything_in(root / TABLES / table.name, ".parquet")
        yield f"drop table stored_{table.name}"
        yield (
            f"create view stored_{table.name} as select {', '.join(table.columns)} "
            f"from (({table.empty()}) union all by name select * from {found})"
        )
    for name, top, depth in (("live_checkpoints", ACTIVATIONS, 4), ("live_corpora", CORPORA, 1)):
        folder = f"regexp_extract(filename, '({top}{'/[^/]+' * depth})/zarr[.]json$', 1)"
        yield f"drop table {name}"
        yield (
            f"create view {name} as select {folder} as folder, epoch(last_modified)::BIGINT as modified "
            f"from {texts_in(root / top, '*/' * depth + 'zarr.json')}"
        )


def views(shapes: Mapping[str, MeasureShape]) -> Iterator[str]:
    """The views that users see, over ``stored_*`` and ``live_*``."""
    yield (
        "create view current_checkpoints as select * from stored_checkpoints "
        "where (folder, modified) in (select (folder, modified) from live_checkpoints) "
        "qualify row_number() over (partition by folder order by created desc) = 1"
    )
    yield "create view checkpoints as select * exclude (folder, modified, training_log) from current_checkpoints"
    yield (
        "create view runs as select task, seed, count(distinct step) as checkpoints, min(step) as first_step, "
        "max(step) as last_step, max(epoch) as epochs, any_value(model_class) as model_class, "
        "list_sort(list(distinct corpus)) as corpora, sum(bytes)::BIGINT as bytes from checkpoints group by task, seed"
    )
    yield (
        'create view training_log as select distinct on (task, seed, entry.step, entry."name") task, seed, '
        'entry.step as step, entry.epoch as epoch, entry."name" as "name", entry."value" as "value" from '
        "(select task, seed, step as upto, unnest(training_log) as entry from current_checkpoints) "
        'order by task, seed, entry.step, entry."name", upto desc'
    )
    yield (
        "create view corpora as select * exclude (folder, modified) from stored_corpora "
        "where (folder, modified) in (select (folder, modified) from live_corpora) "
        "qualify row_number() over (partition by folder) = 1"
    )
    yield (
        "create view digests as select corpus, task, seed, step, unnest([hidden_digest, attention_digest]) as digest "
        "from current_checkpoints"
    )
    yield f"create view results as {current_results('stored_results')}"
    for name, shape in sorted(shapes.items()):
        if name not in VIEWS:
            yield _measure_view(name, shape)


def current_results(source: str) -> str:
    """SELECT of the newest result of each key, of those whose digests are in the table ``digests``."""
    return (
        f"select * from {source} "
        "where (corpus, task, seed, step, digest) in (select (corpus, task, seed, step, digest) from digests) "
        "and (ref_task is null or (corpus, ref_task, ref_seed, ref_step, ref_digest) in "
        "(select (corpus, task, seed, step, digest) from digests)) "
        f"qualify row_number() over (partition by {_SHOWN_KEY} order by computed_at desc) = 1"
    )


def digest_rows(checkpoint: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of ``digests`` for a row of ``checkpoints``."""
    value = dict(zip(CHECKPOINTS.columns, checkpoint, strict=False))
    for name in ("hidden_digest", "attention_digest"):
        yield value["corpus"], value["task"], value["seed"], value["step"], value[name]


def _measure_view(name: str, shape: MeasureShape) -> str:
    columns = [column for column in _ORDER if column in shape.columns]
    for parameter, kind in shape.parameters:
        path = quoted("$." + json.dumps(parameter))
        column = parameter if parameter not in RESULTS.columns else f"{parameter}_parameter"
        columns.append(f"json_extract_string(parameters, {path})::{kind} as {_identifier(column)}")
    view = name.replace("-", "_")  # typed from memory, without quotes
    return f"create view {_identifier(view)} as select {', '.join(columns)} from results where measure = {quoted(name)}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    return "DOUBLE" if isinstance(value, int | float) else "VARCHAR"


def _text(value: object) -> str:
    # Paths may hold bytes that are no text; SQL must not stumble over them.
    return str(value).encode("utf-8", "replace").decode()


def _json(value: object) -> str:
    return _text(json.dumps(value, ensure_ascii=False))


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
