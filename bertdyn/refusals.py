"""One exception for all that is refused, as the command line has one exit code for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from explorer.measures.base import MeasureError
from store.errors import BertdynError


@contextmanager
def refusals() -> Iterator[None]:
    """Within it what a measure refuses is a BertdynError, as everything else that is refused."""
    try:
        yield
    except MeasureError as error:
        raise BertdynError(str(error)) from None
