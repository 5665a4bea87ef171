"""Extract checkpoints: plan, run the missing ones, and keep each finished one even if others fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from store.corpora.text import Text
from store.extract.checkpoint import ExtractProgress, Silent, extract_checkpoint
from store.extract.find import Found
from store.extract.plan import ExtractOptions, ExtractOutcome, ExtractPlan, Work, make_plan
from store.extract.sharing import Helpers, share
from store.store import Store


@dataclass(frozen=True)
class Report:
    """The outcomes of an extraction, one per checkpoint and corpus."""

    store: Path
    outcomes: tuple[ExtractOutcome, ...]
    """Outcomes, sorted by corpus, task, seed and step."""
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Exit code: 0 if all are stored, 1 if some failed, 2 if all failed."""
        failed = sum(o.status == "failed" for o in self.outcomes)
        return 0 if not failed else 2 if failed == len(self.outcomes) else 1


def extract(
    store_path: Path,
    runs: Sequence[Path],
    corpora: Mapping[str, Path | Text],
    options: ExtractOptions | None = None,
    progress: ExtractProgress | None = None,
    helpers: Helpers | None = None,
) -> Report:
    """Extract every checkpoint under ``runs`` (and the reference) on every corpus into the store.

    Args:
        store_path: the store; created if it does not exist.
        runs: folders to search for checkpoints.
        corpora: files by corpus name, or texts that were read before.
        options: default: the defaults of the command line.
        progress: callbacks that report progress; default: none.
        helpers: other processes that run the models, one checkpoint at a time; default: this process runs them.

    Raises:
        BertdynError: bad input; nothing was written. Later failures are in the report.
    """
    return execute(make_plan(store_path, runs, corpora, options or ExtractOptions()), progress, helpers)


def execute(plan: ExtractPlan, progress: ExtractProgress | None = None, helpers: Helpers | None = None) -> Report:
    """Carry out a plan.

    Raises:
        BertdynError: the store cannot be created.
    """
    progress = progress or Silent()
    progress.begin(plan)
    outcomes = list(plan.outcomes)
    notes = list(plan.notes)
    place = _Place(plan)
    groups = {found: tuple(group) for found, group in groupby(plan.work, key=lambda w: w.found)}
    for done in (
        _here(plan, place, groups, notes, progress)
        if helpers is None
        else share(plan, place.store, groups, helpers, notes, progress)
    ):
        for work, outcome in done:
            outcomes.append(outcome)
            progress.outcome(work, outcome)
    for name in {o.corpus for o in plan.outcomes if o.status == "present"}:
        place.store().add_corpus(plan.corpora[name])  # adds only new annotations
    place.tidy()
    order = sorted(outcomes, key=lambda o: (o.corpus, o.key))
    return Report(plan.store, tuple(order), tuple(notes))


def _here(
    plan: ExtractPlan,
    place: _Place,
    groups: Mapping[Found, tuple[Work, ...]],
    notes: list[str],
    progress: ExtractProgress,
) -> Iterator[list[tuple[Work, ExtractOutcome]]]:
    for found, group in groups.items():
        yield extract_checkpoint(plan, place.store, found, group, notes, progress)


class _Place:
    """The store, created only when the first checkpoint has been loaded: bad input leaves no empty store behind."""

    def __init__(self, plan: ExtractPlan) -> None:
        self._plan = plan
        self._store: Store | None = None
        self._ours = False

    def store(self) -> Store:
        if self._store is None:
            self._ours = not self._plan.store.exists()
            store = Store.open_or_create(self._plan.store)
            for name in dict.fromkeys(w.corpus for w in self._plan.work):
                store.add_corpus(self._plan.corpora[name])
            self._store = store
        return self._store

    def tidy(self) -> None:
        """Remove the store if we created it and nothing was stored in it."""
        if self._ours and self._store is not None:
            self._store.remove_unused()
