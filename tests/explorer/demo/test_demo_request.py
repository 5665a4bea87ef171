"""Does the request that makes the demo begin at once, say how far it is, and refuse what cannot be used?"""

from __future__ import annotations

import pytest

from explorer.compute.protocol import Refused, Update, read_message
from explorer.compute.requests import request_line
from explorer.demo.request import Demo, begun
from explorer.demo.run import DemoStage
from store import child
from store.errors import BertdynError
from store.store import Store


def test_the_store_is_there_at_once_and_what_it_holds_stays(tmp_path):
    path = begun(tmp_path / "new")
    assert path == tmp_path / "new" / "demo.bertdyn"
    assert Store.open(path).checkpoints() == ()
    before = {p: p.stat().st_mtime_ns for p in path.rglob("*")}
    assert begun(tmp_path / "new") == path
    assert {p: p.stat().st_mtime_ns for p in path.rglob("*")} == before


def test_a_place_that_cannot_be_used_is_refused_before_the_explorer_opens(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BertdynError, match="file"):
        begun(tmp_path / "file")
    (tmp_path / "demo.bertdyn").mkdir()
    (tmp_path / "demo.bertdyn" / "letter.txt").write_text("mine")
    with pytest.raises(BertdynError, match=r"demo\.bertdyn"):
        begun(tmp_path)


def test_its_child_knows_the_request_and_says_why_it_cannot_go_on(tmp_path):
    (tmp_path / "demo.bertdyn").write_text("mine")
    with child.start(Demo.module, str(tmp_path / "demo.bertdyn")) as process:
        said, _ = process.communicate(request_line(Demo()).encode() + b"\n")
    message = read_message(said.decode().splitlines()[-1])
    assert isinstance(message, Refused)
    assert "demo.bertdyn" in message.message
    assert process.returncode == 2


def test_training_is_counted_and_the_rest_is_said(tmp_path, monkeypatch):
    def make(folder, progress):
        assert folder == tmp_path
        for stage in (
            DemoStage("js on tags", 0, 0, "values"),
            DemoStage("svcca on tags", 1, 7, "values"),
            DemoStage("fine-tune", 0, 800, "training steps"),
            DemoStage("extract", 2, 50, "checkpoints"),
            DemoStage("fine-tune", 1000, 2000, "training steps"),
        ):
            progress(stage)

    monkeypatch.setattr("explorer.demo.run.make_demo", make)
    heard: list[Update] = []
    outcome = Demo().run(tmp_path / "demo.bertdyn", heard.append)
    assert heard == [
        Update(800, 800, 0, "svcca on tags: 1 of 7 values"),  # nothing was left to train
        Update(0, 800, 0, "fine-tuning"),
        Update(0, 800, 0, "extract: 2 of 50 checkpoints"),
        Update(1000, 2000, 0, "fine-tuning"),
    ]
    assert outcome.ok
