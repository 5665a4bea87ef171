"""Check that Python finds bertdyn's own packages. A user's `store.py` beside a notebook would hide the package `store`.

The check imports nothing: a module with the same name may be a program that runs when it is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""Folder that holds bertdyn and its other packages."""


def require_own(*names: str) -> None:
    """Check that Python finds bertdyn's packages under these names.

    Raises:
        ImportError: Python finds, or has already imported, another module under one of the names.
    """
    for name in names:
        loaded = sys.modules.get(name)
        found = _place(name) if loaded is None else getattr(loaded, "__file__", None)
        own = os.path.join(ROOT, name)
        if found is not None and os.path.realpath(os.path.dirname(found)) == os.path.realpath(own):
            continue
        raise ImportError(
            f"bertdyn has a package '{name}' of its own, in {own}, and {_hidden(name, found, loaded is not None)}",
            name=name,
            path=found,
        )


@contextmanager
def found_first() -> Iterator[None]:
    """Let child processes that start inside the block find bertdyn's packages first, whatever the working directory."""
    sys.path.insert(0, ROOT)
    try:
        yield
    finally:
        sys.path.remove(ROOT)


def _place(name: str) -> str | None:
    """Return the file that Python would import a top-level package from; None if there is no such file."""
    spec = find_spec(name)
    return None if spec is None else spec.origin


def _hidden(name: str, found: str | None, loaded: bool) -> str:
    """Return the rest of the error message: which module hides the package, and what to do."""
    if loaded:
        what = f"{found or 'a module without a file'} was imported as '{name}' before it"
        return f"{what}: rename or uninstall that module, then start Python again."
    if found is None:
        return "Python does not find it: install bertdyn again."
    return f"Python finds {found} first: rename that file, uninstall what it belongs to, or start in another folder."
