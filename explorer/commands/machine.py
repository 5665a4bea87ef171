"""See what ``bertdyn doctor`` judges: terminal, packages, torch, limits and disks. Changes nothing that stays."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from explorer.commands.findings import Limits, Package, StoreHealth, Terminal, Torch
from explorer.compute.worker import CUDA_FILES, THREADS
from explorer.render.palette import detect
from store import layout
from store.check import look_over
from store.disk import examine
from store.places import folders, stored_checkpoints

PACKAGES = ("torch", "transformers", "duckdb", "zarr", "numpy", "textual")
"""Packages whose versions matter most."""
SHARED = Path("/dev/shm")


def terminal(environment: Mapping[str, str]) -> Terminal:
    """See the terminal of standard output."""
    interactive = sys.stdout.isatty()
    size = shutil.get_terminal_size()
    depth = detect(environment).value if interactive else "none"
    inside = "tmux" if environment.get("TMUX") else "screen" if environment.get("STY") else ""
    encoding = sys.stdout.encoding or ""
    return Terminal(interactive, environment.get("TERM", ""), depth, size.columns, size.lines, encoding, inside)


def packages() -> tuple[Package, ...]:
    """See the versions of packages that are installed, and those that bertdyn takes."""
    wanted = _wanted()
    return tuple(package(name, _version(name), wanted.get(name, "")) for name in PACKAGES)


def package(name: str, version: str, wanted: str) -> Package:
    """Compare a version with the versions that are taken."""
    from packaging.specifiers import SpecifierSet

    fits = bool(version) and SpecifierSet(wanted).contains(version, prereleases=True)
    return Package(name, version, wanted, fits)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _wanted() -> dict[str, str]:
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in metadata.requires("bertdyn") or ()]
    except metadata.PackageNotFoundError:  # run from its sources
        return {}
    return {one.name: str(one.specifier) for one in needed if one.marker is None}


def torch() -> Torch:
    """See which GPUs torch can use."""
    there = any(map(os.path.exists, CUDA_FILES))
    try:
        import torch as library

        devices = [library.cuda.get_device_name(n) for n in range(library.cuda.device_count())]
        return Torch(library.version.cuda or library.version.hip or "", tuple(devices), there)
    except Exception as error:  # a broken installation or driver fails in its own way
        return Torch("", (), there, str(error).splitlines()[0] if str(error) else type(error).__name__)


def limits(environment: Mapping[str, str]) -> Limits:
    """See the limits of this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = tuple(f"{name}={environment[name]}" for name in THREADS if name in environment)
    few, many = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = sys.maxsize
    few, many = (endless if one == resource.RLIM_INFINITY else one for one in (few, many))
    return Limits(cores, threads, few, many, _shared(), examine(Path(tempfile.gettempdir())))


def _shared() -> int | None:
    if sys.platform != "linux":
        return -1
    if not SHARED.is_dir() or not os.access(SHARED, os.W_OK):
        return None
    return shutil.disk_usage(SHARED).free


def store_health(path: Path, name: str) -> StoreHealth:
    """See the content of a store, without its arrays."""
    try:
        corpora, activations = folders(path, layout.CORPORA, 1), folders(path, layout.ACTIVATIONS, 4)
        return StoreHealth(name, len(corpora), stored_checkpoints(activations), look_over(path))
    except OSError as error:
        return StoreHealth(name, 0, 0, (), f"{error.filename or path} cannot be read: {error.strerror}")
