"""The explorer of the demo: does it open before anything is trained, fill by itself, and go on after it was left?"""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.demo.recipe import SEEDS, TASKS, Recipe
from explorer.demo.request import Demo, begun
from store.keys import PRETRAINED_KEY
from store.store import Store
from tests.explorer.ui.conftest import changed, main, opened, text_of, until

STEPS = len(TASKS) * len(SEEDS) * Recipe().steps[-1]


@pytest.mark.on_demand
async def test_the_demo_opens_empty_fills_and_goes_on(tmp_path: Path) -> None:
    path = begun(tmp_path)
    overview = changed(mode="overview")
    async with opened(path, config=overview, begins=(Demo(),), wait=False) as pilot:
        await until(pilot, lambda: f"0 of {STEPS} training steps" in text_of(pilot, "chart"))
        assert "No checkpoints here yet." in text_of(pilot, "chart")
        await until(pilot, lambda: "most in layer" in text_of(pilot, "chart"), 600)
        assert "Under way" in text_of(pilot, "chart")
        assert any(job.beside and job.state == "running" for job in main(pilot).jobs.listed())  # training goes on
        jobs = main(pilot).jobs
    jobs.finish()
    assert jobs.child is None
    before = {c.key: c.weights_sha256 for c in Store.open(path).checkpoints()}
    assert before.keys() > {PRETRAINED_KEY}

    async with opened(path, config=overview, begins=(Demo(),)) as pilot:
        await until(pilot, lambda: f"of {STEPS} training steps" in text_of(pilot, "chart"))
        store = Store.open(path)
        await until(pilot, lambda: len(store.checkpoints()) > len(before), 600)
    after = {c.key: c.weights_sha256 for c in store.checkpoints()}
    assert {key: after[key] for key in before} == before
