"""The full-screen explorer: a Textual app that draws what views give it and never reads or computes by itself."""
