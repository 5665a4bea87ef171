"""Walk folders of runs and follow the links in them.

Every real folder is visited once, and all paths to it are kept: its own place in the tree first, then links. They give
the names of the folder, from which the caller takes the first that fits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

_MOST_NAMES = 1000
"""Maximum number of names that are tried per folder: links that point at each other make very many."""


@dataclass(frozen=True)
class Link:
    """A link to a folder. It prints as ``path -> target``."""

    path: Path
    target: str
    """The real folder."""

    def __str__(self) -> str:
        return f"{self.path} -> {self.target}"


@dataclass(frozen=True)
class FolderName:
    """One path of a real folder."""

    path: Path
    real: str
    links: frozenset[Path] = frozenset()
    """Links that the path goes through."""
    resolved: bool = False
    """Whether it is the real path instead of one below the roots."""


@dataclass(frozen=True)
class _Way:
    """A way to a folder: from its parent, or without one for the folders that the user named."""

    parent: str | None
    path: Path
    linked: bool


class Tree:
    """The folders below some roots and below the targets of links in them."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.dangling: list[Path] = []
        """Links without a target, or in a cycle of links."""
        self.closed: list[Path] = []
        """Folders that we may not read."""
        self._files: dict[str, list[str]] = {}
        self._ways: dict[str, list[_Way]] = {}
        self._links: list[Link] = []
        for root in roots:
            path = Path(os.path.abspath(root))
            real = os.path.realpath(path)
            self._arrive(real, _Way(None, path, False))
            self._walk(real, path)
        followed = 0
        while followed < len(self._links):  # links found on the way come last
            link = self._links[followed]
            self._walk(link.target, link.path)
            followed += 1

    def holding(self, test: Callable[[Sequence[str]], bool]) -> list[str]:
        """Return the real folders whose file names pass a test, in the order in which they were found."""
        return [real for real, files in self._files.items() if test(files)]

    def knows(self, real: str) -> bool:
        """Return whether a walk has seen a real folder."""
        return real in self._files

    def files(self, real: str) -> Sequence[str]:
        """Return the names of the files in a folder; none if no walk has seen the folder."""
        return self._files.get(real, ())

    def path(self, real: str) -> Path:
        """Return the first path of a visited folder."""
        return self._ways[real][0].path

    def names(self, real: str, depth: int) -> Iterator[FolderName]:
        """Yield the names of a visited folder that differ in their last ``depth`` parts, best first.

        The folder's place in the tree comes first, then links to it, then its real path, which may be outside the
        tree.
        """
        ours = islice(self._names(real, depth), _MOST_NAMES)
        yield from sorted(ours, key=lambda name: bool(name.links))
        yield FolderName(Path(real), real, resolved=True)

    def passed_over(self, taken: Sequence[FolderName]) -> list[Link]:
        """Return the links to a taken folder, or to a folder above one, that no taken name goes through."""
        used = frozenset[Path]().union(*(name.links for name in taken))
        holders = {str(folder) for name in taken for folder in (name.real, *Path(name.real).parents)}
        return [link for link in self._links if link.path not in used and link.target in holders]

    def _names(self, real: str, depth: int) -> Iterator[FolderName]:
        for way in self._ways[real]:
            links = frozenset([way.path] if way.linked else [])
            if way.parent is None or depth <= 1:
                yield FolderName(way.path, real, links)
                continue
            for above in self._names(way.parent, depth - 1):
                yield FolderName(above.path / way.path.name, real, above.links | links)

    def _arrive(self, real: str, way: _Way) -> None:
        ways = self._ways.setdefault(real, [])
        if way not in ways:
            ways.append(way)
            ways.sort(key=lambda way: way.linked)

    def _walk(self, real: str, path: Path) -> None:
        """Visit a folder and all unvisited folders below it, without following links."""
        todo = [(real, path)]
        while todo:
            real, path = todo.pop()
            if real in self._files:
                continue
            files, below = self._look(real, path)
            self._files[real] = files
            todo += reversed(below)

    def _look(self, real: str, path: Path) -> tuple[list[str], list[tuple[str, Path]]]:
        files: list[str] = []
        below: list[tuple[str, Path]] = []
        try:
            with os.scandir(real) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            self.closed.append(path)
            return [], []
        for entry in entries:
            hidden = entry.name.startswith(".")
            if not _is_folder(entry):
                files.append(entry.name)
                if not hidden and entry.is_symlink() and not os.path.exists(entry.path):
                    self.dangling.append(path / entry.name)
            elif hidden:
                continue
            elif entry.is_symlink():
                link = Link(path / entry.name, os.path.realpath(entry.path))
                self._links.append(link)
                self._arrive(link.target, _Way(real, link.path, True))
            else:
                child = os.path.join(real, entry.name)
                self._arrive(child, _Way(real, path / entry.name, False))
                below.append((child, path / entry.name))
        return files, below


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a cycle of links
        return False
