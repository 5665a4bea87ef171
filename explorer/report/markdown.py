"""Write a report as Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from explorer.render.printable import printable
from explorer.report.content import Kept, Report, TextTable
from explorer.report.words import (
    ABOUT_CLAIMS,
    CLAIM_COLUMNS,
    NOTHING_KEPT,
    SUMMARY_COLUMNS,
    TITLE,
    by_claim,
    cell,
    claim_row,
    statistics,
    summary,
    tally,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|~!&$-])")


def markdown(report: Report) -> str:
    """Return the report as Markdown; names and texts in it are escaped."""
    blocks = [f"# {TITLE}", escaped(report.heading), fenced([report.command])]
    if report.findings:
        blocks.append("## Overview")
        for topic, texts in report.findings:
            blocks += [f"**{escaped(topic)}**", "\n".join(f"- {escaped(text)}" for text in texts)]
    blocks += ["## Kept selections"]
    blocks += [block for kept in report.kept for block in _kept(kept)] or [NOTHING_KEPT]
    blocks += ["## Claims", ABOUT_CLAIMS, f"{tally(report.claims)}."]
    blocks.append(_table(SUMMARY_COLUMNS, summary(report.claims)))
    for claim, each in by_claim(report.claims):
        blocks.append(f"### {claim.id} {escaped(claim.sentence)}")
        blocks.append(f"{escaped(f'{claim.paper}, {claim.section}')}. {escaped(claim.rule)}")
        blocks += [escaped(statistics(each)), _table(CLAIM_COLUMNS, map(claim_row, each))]
    if report.compute:
        blocks += ["To compute or make what is missing:", fenced(report.compute)]
    blocks.append("## What the store holds")
    blocks += [block for table in report.holdings for block in _titled(table)]
    blocks += ["## Inputs and versions", *_titled(report.texts)]
    blocks.append(", ".join(f"{escaped(name)} {escaped(said)}" for name, said in report.versions))
    blocks += [f"- [{name}]({name}): {what}" for name, what in report.files]
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Return text on one line in which nothing is Markdown or HTML."""
    return _SPECIAL.sub(lambda m: _ENTITIES.get(m[0], f"\\{m[0]}"), cell(text))


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "-": "-", "(": "(", ")": ")", "!": "!"}
"""Signs that are harmless alone, or that Markdown escapes as in HTML."""


def fenced(lines: Iterable[str], kind: str = "sh") -> str:
    """Return lines as a block of code, whose fence is longer than any row of backticks in it."""
    text = printable("\n".join(lines))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{kind}\n{text}\n{fence}"


def _kept(kept: Kept) -> list[str]:
    blocks = [f"### {escaped(kept.name)}", *([escaped(kept.remark)] if kept.remark else [])]
    if kept.title != kept.name:
        blocks.append(f"{escaped(kept.title)}. {escaped(kept.subtitle)}".rstrip(". ") + ".")
    if kept.trouble:
        blocks.append(f"No figure: {escaped(kept.trouble)}")
    blocks += [f"![{escaped(kept.title)}]({kept.figure})"] if kept.figure else []
    blocks += [fenced([kept.text.rstrip("\n")], "text")] if kept.text else []
    blocks += [escaped(note) for note in kept.reading]
    blocks += [f"Numbers: [{kept.numbers}]({kept.numbers})"] if kept.numbers else []
    blocks += [fenced(kept.commands)] if kept.commands else []
    return blocks


def _titled(table: TextTable) -> list[str]:
    body = escaped(table.sentence) if table.sentence else _table(table.columns, table.rows)
    return [f"### {escaped(table.title.capitalize())}", body]


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *([escaped(cell(v)) for v in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
