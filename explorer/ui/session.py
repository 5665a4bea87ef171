"""What a store was left with: the state, the panel, what other parts add. One file a store, and one of its presets.

Files are written whole and renamed into place: a dropped connection or a full disk leaves the one before. Two
explorers of one store write the same file and the last one wins; presets are read again before each change, so that
neither loses the other's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from explorer.ui.codec import decode, encode
from explorer.ui.modes import MODES
from explorer.ui.state import State

_VERSION = 2
_NAMED = 60
"""Characters of the store's name that the file's name begins with, for people who look."""


@dataclass(frozen=True)
class Saved:
    """What is kept of a session."""

    state: State = field(default_factory=State)
    folded: bool | None = None
    """The panel, where the user said so."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What other parts want to find again (a statement, a history), by a name of theirs; JSON values only."""


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where sessions are: bertdyn/sessions under $XDG_STATE_HOME or ~/.local/state."""
    base = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "bertdyn" / "sessions"


class Session:
    """The files of one store, whatever path leads to it. Never raises: a session is a comfort, not a duty."""

    def __init__(self, store: Path, environ: Mapping[str, str] = os.environ) -> None:
        real = os.path.realpath(store)
        name = f"{os.path.basename(real)[:_NAMED]}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}"
        self._store = real
        self.path = folder(environ) / f"{name}.json"
        self.presets_path = folder(environ) / f"{name}.presets.json"
        self._lock = threading.Lock()
        self._asked = self._written = 0

    def read(self) -> Saved:
        """What was saved last; a fresh start where nothing was, or nothing that can be read."""
        said = _json(self.path)
        saved = decode(Saved, said) if said.get("version") == _VERSION else Saved()
        return saved if saved.state.mode in MODES else replace(saved, state=State())

    def write(self, saved: Saved) -> None:
        """Save, unless something newer was asked to be saved meanwhile."""
        self.writer(saved)()

    def writer(self, saved: Saved) -> Callable[[], None]:
        """The same as a chore for another thread; its place in the order is taken now."""
        self._asked += 1
        number = self._asked

        def chore() -> None:
            with self._lock:
                if number > self._written:
                    self._written = number
                    _replace(self.path, {"version": _VERSION, "store": self._store, **encode(saved)})

        return chore

    def presets(self) -> dict[str, State]:
        """Selections kept by name, by name."""
        said = _json(self.presets_path).get("presets")
        named = said.items() if isinstance(said, dict) else ()
        return {name: decode(State, state) for name, state in sorted(named)}

    def keep(self, name: str, state: State) -> bool:
        """Keep a selection under a name, in place of one of that name; False when it could not be written."""
        return self._changed({**self.presets(), name: state})

    def drop(self, name: str) -> bool:
        """Forget one; False when that could not be written."""
        return self._changed({n: state for n, state in self.presets().items() if n != name})

    def _changed(self, presets: Mapping[str, State]) -> bool:
        return _replace(self.presets_path, {"version": _VERSION, "store": self._store, "presets": encode(presets)})


def _json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _replace(path: Path, said: Mapping[str, Any]) -> bool:
    draft = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(said, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except (OSError, ValueError):  # ValueError: a lone surrogate has no UTF-8
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        return False
    return True
