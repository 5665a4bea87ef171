"""A selection in, values in the store out: plan what is missing, compute it in child processes, keep it."""
