"""Sessions: the state in which a store was left. One file per store, and one of its presets.

Files are written whole and renamed into place: a dropped connection, a full disk or a kill leaves the one before. Two
explorers of one store write the same file and the last one wins; presets are read again before each change, so that
neither loses the other's. A file that cannot be read is never lost: the session's is set aside before it is
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
"""Older drafts were left by a process that was killed."""
_NAMED = 60
"""Most bytes of the store's name in the file's name; they are for people who look."""


@dataclass(frozen=True)
class Saved:
    """Content of a session."""

    state: State = field(default_factory=State)
    folded: bool | None = None
    """Whether the panel is folded; None: the user did not say."""
    extra: dict[str, Any] = field(default_factory=dict)
    """JSON values that modes keep (a statement, a history), by mode."""


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of sessions: bertdyn/sessions under $XDG_STATE_HOME or ~/.local/state."""
    base = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "bertdyn" / "sessions"


class Session:
    """The files of one store, whatever path leads to it. Never raises: the explorer works without a session."""

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
        """Why the existing file was not accepted; empty where it was, or there is none."""

    def read(self) -> Saved:
        """Return what was saved last; a fresh start where there is nothing, or nothing readable (see ``trouble``)."""
        _tidy(self.path)
        said, self.trouble = _json(self.path)
        if not self.trouble and said and said.get("version") != _VERSION:
            self.trouble = "it is of another version of bertdyn"
        if self.trouble:
            return Saved()
        saved = decode(Saved, said)
        return saved if saved.state.mode in MODES else replace(saved, state=State())

    def write(self, saved: Saved) -> str:
        """Save, unless something newer was saved meanwhile; return why that failed, or nothing."""
        return self.writer(saved)()

    def writer(self, saved: Saved) -> Callable[[], str]:
        """Return the same as a function for another thread; its place in the order is taken now."""
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
        """Path to which an unreadable file is moved."""
        return self.path.with_name(self.path.name + ".old")

    def presets(self) -> dict[str, State]:
        """Return the kept selections by name, sorted."""
        said = _json(self.presets_path)[0].get("presets")
        named = said.items() if isinstance(said, dict) else ()
        return {name: decode(State, state) for name, state in sorted(named)}

    def keep(self, name: str, state: State) -> str:
        """Keep a selection under a name, replacing one of that name; return why that failed, or nothing."""
        return self._changed({**self.presets(), name: state})

    def drop(self, name: str) -> str:
        """Forget a selection; return why that failed, or nothing."""
        return self._changed({n: state for n, state in self.presets().items() if n != name})

    def _changed(self, presets: Mapping[str, State]) -> str:
        trouble = _json(self.presets_path)[1]
        if trouble:
            return f"{trouble}: '{self.presets_path}'"
        return _replace(self.presets_path, {"version": _VERSION, "store": self._store, "presets": encode(presets)})


def _json(path: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a file, or why it cannot be read; a missing file is empty, without a reason."""
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
    """Remove drafts of processes that were killed while writing."""
    with contextlib.suppress(OSError):
        for draft in path.parent.glob(f".{glob.escape(path.name)}.*{_DRAFT}"):
            if time.time() - draft.stat().st_mtime > _STALE_SECONDS:
                draft.unlink()


def _replace(path: Path, said: Mapping[str, Any]) -> str:
    """Write a file whole or not at all; return why it failed, or nothing."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_DRAFT}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(said, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except (OSError, ValueError) as error:  # ValueError: a lone surrogate has no UTF-8
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        why = (error.strerror or str(error)) if isinstance(error, OSError) else "a name in it is not text"
        return f"{why}: '{path}'"
    return ""
