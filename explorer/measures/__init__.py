"""Numbers in, numbers out: the measures and their one registry. No store, no screen, no file."""

from explorer.measures.base import (
    Context,
    Layer,
    Measure,
    MeasureError,
    Parameter,
    Shelf,
    Stimuli,
    Trust,
    Value,
    canonical,
)
from explorer.measures.registry import all_measures, get

__all__ = [
    "Context",
    "Layer",
    "Measure",
    "MeasureError",
    "Parameter",
    "Shelf",
    "Stimuli",
    "Trust",
    "Value",
    "all_measures",
    "canonical",
    "get",
]
