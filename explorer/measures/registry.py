"""List all measures: a new family needs a module in this folder and a line below.

A user's own measures are in modules named in BERTDYN_MEASURES, separated by commas; each has a tuple ``MEASURES``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module

from explorer.measures.ablation import MEASURES as ABLATION
from explorer.measures.anisotropy import MEASURES as ANISOTROPY
from explorer.measures.attention import MEASURES as ATTENTION
from explorer.measures.barrier import MEASURES as BARRIER
from explorer.measures.base import Measure
from explorer.measures.clusters import MEASURES as CLUSTERS
from explorer.measures.computation import MeasureError
from explorer.measures.data_maps import MEASURES as DATA_MAPS
from explorer.measures.early_exit import MEASURES as EARLY_EXIT
from explorer.measures.edge_probe import MEASURES as EDGE_PROBE
from explorer.measures.effective_rank import MEASURES as EFFECTIVE_RANK
from explorer.measures.geometry import MEASURES as GEOMETRY
from explorer.measures.head_ablation import MEASURES as HEAD_ABLATION
from explorer.measures.linear import MEASURES as LINEAR
from explorer.measures.loss_curve import MEASURES as LOSS_CURVE
from explorer.measures.loss_surface import MEASURES as LOSS_SURFACE
from explorer.measures.loss_surface_pca import MEASURES as LOSS_SURFACE_PCA
from explorer.measures.loss_surface_random import MEASURES as LOSS_SURFACE_RANDOM
from explorer.measures.mdl import MEASURES as MDL
from explorer.measures.output_labels import MEASURES as OUTPUT_LABELS
from explorer.measures.output_numbers import MEASURES as OUTPUT_NUMBERS
from explorer.measures.outputs import MEASURES as OUTPUTS
from explorer.measures.participation_ratio import MEASURES as PARTICIPATION_RATIO
from explorer.measures.probe import MEASURES as PROBE
from explorer.measures.rollback import MEASURES as ROLLBACK
from explorer.measures.rsa import MEASURES as RSA
from explorer.measures.sharpness import MEASURES as SHARPNESS
from explorer.measures.split_similarity import MEASURES as SPLIT_SIMILARITY
from explorer.measures.structural_probe import MEASURES as STRUCTURAL_PROBE
from explorer.measures.trajectory import MEASURES as TRAJECTORY
from explorer.measures.weight_change import MEASURES as WEIGHT_CHANGE

OWN = "BERTDYN_MEASURES"
_SPECTRUM = (*EFFECTIVE_RANK, *PARTICIPATION_RATIO, *ANISOTROPY)
_RESERVED = (
    *("checkpoints", "corpora", "annotations", "results", "onsets", "claims", "runs", "training_log"),
    *("group", "end", "at"),
)
"""Names that measures and axes must not use: views of the store, and SQL keywords that DuckDB requires to be quoted."""


def registered(measures: Iterable[Measure]) -> dict[str, Measure]:
    """Return measures by name.

    Raises:
        MeasureError: two measures have the same name, a name is reserved for SQL, or an axis has different types.
    """
    found: dict[str, Measure] = {}
    kinds: dict[str, str] = {}
    for measure in measures:
        if measure.name in found:
            raise MeasureError(f"There are two measures '{measure.name}': rename one.")
        for name in (measure.name.replace("-", "_"), *(axis.name for axis in measure.axes)):
            if name in _RESERVED:
                raise MeasureError(f"Measure '{measure.name}' cannot use the name '{name}', which SQL needs.")
        for axis in measure.axes:
            if kinds.setdefault(axis.name, axis.kind) != axis.kind:
                raise MeasureError(
                    f"Axis '{axis.name}' of measure '{measure.name}' is {axis.kind}, but {kinds[axis.name]} elsewhere."
                )
        found[measure.name] = measure
    return found


def own_measures(named: str) -> tuple[Measure, ...]:
    """Return the measures of modules whose names are given separated by commas.

    Raises:
        MeasureError: a module cannot be imported or has no ``MEASURES``.
    """
    found: list[Measure] = []
    for name in filter(None, (part.strip() for part in named.split(","))):
        try:
            found += import_module(name).MEASURES
        except (ImportError, AttributeError) as error:
            raise MeasureError(f"{OWN}: module '{name}' has no measures: {error}.") from None
    return tuple(found)


_MEASURES = registered(
    (
        *(
            *LINEAR,
            *RSA,
            *ATTENTION,
            *CLUSTERS,
            *GEOMETRY,
            *SPLIT_SIMILARITY,
            *WEIGHT_CHANGE,
            *OUTPUTS,
            *OUTPUT_LABELS,
            *OUTPUT_NUMBERS,
            *DATA_MAPS,
            *ROLLBACK,
            *EARLY_EXIT,
            *HEAD_ABLATION,
            *LOSS_CURVE,
            *LOSS_SURFACE,
            *LOSS_SURFACE_RANDOM,
            *LOSS_SURFACE_PCA,
            *TRAJECTORY,
            *BARRIER,
            *SHARPNESS,
            *ABLATION,
            *PROBE,
            *MDL,
            *STRUCTURAL_PROBE,
            *EDGE_PROBE,
            *_SPECTRUM,
        ),
        *own_measures(os.environ.get(OWN, "")),
    )
)


def all_measures() -> tuple[Measure, ...]:
    """Return all measures, in the order of the registry."""
    return tuple(_MEASURES.values())


def get(name: str) -> Measure:
    """Return the measure of that name.

    Raises:
        MeasureError: there is none (the message lists all names).
    """
    if name not in _MEASURES:
        raise MeasureError(f"There is no measure '{name}', only {', '.join(_MEASURES)}.")
    return _MEASURES[name]
