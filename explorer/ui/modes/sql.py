"""SQL: an editor above the worked queries or the rows of a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.segment import Segment

from explorer.ui.action import Action
from explorer.ui.modes.mode import TOP, Behaviour, Mode, own_list

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.ui.messages import Answered
    from explorer.ui.screens.main import MainScreen
    from explorer.ui.state import State
    from explorer.ui.widgets.editor import SqlEditor
    from explorer.views.base import View


class Sql(Behaviour):
    """Runs one statement at a time. The editor is made when the mode is first shown."""

    slot = True

    def __init__(self, screen: MainScreen, mode: Mode) -> None:
        from explorer.ui.asker import Asker
        from explorer.ui.messages import ToMode

        super().__init__(screen, mode)
        self.asker = Asker(screen.path, lambda message: screen.hear(ToMode(mode.name, message)), screen.reads)
        self.editor: SqlEditor | None = None
        self._view: View | None = None
        self._words = ""
        self._asked = ""

    @property
    def typing(self) -> bool:  # type: ignore[override]
        """Whether the editor has the focus."""
        return self.editor is not None and self.screen.focused is self.editor

    def show(self) -> None:
        """Draw the editor, and under it the worked queries, the rows, or the reason why there are none."""
        from explorer.ui.lists.sql import WorkedList

        if self.editor is None:
            self._make()
        screen = self.screen
        if self._words:
            screen.pane.say(self._words)
        else:
            shown = self._view or WorkedList(pick=screen.key_of("deeper"), editing=self._how)
            screen.pane.draw(shown, screen.state)

    def leave(self) -> None:
        """Give the focus back to the picture."""
        if self.typing:
            self.screen.set_focus(self.screen.chart)

    def write(self) -> None:
        """Move the focus to the editor, with its text selected: typing replaces it, an arrow key keeps it."""
        self.screen.set_focus(self.editor)
        if self.editor is not None:
            self.editor.select_all()

    def deeper(self) -> State | None:
        """Copy the worked query under the cursor into the editor; of an answer, show the row as a picture."""
        from explorer.ui.lists.sql import WORKED

        picture = self.screen.picture
        if self._view is not None:
            return self.screen.walking.by_row()
        if not self._words and self.editor is not None and picture is not None:
            self.editor.text = WORKED[min(picture.cursor.y, len(WORKED) - 1)].sql
            self.editor.move_cursor(self.editor.document.end)
        self.screen.set_focus(self.editor)
        return None

    def worked(self) -> None:
        """List the worked queries again."""
        self._view, self._words = None, ""
        self.show()

    def run(self) -> None:
        """Run the statement in the editor."""
        text = "" if self.editor is None else self.editor.text.strip()
        screen, cancel = self.screen, self.screen.key_of("cancel")
        if not text or self.editor is None:
            pick, write = screen.key_of("deeper"), screen.key_of("sql.write")
            screen.tell(f"There is no statement: {pick} takes a worked query, {write} writes one.")
        elif self.asker.ask(text):
            self._asked = text
            self.editor.remember()
            screen.tell(f"the statement runs …  {cancel} (or ^c in the editor) cancels it")
        else:
            screen.tell(f"Another statement is still running: {cancel} (or ^c in the editor) cancels it.")

    def cancel(self) -> None:
        """Cancel the running statement; if there is none, cancel the job."""
        if not self.asker.cancel():
            super().cancel()

    def leads_out(self, key: str) -> bool:
        """Return whether a key may leave the editor."""
        return self.typing and self.editor is not None and key in self.editor.ENDS

    def hear(self, message: Message) -> None:
        """Handle the answer to a statement, or the names for completion."""
        from explorer.ui.messages import Answered, Described

        if isinstance(message, Answered):
            self._answered(message)
        elif isinstance(message, Described) and self.editor is not None:
            self.editor.columns = message.columns
            self.editor.offer()

    def kept(self) -> Any:
        """Return the text of the editor and the statements that were run."""
        return None if self.editor is None else {"text": self.editor.text, "history": list(self.editor.asked)}

    def finish(self) -> None:
        """End the statement's process."""
        self.asker.finish()

    def _answered(self, message: Answered) -> None:
        """Show the rows, or DuckDB's words; in another mode, when this one is shown again."""
        from explorer.ui.lists.sql import Answer

        if message.number != self.asker.number:
            return
        screen = self.screen
        if message.table is None:
            run, write, worked = (screen.key_of(f"sql.{name}") for name in ("run", "write", "worked"))
            ways = f"{run}: run it again after a change · escape: leave the editor ({write}: back to it)"
            self._words = f"{message.reason}\n\n{ways} · {worked}: worked queries"
        else:
            self._view, self._words = Answer(message.table, self._asked, message.seconds, self._how), ""
        if self.shown:
            if message.table is not None:
                self.leave()
                screen.become(screen.state.pointing(TOP), noted=False)
            else:
                screen.become(screen.state)

    def _wanted(self, what: str) -> None:
        """Act on a key of the editor that is a command."""
        if what == "run":
            self.run()
        elif what == "help":
            self.screen.action_help()
        elif what == "leave":
            self.screen.set_focus(self.screen.chart)
        elif what == "cancel" and not self.asker.cancel():
            self.screen.tell("No statement is running. ^q leaves the explorer.")

    def _make(self) -> None:
        from explorer.ui.widgets.editor import SqlEditor
        from explorer.ui.widgets.text_lines import TextLines

        said: dict[str, Any] = self.screen.keeping.extra.get(self.mode.name) or {}
        history = [text for text in said.get("history") or () if isinstance(text, str)]
        suggestions = TextLines(id="suggestions")

        def suggest(names: tuple[str, ...]) -> None:
            palette = self.screen.palette
            line = [Segment(" tab: ", palette.axis), Segment(names[0], palette.strong)] if names else []
            line += [Segment("  " + "  ".join(names[1:40]), palette.axis)] if names[1:] else []
            if suggestions.is_mounted:
                suggestions.show([line])

        self.editor = SqlEditor(str(said.get("text") or ""), history, suggest, self._wanted)
        self.screen.slot.mount(self.editor, suggestions)
        self.asker.describe()

    @property
    def _how(self) -> str:
        from explorer.ui.lists.sql import how

        return how(self.screen.key_of("sql.write"), self.screen.key_of("cancel"))


def _action(name: str, key: str, title: str, help: str) -> Action:
    return Action(f"sql.{name}", (key,), f"screen.of_mode('sql', '{name}')", title, help, "Work")


MODE = Mode(
    "sql",
    "8",
    "SQL",
    "query the store's tables; begin with a worked query",
    own_list("statement", "sql"),
    ("deeper", "sql.write", "sql.run", "sql.worked", "cancel"),
    Sql,
    (
        _action("write", "i", "Write SQL", "go to the editor; escape leaves it"),
        _action("run", "f5", "Run SQL", "run the statement in the editor; there also ^r"),
        _action("worked", "w", "Worked queries", "in SQL: list them again"),
    ),
)
