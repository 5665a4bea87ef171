"""Streams that are not what one expects: full, closed, of another encoding. Is there a picture or one sentence?"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.synthetic import make_store

BERTDYN = f"{shlex.quote(sys.executable)} -c 'from explorer.cli import main; main()'"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("streams") / "s.bertdyn", tasks=("日本·é😀",), seeds=("1",)).path


def _run(store: Path, command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    written = f"{BERTDYN} {command.replace('STORE', shlex.quote(str(store)))}"
    return subprocess.run(["bash", "-c", written], env={**os.environ, **environment}, capture_output=True, timeout=120)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", ["ls STORE >/dev/full", "show store STORE >/dev/full", "--help >/dev/full"])
def test_a_full_disk_is_one_sentence(store: Path, command: str) -> None:
    done = _run(store, command)
    assert done.stderr == b"bertdyn: Standard output cannot be written: No space left on device.\n"
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("ls STORE >&-", b"bertdyn: Standard output is closed. Redirect it to a file, or to /dev/null.\n"),
        ("sql STORE - <&-", b"bertdyn: Standard input is closed, and the query '-' is read from it.\n"),
        (
            r"sql STORE - <<<$'select \xff'",
            b"bertdyn: The query on standard input is not valid text: it must be UTF-8.\n",
        ),
    ],
)
def test_a_stream_that_cannot_be_used_is_one_sentence(store: Path, command: str, said: bytes) -> None:
    done = _run(store, command, PYTHONIOENCODING="utf-8:strict")
    assert done.stderr == said
    assert done.returncode == 2


def test_messages_that_nobody_reads_do_not_become_data(store: Path) -> None:
    done = _run(store, "sql STORE 'from range(9)' --limit 1 --format csv 2>&-")
    assert (done.stdout, done.returncode) == (b"range\n0\n", 0)


LATIN = {"PYTHONIOENCODING": "latin-1"}
POSIX = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("environment", [LATIN, POSIX], ids=["latin-1", "POSIX"])
def test_a_picture_has_the_characters_that_the_terminal_has(store: Path, environment: dict[str, str]) -> None:
    done = _run(store, "show store STORE", **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert b"\\u65e5\\u672c" in done.stdout
    assert "│" not in done.stdout.decode("latin-1")
    assert b"\\u2" not in done.stdout  # no character of the picture itself


def test_json_stays_json_where_the_terminal_lacks_characters(store: Path) -> None:
    done = _run(store, 'sql STORE "select distinct task from runs order by task desc" --format json', **LATIN)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("latin-1"))[0] == {"task": "日本·é😀"}
