"""The one list of measures: a new family is a module here and a line below."""

from __future__ import annotations

from explorer.measures.anisotropy import MEASURES as ANISOTROPY
from explorer.measures.attention import MEASURES as ATTENTION
from explorer.measures.base import Measure, MeasureError
from explorer.measures.clusters import MEASURES as CLUSTERS
from explorer.measures.effective_rank import MEASURES as EFFECTIVE_RANK
from explorer.measures.geometry import MEASURES as GEOMETRY
from explorer.measures.linear import MEASURES as LINEAR
from explorer.measures.participation_ratio import MEASURES as PARTICIPATION_RATIO
from explorer.measures.rsa import MEASURES as RSA

_SPECTRUM = (*EFFECTIVE_RANK, *PARTICIPATION_RATIO, *ANISOTROPY)
_MEASURES = {m.name: m for m in (*LINEAR, *RSA, *ATTENTION, *CLUSTERS, *GEOMETRY, *_SPECTRUM)}


def all_measures() -> tuple[Measure, ...]:
    """Every measure, in the order of the registry."""
    return tuple(_MEASURES.values())


def get(name: str) -> Measure:
    """The measure of that name.

    Raises:
        MeasureError: there is none; names all.
    """
    if name not in _MEASURES:
        raise MeasureError(f"There is no measure '{name}', only {', '.join(_MEASURES)}.")
    return _MEASURES[name]
