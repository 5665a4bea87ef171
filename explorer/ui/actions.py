"""The list of all actions: those that every mode has, and those that single modes declare."""

from __future__ import annotations

from dataclasses import replace

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
    """Return the action that goes to the next task, seed and so on (to the previous one if ``by`` is -1)."""
    name = "next" if by > 0 else "previous"
    call = f"screen.part('choosing', '{part}', ('{what}', {by}))"
    return Action(f"{what}.{name}", (key,), call, f"{name.title()} {what}", help, group, footer, by < 0, "place")


def _choice(what: str, key: str, next_key: str, help: str, footer: str = "") -> tuple[Action, ...]:
    """Return the action that lists measures, tasks and so on, and the one that goes to the next without a list."""
    call = f"screen.part('picking', 'open', ('{what}',))"
    pick = Action(f"{what}.pick", (key,), call, f"Choose the {what}", help, "What", footer, leads=True)
    return pick, replace(_next(what, next_key, help), back=True)


def _cursor(name: str, keys: tuple[str, ...], call: str, title: str, help: str) -> Action:
    return Action(f"cursor.{name}", keys, f"screen.part('pictures', {call})", title, help, "Cursor", waits="picture")


def _own(group: str) -> tuple[Action, ...]:
    """Return the actions of a group that single modes declare."""
    return tuple(action for mode in MODES.values() for action in mode.actions if action.group == group)


_FILM = "another step of the run; plays like a film in views of one checkpoint"
_LOOK = "in views of a single layer: Clusters, Example"
_HEAD = "in Example; after the last head the mean over all heads"

