"""What a store was left with: the state, the panel, what other parts add. One file a store, and one of its presets.

Files are written whole and renamed into place: a dropped connection, a full disk or a kill leaves the one before. Two
explorers of one store write the same file and the last one wins; presets are read again before each change, so that
neither loses the other's. A file that cannot be understood is never lost: the session's is set aside before it is
replaced, the presets' is not replaced at all.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from explorer.selection.codec import decode, encode
from explorer.ui.modes import MODES
from explorer.ui.state import State

_VERSION = 2
_DRAFT = ".tmp"
_STALE_SECONDS = 3600
"""Drafts that are older were left by a process that was killed."""
_NAMED = 60
"""Bytes of the store's name that the file's name begins with, for people who look."""


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
        named = os.fsencode(os.path.basename(real))[:_NAMED].decode("utf-8", "ignore")
        name = f"{named}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}"
        self._store = real
        self.path = folder(environ) / f"{name}.json"
        self.presets_path = folder(environ) / f"{name}.presets.json"
        self._lock = threading.Lock()
        self._asked = self._written = 0
        self.trouble = ""
        """Why the file that is there was not taken for a session; empty where it was, or there is none."""

    def read(self) -> Saved:
        """What was saved last; a fresh start where nothing was, or nothing that can be read (then see ``trouble``)."""
        _tidy(self.path)
        said, self.trouble = _json(self.path)
        if not self.trouble and said and said.get("version") != _VERSION:
            self.trouble = "it is of another version of bertdyn"
        if self.trouble:
            return Saved()
        saved = decode(Saved, said)
        return saved if saved.state.mode in MODES else replace(saved, state=State())

    def write(self, saved: Saved) -> str:
        """Save, unless something newer was asked to be saved meanwhile; why that could not be done, or nothing."""
        return self.writer(saved)()

    def writer(self, saved: Saved) -> Callable[[], str]:
        """The same as a chore for another thread; its place in the order is taken now."""
        self._asked += 1
        number = self._asked

        def chore() -> str:
            with self._lock:
                if number <= self._written:
                    return ""
                self._written = number
                if self.trouble:
                    with contextlib.suppress(OSError):
                        os.replace(self.path, self.aside)
                    self.trouble = ""
                return _replace(self.path, {"version": _VERSION, "store": self._store, **encode(saved)})

        return chore

    @property
    def aside(self) -> Path:
        """Where a file goes that is none of ours."""
        return self.path.with_name(self.path.name + ".old")

    def presets(self) -> dict[str, State]:
        """Selections kept by name, by name."""
        said = _json(self.presets_path)[0].get("presets")
        named = said.items() if isinstance(said, dict) else ()
        return {name: decode(State, state) for name, state in sorted(named)}

    def keep(self, name: str, state: State) -> str:
        """Keep a selection under a name, in place of one of that name; why that could not be done, or nothing."""
        return self._changed({**self.presets(), name: state})

    def drop(self, name: str) -> str:
        """Forget one; why that could not be done, or nothing."""
        return self._changed({n: state for n, state in self.presets().items() if n != name})

    def _changed(self, presets: Mapping[str, State]) -> str:
        trouble = _json(self.presets_path)[1]
        if trouble:
            return f"{trouble}: '{self.presets_path}'"
        return _replace(self.presets_path, {"version": _VERSION, "store": self._store, "presets": encode(presets)})


def _json(path: Path) -> tuple[dict[str, Any], str]:
    """What a file says, or why it says nothing; a file that is not there says nothing, and that is no trouble."""
    try:
        said = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"it cannot be read ({error.strerror})"
    except (ValueError, RecursionError):
        return {}, "it is damaged"
    return (said, "") if isinstance(said, dict) else ({}, "it is damaged")


def _tidy(path: Path) -> None:
    """Remove what a process that was killed in the middle of writing has left."""
    with contextlib.suppress(OSError):
        for draft in path.parent.glob(f".{glob.escape(path.name)}.*{_DRAFT}"):
            if time.time() - draft.stat().st_mtime > _STALE_SECONDS:
                draft.unlink()


def _replace(path: Path, said: Mapping[str, Any]) -> str:
    """Write a file whole or not at all; why not, or nothing."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_DRAFT}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(said, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except (OSError, ValueError) as error:  # ValueError: a lone surrogate has no UTF-8
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        why = (error.strerror or str(error)) if isinstance(error, OSError) else "a name in it is no text"
        return f"{why}: '{path}'"
    return ""
