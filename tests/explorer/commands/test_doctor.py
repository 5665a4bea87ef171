"""Does `bertdyn doctor` see what is wrong with machine, terminal and store, and say what to do?"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from explorer.commands import doctor, machine
from explorer.commands.findings import (
    Finding,
    Limits,
    Terminal,
    Torch,
    of_disk,
    of_limits,
    of_packages,
    of_terminal,
    of_torch,
)
from store.disk import Disk
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.layout import checkpoint_path
from store.store import Store
from tests.store.results import result
from tests.synthetic import make_store

GB = 10**9
WELL = Disk(Path("/data"), "ext4", 50 * GB, True, True)
LIMITS = Limits(8, (), 1024, 4096, GB, replace(WELL, folder=Path("/tmp")))
TERMINAL = Terminal(True, "tmux-256color", "256", 120, 40, "utf-8", "tmux")
TORCH = Torch("", (), False)


@pytest.fixture(autouse=True)
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing torch takes seconds; one test runs the command as it is."""
    monkeypatch.setattr(machine, "torch", lambda: TORCH)


def _run(*arguments: object) -> tuple[int, list[Finding]]:
    done = CliRunner().invoke(doctor.command, [*map(str, arguments), "--format", "json"], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    told = json.loads(done.stdout)
    found = [Finding(**one) for one in told["findings"]]
    assert told["ok"] == (done.return_value == 0)
    return done.return_value, found


def _todo(found: list[Finding]) -> list[Finding]:
    assert all(one.do for one in found if one.level != "ok")
    return [one for one in found if one.level == "todo"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(0, 20), pretrained=False)
    made.add_results([result(made.checkpoints()[0])])
    return made


def test_a_sound_store_on_this_machine(store: Store) -> None:
    code, found = _run(store.path)
    assert (code, _todo(found)) == (0, [])
    (about,) = (one for one in found if one.area == "store")
    assert "1 corpus and 2 checkpoints; no fault" in about.what


def test_text_has_a_line_for_each_finding_and_what_to_do_below(store: Store) -> None:
    (store.path / "tables" / "index.json").write_text("{}")
    done = CliRunner().invoke(doctor.command, [str(store.path)], standalone_mode=False)
    lines = done.stdout.splitlines()
    assert done.return_value == 1
    at = next(n for n, line in enumerate(lines) if line.startswith("TO DO"))
    assert "tables/index.json: is damaged" in lines[at]
    assert lines[at + 1].strip() == f"-> bertdyn check {shlex.quote(str(store.path))} --repair"


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _breaks(store: Store, how: str) -> str:
    folder = checkpoint_path(store.path, "dev", CheckpointKey.plain("sst2", "1", 20))
    if how == "fragment":
        path = next((store.path / "tables" / "results").glob("*.parquet"))
        _flip(path)
        return path.relative_to(store.path).as_posix()
    if how == "description":
        (folder / "zarr.json").write_text("{")
        return folder.relative_to(store.path).as_posix()
    if how == "place":
        folder.rename(folder.with_name("40"))
        return folder.with_name("40").relative_to(store.path).as_posix()
    name = subprocess.run(
        [sys.executable, "-c", "from store.ownership import tag; print(tag())"], capture_output=True, text=True
    ).stdout.strip()
    (store.path / "staging" / name).mkdir()
    return f"staging/{name}"


@pytest.mark.parametrize("how", ["fragment", "description", "place", "leftover"])
def test_a_broken_store_is_named_with_its_remedy_and_check_agrees(store: Store, how: str) -> None:
    place = _breaks(store, how)
    before = sorted(store.path.rglob("*"))
    code, found = _run(store.path)
    assert code == 1
    (fault,) = _todo(found)
    assert fault.what.startswith(f"{place}: ")
    assert fault.do == f"bertdyn check {shlex.quote(str(store.path))} --repair"
    assert sorted(store.path.rglob("*")) == before
    assert any(problem.place == place for problem in Store.open(store.path).check().problems)


def test_many_faults_are_counted(store: Store) -> None:
    for path in store.path.glob("tables/*/*.parquet"):
        _flip(path)
    for number in range(4):
        (store.path / "artefacts" / f"{number}").mkdir()
    code, found = _run(store.path)
    faults = _todo(found)
    assert code == 1
    assert len(faults) == 4
    assert "more faults" in faults[-1].what


def test_what_is_no_store_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match="is not a bertdyn store"):
        _run(tmp_path)


AS_NOBODY = """
import json, os, sys
from explorer.commands import doctor, machine  # all of them now: user nobody may not see the folder that they are in
import google_crc32c, store.founding, store.check, packaging.requirements, packaging.specifiers
from explorer.commands.findings import Torch
machine.torch = lambda: Torch("", (), False)
seen = machine.packages()
machine.packages = lambda: seen
if os.geteuid() == 0:
    os.seteuid(65534)
sys.exit(doctor.command([sys.argv[1], "--format", "json"], standalone_mode=False))
"""


