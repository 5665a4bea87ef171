"""Write views to files in several formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions
from store.errors import BertdynError
from store.whole_files import write_whole

if TYPE_CHECKING:
    from explorer.render.relief import PlaneGrid
    from explorer.views.base import View

PICTURE = (120, 36)
"""Default size of a picture: columns and lines."""


@dataclass(frozen=True)
class Format:
    """A file format for views."""

    help: str
    text: bool
    """True if it is text, which can go to stdout."""
    alone: bool = False
    """True if a file can hold only one view."""


FORMATS: Mapping[str, Format] = {
    "text": Format("the picture as text", text=True),
    "csv": Format("the numbers", text=True),
    "json": Format("the numbers, one object per row", text=True),
    "parquet": Format("the numbers, for pandas, polars, DuckDB", text=False),
    "svg": Format("the picture with its colours", text=True, alone=True),
    "png": Format("a figure with its caption (needs bertdyn[plots])", text=False, alone=True),
    "vtk": Format("losses on a plane as VTK text, for ParaView", text=True, alone=True),
    "h5": Format("losses on a plane as HDF5, named as in loss-landscape (needs bertdyn[hdf5])", text=False, alone=True),
    "pdf": Format("the same for a paper, as vectors (needs bertdyn[plots])", text=False, alone=True),
}
_SUFFIXES = {"text": "txt"}


def suffix(format: str) -> str:
    """Return the ending of a file's name."""
    return _SUFFIXES.get(format, format)


def format_of(path: Path) -> str | None:
    """Return the format that a file's ending names; None if it names none."""
    ending = path.suffix[1:].lower()
    return next((name for name in FORMATS if ending in (name, suffix(name))), None)


def write(
    view: View,
    format: str,
    path: Path,
    size: tuple[int, int] = PICTURE,
    dark: bool = True,
    cursor: Cursor = NOWHERE,
    options: DrawOptions = PLAIN,
) -> None:
    """Write a view, replacing a file of that name when the new one is complete.

    Raises:
        BertdynError: a figure needs matplotlib, the view has no figure, or the file cannot be written.
    """
    if format in ("png", "pdf"):
        from explorer.export.figure import save

        save(view, path, format, cursor, options)
        return
    if format == "h5":
        from explorer.export.grids import write_h5

        write_h5(_grid(view), path)
        return
    if format == "parquet":
        from explorer.export.rows import write_parquet

        write_parquet(*view.rows(), path)
        return
    write_whole(path, as_format(view, format, size, dark, cursor, options))


def as_format(
    view: View,
    format: str,
    size: tuple[int, int] = PICTURE,
    dark: bool = True,
    cursor: Cursor = NOWHERE,
    options: DrawOptions = PLAIN,
) -> str:
    """Return a view in one of the text formats.

    Raises:
        BertdynError: the format is of values on a plane, and the view has none.
    """
    from explorer.export import rows

    if format == "vtk":
        from explorer.export.grids import as_vtk

        return as_vtk(_grid(view))
    if format == "csv":
        return rows.as_csv(*view.rows())
    if format == "json":
        return rows.as_json(*view.rows())
    from explorer.export.picture import as_svg, as_text

    if format == "svg":
        return as_svg(view, size, dark, cursor, options)
    return as_text(view, size, cursor=cursor, options=options)


def _grid(view: View) -> PlaneGrid:
    grid = view.grid()
    if grid is None and view.empty:
        raise BertdynError("There is no value to write: none is computed for this selection and these parameters.")
    if grid is None:
        raise BertdynError(f"the view {view.name} has no values on a plane: the view surface has.")
    return grid


def write_beside(
    view: View,
    format: str,
    folder: Path,
    name: str,
    size: tuple[int, int],
    dark: bool,
    cursor: Cursor,
    options: DrawOptions,
) -> Path:
    """Write a view into a folder for the explorer; a number is added to a name that is taken.

    Figures are drawn in a child process.

    Raises:
        BertdynError: as write().
        OSError: the folder is not writable.
    """
    path = _free(folder, name, suffix(format))
    try:
        if format in ("png", "pdf"):
            from explorer.export import figure_process

            figure_process.save(view, path, format, cursor, options)
        else:
            write(view, format, path, size, dark, cursor, options)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _free(folder: Path, name: str, ending: str) -> Path:
    for number in range(1, 10_000):
        path = folder / f"{name}{f'-{number}' if number > 1 else ''}.{ending}"
        try:
            path.open("x").close()
        except FileExistsError:
            continue
        return path
    raise OSError(f"{folder} has ten thousand files of this name already")
