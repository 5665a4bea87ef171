"""Find checkpoint folders and their run: task, variant, seed and step from the path, history from the Trainer.

This module never opens a file of weights.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.errors import BertdynError
from store.extract.links import FolderName, Tree
from store.keys import PLAIN, PRETRAINED, PRETRAINED_KEY, CheckpointKey, task_and_variant
from store.models.adapters import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from store.models.config import CONFIG
from store.models.files import WEIGHTS
from store.models.formats import is_sharded, training_format

DEFAULT_LAYOUT = "{task}/seed-{seed}/checkpoint-{step}"
_MODEL = frozenset((CONFIG, *WEIGHTS, ADAPTER_CONFIG, *ADAPTER_WEIGHTS))
"""Names of files, at least one of which is in any folder with a model."""
TRAINER_STATE = "trainer_state.json"
RUN_NOTE = "run.json"
"""File beside a run's checkpoints that says how the run was made."""
DEFAULT_SEED = "0"
_MOST_STEPS = 2**63 - 1
_NOTED = 5
"""Number of paths that a note lists."""
_FIELD = re.compile(r"\{(\w+)\}|(\*)")
_TIMINGS = ("_runtime", "_per_second", "_preparation_time", "_compilation_time")


@dataclass(frozen=True)
class Found:
    """A folder that looks like a checkpoint."""

    key: CheckpointKey
    folder: Path
    source: str
    """Name that the user knows: the folder, or the model's name on the hub."""


@dataclass(frozen=True)
class TrainingHistory:
    """The Trainer's log up to a checkpoint (``trainer_state.json``); empty if there is no such file."""

    step: int | None = None
    epoch: float | None = None
    loss: float | None = None
    """Last logged training loss."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Evaluation metrics logged at the checkpoint's step, without the timings."""
    log: tuple[Mapping[str, Any], ...] = ()
    """All logged numbers: step, epoch, name, value."""
    note: str = ""
    """Reason why the file gives no history; empty if it does or if there is no file."""


@dataclass(frozen=True)
class RunKind:
    """How a run differs from a plain one, as its folder says; empty if it does not."""

    kind: str = ""
    """What was changed in the model before training, such as ``freeze``."""
    k: int | None = None
    """Number of layers that this concerns; None if there is no such number."""


class Layout:
    """A path template such as ``{task}/seed-{seed}/checkpoint-{step}``; ``*`` matches any part of a folder name.

    It is matched against the end of a checkpoint's absolute path, so the user may name the folder of all runs, of one
    run or of one checkpoint. Without ``{seed}`` the seed is "0"; without ``{step}`` the step comes from the Trainer.
    """

    def __init__(self, template: str) -> None:
        """
        Raises:
            BertdynError: no ``{task}``, an unknown or repeated field, or no folder name at all.
        """
        self.template = template
        parts = [p for p in template.strip().split("/") if p]
        fields = [name for name, star in _FIELD.findall(template) if not star]
        unknown = [f for f in fields if f not in CheckpointKey._fields]
        if not parts or "task" not in fields or unknown or len(set(fields)) != len(fields):
            raise BertdynError(
                f"--layout: '{template}' must name {{task}} once, may name {{variant}}, {{seed}} and {{step}} once "
                f"and * anywhere, as in {DEFAULT_LAYOUT}."
            )
        self.depth = len(parts)
        """Number of folder names that are read at the end of a path."""
        self._patterns = [re.compile(_pattern(part)) for part in parts]

    def read(self, folder: Path) -> tuple[str, str, str, int | None] | None:
        """Return task, variant, seed and step (None: ask the Trainer) of a folder; None if its path does not fit.

        Without ``{variant}`` a task folder ``TASK+VARIANT`` names both. A variant called ``plain`` is the plain run.
        """
        parts = folder.parts[-len(self._patterns) :]
        if len(parts) < len(self._patterns) or parts[0] == folder.anchor:
            return None
        values: dict[str, str] = {}
        for pattern, part in zip(self._patterns, parts, strict=True):
            match = pattern.fullmatch(part)
            if match is None:
                return None
            values |= match.groupdict()
        step = values.get("step")
        task, variant = values["task"], values.get("variant")
        if variant is None:
            task, variant = task_and_variant(task)
        elif variant == PLAIN:
            variant = ""
        return task, variant, values.get("seed", DEFAULT_SEED), None if step is None else int(step)


