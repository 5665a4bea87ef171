"""Parse the reference of a comparison (``--against``) and find the reference checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.errors import BertdynError
from store.keys import PLAIN, PRETRAINED, PRETRAINED_KEY, CheckpointKey

SEEDS = "seeds"
KINDS = (PRETRAINED, "first", "previous", "final", PLAIN, SEEDS)
"""Words that ``--against`` takes. ``plain``: the same task, seed and step without a variant. ``seeds``: every other
seed of the task at the same step."""

_SAID = {
    PRETRAINED: "the pre-trained model",
    "first": "the run's first checkpoint",
    "previous": "the checkpoint before",
    "final": "the run's final checkpoint",
    SEEDS: "the other seeds at the same step",
}

Runs = Mapping[tuple[str, str], Sequence[CheckpointKey]]
"""Checkpoints of each run in the order of their steps, by (task with variant, seed)."""


@dataclass(frozen=True)
class Against:
    """The reference that checkpoints are compared with: one of KINDS, ``seed:N`` or the key of a checkpoint."""

    kind: str
    seed: str = ""
    key: CheckpointKey | None = None

    def __str__(self) -> str:
        return f"seed:{self.seed}" if self.kind == "seed" else str(self.key) if self.key else self.kind

    @classmethod
    def parse(cls, text: str) -> Against:
        """Parse one of KINDS, ``seed:N``, ``TASK/SEED/STEP`` or ``TASK+VARIANT/SEED/STEP``.

        Raises:
            BertdynError: the text is none of them.
        """
        if text in KINDS:
            return cls(text)
        if text.startswith("seed:") and len(text) > 5:
            return cls("seed", seed=text[5:])
        if (key := CheckpointKey.parse(text)) is not None:
            return cls("key", key=key)
        raise BertdynError(
            f"--against: '{text}' is not one of {', '.join(KINDS)}, seed:N, TASK/SEED/STEP or TASK+VARIANT/SEED/STEP."
        )

    @property
    def said(self) -> str:
        """The reference in words: 'the pre-trained model', 'seed 2 at the same step'."""
        return f"seed {self.seed} at the same step" if self.kind == "seed" else _SAID.get(self.kind, str(self))

    @property
    def between_seeds(self) -> bool:
        """Whether seeds of one task are compared."""
        return self.kind in ("seed", SEEDS)

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
            case _:
                return None if self.key is None else _there(self.key, runs)


def _there(key: CheckpointKey, runs: Runs) -> CheckpointKey | None:
    return key if key in runs.get((key.recipe, key.seed), ()) else None
