"""The main screen: what is compared, the picture, what the cursor reads, and the keys. Holds the state; messages from
the data thread, the job and the widgets end here and become a new state or a new picture."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from explorer.selection import Selection
from explorer.ui import bars, state
from explorer.ui.actions import ACTIONS
from explorer.ui.choices import picked
from explorer.ui.jobs import Jobs
from explorer.ui.messages import Ended, Exported, Failed, Listed, Loaded, Progress
from explorer.ui.reader import Reader
from explorer.ui.state import Catalogue, State
from explorer.ui.widgets.chart import Chart, centred
from explorer.ui.widgets.lines import Lines
from explorer.ui.widgets.panel import Panel
from explorer.ui.widgets.prompt import Prompt
from explorer.views.base import Cursor, Picture
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual import events
    from textual.message import Message

    from explorer.render.palette import Palette

SMALLEST = (60, 16)
PANEL_FROM = 100
"""Columns from which the panel is open unless the user folds it."""
CALM_SECONDS = 0.4
"""How long a selection must stand before it is computed: who cycles through measures starts no job for each."""
_NEXT: dict[str, Callable[[State, Catalogue, int], State]] = {
    "measure": state.next_measure,
    "task": state.next_task,
    "seed": state.next_seed,
    "probe": state.next_probe,
    "reference": state.next_reference,
}


class MainScreen(Screen[None]):
    """One state, one picture."""

    AUTO_FOCUS = "#chart"

    BINDINGS: ClassVar = [Binding(",".join(a.keys), a.call, a.title, show=False, id=a.id) for a in ACTIONS]

    def __init__(self, path: Path, palette: Palette) -> None:
        super().__init__()
        self.path, self.palette = path, palette
        self.state = State()
        self.catalogue: Catalogue | None = None
        self.reader = Reader(path, self._hear)
        self.jobs = Jobs(path, self._hear)
        self.picture: Picture | None = None
        self.progress: Progress | None = None
        self.missing = 0
        self._left = False
        self._folded: bool | None = None
        self._declined: set[Selection] = set()
        """Selections that were cancelled or could not be computed: only `c` starts them again."""
        self._tried: set[Selection] = set()
        """Selections computed with the checkpoints there are: what is still missing of them will not come."""
        self._word = ""
        """The last thing to tell that is in no picture; gone with the next key that changes something."""

    def compose(self) -> ComposeResult:
        yield Lines(id="title")
        with Horizontal(id="body"):
            yield Panel(self.palette, id="panel")
            with Vertical(id="picture"):
                yield Lines(id="heading")
                yield Lines(id="subheading")
                yield Chart(self.palette, id="chart")
        yield Lines(id="notes")
        yield Lines(id="reading")
        yield Prompt(id="prompt")
        yield Lines(id="footer")
        yield Lines(id="small")

    def on_mount(self) -> None:
        self.chart.say(f"Opening {self.path.name} …")
        self.call_after_refresh(self.reader.start)

    def on_unmount(self) -> None:
        self._left = True
        self.reader.stop()
        self.jobs.cancel()

    def _hear(self, message: Message) -> None:
        """From any thread; who speaks after the end is not heard."""
        if not self._left:
            with contextlib.suppress(RuntimeError):
                self.post_message(message)

    @property
    def chart(self) -> Chart:
        """The picture."""
        return self.query_one("#chart", Chart)

    @property
    def panel(self) -> Panel:
        """The selection panel."""
        return self.query_one("#panel", Panel)

    # What the data thread and the job say

    def on_listed(self, message: Listed) -> None:
        self.catalogue = message.catalogue
        self._tried.clear()
        self.become(state.settled(self.state, message.catalogue), anew=True)

    def on_loaded(self, message: Loaded) -> None:
        if message.mode != self.state.mode or message.selection != self.selection:
            return
        self.missing = message.missing
        self.chart.draw(message.view, self.state.cursor, self.state.options)
        self._bars()
        if message.missing:
            self.set_timer(CALM_SECONDS, lambda: self._compute_if_still(message.selection))

    def on_failed(self, message: Failed) -> None:
        if message.mode in ("", self.state.mode):
            self.picture, self.missing = None, 0
            self.chart.say(message.reason)
            self._bars()

    def on_progress(self, message: Progress) -> None:
        self.progress = message
        self._bars()

    def on_ended(self, message: Ended) -> None:
        self.progress = None
        if message.how == "cancelled" or message.reason:
            self._declined.add(message.selection)
        if message.how != "replaced":
            self._tried.add(message.selection)
        if message.how == "cancelled":
            self._word = "Cancelled; what was finished is kept. c goes on."
        elif message.reason:
            self._word = f"Not computed: {message.reason}"
        self.reader.look_again()
        self._bars()

    def on_exported(self, message: Exported) -> None:
        self._word = f"Written: {message.path}" if message.path else f"Not written: {message.reason}"
        self._bars()

    # What the widgets say

    def on_chart_drawn(self, message: Chart.Drawn) -> None:
        self.picture = message.picture
        self._bars()

    def on_panel_picked(self, message: Panel.Picked) -> None:
        row = message.row
        if self.catalogue is None:
            return
        if row.section in ("step", "layer"):
            ranges = self.state.steps if row.section == "step" else self.state.layers
            self._prompt.ask(row.section, str(ranges or ""), "0,20,100-500 or all")
        else:
            self.become(picked(row, self.state, self.catalogue))

    def on_panel_left(self) -> None:
        self.set_focus(self.chart)
        self._fold()

    def on_prompt_typed(self, message: Prompt.Typed) -> None:
        if message.what == "filter":
            self.panel.find(" ".join(w for w in message.text.split() if ":" not in w))

    def on_prompt_answered(self, message: Prompt.Answered) -> None:
        words = message.text.split()
        rest = [w for w in words if ":" not in w]
        text = " ".join(w for w in words if ":" in w) if message.what == "filter" else f"{message.what}:{message.text}"
        if message.what == "filter" and rest and self.panel.row is not None:
            self.set_focus(self.panel)
        else:
            self.panel.find("")
            self.set_focus(self.panel if message.what != "filter" and self._open else self.chart)
        self._fold()
        try:
            if self.catalogue is not None and text:
                self.become(state.filtered(self.state, self.catalogue, text))
        except BertdynError as error:
            self._tell(str(error))

    def on_prompt_dropped(self) -> None:
        self.panel.find("")
        self.on_panel_left()

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-small")
        self._fold()
        if small:
            words = f"bertdyn needs {SMALLEST[0]} x {SMALLEST[1]} cells; here are {width} x {height}. q leaves."
            self.query_one("#small", Lines).show(centred(words, width, height, self.palette.text))
        self._bars()

    # Keys, as actions.py declares them

    def action_mode(self, mode: str) -> None:
        """Show another view of the same selection."""
        self.become(replace(self.state, mode=mode))

    def action_next(self, what: str, by: int) -> None:
        """The next measure, task, seed, probe set or reference."""
        if self.catalogue is not None:
            self.become(_NEXT[what](self.state, self.catalogue, by))

    def action_cursor(self, across: int, up: int) -> None:
        """Move the cursor from where it was drawn."""
        if self.picture is not None:
            self._point(self.state.moved(self.picture.cursor, across, up))

    def action_page(self, up: int) -> None:
        """A screenful of rows."""
        self.action_cursor(0, up * max(1, self.chart.size.height - 4))

    def action_edge(self, side: int) -> None:
        """The first or the last step (in a table, row)."""
        if self.picture is None:
            return
        end = 0 if side < 0 else state.END
        at = self.picture.cursor
        self._point(Cursor(at.x, end) if self.state.mode == "table" else Cursor(end, at.y))

    def action_option(self, name: str) -> None:
        """Switch a way of drawing on or off."""
        self.become(replace(self.state, options=state.switched(self.state.options, name)))

    def action_sort(self) -> None:
        """Sort the table by the next column; each first ascending, then descending."""
        view = self.chart.view
        if view is None or self.state.mode != "table":
            self._tell(f"o sorts the table: press {state.MODES.index('table') + 1} first.")
            return
        options = state.resorted(self.state.options, view.rows()[0])
        self.become(replace(self.state, options=options))
        order = ", descending" if options.descending else ""
        self._tell(f"sorted by {options.sort or 'task, seed, step, layer'}{order}")

    def action_panel(self) -> None:
        """To the panel, or back to the picture."""
        if self.focused is self.panel:
            self.on_panel_left()
        else:
            self.set_class(True, "-panel")
            self.set_focus(self.panel)

    def action_fold(self) -> None:
        """Hide or show the panel until it is asked for again."""
        self._folded = self._open
        if self._folded and self.focused is self.panel:
            self.set_focus(self.chart)
        self.call_after_refresh(self._fold)

    def action_filter(self) -> None:
        """Type a filter; the panel shows what matches."""
        self.set_class(True, "-panel")
        self._prompt.ask("filter", "", "sst  or  task:sst* seed:1,2 step:100-500 layer:8-12")

    def action_compute(self) -> None:
        """Compute what is missing."""
        selection = self.selection
        if selection is None or not self.missing:
            self._tell("Everything shown is computed." if selection else "Nothing to compute.")
            return
        self._declined.discard(selection)
        self._tried.discard(selection)
        self.jobs.start(selection)
        self._bars()

    def action_cancel_job(self) -> None:
        """Stop the job; what it has finished stays."""
        self._tell("Cancelling …" if self.jobs.cancel() else "Nothing is being computed.")

    def action_export(self) -> None:
        """Choose a format, then write the view to a file."""
        from explorer.ui import export
        from explorer.ui.screens.export import ExportScreen

        view = self.chart.view
        if view is None:
            self._tell("There is no picture to export.")
            return
        size, options, cursor = self.chart.size, self.state.options, self.state.cursor
        name = export.file_name(self.state)

        def write(format: str | None) -> None:
            if format:
                self.reader.write(lambda: export.write(view, format, Path.cwd(), name, size, cursor, options))

        self.app.push_screen(ExportScreen(Path.cwd() / name), write)

    def action_help(self) -> None:
        """All keys, and what the measure means."""
        from explorer.ui.screens.help import HelpScreen

        measure = self.catalogue.measure(self.state.measure) if self.catalogue else None
        self.app.push_screen(HelpScreen(self.palette, measure))

    # The state and what follows from it

    @property
    def selection(self) -> Selection | None:
        """What is shown; None while the store has nothing to show."""
        try:
            return self.state.selection(self.catalogue) if self.catalogue is not None else None
        except BertdynError:
            return None

    def become(self, new: State, anew: bool = False) -> None:
        """Take another state and show it; ``anew`` asks for the view even when the state is the same."""
        old, before, self.state = self.state, self.selection, new
        self._word = ""
        if self.catalogue is not None:
            self.panel.about(new, self.catalogue)
            try:
                selection = new.selection(self.catalogue)
            except BertdynError as error:
                self.picture = None
                self.chart.say(str(error))
            else:
                if anew or (new.mode, selection) != (old.mode, before):
                    self.reader.show(new.mode, selection)
                elif self.chart.view is not None:
                    self.chart.draw(self.chart.view, new.cursor, new.options)
        self._bars()

    def _point(self, cursor: Cursor) -> None:
        self.state = self.state.pointing(cursor)
        self._word = ""
        if self.chart.view is not None:
            self.chart.draw(self.chart.view, cursor, self.state.options)

    def _compute_if_still(self, selection: Selection) -> None:
        new = selection not in self._declined | self._tried and selection != self.jobs.selection
        if new and selection == self.selection and self.missing:
            self.jobs.start(selection)
            self._bars()

    @property
    def _prompt(self) -> Prompt:
        return self.query_one("#prompt", Prompt)

    @property
    def _open(self) -> bool:
        return self.has_class("-panel")

    def _fold(self) -> None:
        roomy = self.size.width >= PANEL_FROM
        folded = not roomy if self._folded is None else self._folded
        self.set_class(not folded or self.focused is self.panel, "-panel")

    def _tell(self, word: str) -> None:
        self._word = word
        self._bars()

    def _bars(self) -> None:
        if not self.is_mounted:
            return
        width = self.size.width
        view, palette = self.chart.view, self.palette
        job = bars.job(self.jobs.selection, self.selection, self.progress, self.missing if view else 0)
        show = {
            "title": bars.title(self.path, self.state, self.catalogue, job, palette, width),
            "heading": bars.plain(view.title if view else "", palette.strong, self.chart.size.width),
            "subheading": bars.plain(view.subtitle if view else "", palette.axis, self.chart.size.width),
            "notes": bars.notes(self._word, self.picture.notes if view and self.picture else (), palette, width),
            "reading": bars.plain(self.picture.reading if view and self.picture else "", palette.cursor, width),
            "footer": bars.footer(self.state.mode, palette, width),
        }
        for name, line in show.items():
            self.query_one(f"#{name}", Lines).show([line])
