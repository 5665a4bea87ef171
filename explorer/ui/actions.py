"""The list of all actions: those that every mode has, and those that single modes declare."""

from __future__ import annotations

from explorer.ui import beside
from explorer.ui.action import Action
from explorer.ui.modes import MODES

_MODES = tuple(
    Action(f"mode.{m.name}", (m.key,), f"screen.mode('{m.name}')", m.title, m.help, "Views", m.title)
    for m in MODES.values()
)


def _next(
    what: str, key: str, help: str, group: str = "What", by: int = 1, footer: str = "", part: str = "next"
) -> Action:
    """Return the action that goes to the next (or with ``by`` -1 to the previous) of something."""
    name = "next" if by > 0 else "previous"
    call = f"screen.part('choosing', '{part}', ('{what}', {by}))"
    return Action(f"{what}.{name}", (key,), call, f"{name.title()} {what}", help, group, footer, by < 0, "place")


def _cursor(name: str, keys: tuple[str, ...], call: str, title: str, help: str) -> Action:
    return Action(f"cursor.{name}", keys, f"screen.part('pictures', {call})", title, help, "Cursor", waits="picture")


def _own(group: str) -> tuple[Action, ...]:
    """Return the actions of a group that single modes declare."""
    return tuple(action for mode in MODES.values() for action in mode.actions if action.group == group)


_FILM = "of the run, in views of one checkpoint too: a film"
_LOOK = "in views of one layer: Clusters, Example"
_HEAD = "in Example; after the last the mean over heads"

