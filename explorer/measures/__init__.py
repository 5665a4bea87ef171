"""Numbers in, numbers out: the measures and their one registry. No store, no screen, no file."""

from explorer.measures.base import (
    Context,
    Corpus,
    Given,
    Layer,
    Measure,
    MeasureError,
    Parameter,
    Shelf,
    Trust,
    Value,
    canonical,
)

__all__ = [
    "Context",
    "Corpus",
    "Given",
    "Layer",
    "Measure",
    "MeasureError",
    "Parameter",
    "Shelf",
    "Trust",
    "Value",
    "canonical",
]
