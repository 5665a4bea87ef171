"""Every action of the explorer, declared once: keys, footer, help and command palette are made from this list."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.ui import beside
from explorer.ui.modes import MODES


@dataclass(frozen=True)
class Action:
    """One thing that a key does."""

    id: str
    """Stable name of the binding: what a remapping refers to."""
    keys: tuple[str, ...]
    """As Textual names them."""
    call: str
    """Textual's action string."""
    title: str
    help: str
    group: str
    footer: str = ""
    """Short text in the footer line; empty: only in the help."""

    @property
    def shown_keys(self) -> str:
        """The keys as a person reads them."""
        return " ".join(_SHOWN.get(key, key.replace("ctrl+", "^")) for key in self.keys)

    @property
    def plain_keys(self) -> str:
        """The same in plain characters: arrows are words."""
        return " ".join(key if key in _ARROWS else _SHOWN.get(key, key.replace("ctrl+", "^")) for key in self.keys)


_ARROWS = ("left", "right", "up", "down")
_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "space": "space",
    "dollar_sign": "$",
    "circumflex_accent": "^",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "minus": "-",
    "backslash": "\\",
    "apostrophe": "'",
    "plus": "+",
    "equals_sign": "=",
    "underscore": "_",
    "semicolon": ";",
    "exclamation_mark": "!",
    "number_sign": "#",
    "asterisk": "*",
    "grave_accent": "`",
    "tilde": "~",
    "vertical_line": "|",
    "at": "@",
    "percent_sign": "%",
    "ampersand": "&",
    "quotation_mark": '"',
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}


_MODES = tuple(
    Action(f"mode.{m.name}", (m.key,), f"screen.mode('{m.name}')", m.title, m.help, "Views", m.title)
    for m in MODES.values()
)

_FILM = "of the run, in views of one checkpoint too: a film"
_LOOK = "in views of one layer: Clusters, Example"
_HEAD = "in Example; after the last the mean over heads"

