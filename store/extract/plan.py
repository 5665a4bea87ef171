"""Plan an extraction: find the missing checkpoints per corpus, their size, and whether they fit on the disk.

Checks everything that can be checked without running a model, so that bad input changes nothing on disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from store.corpora.text import Text
from store.disk import readable
from store.errors import BertdynError
from store.extract.corpora import Tokenizers, read_corpora, settled
from store.extract.find import DEFAULT_LAYOUT, Found, Layout, find, reference
from store.extract.hub import resolve
from store.extract.usable import Usable, inspect, readings, sentence
from store.keys import PRETRAINED_KEY, Checkpoint, CheckpointKey, Corpus
from store.layout import ATTENTION, LOGITS, MARKER, array_bytes
from store.models.config import Geometry
from store.models.files import weights_digest, weights_stamp
from store.models.load import ModelFiles
from store.part import WHOLE, Part
from store.store import Store

if TYPE_CHECKING:
    import torch

DTYPES = {"float16": 2, "float32": 4}
NOT_WANTED = "extracted with --no-logits"
"""Reason for missing logits if the user asked for none; other reasons come from the checkpoint."""
_SHOWN = 12
"""Number of characters of a fingerprint that a message shows."""


@dataclass(frozen=True)
class ExtractOptions:
    """The options of ``bertdyn extract``."""

    layout: str = DEFAULT_LAYOUT
    reference: str | None = None
    """Folder of the pre-trained model, or its name on the hub."""
    text: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    limit: int | None = None
    skip_bad_rows: bool = False
    max_length: int = 128
    batch_tokens: int | None = None
    """Maximum padded tokens of a batch; None: by the device."""
    device: str = "auto"
    dtype: str = "float16"
    attentions: bool = True
    logits: bool = True
    replace: bool = False
    part: Part = WHOLE
    """Share of the checkpoints to extract; other processes extract the rest."""
    elsewhere: bool = False
    """True if models run on other machines, so that the devices of this one do not matter."""


@dataclass(frozen=True)
class ExtractOutcome:
    """The outcome of one checkpoint on one corpus."""

    key: CheckpointKey
    corpus: str
    """Name of the corpus; empty if the checkpoint failed before it was tried on a corpus."""
    status: Literal["added", "replaced", "present", "failed"]
    reason: str = ""
    seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True)
class Work:
    """One checkpoint on one corpus that is to be extracted."""

    found: Found
    model: ModelFiles
    corpus: str
    bytes: int
    tokens: int
    replace: bool
    """True if it replaces a stored one: by --replace, or to add missing attentions or logits."""


@dataclass(frozen=True)
class ExtractPlan:
    """The work of an extraction, and the outcomes that are known beforehand."""

    store: Path
    corpora: Mapping[str, Corpus]
    work: tuple[Work, ...]
    outcomes: tuple[ExtractOutcome, ...]
    """Outcomes known beforehand: stored already, or certain to fail."""
    notes: tuple[str, ...]
    free: int
    """Bytes free on the store's disk."""
    device: torch.device | None
    """Device that runs the models; None: the processes that run them choose it."""
    options: ExtractOptions

    @property
    def bytes(self) -> int:
        """Number of bytes to write, before compression."""
        return sum(w.bytes for w in self.work)

    @property
    def tokens(self) -> int:
        """Number of tokens to run through models."""
        return sum(w.tokens for w in self.work)

    @property
    def checkpoints(self) -> int:
        """Number of checkpoints to load."""
        return len({w.found.key for w in self.work})


