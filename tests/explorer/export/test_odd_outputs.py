"""A Parquet file is written where -o says, whatever its path looks like."""

import os
from pathlib import Path

import duckdb
import pytest

from explorer.export.rows import write_parquet
from tests.odd_paths import FOLDERS, is_text


@pytest.mark.parametrize("name", FOLDERS)
def test_a_parquet_file_is_written_under_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    wanted = [Path(name) / "f.parquet", tmp_path / name / "g.parquet"]
    if is_text(name):
        wanted.append(Path(f"{name}.parquet"))
    for path in wanted:
        write_parquet(["a"], [(1,), (2,)], path)
        write_parquet(["a"], [(3,)], path)
        os.rename(path, tmp_path / "plain.parquet")
        assert duckdb.execute(f"select a from '{tmp_path}/plain.parquet'").fetchall() == [(3,)]
    (tmp_path / "plain.parquet").unlink()
    assert [file for _, _, files in os.walk(tmp_path) for file in files] == []


def test_a_file_name_may_be_no_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.parquet")
    write_parquet(["a"], [(1,)], path)
    os.rename(path, tmp_path / "plain.parquet")
    assert duckdb.execute(f"select a from '{tmp_path}/plain.parquet'").fetchall() == [(1,)]
