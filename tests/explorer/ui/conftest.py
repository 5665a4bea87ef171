"""A small store with values, and an explorer that looks at it without a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from explorer.compute.run import compute
from explorer.measures.registry import get
from explorer.selection import Against, Selection, ask_store
from explorer.ui.app import Explorer
from explorer.ui.config import Config, defaults
from explorer.ui.screens.main import MainScreen
from explorer.ui.session import Session
from explorer.ui.widgets.lines import Lines
from store.catalog import Catalog
from store.reads import ReadStore
from store.store import Store
from tests.pools import here
from tests.synthetic import make_store, sample_corpus


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks, two seeds, three steps on a labelled and a plain corpus; SVCCA and JS from pretrained are there."""
    path = tmp_path_factory.mktemp("ui") / "small.bertdyn"
    store = make_store(path, corpora=[sample_corpus("dev"), sample_corpus("plain", labels=(), seed=3)])
    for measure in ("svcca", "js"):
        fill(store, measure, "dev")
    fill(store, "svcca", "plain")
    return path


def fill(store: Store, measure: str, corpus: str, against: str = "pretrained", annotation: str = "") -> None:
    """Compute a measure of a whole corpus here and now."""
    compared = Against.parse(against) if get(measure).compares else None
    question = ask_store(store, Selection(measure, corpus, against=compared, annotation=annotation))
    outcome = compute(store, [question], workers=1, device="cpu", executor=here)
    assert outcome.ok, outcome


def changed(**values: str | bool) -> Config:
    """The defaults, but for what the command line says."""
    config = defaults()
    said = dict.fromkeys(values, "--flag")
    return replace(config, values={**config.values, **values}, sources={**config.sources, **said})


LOOK_SECONDS, IDLE_SHARE = 0.002, 0.25
_open: list[Explorer] = []
"""The explorers of the test that runs."""


async def idle(min_sleep: float = 0, max_sleep: float = 3) -> None:
    """Wait until nothing happens in two looks in a row, or for ``max_sleep`` seconds.

    CPU time alone does not tell: a process that other processes keep from running uses none. So no callback of the
    event loop may be ready, and no explorer may wait for a view, either.
    """
    loop, deadline, quiet = asyncio.get_running_loop(), time.monotonic() + max_sleep, 0
    while quiet < 2 and time.monotonic() < deadline:
        began, spent = time.monotonic(), time.process_time()
        await asyncio.sleep(LOOK_SECONDS)
        idled = time.process_time() - spent < IDLE_SHARE * (time.monotonic() - began)
        await asyncio.sleep(0)
        waits = bool(getattr(loop, "_ready", ())) or any(pane.waiting for app in _open for pane in app.main.panes)
        quiet = quiet + 1 if idled and not waits else 0


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each key Textual's pilot sleeps for 40 ms at least; it looks more often here whether all is done."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", idle)


@asynccontextmanager
async def opened(
    path: Path,
    size: tuple[int, int] = (120, 40),
    wait: bool = True,
    config: Config | None = None,
    session: Session | None = None,
    reads: ReadStore | None = Catalog,
) -> AsyncIterator[Pilot[None]]:
    """The explorer on a store, after its first picture; without a session it remembers nothing.

    Tables are read in this process, by what the other one runs: starting it is half of the time of a short test.
    """
    app = Explorer(path, config, session, reads)
    _open.append(app)
    try:
        async with app.run_test(size=size) as pilot:
            if wait:
                await until(pilot, lambda: app.main.picture is not None)
            yield pilot
    finally:
        _open.remove(app)
    app.main.sql.asker.finish()
    app.main.reader.finish()
    app.main.jobs.finish()


opened_apart = partial(opened, reads=None)
"""The same with the process that reads the tables."""


async def until(pilot: Pilot[None], holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came\n" + screen_text(pilot)
        await pilot.pause(0.02)


def main(pilot: Pilot[None]) -> MainScreen:
    """The main screen."""
    app = pilot.app
    assert isinstance(app, Explorer)
    return app.main


def text_of(pilot: Pilot[None], name: str) -> str:
    """What one of the lines (title, heading, notes, reading, footer), the panel or the chart shows."""
    lines = main(pilot).query_one(f"#{name}", Lines)
    return "\n".join(lines.render_line(y).text for y in range(lines.size.height))


def screen_text(pilot: Pilot[None]) -> str:
    """Everything on the screen. The compositor is Textual's own business: only this helper asks it."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def shown(pilot: Pilot[None], words: str) -> None:
    """Wait until some words stand on the screen."""
    await until(pilot, lambda: words in screen_text(pilot))
