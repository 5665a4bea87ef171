"""What was asked to come with a value (null, interval), as its row keeps it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from explorer.measures import Trust
from store.results import Result


def stamp(trust: Trust, detail: str = "") -> dict[str, object]:
    """Return what a row notes under ``trust`` in its details of what was asked for; empty when nothing was."""
    noted: dict[str, object] = {"detail": detail} if detail else {}
    if trust.null:
        noted |= {"null": trust.null, "seed": trust.seed}
    if trust.interval:
        noted |= {"interval": trust.interval, "level": trust.level}
    if trust.interval == "bootstrap":
        noted |= {"resamples": trust.resamples, "seed": trust.seed}
    return noted


def covers(noted: Mapping[str, object], trust: Trust, detail: str, details: Sequence[str]) -> bool:
    """Whether a row with that stamp has all that is asked for.

    Args:
        detail: the finest rows that are wanted, empty for the coarsest; finer ones cover them.
        details: those that the measure has, coarsest first.
    """
    if _fineness(noted.get("detail"), details) < _fineness(detail, details):
        return False
    return all(noted.get(name) == value for name, value in stamp(trust).items())


def carried(row: Result, before: Result | None, measured: Sequence[str] = ()) -> Result:
    """Give a row that was computed again the null or interval of its predecessor where it has none of its own.

    The two must be one value: same key, version and inputs. Asking for an interval shall not lose a null, nor that
    there are rows of single examples.

    Args:
        measured: the details that the measure has, coarsest first.
    """
    if before is None:
        return row
    details, old = json.loads(row.details), json.loads(before.details)
    if row.null_value is None and before.null_value is not None:
        row = row._replace(null_value=before.null_value)
        details = _with(details, old, "null", ("null_sd", "no_null"))
    if row.interval_low is None and before.interval_low is not None:
        row = row._replace(interval_low=before.interval_low, interval_high=before.interval_high)
        details = _with(details, old, "interval", ("interval_groups", "no_interval"))
    asked, noted = details.get("trust", {}), old.get("trust", {})
    if _fineness(noted.get("detail"), measured) > _fineness(asked.get("detail"), measured):
        details = {**details, "trust": {**asked, "detail": noted["detail"]}}
    return row._replace(details=json.dumps(details, sort_keys=True))


def _fineness(detail: object, details: Sequence[str]) -> int:
    """Place of a detail among those of a measure, coarsest first; 0 of one that it does not have."""
    return details.index(str(detail)) if detail in details else 0


def _with(
    details: Mapping[str, object], old: Mapping[str, object], part: str, names: tuple[str, ...]
) -> dict[str, object]:
    asked, before = details.get("trust", {}), old.get("trust", {})
    trust = {**before, **asked} if isinstance(asked, Mapping) and isinstance(before, Mapping) else asked
    kept = {name: old[name] for name in names if name in old}
    return {**details, **kept, **({"trust": trust} if trust else {})}
