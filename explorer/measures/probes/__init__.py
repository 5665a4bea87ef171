"""Probes: classifiers trained on frozen representations, from arrays to numbers."""
