"""The Textual app: one main screen, the command palette, and a sane end. All else is in the modules beside it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

from explorer.render.palette import Palette, palette
from explorer.ui import background, terminal
from explorer.ui.config import Config, defaults
from explorer.ui.keys import in_force, keymap
from explorer.ui.messages import Background, Kept
from explorer.ui.modes import MODES
from explorer.ui.screens.main import MainScreen
from explorer.ui.session import Saved, Session
from explorer.ui.state import State
from explorer.ui.suspend import Suspension
from explorer.ui.widgets.lines import PLAIN
from explorer.ui.widgets.panel import Panel
from explorer.ui.wire import Wire
from store.errors import BertdynError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from store.reads import ReadStore

SAVE_SECONDS = 1.0
FAREWELL_SECONDS = 6.0
"""After a signal, how long an orderly end may take; children end by themselves when nobody listens any more."""
ANSWER_SECONDS = 10.0
"""How long the terminal's answer may take to be known for one even where it comes byte by byte."""
YOUNG = 50_000
"""New objects between two looks of the garbage collector: a table of many values is a third faster read than with
Python's own 700, and nothing in it is garbage."""


class Explorer(App[None]):
    """Looks at one store; with a session it comes back to what was shown before, and saves what is."""

    CSS_PATH = "explorer.tcss"
    TITLE = "bertdyn"
    # Without a binding of the app itself Textual adds one of its own, which no [keys] could change.
    BINDINGS: ClassVar = [
        Binding("ctrl+p", "command_palette", show=False, id="palette"),
        Binding("ctrl+z", "suspend_process", show=False, id="suspend", priority=True),
    ]

    def __init__(
        self,
        path: Path,
        config: Config | None = None,
        session: Session | None = None,
        reads: ReadStore | None = None,
    ) -> None:
        """
        Args:
            reads: how the store's tables are read; None: in processes of their own.

        Raises:
            BertdynError: a key that is none or is given to two actions, a mode that there is not.
        """
        config = config or defaults()
        self.actions = in_force(config.keys)
        # The terminal's own colours: with them NO_COLOR leaves no colour code at all (Textual would send greys).
        super().__init__(ansi_color=True)
        shown = terminal.colours(self.console.color_system, self.no_color, config.text("background"))
        self.theme = _theme(shown)
        self.asks = False
        """Whether to ask the terminal for its background; the picture does not wait for the answer."""
        self._asked = -ANSWER_SECONDS
        self.animation_level = "none"
        self.set_keymap(keymap(config.keys))
        self.wire = Wire()
        self._held: list[events.Key | events.Paste] = []
        self._at_once = {key for a in self.actions if a.id in ("quit", "help", "redraw") for key in a.keys}
        """Keys that need no store; the others wait until it is open."""
        self._leaves = {key for a in self.actions if a.id == "quit" for key in a.keys}
        self._waits = False
        """What is typed waits until the key before has led where it leads."""
        self.suspension: Suspension | None = None
        self.session = session
        self._acted = False
        """The user has done something here: from then on a session file that was not understood may be replaced."""
        self._saving = False
        self._unsaved = ""
        """Why the session could not be saved, as far as that was told."""
        self._saved = session.read() if session is not None and config.on("restore") else Saved()
        self.main = MainScreen(path, shown)
        self.main.actions, self.main.computes = self.actions, config.on("compute")
        self.main.pairs = config.on("beside")
        self.main.reader.reads = self.main.sql.asker.reads = reads
        begin = _chosen(self._saved.state, config)
        self.set_class(begin.options.ascii, PLAIN)
        self.main.open_with(begin, self._saved, session)

    async def on_event(self, event: events.Event) -> None:
        """As Textual's; but a key that may lead elsewhere is acted on before the next one is looked at: keys that come
        faster than the store or lines open and close are text there, and commands before and behind them."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded and self.screen is self.main:
            self._acted = self._acted or not (isinstance(event, events.Key) and event.key in self._leaves)
            unopened = self.main.opening and not (isinstance(event, events.Key) and event.key in self._at_once)
            if self._waits or self.main.prompt.opening or unopened:
                self._held.append(event)
                return
            if isinstance(event, events.Key) and await self._commanded(event.key):
                return
        await super().on_event(event)

    async def _commanded(self, key: str) -> bool:
        """Do what a key does to the picture or the panel; False where it is for a widget to take."""
        if self.main.commanding and await self._check_bindings(key):
            return True
        self._waits = self.main.leads_out(key)
        if self._waits and self.main.focused is self.main.panel:
            await self._check_bindings(key)
            self.main.panel.post_message(Panel.Settled())  # after all that it has to say of this key
            return True
        return False

    async def _release(self) -> None:
        held, self._held = self._held, []
        for event in held:
            await self.on_event(event)

    async def _led(self) -> None:
        self._waits = False
        await self._release()

    async def on_listed(self) -> None:
        await self._release()

    async def on_failed(self) -> None:
        await self._release()

    async def on_prompt_opened(self) -> None:
        self.main.prompt.opening = False
        await self._release()

    async def on_prompt_answered(self) -> None:
        await self._led()

    async def on_prompt_dropped(self) -> None:
        await self._led()

    async def on_panel_settled(self) -> None:
        await self._led()

    async def on_sql_editor_wanted(self) -> None:
        await self._led()

    def get_default_screen(self) -> Screen[None]:
        return self.main

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: a test, not a terminal
                loop.add_signal_handler(number, self._leave, number)
        if self.asks and self._driver is not None:
            self._asked = time.monotonic()
            self._driver.write(background.ASK)
            self._driver.flush()
        if isinstance(self._driver, LinuxDriver):
            self.suspension = Suspension(self._driver, self._back)
            self.suspension.listen()
        if self.session is not None:
            self.set_interval(SAVE_SECONDS, self._save_changes)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the registry by its name."""
        for action in self.actions:
            if action.id != "palette":
                run = partial(self.call_later, self.main.run_action, action.call)
                keys = action.plain_keys if self.has_class(PLAIN) else action.shown_keys
                yield SystemCommand(f"{action.title}  ({keys})", action.help, run)
        for name in self.session.presets() if self.session is not None else ():
            yield SystemCommand(f"Kept selection: {name}", "show it again", partial(self.main.load, name))

    def action_command_palette(self) -> None:
        """Every command by its name."""
        from explorer.ui.widgets.options import Palette as Commands

        if self.screen is self.main:
            self.push_screen(Commands(id="--command-palette"))

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if self.suspension is None or not self.suspension.away:
            super()._display(screen, self.wire.lean(renderable))

    def on_resize(self) -> None:
        self.wire.forget()  # the terminal has cut off or moved what it showed

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """As Textual's; in the SQL editor the key that stops the explorer undoes what was typed."""
        return action != "suspend_process" or self.focused is None or self.focused is not self.main.sql.editor

    def action_suspend_process(self) -> None:
        """Back to the shell, until it is told to go on."""
        if self.suspension is not None:
            self.suspension.stop()

    def _back(self, stopped: bool) -> None:
        self.action_redraw()
        if not stopped:
            self.main.tell("No shell is here to come back from: the explorer was not stopped.")

    def action_redraw(self) -> None:
        """Paint everything again: something else has written on the terminal."""
        self.wire.forget()
        self.screen.refresh()

    def awaits(self) -> bool:
        """An answer may still come; from any thread."""
        return time.monotonic() - self._asked < ANSWER_SECONDS

    def answered(self, answer: str) -> None:
        """What the terminal says of its background; from any thread."""
        dark = background.dark(answer)
        if dark is not None and self.asks:
            self._asked = -ANSWER_SECONDS
            with contextlib.suppress(RuntimeError):  # it is over
                self.post_message(Background(dark))

    def on_background(self, message: Background) -> None:
        """Colours for the terminal's own background."""
        if message.dark != self.main.palette.dark:
            self.main.recolour(palette(self.main.palette.depth, message.dark))
            self.theme = _theme(self.main.palette)

    def save(self) -> None:
        """Save the session here and now; for the end."""
        if self.session is not None and (self._acted or not self.session.trouble):
            self.session.write(self.main.saved())

    def _save_changes(self) -> None:
        """Save what has changed since the last look, in a thread: a home folder may be far away."""
        now = self.main.saved()
        if self.session is None or now == self._saved or self._saving or (self.session.trouble and not self._acted):
            return
        self._saved, self._saving = now, True
        write = self.session.writer(now)

        def chore() -> None:
            self.main.hear(Kept(write()))

        self.run_worker(chore, thread=True, exit_on_error=False)

    def on_kept(self, message: Kept) -> None:
        """The session was saved, or why not: said once."""
        self._saving = False
        if message.trouble and message.trouble != self._unsaved:
            self.main.tell(f"The session is not saved: {message.trouble}.")
        self._unsaved = message.trouble

    def _leave(self, number: int) -> None:
        self.save()  # first of all: after SIGHUP there may be no terminal to say goodbye to
        if self.suspension is not None:
            self.suspension.leave()
        # Textual waits until the terminal has taken its last words; one that is gone never does.
        farewell = threading.Timer(FAREWELL_SECONDS, os._exit, [128 + number])
        farewell.daemon = True
        farewell.start()
        self.exit(return_code=128 + number)


