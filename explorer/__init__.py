"""Everything that looks at a store: measures, computing, views, the terminal explorer and the command line."""
