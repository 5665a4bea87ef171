"""Register checkpoints without running them: the digest of their weights and their training log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from store.errors import BertdynError
from store.extract.find import DEFAULT_LAYOUT, Found, Layout, find, history, reference
from store.extract.hub import resolve
from store.extract.plan import ExtractOutcome
from store.extract.provenance import provenance
from store.extract.run import Report
from store.extract.usable import Usable, inspect, readings, sentence
from store.keys import NO_CORPUS, Checkpoint, CheckpointKey
from store.models.files import weights_digest
from store.store import Store


def register(
    store_path: Path,
    runs: Sequence[Path],
    layout: str = DEFAULT_LAYOUT,
    base: str | None = None,
    replace: bool = False,
) -> Report:
    """Register every checkpoint under ``runs`` (and the reference) in the store, without arrays.

    Args:
        store_path: the store; created if it does not exist.
        runs: folders to search for checkpoints.
        layout: template of the end of a checkpoint's path.
        base: folder of the pre-trained model, or its name on the hub.
        replace: replace registered checkpoints whose weights have changed.

    Raises:
        BertdynError: bad input, or no checkpoint can be read; nothing was written.
    """
    if not runs and base is None:
        raise BertdynError("Which checkpoints? Name a folder of runs, or a --reference.")
    found, notes = find(runs, Layout(layout))
    if base is not None:
        found = [reference(*resolve(base)), *found]
    usable, broken = inspect(found)
    outcomes = [ExtractOutcome(key, NO_CORPUS, "failed", reason) for key, reason in broken]
    if not usable:
        raise BertdynError(outcomes[0].reason)
    store = Store.open_or_create(store_path)
    there = {c.key: c for c in store.checkpoints() if c.corpus == NO_CORPUS}
    outcomes += [_register(store, one, there, replace, notes) for one in usable]
    return Report(store_path, tuple(sorted(outcomes, key=lambda o: o.key)), (*notes, *readings(usable)))


def _register(
    store: Store, usable: Usable, there: dict[CheckpointKey, Checkpoint], replace: bool, notes: list[str]
) -> ExtractOutcome:
    found, model = usable.found, usable.model
    try:
        known = there.get(found.key)
        if known is not None and not replace:
            _same(known, usable.found, weights_digest(model.files))
            return ExtractOutcome(found.key, NO_CORPUS, "present")
        past = history(found.folder, found.key.step)
        if past.note:
            notes.append(past.note)
        shape = model.geometry
        trained = model.config.trained_class if model.config.folder == model.folder else ""
        ours = store.register(
            found.key,
            layers=shape.layers,
            heads=shape.heads,
            width=shape.width,
            attributes=provenance(model, found, past, trained or model.config.skeleton().model_class.__name__),
            replace=replace,
        )
    except Exception as error:  # one bad checkpoint must not stop the others
        return ExtractOutcome(found.key, NO_CORPUS, "failed", sentence(found, error))
    if not ours:
        return ExtractOutcome(found.key, NO_CORPUS, "present", "another command registered it meanwhile")
    return ExtractOutcome(found.key, NO_CORPUS, "added" if known is None else "replaced")


def _same(known: Checkpoint, found: Found, digest: str) -> None:
    if known.weights_sha256 != digest:
        raise BertdynError(
            f"The weights in {found.folder} differ from those that the store has registered as {found.key} (from "
            f"{known.source}). Use --replace to replace the registered ones."
        )
