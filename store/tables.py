"""Define the tables, their rows, and the SQL views over them. Pure text and data.

``checkpoints`` and ``corpora`` repeat the groups' attributes, for SQL and for quick listings. A row is shown only while
its group is published: ``live_checkpoints`` and ``live_corpora`` hold the folders of published groups (with the time
they were written), from a scan here and from a glob in ``index.duckdb``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from store.duck_paths import everything_in, quoted, texts_in
from store.fragments import TableSpec
from store.keys import METRICS, WEIGHTS, Checkpoint, CheckpointKey, CorpusInfo
from store.layout import ACTIVATIONS, ANNOTATIONS, CORPORA, TABLES
from store.onsets import onsets_view
from store.results import AXIS, COLUMNS, SHOWN, Result, axis_columns

CHECKPOINTS = TableSpec(
    "checkpoints",
    {
        "folder": "VARCHAR", "modified": "BIGINT",
        "corpus": "VARCHAR", "task": "VARCHAR", "variant": "VARCHAR", "seed": "VARCHAR", "step": "BIGINT",
        "kind": "VARCHAR", "k": "BIGINT", "layers": "BIGINT", "heads": "BIGINT", "width": "BIGINT", "dtype": "VARCHAR",
        "digests": "MAP(VARCHAR, VARCHAR)",
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
        "words": "BIGINT",
        "annotations": 'STRUCT("name" VARCHAR, level VARCHAR, kind VARCHAR, labels VARCHAR[], "count" BIGINT, '
        "digest VARCHAR, place BIGINT, source VARCHAR, left_out BIGINT, without_tokens BIGINT)[]",
        "tokenizer": "VARCHAR", "fingerprint": "VARCHAR",
        "truncated": "BIGINT", "source": "VARCHAR",
    },
    key=("folder",),
    newest="modified",
)  # fmt: skip
RESULTS = TableSpec(
    "results", {**COLUMNS, "row_key": "UUID"}, key=("row_key", "version", "input_set"), newest="computed_at"
)
INPUTS = TableSpec(
    "inputs",
    {"input_set": "UUID", "kind": "VARCHAR", "resource": "VARCHAR", "digest": "VARCHAR"},
    key=("input_set", "kind", "resource"),
    newest="digest",
)
ALL = (CHECKPOINTS, CORPUS_TABLE, RESULTS, INPUTS)
VIEWS = ("checkpoints", "runs", "training_log", "corpora", "annotations", "results", "onsets")

_ALWAYS = frozenset(("task", "variant", "seed", "step", "value", "unit", "n"))
# Columns that define "the same row". The hash alone would suffice, but then DuckDB could not filter the fragments.
_SAME = "measure, task, seed, step, layer, row_key"


@dataclass(frozen=True)
class MeasureShape:
    """The columns of one measure's view: those that its values use, and its parameters with their SQL types."""

    columns: frozenset[str] = frozenset(SHOWN)
    parameters: tuple[tuple[str, str], ...] = ()
    axes: tuple[tuple[str, str], ...] = ()
    """Parquet columns of further coordinates, with their SQL types."""
    noise: float | None = None
    """Differences of values up to this mean nothing; None: not known."""

    def merged(self, other: MeasureShape) -> MeasureShape:
        """Return a shape with the columns of both; a parameter or coordinate of two types becomes text."""
        return MeasureShape(
            self.columns | other.columns,
            _both(self.parameters, other.parameters),
            _both(self.axes, other.axes),
            self.noise if other.noise is None else other.noise,
        )


class DeclaredMeasure(NamedTuple):
    """What SQL needs to know of a measure that may have no value yet."""

    axes: Mapping[str, str] = {}
    """SQL types of its further axes, by name."""
    noise: float = 0.0
    """Differences of its values up to this mean nothing."""


NO_MEASURES: Mapping[str, DeclaredMeasure] = {}


def empty_shapes(measures: Mapping[str, DeclaredMeasure]) -> dict[str, MeasureShape]:
    """Return the shapes of measures without a value."""
    return {
        name: MeasureShape(
            axes=tuple(sorted((AXIS + axis, kind) for axis, kind in declared.axes.items())), noise=declared.noise
        )
        for name, declared in measures.items()
    }


NO_NOISE: Mapping[str, float] = {}


