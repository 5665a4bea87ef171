"""Read the details of a stored row. Pure."""

from __future__ import annotations

import json

from store.results import Result


def known(result: Result) -> dict[str, object]:
    """Return a row's details; empty if they are not a JSON object."""
    try:
        found = json.loads(result.details)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def trust_of(result: Result) -> dict[str, object]:
    """Return the null and interval options that a value was computed with."""
    if '"trust"' not in result.details:
        return {}
    found = known(result).get("trust")
    return found if isinstance(found, dict) else {}
