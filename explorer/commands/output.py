"""Write rows to standard output or to a file, as table, CSV, JSON or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from explorer.commands.streams import put
from explorer.export.rows import as_csv, as_json, plain, write_parquet
from explorer.render.printable import printable
from store.errors import BertdynError
from store.whole_files import write_whole

FORMATS = ("table", "csv", "json", "parquet")


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --format and -o; they reach the command as ``format`` and ``output``."""
    command = click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write here, not stdout.",
    )(command)
    return click.option(
        "--format",
        type=click.Choice(FORMATS),
        help="Default: by the name of -o, else table.",
    )(command)


def format_of(format: str | None, output: Path | None) -> str:
    """Return the requested format, or the one that the file's name implies. Call it before computing anything.

    Raises:
        BertdynError: Parquet is requested without -o, or the file's name implies a format that is not written.
    """
    if format is None:
        ending = output.suffix[1:].lower() if output else ""
        if output is not None and ending not in ("", "txt", *FORMATS):
            raise unknown_ending(output, FORMATS)
        format = ending if ending in FORMATS else "table"
    if format == "parquet" and output is None:
        raise BertdynError("Parquet is binary: name a file with -o FILE.")
    return format


def unknown_ending(output: Path, formats: Iterable[str]) -> BertdynError:
    """Return the error for a file whose name implies none of the formats."""
    return BertdynError(
        f"-o {output.name}: '{output.suffix}' files are not written; choose what to write with --format: "
        f"{', '.join(formats)}."
    )


def write_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], format: str | None, output: Path | None) -> None:
    """Write rows in the requested format, or in the one that the file's name implies.

    Raises:
        BertdynError: Parquet is requested without -o, or the file cannot be written.
    """
    format = format_of(format, output)
    if format == "parquet" and output is not None:
        write_parquet(columns, rows, output)
        return
    write_text({"table": as_table, "csv": as_csv, "json": as_json}[format](columns, rows), output)


def write_text(text: str, output: Path | None, raw: bool = False) -> None:
    """Write text to standard output or to the file.

    Args:
        raw: see ``streams.put``.

    Raises:
        BertdynError: standard output or the file cannot be written.
    """
    if output is None:
        put(text, raw)
    else:
        write_whole(output, text)


def as_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as aligned columns; numbers have six significant digits and are aligned to the right.

    The text is safe for terminals (``printable``).
    """
    columns = [printable(name, lines=False) for name in columns]
    cells = [[short(v) for v in row] for row in rows]
    numeric = [
        bool(rows) and all(v is None or isinstance(v, (int, float)) for v in col) for col in zip(*rows, strict=True)
    ]
    numeric = numeric or [False] * len(columns)
    widths = [max([len(c), *(len(row[i]) for row in cells)]) for i, c in enumerate(columns)]

    def line(row: Sequence[str]) -> str:
        return "  ".join(
            v.rjust(w) if right else v.ljust(w) for v, w, right in zip(row, widths, numeric, strict=True)
        ).rstrip()

    return "\n".join([line(columns), line(["-" * w for w in widths]), *map(line, cells)]) + "\n"


def short(value: Any) -> str:
    """Return a value as readable text: numbers with six significant digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return printable(str(plain(value)).replace("\n", " "), lines=False)
