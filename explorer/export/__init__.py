"""Write views and rows to files, in the same way for `bertdyn show` and for the explorer."""
