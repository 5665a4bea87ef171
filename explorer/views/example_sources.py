"""Read one sentence's attention from a store, and draw it with its place among the sentences found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.render.axes import count, number
from explorer.render.cells import clean
from explorer.selection import Question
from explorer.selection.cells import comparisons
from explorer.views.base import Look
from explorer.views.example import Example, ExampleData, Focus, fetch_example
from explorer.views.examples import find, most_changed
from explorer.views.fitting import DOT
from explorer.views.sources import layer_at
from store.errors import BertdynError

if TYPE_CHECKING:
    from store.store import Store


@dataclass(frozen=True)
class Found:
    """Examples to walk through, in their order, and how far each moved where that was asked."""

    examples: tuple[int, ...]
    moved: dict[int, float]


def examples(store: Store, question: Question, look: Look) -> Found:
    """The examples that hold what is looked for; in the order of how far they moved, when that is asked.

    Raises:
        BertdynError: there is none, or what is asked cannot be read.
    """
    label, text = None, look.find.strip()
    if text.startswith("label:"):
        name, _, text = text[6:].partition(" ")
        label = name or None
    found = find(store, question.corpus, text.strip(), label)
    if not found:
        raise BertdynError(f"No example of corpus '{question.corpus}' holds '{look.find}': / looks for another.")
    if not look.changed:
        return Found(found, {})
    wanted = set(found)
    moved = most_changed(store, focus_of(store, question, look, found[0]), store.corpus(question.corpus).info.examples)
    return Found(tuple(i for i, _ in moved if i in wanted), {i: value for i, value in moved if i in wanted})


def attention(store: Store, question: Question, look: Look, found: Found) -> ExampleData:
    """Both maps of the example that is looked at.

    Raises:
        BertdynError: no attention, or it cannot be read.
    """
    example = look.example if look.example >= 0 else found.examples[0]
    return fetch_example(store, focus_of(store, question, look, example))


def focus_of(store: Store, question: Question, look: Look, example: int) -> Focus:
    """The one comparison, layer and head that are looked at; of several comparisons the last one."""
    pair = comparisons(question, [c.key for c in store.checkpoints(question.corpus)])[-1]
    if pair.reference is None:
        raise BertdynError("An example is shown in two checkpoints: choose what to compare with (--against).")
    there = store.checkpoint(question.corpus, pair.key)
    layer = layer_at(store, question, look, pair.key, 1)
    return Focus(question.corpus, pair.key, pair.reference, layer, min(look.head, there.heads), example)


class Sentence(Example):
    """An example, and those that were found beside it."""

    def __init__(self, found: Found, data: ExampleData, look: Look) -> None:
        super().__init__(data, "" if look.part == "auto" else look.part)
        self.found = found.examples
        """Examples to walk through, in their order."""
        example = data.focus.example
        place = self.found.index(example) + 1 if example in self.found else 0
        what = [f"holding '{look.find}'"] if look.find else []
        what += ["by how far they moved"] if look.changed else []
        if what and place:
            moved = f" ({number(found.moved[example])} bits)" if example in found.moved else ""
            place_in = f"{count(place)} of {count(len(self.found))} {', '.join(what)}{moved}"
            self.subtitle = clean(place_in) + DOT + self.subtitle
