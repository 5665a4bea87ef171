"""Is a user's own `store.py` or `explorer.py` ever imported in place of ours?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.synthetic import make_store

ROOT = Path(__file__).resolve().parents[2]
THEIRS = "print('theirs ran')\n"


def python(code: str, folder: Path, *before: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a folder, which Python looks into first, as it does for a notebook that lies there."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*before, ROOT)))}
    call = [sys.executable, "-c", code]
    return subprocess.run(call, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", ["store", "explorer"])
@pytest.mark.parametrize("form", ["{name}.py", "{name}/__init__.py"])
def test_a_module_beside_the_notebook_is_named_and_never_run(tmp_path: Path, name: str, form: str) -> None:
    theirs = tmp_path / form.format(name=name)
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text(THEIRS)
    done = python("import bertdyn", tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: bertdyn has a package '{name}' of its own, in {ROOT / name}, and Python finds {theirs} first: "
        "rename that file, uninstall what it belongs to, or start in another folder."
    )


def test_an_installed_package_that_comes_first_is_named(tmp_path: Path) -> None:
    installed, elsewhere = tmp_path / "site-packages", tmp_path / "work"
    (installed / "store").mkdir(parents=True)
    elsewhere.mkdir()
    (installed / "store" / "__init__.py").write_text(THEIRS)
    done = python("import bertdyn", elsewhere, installed)
    assert done.returncode == 1
    assert str(installed / "store" / "__init__.py") in done.stderr.splitlines()[-1]
    assert done.stdout == ""


def test_one_that_was_imported_before_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(THEIRS)
    away = "import store, sys; sys.path.remove(''); import bertdyn"
    done = python(away, tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"and {tmp_path / 'store.py'} was imported as 'store' before it: rename or uninstall that module, then start "
        "Python again."
    )
    done = python("import sys, types; sys.modules['store'] = types.ModuleType('store'); import bertdyn", tmp_path)
    assert "a module without a file was imported as 'store' before it" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("code", ["import store, explorer, bertdyn", "import bertdyn, store, explorer"])
def test_our_own_may_be_imported_before_or_after(tmp_path: Path, code: str) -> None:
    done = python(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_of_data_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "results.csv").write_text("a\n")
    assert python("import bertdyn", tmp_path).returncode == 0


def test_what_is_found_at_first_stays(tmp_path: Path) -> None:
    """A notebook may go to another folder before it asks for anything; its child processes are then started there."""
    path = str(make_store(tmp_path / "s.bertdyn", tasks=("sst2",), seeds=("1",), steps=(20,), layers=1).path)
    (tmp_path / "other").mkdir()
    for name in ("store", "explorer"):
        (tmp_path / "other" / f"{name}.py").write_text(THEIRS)
    code = (
        f"import os, sys, bertdyn; os.chdir('other'); before = list(sys.path); runs = bertdyn.open({path!r})\n"
        "print(len(runs.compute('cka', task='sst2', workers=1)), sys.path == before)"
    )
    done = python(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, "2 True\n"), done.stderr


def test_importing_costs_no_array_and_no_sql_library(tmp_path: Path) -> None:
    heavy = ("numpy", "duckdb", "torch", "zarr", "click", "rich", "textual", "scipy", "transformers", "pandas")
    done = python(f"import sys, bertdyn; print([m for m in {heavy!r} if m in sys.modules])", tmp_path)
    assert done.stdout == "[]\n", done.stderr
