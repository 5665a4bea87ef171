"""Turn the errors of measures into BertdynError, so that users need to catch only one exception."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from explorer.measures.computation import MeasureError
from store.errors import BertdynError


@contextmanager
def refusals() -> Iterator[None]:
    """Raise every MeasureError of the block as a BertdynError."""
    try:
        yield
    except MeasureError as error:
        raise BertdynError(str(error)) from None
