"""Extract: plan, run what is missing, keep what was finished whatever happens to the rest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from store.errors import BertdynError
from store.extract import forward
from store.extract.find import Found, history
from store.extract.plan import NOT_WANTED, ExtractOptions, Outcome, Plan, Work, free_bytes, make_plan, size
from store.extract.provenance import provenance
from store.extract.usable import sentence
from store.keys import CheckpointKey
from store.models.classifier import Classifying, classifying
from store.models.load import Encoder, ModelFiles, load
from store.store import Store


class Progress(Protocol):
    """Who is told how an extraction goes."""

    def begin(self, plan: Plan) -> None:
        """The plan is made and nothing is done yet."""
        ...

    def loading(self, key: CheckpointKey) -> None:
        """A checkpoint's model is being loaded."""
        ...

    def advance(self, tokens: int) -> None:
        """So many more tokens went through the model."""
        ...

    def outcome(self, work: Work, outcome: Outcome) -> None:
        """One checkpoint on one corpus is in place, or failed."""
        ...


class Silent:
    """Tells nobody."""

    def begin(self, plan: Plan) -> None: ...
    def loading(self, key: CheckpointKey) -> None: ...
    def advance(self, tokens: int) -> None: ...
    def outcome(self, work: Work, outcome: Outcome) -> None: ...


@dataclass(frozen=True)
class Report:
    """What became of every checkpoint on every corpus."""

    store: Path
    outcomes: tuple[Outcome, ...]
    """By corpus, task, seed and step."""
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0: all in place; 1: some failed, others are in place; 2: none is."""
        failed = sum(o.status == "failed" for o in self.outcomes)
        return 0 if not failed else 2 if failed == len(self.outcomes) else 1


def extract(
    store_path: Path,
    runs: Sequence[Path],
    corpora: Mapping[str, Path],
    options: ExtractOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Bring every checkpoint under ``runs`` (and the reference) on every corpus into the store.

    Args:
        store_path: the store; made when there is none.
        runs: folders searched for checkpoints.
        corpora: corpus name -> file.
        options: default: those of the command line.
        progress: told how it goes; default: nobody.

    Raises:
        BertdynError: bad input; nothing was written. What fails later is in the report.
    """
    return execute(make_plan(store_path, runs, corpora, options or ExtractOptions()), progress)


def execute(plan: Plan, progress: Progress | None = None) -> Report:
    """Do what a plan says.

    Raises:
        BertdynError: the store cannot be made.
    """
    progress = progress or Silent()
    progress.begin(plan)
    outcomes = list(plan.outcomes)
    notes = list(plan.notes)
    place = _Place(plan)
    for found, group in groupby(plan.work, key=lambda w: w.found):
        for work, outcome in _checkpoint(plan, place, found, tuple(group), notes, progress):
            outcomes.append(outcome)
            progress.outcome(work, outcome)
    for name in {o.corpus for o in plan.outcomes if o.status == "present"}:
        place.store().add_corpus(plan.corpora[name])  # adds the annotations that are new
    place.tidy()
    order = sorted(outcomes, key=lambda o: (o.corpus, o.key))
    return Report(plan.store, tuple(order), tuple(notes))


class _Place:
    """The store, made when the first checkpoint has been loaded: broken input leaves no empty store behind."""

    def __init__(self, plan: Plan) -> None:
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
        """A store that we made and that nothing came into goes again: bad input changes nothing."""
        if self._ours and self._store is not None:
            self._store.remove_unused()


def _checkpoint(
    plan: Plan, place: _Place, found: Found, group: tuple[Work, ...], notes: list[str], progress: Progress
) -> list[tuple[Work, Outcome]]:
    """Load one checkpoint and run it on every corpus that lacks it."""
    progress.loading(found.key)
    done: list[tuple[Work, Outcome]] = []
    try:
        model = group[0].model
        encoder = load(model, plan.device)
        past = history(found.folder, found.key.step)
        if past.note:
            notes.append(past.note)
        classified, no_logits = _classifier(encoder, model, plan.options)
        attributes = {
            **provenance(model, found, past, encoder.model_class),
            "device": str(encoder.device),
            "no_logits": no_logits,
        }
        if no_logits and no_logits != NOT_WANTED:
            notes.append(f"{found.key} has no logits: {no_logits}")
    except Exception as error:  # one checkpoint never ends the others
        return [(w, Outcome(found.key, w.corpus, "failed", sentence(found, error))) for w in group]
    for work in group:
        began = time.perf_counter()
        try:
            status = _one(plan, place, encoder, classified, work, attributes, progress)
            outcome = Outcome(found.key, work.corpus, status, "", time.perf_counter() - began, work.bytes)
            if status == "present":
                outcome = Outcome(found.key, work.corpus, status, "another extraction stored it meanwhile")
        except Exception as error:
            outcome = Outcome(found.key, work.corpus, "failed", sentence(found, error), time.perf_counter() - began)
        done.append((work, outcome))
    return done


def _classifier(encoder: Encoder, model: ModelFiles, options: ExtractOptions) -> tuple[Classifying | None, str]:
    """The checkpoint's own classifier; else None, and why."""
    if not options.logits:
        return None, NOT_WANTED
    found = classifying(encoder, model.config)
    return (None, found) if isinstance(found, str) else (found, "")


def _one(
    plan: Plan,
    place: _Place,
    encoder: Encoder,
    classified: Classifying | None,
    work: Work,
    attributes: Mapping[str, Any],
    progress: Progress,
) -> Any:
    """Run and store one checkpoint on one corpus: 'added', 'replaced', or 'present' when somebody was faster."""
    options, key = plan.options, work.found.key
    store = place.store()
    free = free_bytes(plan.store)
    if work.bytes > free:
        raise BertdynError(f"The disk of {plan.store} is full: {key} takes {size(work.bytes)}, {size(free)} are free.")
    if not work.replace and any(c.key == key for c in store.checkpoints(work.corpus)):
        return "present"
    corpus = plan.corpora[work.corpus]
    shape = encoder.geometry
    with store.writer(
        work.corpus,
        key,
        layers=shape.layers,
        heads=shape.heads,
        width=shape.width,
        dtype=options.dtype,
        attentions=options.attentions,
        classifier=None if classified is None else classified.classifier,
        attributes={**attributes, "corpus_fingerprint": corpus.info.fingerprint},
        replace=work.replace,
    ) as writer:
        for hidden, maps, logits in forward.run(
            encoder,
            corpus,
            dtype=options.dtype,
            attentions=options.attentions,
            classifying=classified,
            batch_tokens=options.batch_tokens,
            done=progress.advance,
        ):
            writer.append(hidden, maps, logits)
        if not writer.commit():
            return "present"
    return "replaced" if work.replace else "added"
