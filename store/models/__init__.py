"""The weights of checkpoints, read from their files without building a model."""
