"""Screens over the main one: each asks or tells one thing, then goes away."""
