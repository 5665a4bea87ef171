"""Parse the reference of a comparison (``--against``) and find the reference checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from store.errors import BertdynError
from store.keys import PLAIN, PRETRAINED, PRETRAINED_KEY, CheckpointKey, task_and_variant

SEEDS, NEXT_SEED = "seeds", "next-seed"
KINDS = (PRETRAINED, "first", "previous", "final", PLAIN, SEEDS, NEXT_SEED)
"""Words that ``--against`` takes. ``plain``: the same task, seed and step without a variant. ``seeds``: every other
seed of the task at the same step; ``next-seed``: the one after its own, and the first one after the last."""

_SAID = {
    PRETRAINED: "the pre-trained model",
    "first": "the run's first checkpoint",
    "previous": "the checkpoint before",
    "final": "the run's final checkpoint",
    PLAIN: "the plain run at the same step",
    SEEDS: "the other seeds at the same step",
    NEXT_SEED: "the next seed at the same step",
}

Runs = Mapping[tuple[str, str], Sequence[CheckpointKey]]
"""Checkpoints of each run in the order of their steps, by (task with variant, seed)."""


@dataclass(frozen=True)
class Against:
    """The reference that checkpoints are compared with: one of KINDS, ``seed:N``, ``task:NAME`` or the key of a
    checkpoint."""

    kind: str
    seed: str = ""
    key: CheckpointKey | None = None
    task: str = ""
    """Task with its variant, of the kind ``task``: the same seed and step of another task."""

    def __str__(self) -> str:
        named = {"seed": self.seed, "task": self.task}
        return f"{self.kind}:{named[self.kind]}" if self.kind in named else str(self.key) if self.key else self.kind

    @classmethod
    def parse(cls, text: str, flag: str = "--against") -> Against:
        """Parse one of KINDS, ``seed:N``, ``task:NAME``, ``TASK/SEED/STEP`` or ``TASK+VARIANT/SEED/STEP``.

        Args:
            flag: name of the choice, for messages.

        Raises:
            BertdynError: the text is none of them.
        """
        if text in KINDS:
            return cls(text)
        if text.startswith("seed:") and len(text) > 5:
            return cls("seed", seed=text[5:])
        if text.startswith("task:") and len(text) > 5:
            return cls("task", task=text[5:])
        if (key := CheckpointKey.parse(text)) is not None:
            return cls("key", key=key)
        raise BertdynError(
            f"{flag}: '{text}' is not one of {', '.join(KINDS)}, seed:N, task:NAME, TASK/SEED/STEP or "
            "TASK+VARIANT/SEED/STEP."
        )

    @property
    def said(self) -> str:
        """The reference in words: 'the pre-trained model', 'seed 2 at the same step'."""
        if self.kind in ("seed", "task"):
            return f"{self.kind} {self.seed or self.task} at the same step"
        return _SAID.get(self.kind, str(self))

    @property
    def between_seeds(self) -> bool:
        """Whether seeds of one task are compared."""
        return self.kind in ("seed", SEEDS, NEXT_SEED)

    @property
    def follows(self) -> bool:
        """Whether the reference moves along the run, so that values are changes since the checkpoint before."""
        return self.kind == "previous"

    def reference(self, key: CheckpointKey, runs: Runs) -> CheckpointKey | None:
        """Return the checkpoint that ``key`` is compared with; None if there is none."""
        match self.kind:
            case "pretrained":
                return _there(PRETRAINED_KEY, runs)
            case "first":
                return runs[key.recipe, key.seed][0]
            case "previous":
                run = runs[key.recipe, key.seed]
                place = run.index(key)
                return run[place - 1] if place else None
            case "final":
                return runs[key.recipe, key.seed][-1]
            case "plain":
                return _there(CheckpointKey.plain(key.task, key.seed, key.step), runs) if key.variant else None
            case "seed":
                return _there(key._replace(seed=self.seed), runs)
            case "task":
                task, variant = task_and_variant(self.task)
                other = key._replace(task=task, variant=variant)
                return _there(other, runs) if other != key else None
            case "next-seed":
                seeds = sorted((seed for recipe, seed in runs if recipe == key.recipe), key=seed_order)
                after = seeds[(seeds.index(key.seed) + 1) % len(seeds)]
                return _there(key._replace(seed=after), runs)
            case _:
                return None if self.key is None else _there(self.key, runs)


def runs_of(keys: Iterable[CheckpointKey]) -> Runs:
    """Return the checkpoints of each run in the order of their steps."""
    runs: dict[tuple[str, str], list[CheckpointKey]] = {}
    for key in sorted(keys):
        runs.setdefault((key.recipe, key.seed), []).append(key)
    return runs


def seed_order(seed: str) -> tuple[int, int, str]:
    """Return a sort key of seeds: numbers by size, then words."""
    return (0, int(seed), seed) if seed.isascii() and seed.isdigit() else (1, 0, seed)


def _there(key: CheckpointKey, runs: Runs) -> CheckpointKey | None:
    return key if key in runs.get((key.recipe, key.seed), ()) else None
