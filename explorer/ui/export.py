"""A view as a file: the numbers as CSV, the picture as text or SVG."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from store.layout import folder_name

if TYPE_CHECKING:
    from textual.geometry import Size

    from explorer.ui.state import State
    from explorer.views.base import Cursor, DrawOptions, View


@dataclass(frozen=True)
class Format:
    """One way to write a view."""

    suffix: str
    help: str


FORMATS = {
    "c": Format("csv", "the numbers"),
    "t": Format("txt", "the picture as text"),
    "s": Format("svg", "the picture with its colours"),
}


def file_name(state: State) -> str:
    """What to call the file, without its ending."""
    return "-".join([state.mode, state.measure, *map(folder_name, (*state.tasks, state.probe))])


def write(view: View, format: str, folder: Path, name: str, size: Size, cursor: Cursor, options: DrawOptions) -> Path:
    """Write a view into a folder; a number is added to a name that is taken.

    Raises:
        OSError: the folder cannot be written.
    """
    text = as_csv(view) if format == "csv" else as_picture(view, format, size, cursor, options)
    for number in range(1, 10_000):
        path = folder / f"{name}{f'-{number}' if number > 1 else ''}.{format}"
        try:
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise OSError(f"{folder} has ten thousand files of this name already")


def as_csv(view: View) -> str:
    """Its numbers, a column name first; no value is an empty field."""
    columns, rows = view.rows()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return text.getvalue()


def as_picture(view: View, format: str, size: Size, cursor: Cursor, options: DrawOptions) -> str:
    """The picture at the size of the screen, with its title, what the cursor reads and its notes."""
    from rich.console import Console
    from rich.segment import Segment, Segments

    from explorer.render.palette import Depth, palette

    colours = palette(Depth.TRUECOLOR if format == "svg" else Depth.NONE)
    picture = view.draw(size.width, size.height, colours, cursor, options)
    words = [w for w in (picture.reading, *picture.notes) if w]
    lines = [
        [Segment(view.title, colours.strong)],
        [Segment(view.subtitle, colours.axis)],
        *picture.lines,
        *([Segment(word, colours.text)] for word in words),
    ]
    if format == "txt":
        return "\n".join("".join(s.text for s in line).rstrip() for line in lines) + "\n"
    width = max(Segment.get_line_length(line) for line in lines)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(Segments([*line, Segment.line()]), end="", soft_wrap=True)
    return console.export_svg(title="bertdyn")
