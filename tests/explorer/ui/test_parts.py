"""Parts of the main screen, each alone: what computes by itself, what a key waits for, and who acts on an action."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Fake
from typing import Any

import pytest

import explorer.ui
from explorer.answers.look import ANYWHERE
from explorer.compute.requests import Compute
from explorer.render.palette import Depth, palette
from explorer.ui.action import Action
from explorer.ui.actions import ACTIONS
from explorer.ui.key_queue import Gate
from explorer.ui.messages import Ended, Loaded
from explorer.ui.modes.mode import Behaviour
from explorer.ui.parts.computing import Computing
from explorer.ui.parts.typing import Typing
from explorer.ui.screens.main import MainScreen
from explorer.ui.state import Wish
from tests.explorer.ui.test_state import START, STORE

ASKED = START.question(STORE)
REQUEST = Compute(ASKED.selection)
OTHER = replace(ASKED, seeds=("1",))


class Screen:
    """What Computing needs of a screen; timers end when they are told to."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.told: list[str] = []
        self.calm: list[Callable[[], None]] = []
        self.question, self.state = ASKED, START
        self.left: list[list[Compute]] = []
        self.jobs = Fake(
            request=None, start=lambda q, asked=False: self.started.append((q, asked)), leave=self.left.append
        )
        self.pictures = Fake(lacking=(ASKED,), job_changed=lambda: None)
        self.panes = (Fake(wish=Fake(question=ASKED), waiting=False),)
        self.reader = Fake(look_again=lambda: None)
        self.mode = Fake(job_changed=lambda: None)

    def set_timer(self, seconds: float, act: Callable[[], None]) -> Fake:
        self.calm.append(act)
        return Fake(stop=lambda: self.calm.remove(act))

    def show(self, *questions: Any, lacking: tuple[Any, ...] = (), waiting: bool = False) -> None:
        self.panes = tuple(Fake(wish=Fake(question=question), waiting=waiting) for question in questions)
        self.pictures.lacking = lacking

    def tell(self, word: str) -> None:
        self.told.append(word)

    def bars(self) -> None:
        """Nothing to write on."""

    def key_of(self, action: str) -> str:
        return action

    def wait(self) -> None:
        calm, self.calm = self.calm, []
        for act in calm:
            act()


def computing() -> tuple[Computing, Screen]:
    screen = Screen()
    return Computing(screen), screen  # type: ignore[arg-type]


def loaded(question: Any = ASKED, missing: int = 3) -> Loaded:
    return Loaded(Wish("curves", question, ANYWHERE), Fake(), missing)  # type: ignore[arg-type]


def test_what_is_missing_is_computed_once_the_selection_stands_still() -> None:
    part, screen = computing()
    part.loaded(loaded())
    assert not screen.started
    screen.wait()
    assert screen.started == [(REQUEST, False)]


def test_a_selection_that_was_only_passed_is_not_computed() -> None:
    part, screen = computing()
    part.loaded(loaded())
    screen.pictures.lacking = (OTHER,)
    screen.wait()
    assert not screen.started


def test_what_was_cancelled_waits_for_the_key() -> None:
    part, screen = computing()
    part.ended(Ended(REQUEST, "cancelled"))
    part.loaded(loaded())
    screen.wait()
    assert not screen.started
    part.compute()
    assert screen.started == [(REQUEST, True)]


def test_what_was_tried_is_tried_again_when_checkpoints_come_and_what_was_replaced_at_once() -> None:
    for how, before in (("done", 0), ("replaced", 1)):
        part, screen = computing()
        part.ended(Ended(REQUEST, how))  # type: ignore[arg-type]
        part.loaded(loaded())
        screen.wait()
        assert len(screen.started) == before
        part.listed()
        part.loaded(loaded())
        screen.wait()
        assert len(screen.started) == before + 1


def test_nothing_starts_by_itself_where_the_user_does_not_want_it() -> None:
    part, screen = computing()
    part.by_itself = False
    part.loaded(loaded())
    screen.wait()
    assert not screen.started


def test_the_job_of_a_picture_that_was_left_ends_where_complete_ones_are_shown() -> None:
    part, screen = computing()
    screen.jobs.request = REQUEST
    screen.show(OTHER)
    part.loaded(loaded(OTHER, 0))
    assert not screen.left, "one may come back at once"
    screen.wait()
    assert screen.left == [[Compute(OTHER.selection)]]


