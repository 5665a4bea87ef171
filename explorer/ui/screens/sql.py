"""The SQL mode: worked queries, an editor over the rows, one statement at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from textual.containers import Vertical

from explorer.ui.asker import Asker
from explorer.ui.messages import Answered, Described
from explorer.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from explorer.ui.screens.keeping import Keeping
    from explorer.ui.widgets.editor import SqlEditor
    from explorer.views.base import View

NAME = "sql"


class SqlMode:
    """Belongs to the main screen; its editor is made when the mode is first shown."""

    def __init__(self, screen: Keeping) -> None:
        self._screen = screen
        self.asker = Asker(screen.path, screen.hear)
        self.editor: SqlEditor | None = None
        self._view: View | None = None
        self._words = ""
        self._asked = ""

    def show(self) -> None:
        """The editor, and under it the worked queries, the rows, or why there are none."""
        from explorer.views.statements import WorkedList

        if self.editor is None:
            self._make()
        screen = self._screen
        if self._words:
            screen.pane.say(self._words)
        else:
            shown = self._view or WorkedList(pick=screen.key_of("sql.pick"), editing=self._how)
            screen.pane.draw(shown, screen.state)

    def write(self) -> None:
        """To the editor."""
        if self.editor is not None:
            self._screen.set_focus(self.editor)

    def pick(self) -> None:
        """Take the worked query that is pointed at; under rows, go to the editor."""
        from explorer.views.statements import WORKED

        if self._view is None and not self._words and self.editor is not None and self._screen.picture is not None:
            self.editor.text = WORKED[min(self._screen.picture.cursor.y, len(WORKED) - 1)].sql
        self.write()

    def worked(self) -> None:
        """The worked queries again."""
        self._view, self._words = None, ""
        self.show()

    def run(self) -> None:
        """Ask what the editor holds."""
        text = "" if self.editor is None else self.editor.text.strip()
        if not text or self.editor is None:
            pick, write = self._screen.key_of("sql.pick"), self._screen.key_of("sql.write")
            self._screen.tell(f"There is no statement: {pick} takes a worked query, {write} writes one.")
        elif self.asker.ask(text):
            self._asked = text
            self.editor.remember()
            self._screen.tell(f"asking …  {self._screen.key_of('cancel')} (or ^c in the editor) cancels")
        else:
            cancel = self._screen.key_of("cancel")
            self._screen.tell(f"One statement is being answered: {cancel} (or ^c in the editor) cancels it.")

    def cancel(self) -> bool:
        """Interrupt what is being answered."""
        return self.asker.cancel()

    def answered(self, message: Answered) -> None:
        """Show the rows, or DuckDB's words; in another mode, when it is shown again."""
        from explorer.views.statements import Answer

        if message.number != self.asker.number:
            return
        if message.table is None:
            write, worked = self._screen.key_of("sql.write"), self._screen.key_of("sql.worked")
            self._words = f"{message.reason}\n\n{write}: change the statement · {worked}: worked queries"
        else:
            self._view, self._words = Answer(message.table, self._asked, message.seconds, self._how), ""
        screen = self._screen
        if screen.state.mode == NAME:
            if message.table is not None and self.editor is not None and self.editor.has_focus:
                screen.set_focus(screen.chart)
            screen.become(screen.state)

    def described(self, message: Described) -> None:
        """Tables and columns for completion."""
        if self.editor is not None:
            self.editor.columns = message.columns
            self.editor.offer()

    def wanted(self, what: str) -> None:
        """A key of the editor that is not for the text."""
        if what == "run":
            self.run()
        elif what == "leave":
            self._screen.set_focus(self._screen.chart)
        elif what == "cancel" and not self.cancel():
            self._screen.tell("Nothing is being asked. ^q leaves the explorer.")

    def _make(self) -> None:
        from explorer.ui.widgets.editor import SqlEditor

        said: dict[str, Any] = self._screen.extra.get(NAME) or {}
        history = [text for text in said.get("history") or () if isinstance(text, str)]
        self.editor = SqlEditor(str(said.get("text") or ""), history, self._suggest)
        self._screen.query_one("#editor", Vertical).mount(self.editor, Lines(id="suggestions"))
        self.asker.describe()

    @property
    def _how(self) -> str:
        from explorer.views.statements import how

        return how(self._screen.key_of("sql.write"), self._screen.key_of("cancel"))

    def keep(self) -> None:
        """Put what stands in the editor, asked or not, and what was asked where the session finds it."""
        if self.editor is not None:
            self._screen.extra[NAME] = {"text": self.editor.text, "history": list(self.editor.asked)}

    def _suggest(self, names: tuple[str, ...]) -> None:
        palette = self._screen.palette
        found = self._screen.query("#suggestions")
        if not found:
            return
        line = [Segment(" tab: ", palette.axis), Segment(names[0], palette.strong)] if names else []
        line += [Segment("  " + "  ".join(names[1:40]), palette.axis)] if names[1:] else []
        found.first(Lines).show([line])