def with_axes(stored: Mapping[str, MeasureShape], declared: Mapping[str, MeasureShape]) -> dict[str, MeasureShape]:
    """Return the shapes of stored values, with all axes that their measures declare, and of measures without values."""
    found = dict(declared)
    for name, shape in stored.items():
        if name in declared:
            shape = replace(shape, axes=_both(declared[name].axes, shape.axes), noise=declared[name].noise)
        found[name] = shape
    return found


def _both(some: tuple[tuple[str, str], ...], more: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    kinds = dict(some)
    for name, kind in more:
        kinds[name] = kind if kinds.get(name, kind) == kind else "VARCHAR"
    return tuple(sorted(kinds.items()))


def shapes_of(results: Sequence[Result], noise: Mapping[str, float] = NO_NOISE) -> dict[str, MeasureShape]:
    """Return the shape of each measure that occurs.

    Args:
        noise: level of the noise by measure, as far as it is known.
    """
    shapes: dict[str, MeasureShape] = {}
    for result in results:
        used = frozenset(name for name in SHOWN if getattr(result, name) not in (None, "")) | _ALWAYS
        parameters = tuple(sorted((n, _kind(v)) for n, v in json.loads(result.parameters or "{}").items()))
        level = noise.get(result.measure)
        shape = MeasureShape(used, parameters, tuple(sorted(axis_columns([result]).items())), level)
        known = shapes.get(result.measure)
        shapes[result.measure] = known.merged(shape) if known and known != shape else shape
    return shapes


def checkpoint_row(folder: str, modified: int, attributes: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the row of ``checkpoints`` for a group with these attributes; nested values as JSON text.

    Raises:
        KeyError, TypeError, ValueError: the attributes are not those of a checkpoint.
    """
    a = attributes
    return (
        folder, modified, _text(a["corpus"]), _text(a["task"]), _text(a["variant"]), _text(a["seed"]), int(a["step"]),
        _text(a.get("kind") or ""), a.get("k"), int(a["layers"]), int(a["heads"]), int(a["width"]), _text(a["dtype"]),
        _json({_text(k): _text(v) for k, v in _digests(a).items()}), _float(a.get("epoch")), _float(a.get("loss")),
        _json({k: v for k, v in (a.get("metrics") or {}).items() if isinstance(v, int | float)}),
        _text(a.get("model_class") or ""), _text(a.get("source") or ""), _text(a.get("weights_sha256") or ""),
        int(a["bytes"]), _text(a["created"]), _json(a.get("training_log") or []),
    )  # fmt: skip


def _digests(attributes: Mapping[str, Any]) -> dict[str, object]:
    """Return the digests of the extracted arrays, of the weights, and of the logged metrics with the kind of run."""
    weights, metrics = attributes.get("weights_sha256"), attributes.get("metrics")
    logged = json.dumps([metrics, attributes.get("kind"), attributes.get("k")], sort_keys=True)
    more = {WEIGHTS: weights, METRICS: blake2b(logged.encode(), digest_size=16).hexdigest() if metrics else ""}
    return {**attributes["digests"], **{name: digest for name, digest in more.items() if digest}}


def checkpoint_of(row: Sequence[Any]) -> Checkpoint:
    """Return the checkpoint in a row of ``checkpoints`` (metrics as JSON text or as a mapping)."""
    _, _, corpus, task, variant, seed, step, kind, k, layers, heads, width, dtype, digests = row[:14]
    epoch, loss, metrics, *rest = row[14:22]
    key = CheckpointKey(task, variant, seed, step)
    about = (*rest, kind or "", k)
    return Checkpoint(
        corpus, key, layers, heads, width, dtype, _mapping(digests), epoch, loss, _mapping(metrics), *about
    )


def corpus_row(folder: str, modified: int, info: CorpusInfo) -> tuple[object, ...]:
    """Return the row of ``corpora`` for a corpus."""
    rest = list(CORPUS_TABLE.columns)[2:]
    nested = {"annotations": [asdict(one) for one in info.annotations]}
    return (folder, modified, *(_json(nested[n]) if n in nested else getattr(info, n) for n in rest))


def _widened(axes: Mapping[str, str]) -> list[TableSpec]:
    return [table.wider(axes) if table is RESULTS else table for table in ALL]


def axes_of(shapes: Mapping[str, MeasureShape]) -> dict[str, str]:
    """Return the Parquet columns of all further coordinates that some measure uses, with their SQL types."""
    found: tuple[tuple[str, str], ...] = ()
    for shape in shapes.values():
        found = _both(found, shape.axes)
    return dict(found)


def outlines(axes: Mapping[str, str]) -> Iterator[str]:
    """Yield statements that make empty tables with the names and columns that ``sources`` will make.

    DuckDB looks up the columns below a view whenever another view over it is made. So the views are made over these
    empty tables, which is quick, and the tables are then replaced by the real sources, which may be thousands of files.
    """
    for table in _widened(axes):
        yield f"create table stored_{table.name} as {table.empty()}"
    for name in ("live_checkpoints", "live_corpora"):
        yield f"create table {name} (folder VARCHAR, modified BIGINT)"


def sources(
    paths: Mapping[str, Sequence[Path]], axes: Mapping[str, str], without: Collection[str] = ()
) -> Iterator[str]:
    """Yield statements that replace the outlines by views over given fragments and over rows that are not saved yet.

    Tables in ``without`` do not exist afterwards: queries of them fail.
    """
    for table in _widened(axes):
        yield f"create temp table unsaved_{table.name} as {table.empty()}"
        yield f"drop table stored_{table.name}"
        if table.name not in without:
            yield (
                f"create view stored_{table.name} as ({table.read(paths[table.name])}) "
                f"union all by name select * from unsaved_{table.name}"
            )


def lasting_sources(root: Path, axes: Mapping[str, str]) -> Iterator[str]:
    """Yield statements that replace the outlines by lasting views, for ``index.duckdb``.

    They read all fragments and groups that exist at the time of the query, including replaced fragments, whose rows
    show once. They do not compare checksums.
    """
    for table in _widened(axes):
        read = table.completed([f"select * from {everything_in(root / TABLES / table.name, '.parquet')}"])
        yield f"drop table stored_{table.name}"
        yield f"create view stored_{table.name} as {read}"
    # A corpus has the time of its newest annotation.
    below = {"live_checkpoints": (ACTIVATIONS, 4, ("",)), "live_corpora": (CORPORA, 1, ("", f"{ANNOTATIONS}/*/"))}
    for name, (top, depth, within) in below.items():
        folder = f"regexp_extract(filename, '({top}{'/[^/]+' * depth})(/{ANNOTATIONS}/[^/]+)?/zarr[.]json$', 1)"
        texts = " union all ".join(
            f"select filename, last_modified from {texts_in(root / top, '*/' * depth + part + 'zarr.json')}"
            for part in within
        )
        yield f"drop table {name}"
        yield (
            f"create view {name} as select {folder} as folder, max(epoch(last_modified)::BIGINT) as modified "
            f"from ({texts}) group by 1"
        )


def views(shapes: Mapping[str, MeasureShape], named: Collection[str] | None = None) -> Iterator[str]:
    """Yield statements that make the views for users, over ``stored_*`` and ``live_*``.

    Args:
        named: measures that get a view of their own; None: all.
    """
    yield (
        "create view current_checkpoints as select * from stored_checkpoints "
        "where (folder, modified) in (select (folder, modified) from live_checkpoints) "
        "qualify row_number() over (partition by folder order by created desc) = 1"
    )
    yield "create view checkpoints as select * exclude (folder, modified, training_log) from current_checkpoints"
    yield (
        "create view runs as select task, variant, seed, count(distinct step) as checkpoints, min(step) as first_step, "
        "max(step) as last_step, max(epoch) as epochs, any_value(model_class) as model_class, "
        "list_sort(coalesce(list(distinct corpus) filter (corpus <> ''), [])) as corpora, sum(bytes)::BIGINT as bytes "
        "from checkpoints group by task, variant, seed"
    )
    yield (
        'create view training_log as select distinct on (task, variant, seed, entry.step, entry."name") '
        "task, variant, seed, "
        'entry.step as step, entry.epoch as epoch, entry."name" as "name", entry."value" as "value" from '
        "(select task, variant, seed, step as upto, unnest(training_log) as entry from current_checkpoints) "
        'order by task, variant, seed, entry.step, entry."name", upto desc'
    )
    yield (
        "create view current_corpora as select * exclude (folder, modified) from stored_corpora "
        "where (folder, modified) in (select (folder, modified) from live_corpora) "
        "qualify row_number() over (partition by folder order by len(annotations) desc) = 1"
    )
    yield (
        'create view corpora as select * replace (list_transform(annotations, lambda one: one."name") as annotations) '
        "from current_corpora"
    )
    yield "create view live as select corpus, task, variant, seed, step, digests, created from current_checkpoints"
    yield (
        'create view annotations as select "name" as corpus, entry."name" as annotation, entry.level as level, '
        'entry.kind as kind, entry.labels as labels, entry."count" as "count", entry.digest as digest, '
        "entry.source as source, entry.place as place, entry.left_out as left_out, "
        "entry.without_tokens as without_tokens "
        'from (select "name", unnest(annotations) as entry from current_corpora)'
    )
    yield f"create view digests as {LIVE_DIGESTS}"
    yield f"create view current_inputs as {current_inputs('stored_inputs')}"
    # Over an empty table of the same columns a measure's view takes a tenth of the time (see ``outlines``).
    yield "create table results as from stored_results limit 0"
    for name, shape in sorted(shapes.items()):
        if name not in VIEWS and (named is None or name in named):
            yield _measure_view(name, shape)
    yield onsets_view(axes_of(shapes), {n: shape.noise for n, shape in shapes.items() if shape.noise is not None})
    yield "drop table results"
    yield f"create view results as {current_results('stored_results')}"


LIVE_DIGESTS = """
with everywhere as (
select corpus, task, variant, seed, step, digests from live where corpus <> ''
union all
select '', task, variant, seed, step, map_from_entries(list_filter(map_entries(arg_max(digests, created)),
lambda one: one.key in ('weights', 'metrics'))) from live group by task, variant, seed, step
)
select entry.key as kind, corpus || '/' || named as resource, entry.value as digest from
(select corpus, case when variant = '' then task else task || '+' || variant end || '/' || seed || '/' || step as named,
unnest(map_entries(digests)) as entry from everywhere)
union all
select 'members', corpus || '/' || case when variant = '' then task else task || '+' || variant end || '/' || seed
|| '/' || step, row_number() over (partition by corpus, task, variant, seed order by step)::varchar from everywhere
union all
select 'annotation', corpus || '/' || annotation, digest from annotations
union all
select 'split', corpus, coalesce((select arg_min(digest, place) from annotations
where kind = 'split' and annotations.corpus = stored.corpus), '')
from (select distinct corpus from live where corpus <> '') as stored
"""
"""SELECT of the digests of all possible inputs in the store (``InputDigest``), over the tables ``live`` (published
checkpoints) and ``annotations``. Inputs without a corpus come from the newest extraction of a checkpoint on any corpus
(``Store.checkpoints``)."""


def current_inputs(inputs: str) -> str:
    """Return a SELECT of the input sets whose inputs are all unchanged in the store."""
    return (
        f"select input_set from {inputs} group by input_set "
        "having bool_and((kind, resource, digest) in (select (kind, resource, digest) from digests))"
    )


def current_results(source: str) -> str:
    """Return a SELECT of the newest result per key among those whose inputs are all unchanged in the store."""
    return (
        f"select * from {source} "
        "where (input_set is null or input_set in (select input_set from current_inputs)) "
        f"qualify row_number() over (partition by {_SAME} order by computed_at desc) = 1"
    )


def view_of(measure: str) -> str:
    """Return the name of a measure's view, which users can type without quotes."""
    return measure.replace("-", "_")


def _measure_view(name: str, shape: MeasureShape) -> str:
    columns = [column for column in SHOWN if column in shape.columns or column == "statistic"]
    at = columns.index("statistic")
    axes = [f"{_identifier(name)} as {_identifier(name.removeprefix(AXIS))}" for name, _ in shape.axes]
    columns[at : at + ("statistic" not in shape.columns)] = axes
    for parameter, kind in shape.parameters:
        path = quoted("$." + json.dumps(parameter))
        taken = parameter in COLUMNS or AXIS + parameter in dict(shape.axes)
        column = f"{parameter}_parameter" if taken else parameter
        columns.append(f"json_extract_string(parameters, {path})::{kind} as {_identifier(column)}")
    view, taken_from = _identifier(view_of(name)), f"results where measure = {quoted(name)}"
    return f"create view {view} as select {', '.join(columns)} from {taken_from}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    return "DOUBLE" if isinstance(value, int | float) else "VARCHAR"


def _mapping(value: Any) -> dict[str, Any]:
    """Return a mapping from DuckDB, or from its JSON text."""
    return json.loads(value) if isinstance(value, str) else dict(value or {})


def _text(value: object) -> str:
    # Paths may hold bytes that are not valid text, which SQL would refuse.
    return str(value).encode("utf-8", "replace").decode()


def _json(value: object) -> str:
    return _text(json.dumps(value, ensure_ascii=False))


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
