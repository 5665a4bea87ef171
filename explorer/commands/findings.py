"""Judge what ``bertdyn doctor`` has seen. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.commands.ls import counted
from store.check import Problem
from store.disk import Disk, readable

Level = Literal["ok", "note", "todo"]
FEWEST_DESCRIPTORS = 256
"""Open files per process below which long work may fail: each worker has pipes, and arrays are many files."""
ENOUGH_DISK = 2 * 2**30
"""Bytes that should be free on the disk of a store; with fewer, the cache of layers is not written either."""
ENOUGH_TEMPORARY = 2**29
"""Bytes that should be free for temporary files: what DuckDB cannot hold in memory goes there."""
ENOUGH_SHARED = 2**20
"""Bytes that child processes need in /dev/shm for their semaphores."""
_SHOWN = 3
"""Number of problems of a store that are shown."""


@dataclass(frozen=True)
class Finding:
    """One thing that was examined."""

    area: str
    level: Level
    """ok; note: it works, but with limits; todo: something should be done."""
    what: str
    do: str = ""
    """What to do; empty if all is well."""


@dataclass(frozen=True)
class Terminal:
    """The terminal and the locale of this process."""

    interactive: bool
    """Whether standard output is a terminal."""
    term: str
    """TERM of the environment."""
    colours: str
    """Depth of its colours: truecolor, 256, 16 or none."""
    columns: int
    lines: int
    encoding: str
    """Encoding of standard output."""
    inside: str
    """tmux or screen, if it runs inside one."""


@dataclass(frozen=True)
class Package:
    """A package that bertdyn uses."""

    name: str
    version: str
    """Empty if it is not installed."""
    wanted: str
    """Versions that bertdyn takes, such as '>=3.1.4,<4'."""
    fits: bool


@dataclass(frozen=True)
class Torch:
    """What torch can use; ``error`` if it cannot be imported."""

    cuda: str
    """Version of CUDA that torch was built for; empty for a build for the CPU."""
    devices: tuple[str, ...]
    """Names of the GPUs that torch can use."""
    gpu_there: bool
    """Whether the machine has the device files of a GPU."""
    error: str = ""


@dataclass(frozen=True)
class Limits:
    """Limits of this process."""

    cores: int
    """Cores that it may use."""
    threads: tuple[str, ...]
    """Variables of the environment that limit threads, as NAME=VALUE."""
    descriptors: int
    most_descriptors: int
    shared: int | None
    """Free bytes in /dev/shm; None if it is missing or not writable, -1 where the system needs none."""
    temporary: Disk


@dataclass(frozen=True)
class StoreHealth:
    """A store as ``check.look_over`` sees it."""

    name: str
    """As the user wrote it."""
    corpora: int
    checkpoints: int
    problems: Sequence[Problem]
    error: str = ""
    """Why it cannot be looked at; empty if it can."""


def of_terminal(seen: Terminal) -> Iterator[Finding]:
    """Judge the terminal, its colours and its characters."""
    if not seen.interactive:
        yield Finding("terminal", "ok", "standard output is not a terminal: commands print plain text")
    elif seen.term in ("", "dumb", "unknown"):
        yield Finding(
            "terminal", "todo", f"TERM is '{seen.term}': the explorer cannot draw", "export TERM=xterm-256color"
        )
    else:
        inside = f" inside {seen.inside}" if seen.inside else ""
        colours = {"truecolor": "16 million colours", "none": "no colours"}.get(seen.colours, f"{seen.colours} colours")
        yield Finding("terminal", "ok", f"{seen.term}{inside}, {seen.columns} x {seen.lines} cells, {colours}")
    if seen.encoding.lower().replace("-", "").replace("_", "") == "utf8":
        yield Finding("characters", "ok", "UTF-8")
    else:
        yield Finding(
            "characters",
            "todo",
            f"{seen.encoding or 'unknown encoding'}: pictures have plain characters, and names are escaped",
            "export LC_ALL=C.UTF-8",
        )


def of_packages(packages: Sequence[Package]) -> Iterator[Finding]:
    """Judge the versions of packages."""
    for one in packages:
        if one.fits:
            continue
        there = f"{one.name} {one.version} is installed" if one.version else f"{one.name} is not installed"
        yield Finding("packages", "todo", f"{there}; bertdyn needs {one.name}{one.wanted}", _install(one))
    if fitting := [f"{one.name} {one.version}" for one in packages if one.fits]:
        yield Finding("packages", "ok", ", ".join(fitting))


def _install(one: Package) -> str:
    return f"pip install '{one.name}{one.wanted}'"


def of_torch(seen: Torch) -> Finding:
    """Judge what torch can use."""
    if seen.error:
        return Finding("torch", "todo", f"it cannot be imported: {seen.error}", "install torch again")
    if seen.devices:
        return Finding("torch", "ok", f"CUDA {seen.cuda}: {', '.join(seen.devices)}")
    if not seen.gpu_there:
        return Finding("torch", "ok", "the CPU alone: this machine has no GPU")
    if not seen.cuda:
        return Finding("torch", "todo", "this machine has a GPU, but torch is a build for the CPU", "pip install torch")
    return Finding(
        "torch",
        "todo",
        f"this machine has a GPU, but torch (for CUDA {seen.cuda}) cannot use it",
        "compare its driver (nvidia-smi) with that version, and look at CUDA_VISIBLE_DEVICES",
    )


def of_limits(seen: Limits) -> Iterator[Finding]:
    """Judge cores, open files, shared memory and temporary files."""
    cores = f"{seen.cores} core{'s' * (seen.cores != 1)}"
    yield Finding("cores", "ok", ", ".join((cores, *seen.threads)))
    files = f"{seen.descriptors:,} open files per process"
    if seen.descriptors >= FEWEST_DESCRIPTORS:
        yield Finding("open files", "ok", files)
    elif seen.most_descriptors > seen.descriptors:
        more = min(4096, seen.most_descriptors)
        yield Finding("open files", "todo", f"only {files}", f"ulimit -n {more}")
    else:
        yield Finding("open files", "todo", f"only {files}", "ask the administrator for more (limits.conf: nofile)")
    if seen.shared is None:
        do = "mount it, or give the container one (--shm-size=1g)"
        yield Finding("/dev/shm", "todo", "missing or not writable: child processes cannot start", do)
    elif 0 <= seen.shared < ENOUGH_SHARED:
        do = "remove what is left in it, or give the container more (--shm-size=1g)"
        yield Finding("/dev/shm", "todo", f"{readable(seen.shared)} free: child processes cannot start", do)
    elif seen.shared > 0:
        yield Finding("/dev/shm", "ok", f"{readable(seen.shared)} free")
    room = f"{readable(seen.temporary.free)} free in {seen.temporary.folder}"
    if seen.temporary.writable and seen.temporary.free >= ENOUGH_TEMPORARY:
        yield Finding("temporary", "ok", room)
    else:
        told = room if seen.temporary.writable else f"{seen.temporary.folder} is not writable"
        yield Finding("temporary", "todo", told, "export TMPDIR=FOLDER with a folder that has room")


def of_disk(disk: Disk) -> Iterator[Finding]:
    """Judge the file system of the store, or of the folder in which one would be made."""
    kind = f"{disk.kind or 'file system of unknown kind'}"
    if not disk.writable:
        yield Finding(
            "disk",
            "note",
            f"{disk.folder} ({kind}) is not writable for you: values are shown, and none can be computed",
            "to compute, ask its owner for write access, or copy the store",
        )
        return
    if disk.free < ENOUGH_DISK:
        yield Finding(
            "disk",
            "todo",
            f"{kind}, {readable(disk.free)} free in {disk.folder}",
            "free some space: with less than 2 GB, intermediate results are not cached, and work soon stops",
        )
    else:
        yield Finding("disk", "ok", f"{kind}, {readable(disk.free)} free in {disk.folder}")
    if disk.locks:
        yield Finding("locks", "ok", "file locks work" + (" on this machine" if disk.shared else ""))
    else:
        yield Finding(
            "locks",
            "note",
            "file locks do not work here; bertdyn does not rely on them",
            "do not let other programs write to index.duckdb from several machines at once",
        )


def of_store(seen: StoreHealth) -> Iterator[Finding]:
    """Judge the content of a store."""
    if seen.error:
        yield Finding("store", "todo", seen.error, f"bertdyn check {seen.name}")
        return
    if not seen.problems:
        there = counted(seen.corpora, seen.checkpoints)
        yield Finding("store", "ok", f"{there}; no fault (arrays are not read: `bertdyn check` does that)")
    for one in seen.problems[:_SHOWN]:
        yield Finding("store", "todo", f"{one.place}: {one.what}", f"bertdyn check {seen.name} --repair")
    if (more := len(seen.problems) - _SHOWN) > 0:
        yield Finding("store", "todo", f"and {more:,} more faults", f"bertdyn check {seen.name}")
