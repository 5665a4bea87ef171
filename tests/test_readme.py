"""Does the README say what is so?"""

from __future__ import annotations

from pathlib import Path

from explorer.commands.measures import markdown_table
from explorer.measures.registry import all_measures

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_table_of_measures_is_the_registrys() -> None:
    """`bertdyn measures --markdown` prints it."""
    table = "\n".join(markdown_table([m for m in all_measures() if m.name != "ridge"]))
    assert f"\n\n{table}\n\n" in README.read_text(encoding="utf-8")
