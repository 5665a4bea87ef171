"""Read the models of checkpoints: configuration, weights, adapters and classifiers."""
