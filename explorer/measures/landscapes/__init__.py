"""Losses on lines and planes through weights, and their curvature."""
