"""What holds for every test, and for the processes that tests start."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from store.store import Store
    from tests.classified import World
    from tests.synthetic import Copied

# Tests share the cores with each other: OpenMP threads that spin while they wait make small products 15 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Tests start hundreds of processes: none of them should compile our modules again, whatever the shell says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_LONG = bool(os.environ.get("BERTDYN_LONG"))
# How long one example takes says how busy the machine is, not whether the code is right. The same 25 examples every
# time tell a user whether the program works here; new ones are looked for on demand.
settings.register_profile("shared machine", deadline=None, max_examples=100 if _LONG else 25, derandomize=not _LONG)
settings.load_profile("shared machine")


LONG = (
    *("test_fragment_checksums", "test_odd_paths", "test_own_measure", "test_one_broken", "test_modes"),
    *("test_demo", "test_demo_fills", "test_memory_of_a_point", "test_memory", "test_killing"),
)
"""Modules that take long although none of their tests does, or that take long on demand."""


SELDOM = (20_000, 20, 50)
"""How many objects are made before garbage is looked for: with Python's own numbers this takes a tenth of the time."""

MEMORY = Path("/dev/shm")
ENOUGH = 8 << 30
"""Bytes that must be free in memory for the tests' files to lie there: they need some 1.5 GB."""


def pytest_configure(config: pytest.Config) -> None:
    """Put the tests' 100,000 small files in memory, where there is enough, and give workers one arithmetic thread each.

    Workers share the cores, and OpenBLAS' threads spin while they wait. Each worker, and each process that it starts,
    takes these variables from this process: its own would come too late, since a plugin imports numpy before this file.
    With ``-n 0``, as for benchmarks, all threads are kept.
    """
    gc.disable()  # until all tests are collected
    if config.option.numprocesses:
        for library in ("OMP", "OPENBLAS", "MKL"):
            os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    writable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    if config.option.basetemp is None and writable and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out benchmarks, whose imports are large, unless they are asked for."""
    return True if collection_path.name == "benchmarks" and config.option.markexpr == "not benchmark" else None


TOGETHER = ("tests/terminal/", "tests/trust/")
"""Folders whose modules share what is costly to make, or sit in a terminal."""


class ByModule(LoadScopeScheduling):
    """Give one worker a whole module, whose fixtures are made once then, or a whole folder."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if module.startswith(folder)), module)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule:
    """Choose how tests are dealt out to the workers."""
    return ByModule(config, log)


def _no_gpu() -> str:
    """Return the reason why nothing can be computed on a GPU here; empty if there is one."""
    from explorer.compute.worker import CUDA_FILES

    if not any(map(os.path.exists, CUDA_FILES)):  # spares importing torch
        return "this machine has no GPU"
    import torch

    return "" if torch.cuda.is_available() else f"torch {torch.__version__} sees no GPU"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with modules that take long: as the last ones they would keep one core waiting for minutes. Of the others,
    those with most tests come first. Leave out what takes long and tells little that other tests do not, unless it is
    asked for."""
    if not _LONG:
        for item in items:
            if item.get_closest_marker("on_demand") is not None:
                item.add_marker(pytest.mark.skip(reason="takes long: set BERTDYN_LONG=1"))
    on_gpu = [item for item in items if item.get_closest_marker("gpu") is not None]
    if on_gpu and (reason := _no_gpu()):
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason=reason))
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None or item.path.stem in LONG}
    tests = Counter(item.path for item in items)

    def turn(item: pytest.Item) -> tuple[int, int]:
        rank = 0 if item.get_closest_marker("terminal") else 1 if item.path in slow else 2
        return rank, -tests[item.path] if rank == 2 else 0

    items.sort(key=turn)  # stable: a module's tests of one rank keep their order


def pytest_collection_finish() -> None:
    """Spare what was imported for the tests from being looked through again and again for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    gc.enable()


def pytest_unconfigure() -> None:
    """Let the interpreter clear away all modules at its end."""
    gc.unfreeze()


@pytest.fixture(scope="module", autouse=True)
def _index(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave ``index.duckdb`` empty, in this process, for modules that are not marked ``index``.

    bertdyn itself never reads it, and writing its views is half the work of making a store. A test that reads an empty
    one fails, since it has no views.
    """
    from store import index

    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("index") is None:
            patch.setattr(index, "_write_views", lambda path, real, shapes: path.touch())
        yield


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """Return a function that makes a store by another one, only once, and copies it to a path: a third of the work."""
    from store.store import Store

    made: dict[Callable[[Path], Store], Path] = {}

    def copy(make: Callable[[Path], Store], path: Path) -> Store:
        if make not in made:
            made[make] = make(tmp_path_factory.mktemp("made") / "s.bertdyn").path
        shutil.copytree(made[make], path)
        return Store.open(path)

    return copy


@pytest.fixture(scope="session")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], World]:
    """Return a function that extracts a small classifier of a family and task, once; its store may get rows."""
    from tests.classified import make_world

    made: dict[tuple[str, str], World] = {}

    def world(family: str, task: str) -> World:
        if (family, task) not in made:
            made[family, task] = make_world(tmp_path_factory.mktemp("classified"), family, task)
        return made[family, task]

    return world


@pytest.fixture(scope="session")
def two_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of two seeds with their checkpoints beside it (``tests.two_seeds``); copy it to add rows."""
    from tests.two_seeds import make_two_seeds

    return make_two_seeds(tmp_path_factory.mktemp("seeds"))
