"""One module per command of `bertdyn`; each has a click command named ``command`` and is imported when called."""
