"""Views and rows as files: the same for `bertdyn show` and for the explorer."""
