"""Measures (numbers in, numbers out) and their registry. They know no store, no screen and no files."""

from explorer.measures.base import Context, Given, Measure, MeasureError, Parameter, Uncertainty, Value, canonical
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
