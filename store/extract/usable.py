"""Check from their files which of the found checkpoints can be loaded, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.errors import BertdynError
from store.extract.find import Found
from store.extract.tokens import files_digest, has_tokenizer
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.models.load import ModelFiles, look
from store.models.quiet import first_line

_KEYS = 3
"""Number of checkpoints that a note names."""


@dataclass(frozen=True, eq=False)
class Usable:
    """A checkpoint that can be loaded, as far as its files tell."""

    found: Found
    model: ModelFiles
    tokenizer: str
    """Digest of its tokenizer's files; empty if it has none."""


def sentence(found: Found, error: Exception) -> str:
    """Return an error of a checkpoint as one sentence that names the checkpoint."""
    if isinstance(error, BertdynError):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""  # the file that cannot be read or written
        return f"{found.folder} fails: {error.strerror or error}{where}."
    return f"{found.folder} fails ({type(error).__name__}): {first_line(error)}"


def inspect(found: Sequence[Found]) -> tuple[list[Usable], list[tuple[CheckpointKey, str]]]:
    """Inspect the files of every checkpoint; a broken one never stops the others.

    Returns:
        The checkpoints that can be loaded, and the others with one sentence each.
    """
    usable: list[Usable] = []
    failed: list[tuple[CheckpointKey, str]] = []
    base = next((one.folder for one in found if one.key == PRETRAINED_KEY), None)
    for checkpoint in found:
        folder = checkpoint.folder
        try:
            model = look(folder, base)
            usable.append(Usable(checkpoint, model, files_digest(folder) if has_tokenizer(folder) else ""))
        except Exception as error:
            failed.append((checkpoint.key, sentence(checkpoint, error)))
    return usable, failed


def readings(usable: Sequence[Usable]) -> list[str]:
    """Return notes on unusual ways in which models are read, each once, with its checkpoints."""
    keys: dict[str, list[str]] = {}
    for checkpoint in usable:
        for note in checkpoint.model.notes:
            keys.setdefault(note, []).append(str(checkpoint.found.key))
    return [f"{_few(names)}: {note}." for note, names in keys.items()]


def _few(names: Sequence[str]) -> str:
    more = len(names) - _KEYS
    return ", ".join(names[:_KEYS]) + (f" and {more:,} more" if more > 0 else "")
