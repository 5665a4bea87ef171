"""Numbers in, numbers out: the measures and their one registry. No store, no screen, no file."""

from explorer.measures.base import Context, Given, Measure, MeasureError, Parameter, Trust, Value, canonical
from explorer.measures.protocols import Corpus, Layer, Shelf

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