def _theme(shown: Palette) -> str:
    return "ansi-dark" if shown.dark else "ansi-light"


def _chosen(state: State, config: Config) -> State:
    """A state with what the settings say.

    Raises:
        BertdynError: there is no such mode.
    """
    mode, measure = config.text("mode"), config.text("measure")
    if mode and mode not in MODES:
        raise BertdynError(f"{config.sources['mode']}: there is no view '{mode}', only {', '.join(MODES)}.")
    said = config.sources["ascii"] != "default"
    options = replace(state.options, ascii=config.on("ascii") if said else state.options.ascii)
    return replace(state, mode=mode or state.mode, measure=measure or state.measure, options=options)


def run(store_path: Path, config: Config) -> int:
    """Show a store until the user leaves; the exit code is 0, or 128 plus the signal that ended it.

    On a terminal that cannot show a full screen (TERM=dumb, a pipe) the first view is printed as text, with code 2.

    Raises:
        BertdynError: such a terminal, a store that cannot be opened, and settings that make no sense.
    """
    explorer = Explorer(store_path, config, Session(store_path))
    gc.freeze()  # what is there now stays until the end
    gc.set_threshold(YOUNG)
    gc.enable()
    why = terminal.unusable()
    if why:
        return terminal.text_view(store_path, why)
    for name in ("COLUMNS", "LINES"):  # Textual believes them rather than the terminal, and would never see a resize
        os.environ.pop(name, None)
    explorer.asks = terminal.asks(explorer.main.palette, config.text("background"))
    terminal.read_keys(explorer.answered, explorer.awaits)
    try:
        explorer.run(mouse=config.on("mouse"))
    finally:
        explorer.save()
        explorer.main.sql.asker.finish()
        explorer.main.reader.finish()
        explorer.main.jobs.finish()
    broken = explorer._exception is not None  # the input thread's own errors leave the return code at 0
    return explorer.return_code or (1 if broken else 0)
