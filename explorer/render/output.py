"""Print lines as plain text, with terminal colours, or as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.style import Style

from explorer.render.cells import Line, width_of
from explorer.render.palette import Depth

_SYSTEMS = {
    Depth.TRUECOLOR: ColorSystem.TRUECOLOR,
    Depth.EIGHT_BIT: ColorSystem.EIGHT_BIT,
    Depth.STANDARD: ColorSystem.STANDARD,
    Depth.NONE: None,
}
_CELL_WIDTH, _CELL_HEIGHT, _BASELINE, _MARGIN = 8.4, 18, 13.5, 12
_BLOCKS = {"▀": (0.0, 0.5), "▄": (0.5, 0.5), "█": (0.0, 1.0)}


def to_text(lines: Sequence[Line]) -> str:
    """Return plain text without blanks at the ends of lines and without escape sequences."""
    return "".join("".join(s.text for s in line).rstrip() + "\n" for line in lines)


def to_ansi(lines: Sequence[Line], depth: Depth) -> str:
    """Return text with the colour codes of a depth; ``none`` gives plain text."""
    system = _SYSTEMS[depth]
    if system is None:
        return to_text(lines)
    return "".join(
        "".join(s.style.render(s.text, color_system=system) if s.style else s.text for s in line) + "\n"
        for line in lines
    )


def to_svg(lines: Sequence[Line], dark: bool = True, title: str = "", captions: Sequence[str] = ()) -> str:
    """Return a standalone SVG picture: text in a monospaced font, blocks as rectangles, with title and captions."""
    fore, back = ("#e4e4e4", "#161616") if dark else ("#262626", "#ffffff")
    heading = [escape(title)] if title else []
    columns = max([width_of(line) for line in lines] + [len(t) for t in (title, *captions)], default=1)
    width = columns * _CELL_WIDTH + 2 * _MARGIN
    height = (len(lines) + len(heading) + len(captions)) * _CELL_HEIGHT + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}">',
        f"<title>{escape(title)}</title>" if title else "",
        f'<rect width="100%" height="100%" fill="{back}"/>',
        f'<g font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="{fore}" '
        f'transform="translate({_MARGIN} {_MARGIN})" xml:space="preserve">',
    ]
    parts += [f'<text y="{_BASELINE}" font-weight="bold">{text}</text>' for text in heading]
    for i, line in enumerate(lines):
        parts += _svg_line(line, (i + len(heading)) * _CELL_HEIGHT, fore)
    for i, text in enumerate(captions):
        y = (len(lines) + len(heading) + i) * _CELL_HEIGHT + _BASELINE
        parts.append(f'<text y="{y:g}" opacity="0.75">{escape(text)}</text>')
    return "\n".join(p for p in (*parts, "</g>", "</svg>") if p) + "\n"


def _svg_line(line: Line, top: float, fore: str) -> list[str]:
    parts, column = [], 0
    for segment in line:
        style, size = segment.style or Style(), segment.cell_length
        left, wide = column * _CELL_WIDTH, size * _CELL_WIDTH
        colour = _hex(style.color) or fore
        if style.bgcolor is not None and not style.bgcolor.is_default:
            parts.append(_rect(left, top, wide, _CELL_HEIGHT, _hex(style.bgcolor) or fore))
        if segment.text and segment.text[0] in _BLOCKS and len(set(segment.text)) == 1:
            start, share = _BLOCKS[segment.text[0]]
            parts.append(_rect(left, top + start * _CELL_HEIGHT, wide, share * _CELL_HEIGHT, colour))
        elif segment.text.strip():
            looks = (' font-weight="bold"' if style.bold else "") + (' opacity="0.6"' if style.dim else "")
            # One element per word: a viewer's font may have other widths, whose differences would add up over blanks.
            for at, word in _words(segment.text):
                parts.append(
                    f'<text x="{left + at * _CELL_WIDTH:g}" y="{top + _BASELINE:g}" '
                    f'textLength="{cell_len(word) * _CELL_WIDTH:g}" lengthAdjust="spacingAndGlyphs" '
                    f'fill="{colour}"{looks}>{escape(word)}</text>'
                )
        column += size
    return parts


def _words(text: str) -> list[tuple[int, str]]:
    found, at = [], 0
    for word in text.split(" "):
        if word:
            found.append((at, word))
        at += cell_len(word) + 1
    return found


def _rect(left: float, top: float, wide: float, tall: float, colour: str) -> str:
    return f'<rect x="{left:g}" y="{top:g}" width="{wide:g}" height="{tall:g}" fill="{colour}"/>'


def _hex(colour: Color | None) -> str:
    if colour is None or colour.is_default:
        return ""
    red, green, blue = colour.get_truecolor()
    return f"#{red:02x}{green:02x}{blue:02x}"
