"""What the pictures of seeds or tasks side by side are made of, read from a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer.selection import Question
from explorer.views.base import ANYWHERE, Look
from explorer.views.fetching import fetch_each
from explorer.views.rows import Rows
from explorer.views.seeds import Seeds
from explorer.views.tasks import Task, Tasks, task_of

if TYPE_CHECKING:
    from store.store import Store


def every_task(store: Store, question: Question, look: Look, *others: object) -> tuple[Task, ...]:
    """What is shown of each task's whole layers."""
    return tuple(task_of(rows) for rows in fetch_each(store, question))


def seeds(data: Rows, tasks: Sequence[Task] | None = None, look: Look = ANYWHERE) -> Seeds | Tasks:
    """Seeds side by side, or tasks."""
    return Seeds(data) if tasks is None else Tasks(data, tasks)
