"""Lay stored values out as labelled arrays: a field has named axes, and beside each value what belongs to it."""
