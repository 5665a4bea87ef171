"""Measures (numbers in, numbers out) and their registry. They know no store, no screen and no files."""

from explorer.measures.base import Measure, Parameter, canonical
from explorer.measures.computation import Context, Given, MeasureError, Uncertainty, Value
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
    "Uncertainty",
    "Value",
    "canonical",
]
