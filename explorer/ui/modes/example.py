"""Example: one sentence at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.answers.look import END
from explorer.ui.action import Action
from explorer.ui.modes.mode import Behaviour, Mode, Variant
from explorer.views.kinds import VIEWS

if TYPE_CHECKING:
    from explorer.pages.example import Example
    from explorer.ui.state import State
    from explorer.ui.widgets.pane import Pane

_KIND = VIEWS["example"]


class Sentences(Behaviour):
    """Finds and sorts sentences, and shows one after the other. It stays while steps, layers and heads change."""

    def go(self, by: int) -> None:
        """Show the next sentence that was found."""
        screen, pane = self.screen, self._pane
        if pane is None:
            key = screen.key_of(f"mode.{self.mode.name}")
            screen.tell(f"Sentences are shown one by one in {self.mode.title}: press {key} first.")
            return
        view = self._view(pane)
        if view is None:
            screen.tell(f"No sentence is shown: {screen.key_of('filter')} finds others; an empty line finds all.")
            return
        look = screen.state.look
        there = look.example if look.example >= 0 else view.data.focus.example
        at = view.found.index(there) + by if there in view.found else 0
        screen.become(replace(screen.state, look=replace(look, example=view.found[at % len(view.found)])))

    def sort(self) -> None:
        """Switch between the order of the corpus and "most changed first"."""
        look = self.screen.state.look
        look = replace(look, changed=not look.changed, example=-1)
        self.screen.become(replace(self.screen.state, look=look))
        self.screen.tell("most changed sentences first" if look.changed else "sentences in the order of the corpus")

    def filter(self) -> None:
        """Ask for words of a sentence."""
        hint = "words of the sentence  or  label:positive"
        self.screen.prompt.ask(self.mode.name, self.screen.state.look.find, hint, "find")

    def answered(self, text: str) -> None:
        """Show the sentences that contain a text."""
        self.screen.set_focus(self.screen.chart)
        look = replace(self.screen.state.look, find=text.strip(), example=-1)
        self.screen.become(replace(self.screen.state, look=look))

    def holds(self, action: Action, pane: Pane) -> bool:
        """Return whether an action must wait until a sentence is drawn, which decides which one stays or is next."""
        if action in self.mode.actions:
            return pane.waiting and (self.screen.typing.queue.waiting or not _same_list(pane))
        return action.waits == "place" and pane.waiting and self.screen.state.look.example < 0

    def pinned(self, pane: Pane, state: State) -> State:
        """Return the state with the sentence that is shown, and with the token that its text points at by default."""
        view = self._view(pane)
        if view is None:
            return state
        at, picture = state.cursor, pane.picture
        if pane is self.screen.pictures.pane and view.text is not None and picture is not None and at.y == END:
            query = view.query_of(picture.cursor.y)
            state = state.pointing(replace(at, y=query)) if query >= 0 else state
        if state.look.example >= 0:
            return state
        return replace(state, look=replace(state.look, example=view.data.focus.example))

    @property
    def _pane(self) -> Pane | None:
        """The pane that shows a sentence, or will show one; None if there is none."""
        return next((p for p in self.screen.panes if p.wish is not None and p.wish.view == _KIND.name), None)

    @staticmethod
    def _view(pane: Pane) -> Example | None:
        view = pane.view if pane.view is not None and pane.view.name == _KIND.name else None
        return view  # type: ignore[return-value]


def _same_list(pane: Pane) -> bool:
    """Return whether the drawn sentence is from the same list of sentences as the requested one."""
    drawn, asked = (w and replace(w, look=replace(w.look, example=-1)) for w in (pane.answered, pane.wish))
    return drawn == asked


MODE = Mode(
    "example",
    "6",
    _KIND.title,
    _KIND.help,
    tuple(Variant(words, "example", part, "tokens") for part, words in _KIND.parts.items()),
    ("example.next", "largest", "vary", "step.next", "layer.next", "head.next", "filter", "sort"),
    Sentences,
    (
        Action(
            "example.next",
            ("n",),
            "screen.of_mode('example', 'go', (1,))",
            "Next sentence",
            "in Example: the next sentence that / found",
            "Cursor",
        ),
        Action(
            "example.previous",
            ("N",),
            "screen.of_mode('example', 'go', (-1,))",
            "Previous sentence",
            "in Example: the previous sentence",
            "Cursor",
            back=True,
        ),
    ),
    "the sentences of Example",
)
