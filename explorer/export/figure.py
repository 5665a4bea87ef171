"""Draw a view as a figure for a paper: PNG or PDF by matplotlib, with its caption below and in the file's metadata.

matplotlib comes with the extra ``plots`` and is imported only when the first figure is written.
"""

from __future__ import annotations

import textwrap
import warnings
from bisect import bisect_right
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from explorer.render.fitting import DOT
from explorer.render.palette import Depth, palette
from explorer.views.base import NOWHERE, PERCENT, PLAIN, SEEDS, Cursor, DrawOptions
from explorer.views.words import against
from store.errors import BertdynError
from store.whole_files import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from explorer.answers.rows import Rows
    from explorer.answers.training import Training
    from explorer.views.base import Part, Sheet, View

WIDTH = 6.75
"""Width of a figure in inches: both columns of a paper."""
DPI = 300
_MARGIN = 0.08
_LINE = 0.125
"""Height of a line of the caption in inches."""
_WRAP = 142
"""Number of letters of a line of the caption that usually fit."""
_WIDEST = 5
"""Lines that are measured: those with most cells."""
_TOLD = 6.5
"""Size of the caption's letters in points."""
_ROOM = (400, 120)
"""Size of a picture in cells that is large enough for all parts of a view."""
_STYLE = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,  # TrueType, which publishers accept and readers can search
    "svg.fonttype": "none",
}


def save(view: View, path: Path, format: str, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN) -> None:
    """Write a view as ``png`` or ``pdf``. The same view gives the same file.

    Raises:
        BertdynError: matplotlib is not installed, the view has no figure, or the file cannot be written.
    """
    matplotlib = _matplotlib()
    said = caption(view, cursor, options)
    about: dict[str, str | None] = {"Title": view.title, "Subject" if format == "pdf" else "Description": said}
    about |= {"CreationDate": None} if format == "pdf" else {"Software": None}
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a label in a script the font lacks
        drawn = figure(view, cursor, options)
        with whole(path) as draft:
            drawn.savefig(draft, format=format, dpi=DPI, metadata=about)


def figure(view: View, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN) -> Figure:
    """Draw a figure with title, plot and caption; in a line chart, the line under the cursor is highlighted.

    Raises:
        BertdynError: matplotlib is not installed, or the view has no figure.
    """
    _matplotlib()
    from matplotlib.figure import Figure

    if view.empty:
        raise BertdynError("There is no value to draw a figure of.")
    sheet = view.sheet(options, focused=cursor.y >= 0)
    if sheet is None:
        raise BertdynError(
            f"the view {view.name} has no figure: write it as text or SVG, its numbers as CSV or Parquet."
        )
    told = _wrapped(caption(view, cursor, options))
    heading = textwrap.wrap(view.title, 100)
    drawn = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    high = _paint(drawn, sheet, cursor.y)
    below, above = len(told) * _LINE + _MARGIN, len(heading) * 0.16 + _MARGIN
    total = high + below + above
    drawn.set_size_inches(WIDTH, total)
    engine: Any = drawn.get_layout_engine()
    engine.set(rect=(0.01, below / total, 0.98, high / total))
    drawn.text(0.5, 1 - _MARGIN / total, "\n".join(heading), ha="center", va="top", fontsize=9, fontweight="bold")
    drawn.text(
        0.01, (below - _MARGIN / 2) / total, "\n".join(told), ha="left", va="top", fontsize=_TOLD, color="#404040"
    )
    return drawn


