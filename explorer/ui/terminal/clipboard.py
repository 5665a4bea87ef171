"""Copy text over SSH: to the terminal's clipboard, tmux's buffer and a file.

A terminal never reports whether it accepted an OSC 52 sequence (tmux drops it by default). So a file is always written,
and the user is told where the text was sent.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

LARGEST = 74_000
"""Number of bytes that terminals are said to accept in one OSC 52 sequence, before base64."""
TMUX_SECONDS = 2


def copy(
    text: str,
    suffix: str,
    send: Callable[[str], object],
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Copy a text to all places that can take it; return a sentence that names them.

    Args:
        suffix: ending of the file, such as ``txt``.
        send: writes OSC 52 to the terminal (``App.copy_to_clipboard``).
    """
    done = []
    if len(text.encode()) <= LARGEST:
        send(text)
        done.append("sent to the terminal's clipboard (OSC 52; some terminals ignore it)")
    if environ.get("TMUX") and _tmux(text):
        done.append("put into tmux's buffer (prefix ])")
    try:
        done.append(f"written to {_file(text, suffix, environ)}")
    except OSError as error:
        done.append(f"no file could be written ({error.strerror})")
    words = "; ".join(done)
    return words[:1].upper() + words[1:] + "."


def _file(text: str, suffix: str, environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.path.expanduser(base)) / "bertdyn"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"clip.{suffix}"
    draft = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _tmux(text: str) -> bool:
    for command in (["tmux", "load-buffer", "-w", "-"], ["tmux", "load-buffer", "-"]):  # -w came with tmux 3.2
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TMUX_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False
