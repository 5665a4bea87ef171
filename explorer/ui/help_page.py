"""The help page: the views on the screen, the measure, then the keys, with the keys of the mode first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from explorer.render.signs import plain
from explorer.ui.action import Action

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

    from explorer.measures.base import Measure
    from explorer.render.palette import Palette
    from explorer.ui.modes import Mode, Variant

COLUMN = 50
"""Smallest width of a column of keys, in cells."""
READABLE = 110
"""Largest width of a line of prose, in cells. From twice this width on, picture and measure stand side by side."""
MOUSE = (
    ("click", "the cursor goes to the nearest place"),
    ("wheel", "through the steps, in tables the rows"),
)
"""What the mouse does in a picture."""
_GAP = 3
_KEYS = 9
_SHORT = 200
"""Length of the part of a definition that is shown before the keys, in characters."""


class Shown(NamedTuple):
    """Subject of the page."""

    mode: Mode
    variant: Variant
    measure: Measure | None
    views: Sequence[Sequence[str]]
    """Title, subtitle and notes of each view on the screen."""
    actions: Sequence[Action]


class Page:
    """The help page, which can be printed at any width."""

    def __init__(self, palette: Palette, shown: Shown, plainly: bool = False, typed: str = "") -> None:
        """
        Args:
            plainly: use only characters that every font has.
            typed: words to find; the page then shows only the keys that match all of them.
        """
        self._palette, self._shown, self._plainly, self._typed = palette, shown, plainly, typed

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        width = options.max_width
        roomy = width >= 2 * READABLE
        half = (width - _GAP) // 2 if roomy else min(width, READABLE)
        set_ = _Setter(console, self._palette, self._plainly)
        many = max(1, (width + _GAP) // (COLUMN + _GAP))
        wide = (width + _GAP) // many - _GAP
        if self._typed:
            keys = list(self._keys(set_, wide))
            nothing = set_.lines("No key matches; backspace takes a letter away.", width, self._palette.text)
            yield from abreast(columns(keys, many), wide) if keys else nothing
            return
        picture, meaning = list(self._picture(set_, half)), list(self._meaning(set_, half))
        if roomy and meaning:
            yield from abreast([picture, meaning], half)
        else:
            yield from (*picture, *([Text(), *meaning] if meaning else []))
        yield Text()
        yield from abreast(columns(self._keys(set_, wide), many), wide)
        if self._shown.measure is not None:
            yield Text()
            yield from self._definition(set_, self._shown.measure, min(width, READABLE))

    def _picture(self, set_: _Setter, width: int) -> Iterator[Text]:
        """Describe the views on the screen, and list the other pictures of the mode."""
        mode, views = self._shown.mode, self._shown.views
        for view in views or [(mode.title, mode.help)]:
            title, *said = filter(None, view)
            yield from set_.lines(title, width, self._palette.strong)
            for i, text in enumerate(said):
                yield from set_.lines(f"- {text}" if i else text, width - 2, self._palette.text, 2)
        ways = [f"{v.title} (here)" if v == self._shown.variant else v.title for v in mode.variants]
        if len(ways) > 1:
            yield from set_.lines(f"{mode.title} shows: {'; '.join(ways)}", width - 2, self._palette.axis, 2)

    def _meaning(self, set_: _Setter, width: int) -> Iterator[Text]:
        measure = self._shown.measure
        if measure is None:
            return
        yield from set_.lines(f"What {measure.name} is: {measure.title}", width, self._palette.strong)
        if measure.why:
            yield from set_.lines(f"Why look at it: {measure.why}", width - 2, self._palette.text, 2)
        yield from set_.lines(measure.direction, width - 2, self._palette.text, 2)
        short = brief(measure.definition)
        more = " (in full at the end)" if short != measure.definition else ""
        yield from set_.lines(short + more, width - 2, self._palette.text, 2)

    def _keys(self, set_: _Setter, width: int) -> Iterator[list[Text]]:
        """List the mode's own keys, then all other keys by group; of those, the ones that match what is typed."""
        mode = self._shown.mode
        pairs = together(self._shown.actions)
        of_mode = (pair for name in mode.keys for pair in pairs if name in (pair[0].id, pair[-1].id))
        own = list({pair[0].id: pair for pair in of_mode}.values())
        groups = {f"Keys of {mode.title}": own} if own else {}
        for pair in pairs:
            if pair not in own:
                groups.setdefault(pair[0].group, []).append(pair)
        for group, every in groups.items():
            there = [pair for pair in every if matches(pair, group, self._typed)]
            if not there:
                continue
            block = [Text(group, self._palette.strong)]
            for pair in there:
                keys = " ".join(a.plain_keys if self._plainly else a.shown_keys for a in pair)
                words = f"{' / '.join(a.title for a in pair)}: {pair[0].help}"
                block += self._entry(set_, keys, words, width)
            yield block
        mouse = [(does, words) for does, words in MOUSE if has_all(f"mouse {does} {words}", self._typed)]
        if mouse:
            lines = (line for does, words in mouse for line in self._entry(set_, does, words, width))
            yield [Text("Mouse", self._palette.strong), *lines]

    def _entry(self, set_: _Setter, keys: str, words: str, width: int) -> list[Text]:
        """Return the lines of keys and what they do."""
        said = set_.lines(words, max(8, width - _KEYS - 2), self._palette.text)
        lines = [Text.assemble("  ", Text(keys.ljust(_KEYS), self._palette.strong), said[0])]
        if len(keys) >= _KEYS:
            lines = [Text.assemble("  ", Text(keys, self._palette.strong)), Text(" " * (_KEYS + 2)) + said[0]]
        return [*lines, *(Text(" " * (_KEYS + 2)) + line for line in said[1:])]

    def _definition(self, set_: _Setter, measure: Measure, width: int) -> Iterator[Text]:
        """Describe the measure with the texts of the registry."""
        yield from set_.lines(f"More about {measure.name}: {measure.title}", width, self._palette.strong)
        facts = {
            "is": measure.definition if brief(measure.definition) != measure.definition else "",
            "unit": f"{measure.unit or 'none'}, {measure.low:g} to {measure.high:g}; n counts {measure.counts}",
            "noise": _noise(measure),
            "chance": measure.null,
            "from": measure.source,
            "cost": measure.cost,
        }
        for name, fact in facts.items():
            for i, line in enumerate(set_.lines(fact, width - 10, self._palette.text) if fact else ()):
                yield Text(f"  {'' if i else name:8}", self._palette.axis) + line