def test_a_store_that_may_only_be_read_is_said_to_be_one() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder) / "s.bertdyn", tasks=["a"], seeds=["1"], steps=[0], pretrained=False)
        subprocess.run(["chmod", "-R", "a+rX,a-w", folder], check=True)
        try:
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(store.path)], capture_output=True, text=True, cwd=Path.cwd()
            )
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    assert done.returncode == 0, done.stderr + done.stdout
    found = [Finding(**one) for one in json.loads(done.stdout)["findings"]]
    (disk,) = (one for one in found if one.area == "disk")
    assert disk.level == "note"
    assert "is not writable for you: values are shown, and none can be computed" in disk.what
    assert _todo(found) == []


def test_no_locale_and_few_descriptors(tmp_path: Path) -> None:
    """The command as it is, with torch."""
    command = f"ulimit -n 100; {shlex.quote(sys.executable)} -c 'from explorer.cli import main; main()' doctor"
    environment = {**os.environ, "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment["PYTHONPATH"] = str(Path.cwd())
    done = subprocess.run(["bash", "-c", command], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    todo = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("TO DO")]
    assert todo == ["characters", "open"]
    assert "export LC_ALL=C.UTF-8" in done.stdout


@pytest.mark.parametrize(
    ("seen", "levels", "said"),
    [
        (TERMINAL, ["ok", "ok"], "tmux-256color inside tmux, 120 x 40 cells, 256 colours"),
        (replace(TERMINAL, term="dumb"), ["todo", "ok"], "export TERM=xterm-256color"),
        (replace(TERMINAL, term=""), ["todo", "ok"], "export TERM=xterm-256color"),
        (replace(TERMINAL, interactive=False, term=""), ["ok", "ok"], "not a terminal"),
        (replace(TERMINAL, encoding="ISO-8859-1"), ["ok", "todo"], "export LC_ALL=C.UTF-8"),
        (replace(TERMINAL, encoding="UTF8"), ["ok", "ok"], "UTF-8"),
    ],
)
def test_terminals(seen: Terminal, levels: list[str], said: str) -> None:
    found = list(of_terminal(seen))
    assert [one.level for one in found] == levels
    assert said in " ".join(f"{one.what} {one.do}" for one in found)


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("3.1.4", ">=3.1.4,<4", True),
        ("3.1.3", ">=3.1.4,<4", False),
        ("4.0.0", ">=3.1.4,<4", False),
        ("2.13.0+cpu", ">=2.6", True),
        ("", "", False),
    ],
)
def test_versions(version: str, wanted: str, fits: bool) -> None:
    (found,) = of_packages([machine.package("zarr", version, wanted)])
    assert (found.level == "ok") == fits
    assert found.do == ("" if fits else f"pip install 'zarr{wanted}'")


@pytest.mark.parametrize(
    ("seen", "level", "said"),
    [
        (TORCH, "ok", "no GPU"),
        (Torch("12.8", ("H200",), True), "ok", "CUDA 12.8: H200"),
        (Torch("", (), True), "todo", "build for the CPU"),
        (Torch("12.8", (), True), "todo", "nvidia-smi"),
        (Torch("", (), False, "libcudart.so.12: no such file"), "todo", "libcudart.so.12"),
    ],
)
def test_gpus(seen: Torch, level: str, said: str) -> None:
    found = of_torch(seen)
    assert found.level == level
    assert said in f"{found.what} {found.do}"


@pytest.mark.parametrize(
    ("seen", "area", "do"),
    [
        (replace(LIMITS, descriptors=100), "open files", "ulimit -n 4096"),
        (replace(LIMITS, descriptors=100, most_descriptors=100), "open files", "administrator"),
        (replace(LIMITS, shared=None), "/dev/shm", "--shm-size"),
        (replace(LIMITS, shared=1000), "/dev/shm", "--shm-size"),
        (replace(LIMITS, temporary=replace(WELL, free=1000)), "temporary", "TMPDIR"),
        (replace(LIMITS, temporary=replace(WELL, writable=False)), "temporary", "TMPDIR"),
    ],
)
def test_limits(seen: Limits, area: str, do: str) -> None:
    assert _todo(list(of_limits(LIMITS))) == []
    (todo,) = _todo(list(of_limits(seen)))
    assert todo.area == area
    assert do in todo.do


@pytest.mark.parametrize(
    ("disk", "levels"),
    [
        (WELL, ["ok", "ok"]),
        (replace(WELL, free=GB), ["todo", "ok"]),
        (replace(WELL, locks=False), ["ok", "note"]),
        (replace(WELL, kind="nfs4"), ["ok", "ok"]),
        (replace(WELL, writable=False, locks=None), ["note"]),
    ],
)
def test_disks(disk: Disk, levels: list[str]) -> None:
    assert [one.level for one in of_disk(disk)] == levels
