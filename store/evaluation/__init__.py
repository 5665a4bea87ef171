"""Run checkpoints with their own classifiers, with weights that are changed in place or on given hidden states."""
