"""Code that depends on the internals of Textual and of terminals; only this folder uses Textual's private names."""
