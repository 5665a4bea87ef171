"""What was asked to come with a value (null, interval), as its row keeps it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from explorer.measures import Trust
from store.keys import Result


def stamp(trust: Trust) -> dict[str, object]:
    """What a row notes of ``trust`` under ``trust`` in its details; empty when nothing was asked for."""
    noted: dict[str, object] = {}
    if trust.null:
        noted |= {"null": trust.null, "seed": trust.seed}
    if trust.interval:
        noted |= {"interval": trust.interval, "level": trust.level}
    if trust.interval == "bootstrap":
        noted |= {"resamples": trust.resamples, "seed": trust.seed}
    return noted


def covers(noted: Mapping[str, object], trust: Trust) -> bool:
    """A row with that stamp has all that ``trust`` asks for."""
    return all(noted.get(name) == value for name, value in stamp(trust).items())


def carried(row: Result, before: Result | None) -> Result:
    """A row computed anew, with the null or interval of its predecessor where it has none of its own.

    The two must be one value: same key, version and digests. Asking for an interval shall not lose a null.
    """
    if before is None:
        return row
    details, old = json.loads(row.details), json.loads(before.details)
    if row.null_value is None and before.null_value is not None:
        row = replace(row, null_value=before.null_value)
        details = _with(details, old, "null", ("null_sd", "no_null"))
    if row.interval_low is None and before.interval_low is not None:
        row = replace(row, interval_low=before.interval_low, interval_high=before.interval_high)
        details = _with(details, old, "interval", ("interval_groups", "no_interval"))
    return replace(row, details=json.dumps(details, sort_keys=True))


def _with(
    details: Mapping[str, object], old: Mapping[str, object], part: str, names: tuple[str, ...]
) -> dict[str, object]:
    asked, before = details.get("trust", {}), old.get("trust", {})
    trust = {**before, **asked} if isinstance(asked, Mapping) and isinstance(before, Mapping) else asked
    kept = {name: old[name] for name in names if name in old}
    return {**details, **kept, **({"trust": trust} if trust else {})}