def make_plan(
    store_path: Path, runs: Sequence[Path], corpora: Mapping[str, Path | Text], options: ExtractOptions
) -> ExtractPlan:
    """Inspect all inputs and return the plan. Writes nothing.

    Raises:
        BertdynError: bad input; every checkpoint fails; or the results would not fit on the disk.
    """
    _check_options(runs, corpora, options)
    device = None if options.elsewhere else choose_device(options.device)
    store = _open(store_path)
    texts = read_corpora(corpora, options)
    found, notes = find(runs, Layout(options.layout))
    if options.reference is not None:
        found = [reference(*resolve(options.reference)), *found]
    usable, broken = inspect(found)
    outcomes = [ExtractOutcome(key, "", "failed", reason) for key, reason in broken]
    notes += readings(usable)
    if not usable:
        raise _hopeless(outcomes)
    tokens = Tokenizers(texts, usable, options.max_length)
    sets = {name: settled(store, tokens.first(name), options) for name in texts}
    work: list[Work] = []
    for name, corpus in sets.items():
        stored = {c.key: c for c in store.checkpoints(name)} if store and _has(store, name) else {}
        expected = _expected(stored.values(), usable)
        for checkpoint in usable:
            try:
                _check_comparable(checkpoint, corpus, expected, tokens)
                there = stored.get(checkpoint.found.key)
                present = there is not None and not options.replace and _is_current(store, there, checkpoint, options)
            except Exception as error:  # one bad checkpoint must not stop the others
                outcomes.append(ExtractOutcome(checkpoint.found.key, name, "failed", sentence(checkpoint.found, error)))
                continue
            if present and there is not None:
                note = "" if there.dtype == options.dtype else f"stored as {there.dtype}"
                outcomes.append(ExtractOutcome(checkpoint.found.key, name, "present", note))
            else:
                work.append(_work(checkpoint, corpus, options, there is not None))
    if not work and not any(o.status == "present" for o in outcomes):
        raise _hopeless(outcomes)
    work = [one for one in work if options.part.has(str(one.found.key))]
    order = {checkpoint.found.key: i for i, checkpoint in enumerate(usable)}
    # Load each model once for all its corpora; the pre-trained one first, since the others are compared with it.
    work.sort(key=lambda w: (w.found.key != PRETRAINED_KEY, order[w.found.key]))
    free = free_bytes(store_path)
    notes = [*(f"corpus {name}: {note}" for name, text in texts.items() for note in text.notes), *notes]
    plan = ExtractPlan(store_path, sets, tuple(work), tuple(outcomes), tuple(notes), free, device, options)
    if plan.bytes > free:
        raise BertdynError(
            f"The results would take {readable(plan.bytes)} and the disk of {store_path} has {readable(free)} free. "
            "Use fewer sentences (--limit), fewer runs or --no-attentions, or put the store on another disk."
        )
    return plan


