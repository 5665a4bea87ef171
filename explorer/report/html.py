"""Write a report as one HTML page that needs no other file and no network. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from html import escape

from explorer.claims.verdict import FAILS, HOLDS, OPEN
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

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --line: #d0d7de; --back: #ffffff; --soft: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --open: #6e7781; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9aa4af; --line: #3d444d; --back: #0d1117;
  --soft: #161b22; --good: #3fb950; --bad: #f85149; --open: #9aa4af; --link: #58a6ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 70rem; background: var(--back); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.8rem; margin: 0 0 .25rem; } h2 { margin: 2.75rem 0 .75rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--line); font-size: 1.35rem; } h3 { margin: 1.75rem 0 .35rem; font-size: 1.05rem; }
p { margin: .4rem 0; } .dim, .rule { color: var(--dim); font-size: .9rem; }
a { color: var(--link); } nav a { margin-right: 1rem; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem;
  overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; margin: .6rem 0; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .88rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: break-word; max-width: 40rem; } table.claim td { overflow-wrap: anywhere; }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
td.verdict { white-space: nowrap; font-weight: 600; }
table.claim, table.summary { table-layout: fixed; min-width: 52rem; } table.claim th:nth-child(1) { width: 8.5rem; }
table.claim th:nth-child(2), table.claim th:nth-child(3), table.claim th:nth-child(4) { width: 6rem; }
table.claim th:nth-child(5) { width: 5rem; } table.claim th:nth-child(6) { width: 10rem; }
table.claim th:nth-child(7) { width: 3rem; } table.summary th:nth-child(1) { width: 4rem; }
table.summary th:nth-child(n+3) { width: 8rem; }
.holds { color: var(--good); } .fails { color: var(--bad); } .open { color: var(--open); }
figure { margin: .8rem 0; } figure img { max-width: 100%; background: #ffffff; border-radius: 6px; padding: .5rem; }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0; }
@media print { body { max-width: none; } pre { white-space: pre-wrap; } }
"""
_SECTIONS = {
    "overview": "Overview",
    "kept": "Kept selections",
    "claims": "Claims",
    "store": "What the store holds",
    "inputs": "Inputs and versions",
}
_KINDS = {HOLDS: "holds", FAILS: "fails", OPEN: "open"}
_NO_NETWORK = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def html(report: Report, read: Callable[[str], bytes]) -> str:
    """Return the report as a page; names and texts in it are escaped.

    Args:
        read: gives the content of a figure's file, which the page holds itself.
    """
    there = {name: title for name, title in _SECTIONS.items() if name != "overview" or report.findings}
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in there.items())
    body = [f"<h1>{TITLE}</h1>", f'<p class="dim">{_text(report.heading)}</p>', f"<nav>{links}</nav>"]
    body.append(_code([report.command]))
    if report.findings:
        told = (
            f"<dt>{_text(topic)}</dt>{''.join(f'<dd>{_text(text)}</dd>' for text in texts)}"
            for topic, texts in report.findings
        )
        body += [_heading("overview"), f"<dl>{''.join(told)}</dl>"]
    body.append(_heading("kept"))
    body += [_kept(kept, read) for kept in report.kept] or [f"<p>{_text(NOTHING_KEPT)}</p>"]
    body += [_heading("claims"), f"<p>{_text(ABOUT_CLAIMS)}</p>", f"<p>{_text(tally(report.claims))}.</p>"]
    body.append(_table(SUMMARY_COLUMNS, summary(report.claims), "summary"))
    for claim, each in by_claim(report.claims):
        body.append(f"<h3>{claim.id} {_text(claim.sentence)}</h3>")
        body.append(f'<p class="rule">{_text(f"{claim.paper}, {claim.section}")}. {_text(claim.rule)}</p>')
        body.append(f'<p class="rule">{_text(statistics(each))}</p>')
        body.append(_table(CLAIM_COLUMNS, map(claim_row, each), "claim"))
    if report.compute:
        body += ["<p>To compute or make what is missing:</p>", _code(report.compute)]
    body.append(_heading("store"))
    body += map(_titled, report.holdings)
    body += [_heading("inputs"), _titled(report.texts)]
    body.append(f"<p>{', '.join(f'{_text(name)} {_text(said)}' for name, said in report.versions)}</p>")
    files = (f'<li><a href="{escape(name)}">{_text(name)}</a>: {_text(what)}</li>' for name, what in report.files)
    body.append(f"<ul>{''.join(files)}</ul>")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_NO_NETWORK}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{TITLE}: {_text(report.store)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, body))
        + "\n</body>\n</html>\n"
    )


def _heading(name: str) -> str:
    return f'<h2 id="{name}">{_SECTIONS[name]}</h2>'


def _text(text: str) -> str:
    return escape(cell(text))


def _code(lines: Iterable[str]) -> str:
    return f"<pre>{escape(printable(chr(10).join(lines)))}</pre>"


def _kept(kept: Kept, read: Callable[[str], bytes]) -> str:
    parts = [f"<h3>{_text(kept.name)}</h3>", *([f"<p>{_text(kept.remark)}</p>"] if kept.remark else [])]
    if kept.trouble:
        parts.append(f"<p>No figure: {_text(kept.trouble)}</p>")
    if kept.figure:
        image = base64.b64encode(read(kept.figure)).decode()
        parts.append(f'<figure><img src="data:image/png;base64,{image}" alt="{_text(kept.title)}"></figure>')
    parts += [_code([kept.text.rstrip("\n")])] if kept.text else []
    parts += [f"<p>{_text(note)}</p>" for note in kept.reading]
    parts += [f'<p>Numbers: <a href="{escape(kept.numbers)}">{_text(kept.numbers)}</a></p>'] if kept.numbers else []
    parts += [_code(kept.commands)] if kept.commands else []
    return "\n".join(parts)


def _titled(table: TextTable) -> str:
    body = f"<p>{_text(table.sentence)}</p>" if table.sentence else _table(table.columns, table.rows)
    return f"<h3>{_text(table.title.capitalize())}</h3>\n{body}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]], kind: str = "") -> str:
    """Return a table; ``kind`` names the widths of its columns in the style."""
    head = "".join(f"<th>{_text(name)}</th>" for name in columns)
    lines = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    table = f'<table class="{kind}"><thead><tr>{head}</tr></thead>\n<tbody>{lines}</tbody></table>'
    return f'<div class="wide">{table}</div>'


def _cell(value: object) -> str:
    kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
    if isinstance(value, str) and value in _KINDS:
        kind = f"verdict {_KINDS[value]}"
    return f'<td class="{kind}">{_text_of(value)}</td>' if kind else f"<td>{_text_of(value)}</td>"


def _text_of(value: object) -> str:
    return escape(cell(value))