def find(runs: Sequence[Path], layout: Layout) -> tuple[list[Found], list[str]]:
    """Return every checkpoint under the given folders, sorted by task, seed and step, and notes on skipped folders.

    A folder is a checkpoint if its path fits the layout and it holds ``config.json``, weights, an adapter or the
    sharded state of a training run. If it lacks other files that it needs, it is a broken checkpoint and is reported
    when it is opened. A folder with links to it is one checkpoint: under its own path if that fits the layout, else
    under the first link that does.

    Raises:
        BertdynError: a folder does not exist, nothing was found, or two folders are the same checkpoint.
    """
    found: dict[CheckpointKey, Found] = {}
    taken: list[FolderName] = []
    strangers: list[Path] = []
    lost: list[str] = []
    for run in runs:
        if not run.is_dir():
            raise BertdynError(f"There is no folder {run}.")
    tree = Tree(runs)
    elsewhere: list[tuple[FolderName, CheckpointKey]] = []
    for real in (*tree.holding(_is_model), *_sharded(tree, layout, lost)):
        try:
            named = _named(tree, real, layout)
        except BertdynError as error:
            lost.append(str(error))
            continue
        if named is None:
            strangers.append(tree.path(real))
            continue
        name, key = named
        if key.task == PRETRAINED:
            raise BertdynError(
                f"{name.path} would be task '{PRETRAINED}', which is the name of the reference: rename the folder, or "
                "give it with --reference."
            )
        if name.resolved:
            elsewhere.append((name, key))
            continue
        if key in found:
            raise BertdynError(
                f"{found[key].folder} and {name.path} are both checkpoint {key} under the layout {layout.template}. "
                "Name one of them, or a --layout that tells them apart."
            )
        found[key] = Found(key, name.path, str(name.path))
        taken.append(name)
    for name, key in elsewhere:  # the user did not name its path, so a path that was named wins
        if key in found:
            strangers.append(tree.path(name.real))
        else:
            found[key] = Found(key, name.path, str(name.path))
            taken.append(name)
    if not found and runs:
        raise BertdynError(lost[0] if lost else _nothing(runs, layout, strangers, tree))
    return [found[key] for key in sorted(found)], [*_notes(tree, layout, taken, strangers), *_left_out(lost)]


def reference(folder: Path, source: str) -> Found:
    """Return the pre-trained model, the reference of all comparisons."""
    return Found(PRETRAINED_KEY, folder, source)


def history(folder: Path, step: int | None = None) -> TrainingHistory:
    """Return the Trainer's log up to ``step`` (default: the step of the file itself)."""
    path = folder / TRAINER_STATE
    if not path.is_file():
        return TrainingHistory()
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return TrainingHistory(note=f"{path} cannot be read ({error}): no epoch, loss and metrics.")
    if not isinstance(state, dict):
        return TrainingHistory(note=f"{path} cannot be read (it holds no table of values): no epoch, loss and metrics.")
    entries = state.get("log_history")
    note = "" if isinstance(entries, list) else f"{path} has no list 'log_history': no loss and metrics."
    own = _whole(state.get("global_step"))
    last = step if step is not None else own
    log = tuple(_logged((e for e in entries if isinstance(e, dict)) if isinstance(entries, list) else (), last))
    losses = [entry["value"] for entry in log if entry["name"] == "loss" and entry["value"] is not None]
    metrics = {
        entry["name"]: entry["value"]
        for entry in log
        if entry["step"] == last
        and entry["name"].startswith("eval_")
        and not entry["name"].endswith(_TIMINGS)
        and entry["value"] is not None
    }
    return TrainingHistory(own, _number(state.get("epoch")), losses[-1] if losses else None, metrics, log, note)