def choose_device(name: str) -> torch.device:
    """Return the named device; ``auto`` is CUDA if there is one, else the CPU.

    Raises:
        BertdynError: this machine has no such device.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise BertdynError(f"--device {name}: this machine has no such device; auto takes the best one.") from None
    return device


def free_bytes(path: Path) -> int:
    """Return the free bytes on the disk of a path that may not exist yet."""
    return shutil.disk_usage(_existing(path)).free


def _check_options(runs: Sequence[Path], corpora: Mapping[str, Path | Text], options: ExtractOptions) -> None:
    if not corpora:
        raise BertdynError("Which sentences? Name at least one corpus with --corpus NAME=FILE.")
    if not runs and options.reference is None:
        raise BertdynError("Which checkpoints? Name a folder of runs, or a --reference.")
    numbers = {"--limit": options.limit, "--max-length": options.max_length, "--batch-tokens": options.batch_tokens}
    for flag, value in numbers.items():
        if value is not None and value < 1:
            raise BertdynError(f"{flag} {value}: at least 1.")
    if options.dtype not in DTYPES:
        raise BertdynError(f"--dtype {options.dtype}: one of {', '.join(DTYPES)}.")


def _open(path: Path) -> Store | None:
    """Return the store, or None if it does not exist yet (and can be created)."""
    if (path / MARKER).exists():
        return Store.open(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise BertdynError(f"{path} exists and is not a bertdyn store; give the new store another name.")
    place = _existing(path)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise BertdynError(f"{path} cannot be created: {place} is not writable.")
    return None


@dataclass(frozen=True)
class _Expected:
    """The sizes that checkpoints of a corpus must have to be comparable, and the checkpoint that has them."""

    geometry: Geometry
    owner: str
    variant: bool
    """Whether the owner is a variant."""

    def allows(self, other: Geometry, variant: bool) -> bool:
        """Return whether a checkpoint is comparable: it has the same sizes, or one of both is a variant cut short."""
        short = variant if other.layers < self.geometry.layers else self.variant
        same = replace(other, layers=self.geometry.layers) == self.geometry
        return same and (short or other.layers == self.geometry.layers)


def _expected(stored: Iterable[Checkpoint], usable: Sequence[Usable]) -> _Expected:
    """Return what all checkpoints must have: what a stored checkpoint has, else the first one; no variant if possible.

    Of several the one with most layers counts, since variants may lack the top ones.
    """
    known = [_Expected(_geometry(there), f"{there.key} in the store", bool(there.key.variant)) for there in stored]
    new = [_Expected(one.model.geometry, str(one.found.folder), bool(one.found.key.variant)) for one in usable]
    return max(known or new, key=lambda one: (not one.variant, one.geometry.layers if one.variant else 0))


def _geometry(checkpoint: Checkpoint) -> Geometry:
    return Geometry(checkpoint.layers, checkpoint.heads, checkpoint.width)


def _check_comparable(checkpoint: Usable, corpus: Corpus, expected: _Expected, tokens: Tokenizers) -> None:
    folder, name = checkpoint.found.folder, corpus.info.name
    if not expected.allows(checkpoint.model.geometry, bool(checkpoint.found.key.variant)):
        raise BertdynError(
            f"{folder} has {checkpoint.model.geometry}, but {expected.owner} has {expected.geometry}: they cannot be "
            "compared. Extract it with a corpus of another name."
        )
    if not checkpoint.tokenizer:
        return
    own = tokens.of(checkpoint.tokenizer, name).info
    if own.fingerprint != corpus.info.fingerprint:
        raise BertdynError(
            f"{folder} has another tokenizer: on corpus '{name}' its token ids have fingerprint "
            f"{own.fingerprint[:_SHOWN]}, not {corpus.info.fingerprint[:_SHOWN]}. They cannot be compared."
        )


def _is_current(store: Store | None, there: Checkpoint, checkpoint: Usable, options: ExtractOptions) -> bool:
    """Return whether the stored arrays are complete; False if they lack wanted attentions or logits.

    Raises:
        BertdynError: the checkpoint's weights changed since they were stored; or extracting again would lose stored
            arrays.
    """
    assert store is not None
    noted = store.attributes(there.corpus, there.key)
    if (noted.get("weights_size"), noted.get("weights_mtime_ns")) != weights_stamp(checkpoint.model.files) and (
        weights_digest(checkpoint.model.files) != there.weights_sha256
    ):
        raise BertdynError(
            f"The weights in {checkpoint.found.folder} differ from those that the store has as {there.key} "
            f"(from {there.source}). Use --replace to replace the stored ones."
        )
    lacks_logits = LOGITS not in there.digests and noted.get("no_logits", NOT_WANTED) == NOT_WANTED
    lacks = (ATTENTION not in there.digests and options.attentions) or (lacks_logits and options.logits)
    kept = {"--no-attentions": (ATTENTION, options.attentions), "--no-logits": (LOGITS, options.logits)}
    for flag, (name, wanted) in kept.items():
        if lacks and name in there.digests and not wanted:
            raise BertdynError(
                f"{there.key} on corpus '{there.corpus}' is stored with {name}, which would be lost with {flag} when "
                f"the missing arrays are added: leave out {flag}."
            )
    return not lacks


def _work(checkpoint: Usable, corpus: Corpus, options: ExtractOptions, replaces: bool) -> Work:
    shape, info = checkpoint.model.geometry, corpus.info
    taken = array_bytes(
        shape.layers, shape.heads, shape.width, info.tokens, info.pairs, DTYPES[options.dtype], options.attentions
    )
    return Work(checkpoint.found, checkpoint.model, info.name, taken, info.tokens, replaces)


def _hopeless(failed: Sequence[ExtractOutcome]) -> BertdynError:
    reasons = list(dict.fromkeys(o.reason for o in failed))
    if len(reasons) == 1:
        return BertdynError(reasons[0])
    return BertdynError(f"None of {len(failed)} checkpoints can be extracted. The first: {reasons[0]}")


def _has(store: Store, corpus: str) -> bool:
    return any(info.name == corpus for info in store.corpora())


def _existing(path: Path) -> Path:
    path = Path(os.path.abspath(path))
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