class _Setter:
    """Sets text in lines."""

    def __init__(self, console: Console, palette: Palette, plainly: bool) -> None:
        self._console, self._palette, self._plainly = console, palette, plainly

    def lines(self, words: str, width: int, style: object, indent: int = 0) -> list[Text]:
        """Return a text wrapped into lines of at most ``width`` cells, plus an indent."""
        text = Text(plain(words) if self._plainly else words, style)  # type: ignore[arg-type]
        return [Text(" " * indent) + line for line in text.wrap(self._console, max(1, width))]


def brief(definition: str) -> str:
    """Return the first sentences of a definition that are quickly read; at least one sentence."""
    sentences = definition.replace(". ", ".\n").split("\n")
    said = sentences[0]
    for sentence in sentences[1:]:
        if len(said) + 1 + len(sentence) > _SHORT:
            break
        said += f" {sentence}"
    return said


def together(actions: Sequence[Action]) -> list[list[Action]]:
    """Return the actions in their order, each in one list with its opposite."""
    found: list[list[Action]] = []
    for action in actions:
        if found and action.back:
            found[-1].append(action)
        else:
            found.append([action])
    return found


def matches(pair: Sequence[Action], group: str, typed: str) -> bool:
    """Return whether each typed word is in the keys, titles or help of some actions, or in the name of their group."""
    return has_all(" ".join(f"{a.shown_keys} {a.plain_keys} {a.title} {a.help}" for a in pair) + f" {group}", typed)


def has_all(said: str, typed: str) -> bool:
    """Return whether a text has each typed word."""
    return all(word in said.lower() for word in typed.lower().split())


def columns(blocks: Iterable[list[Text]], many: int) -> list[list[Text]]:
    """Arrange blocks in ``many`` columns, each block at the end of the shortest column, so that the first blocks are
    visible without scrolling."""
    found: list[list[Text]] = [[] for _ in range(many)]
    for block in blocks:
        column = min(found, key=len)
        column += [Text(), *block] if column else block
    return found


def abreast(sides: Sequence[Sequence[Text]], width: int) -> Iterator[Text]:
    """Yield lines that show columns of ``width`` cells side by side."""
    for row in range(max(map(len, sides), default=0)):
        line = Text()
        for at, side in enumerate(sides):
            if row < len(side):
                line.pad_right(max(0, at * (width + _GAP) - line.cell_len))
                line += side[row]
        yield line


def _noise(measure: Measure) -> str:
    if not measure.floor:
        return ""
    where = f"within {measure.floor:g} of {measure.same:g}" if measure.same else f"below {measure.floor:g}"
    return f"values {where} are rounding errors of the stored numbers"
