"""Spell paths for DuckDB so that it takes them literally.

DuckDB interprets paths. It takes ``*``, ``?`` and ``[`` for patterns, ``~``, ``s3://`` and ``file:`` for other places,
a folder ``seed=7`` for a column, a backslash (in a pattern) for a slash, and cuts the name of a database at a ``?``. So
no other module writes a path into a statement. ``scan`` and ``literal`` are for files to read, ``permitted`` lists
them for DuckDB's own check, ``target`` is for a file to write, ``everything_in`` and ``texts_in`` are for views that
must find files later, and ``plain_folder`` gives a folder for a database.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SPECIAL = re.compile(r"[\[*?]")
_CUTS = "?\\"
"""Characters at which DuckDB cuts or changes the path of a database (with links resolved)."""


def quoted(text: object) -> str:
    """Return text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def scan(function: str, paths: Sequence[str | os.PathLike[str]], *options: str) -> str:
    """Return the call of a table function (read_parquet, read_csv, read_json) that reads exactly these files."""
    names = ", ".join(map(literal, paths))
    return f"{function}([{names}], {', '.join(('hive_partitioning = false', *options))})"


def literal(path: str | os.PathLike[str]) -> str:
    """Return the SQL literal of a file to read."""
    return quoted(_escaped(_reached(os.path.abspath(path))))


def permitted(paths: Iterable[str | os.PathLike[str]]) -> str:
    """Return the SQL list of the files that ``literal`` reads, for DuckDB's list of files that may be opened.

    DuckDB compares a path with this list before it expands patterns in it, and again afterwards.
    """
    reached = [_reached(os.path.abspath(path)) for path in paths]
    return f"[{', '.join(map(quoted, dict.fromkeys((*reached, *map(_escaped, reached)))))}]"


def target(path: str | os.PathLike[str]) -> str:
    """Return the SQL literal of a file to write with COPY, which does not support patterns.

    Args:
        path: a path whose last name is ours, plain text; its folder may have any name.
    """
    folder, name = os.path.split(os.path.abspath(path))
    return quoted(os.path.join(_reached(folder), name))


def everything_in(folder: Path, ending: str) -> str:
    """Return the table function that reads all Parquet files with this ending in a folder at the time of each call."""
    pattern = quoted(f"{_escaped(str(folder))}/*{ending}")
    return f"read_parquet({pattern}, hive_partitioning = false, union_by_name = true)"


def texts_in(folder: Path, rest: str) -> str:
    """Return the table function that reads the text files matching ``rest`` below a folder at the time of each call.

    ``read_text`` has no option that says that ``last_modified=3/`` is a folder. It takes such names for columns only if
    all files are in such folders, so we add an empty file that is not.
    """
    pattern = quoted(f"{_escaped(str(folder))}/{rest}")
    return f"read_text([{quoted(os.devnull)}, {pattern}])" if "=" in str(folder) else f"read_text({pattern})"


def lasts(folder: str) -> bool:
    """Return whether a view that outlives this process can find files in this folder."""
    return "\\" not in folder and _is_text(folder)


@contextmanager
def plain_folder(wanted: Path) -> Iterator[Path]:
    """Yield ``wanted``, or a temporary folder if DuckDB cannot create a database in ``wanted``."""
    if _is_text(str(wanted)) and not any(c in os.path.realpath(wanted) for c in _CUTS):
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="bertdyn-", dir=_temporary()) as place:
        yield Path(place)


def _escaped(path: str) -> str:
    return _SPECIAL.sub(r"[\g<0>]", path)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _temporary() -> str:
    folder = tempfile.gettempdir()
    return "/tmp" if any(c in folder for c in _CUTS) else folder


_lock = threading.Lock()
_links: dict[tuple[int, str], str] = {}
_places: dict[int, tempfile.TemporaryDirectory[str]] = {}


def _reached(path: str) -> str:
    """Return a path that DuckDB can read: the given one, or a link to it if it has a backslash or invalid text."""
    if "\\" not in path and _is_text(path):
        return path
    folder, name = os.path.split(path)
    if "\\" not in name and _is_text(name) and folder != path:
        return os.path.join(_link(folder), name)
    return _link(path)


def _link(path: str) -> str:
    process = os.getpid()
    with _lock:
        if (process, path) not in _links:
            if process not in _places:
                _places[process] = tempfile.TemporaryDirectory(prefix="bertdyn-links-", dir=_temporary())
            link = os.path.join(_places[process].name, f"{len(_links)}{os.path.splitext(path)[1].lower()}")
            ending = link.rpartition(".")[2]
            if not _is_text(ending) or "\\" in ending:
                link = os.path.join(_places[process].name, str(len(_links)))
            os.symlink(path, link)
            _links[process, path] = link
        return _links[process, path]
