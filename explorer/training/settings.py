"""Hyper-parameters of a fine-tuning run, from flags or a TOML file. Pure but for reading that file."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from store.errors import BertdynError

Pooler = Literal["kept", "fresh"]
POOLERS: tuple[Pooler, ...] = get_args(Pooler)
_QUARTERS = 4


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters; the defaults are those of Devlin et al. 2019 (their smallest learning rate)."""

    epochs: float = 3.0
    max_steps: int = 0
    """Number of optimiser steps; 0: as many as ``epochs`` need."""
    batch_size: int = 32
    learning_rate: float = 2e-5
    """Peak learning rate of AdamW; it rises linearly during the warm-up, then falls linearly to 0."""
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.01
    max_length: int = 128
    """Maximum tokens of an example; longer ones are cut off."""
    checkpoints: tuple[int, ...] = ()
    """Steps at which a checkpoint is evaluated and written, besides the last; empty: 0 and every quarter of the run."""
    frozen_dropout: bool = True
    """Whether dropout stays on inside frozen layers, as it does where only the weights are frozen."""
    pooler: Pooler = "kept"
    """Whether the pre-trained pooler is kept, or a run starts with a new one."""

    def __post_init__(self) -> None:
        """
        Raises:
            BertdynError: a value is out of its range.
        """
        checks = {
            "epochs": 0 < self.epochs < math.inf,
            "max_steps": self.max_steps >= 0,
            "batch_size": self.batch_size >= 1,
            "learning_rate": 0 < self.learning_rate < math.inf,
            "warmup": 0 <= self.warmup < 1,
            "weight_decay": 0 <= self.weight_decay < math.inf,
            "max_length": self.max_length >= 1,
            "checkpoints": all(step >= 0 for step in self.checkpoints),
            "pooler": self.pooler in POOLERS,
        }
        for name, fine in checks.items():
            if not fine:
                raise BertdynError(f"{_flag(name)} {getattr(self, name)}: out of range.")

    def total(self, examples: int) -> int:
        """Return the number of optimiser steps for a number of training examples."""
        return self.max_steps or math.ceil(self.epochs * math.ceil(examples / self.batch_size))

    def saved(self, total: int) -> tuple[int, ...]:
        """Return the steps at which a checkpoint is written, ascending.

        Raises:
            BertdynError: a stated step comes after the last one.
        """
        late = [step for step in self.checkpoints if step > total]
        if late:
            raise BertdynError(f"--checkpoints {late[0]}: the run ends at step {total}.")
        stated = self.checkpoints or [total * part // _QUARTERS for part in range(_QUARTERS)]
        return tuple(sorted({*stated, total}))


NAMES = tuple(field.name for field in fields(Settings))


def settled(given: Mapping[str, Any], file: Path | None) -> Settings:
    """Return the settings: those given, else those of a TOML file, else the defaults.

    Args:
        given: values by name; None for a value that is not given.

    Raises:
        BertdynError: the file cannot be read, names an unknown setting or holds a value of another type; or a value is
            out of its range.
    """
    stated = {name: value for name, value in given.items() if value is not None}
    return replace(Settings(), **({} if file is None else _read(file)) | stated)


def _read(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BertdynError(f"--settings {file}: {error.strerror}.") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise BertdynError(f"--settings {file}: {error}.") from None
    return {name: _typed(name, value, file) for name, value in table.items()}


def _typed(name: str, value: Any, file: Path) -> Any:
    if name not in NAMES:
        raise BertdynError(f"--settings {file}: there is no setting '{name}', only {', '.join(NAMES)}.")
    default = getattr(Settings(), name)
    if isinstance(default, tuple) and isinstance(value, list) and all(type(step) is int for step in value):
        return tuple(value)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise BertdynError(f"--settings {file}: {name} = {value!r} is not like its default, {default!r}.")
    return value


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
