"""Give the findings of the overview to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.store import Store


def findings(store: Store) -> tuple[tuple[str, str], ...]:
    """Return the findings of the store's overview, each a topic and a sentence.

    The overview's module in ``explorer.answers`` is read here and nowhere else in the report. Without findings, the
    report has no overview.
    """
    return ()
