"""A run's folders. A checkpoint's folder exists when it is complete, and only then.

OUT/<task>+<variant>/seed-<N>/run.json                how the run is made
OUT/<task>+<variant>/seed-<N>/checkpoint-<step>/      finished checkpoints
OUT/.unfinished/<task>+<variant> seed <N>/            the Trainer's own folder, with the state of the optimiser
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.training.variants import Variant
from store.errors import BertdynError
from store.extract.find import RUN_NOTE
from store.keys import recipe_of

_PART = ".part"
_STATE = ("optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth")
"""Files that only the Trainer needs, to go on."""


@dataclass(frozen=True)
class Run:
    """One fine-tuning run and its place."""

    out: Path
    task: str
    variant: Variant
    seed: int

    @property
    def recipe(self) -> str:
        """Task and variant as one name."""
        return recipe_of(self.task, self.variant.name)

    @property
    def folder(self) -> Path:
        """Folder of the finished checkpoints."""
        return self.out / self.recipe / f"seed-{self.seed}"

    @property
    def draft(self) -> Path:
        """Folder of an unfinished run, which extraction does not look into."""
        return self.out / ".unfinished" / f"{self.recipe} seed {self.seed}"

    def __str__(self) -> str:
        return f"{self.recipe} seed {self.seed}"

    def checkpoint(self, step: int) -> Path:
        """Return the folder of the finished checkpoint of a step."""
        return self.folder / f"checkpoint-{step}"

    def written(self) -> tuple[int, ...]:
        """Return the steps of the finished checkpoints, ascending."""
        steps = (path.name.removeprefix("checkpoint-") for path in self.folder.glob("checkpoint-*"))
        return tuple(sorted(int(step) for step in steps if step.isdecimal()))

    def last_draft(self) -> Path | None:
        """Return the Trainer's last complete checkpoint of an interrupted run; None if there is none.

        A checkpoint is published after the Trainer has written it, so what is published is complete.
        """
        drafts = [self.draft / f"checkpoint-{step}" for step in self.written()]
        return next((draft for draft in reversed(drafts) if (draft / _STATE[0]).is_file()), None)

    def check(self, note: Mapping[str, Any]) -> None:
        """Refuse to go on with a run that was begun in another way.

        Raises:
            BertdynError: the run's folder says that it was.
        """
        path = self.folder / RUN_NOTE
        if not path.is_file():
            if self.written():
                raise BertdynError(f"{self.folder} has checkpoints of another origin: name another --out or --task.")
            return
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BertdynError(
                f"{path} cannot be read ({error}): remove {self.folder} to train the run again."
            ) from None
        for name, value in json.loads(self._text(note)).items():
            if there.get(name) != value:
                raise BertdynError(
                    f"{self.folder} was made with {name} {there.get(name)}, not {value}: name another --out or --task."
                )

    def begin(self, note: Mapping[str, Any]) -> None:
        """Make the run's folder and write down how the run is made.

        Raises:
            OSError: the disk is full or not writable.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / RUN_NOTE
        part = path.with_suffix(_PART)
        part.write_text(self._text(note), encoding="utf-8")
        part.replace(path)

    def _text(self, note: Mapping[str, Any]) -> str:
        """Return what is written down: the kind of variant, and how all runs of the ablation are made."""
        kind = self.variant.kind
        return json.dumps({"kind": kind.name, "k": self.variant.k if kind.counted else None, **note}, indent=2) + "\n"

    def publish(self, step: int, write: Callable[[Path], None]) -> None:
        """Let ``write`` fill a new folder, and make it the checkpoint of a step; an existing one stays.

        Raises:
            OSError: the disk is full or not writable.
        """
        if self.checkpoint(step).is_dir():
            return
        part = self.folder / f"{_PART}-{step}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        write(part)
        part.rename(self.checkpoint(step))

    def publish_draft(self, step: int) -> None:
        """Publish the Trainer's checkpoint of a step, without the state of its optimiser, and drop earlier drafts.

        Raises:
            OSError: the disk is full or not writable.
        """
        draft = self.draft / f"checkpoint-{step}"

        def link(part: Path) -> None:
            for file in draft.iterdir():
                if file.name not in _STATE:
                    _link(file, part / file.name)

        self.publish(step, link)
        for other in self.draft.glob("checkpoint-*"):
            if other != draft:
                shutil.rmtree(other, ignore_errors=True)

    def finish(self) -> None:
        """Remove the Trainer's folder."""
        shutil.rmtree(self.draft, ignore_errors=True)
        if self.draft.parent.is_dir() and not any(self.draft.parent.iterdir()):
            self.draft.parent.rmdir()


def _link(file: Path, copy: Path) -> None:
    """Link a file under another name, or copy it where the file system has no links."""
    try:
        os.link(file, copy)
    except OSError:
        shutil.copy2(file, copy)
