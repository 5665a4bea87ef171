"""Give the findings of the overview to the report."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from explorer.answers.fetching import fetch_first
from explorer.answers.findings import said
from explorer.answers.look import ANYWHERE
from explorer.answers.overview import others
from explorer.selection import Selection, ask_store
from store.errors import BertdynError

if TYPE_CHECKING:
    from store.store import Store

MEASURE = "svcca"
"""Measure whose changes the overview describes first, as where the explorer opens."""


def findings(store: Store) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the topics of the store's overview on each corpus, each with its sentences."""
    found: dict[str, list[str]] = {}
    corpora = [info.name for info in store.corpora()]
    for corpus in corpora:
        with suppress(BertdynError):  # texts without checkpoints
            question = ask_store(store, Selection(MEASURE, corpus))
            answers = others(store, question, ANYWHERE, fetch_first(store, question))
            on = f" ({corpus})" if len(corpora) > 1 else ""
            before = {text for texts in found.values() for text in texts}
            for finding in answers.findings:
                text = said(finding)
                if finding.only_opens or text in before:  # what depends on no texts is said once
                    continue
                found.setdefault(finding.topic[:1].upper() + finding.topic[1:] + on, []).append(text)
    return tuple((topic, tuple(texts)) for topic, texts in found.items())
