"""Draw the charts, maps, matrices and paths of views on matplotlib's axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.render.axes import number
from explorer.render.chart import Chart, Series
from explorer.render.heat import HeatChart
from explorer.render.lines import LineChart
from explorer.render.matrix import Matrix, Panel
from explorer.render.plane import Plane
from explorer.render.relief import Relief
from explorer.render.scatter import Scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from explorer.answers.training import Track
    from explorer.views.base import Part

GREY = "#8c8c8c"
_BANDS = 3
"""Maximum number of bands shown at once: more of them overlap too much."""
_LABELS = 40
"""Maximum number of names along an axis."""
_DIGITS = 24
"""Maximum number of rows and columns for which values are written into the cells."""


def part(figure: Figure, axes: list[Axes], what: Part, focus: int) -> float:
    """Draw one plot of a view; return the inches that it wants to be high."""
    return _PAINTERS[type(what.chart)](figure, axes, what, focus)


def colour(rank: float) -> Any:
    """Return the colour at a place 0..1 of the ordinal ramp, without its light end (low contrast on paper)."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.88 * min(1.0, max(0.0, rank)))


def lines(axes: Axes, chart: Chart, log: bool, focus: int, tall: float) -> None:
    """Draw a line chart.

    Args:
        focus: the line with a band and reference curves; -1: none, with the reference curves of the last line.
        tall: height of the plot in inches; 0: no labels at the ends of the lines.
    """
    scale = chart.y_scale(log)
    if scale.log:
        axes.set_yscale("log")
    axes.set_ylim(scale.low, scale.high)
    bands = [s for s in chart.series if s.low is not None and s.high is not None]
    shown = bands if len(bands) <= _BANDS and not chart.bands_in_focus_only else []
    beside = focus if 0 <= focus < len(chart.series) else len(chart.series) - 1
    for i, one in enumerate(chart.series):
        bright = focus < 0 or i == focus
        tint = colour(one.rank) if bright else "#c4c4c4"
        single = np.isfinite(one.y).sum() < 30
        x, y = one.joined(one.y)
        axes.plot(x, y, color=tint, linewidth=1.3 if bright else 0.7, marker="." if single else "", markersize=3.5)
        if one.low is not None and one.high is not None and (one in shown or i == beside):
            x, low, high = one.joined(one.low, one.high)
            axes.fill_between(x, low, high, color=tint, alpha=0.2, linewidth=0)
        if i == beside:
            for companion in one.companions:
                style = (0, (5, 3)) if companion.dashed else (0, (1, 2))
                label = f"{companion.label}, {one.label}"
                axes.plot(one.x, companion.y, color=tint, linewidth=1, linestyle=style, label=label)
    _marks(axes, chart, focus)
    for companion in chart.shared:
        style = (0, (5, 3)) if companion.dashed else (0, (1, 2))
        axes.plot(chart.series[0].x, companion.y, color="0.4", linewidth=1, linestyle=style, label=companion.label)
    if any(chart.beside(i) for i in range(len(chart.series))) and axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=7, loc="best")
    if scale.log and chart.floor > scale.low:
        axes.axhline(chart.floor, color=GREY, linewidth=0.8, linestyle=(0, (1, 3)))
        axes.annotate(
            "noise", (0, chart.floor), xycoords=("axes fraction", "data"), color=GREY, fontsize=7, va="bottom"
        )
    axes.set_xlabel(chart.x_name)
    axes.set_ylabel(chart.y_name)
    _whole_numbers(axes)
    if tall:
        _at_their_ends(axes, chart, focus, tall)


def _marks(axes: Axes, chart: Chart, focus: int) -> None:
    """Draw the marked points of the lines."""
    from matplotlib.markers import MarkerStyle

    for i, one in enumerate(chart.series):
        for mark in one.marks:
            at, filled = one.x == mark.x, "full" if mark.share == 1 else "bottom"
            look, tint = MarkerStyle("o", fillstyle=filled), colour(one.rank) if focus in (-1, i) else GREY
            axes.plot(
                *(one.x[at], one.y[at]), color=tint, linewidth=0, marker=look, markersize=5, markerfacecoloralt="white"
            )