def test_the_job_goes_on_for_who_comes_back_or_looks_at_what_is_no_complete_picture() -> None:
    part, screen = computing()
    screen.jobs.request = REQUEST
    screen.show(OTHER)
    part.loaded(loaded(OTHER, 0))
    screen.show(ASKED, lacking=(ASKED,))
    part.loaded(loaded(ASKED, 0))
    screen.wait()
    assert not screen.left, "one came back"
    for there in ({"waiting": True}, {"lacking": (OTHER,)}):
        screen.show(OTHER)
        part.loaded(loaded(OTHER, 0))
        screen.show(OTHER, **there)  # type: ignore[arg-type]
        screen.wait()
    screen.show()
    part.loaded(loaded(OTHER, 0))
    screen.wait()
    assert not screen.left


def test_what_was_left_is_computed_again_for_who_comes_back() -> None:
    part, screen = computing()
    part.ended(Ended(REQUEST, "left"))
    part.loaded(loaded())
    screen.wait()
    assert screen.started == [(REQUEST, False)]


def typing(**has: Any) -> Typing:
    chart = object()
    pane = Fake(waiting=has.get("waiting", False))
    screen = Fake(
        actions=ACTIONS,
        catalogue=None if has.get("opening") else STORE,
        focused=chart if has.get("pointing", True) else None,
        chart=chart,
        panel=object(),
        prompt=Fake(opening=has.get("prompt", False), ENDS=()),
        jumps=Fake(jump=None),
        pane=pane,
        pictures=Fake(refused=has.get("refused", ""), shown=((pane, START),)),
    )
    screen.app = Fake(screen=object() if has.get("dialog") else screen)
    screen.modes = {START.mode: Behaviour(screen, Fake(name=START.mode))}  # type: ignore[arg-type]
    return Typing(screen)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "has", "gate"),
    [
        ("m", {}, Gate.OPEN),
        ("m", {"opening": True}, Gate.SHUT),
        ("q", {"opening": True}, Gate.OPEN),
        ("m", {"opening": True, "refused": "gone"}, Gate.OPEN),
        ("q", {"prompt": True}, Gate.SHUT),
        ("m", {"waiting": True}, Gate.OPEN),
        ("left", {"waiting": True}, Gate.PASSABLE),
        ("f", {"waiting": True}, Gate.SHUT),
        ("e", {"waiting": True}, Gate.SHUT),
        ("left", {"waiting": True, "pointing": False}, Gate.OPEN),
        ("e", {"waiting": True, "dialog": True}, Gate.OPEN),
    ],
)
def test_a_key_waits_for_what_it_needs_and_for_nothing_else(key: str, has: dict[str, Any], gate: Gate) -> None:
    assert typing(**has)._gate(Fake(key=key)) is gate  # type: ignore[arg-type]


def test_every_action_of_the_screen_has_someone_who_acts() -> None:
    screen = MainScreen(Path("nowhere"), palette(Depth.NONE))
    for action in ACTIONS:
        namespace, _, call = action.call.partition(".")
        name = call.partition("(")[0]
        told = ast.literal_eval(call.removeprefix(name) or "()")
        told = told if isinstance(told, tuple) else (told,)
        if namespace == "screen" and name in ("part", "of_mode"):
            owner = screen.modes[told[0]] if name == "of_mode" else getattr(screen, told[0])
            assert callable(getattr(owner, told[1])), action.id
        elif namespace == "screen":
            assert callable(getattr(screen, f"action_{name}")), action.id


def test_private_names_of_textual_are_used_in_one_folder() -> None:
    folder = Path(explorer.ui.__file__).parent
    own = {name for file in folder.rglob("*.py") for name in _defined(ast.parse(file.read_text()))}
    found = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            private = isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr not in own
            private = private and ast.unparse(node) != "os._exit"
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            imported = (module or "").startswith("textual") and any(
                part.startswith("_") for part in [*(module or "").split("."), *names]
            )
            if (private and not node.attr.startswith("__") and node.attr != "_make") or imported:  # type: ignore[union-attr, attr-defined]
                found.add(file.relative_to(folder).parts[0])
    assert found == {"terminal"}


def _defined(tree: ast.AST) -> set[str]:
    """Names that our own code gives: functions, and attributes that are assigned."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def test_actions_say_what_they_wait_for() -> None:
    waits: dict[str, list[Action]] = {}
    for action in ACTIONS:
        waits.setdefault(action.waits, []).append(action)
    assert {a.id for a in waits["picture"]} >= {"jump", "export", "copy", "sort", "cursor.left"}
    assert {a.id for a in waits["place"]} >= {"measure.next", "step.previous", "layer.next"}
