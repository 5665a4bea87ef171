"""Define the request that makes the demo's store. The explorer uses this module: it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from explorer.compute.protocol import Outcome, Update
from explorer.compute.requests import Request
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.demo.run import DemoStage


STORE = "demo.bertdyn"
"""Name of the store in the demo's folder."""
STEPS = "training steps"
"""Unit of the progress of training."""


def begun(folder: Path) -> Path:
    """Return the path of the demo's store in a folder; it is created, empty, if it is not there.

    Raises:
        BertdynError: the folder is not writable, or the store's name is taken.
    """
    from store.store import Store

    path = folder.absolute() / STORE
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BertdynError(f"The demo cannot write '{folder}': {error.strerror}. Name another folder.") from None
    Store.open_or_create(path)
    return path


@dataclass(frozen=True)
class Demo(Request):
    """Make the demo's store, or go on with it."""

    units: ClassVar[str] = STEPS
    doing: ClassVar[str] = "making"
    undone: ClassVar[str] = "The demo is not complete"
    kept: ClassVar[str] = "what was trained and extracted is kept. bertdyn-tui --demo goes on"
    beside: ClassVar[bool] = True
    module: ClassVar[str] = "explorer.demo.job"

    @property
    def title(self) -> str:
        """See ``Request``."""
        return "demo"

    @property
    def subject(self) -> str:
        """See ``Request``."""
        return "runs of a tiny BERT"

    def run(self, store: Path, progress: Callable[[Update], None]) -> Outcome:
        """See ``Request``."""
        from explorer.demo.run import make_demo

        make_demo(store.parent, _Told(progress))
        return Outcome(0, 0, said=("The demo is complete: its runs are trained, extracted and measured.",))


class _Told:
    """Turns stages into updates: training steps are counted, other stages are named."""

    def __init__(self, progress: Callable[[Update], None]) -> None:
        from explorer.demo.recipe import SEEDS, TASKS, Recipe

        self._progress = progress
        # Training is told before anything else: if it is not, all of it was done before.
        self._steps = self._total = len(TASKS) * len(SEEDS) * Recipe().steps[-1]

    def __call__(self, stage: DemoStage) -> None:
        if stage.unit == STEPS:
            self._steps, self._total = stage.done, stage.total
            current = "fine-tuning"
        else:
            current = f"{stage.name}: {stage.done:,} of {stage.total:,} {stage.unit}"
        if stage.total:
            self._progress(Update(self._steps, self._total, 0, current))