def track(axes: Axes, steps: Sequence[int], what: Track) -> None:
    """Draw one quantity of the training log."""
    there = np.isfinite(what.values)
    axes.plot(np.array(steps)[there], what.values[there], color="#404040", linewidth=1, marker=".", markersize=3)
    axes.set_ylabel(what.short.replace(" ", "\n"), rotation=0, ha="right", va="center", fontsize=7)
    axes.tick_params(labelsize=6)


def heat(figure: Figure, axes: Axes, chart: HeatChart, log: bool, digits: bool) -> None:
    """Draw a heat map with its colour bar, row 0 at the bottom. Dots: not computed; crosses: no value, for a reason."""
    from matplotlib.colors import LogNorm, Normalize

    data = chart.heat
    log = log and not data.signed
    scale = chart.scale(log)
    norm = (LogNorm if log else Normalize)(scale.low, scale.high)
    values = np.maximum(data.values, scale.low) if log else data.values
    drawn = axes.imshow(
        np.ma.masked_invalid(values), origin="lower", aspect="auto", cmap=_map(data.signed), norm=norm,
        interpolation="nearest",
    )  # fmt: skip
    refused = np.zeros(values.shape, bool) if data.refused is None else data.refused
    missing = ~np.isfinite(values)
    for where, sign in ((missing & ~refused, "·"), (missing & refused, "×")):
        for row, column in zip(*np.nonzero(where), strict=True):
            axes.text(column, row, sign, ha="center", va="center", color=GREY, fontsize=6)
    if digits:
        _digits(axes, values, drawn)
    if data.contours and min(values.shape) > 1:
        levels = scale.ticks(6)
        axes.contour(values, levels=levels, colors="white", linewidths=0.6)
    for path in data.paths:
        axes.plot(path.columns, path.rows, color="black", linewidth=0.9, marker=".", markersize=3)
        axes.plot(path.columns[:1], path.rows[:1], color="black", marker="o", markersize=5, markerfacecolor="white")
        axes.plot(path.columns[-1:], path.rows[-1:], color="black", marker="x", markersize=6)
        for row, column, name in zip(path.rows, path.columns, path.names, strict=True):
            axes.annotate(name, (column, row), xytext=(3, 3), textcoords="offset points", fontsize=6)
    names(axes, data.row_names, data.column_names)
    axes.set_ylabel(data.row_title)
    axes.set_xlabel(data.column_title)
    figure.colorbar(drawn, ax=axes, label=data.name, pad=0.02)


def relief(figure: Figure, axes: Axes, what: Relief) -> None:
    """Draw a surface in three dimensions in the place of plain axes, with the paths on it."""
    place = axes.get_subplotspec()
    axes.remove()
    solid: Any = figure.add_subplot(place, projection="3d")
    across, upwards = np.meshgrid(what.x, what.y)
    solid.plot_surface(across, upwards, what.heat.values, cmap=_map(what.heat.signed), linewidth=0, alpha=0.9)
    for path in what.heat.paths:
        x, y = (np.interp(at, range(len(all_)), all_) for at, all_ in ((path.columns, what.x), (path.rows, what.y)))
        heights = [_height(what.heat.values, row, column) for row, column in zip(path.rows, path.columns, strict=True)]
        solid.plot(x, y, heights, color="black", linewidth=1, marker=".", zorder=10)
    solid.set_xlabel(what.heat.column_title)
    solid.set_ylabel(what.heat.row_title)
    solid.set_zlabel(what.heat.name)


def _height(values: np.ndarray, row: float, column: float) -> float:
    """Return the value between four points; NaN outside."""
    rows, columns = values.shape
    if not (0 <= row <= rows - 1 and 0 <= column <= columns - 1):
        return float("nan")
    low, left = min(int(row), rows - 2), min(int(column), columns - 2)
    up, along = row - low, column - left
    block = values[low : low + 2, left : left + 2]
    return float(np.array([1 - up, up]) @ block @ np.array([1 - along, along]))


