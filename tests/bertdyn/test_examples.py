"""Do the examples of docstrings and of README run, and say what they say?"""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bertdyn
from bertdyn.runs import Runs
from explorer.selection import Selection
from tests.computed import compute_here
from tests.synthetic import make_store, sample_corpus, sample_labels

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
LIBRARIES = {".df()": "pandas", ".pl()": "polars", ".arrow()": "pyarrow"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples() -> Iterator[doctest.DocTest]:
    """Every docstring of the public face that has an example."""
    modules = [bertdyn, *(importlib.import_module(f"bertdyn.{m.name}") for m in pkgutil.iter_modules(bertdyn.__path__))]
    finder = doctest.DocTestFinder()
    for module in modules:
        yield from (test for test in finder.find(module, globs={}) if test.examples)


@pytest.mark.parametrize("example", list(examples()), ids=lambda test: test.name)
def test_an_example_of_a_docstring(
    example: doctest.DocTest, folder: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, library in LIBRARIES.items():
        if any(method in one.source for one in example.examples):
            pytest.importorskip(library)
    monkeypatch.chdir(folder)
    example.globs.update(
        {"bertdyn": bertdyn, "runs": runs, "flag_text": importlib.import_module("bertdyn.options").flag_text}
    )
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=said.append, clear_globs=False)
    assert result.attempted
    assert not result.failed, "".join(said)


def blocks(language: str, section: str = "") -> list[str]:
    """Blocks of code in README, of one section only where it is named."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0] if section else README
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_as_cells(code: str, names: dict[str, Any]) -> list[Any]:
    """Run code as a notebook does: the value of each expression is shown."""
    shown = []
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.Expr):
            value = eval(compile(ast.Expression(statement.value), "README.md", "eval"), names)
            assert repr(value)
            if hasattr(value, "_repr_html_") and type(value).__module__.startswith("bertdyn"):
                assert value._repr_html_().startswith("<")
            shown.append(value)
        else:
            exec(compile(ast.Module([statement], []), "README.md", "exec"), names)
    return shown


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has what the demo's has."""
    place = tmp_path_factory.mktemp("demo")
    (place / "bertdyn-demo").mkdir()
    tags = sample_corpus("tags", kind="word", labels=(), seed=1)
    upos = sample_labels("word", ("NOUN", "VERB", "ADJ"), tags.info.words, "UPOS")
    info = replace(tags.info, annotations=tuple(one.info for one in upos.values()))
    corpora = [sample_corpus("topic"), replace(tags, info=info, annotations=upos)]
    store = make_store(
        place / "bertdyn-demo" / "demo.bertdyn", tasks=("tags", "topic"), seeds=("1",), steps=(0, 200),
        corpora=corpora, layers=6,
    )  # fmt: skip
    compute_here(store, *(Selection(measure, name) for measure in ("svcca", "js") for name in ("topic", "tags")))
    return place


@pytest.mark.xdist_group("notebook")
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_notebook_of_the_readme_needs_one_library_only(
    library: str, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = pytest.importorskip(library)
    for other in {*LIBRARIES.values()} - {library}:
        monkeypatch.setitem(sys.modules, other, None)
    monkeypatch.chdir(demo)
    names: dict[str, Any] = {}
    frames = []
    for code in blocks("python", "In a notebook"):
        only = re.match(r"# with (\w+)\n", code)
        if only is None or only[1] == library:
            frames += [one for one in run_as_cells(code, names) if isinstance(one, module.DataFrame)]
    assert frames
    assert all(len(frame) for frame in frames)


@pytest.mark.xdist_group("notebook")
def test_the_notebook_of_the_readme_needs_no_library_for_the_rest(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in LIBRARIES.values():
        monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.chdir(demo)
    names: dict[str, Any] = {}
    shown = [
        value
        for code in blocks("python", "In a notebook")
        if "# with" not in code
        for value in run_as_cells(code, names)
    ]
    assert [type(value).__name__ for value in shown][:1] == ["Runs"]
    assert all(len(value) for value in shown[1:])


def test_the_other_python_of_the_readme(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    others = [code for code in blocks("python") if code not in blocks("python", "In a notebook")]
    assert others
    for code in others:
        run_as_cells(code, {})


def test_the_sql_of_the_readme(runs: Runs) -> None:
    statements = [one for block in blocks("sql") for one in block.split(";") if one.strip()]
    assert statements
    for statement in statements:
        assert runs.sql(statement).columns
