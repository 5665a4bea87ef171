"""A store for notebooks and scripts: its content, values and pictures; ``bertdyn.arrays`` adds the arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Self

from bertdyn.arrays import StoredArrays
from bertdyn.hidden_packages import found_first
from bertdyn.options import Chosen, flags_of, uncertainty
from bertdyn.results import Drawing, Query, RowTable, html_table
from explorer.answers.look import Look
from explorer.claims.sql import given_tables
from explorer.commands import compute as computing
from explorer.commands import ls, show
from explorer.commands.options import measure_named
from explorer.compute import executors, run
from explorer.selection.question import NO_TRUST
from explorer.selection.stored import tables_of_measures
from explorer.views.base import SCALES, DrawOptions
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.results import AXIS, COLUMNS, axis_columns
from store.store import Store

if TYPE_CHECKING:
    from explorer.compute.plan import Plan
    from explorer.compute.protocol import Failure, Update
    from explorer.measures import Uncertainty
    from store.results import Result

_REFERENCE = ("ref_task", "ref_variant", "ref_seed", "ref_step")
_ALWAYS = (
    "measure", "corpus", "task", "variant", "seed", "step", "statistic", "value", "unit", "n",
    "interval_low", "interval_high", "null_value", "reason", "parameters", "details", "artefact",
)  # fmt: skip
"""Columns that the rows of every measure have."""


class Runs(StoredArrays):
    """A store of fine-tuning runs. ``repr`` shows the same as `bertdyn ls`; a ``with`` block closes the store.

    A checkpoint is named by its task (``"sst2"``, with a variant ``"sst2+freeze-6"``, or ``"pretrained"``), seed and
    step. A seed, step or corpus may be left out if only one is possible.

    >>> runs = bertdyn.open("runs.bertdyn")
    >>> runs.hidden("sst2", seed=1, step=80, layer=3).shape
    (238, 16)
    """

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a store.

        Raises:
            BertdynError: the folder does not exist, it is not a store, or the store has another format.
        """
        return cls(Store.open(os.path.expanduser(path)))

    def close(self) -> None:
        """Release the memory and the process that are kept for further queries."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return ls.overview_text(self.store).rstrip("\n")

    def _repr_html_(self) -> str:
        texts = [f"<p>{escape(ls.heading(self.store))}</p>"]
        for part in ls.parts(self.store):
            body = f"<p>{escape(part.sentence)}</p>" if part.sentence else html_table(part.columns, part.rows)
            texts.append(f"<p><b>{escape(part.title)}</b></p>{body}")
        return "".join(texts)

    def compute(
        self,
        measure: str | Sequence[str],
        *,
        corpus: Chosen = None,
        annotation: str | None = None,
        task: Chosen = None,
        seed: Chosen = None,
        step: Chosen = None,
        layer: Chosen = None,
        against: str | None = None,
        against_layer: Chosen = None,
        detail: str | None = None,
        by: str = "layer",
        null: int = 0,
        interval: str | None = None,
        level: float = 0.95,
        resamples: int = 200,
        keep: bool = False,
        workers: int | None = None,
        scheduler: str | None = None,
        device: str = "auto",
        progress: Callable[[Update], None] | None = None,
        **parameters: object,
    ) -> RowTable:
        """Compute a measure for a selection and return its rows, as `bertdyn compute` does.

        Each value is computed once, kept in the store, and read back the next time.

        >>> t = runs.compute("svcca", task="sst2", seed=[1, 2], layer=range(2, 4), against="previous")
        >>> t
        measure  corpus  task  seed  ...
        >>> worth = runs.compute("cka", seed=1, step=80, layer=6, null=3, interval="jackknife", estimator="biased")
        >>> worth.columns[-7:]
        ('interval_low', 'interval_high', 'null_value', 'reason', 'parameters', 'details', 'artefact')

        Args:
            measure: name of a measure, or of several that read the same inputs.
            corpus: one corpus or several; default: every corpus that fits.
            annotation: name of the labels that the measure reads; may be left out if only one annotation fits.
            task: one task or several, each ``TASK`` or ``TASK+VARIANT``; default: all.
            seed: one seed or several; default: all.
            step: one step or several; default: all.
            layer: one layer or several; default: all.
            against: reference: pretrained, first, previous, final, plain, seeds, ``seed:N`` or ``TASK/SEED/STEP``;
                default: chosen by the measure.
            against_layer: layers of the reference that every layer is compared with, or "all".
            detail: return also rows of single examples, or of single query tokens.
            by: ``layer`` or ``head``: one row per layer or per head.
            null: number of null draws; the mean of their values is returned too, as the chance level.
            interval: compute also an interval over whole examples: ``jackknife`` or ``bootstrap``.
            level: level of the interval.
            resamples: number of bootstrap resamples.
            keep: store also what is fitted, such as probes (see ``probe``).
            workers: number of worker processes; default: chosen by cores and work.
            scheduler: address of a dask scheduler whose workers do the work; default: ``BERTDYN_SCHEDULER``, or else
                child processes.
            device: where to compute: auto, cpu, cuda.
            progress: function that is called with each update; default: a progress bar if stderr is a terminal.
            parameters: the measure's parameters (``help(bertdyn.svcca)`` lists them).

        Raises:
            BertdynError: an option is invalid, the selection matches nothing, or nothing could be computed.
        """
        chosen = {
            "corpus": corpus, "annotation": annotation, "task": task, "seed": seed, "step": step, "layer": layer,
            "against": against, "against_layer": against_layer, "detail": detail,
        }  # fmt: skip
        trust = uncertainty(null, interval, level, resamples, keep)
        plans, refused = self._plans(measure, by, {**chosen, **parameters}, trust)
        failures: list[Failure] = []
        for of_corpus in plans.values():
            questions = [planned.question for planned in of_corpus]
            with found_first(), computing.progress_bar(questions) as bar:
                executor = executors.workers_of(scheduler, self.store.path)
                outcome = run.compute(self.store, questions, progress or bar, workers, device, executor, trust)
            if outcome.cancelled:
                raise KeyboardInterrupt
            failures += outcome.failures
        rows = computing.rows_of_plans(self.store, plans, by, trust)
        notes = _notes(plans, refused, rows)
        if failures:
            words = computing.in_words(failures)
            if not rows:
                raise BertdynError(words)
            warnings.warn(words, stacklevel=2)
            notes.append(words)
        return _table(plans, rows, notes)

    def results(self, measure: str | Sequence[str], *, by: str = "layer", **selection: Any) -> RowTable:
        """Return the stored rows of a selection; nothing is computed.

        >>> runs.results("svcca", task="sst2", seed=1, layer=3).columns[:6]
        ('measure', 'corpus', 'task', 'variant', 'seed', 'step')

        Args:
            selection: the arguments of ``compute`` that select (corpus, task and so on), and the measure's parameters.

        Raises:
            BertdynError: an option is invalid, or the selection matches nothing.
        """
        plans, refused = self._plans(measure, by, selection, NO_TRUST)
        rows = computing.rows_of_plans(self.store, plans, by, NO_TRUST)
        notes = _notes(plans, refused, rows)
        missing = sum(len(planned.missing) for of_corpus in plans.values() for planned in of_corpus)
        if missing:
            notes.append(_missing(missing, measure, selection))
        return _table(plans, rows, notes)

    def sql(self, query: str, *, outside: bool = False) -> Query:
        """Query the store's tables in DuckDB's SQL. Queries can only read.

        Args:
            query: one SELECT.
            outside: whether the query may also read files and URLs that are not the store's (``JOIN 'mine.csv'``).

        Tables: runs, checkpoints, training_log, corpora, annotations, results, onsets, and one per measure, which has
        its parameters as columns (``sink_mass`` for sink-mass); and claims, what `bertdyn claims` says.

        >>> runs.sql("SELECT DISTINCT step FROM checkpoints WHERE task = 'sst2' ORDER BY step").rows
        [(0,), (20,), (40,), (80,)]

        Raises:
            BertdynError: (when the answer is used) the query is not a single SELECT, it leaves the store, or DuckDB
                rejects it (with DuckDB's message).
        """
        return Query(self.store, query, tables_of_measures(), outside, partial(given_tables, self.store, query))

    def show(
        self,
        view: str,
        *,
        measure: str | None = None,
        width: int | None = None,
        height: int | None = None,
        ascii: bool = False,
        scale: str = "linear",
        digits: bool = False,
        sort: str = "",
        descending: bool = False,
        part: str = "",
        head: int = 0,
        example: int | None = None,
        find: str = "",
        changed: bool = False,
        **selection: Any,
    ) -> Drawing:
        """Draw one of the explorer's views as text, as `bertdyn show` does. The numbers shown are the rows.

        >>> picture = runs.show("curves", task="sst2", seed=1, width=60, height=12)
        >>> print(picture)
        SVCCA distance from the pre-trained model · sst2, seed 1
        ...
        >>> picture.columns[:8]
        ('measure', 'corpus', 'task', 'seed', 'step', 'layer', 'against', 'value')

        Args:
            view: curves, profile, heat, heads, seeds, clusters, table and so on: `bertdyn show --help` lists them.
            measure: name of a measure; default: the measure that the view is made for, else svcca.
            width: width of the text in characters.
            height: height of the picture in lines.
            scale: ``linear``, ``log``, ``percent`` (of each line's final value) or ``seeds`` (multiples of the distance
                between two seeds).
            selection: the arguments of ``compute`` that select (corpus, task and so on), and the measure's parameters.

        Raises:
            BertdynError: the view or its part does not exist, or the selection matches nothing.
        """
        if view not in VIEWS:
            raise BertdynError(f"There is no view '{view}', only {', '.join(VIEWS)}.")
        if scale not in SCALES:
            raise BertdynError(f"There is no scale '{scale}', only {', '.join(SCALES)}.")
        kind = VIEWS[view]
        declared = measure_named(measure or kind.measure or "svcca")
        flags, parameters = flags_of(selection)
        before = dict(flags)
        which = -1 if example is None else example
        look = Look(
            part=show.part_named(kind, part, "," in (flags["corpus"] or "")),
            head=head,
            example=which,
            find=find,
            changed=changed,
        )
        views = show.loaded(self.store, kind, declared, flags, parameters, look)
        options = DrawOptions(scale=scale, ascii=ascii, digits=digits, sort=sort, descending=descending)
        texts = [show.text_of(one, width, height, "none", False, options, True) for one in views]
        rows = [row for one in views for row in one.rows()[1]]
        notes = []
        for one in views if kind.computes else ():
            if one.data.missing:
                told = show.flags_of_missing(kind, one.data, flags)
                filled = {name: value for name, value in told.items() if value != before[name]}
                texts_of = ",".join(one.data.question.corpora)
                asked = {**selection, **({"corpus": texts_of} if texts_of else {}), **filled}
                notes.append(_missing(one.data.missing, declared.name, asked))
        return Drawing("\n".join(texts), views[0].rows()[0], rows, notes)

    def _plans(
        self, measure: str | Sequence[str], by: str, chosen: Mapping[str, Any], trust: Uncertainty
    ) -> tuple[dict[str, list[Plan]], tuple[str, ...]]:
        """Return the plans of each corpus, and the reasons why some corpora are skipped."""
        if by not in ("layer", "head"):
            raise BertdynError(f"--by: '{by}' is neither layer nor head.")
        flags, parameters = flags_of(chosen)
        declared = computing.measures_named(measure.split(",") if isinstance(measure, str) else measure, by)
        return computing.plans_of(self.store, declared, flags, parameters, trust)


def _table(plans: Mapping[str, Sequence[Plan]], rows: Sequence[Result], notes: Sequence[str]) -> RowTable:
    """Return rows with the columns that their measures use, in the order of `bertdyn compute --format csv`."""
    used = set(_ALWAYS)
    for planned in (one for of_corpus in plans.values() for one in of_corpus):
        measure = planned.question.measure
        used |= {axis.name for axis in measure.axes}
        used |= set(_REFERENCE) if measure.compares else set()
        used |= {"annotation"} if measure.labels is not None else set()
    every = (*computing.columns_of("csv", rows), "artefact")
    columns = [n for n in every if n in used or any(computing.cell(row, n) not in (None, "") for row in rows)]
    types = {**COLUMNS, **{name.removeprefix(AXIS): kind for name, kind in axis_columns(rows).items()}}
    values = [tuple(computing.cell(row, name) for name in columns) for row in rows]
    shown = computing.columns_of("table", rows)
    return RowTable(columns, values, [types[name] for name in columns], dict.fromkeys(notes), shown)


def _notes(plans: Mapping[str, Sequence[Plan]], refused: Sequence[str], rows: Sequence[Result]) -> list[str]:
    """Return the remarks that `bertdyn compute` prints with the rows."""
    planned = [note for of_corpus in plans.values() for one in of_corpus for note in one.notes]
    return [*(f"passed over: {why}" for why in refused), *planned, *run.warnings(rows)]


def _missing(count: int, measure: str | Sequence[str], selection: Mapping[str, Any]) -> str:
    """Return a sentence that says how many values are not computed, and which call computes them."""
    chosen = "".join(f", {name}={value!r}" for name, value in selection.items())
    return f"{count:,} values are not computed; compute({measure!r}{chosen}) computes them."
