"""Run commands of bertdyn in child processes that are killed, or whose disk fails, at a chosen write.

Each child is forked from a process that has imported everything, so that a kill meets work and not an import. Children
are killed by SIGKILL, so they cannot react. A write is a call of Python that changes a file or folder below the child's
working folder, found by an audit hook (PEP 578); DuckDB and safetensors write by themselves, so other faults must meet
those: kills after some time, and a small disk.
"""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from store import locks, ownership
from store.ownership import Machine, this_machine

REPOSITORY = Path(__file__).resolve().parents[2]
_SERVE = "from tests.trust.commands import serve; serve()"
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(REPOSITORY)}
LONGEST = 600
"""Seconds after which a command that still runs is ended by SIGALRM: it hangs."""
SHORT_WAIT = 0.5
"""Seconds that processes wait for a lock, instead of a minute, if its holder may live on another host."""
_CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
_FREEING = ("os.remove", "os.rmdir")
"""Changes that succeed on a full disk."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NAMES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-\d+-\d+-[0-9a-f]{12}"), "OWNER"),
    (re.compile(r"\d{20}-[0-9a-f]{12}-[0-9a-f]{8}-[0-9a-f]{8}"), "FRAGMENT"),
    (re.compile(r"(?<=kept/)[0-9a-f]{2}"), "ID"),
    (re.compile(r"[0-9a-f]{32,40}"), "ID"),
    (re.compile(r"(?<=staging/OWNER/).+"), "..."),
    (re.compile(r"\d+"), "N"),
)


@dataclass(frozen=True)
class Command:
    """One call of `bertdyn` in a working folder."""

    arguments: tuple[str, ...]
    small_tables: bool = False
    """Whether more than three fragments are merged at once, rather than 256."""
    other_host: bool = False
    """Whether it runs on another host, on which each lock of the file system is granted and the clock is wrong."""
    descriptors: int = 0
    """Number of files that it may open at once; 0: as many as the system allows."""
    memory: int = 0
    """Number of bytes of address space that it may take beyond what it has; 0: as many as the system allows."""
    environment: tuple[tuple[str, str], ...] = ()
    """Further environment variables."""


@dataclass(frozen=True)
class Point:
    """Where a command meets its fault: a write (counted from 1), or some seconds after its start. Neither: nowhere."""

    write: int = 0
    seconds: float = 0.0
    error: int = 0
    """Error number with which this write and all later ones fail; 0: the process is killed just before the write."""


NEVER = Point()


@dataclass(frozen=True)
class Ended:
    """What became of a command."""

    code: int
    """Exit code; negative if it was killed by that signal."""
    said: str
    """Standard output and standard error."""
    seconds: float
    writes: tuple[str, ...] = field(repr=False)
    """Kind of each write, in order; empty if the command was to be killed."""

    @property
    def killed(self) -> bool:
        """Whether the kill met the command before its end."""
        return self.code == -signal.SIGKILL


class Commands:
    """A process that runs commands, one after the other, each in a child of its own.

    It first makes checkpoints and a corpus file in a folder: ``runs``, ``base`` and ``dev.tsv``.
    """

    def __init__(self, root: Path, all_commands: bool = False) -> None:
        self.root = root
        self._started = 0
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(root), *["all"] * all_commands],
            cwd=REPOSITORY,
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, command: Command, point: Point = NEVER) -> Ended:
        """Run a command in a folder, to a point."""
        return self.start(folder, command, point).wait()

    def start(self, folder: Path, command: Command, point: Point = NEVER) -> Running:
        """Start a command in a folder, beside those that run already."""
        self._started += 1
        said = self.root / f"said-{self._started}"  # outside the folder, whose disk may be full
        job = {"folder": str(folder), "said": str(said), "point": asdict(point), "command": asdict(command)}
        return Running(int(self.ask(json.dumps(job))), said, point, self.ask)

    def ask(self, question: str) -> str:
        """Send a line to the process and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that runs the commands died"
        return line

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


class Running:
    """A command that was started."""

    def __init__(self, child: int, said: Path, point: Point, ask: Callable[[str], str]) -> None:
        self._child, self._said, self._point, self._ask = child, said, point, ask
        self._since = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the command has ended; it must be waited for all the same."""
        state = Path(f"/proc/{self._child}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return state == b"Z"  # ended, and still in the table of processes

    def wait(self) -> Ended:
        """Wait for the end of the command."""
        if self._point.seconds:
            time.sleep(self._point.seconds)
            os.kill(self._child, signal.SIGKILL)  # nobody has waited for it yet, so its number is not another's
        code = int(self._ask(f"wait {self._child}"))
        seconds = time.monotonic() - self._since
        trace = Path(f"{self._said}.writes")
        writes = tuple(trace.read_text().splitlines()) if trace.exists() else ()
        trace.unlink(missing_ok=True)
        text = self._said.read_text(errors="replace")
        self._said.unlink()
        return Ended(code, text, seconds, writes)


def serve() -> None:
    """Run the commands that standard input names. This is the other side of ``Commands``."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    _import_everything("all" in sys.argv[2:])
    _make_inputs(Path(sys.argv[1]))
    for line in sys.stdin:
        if line.startswith("wait "):
            answer = os.waitstatus_to_exitcode(os.waitpid(int(line.removeprefix("wait ")), 0)[1])
        else:
            job = json.loads(line)
            answer = os.fork()
            if not answer:
                _become(job)
        print(answer, file=answers, flush=True)
    os._exit(0)  # torch takes two seconds to end


