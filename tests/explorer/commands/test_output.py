"""Do rows come out as written, in every format?"""

import csv
import io
import json

import duckdb
import pytest

from explorer.commands.output import as_csv, as_json, as_table, write_rows
from store.errors import BertdynError

COLUMNS = ("task", "layer", "value", "details")
ROWS = [
    ("sst2", 1, 0.1234567891234, {"k": 3}),
    ('a "b", c', 2, None, {}),
    ("名前", 3, float("nan"), {"v": float("inf")}),
]


def test_json_keeps_every_digit_and_writes_no_bare_nan():
    back = json.loads(as_json(COLUMNS, ROWS), parse_constant=lambda name: pytest.fail(f"bare {name}"))
    assert back[0] == {"task": "sst2", "layer": 1, "value": 0.1234567891234, "details": {"k": 3}}
    assert back[2]["value"] is None
    assert back[2]["details"] == {"v": None}


def test_json_of_nothing_is_an_empty_array():
    assert json.loads(as_json(COLUMNS, [])) == []


def test_csv_reads_back():
    back = list(csv.reader(io.StringIO(as_csv(COLUMNS, ROWS))))
    assert back[0] == list(COLUMNS)
    assert float(back[1][2]) == ROWS[0][2]
    assert back[2][:3] == ['a "b", c', "2", ""]


def test_table_aligns_numbers_to_the_right():
    lines = as_table(("name", "value"), [("a", 1.5), ("bb", 22.25)]).splitlines()
    assert lines == ["name  value", "----  -----", "a       1.5", "bb    22.25"]


def test_table_of_nothing_still_names_its_columns():
    assert as_table(("name", "value"), []).splitlines()[0] == "name  value"


def test_parquet_keeps_types(tmp_path):
    file = tmp_path / "it's.parquet"
    write_rows(COLUMNS, ROWS, None, file)
    rows = duckdb.sql("select * from '" + str(file).replace("'", "''") + "'").fetchall()
    assert rows[0][:3] == ("sst2", 1, 0.1234567891234)
    assert rows[1][2] is None


def test_the_name_of_the_file_says_the_format(tmp_path):
    write_rows(COLUMNS, ROWS, None, tmp_path / "rows.json")
    assert json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))[0]["task"] == "sst2"


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path, name):
    with pytest.raises(BertdynError, match="Cannot write"):
        write_rows(COLUMNS, ROWS, None, tmp_path / "absent" / name)


def test_parquet_to_stdout_is_refused():
    with pytest.raises(BertdynError, match="-o"):
        write_rows(COLUMNS, ROWS, "parquet", None)
