"""The Textual app: the main screen and its keys, the command palette, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen

from explorer.render.palette import Palette, palette
from explorer.ui.action import Action
from explorer.ui.dialogs.picker import PickerScreen
from explorer.ui.key_bindings import in_force, keymap
from explorer.ui.messages import Background, KeyDone, SessionSaved
from explorer.ui.modes import MODES
from explorer.ui.screens.main import MainScreen
from explorer.ui.session import Saved, Session
from explorer.ui.settings import Settings, defaults
from explorer.ui.state import State
from explorer.ui.terminal import capabilities
from explorer.ui.terminal.host import TerminalApp
from explorer.ui.widgets.text_lines import PLAIN
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.command import Provider

    from explorer.compute.requests import Request
    from store.reads import ReadStore

SAVE_SECONDS = 1.0
ENDING = ("ctrl+c", "ctrl+q")
"""Keys that end the explorer in every list and dialog."""
FAREWELL_SECONDS = 6.0
"""Time that an orderly end may take after a signal. Child processes end by themselves when their pipe closes."""
YOUNG = 50_000
"""Number of new objects between two runs of the garbage collector. Large tables have no garbage, and are read a third
faster than with Python's default of 700."""


def _typed_places() -> type[Provider]:
    from explorer.ui.typed_places import TypedPlaces

    return TypedPlaces


