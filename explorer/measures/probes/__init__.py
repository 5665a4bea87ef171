"""Probes: classifiers that are trained on frozen representations, their controls and their scores."""