def matrix(figure: Figure, axes: list[Axes], what: Matrix, digits: bool) -> None:
    """Draw panels side by side, row 0 on top, each on its own axes, and a side column on a further one."""
    panels = [*what.panels, *([what.side] if what.side is not None else [])]
    for i, (panel, place) in enumerate(zip(panels, axes, strict=True)):
        side = panel is what.side
        drawn = place.imshow(
            np.ma.masked_invalid(np.maximum(panel.values, panel.low)), aspect="auto" if what.side else "equal",
            cmap=_map(panel.signed), norm=_norm(panel), interpolation="nearest",
        )  # fmt: skip
        for where, sign in ((panel.refused, "×"), (panel.marked, "!")):
            for row, column in zip(*np.nonzero(where), strict=True) if where is not None else ():
                place.text(column, row, sign, ha="center", va="center", color=GREY, fontsize=6)
        if digits and not side and sum(p.values.shape[1] for p in what.panels) <= _DIGITS:
            _digits(place, panel.values, drawn)
        place.set_title(panel.title, fontsize=8)
        names(place, what.row_names if i == 0 else (), () if side else what.column_names, upright=True)
        if not side:
            place.set_xlabel(what.column_title)
        bar = figure.colorbar(drawn, ax=place, location="bottom", pad=0.02, shrink=0.9, aspect=6 if side else 30)
        if side:
            bar.set_ticks([panel.low, panel.high], labels=[number(panel.low), number(panel.high)], fontsize=6)
    axes[0].set_ylabel(what.row_title)


