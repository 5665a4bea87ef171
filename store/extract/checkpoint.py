"""Extract one checkpoint: load it, run it on corpora and store the arrays."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from store.disk import readable
from store.errors import BertdynError
from store.extract import forward
from store.extract.find import Found, history
from store.extract.plan import (
    NOT_WANTED,
    ExtractOptions,
    ExtractOutcome,
    ExtractPlan,
    Work,
    choose_device,
    free_bytes,
)
from store.extract.provenance import provenance
from store.extract.usable import sentence
from store.keys import CheckpointKey
from store.models.classifier import Classifying, classifying
from store.models.load import Encoder, ModelFiles, load
from store.store import Store


class ExtractProgress(Protocol):
    """Callbacks that report the progress of an extraction."""

    def begin(self, plan: ExtractPlan) -> None:
        """Announce the plan, before any work."""
        ...

    def loading(self, key: CheckpointKey) -> None:
        """Announce that a checkpoint's model is being loaded."""
        ...

    def advance(self, tokens: int) -> None:
        """Report the number of tokens that went through the model since the last call."""
        ...

    def outcome(self, work: Work, outcome: ExtractOutcome) -> None:
        """Report that one checkpoint on one corpus is stored, or failed."""
        ...


class Silent:
    """Progress callbacks that do nothing."""

    def begin(self, plan: ExtractPlan) -> None: ...
    def loading(self, key: CheckpointKey) -> None: ...
    def advance(self, tokens: int) -> None: ...
    def outcome(self, work: Work, outcome: ExtractOutcome) -> None: ...


def extract_checkpoint(
    plan: ExtractPlan,
    store: Callable[[], Store],
    found: Found,
    group: tuple[Work, ...],
    notes: list[str],
    progress: ExtractProgress,
) -> list[tuple[Work, ExtractOutcome]]:
    """Load one checkpoint and run it on every corpus that lacks it.

    Args:
        store: return the store, which may be created at that moment.
        notes: a list to which notes for the user are appended.
    """
    progress.loading(found.key)
    done: list[tuple[Work, ExtractOutcome]] = []
    try:
        model = group[0].model
        encoder = load(model, plan.device or choose_device(plan.options.device))
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
    except Exception as error:  # one checkpoint must not stop the others
        return [(w, ExtractOutcome(found.key, w.corpus, "failed", sentence(found, error))) for w in group]
    for work in group:
        began = time.perf_counter()
        try:
            status = _one(plan, store, encoder, classified, work, attributes, notes, progress)
            outcome = ExtractOutcome(found.key, work.corpus, status, "", time.perf_counter() - began, work.bytes)
            if status == "present":
                outcome = ExtractOutcome(found.key, work.corpus, status, "another extraction stored it meanwhile")
        except Exception as error:
            outcome = ExtractOutcome(
                found.key, work.corpus, "failed", sentence(found, error), time.perf_counter() - began
            )
        done.append((work, outcome))
    return done


def _classifier(encoder: Encoder, model: ModelFiles, options: ExtractOptions) -> tuple[Classifying | None, str]:
    """Return the checkpoint's own classifier, or None and the reason."""
    if not options.logits:
        return None, NOT_WANTED
    found = classifying(encoder, model.config)
    return (None, found) if isinstance(found, str) else (found, "")


def _one(
    plan: ExtractPlan,
    store: Callable[[], Store],
    encoder: Encoder,
    classified: Classifying | None,
    work: Work,
    attributes: Mapping[str, Any],
    notes: list[str],
    progress: ExtractProgress,
) -> Any:
    """Run and store one checkpoint on one corpus. Return 'added', 'replaced', or 'present' if another process won."""
    options, key = plan.options, work.found.key
    free = free_bytes(plan.store)
    if work.bytes > free:
        raise BertdynError(
            f"The disk of {plan.store} is full: {key} takes {readable(work.bytes)}, {readable(free)} are free."
        )
    if not work.replace and any(c.key == key for c in store().checkpoints(work.corpus)):
        return "present"
    corpus = plan.corpora[work.corpus]
    shape = encoder.geometry
    limits: list[int] = []
    with store().writer(
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
            smaller=limits.append,
        ):
            writer.append(hidden, maps, logits)
        if limits:
            notes.append(
                f"{key}: batches did not fit in the memory of {encoder.device} and were made smaller, as by "
                f"--batch-tokens {limits[-1]}."
            )
        if not writer.commit():
            return "present"
    return "replaced" if work.replace else "added"
