"""The pieces of the screen; each gets its data from the app and opens nothing."""
