"""Sessions: the state in which a store was left. Each store has one file for its session and one for its presets.

Files are written whole and renamed into place: after a dropped connection, a full disk or a kill the previous file is
still there. If two explorers show one store, the one that saves last wins; presets are read again before each change,
so that no explorer loses presets of another one. A file that cannot be read is never lost: a session file is moved
aside before it is replaced, and a preset file is not replaced at all.
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
from explorer.ui.state import LANDING, State
from explorer.ui.visits import Seen

_VERSION = 2
_DRAFT = ".tmp"
_STALE_SECONDS = 3600
"""Age from which a draft counts as left over by a process that was killed."""
_NAMED = 60
"""Largest number of bytes of the store's name in the file's name, which help people to recognise the file."""


@dataclass(frozen=True)
class Saved:
    """Content of a session."""

    state: State = field(default_factory=lambda: LANDING)
    folded: bool | None = None
    """Whether the user folded the panel; None: the user did not choose."""
    extra: dict[str, Any] = field(default_factory=dict)
    """JSON values that modes keep (a statement, a history), by mode."""
    seen: Seen | None = None
    """What of the store was there; None: there was no visit yet."""


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of sessions: bertdyn/sessions under $XDG_STATE_HOME or ~/.local/state."""
    base = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(os.path.expanduser(base)) / "bertdyn" / "sessions"


class Session:
    """The files of one store; all paths to the store share them. Never raises: the explorer works without a session."""

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
        """Reason why the existing file could not be used; empty if it could, or if there is no file."""

    def read(self) -> Saved:
        """Return the saved session; a new one if there is no file, or if it cannot be read (see ``trouble``)."""
        _tidy(self.path)
        said, self.trouble = _json(self.path)
        if not self.trouble and said and said.get("version") != _VERSION:
            self.trouble = "it is of another version of bertdyn"
        if self.trouble:
            return Saved()
        saved = decode(Saved, said)
        return saved if saved.state.mode in MODES else replace(saved, state=LANDING)

    def write(self, saved: Saved) -> str:
        """Save, unless a newer state has been saved; return the reason if that failed, else an empty text."""
        return self.writer(saved)()

    def writer(self, saved: Saved) -> Callable[[], str]:
        """Return a function that does ``write`` in another thread; the order of calls decides which state is newer."""
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
        """Return the kept selections, sorted by name."""
        return {name: decode(State, state) for name, state in sorted(self._named("presets").items())}

    def remarks(self) -> dict[str, str]:
        """Return what the user wrote about kept selections, by their names; those without a remark are not listed."""
        return {name: text for name, text in self._named("remarks").items() if isinstance(text, str) and text}

    def keep(self, name: str, state: State, remark: str = "") -> str:
        """Keep a selection under a name, which may exist; return the reason if that failed, else an empty text."""
        return self._changed({**self.presets(), name: state}, {**self.remarks(), name: remark})

    def drop(self, name: str) -> str:
        """Delete a kept selection; return the reason if that failed, else an empty text."""
        presets, remarks = self.presets(), self.remarks()
        presets.pop(name, None)
        remarks.pop(name, None)
        return self._changed(presets, remarks)

    def _named(self, what: str) -> dict[str, Any]:
        said = _json(self.presets_path)[0].get(what)
        return said if isinstance(said, dict) else {}

    def _changed(self, presets: Mapping[str, State], remarks: Mapping[str, str]) -> str:
        trouble = _json(self.presets_path)[1]
        if trouble:
            return f"{trouble}: '{self.presets_path}'"
        content = {"presets": encode(presets), "remarks": {name: text for name, text in remarks.items() if text}}
        return _replace(self.presets_path, {"version": _VERSION, "store": self._store, **content})


def _json(path: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a file and why it cannot be read; a missing file has no content and no reason."""
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
    """Write a file whole or not at all; return the reason if that failed, else an empty text."""
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