ACTIONS: tuple[Action, ...] = (
    *_MODES,
    Action(
        "vary",
        ("v",),
        "screen.part('choosing', 'vary', (1,))",
        "Other picture",
        "the next picture of the same mode; in " + ", ".join(m.title for m in MODES.values() if len(m.variants) > 1),
        "Views",
    ),
    Action(
        "vary.back",
        ("V",),
        "screen.part('choosing', 'vary', (-1,))",
        "Previous picture",
        "the previous picture of the same mode",
        "Views",
        back=True,
    ),
    Action(
        "beside",
        ("B", "vertical_line"),
        "screen.part('pair', 'cycle', (1,))",
        "Next second view",
        f"show another view beside the picture, at the same step and layer, or none; needs {beside.FROM} columns",
        "Views",
    ),
    Action(
        *("beside.back", ("backslash",), "screen.part('pair', 'cycle', (-1,))", "Previous second view"),
        *("the previous view beside the picture", "Views"),
        back=True,
    ),
    Action("swap", ("W",), "screen.part('pair', 'swap')", "Swap views", "the second view becomes the picture", "Views"),
    *_own("Views"),
    *_choice("measure", "m", "M", "show another measure", "measure"),
    *_choice("task", "t", "T", "show another task, or all of them", "task"),
    *_choice("seed", "s", "D", "one seed, or all of them", "seed"),
    *_choice("corpus", "p", "P", "measured on other sentences"),
    *_choice("reference", "r", "R", "compare with another checkpoint: pretrained, first, previous, final, other seeds"),
    Action(
        "panel.focus",
        ("tab",),
        "screen.part('surroundings', 'enter')",
        "Selection panel",
        "go to the panel and back; up and down move by rows, left and right by sections, space changes a choice",
        "What",
        "select",
    ),
    Action(
        "panel.fold",
        ("b",),
        "screen.part('surroundings', 'switch')",
        "Hide the panel",
        "hide or show the selection panel",
        "What",
    ),
    Action(
        "filter",
        ("slash",),
        "screen.filter",
        "Filter",
        "a word finds rows of the panel (in Example: sentences); enter applies conditions: task:sst* seed!=3 "
        "step>=100 layer:8-12 head:2 corpus:dev against:first, in Table statistic:hull*, another axis of the measure "
        "(module:query), a parameter of the measure (variance:0.9)",
        "What",
        "filter",
    ),
    Action("undo", ("u",), "screen.part('keeping', 'undo')", "Undo", "the previous selection; cursors stay", "What"),
    Action("redo", ("U", "ctrl+r"), "screen.part('keeping', 'redo')", "Redo", "the selection that was undone", "What"),
    Action(
        "keep",
        ("S",),
        "screen.part('keeping', 'ask')",
        "Keep the selection",
        "under a name, with a remark for the report",
        "What",
    ),
    Action(
        *("presets", ("L",), "screen.part('keeping', 'presets')", "Kept selections"),
        *("show or delete a kept selection", "What"),
    ),
    *_own("What"),
    _cursor("left", ("left", "h"), "'move', (-1, 0)", "Cursor left", "the previous step (or layer)"),
    _cursor("right", ("right", "l"), "'move', (1, 0)", "Cursor right", "the next step (or layer)"),
    _cursor("up", ("up", "k"), "'move', (0, 1)", "Cursor up", "the layer (or line, or row) above"),
    _cursor("down", ("down", "j"), "'move', (0, -1)", "Cursor down", "the layer (or line, or row) below"),
    _cursor("page.up", ("pageup",), "'page', (1,)", "Page up", "one page of the table up"),
    _cursor("page.down", ("pagedown",), "'page', (-1,)", "Page down", "one page of the table down"),
    _next("step", "right_square_bracket", _FILM, "Cursor"),
    _next("step", "left_square_bracket", _FILM, "Cursor", -1),
    _next("layer", "full_stop", _LOOK, "Cursor", part="look"),
    _next("layer", "comma", _LOOK, "Cursor", -1, part="look"),
    _next("head", "greater_than_sign", _HEAD, "Cursor", part="look"),
    _next("head", "less_than_sign", _HEAD, "Cursor", -1, part="look"),
    Action(
        *("deeper", ("enter",), "screen.part('walking', 'deeper')", "Deeper"),
        "what is inside the place pointed at: heads, sentences, the picture of a row or finding (or what it lacks is "
        "computed); in SQL a worked query",
        "Cursor",
        "deeper",
        waits="picture",
    ),
    Action(
        *("back", ("escape",), "screen.part('walking', 'back')", "Back", "the picture before, as it was", "Cursor"),
        back=True,
    ),
    Action(
        *("largest", ("exclamation_mark",), "screen.part('walking', 'largest')", "Largest"),
        *("point at the largest value of the picture; again, at the next one", "Cursor"),
        waits="picture",
    ),
    Action(
        *("mark", ("space",), "screen.part('marking', 'switch')", "Mark"),
        *("mark a value: readings say how far others are from it", "Cursor"),
        waits="picture",
    ),
    _cursor("first", ("home", "circumflex_accent"), "'edge', (-1,)", "First step", "to the left end"),
    _cursor("last", ("end", "dollar_sign"), "'edge', (1,)", "Last step", "to the right end"),
    *_own("Cursor"),
    Action(
        "jump",
        ("f",),
        "screen.part('jumps', 'start')",
        "Jump",
        "show letters on all places (lines, steps, rows, the panel); type those of a place to go there, in a "
        "map those of a row and of a column; escape cancels",
        "Cursor",
        waits="picture",
        leads=True,
    ),
    Action(
        "zoom", ("z",), "screen.part('surroundings', 'zoom')", "Zoom", "only the picture, or everything again", "Look"
    ),
    Action(
        *("scale", ("y",), "screen.scale", "Value axis"),
        *("linear, log, % of final, seeds", "Look"),
    ),
    Action(
        "digits", ("d",), "screen.option('digits')", "Digits", "write values into the cells of this mode's maps", "Look"
    ),
    Action("ascii", ("a",), "screen.option('ascii')", "Plain characters", "only characters of every font", "Look"),
    Action(
        "sort",
        ("o",),
        "screen.sort",
        "Sort",
        "tables by a column, sentences by how much they changed",
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
        "compute the missing values of the views shown",
        "Work",
    ),
    Action(
        "worth",
        ("equals_sign",),
        "screen.part('worth', 'open')",
        "What is it worth?",
        "interval, chance level, and what two seeds differ by, of the picture or of the step pointed at",
        "Work",
        "worth",
        waits="picture",
        leads=True,
    ),
    Action(
        "annotate",
        ("A",),
        "screen.part('computing', 'annotate')",
        "Annotate",
        "add labels from a file to the corpus shown",
        "Work",
    ),
    Action(
        "cancel",
        ("x",),
        "screen.cancel",
        "Cancel",
        "stop the job (in Jobs: the one under the cursor); finished values are kept",
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
        *("copy this view as text, in a table the row; works over ssh", "Work"),
        waits="picture",
    ),
    Action("palette", ("ctrl+p", "colon"), "app.command_palette", "Commands", "find any command by its name", "App"),
    Action(
        "redraw",
        ("ctrl+l",),
        "app.redraw",
        "Redraw",
        "paint the screen again, after another program has written on it",
        "App",
        storeless=True,
    ),
    Action(
        *("suspend", ("ctrl+z",), "app.suspend_process", "Suspend"),
        *("return to the shell until you type 'fg' there; jobs and queries continue", "App"),
    ),
    Action("help", ("question_mark", "f1"), "screen.help", "Help", "this page", "App", "help", storeless=True),
    Action("quit", ("q", "ctrl+q", "ctrl+c"), "app.quit", "Quit", "leave", "App", "quit", storeless=True),
    *_own("App"),
)
