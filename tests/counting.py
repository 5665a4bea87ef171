"""Two kinds of request of somebody else's: they count. Nothing of ours names them but the list of kinds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from explorer.compute.protocol import Outcome, Update
from explorer.compute.requests import Request

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Count(Request):
    """Count to a number, with a rest after each."""

    units: ClassVar[str] = "words"
    doing: ClassVar[str] = "counting"
    undone: ClassVar[str] = "Not counted"
    kept: ClassVar[str] = "counted words stay"

    to: int
    rest: float = 0.0

    @property
    def title(self) -> str:
        return "count"

    @property
    def subject(self) -> str:
        return f"words up to {self.to}"

    @property
    def facts(self) -> Mapping[str, str]:
        return {"last": str(self.to)}

    def run(self, store: Path, progress: Callable[[Update], None]) -> Outcome:
        for number in range(self.to + 1):
            progress(Update(number, self.to, 0, f"word {number}"))
            time.sleep(self.rest)
        return Outcome(self.to, 0, said=(f"{self.to} words were counted in {store.name}",))


@dataclass(frozen=True)
class Tally(Count):
    """Count beside the queue."""

    beside: ClassVar[bool] = True

    @property
    def title(self) -> str:
        return "tally"


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which child processes know both kinds from their start.

    Args:
        folder: a place for the module that tells them.
    """
    told = "from explorer.compute.requests import KINDS\nfrom tests.counting import Count, Tally\n"
    told += "KINDS.extend((Count, Tally))\n"
    (folder / "sitecustomize.py").write_text(told)
    return {"PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT)))}