def _wrapped(text: str) -> list[str]:
    """Return a caption as lines that fit the width of the figure, whatever letters they have."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=_TOLD)
    room = 72 * 0.98 * WIDTH

    def width(line: str) -> float:
        return text_to_path.get_text_width_height_descent(line.replace("$", "S"), font, ismath=False)[0]

    def fits(letters: int) -> bool:
        lines = textwrap.wrap(text, letters)
        return all(width(line) <= room for line in sorted(lines, key=cell_len, reverse=True)[:_WIDEST])

    fitting = bisect_right(range(1, _WRAP + 1), False, key=lambda letters: not fits(letters))
    return textwrap.wrap(text, fitting or _WRAP)


def caption(view: View, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN) -> str:
    """Return the caption as one paragraph: contents, definition, amount of data, and checkpoints."""
    parts = [f"{view.title}.", f"{view.subtitle.replace(DOT, '; ')}."]
    data = view.stored
    if data is not None:
        measure = data.measure
        unit = "" if view.own_unit or options.scale in (PERCENT, SEEDS) else measure.unit
        unit = f" Unit: {unit}." if unit not in ("", "1", "none", "distance", "similarity") else ""
        parts.append(f"{measure.definition.rstrip('.')}.{unit} Definition: {measure.source.rstrip('.')}.")
        parts.append(_checkpoints(data))
    # A figure does not show the values under the cursor, only the highlighted line.
    sheet = view.sheet(options, focused=cursor.y >= 0)
    notes = sheet.notes if sheet is not None else None
    if notes is None:
        notes = view.draw(*_ROOM, palette(Depth.NONE), replace(cursor, x=-1), options).notes
    parts += [f"{note[:1].upper()}{note[1:]}." for note in notes]
    return " ".join(part.replace("..", ".") for part in parts if part.strip("."))


def _checkpoints(data: Rows) -> str:
    """'Checkpoints: sst2 seeds 1, 2 at steps 0 to 80 (5), from the pre-trained model; 65 values, 0 missing'."""
    found = []
    for task in data.tasks:
        keys = {p.key for p in data.wanted if p.key.recipe == task}
        seeds, steps = data.seeds(task), sorted({k.step for k in keys})
        if not steps:
            continue
        who = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}"
        when = f"step {steps[0]:,}" if len(steps) == 1 else f"{len(steps)} steps from {steps[0]:,} to {steps[-1]:,}"
        found.append(f"{task}, {who}, {when}")
    source = against(data)
    return f"Checkpoints: {'; '.join(found)}{f'; measured {source}' if source else ''}." if found else ""


def _paint(drawn: Figure, sheet: Sheet, focus: int) -> float:
    """Draw the plots of a sheet and return their preferred height in inches."""
    from explorer.export import paint

    if sheet.shared:
        return _small_multiples(drawn, sheet.parts, focus)
    if sheet.training is not None and sheet.training.tracks:
        return _with_training(drawn, sheet.parts[0], sheet.training, focus)
    across = sheet.across or len(sheet.parts)
    rows = [sheet.parts[start : start + across] for start in range(0, len(sheet.parts), across)]
    ratios = [share for part in rows[0] for share in part.shares]
    grid = drawn.subplots(len(rows), len(ratios), width_ratios=ratios, squeeze=False)
    inches = []
    for parts, free in zip(rows, grid.tolist(), strict=True):
        high = []
        for part in parts:
            own, free = free[: len(part.shares)], free[len(part.shares) :]
            high.append(paint.part(drawn, own, part, focus if part.focus else -1))
        inches.append(max(high))
    return sum(inches)


def _with_training(drawn: Figure, part: Part, training: Training, focus: int) -> float:
    """Draw a line chart and, below it, the training log on the same steps."""
    from explorer.export import paint

    below = len(training.tracks)
    first, *places = drawn.subplots(1 + below, 1, sharex=True, height_ratios=[6] + [1] * below, squeeze=False)[:, 0]
    paint.lines(first, part.chart.chart, part.log, focus, tall=2.8)
    for track, place in zip(training.tracks, places, strict=True):
        paint.track(place, training.steps, track)
        first.set_xlabel("")
    places[-1].set_xlabel(part.chart.chart.x_name)
    return 3.4 + 0.6 * below


def _small_multiples(drawn: Figure, parts: Sequence[Part], focus: int) -> float:
    """Draw charts in rows, side by side; the last chart of each row has the labels of the lines."""
    from explorer.export import paint

    one_scale = all(part.chart.chart.scale_of is not None for part in parts)
    across = min(4 if one_scale else 3, len(parts))
    down = -(-len(parts) // across)
    places = drawn.subplots(down, across, sharex=True, sharey=one_scale, squeeze=False)
    for i, place in enumerate(places.flat):
        if i >= len(parts):
            place.set_visible(False)
            continue
        last = i % across == across - 1 or i == len(parts) - 1
        paint.lines(place, parts[i].chart.chart, parts[i].log, focus, tall=1.8 if last else 0.0)
        place.set_title(parts[i].name, fontsize=8)
        if i + across < len(parts):
            place.set_xlabel("")
        else:  # also above an empty place
            place.tick_params(labelbottom=True)
    return 0.4 + 2.3 * down


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise BertdynError(
            "Figures are drawn by matplotlib, which is not installed: pip install 'bertdyn[plots]'."
        ) from None
    return matplotlib
