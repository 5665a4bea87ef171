"""Corpora: texts, their tokens and labels, and the formats of the files that they come from."""
