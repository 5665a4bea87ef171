"""Compute questions: plan the missing values, compute them in other processes, and store them."""