def _make_inputs(root: Path) -> None:
    from tests.store.extract import models

    models.runs(root / "runs", steps=(0, 10))
    models.save(root / "base", seed=99, head=False)
    models.corpus_file(root)


def _import_everything(all_commands: bool) -> None:
    import duckdb  # noqa: F401
    import google_crc32c  # noqa: F401
    import loky  # noqa: F401
    import transformers.models.bert.modeling_bert
    import zarr.codecs  # noqa: F401

    import explorer.cli
    import explorer.commands.annotate
    import explorer.commands.check
    import explorer.commands.compute
    import explorer.commands.extract
    import explorer.commands.show
    import explorer.compute.run
    import explorer.compute.worker
    import store.arrays
    import store.check
    import store.extract.run  # noqa: F401

    if all_commands:
        import accelerate  # noqa: F401
        import matplotlib.backends.backend_agg  # noqa: F401

        import explorer.commands.ablate
        import explorer.demo.train
        import explorer.export.figure
        import explorer.training.base  # noqa: F401

        _ = transformers.Trainer


def _become(job: dict[str, Any]) -> None:
    """Carry out a job in this process, and end it."""
    said = os.open(job["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.close(said)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    code = 70
    try:
        folder = Path(job["folder"])
        os.chdir(folder)
        command = Command(**job["command"])
        os.environ.update(command.environment)
        signal.alarm(LONGEST)
        tempfile.tempdir = None  # it is found again
        if command.descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (command.descriptors, command.descriptors))
        if command.memory:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + command.memory
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        _work_in_this_process()
        locks.WAIT_SECONDS = SHORT_WAIT
        if command.small_tables:
            from store import fragments

            fragments.COMPACT_ABOVE = 3
        if command.other_host:
            _move_to_another_host()
        watch = _Watch(folder, Point(**job["point"]))
        sys.addaudithook(watch)
        from explorer.cli import main

        try:
            main(list(command.arguments))
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        watch.ended(Path(f"{job['said']}.writes"))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Watch:
    """Counts writes below a folder, and kills this process or lets the write fail at a point."""

    def __init__(self, folder: Path, point: Point) -> None:
        self._folder, self._point = str(folder), point
        self._seen: list[str] = []
        self._active = True

    def __call__(self, event: str, arguments: Sequence[Any]) -> None:
        if not self._active or not (event in _CHANGES or event == "open"):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
            return
        count = 2 if event in ("os.rename", "os.link") else 1
        paths = [self._inside(path) for path in arguments[:count]]
        if not any(paths):
            return
        self._seen.append(f"{event} {' -> '.join(map(str, paths))}")
        if not self._point.write or len(self._seen) < self._point.write:
            return
        if not self._point.error:
            os.kill(os.getpid(), signal.SIGKILL)
        if event not in _FREEING or self._point.error not in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(self._point.error, os.strerror(self._point.error), str(arguments[0]))

    def ended(self, trace: Path) -> None:
        """Write down the kinds of all writes, unless there was to be a fault."""
        self._active = False
        if self._point == NEVER:
            trace.write_text("".join(f"{kind}\n" for kind in self._seen))

    def _inside(self, path: object) -> str:
        """Return a path below the folder, with a word in place of each name that differs from call to call."""
        if not isinstance(path, str | bytes | os.PathLike):
            return ""
        there = os.path.join(self._folder, os.fsdecode(path))
        if not there.startswith(self._folder + os.sep):
            return ""
        name = there.removeprefix(self._folder + os.sep)
        for pattern, word in _NAMES:
            name = pattern.sub(word, name)
        return name


def _work_in_this_process() -> None:
    """Start no workers: a kill of this process is then a kill in the middle of the work."""
    import dataclasses
    import functools
    from concurrent.futures import Executor, Future
    from contextlib import contextmanager

    import explorer.compute.executors
    import explorer.compute.pool
    import explorer.compute.run
    import explorer.demo.run as demo
    from explorer.compute.executors.local import local_workers
    from explorer.demo.recipe import TASKS, Recipe
    from tests.pools import here

    class AtOnce(Executor):
        """Does everything when it is submitted: the order of the writes never differs."""

        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            try:
                future.set_result(function(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
            return future

    @contextmanager
    def at_once(workers: int) -> Any:
        yield AtOnce()

    explorer.compute.executors.workers_of = lambda scheduler, store: here  # type: ignore[assignment, return-value]
    defaults = explorer.compute.run.compute.__defaults__ or ()
    explorer.compute.run.compute.__defaults__ = tuple(here if one is local_workers else one for one in defaults)
    explorer.compute.pool.local_pool = at_once
    few = (dataclasses.replace(TASKS[0], examples=12),)
    recipe = Recipe(steps=(0, 2), batch=4, warm_up=1, sentences=16)
    make: Callable[..., Path] = functools.partial(demo.make_demo, tasks=few, seeds=(1,), recipe=recipe)
    demo.make_demo = make  # type: ignore[assignment]


def other_host() -> Machine:
    """Return the identity of the other host."""
    here = this_machine()
    return Machine(here.host[::-1], here.session[::-1])


def _move_to_another_host() -> None:
    import fcntl

    there, now, now_ns = other_host(), time.time, time.time_ns
    ownership.this_machine = lambda: there  # type: ignore[assignment]
    fcntl.flock = lambda handle, how: None  # type: ignore[assignment]
    time.time = lambda: now() - 400
    time.time_ns = lambda: now_ns() - 400 * 10**9
