"""The thread that reads: what a view shows later is read after the view was painted."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from explorer.ui import reader
from explorer.ui.messages import Loaded
from explorer.ui.state import LANDING, settled
from store.catalog import Catalog
from store.store import Store


def test_the_rest_of_the_overview_is_read_after_its_beginning_was_painted(
    computed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PAINT_SECONDS", 60.0)
    catalogue = reader.catalogue(Store.open(computed))
    wish = settled(LANDING, catalogue).wish(catalogue)
    assert wish is not None
    heard: queue.Queue[object] = queue.Queue()
    one = reader.Reader(computed, heard.put, Catalog)
    one.start()
    one.show(wish)
    first = next(m for m in iter(heard.get, None) if isinstance(m, Loaded))
    assert not first.view.data.whole
    with pytest.raises(queue.Empty):
        heard.get(timeout=0.3)
    one.painted(wish)
    second = heard.get(timeout=30)
    assert isinstance(second, Loaded)
    assert second.view.data.whole
    one.finish()
