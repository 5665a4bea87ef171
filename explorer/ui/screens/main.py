"""The main screen: one state, and the parts that show it and change it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import Screen

from explorer.ui import bars, state
from explorer.ui.action import Action
from explorer.ui.actions import ACTIONS
from explorer.ui.catalogue import Catalogue
from explorer.ui.filters import is_condition
from explorer.ui.jobs import JobRunner
from explorer.ui.messages import Ended, Exported, Failed, Listed, Loaded, Progress, ToMode
from explorer.ui.modes import MODES
from explorer.ui.parts.choosing import FILTER, Choosing
from explorer.ui.parts.computing import ANNOTATE, Computing
from explorer.ui.parts.exporting import Exporting
from explorer.ui.parts.jumps import Jumps
from explorer.ui.parts.keeping import KEEP, Keeping
from explorer.ui.parts.marking import Marking
from explorer.ui.parts.picking import Picking
from explorer.ui.parts.pictures import Pictures
from explorer.ui.parts.surroundings import Surroundings
from explorer.ui.parts.two_views import TwoViews
from explorer.ui.parts.typing import Typing
from explorer.ui.parts.walking import Walking
from explorer.ui.parts.worth import Worth
from explorer.ui.reader import Reader
from explorer.ui.session import Saved, Session
from explorer.ui.state import NotShownError, State
from explorer.ui.widgets.pane import Pane
from explorer.ui.widgets.panel import SelectionPanel
from explorer.ui.widgets.picture_box import PictureBox
from explorer.ui.widgets.prompt import Prompt
from explorer.ui.widgets.text_lines import PLAIN, TextLines
from explorer.views.base import SCALES, Picture
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual import events
    from textual.containers import Vertical
    from textual.message import Message

    from explorer.compute.requests import Request
    from explorer.render.palette import Palette
    from explorer.selection import Question
    from explorer.ui.dialogs.help import HelpScreen
    from explorer.ui.help_page import Shown
    from explorer.ui.modes.mode import Behaviour
    from store.reads import ReadStore


class MainScreen(Screen[None]):
    """Holds the state, shows its changes, and passes keys and messages to the parts that handle them."""

    AUTO_FOCUS = "#chart"

    BINDINGS: ClassVar = [Binding(",".join(a.keys), a.call, a.title, show=False, id=a.id) for a in ACTIONS]

    def __init__(
        self,
        path: Path,
        palette: Palette,
        actions: Sequence[Action] = ACTIONS,
        reads: ReadStore | None = None,
        begins: Sequence[Request] = (),
    ) -> None:
        """
        Args:
            actions: all actions, with the keys in force.
            reads: how tables are read (see ``Explorer``).
            begins: requests to begin with.
        """
        super().__init__()
        self.path, self.palette, self.actions, self.reads = path, palette, tuple(actions), reads
        self.state = State()
        self.catalogue: Catalogue | None = None
        self.reader, self.jobs = Reader(path, self.hear, reads), JobRunner(path, self.hear)
        self.pictures, self.pair = Pictures(self, palette), TwoViews(self)
        self.choosing, self.jumps = Choosing(self), Jumps(self)
        self.computing, self.keeping, self.exporting = Computing(self), Keeping(self), Exporting(self)
        self.modes: dict[str, Behaviour] = {m.name: m.behaviour(self, m) for m in MODES.values()}
        self.panel, self.prompt = SelectionPanel(palette, id="panel"), Prompt(id="prompt")
        self.surroundings, self.typing = Surroundings(self), Typing(self)
        self.walking, self.picking, self.worth = Walking(self), Picking(self), Worth(self)
        self.marking = Marking(self)
        self.help: HelpScreen | None = None
        """The help that was opened last."""
        self._begins = begins
        self._left = False

    def open_with(self, begin: State, saved: Saved, session: Session | None) -> None:
        """Set the first state, before the store is listed."""
        self.state, self.surroundings.folded = begin, saved.folded
        self.keeping.begin(saved, session)

    def compose(self) -> ComposeResult:
        yield self.surroundings.lines["title"]
        with Horizontal(id="body"):
            yield self.panel
            yield self.pane
            yield self.other
        yield self.surroundings.lines["notes"]
        yield self.surroundings.lines["reading"]
        yield self.prompt
        yield self.surroundings.lines["footer"]
        yield self.surroundings.lines["small"]

    def on_mount(self) -> None:
        new = {a.id: a for a in self.actions}
        self.panel.keys = {a.shown_keys.split()[0]: new[a.id].shown_keys.split()[0] for a in ACTIONS}
        self.pane.say(f"Opening {self.path.name} …")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.reader.start()
        for request in self._begins:
            self.jobs.start(request, asked=True)

    def on_screen_suspend(self) -> None:
        self.reader.start()  # a dialog may open before the screen is painted for the first time

    def on_unmount(self) -> None:
        self._left = True
        self.reader.stop()
        self.jobs.cancel_all()

    def finish(self) -> None:
        """End all threads and processes of the screen."""
        for behaviour in self.modes.values():
            behaviour.finish()
        self.reader.finish()
        self.jobs.finish()

    def hear(self, message: Message) -> None:
        """Post a message from any thread; it is ignored after the screen has ended."""
        if not self._left:
            with contextlib.suppress(RuntimeError):
                self.post_message(message)

    # For the parts of the screen

    @property
    def mode(self) -> Behaviour:
        """Behaviour of the mode that is shown."""
        return self.modes[self.state.mode]

    @property
    def pane(self) -> Pane:
        """The pane of the picture, which the cursor keys move in."""
        return self.pictures.pane

    @property
    def other(self) -> Pane:
        """The pane of the second view, which shows the same selection, step and layer."""
        return self.pictures.other

    @property
    def slot(self) -> Vertical:
        """Space above the picture for the widgets of a mode."""
        return self.pictures.slot

    @property
    def chart(self) -> PictureBox:
        """The widget that draws the picture."""
        return self.pane.chart

    @property
    def picture(self) -> Picture | None:
        """The picture as last drawn; None while a message is shown in its place."""
        return self.pane.picture

    @property
    def missing(self) -> int:
        """Number of values of the picture that are not computed."""
        return self.pane.missing

    @property
    def panes(self) -> tuple[Pane, ...]:
        """The panes on the screen, the picture's first."""
        return tuple(pane for pane, _ in self.pictures.shown)

    @property
    def question(self) -> Question | None:
        """Question of the picture; None if the picture shows no values that could be computed."""
        kind = self.state.variant.kind
        if self.catalogue is None or kind is None or not kind.computes:
            return None
        try:
            return self.state.question(self.catalogue, kind)
        except BertdynError:
            return None

    def pinned(self) -> State:
        """Return the state with the choices that the modes made by default, so that they stay."""
        pinned = self.state
        for pane, shown in self.pictures.shown:
            pinned = self.modes[shown.mode].pinned(pane, pinned)
        return pinned

    def become(self, new: State, again: bool = False, noted: bool = True) -> None:
        """Change to another state and show it.

        Args:
            again: request the views even if the state is the same; the change was not made by the user.
            noted: whether the user can undo the change.
        """
        if noted and not again:
            self.keeping.history.note(self.state, new)
        if new.variant is not self.state.variant:
            self.typing.queue.forget()
        if new.mode != self.state.mode:
            self.mode.leave()
        self.state = new
        if not again:  # the message about an ended job must stay when the store is listed again
            self.pane.word = self.other.word = ""
        self.set_class(self.mode.slot, "-slot")
        if self.catalogue is not None:
            self.panel.about(new, self.catalogue)
            self.pictures.show(again)
        self.bars()
        if new.options.ascii != self.app.has_class(PLAIN):
            self.app.set_class(new.options.ascii, PLAIN)
            for lines in self.query(TextLines):
                lines.repaint()

    def tell(self, word: str) -> None:
        """Show a message until the next change."""
        self.pane.word = word
        self.bars()

    def bars(self) -> None:
        """Write the lines around the picture."""
        if self.is_mounted:
            self.surroundings.write()

    def recolour(self, palette: Palette) -> None:
        """Draw with the colours for another background."""
        self.palette = palette
        for widget in (self.pane, self.other, self.panel):
            widget.recolour(palette)
        self.bars()

    def key_of(self, action: str) -> str:
        """Return the first key of an action, as it is displayed."""
        return next(a.shown_keys.split()[0] for a in self.actions if a.id == action)

    def words_of(self, error: BertdynError) -> str:
        """Return the message of an error, with the key of an action that helps."""
        action = next((a for a in self.actions if isinstance(error, NotShownError) and a.id == error.action), None)
        return str(error) if action is None else f"{error} {self.key_of(action.id)}: {action.title.lower()}."

    def saved(self) -> Saved:
        """Return the present content of the session."""
        return self.keeping.saved(self.surroundings.folded)

    # Messages from the data thread, the jobs and the modes

    def on_listed(self, message: Listed) -> None:
        first, self.pictures.refused = self.catalogue is None, ""
        self.catalogue = message.catalogue
        self.keeping.listed(message.catalogue)
        self.computing.listed()
        wanted, known = self.state.measure, self.keeping.known(self.state)
        self.become(state.settled(known, message.catalogue), again=True)
        if known.measure != wanted:
            self.tell(f"There is no measure '{wanted}'; {self.key_of('measure.pick')} lists them.")
        session = self.keeping.session
        if first and session is not None and session.trouble:
            words = f"The saved session is ignored: {session.trouble}"
            self.tell(f"{words}. Your next key moves it to {session.aside.name}.")

    def on_loaded(self, message: Loaded) -> None:
        if message.wish == self.pane.wish and self.choosing.statistic_lost(message.view.stored):
            return
        self.keeping.loaded(message.view)
        self.pictures.loaded(message)
        self.picking.loaded(message)
        self.computing.loaded(message)
        self.bars()
        self.call_after_refresh(self.reader.painted, message.wish)

    def on_failed(self, message: Failed) -> None:
        self.pictures.failed(message)
        self.bars()

    def on_progress(self, message: Progress) -> None:
        self.computing.progressed(message)

    def on_ended(self, message: Ended) -> None:
        self.computing.ended(message)

    def on_exported(self, message: Exported) -> None:
        self.tell(f"Written: {message.path}" if message.path else f"Not written: {message.reason}")

    def on_to_mode(self, message: ToMode) -> None:
        self.modes[message.mode].hear(message.message)

    # Messages from the widgets

    def on_picture_box_drawn(self) -> None:
        self.jumps.check()
        self.bars()
        if self.help is not None and self.help.is_current:
            self.help.about(self.about())

    def on_key(self, event: events.Key) -> None:
        if self.jumps.jump is not None:
            self.jumps.key(event)
        elif self.focused is self.chart and event.key != "escape" and self.typing.command(event.key) is None:
            key = event.character if event.is_printable and event.character else event.key
            self.tell(f"{key} does nothing here; {self.key_of('help')} lists the keys.")

    async def on_click(self, event: events.Click) -> None:
        """Call the action under the mouse in the footer, pick the row in the panel, or point at the place in the
        picture; a click outside only closes the prompt."""
        if self.prompt.has_class("-open") and event.widget not in (self.prompt, *self.prompt.walk_children()):
            self.prompt.drop()
        elif event.widget is self.chart:
            self.jumps.drop()
            self.pictures.click(event.x, event.y)
        if event.widget is self.surroundings.lines["footer"]:
            action = bars.footer_at(event.x, self.state.mode, self.size.width, self.actions)
            if action is not None:
                self.app.call_later(self.typing.queue.put, action)
        elif event.widget is self.panel and event.y in self.panel.places():
            self.panel.take(event.y)

    def on_picture_box_turned(self, message: PictureBox.Turned) -> None:
        name = self.pictures.wheel(message.by)
        self.app.call_later(self.typing.queue.put, next(a for a in self.actions if a.id == name))

    def on_selection_panel_picked(self, message: SelectionPanel.Picked) -> None:
        self.choosing.picked(message.row)

    def on_selection_panel_left(self) -> None:
        self.surroundings.leave()

    def on_prompt_typed(self, message: Prompt.Typed) -> None:
        if message.what == FILTER:
            self.panel.find(" ".join(w for w in message.text.split() if not is_condition(w)))

    def on_prompt_entered(self, message: Prompt.Entered) -> None:
        if message.what == KEEP:
            self.keeping.answered(message.text)
        elif message.what == ANNOTATE:
            self.computing.answered(message.text)
        elif message.what in self.modes:
            self.modes[message.what].answered(message.text)
        else:
            self.choosing.answered(message.what, message.text)

    def on_prompt_dropped(self) -> None:
        self.panel.find("")
        self.surroundings.leave()

    def on_resize(self, event: events.Resize) -> None:
        self.surroundings.fit(*event.size)

    # Actions of the keys that actions.py declares

    def action_part(self, part: str, does: str, told: tuple[object, ...] = ()) -> None:
        """Call a method of one of the parts."""
        getattr(getattr(self, part), does)(*told)

    def action_of_mode(self, mode: str, does: str, told: tuple[object, ...] = ()) -> None:
        """Call a method of a mode's behaviour, if the mode is on the screen."""
        if any(shown.mode == mode for _, shown in self.pictures.shown):
            getattr(self.modes[mode], does)(*told)
        else:
            title, key = MODES[mode].title, self.key_of(f"mode.{mode}")
            self.tell(f"That key belongs to {title}: press {key} first.")

    def action_mode(self, mode: str) -> None:
        """Show the selection in another mode."""
        self.become(replace(self.state, mode=mode))

    def action_option(self, name: str) -> None:
        """Switch a drawing option on or off."""
        self.become(state.switched(self.state, name))

    def action_scale(self) -> None:
        """Show the next scale of the value axis, and say why others are passed over."""
        refused = {} if self.pane.view is None else self.pane.view.refused_scales
        options, passed = state.next_scale(self.state.options, refused)
        self.become(replace(self.state, options=options))
        skipped = (f"{SCALES[name]} is skipped: {refused[name]}" for name in passed)
        self.tell("; ".join((f"value axis: {SCALES[options.scale]}", *skipped)))

    def action_sort(self) -> None:
        """Change the order of rows or sentences."""
        self.mode.sort()

    def action_filter(self) -> None:
        """Open the prompt for a filter; in Example, for words of a sentence."""
        self.mode.filter()

    def action_cancel(self) -> None:
        """Cancel the statement or the job."""
        self.mode.cancel()

    def action_help(self) -> None:
        """Show the help."""
        from explorer.ui.dialogs.help import HelpScreen

        self.help = HelpScreen(self.palette, self.about())
        self.app.push_screen(self.help)

    def about(self) -> Shown:
        """Return the content of the help page."""
        from explorer.ui.help_page import Shown

        kind = self.state.variant.kind
        measured = self.catalogue is not None and kind is not None and not kind.whole
        measure = self.catalogue.measure(self.state.measured) if self.catalogue and measured else None
        views = [pane.about for pane in self.panes if pane.about]
        return Shown(self.mode.mode, self.state.variant, measure, views, self.actions)
