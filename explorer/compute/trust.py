"""Record in a row which extras were requested with its value: null, interval, detail, fitted objects. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from explorer.measures import Uncertainty
from store.results import Result


def stamp(trust: Uncertainty, detail: str = "") -> dict[str, object]:
    """Return the record of the requested extras, stored under ``trust`` in a row's details; empty if there are none."""
    noted: dict[str, object] = {"detail": detail} if detail else {}
    if trust.null:
        noted |= {"null": trust.null, "seed": trust.seed}
    if trust.interval:
        noted |= {"interval": trust.interval, "level": trust.level}
    if trust.interval == "bootstrap":
        noted |= {"resamples": trust.resamples, "seed": trust.seed}
    if trust.keep:
        noted |= {"keep": True}
    return noted


def covers(noted: Mapping[str, object], trust: Uncertainty, detail: str, details: Sequence[str]) -> bool:
    """Return whether a row with this record has everything requested.

    Args:
        detail: granularity of the finest wanted rows, empty for the coarsest; a finer one covers it.
        details: granularities of the measure, coarsest first.
    """
    if _fineness(noted.get("detail"), details) < _fineness(detail, details):
        return False
    return all(noted.get(name) == value for name, value in stamp(trust).items())


def carried(row: Result, before: Result | None, measured: Sequence[str] = ()) -> Result:
    """Copy null, interval or kept objects from the previous row to a recomputed row that lacks them.

    Both rows must be the same value: same key, version and inputs. So requesting an interval does not lose a null or
    the record of finer rows.

    Args:
        measured: granularities of the measure, coarsest first.
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
    if old.get("trust", {}).get("keep"):
        row = row._replace(artefact=before.artefact)
        details = {**details, "trust": {**details.get("trust", {}), "keep": True}}
    asked, noted = details.get("trust", {}), old.get("trust", {})
    if _fineness(noted.get("detail"), measured) > _fineness(asked.get("detail"), measured):
        details = {**details, "trust": {**asked, "detail": noted["detail"]}}
    return row._replace(details=json.dumps(details, sort_keys=True))


def _fineness(detail: object, details: Sequence[str]) -> int:
    """Return the index of a detail among those of a measure, coarsest first; 0 if the measure does not have it."""
    return details.index(str(detail)) if detail in details else 0


def _with(
    details: Mapping[str, object], old: Mapping[str, object], part: str, names: tuple[str, ...]
) -> dict[str, object]:
    asked, before = details.get("trust", {}), old.get("trust", {})
    trust = {**before, **asked} if isinstance(asked, Mapping) and isinstance(before, Mapping) else asked
    kept = {name: old[name] for name in names if name in old}
    return {**details, **kept, **({"trust": trust} if trust else {})}
