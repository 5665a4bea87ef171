"""Numbers in, numbers out: the measures and their one registry. No store, no screen, no file."""

from explorer.measures.base import (
    Context,
    Corpus,
    Layer,
    Measure,
    MeasureError,
    Parameter,
    Shelf,
    Trust,
    Value,
    canonical,
)
from explorer.measures.registry import all_measures, get

__all__ = [
    "Context",
    "Corpus",
    "Layer",
    "Measure",
    "MeasureError",
    "Parameter",
    "Shelf",
    "Trust",
    "Value",
    "all_measures",
    "canonical",
    "get",
]