ACTIONS: tuple[Action, ...] = (
    *_MODES,
    Action(
        "vary",
        ("v",),
        "screen.part('choosing', 'vary', (1,))",
        "Other picture",
        "the next picture of the same mode, in " + ", ".join(m.title for m in MODES.values() if len(m.variants) > 1),
        "Views",
    ),
    Action(
        "vary.back",
        ("V",),
        "screen.part('choosing', 'vary', (-1,))",
        "Previous picture",
        "the other way",
        "Views",
        back=True,
    ),
    Action(
        "beside",
        ("B", "vertical_line"),
        "screen.part('pair', 'cycle', (1,))",
        "Another view beside",
        f"from {beside.FROM} columns on a second view stands beside the picture and follows its step and layer; "
        "after the last one nothing",
        "Views",
    ),
    Action(
        *("beside.back", ("backslash",), "screen.part('pair', 'cycle', (-1,))", "Previous view beside"),
        *("the other way", "Views"),
        back=True,
    ),
    Action("swap", ("W",), "screen.part('pair', 'swap')", "Swap sides", "the view beside becomes the picture", "Views"),
    *_own("Views"),
    _next("measure", "m", "show another", footer="measure"),
    _next("measure", "M", "the other way", by=-1),
    _next("task", "t", "one task after the other, then all", footer="task"),
    _next("seed", "s", "all, then one after the other", footer="seed"),
    _next("corpus", "p", "other sentences"),
    _next("reference", "r", "checkpoints are compared with: pretrained, first, previous, final, other seeds"),
    Action(
        "panel.focus",
        ("tab",),
        "screen.part('surroundings', 'enter')",
        "Selection panel",
        "go to the selection and back; there: up and down, left and right a section, space changes, escape leaves",
        "What",
        "select",
    ),
    Action(
        "panel.fold",
        ("b",),
        "screen.part('surroundings', 'switch')",
        "Fold the panel",
        "hide or show the selection panel",
        "What",
    ),
    Action(
        "filter",
        ("slash",),
        "screen.filter",
        "Filter",
        "a word finds rows of the panel (in Example: sentences); with enter task:sst* seed!=3 step>=100 layer:8-12 "
        "head:2 corpus:dev against:first, in Table statistic:hull*; any other axis of the measure: module:query; a "
        "parameter of the measure: variance:0.9",
        "What",
        "filter",
    ),
    Action("undo", ("u",), "screen.part('keeping', 'undo')", "Undo", "the selection before; cursors stay", "What"),
    Action("redo", ("U", "ctrl+r"), "screen.part('keeping', 'redo')", "Redo", "the selection that was undone", "What"),
    Action(
        "keep", ("S",), "screen.part('keeping', 'ask')", "Keep the selection", "under a name, for this store", "What"
    ),
    Action(
        *("presets", ("L",), "screen.part('keeping', 'presets')", "Kept selections"),
        *("show one that was kept, or forget it", "What"),
    ),
    *_own("What"),
    _cursor("left", ("left", "h"), "'move', (-1, 0)", "Cursor left", "the previous step (or layer)"),
    _cursor("right", ("right", "l"), "'move', (1, 0)", "Cursor right", "the next"),
    _cursor("up", ("up", "k"), "'move', (0, 1)", "Cursor up", "the layer (or line, or row) above"),
    _cursor("down", ("down", "j"), "'move', (0, -1)", "Cursor down", "the one below"),
    _cursor("page.up", ("pageup",), "'page', (1,)", "Page up", "a screen of the table up"),
    _cursor("page.down", ("pagedown",), "'page', (-1,)", "Page down", "a screen of the table down"),
    _next("step", "right_square_bracket", _FILM, "Cursor"),
    _next("step", "left_square_bracket", _FILM, "Cursor", -1),
    _next("layer", "full_stop", _LOOK, "Cursor", part="look"),
    _next("layer", "comma", _LOOK, "Cursor", -1, part="look"),
    _next("head", "greater_than_sign", _HEAD, "Cursor", part="look"),
    _next("head", "less_than_sign", _HEAD, "Cursor", -1, part="look"),
    _cursor("first", ("home", "circumflex_accent"), "'edge', (-1,)", "First step", "to the left end"),
    _cursor("last", ("end", "dollar_sign"), "'edge', (1,)", "Last step", "to the right end"),
    *_own("Cursor"),
    Action(
        "jump",
        ("f",),
        "screen.part('jumps', 'start')",
        "Jump",
        "letters stand on all one can go to (lines, steps, rows, the panel): type them, in a map the row's and the "
        "column's; escape stays",
        "Cursor",
        waits="picture",
        leads=True,
    ),
    Action(
        "zoom", ("z",), "screen.part('surroundings', 'zoom')", "Zoom", "the picture alone, or everything again", "Look"
    ),
    Action("log", ("y",), "screen.option('log_y')", "Logarithmic axis", "of the values, on or off", "Look"),
    Action("digits", ("d",), "screen.option('digits')", "Digits", "write values into the heat map's cells", "Look"),
    Action("ascii", ("a",), "screen.option('ascii')", "Plain characters", "only what every font has", "Look"),
    Action(
        "sort",
        ("o",),
        "screen.sort",
        "Sort",
        "tables by columns, sentences by how far they moved",
        "Look",
        waits="picture",
    ),
    *_own("Look"),
    *_own("Work"),
    Action(
        "compute",
        ("c",),
        "screen.part('computing', 'compute')",
        "Compute",
        "compute what is missing of what is shown",
        "Work",
    ),
    Action(
        "annotate",
        ("A",),
        "screen.part('computing', 'annotate')",
        "Annotate",
        "add the labels in a file to the corpus shown",
        "Work",
    ),
    Action(
        "cancel",
        ("x",),
        "screen.cancel",
        "Cancel",
        "stop the job (in Jobs: the one pointed at); what is finished stays",
        "Work",
    ),
    Action(
        "export",
        ("e",),
        "screen.part('exporting', 'export')",
        "Export",
        "write this view: text, CSV, JSON, Parquet, SVG, and figures as PNG or PDF",
        "Work",
        "export",
        waits="picture",
        leads=True,
    ),
    Action(
        *("copy", ("Y",), "screen.part('exporting', 'copy')", "Copy"),
        *("this view as text, in a table the row; also over ssh", "Work"),
        waits="picture",
    ),
    Action("palette", ("ctrl+p", "colon"), "app.command_palette", "Commands", "find any command by its name", "App"),
    Action(
        "redraw",
        ("ctrl+l",),
        "app.redraw",
        "Redraw",
        "when something else has written on the screen",
        "App",
        storeless=True,
    ),
    Action(
        *("suspend", ("ctrl+z",), "app.suspend_process", "Suspend"),
        *("back to the shell, until 'fg' there; jobs and questions go on", "App"),
    ),
    Action("help", ("question_mark", "f1"), "screen.help", "Help", "this page", "App", "help", storeless=True),
    Action("quit", ("q", "ctrl+q", "ctrl+c"), "app.quit", "Quit", "leave", "App", "quit", storeless=True),
    *_own("App"),
)
