"""`bertdyn measures`: describe the measures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from explorer.answers.findings import listed
from explorer.commands.options import measure_named
from explorer.commands.output import format_of, output_options, write_rows, write_text
from explorer.commands.parameters import parameter_help
from explorer.measures import Measure
from explorer.measures.registry import all_measures

COLUMNS = (
    "name", "title", "topic", "why", "operands", "inputs", "axes", "unit", "low", "high", "direction", "definition",
    "parameters", "counts", "source", "cost", "summary", "others", "same", "floor", "null", "intervals", "details",
    "keeps", "version",
)  # fmt: skip


_COUNTS = ("no", "one", "two", "three")


@click.command()
@click.argument("name", metavar="[MEASURE]", required=False)
@click.option("--markdown", is_flag=True, help="Print the table of measures of the README.")
@output_options
def command(name: str | None, markdown: bool, format: str | None, output: Path | None) -> None:
    """Describe each measure: definition, unit, range, parameters, source and cost.

    \b
    bertdyn measures
    bertdyn measures svcca --format json
    """
    chosen = [measure_named(name)] if name else list(all_measures())
    if markdown:
        write_text("\n".join(markdown_table(chosen)), output)
        return
    if format_of(format, output) == "table":
        write_text("\n".join(map(_described, chosen)), output)
        return
    write_rows(COLUMNS, [tuple(_cell(m, column) for column in COLUMNS) for m in chosen], format, output)


def markdown_table(measures: Sequence[Measure]) -> list[str]:
    """Return the lines of the README's table of measures."""
    head = ["| measure | what it is | what others compute under this name |", "| --- | --- | --- |"]
    rows = ((f"`{m.name}`", m.summary, m.others) for m in measures)
    return head + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def _described(measure: Measure) -> str:
    reads = [one.title for one in measure.reads] + (["labels"] if measure.labels is not None else [])
    unit = f" {measure.unit}" if measure.unit else ""
    entries = {
        "shows": measure.why,
        "is": measure.definition,
        "reads": f"{listed(reads)} of {_operands(measure)}",
        "range": f"{measure.low:g} to {measure.high:g}{unit}; {measure.direction}",
        "n counts": measure.counts,
        "noise": _noise(measure),
        "--null": f"the chance level; it permutes {measure.null}" if measure.null else "",
        "--interval": _intervals(measure),
        "other layers": "a layer can be compared with other layers (--against-layer)" if measure.cross_layers else "",
        "--detail": " or ".join(measure.details[1:]) + ": also the rows of each" if measure.details else "",
        "--keep": f"also stores {measure.keeps}" if measure.keeps else "",
        "source": measure.source,
        "cost": measure.cost,
    }
    lines = [f"{measure.name}: {measure.title}"]
    lines += [_entry(label, text) for label, text in entries.items() if text]
    lines += [_entry(f"--{p.name.replace('_', '-')}", parameter_help(p)) for p in measure.parameters]
    return "\n".join(lines) + "\n"


def _operands(measure: Measure) -> str:
    """'two checkpoints', 'all checkpoints of two runs and one checkpoint'."""
    runs = sum(one.path for one in measure.operands)
    alone = len(measure.operands) - runs
    of_runs = f"all checkpoints of {_COUNTS[runs]} run{'s' * (runs > 1)}"
    return listed([of_runs] * (runs > 0) + [f"{_COUNTS[alone]} checkpoint{'s' * (alone > 1)}"] * (alone > 0))


def _intervals(measure: Measure) -> str:
    """'bootstrap or jackknife over whole examples; jackknife: up to 4 times too wide where ...'."""
    kinds = f"{' or '.join(measure.intervals)} over whole examples" if measure.intervals else ""
    return "; ".join(filter(None, (kinds, *(f"{kind}: {note}" for kind, note in measure.interval_notes.items()))))


def _noise(measure: Measure) -> str:
    if not measure.floor:
        return ""
    where = f"within {measure.floor:g} of {measure.same:g}" if measure.same else f"below {measure.floor:g}"
    return f"{where} it is only rounding of the stored float16"


def _entry(label: str, text: str) -> str:
    return textwrap.fill(text, 110, initial_indent=f"  {label:<15}", subsequent_indent=" " * 17)


def _cell(measure: Measure, column: str) -> object:
    if column == "parameters":
        return [
            {
                "name": p.name,
                "default": p.default,
                "help": p.help,
                "choices": list(p.choices),
                "low": p.low,
                "high": p.high,
            }
            for p in measure.parameters
        ]
    if column in ("operands", "inputs", "axes"):
        return [asdict(part) for part in getattr(measure, column)]
    return getattr(measure, column)