def plane(axes: Axes, what: Plane) -> None:
    """Draw paths on axes of equal scale, with a ring at the start and a cross at the end of each."""
    for path in what.paths:
        tint = colour(path.rank)
        axes.plot(path.x, path.y, color=tint, linewidth=1, marker=".", markersize=3)
        good = np.flatnonzero(np.isfinite(path.x) & np.isfinite(path.y))
        if not len(good):
            continue
        first, last = good[0], good[-1]
        axes.plot(path.x[first], path.y[first], color=tint, marker="o", markersize=5, markerfacecolor="white")
        axes.plot(path.x[last], path.y[last], color=tint, marker="x", markersize=5)
        axes.annotate(
            path.label, (path.x[last], path.y[last]), xytext=(4, 2), textcoords="offset points", color=tint, fontsize=7
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel(what.x_name)
    axes.set_ylabel(what.y_name)


def scatter(axes: Axes, what: Scatter) -> None:
    """Draw points on two scales: as their signs or, where they have none, as dots with a colour bar."""
    dots = 0 if what.signs else 6
    drawn = axes.scatter(what.x, what.y, c=what.share, cmap="viridis", vmin=0, vmax=1, s=dots, linewidths=0)
    for sign, x, y, share in zip(what.signs, what.x, what.y, what.share, strict=False):
        axes.text(x, y, sign, ha="center", va="center", fontsize=7, color=colour(float(share)))
    axes.set_xlim(*what.x_range)
    axes.set_ylim(*what.y_range)
    for name, x, y in what.regions:
        edge = "right" if x == what.x_range[1] else "left"
        axes.text(x, y, name, ha=edge, va="center", fontsize=7, color="#808080")
    axes.set_xlabel(what.x_name)
    axes.set_ylabel(what.y_name)
    if not what.signs:
        axes.figure.colorbar(drawn, ax=axes, location="right", pad=0.02, shrink=0.8, aspect=30)


def names(axes: Axes, rows: tuple[str, ...], columns: tuple[str, ...], upright: bool = False) -> None:
    """Write names along both axes, leaving out some if there are too many to read."""
    for named, axis in ((rows, axes.yaxis), (columns, axes.xaxis)):
        every = max(1, -(-len(named) // _LABELS))
        places = range(0, len(named), every)
        size = 7 if len(places) <= 20 else 5.5
        rotation = 90 if axis is axes.xaxis and (upright or sum(map(len, named)) > 70) else 0
        axis.set_ticks(list(places), [named[i] for i in places], fontsize=size, rotation=rotation)


def _map(signed: bool) -> str:
    return "RdBu_r" if signed else "viridis"


def _norm(panel: Panel) -> Any:
    from matplotlib.colors import FuncNorm, LogNorm, Normalize

    if panel.log:
        return LogNorm(panel.low, panel.high)
    if not panel.root:
        return Normalize(panel.low, panel.high)

    def there(values: Any) -> Any:
        return np.sign(values) * np.sqrt(np.abs(values))

    def back(values: Any) -> Any:
        return np.sign(values) * np.square(values)

    return FuncNorm((there, back), panel.low, panel.high)


def _digits(axes: Axes, values: np.ndarray, drawn: Any) -> None:
    if max(values.shape) > _DIGITS:
        return
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            red, green, blue, _ = drawn.cmap(drawn.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            text = number(float(value), 2)
            axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=5.5)


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def _at_their_ends(axes: Axes, chart: Chart, focus: int, tall: float) -> None:
    """Write labels to the right of the plot, in the order of the lines' ends, far enough apart to be read."""
    ended = [(one, i) for i, one in enumerate(chart.series) if np.isfinite(one.last)]
    if not ended:
        return
    to_axes = axes.transAxes.inverted()
    places = [float(to_axes.transform(axes.transData.transform((0, one.last)))[1]) for one, _ in ended]
    gap = min(1 / len(ended), 8 / (72 * tall))
    order = sorted(range(len(ended)), key=lambda k: places[k])
    set_at: dict[int, float] = {}
    low = -gap
    for k in order:
        low = set_at[k] = max(places[k], low + gap)
    high = 1 + gap
    for k in reversed(order):  # labels pushed over the top move down again, as little as possible
        high = set_at[k] = min(set_at[k], high - gap)
    size = 7 if len(ended) <= 16 else 5.5
    for k, (one, i) in enumerate(ended):
        tint = colour(one.rank) if focus in (-1, i) else GREY
        axes.annotate(
            _ending(one, chart.values), (1, set_at[k]), xycoords="axes fraction", xytext=(4, 0),
            textcoords="offset points", va="center", color=tint, fontsize=size, annotation_clip=False,
        )  # fmt: skip


def _ending(one: Series, values: bool) -> str:
    return f"{one.label}  {number(one.last)}" if values else one.label


def _line_part(figure: Figure, axes: list[Axes], what: Part, focus: int) -> float:
    lines(axes[0], what.chart.chart, what.log, focus, tall=2.8)
    return 3.4


def _heat_part(figure: Figure, axes: list[Axes], what: Part, focus: int) -> float:
    heat(figure, axes[0], what.chart, what.log, what.digits)
    return min(5.0, max(2.0, 0.8 + 0.17 * len(what.chart.heat.row_names)))


def _relief_part(figure: Figure, axes: list[Axes], what: Part, focus: int) -> float:
    relief(figure, axes[0], what.chart)
    return 3.0


def _plane_part(figure: Figure, axes: list[Axes], what: Part, focus: int) -> float:
    plane(axes[0], what.chart)
    return 4.5


def _scatter_part(figure: Figure, axes: list[Axes], what: Part, focus: int) -> float:
    scatter(axes[0], what.chart)
    axes[0].set_title(what.name, fontsize=8)
    return 4.0


def _matrix_part(figure: Figure, axes: list[Axes], what: Part, focus: int) -> float:
    matrix(figure, axes, what.chart, what.digits)
    return min(6.0, 5.6 / len(what.chart.panels) + 1.2)


_PAINTERS: Mapping[type, Callable[[Figure, list[Axes], Part, int], float]] = {
    LineChart: _line_part,
    HeatChart: _heat_part,
    Relief: _relief_part,
    Plane: _plane_part,
    Scatter: _scatter_part,
    Matrix: _matrix_part,
}