ACTIONS: tuple[Action, ...] = (
    *_MODES,
    Action(
        "vary",
        ("v",),
        "screen.vary(1)",
        "Next way to look",
        "other lines, another map: " + ", ".join(m.title for m in MODES.values() if len(m.variants) > 1),
        "Views",
    ),
    Action("vary.back", ("V",), "screen.vary(-1)", "Way to look before", "and back", "Views"),
    Action(
        "beside",
        ("B", "vertical_line"),
        "screen.beside(1)",
        "Another view beside",
        f"from {beside.FROM} columns on a second view stands beside the picture and follows its step and layer; "
        "after the last one nothing",
        "Views",
    ),
    Action("beside.back", ("backslash",), "screen.beside(-1)", "View beside before", "and back", "Views"),
    Action("swap", ("W",), "screen.swap", "Swap sides", "the view beside becomes the picture", "Views"),
    Action("measure.next", ("m",), "screen.next('measure', 1)", "Next measure", "show another", "What", "measure"),
    Action("measure.previous", ("M",), "screen.next('measure', -1)", "Previous measure", "and back", "What"),
    Action(
        "task.next", ("t",), "screen.next('task', 1)", "Next task", "one task after the other, then all", "What", "task"
    ),
    Action("seed.next", ("s",), "screen.next('seed', 1)", "Next seed", "all, then one after the other", "What", "seed"),
    Action("corpus.next", ("p",), "screen.next('corpus', 1)", "Next corpus", "other sentences", "What"),
    Action(
        "reference.next",
        ("r",),
        "screen.next('reference', 1)",
        "Next reference",
        "what each checkpoint is compared with: pretrained, first, previous, final, other seeds",
        "What",
    ),
    Action(
        "panel.focus",
        ("tab",),
        "screen.panel",
        "Selection panel",
        "go to the selection and back; there: up and down, left and right a section, space changes, escape leaves",
        "What",
        "select",
    ),
    Action("panel.fold", ("b",), "screen.fold", "Fold the panel", "hide or show the selection panel", "What"),
    Action(
        "filter",
        ("slash",),
        "screen.filter",
        "Filter",
        "a word finds rows of the panel (in Example: sentences); with enter task:sst* seed!=3 step>=100 layer:8-12 "
        "head:2 corpus:dev against:first, in Table statistic:hull*, and a parameter of the measure: variance:0.9",
        "What",
        "filter",
    ),
    Action("undo", ("u",), "screen.undo", "Undo", "the selection before; cursors stay where they are", "What"),
    Action("redo", ("U", "ctrl+r"), "screen.redo", "Redo", "the selection that was undone", "What"),
    Action("keep", ("S",), "screen.keep", "Keep the selection", "under a name, for this store", "What"),
    Action("presets", ("L",), "screen.presets", "Kept selections", "show one that was kept, or forget it", "What"),
    Action("cursor.left", ("left", "h"), "screen.cursor(-1, 0)", "Cursor left", "the step (or layer) before", "Cursor"),
    Action("cursor.right", ("right", "l"), "screen.cursor(1, 0)", "Cursor right", "the next", "Cursor"),
    Action("cursor.up", ("up", "k"), "screen.cursor(0, 1)", "Cursor up", "the layer (or line, or row) above", "Cursor"),
    Action("cursor.down", ("down", "j"), "screen.cursor(0, -1)", "Cursor down", "the one below", "Cursor"),
    Action("cursor.page.up", ("pageup",), "screen.page(1)", "Page up", "a screen of the table up", "Cursor"),
    Action("cursor.page.down", ("pagedown",), "screen.page(-1)", "Page down", "a screen of the table down", "Cursor"),
    Action("step.previous", ("left_square_bracket",), "screen.next('step', -1)", "Step before", _FILM, "Cursor"),
    Action("step.next", ("right_square_bracket",), "screen.next('step', 1)", "Next step", _FILM, "Cursor"),
    Action("layer.previous", ("comma",), "screen.look('layer', -1)", "Layer below", _LOOK, "Cursor"),
    Action("layer.next", ("full_stop",), "screen.look('layer', 1)", "Layer above", _LOOK, "Cursor"),
    Action("head.previous", ("less_than_sign",), "screen.look('head', -1)", "Head before", _HEAD, "Cursor"),
    Action("head.next", ("greater_than_sign",), "screen.look('head', 1)", "Next head", _HEAD, "Cursor"),
    Action("example.next", ("n",), "screen.example(1)", "Next sentence", "in Example, of those found by /", "Cursor"),
    Action("example.previous", ("N",), "screen.example(-1)", "Sentence before", "and back", "Cursor"),
    Action("cursor.first", ("home", "circumflex_accent"), "screen.edge(-1)", "First step", "to the left end", "Cursor"),
    Action("cursor.last", ("end", "dollar_sign"), "screen.edge(1)", "Last step", "to the right end", "Cursor"),
    Action(
        "jump",
        ("f",),
        "screen.jump",
        "Jump",
        "letters stand on all one can go to (lines, steps, rows, the panel): type them, in a map the row's and the "
        "column's; escape stays",
        "Cursor",
    ),
    Action("zoom", ("z",), "screen.zoom", "Zoom", "the picture alone, or everything again", "Look"),
    Action("log", ("y",), "screen.option('log_y')", "Logarithmic axis", "of the values, on or off", "Look"),
    Action("digits", ("d",), "screen.option('digits')", "Digits", "write values into the heat map's cells", "Look"),
    Action("ascii", ("a",), "screen.option('ascii')", "Plain characters", "only what every font has", "Look"),
    Action("sort", ("o",), "screen.sort", "Sort", "tables by columns, sentences by how far they moved", "Look"),
    Action("sql.write", ("i",), "screen.sql('write')", "Write SQL", "go to the editor; escape comes back", "Work"),
    Action("sql.pick", ("enter",), "screen.sql('pick')", "Take a query", "in SQL: into the editor", "Work"),
    Action("sql.run", ("f5",), "screen.sql('run')", "Ask the store", "run the editor's statement; ^r there", "Work"),
    Action("sql.worked", ("w",), "screen.sql('worked')", "Worked queries", "in SQL: the list to start from", "Work"),
    Action("compute", ("c",), "screen.compute", "Compute", "compute what is missing of what is shown", "Work"),
    Action(
        "annotate",
        ("A",),
        "screen.annotate",
        "Annotate",
        "add the labels in a file to the corpus shown",
        "Work",
    ),
    Action(
        "cancel",
        ("x",),
        "screen.cancel_job",
        "Cancel",
        "stop the job (in Jobs: the one pointed at); what is finished stays",
        "Work",
    ),
    Action(
        "export",
        ("e",),
        "screen.export",
        "Export",
        "write this view: text, CSV, JSON, Parquet, SVG, and figures as PNG or PDF",
        "Work",
        "export",
    ),
    Action("copy", ("Y",), "screen.copy", "Copy", "this view as text, in a table the row; also over ssh", "Work"),
    Action("palette", ("ctrl+p", "colon"), "app.command_palette", "Commands", "find any command by its name", "App"),
    Action("redraw", ("ctrl+l",), "app.redraw", "Redraw", "when something else has written on the screen", "App"),
    Action(
        *("suspend", ("ctrl+z",), "app.suspend_process", "Suspend"),
        *("back to the shell, until 'fg' there; jobs and questions go on", "App"),
    ),
    Action("help", ("question_mark", "f1"), "screen.help", "Help", "this page", "App", "help"),
    Action("quit", ("q", "ctrl+q", "ctrl+c"), "app.quit", "Quit", "leave", "App", "quit"),
)
