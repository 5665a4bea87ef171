"""The full-screen explorer: a Textual app that draws views. Threads and child processes read and compute for it."""
