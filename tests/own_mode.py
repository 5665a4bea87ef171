"""A mode that only tests know: it draws its own picture, has its own key, keeps words, and answers a prompt."""

from __future__ import annotations

from explorer.ui.action import Action
from explorer.ui.modes.mode import Behaviour, Mode, own_list


class Notes(Behaviour):
    """Collects words."""

    words = ""

    def show(self) -> None:
        """Say the words."""
        self.screen.pane.say(f"Your words: {self.words or self.screen.keeping.extra.get(self.mode.name, 'none yet')}")

    def write(self) -> None:
        """Ask for words."""
        self.screen.prompt.ask(self.mode.name, self.words, "a word")

    def answered(self, text: str) -> None:
        """Take them."""
        self.words = text
        self.screen.set_focus(self.screen.chart)
        self.screen.become(self.screen.state)

    def sort(self) -> None:
        """Sort their letters."""
        self.words = "".join(sorted(self.words))
        self.show()

    def kept(self) -> object:
        """Return them for the session."""
        return self.words or None


MODE = Mode(
    "notes",
    "f6",
    "Notes",
    "words of one's own",
    own_list("words", "notes"),
    ("notes.write",),
    Notes,
    (Action("notes.write", ("f7",), "screen.of_mode('notes', 'write')", "Write words", "in Notes", "Work"),),
    "Notes",
)
