"""A small store with values, and an explorer that looks at it without a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from explorer.compute.requests import Request
from explorer.compute.run import compute
from explorer.measures.registry import get
from explorer.selection import Against, Selection, ask_store
from explorer.ui.app import Explorer
from explorer.ui.modes.sql import Sql
from explorer.ui.screens.main import MainScreen
from explorer.ui.session import Session
from explorer.ui.settings import Settings, defaults
from explorer.ui.widgets.text_lines import TextLines
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


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose clusters and SVCCA distances are computed."""
    path = tmp_path_factory.mktemp("ui") / "labelled.bertdyn"
    store = make_store(path, tasks=("pos",), classes=sample_corpus().annotations["label"].names)
    fill(store, "clusters", "dev")
    fill(store, "svcca", "dev")
    return path


def fill(store: Store, measure: str, corpus: str, against: str = "pretrained", annotation: str = "") -> None:
    """Compute a measure of a whole corpus here and now."""
    compared = Against.parse(against) if get(measure).compares else None
    question = ask_store(store, Selection(measure, corpus, against=compared, annotation=annotation))
    outcome = compute(store, [question], workers=1, device="cpu", executor=here)
    assert outcome.ok, outcome


def changed(**values: str | bool) -> Settings:
    """The defaults, but for what the command line says."""
    config = defaults()
    said = dict.fromkeys(values, "--flag")
    return replace(config, values={**config.values, **values}, sources={**config.sources, **said})


LOOK_SECONDS, PATIENCE = 0.002, 3.0
_open: list[Explorer] = []
"""The explorers of the test that runs."""


async def at_rest(*_: float) -> None:
    """Wait until nothing is to be done: no callback is ready, and no explorer waits for a view or holds a key.

    It gives up after some seconds, for a view that cannot come. What time alone brings, a timer or another process, is
    waited for with ``until``.
    """
    loop, deadline = asyncio.get_running_loop(), time.monotonic() + PATIENCE
    quiet = 0
    while quiet < 2 and time.monotonic() < deadline:
        waits = any(app.main.typing.queue.waiting or any(p.waiting for p in app.main.panes) for app in _open)
        await asyncio.sleep(LOOK_SECONDS if waits else 0)
        quiet = 0 if waits or getattr(loop, "_ready", ()) else quiet + 1


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``pilot.press`` and ``pilot.pause`` wait for a condition: Textual's own sleep for 40 ms a key at least."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", at_rest)


@asynccontextmanager
async def opened(
    path: Path,
    size: tuple[int, int] = (120, 40),
    wait: bool = True,
    config: Settings | None = None,
    session: Session | None = None,
    reads: ReadStore | None = Catalog,
    begins: Sequence[Request] = (),
) -> AsyncIterator[Pilot[None]]:
    """The explorer on a store, after its first picture; without a session it remembers nothing, and begins with Curves.

    Tables are read in this process, by what the other one runs: starting it is half of the time of a short test.
    """
    if (session is None or not session.path.exists()) and not (config or defaults()).text("mode"):
        config = replace(config or defaults(), values={**(config or defaults()).values, "mode": "curves"})
    app = Explorer(path, config, session, reads, begins)
    _open.append(app)
    try:
        async with app.run_test(size=size) as pilot:
            if wait:
                await until(pilot, lambda: app.main.picture is not None)
            yield pilot
    finally:
        _open.remove(app)
    app.main.finish()


opened_apart = partial(opened, reads=None)
"""The same with the process that reads the tables."""


async def until(pilot: Pilot[None], holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds; look often at first."""
    deadline, look = time.monotonic() + seconds, LOOK_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came\n" + screen_text(pilot)
        await pilot.pause(look)
        look = min(2 * look, 0.02)


def main(pilot: Pilot[None]) -> MainScreen:
    """The main screen."""
    app = pilot.app
    assert isinstance(app, Explorer)
    return app.main


def sql(pilot: Pilot[None]) -> Sql:
    """The mode that has the editor."""
    behaviour = main(pilot).modes["sql"]
    assert isinstance(behaviour, Sql)
    return behaviour


def text_of(pilot: Pilot[None], name: str) -> str:
    """What one of the lines (title, heading, notes, reading, footer), the panel or the chart shows."""
    lines = main(pilot).query_one(f"#{name}", TextLines)
    return "\n".join(lines.render_line(y).text for y in range(lines.size.height))


def screen_text(pilot: Pilot[None]) -> str:
    """Everything on the screen. The compositor is Textual's own business: only this helper asks it."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def shown(pilot: Pilot[None], words: str) -> None:
    """Wait until some words stand on the screen."""
    await until(pilot, lambda: words in screen_text(pilot))