class Explorer(TerminalApp):
    """The explorer of one store. With a session it starts as it was left, and saves every change."""

    CSS_PATH = "explorer.tcss"
    COMMANDS: ClassVar = TerminalApp.COMMANDS | {_typed_places}
    TITLE = "bertdyn"
    # Without these bindings Textual would add its own, which [keys] could not change.
    BINDINGS: ClassVar = [
        Binding("ctrl+p", "command_palette", show=False, id="palette"),
        Binding("ctrl+z", "suspend_process", show=False, id="suspend", priority=True),
    ]

    def __init__(
        self,
        path: Path,
        config: Settings | None = None,
        session: Session | None = None,
        reads: ReadStore | None = None,
        begins: Sequence[Request] = (),
    ) -> None:
        """
        Args:
            reads: how the store's tables are read; None: in processes of their own.
            begins: requests to begin with.

        Raises:
            BertdynError: a key does not exist or is given to two actions, or the mode is unknown.
        """
        config = config or defaults()
        self.actions = in_force(config.keys)
        super().__init__()
        shown = capabilities.colours(self.console.color_system, self.no_color, config.text("background"))
        self.theme = _theme(shown)
        self.animation_level = "none"
        self.set_keymap(keymap(config.keys))
        self._leaves = {key for a in self.actions if a.id == "quit" for key in a.keys}
        self.session = session
        self._acted = False
        """Whether the user has done more than quit. Only then may a session file that could not be read be replaced."""
        self._saving = False
        self._unsaved = ""
        """The last reason for not saving the session that the user was told."""
        self._saved = session.read() if session is not None and config.on("restore") else Saved()
        self.main = MainScreen(path, shown, self.actions, reads, begins)
        self.main.typing.act = self._act
        self.main.computing.by_itself, self.main.pair.allowed = config.on("compute"), config.on("beside")
        begin = _chosen(self._saved.state, config)
        self.set_class(begin.options.ascii, PLAIN)
        self.main.open_with(begin, self._saved, session)

    async def on_event(self, event: events.Event) -> None:
        """Put keys for the main screen into its queue; leave all other events to Textual."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded and self.screen is self.main:
            self._acted = self._acted or not (isinstance(event, events.Key) and event.key in self._leaves)
            await self.main.typing.queue.put(event)
        elif isinstance(event, events.Key) and isinstance(self.screen, PickerScreen) and event.key not in ENDING:
            self.screen.press(event)
        else:
            await super().on_event(event)

    async def _act(self, typed: events.Key | events.Paste | Action) -> bool:
        """Act on a key, or on an action chosen in another way; return True if it may move the focus elsewhere."""
        if isinstance(typed, Action):
            await self.run_action(typed.call, self.main)
            return False
        if isinstance(self.screen, PickerScreen) and isinstance(typed, events.Key):
            self.screen.press(typed)
            return False
        if self.screen is not self.main or isinstance(typed, events.Paste):
            await super().on_event(typed)
            return False
        main = self.main
        if main.typing.command(typed.key) is not None and await self.bound(typed.key):
            return False
        leads = main.typing.leads_out(typed.key)
        if leads and main.focused is main.panel:
            await self.bound(typed.key)
            main.panel.post_message(KeyDone())  # after all messages that the panel sends because of this key
        else:
            await super().on_event(typed)
        return leads

    async def on_key_done(self) -> None:
        if self.screen_stack:
            await self.main.typing.queue.key_done()

    async def on_opened(self) -> None:
        await self._release()

    async def on_listed(self) -> None:
        await self._release()

    async def on_loaded(self) -> None:
        await self._release()

    async def on_failed(self) -> None:
        await self._release()

    async def _release(self) -> None:
        """Act on held keys, unless the explorer is ending: an answer may come when its screens are gone."""
        if self.screen_stack:
            await self.main.typing.queue.release()

    def get_default_screen(self) -> Screen[None]:
        return self.main

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: a test, not a terminal
                loop.add_signal_handler(number, self._leave, number)
        if self.session is not None:
            self.set_interval(SAVE_SECONDS, self._save_changes)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield all actions by name, then all measures, references, tasks, seeds and corpora, then kept selections."""
        for action in self.actions:
            if action.id != "palette":
                run = partial(self.call_later, self.main.typing.queue.put, action)
                keys = action.plain_keys if self.has_class(PLAIN) else action.shown_keys
                yield SystemCommand(f"{action.title}  ({keys})", action.help, run)
        for kind, name, about in self.main.picking.nouns():
            yield SystemCommand(f"{name}  ({kind})", about, partial(self.main.picking.take, kind, name))
        for name in self.session.presets() if self.session is not None else ():
            yield SystemCommand(f"Kept selection: {name}", "show it again", partial(self.main.keeping.load, name))

    def action_command_palette(self) -> None:
        """Open the command palette, which finds a command by its name."""
        from explorer.ui.terminal.lists import CommandFinder

        if self.screen is self.main:
            self.push_screen(CommandFinder(id="--command-palette"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the suspend key while a text is being edited: there it means undo."""
        return action != "suspend_process" or not self.main.mode.typing

    def returned(self, stopped: bool) -> None:
        """Paint again after a suspension, or say that the explorer could not be suspended."""
        super().returned(stopped)
        if not stopped:
            self.main.tell("The explorer was not suspended: there is no shell that could continue it.")

    def on_background(self, message: Background) -> None:
        """Use colours that suit the terminal's background."""
        if message.dark != self.main.palette.dark:
            self.main.recolour(palette(self.main.palette.depth, message.dark))
            self.theme = _theme(self.main.palette)

    def save(self) -> None:
        """Save the session now, before the explorer ends."""
        if self.session is not None and (self._acted or not self.session.trouble):
            self.session.write(self.main.saved())

    def _save_changes(self) -> None:
        """Save changes of the session in a thread, since the home folder may be on a slow network."""
        now = self.main.saved()
        if self.session is None or now == self._saved or self._saving or (self.session.trouble and not self._acted):
            return
        self._saved, self._saving = now, True
        write = self.session.writer(now)

        def chore() -> None:
            self.main.hear(SessionSaved(write()))

        self.run_worker(chore, thread=True, exit_on_error=False)

    def on_session_saved(self, message: SessionSaved) -> None:
        """Note that the session was saved, or tell the user once why it was not."""
        self._saving = False
        if message.trouble and message.trouble != self._unsaved:
            self.main.tell(f"The session is not saved: {message.trouble}.")
        self._unsaved = message.trouble

    def _leave(self, number: int) -> None:
        self.save()  # first: after SIGHUP the terminal may be gone
        if self.suspension is not None:
            self.suspension.leave()
        # Textual waits until the terminal has received its last output; if the terminal is gone, it waits forever.
        farewell = threading.Timer(FAREWELL_SECONDS, os._exit, [128 + number])
        farewell.daemon = True
        farewell.start()
        self.exit(return_code=128 + number)


def _theme(shown: Palette) -> str:
    return "ansi-dark" if shown.dark else "ansi-light"


def _chosen(state: State, config: Settings) -> State:
    """Return a state with the mode, measure and options of the settings.

    Raises:
        BertdynError: there is no such mode.
    """
    mode, measure = config.text("mode"), config.text("measure")
    if mode and mode not in MODES:
        raise BertdynError(f"{config.sources['mode']}: there is no view '{mode}', only {', '.join(MODES)}.")
    said = config.sources["ascii"] != "default"
    options = replace(state.options, ascii=config.on("ascii") if said else state.options.ascii)
    return replace(state, mode=mode or state.mode, measure=measure or state.measure, options=options)


def run(store_path: Path, config: Settings, begins: Sequence[Request] = ()) -> int:
    """Show a store until the user leaves; return the exit code: 0, or 128 plus the number of the signal that ended it.

    Args:
        begins: requests to begin with; without a full screen they are not done.

    On a terminal that cannot show a full screen (TERM=dumb, a pipe) print the first view as text and return 2.

    Raises:
        BertdynError: the store cannot be opened, or a setting is invalid.
    """
    explorer = Explorer(store_path, config, Session(store_path), begins=begins)
    gc.freeze()  # all present objects stay until the end
    gc.set_threshold(YOUNG)
    gc.enable()
    why = capabilities.unusable()
    if why:
        return capabilities.text_view(store_path, why)
    for name in ("COLUMNS", "LINES"):  # Textual would use these instead of the terminal's size, and miss every resize
        os.environ.pop(name, None)
    explorer.asks = capabilities.asks(explorer.main.palette, config.text("background"))
    capabilities.read_keys(explorer.answered, explorer.awaits)
    try:
        explorer.run(mouse=config.on("mouse"))
    finally:
        explorer.save()
        explorer.main.finish()
    return explorer.return_code or (1 if explorer.broken else 0)
