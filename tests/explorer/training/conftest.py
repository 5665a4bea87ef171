"""Runs that tests of training share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from explorer.demo.recipe import TASKS
from explorer.training.runs import Run
from tests.training import Files, files, finished, one_thread


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> Iterator[None]:
    """Leave the other cores to other tests."""
    with one_thread():
        yield


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a task of sentences."""
    return files(tmp_path_factory.mktemp("sentences"), TASKS[0])


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a task of words."""
    return files(tmp_path_factory.mktemp("words"), TASKS[1])


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, sentences: Files) -> Callable[[str, int], Run]:
    """Return a function that trains one run on sentences, once."""
    out, made = tmp_path_factory.mktemp("trained"), dict[tuple[str, int], Run]()

    def run(kind: str, k: int) -> Run:
        if (kind, k) not in made:
            made[kind, k] = finished(sentences.plan(kind, [k], out))
        return made[kind, k]

    return run
