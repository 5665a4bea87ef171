"""Run checkpoints on texts and store the arrays. Only this package imports torch and transformers to run models."""
