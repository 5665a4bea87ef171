"""One module a command of `bertdyn`; each holds a click command called ``command`` and is imported when called."""
