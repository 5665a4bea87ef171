"""Checkpoints and text in, arrays out. The only rooms that import torch and transformers to run models."""