def run_kind(folder: Path) -> RunKind:
    """Return the kind of the run that a checkpoint's folder belongs to, from the file RUN_NOTE beside the folder."""
    try:
        said = json.loads((folder.parent / RUN_NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # no such file, or one of another program
        return RunKind()
    kind = said.get("kind") if isinstance(said, dict) else None
    return RunKind(kind, _whole(said.get("k"))) if isinstance(kind, str) else RunKind()


def _logged(entries: Iterable[Mapping[str, Any]], last: int | None) -> Iterator[dict[str, Any]]:
    for entry in entries:
        step = _whole(entry.get("step"))
        if step is None or (last is not None and step > last):
            continue
        for name, value in entry.items():
            if name not in ("step", "epoch") and isinstance(value, (int, float)) and not isinstance(value, bool):
                yield {"step": step, "epoch": _number(entry.get("epoch")), "name": str(name), "value": _number(value)}


def _whole(value: object) -> int | None:
    """Return the value if it is a valid number of steps, else None."""
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_STEPS
    return value if whole else None  # type: ignore[return-value]


def _number(value: object) -> float | None:
    """Return a finite float, or None for other values: a NaN loss has no value, since JSON has no NaN."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer with hundreds of digits
        return None
    return number if math.isfinite(number) else None


def _is_model(files: Sequence[str]) -> bool:
    return not _MODEL.isdisjoint(files)


def _sharded(tree: Tree, layout: Layout, lost: list[str]) -> list[str]:
    """Return the real folders that hold the sharded state of a training run instead of a model.

    Args:
        lost: a list; folders whose path does not fit the layout are appended to it.
    """
    models = frozenset(tree.holding(_is_model))
    placed: dict[str, None] = {}
    for real in tree.holding(lambda files: True):
        if not is_sharded(os.path.basename(real), tree.files(real)):
            continue
        above = os.path.dirname(real)
        around = [above, real] if TRAINER_STATE in tree.files(above) else [real, above]
        fitting = [one for one in around if tree.knows(one) and _fits(tree, one, layout)]
        if fitting:
            placed[fitting[0]] = None
        elif above not in models:
            lost.append(f"{tree.path(real)} {training_format(Path(real))}")
    return [real for real in placed if real not in models]  # beside weights it is the state of an optimiser


def _fits(tree: Tree, real: str, layout: Layout) -> bool:
    return any(layout.read(name.path) is not None for name in tree.names(real, layout.depth))


def _left_out(lost: Sequence[str]) -> list[str]:
    """Return a note on folders that are not checkpoints, with the first reason."""
    return [f"{_count(len(lost), 'folder')} left out: {lost[0]}"] if lost else []


def _named(tree: Tree, real: str, layout: Layout) -> tuple[FolderName, CheckpointKey] | None:
    """Return the first name of a folder that fits the layout, and its checkpoint."""
    for name in tree.names(real, layout.depth):
        fields = layout.read(name.path)
        if fields is not None:
            task, variant, seed, step = fields
            return name, CheckpointKey(task, variant, seed, _step(name.path) if step is None else step)
    return None


def _notes(tree: Tree, layout: Layout, taken: Sequence[FolderName], strangers: Sequence[Path]) -> list[str]:
    notes = []
    if strangers:
        notes.append(
            f"{_count(len(strangers), 'folder')} with a model left out: {strangers[0]}"
            f"{' and others do' if len(strangers) > 1 else ' does'} not fit the layout {layout.template}."
        )
    again = tree.passed_over(taken)
    if again:
        notes.append(f"{_count(len(again), 'link')} to what is read under another name: {_listed(again)}.")
    if tree.dangling:
        notes.append(f"{_count(len(tree.dangling), 'link')} without a target: {_listed(tree.dangling)}.")
    if tree.closed:
        notes.append(f"{_count(len(tree.closed), 'folder')} that cannot be read: {_listed(tree.closed)}.")
    return notes


def _listed(items: Sequence[object]) -> str:
    more = len(items) - _NOTED
    return "; ".join(map(str, items[:_NOTED])) + (f"; and {more:,} more" if more > 0 else "")


def _step(folder: Path) -> int:
    own = history(folder).step
    if own is None:
        raise BertdynError(
            f"The step of {folder} is unknown: it has no {TRAINER_STATE} with a global_step, and the layout has no "
            "{step}."
        )
    return own


def _pattern(part: str) -> str:
    out, end = "", 0
    for match in _FIELD.finditer(part):
        out += re.escape(part[end : match.start()])
        name = match.group(1)
        out += ".*" if name is None else rf"(?P<{name}>{'[0-9]+' if name == 'step' else '.+'})"
        end = match.end()
    return out + re.escape(part[end:])


def _nothing(runs: Sequence[Path], layout: Layout, strangers: Sequence[Path], tree: Tree) -> str:
    where = ", ".join(map(str, runs))
    wanted = f"folders {layout.template} with {CONFIG} and {WEIGHTS[0]} or {WEIGHTS[2]}"
    if not strangers:
        return " ".join([f"No checkpoint under {where}: looked for {wanted}.", *_notes(tree, layout, (), ())])
    return (
        f"No checkpoint under {where}: looked for {wanted}. {_count(len(strangers), 'folder')} with a model "
        f"{'do' if len(strangers) > 1 else 'does'} not fit, such as {strangers[0]}: give a --layout that does."
    )


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
