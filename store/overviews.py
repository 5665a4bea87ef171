"""List the contents of a store for people: runs, checkpoints, corpora, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from store.tables import NO_MEASURES, DeclaredMeasure

if TYPE_CHECKING:
    from store.duck import GivenTable, Table
    from store.store import Store

_RECIPE = "CASE WHEN variant = '' THEN task ELSE task || '+' || variant END AS task"
OVERVIEWS: Mapping[str, str] = {
    "runs": f"SELECT {_RECIPE}, seed, corpus, count(*) AS checkpoints, min(step) AS first_step, "
    "max(step) AS last_step, max(layers) AS layers, max(heads) AS heads, max(width) AS width, "
    "any_value(dtype) AS dtype, bool_and(map_contains(digests, 'attention')) AS attentions, "
    "sum(bytes)::BIGINT AS bytes FROM checkpoints GROUP BY ALL ORDER BY ALL",
    "checkpoints": f"SELECT corpus, {_RECIPE}, seed, step, epoch, loss, metrics, layers, heads, width, dtype, "
    "map_keys(digests) AS inputs, model_class, source, bytes, created FROM checkpoints ORDER BY ALL",
    "corpora": "SELECT name, kind, examples, tokens, words, array_to_string(annotations, ', ') AS annotations, "
    "truncated, source FROM corpora ORDER BY name",
    "results": "SELECT measure, parameters, corpus, count(*) AS rows, "
    "count(DISTINCT (task, variant, seed, step, layer, ref_task, ref_variant, ref_seed, ref_step)) AS layer_values, "
    "count(DISTINCT (task, variant, seed, step)) AS checkpoints, "
    'count(DISTINCT (ref_task, ref_variant, ref_seed, ref_step)) FILTER (ref_task IS NOT NULL) AS "references", '
    "max(computed_at) AS newest FROM results GROUP BY measure, parameters, corpus ORDER BY measure, corpus, parameters",
}
"""SQL of each list, over the views of ``tables.views``."""
_TOTALS = (
    "SELECT count(DISTINCT (task, variant, seed, step)) AS checkpoints, coalesce(sum(bytes), 0)::BIGINT AS bytes "
    "FROM checkpoints"
)
_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns"


def overview(store: Store, name: str) -> Table:
    """Return one of the lists.

    Raises:
        BertdynError: a table that it needs is damaged.
    """
    return store.query(OVERVIEWS[name])


def totals(store: Store) -> tuple[int, int]:
    """Return the number of checkpoints, on however many corpora each was extracted, and their bytes.

    Raises:
        BertdynError: a table is damaged.
    """
    checkpoints, size = store.query(_TOTALS).rows[0]
    return int(checkpoints), int(size)


def view_columns(
    store: Store, measures: Mapping[str, DeclaredMeasure] = NO_MEASURES, given: Sequence[GivenTable] = ()
) -> Table:
    """Return the names of all SQL views and given tables, and of their columns.

    Raises:
        BertdynError: a table is damaged.
    """
    return store.query(_COLUMNS, measures=measures, given=given)
