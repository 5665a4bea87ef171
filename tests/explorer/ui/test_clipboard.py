"""Does a copy arrive in a file at least, and do the words say no more than was done?"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from explorer.ui.terminal.clipboard import LARGEST, copy


def test_the_text_is_sent_and_in_a_file_whose_path_is_said(tmp_path: Path) -> None:
    sent: list[str] = []
    words = copy("0.24 ±", "txt", sent.append, {"XDG_CACHE_HOME": str(tmp_path)})
    path = tmp_path / "bertdyn" / "clip.txt"
    assert sent == ["0.24 ±"]
    assert path.read_text("utf-8") == "0.24 ±"
    assert words == f"Sent to the terminal's clipboard (OSC 52; some terminals ignore it); written to {path}."
    assert [p.name for p in path.parent.iterdir()] == ["clip.txt"]


def test_what_no_terminal_takes_is_not_sent(tmp_path: Path) -> None:
    sent: list[str] = []
    words = copy("x" * (LARGEST + 1), "csv", sent.append, {"XDG_CACHE_HOME": str(tmp_path)})
    assert sent == []
    assert words.startswith("Written to ")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "bertdyn").write_text("in the way")
    words = copy("x", "txt", lambda text: None, {"XDG_CACHE_HOME": str(tmp_path)})
    assert "no file could be written" in words


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.terminal
def test_inside_tmux_it_is_in_the_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = tmp_path / "socket"
    tmux = ["tmux", "-S", str(socket), "-f", os.devnull]
    subprocess.run([*tmux, "new-session", "-d", "sleep 30"], check=True)
    try:
        monkeypatch.setenv("TMUX", f"{socket},1,0")
        words = copy("from here", "txt", lambda text: None, {"TMUX": "x", "XDG_CACHE_HOME": str(tmp_path)})
        assert "tmux's buffer" in words
        shown = subprocess.run([*tmux, "show-buffer"], capture_output=True, text=True, check=True).stdout
        assert shown == "from here"
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
