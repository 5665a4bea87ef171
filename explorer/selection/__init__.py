"""Selections that a user typed (``Selection``), and complete, checked questions made from them (``Question``)."""

from explorer.selection.against import KINDS, Against, seed_order
from explorer.selection.cells import Cell, Cells
from explorer.selection.comparisons import Pair
from explorer.selection.listing import Listing, at_or_before, default_against, list_store, listing_of
from explorer.selection.question import (
    Question,
    QuestionError,
    ask,
    ask_store,
    narrowed,
    steps_of,
)
from explorer.selection.ranges import EVERY, Ranges
from explorer.selection.selection import Selection

__all__ = [
    "EVERY",
    "KINDS",
    "Against",
    "Cell",
    "Cells",
    "Listing",
    "Pair",
    "Question",
    "QuestionError",
    "Ranges",
    "Selection",
    "ask",
    "ask_store",
    "at_or_before",
    "default_against",
    "list_store",
    "listing_of",
    "narrowed",
    "seed_order",
    "steps_of",
]
