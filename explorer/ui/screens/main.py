"""The main screen: what the data thread, the job, the widgets and the keys say ends here and becomes a new state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal

from explorer.ui import cycles, state
from explorer.ui.actions import ACTIONS
from explorer.ui.choices import picked
from explorer.ui.filters import filtered, is_condition, unheard
from explorer.ui.messages import Answered, Described, Exported, Listed, Loaded
from explorer.ui.modes import MODES
from explorer.ui.screens.clicking import Clicking
from explorer.ui.screens.computing import ANNOTATE, Computing
from explorer.ui.screens.core import pictured
from explorer.ui.screens.jumping import Jumping
from explorer.ui.screens.keeping import KEEP
from explorer.ui.screens.pairing import Pairing
from explorer.ui.screens.sentences import Sentences
from explorer.ui.screens.sql import SqlMode
from explorer.ui.session import Saved
from explorer.ui.state import Catalogue, State
from explorer.ui.widgets.chart import centred
from explorer.ui.widgets.lines import Lines
from explorer.ui.widgets.panel import Panel
from explorer.ui.widgets.prompt import Prompt
from explorer.views.base import Cursor
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual import events

    from explorer.render.palette import Palette
    from explorer.ui.screens.help import Shown
    from explorer.ui.widgets.editor import SqlEditor

SMALLEST = (60, 16)
_NEXT: dict[str, Callable[[State, Catalogue, int], State]] = {
    "measure": cycles.next_measure,
    "task": cycles.next_task,
    "seed": cycles.next_seed,
    "corpus": cycles.next_corpus,
    "reference": cycles.next_reference,
    "step": cycles.stepped,
}


class MainScreen(Jumping, Pairing, Computing, Sentences, Clicking):
    """One state, one picture."""

    AUTO_FOCUS = "#chart"

    BINDINGS: ClassVar = [Binding(",".join(a.keys), a.call, a.title, show=False, id=a.id) for a in ACTIONS]

    def __init__(self, path: Path, palette: Palette) -> None:
        super().__init__(path, palette)
        self.sql = SqlMode(self)
        self._mistyped = ""
        """A filter line that was not understood: it can be mended."""
        self._statistic_of = ""
        """The measure that was shown when a statistic was typed."""

    def compose(self) -> ComposeResult:
        yield Lines(id="title")
        with Horizontal(id="body"):
            yield Panel(self.palette, id="panel")
            yield self.pane
            yield self.other
        yield Lines(id="notes")
        yield Lines(id="reading")
        yield Prompt(id="prompt")
        yield Lines(id="footer")
        yield Lines(id="small")

    def on_mount(self) -> None:
        self.pane.say(f"Opening {self.path.name} …")
        self.call_after_refresh(self.reader.start)

    # What the data thread and the job say

    def on_listed(self, message: Listed) -> None:
        first, self._refused = self.catalogue is None, ""
        self.catalogue = message.catalogue
        self._tried.clear()
        self.become(state.settled(self.known(self.state, message.catalogue), message.catalogue), anew=True)
        if first and self.session is not None and self.session.trouble:
            words = f"The saved session is ignored, {self.session.trouble}"
            self.tell(f"{words}; with your next key it is set aside as {self.session.aside.name}.")

    def on_loaded(self, message: Loaded) -> None:
        """A statistic that was typed for another measure goes where this one has none of that name."""
        wanted, found = self.state.look.statistic, getattr(message.view.data, "statistics", None)
        mine = message.wish == self.pane.wish and self.state.measured != self._statistic_of
        if mine and wanted and found is not None and found.others and not found.shown:
            message.prevent_default()
            self.become(replace(self.state, look=replace(self.state.look, statistic="")))
            self.tell(f"{self.state.measured} has no statistic '{wanted}': all are shown.")

    def on_exported(self, message: Exported) -> None:
        self.tell(f"Written: {message.path}" if message.path else f"Not written: {message.reason}")

    def own_view(self) -> None:
        """The modes whose numbers are the explorer's own, or an answer to a statement."""
        if self.state.mode == "sql":
            self.sql.show()
        else:
            super().own_view()

    def saved(self) -> Saved:
        """As Keeping's, with the statement that is being written."""
        self.sql.keep()
        return super().saved()

    def on_answered(self, message: Answered) -> None:
        self.sql.answered(message)

    def on_described(self, message: Described) -> None:
        self.sql.described(message)

    def leads_out(self, key: str) -> bool:
        """The key may lead out of what is typed into: those behind it are for what comes then."""
        if self.focused is self.panel:
            return True
        if self.focused is not None and self.focused is self.sql.editor:
            return key in self.sql.editor.ENDS
        return self.focused is not None and self.focused.parent is self.prompt and key in self.prompt.ENDS

    # What the widgets say

    def on_sql_editor_wanted(self, message: SqlEditor.Wanted) -> None:
        if message.what == "help":
            self.action_help()
        else:
            self.sql.wanted(message.what)

    def on_panel_picked(self, message: Panel.Picked) -> None:
        row = message.row
        if self.catalogue is None:
            return
        if row.section in ("step", "layer"):
            ranges = self.state.steps if row.section == "step" else self.state.layers
            self.prompt.ask(row.section, str(ranges or ""), "0,20,100-500 or all")
        elif row.section == "statistic":
            self.prompt.ask(row.section, self.state.look.statistic, "hull* or all")
        elif row.section == "parameters":
            measure = self.catalogue.measure(self.state.measured)
            if measure is not None:
                now = " ".join(f"{name}:{value}" for name, value in self.state.settings(measure))
                self.prompt.ask("parameters", now, f"of {measure.name}")
        else:
            what = "reference" if row.section == "against" else row.section
            self._choose(what, picked(row, self.state, self.catalogue))

    def on_panel_left(self) -> None:
        self.set_focus(self.chart)
        self.fold()

    def on_prompt_typed(self, message: Prompt.Typed) -> None:
        if message.what == "filter":
            self.panel.find(" ".join(w for w in message.text.split() if not is_condition(w)))

    def on_prompt_answered(self, message: Prompt.Answered) -> None:
        if message.what == KEEP:
            self.set_focus(self.chart)
            self.keep(message.text)
            return
        if message.what == ANNOTATE:
            self.set_focus(self.chart)
            self.annotate(message.text)
            return
        if message.what == "find":
            self.set_focus(self.chart)
            self.become(replace(self.state, look=replace(self.state.look, find=message.text.strip(), example=-1)))
            return
        self._mistyped = ""
        words = message.text.split()
        rest = [w for w in words if not is_condition(w)]
        text = " ".join(w for w in words if is_condition(w))
        if message.what in ("step", "layer", "statistic"):
            wanted = message.text.replace(" ", "")
            text = f"{message.what}!={wanted[1:]}" if wanted.startswith("!") else f"{message.what}:{wanted}"
        if message.what == "filter" and rest and self.panel.row is not None:
            self.set_focus(self.panel)
        else:
            self.panel.find("")
            self.set_focus(self.panel if message.what != "filter" and self._open else self.chart)
        self.fold()
        try:
            if self.catalogue is not None and text:
                self._filter(filtered(self.state, self.catalogue, text), text)
        except BertdynError as error:
            self._mistyped = message.text if message.what == "filter" else ""
            self.tell(self.words_of(error))

    def _filter(self, new: State, text: str) -> None:
        """Take what a filter line asks for, unless nothing on the screen could show the measure or reference in it."""
        now = self.state
        others = {"measure": new.measure != now.measure, "reference": new.against != now.against}
        for what in (what for what, other in others.items() if other):
            if why := self._unshown(what):
                self.tell(why)
                return
        if new.look.statistic != now.look.statistic:
            self._statistic_of = new.measured
        self.become(new)
        if word := unheard(self.state, text, self.key_of("mode.table")):
            self.tell(word)

    def on_prompt_dropped(self) -> None:
        self.panel.find("")
        self.on_panel_left()

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-small")
        self.fold()
        if self.catalogue is not None:
            self.accompany()
        if small:
            words = f"bertdyn needs {SMALLEST[0]} x {SMALLEST[1]} cells; here are {width} x {height}. "
            words += f"{self.key_of('quit')} leaves."
            self.query_one("#small", Lines).show(centred(words, width, height, self.palette.text))
        self.bars()

    # Keys, as actions.py declares them

    def action_mode(self, mode: str) -> None:
        """Show the selection another way."""
        if self.focused is self.sql.editor:
            self.set_focus(self.chart)
        self.become(replace(self.state, mode=mode))

    def action_vary(self, by: int) -> None:
        """Another way to look in the same mode."""
        variants = MODES[self.state.mode].variants
        if len(variants) == 1:
            several = ", ".join(
                f"{self.key_of(f'mode.{m.name}')} {m.title}" for m in MODES.values() if len(m.variants) > 1
            )
            self.tell(f"{MODES[self.state.mode].title} has one way to look; several have {several}.")
            return
        if self.catalogue is not None:
            self.become(cycles.varied(self.state, self.catalogue, by))
        at = variants.index(self.state.variant) + 1
        self.tell(f"{self.state.variant.title} ({at} of {len(variants)}, {self.key_of('vary')} goes on)")

    def action_next(self, what: str, by: int) -> None:
        """The next measure, task, seed, corpus, reference or step."""
        if self.catalogue is None or self.unpinned(lambda: self.action_next(what, by)):
            return
        try:
            self._choose(what, _NEXT[what](self.pinned(), self.catalogue, by))
            if what in ("task", "seed"):
                keys = self.key_of(f"{what}.next"), self.key_of("vary")
                self.tell(cycles.where(self.state, self.catalogue, what, *keys))
        except BertdynError as error:
            self.tell(self.words_of(error))

    def _choose(self, what: str, new: State) -> None:
        """Take a state with another measure, reference and so on, where anything on the screen shows it."""
        if why := self._unshown(what):
            self.tell(why)
            return
        assert self.catalogue is not None
        fixed = state.fixed(self.state, self.catalogue, what)
        self.become(new)
        if fixed:
            self.tell(f"{fixed}; beside it: {new.measure if what == 'measure' else new.against}")

    def _unshown(self, what: str) -> str:
        """Why another measure or reference would change nothing on the screen; empty where it would."""
        assert self.catalogue is not None
        fixed = [state.fixed(s, self.catalogue, what) for s in (self.state, self.companion) if s is not None]
        if not all(fixed):
            return ""
        where = ", ".join(m.title for m in MODES.values() if m.variants[0].kind and m.variants[0].kind.free)
        return fixed[0] + (f": {where} show another." if what == "measure" else ".")

    def action_look(self, what: str, by: int) -> None:
        """The next layer or head of a view that shows one, be it the one beside."""
        if self.catalogue is None or self.unpinned(lambda: self.action_look(what, by)):
            return
        shown = [s.variant for s in (self.state, self.companion) if s is not None]
        if what in self.state.variant.meaning:
            self.tell(f"{self.state.variant.title} shows no single {what}: the cursor points at one.")
        elif not any(v.kind is not None and what in v.kind.depends for v in shown):
            self.tell(f"{self.state.variant.title} shows no single {what}.")
        else:
            self.become(cycles.looking(self.pinned(), self.catalogue, what, by))

    def action_sql(self, what: str) -> None:
        """In SQL: ``write``, ``pick``, ``run`` or ``worked``."""
        if self.state.mode != "sql":
            self.tell(f"That key belongs to SQL: press {self.key_of('mode.sql')} first.")
        else:
            getattr(self.sql, what)()

    @pictured
    def action_cursor(self, across: int, up: int) -> None:
        """Move the cursor from where it was drawn."""
        if self.picture is not None:
            self.point(self.state.moved(self.picture.cursor, across, up))

    def action_page(self, up: int) -> None:
        """A screenful of rows."""
        self.action_cursor(0, up * max(1, self.chart.size.height - 4))

    @pictured
    def action_edge(self, side: int) -> None:
        """The first or the last step (in a table, row)."""
        if self.picture is None:
            return
        end = 0 if side < 0 else state.END
        at = self.picture.cursor
        self.point(Cursor(at.x, end) if self.state.variant.downwards else Cursor(end, at.y))

    def action_option(self, name: str) -> None:
        """Switch a way of drawing on or off."""
        self.become(replace(self.state, options=state.switched(self.state.options, name)))

    @pictured
    def action_sort(self) -> None:
        """Sort the table by the next column, each first ascending, then descending; sentences by how far they moved."""
        view, look = self.chart.view, self.state.look
        if self.state.mode == "example":
            self.become(replace(self.state, look=replace(look, changed=not look.changed, example=-1)))
            self.tell("sentences by how far they moved" if not look.changed else "sentences in their own order")
            return
        if view is None or self.state.mode != "table":
            table, example = self.key_of("mode.table"), self.key_of("mode.example")
            self.tell(f"Table ({table}) and the sentences of Example ({example}) can be sorted.")
            return
        options = cycles.resorted(self.state.options, getattr(view, "columns", ()))
        # A table that was cut is cut anew: its first rows by this column may be others.
        cut = bool(getattr(view.data, "left_out", 0))
        look = replace(look, sort=options.sort if cut else "", descending=options.descending if cut else False)
        self.become(replace(self.state, options=options, look=look))
        order = ", descending" if options.descending else ""
        self.tell(f"sorted by {options.sort or 'task, seed, step, layer'}{order}")

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
        self.call_after_refresh(self.fold)

    def action_zoom(self) -> None:
        """The picture alone, or everything again."""
        self.toggle_class("-zoom")
        self.fold()
        if self.catalogue is not None:
            self.accompany()

    def action_filter(self) -> None:
        """Type a filter; the panel shows what matches. In Example: look for a sentence."""
        if self.state.mode == "example":
            self.prompt.ask("find", self.state.look.find, "words of the sentence  or  label:positive")
            return
        self.set_class(True, "-panel")
        self.prompt.ask("filter", self._mistyped, "sst  or  task:sst* seed!=3 step>=100 layer:8-12 head:2 variance:0.9")

    def action_cancel_job(self) -> None:
        """Stop the statement that is being answered; else the job."""
        if self.state.mode != "sql" or not self.sql.cancel():
            super().action_cancel_job()

    def action_help(self) -> None:
        """What is on the screen, what the measure means, and all keys."""
        from explorer.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.palette, self._about()))

    def on_chart_drawn(self) -> None:
        """Another picture came while the help was open: it is of that one then."""
        if (there := self.app.screen) is not self and hasattr(there, "about"):
            there.about(self._about())

    def _about(self) -> Shown:
        """What the help is of."""
        from explorer.ui.screens.help import Shown

        kind = self.state.variant.kind
        measured = self.catalogue is not None and kind is not None and not kind.whole
        measure = self.catalogue.measure(self.state.measured) if self.catalogue and measured else None
        views = [pane.about for pane in self.panes if pane.about]
        return Shown(MODES[self.state.mode], self.state.variant, measure, views, self.actions)
