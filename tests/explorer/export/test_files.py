"""Is every format what it says it is, and the same from the command line and from the explorer?"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from explorer.export.files import FORMATS, as_format, format_of, suffix, write, write_beside
from explorer.render.palette import palette
from explorer.views.base import NOWHERE, PLAIN, DrawOptions
from explorer.views.lines import Lines, curves
from store.errors import BertdynError
from tests.explorer.views.samples import rows

SIZE = (80, 20)


@pytest.fixture
def view() -> Lines:
    return curves(rows(seeds=("1", "2")))


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_the_numbers_are_the_views_own(tmp_path: Path, view: Lines, format: str) -> None:
    path = tmp_path / f"it.{format}"
    write(view, format, path)
    columns, wanted = view.rows()
    if format == "csv":
        found = [float(r["value"]) for r in csv.DictReader(path.read_text().splitlines())]
    elif format == "json":
        found = [r["value"] for r in json.loads(path.read_text())]
    else:
        found = [v for (v,) in duckdb.sql(f"select value from '{path}'").fetchall()]
        assert duckdb.sql(f"select * from '{path}'").columns == list(columns)
    assert found == [row[columns.index("value")] for row in wanted]
    assert len(found) > 10


def test_text_is_title_picture_and_notes(view: Lines) -> None:
    text = as_format(view, "text", SIZE)
    picture = view.draw(*SIZE, palette("none"))
    assert text.startswith(view.title)
    assert all("".join(s.text for s in line).rstrip() in text for line in picture.lines)
    assert "\x1b" not in text


def test_plain_characters_are_plain_in_words_too(view: Lines) -> None:
    assert as_format(view, "text", SIZE, options=DrawOptions(ascii=True)).isascii()


def test_svg_is_a_picture_that_a_reader_of_xml_takes(view: Lines) -> None:
    root = ElementTree.fromstring(as_format(view, "svg", SIZE, dark=False))
    assert root.tag.endswith("svg")
    assert "SVCCA distance" in "".join(root.itertext())


def test_a_files_name_says_its_format() -> None:
    for format in FORMATS:
        assert format_of(Path(f"a.{suffix(format)}")) == format
    assert format_of(Path("a.PDF")) == "pdf"
    assert format_of(Path("a.docx")) is None
    assert format_of(Path("a")) is None


def test_nothing_is_replaced_and_nothing_is_left_of_what_failed(tmp_path: Path, view: Lines) -> None:
    first, second = (write_beside(view, "csv", tmp_path, "v", SIZE, True, NOWHERE, PLAIN) for _ in range(2))
    assert [first.name, second.name] == ["v.csv", "v-2.csv"]

    broken = curves(rows())

    def refuse():
        raise BertdynError("no")

    broken.rows = refuse

    with pytest.raises(BertdynError):
        write_beside(broken, "csv", tmp_path, "b", SIZE, True, NOWHERE, PLAIN)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["v-2.csv", "v.csv"]


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path, view: Lines) -> None:
    for format in ("csv", "parquet"):
        with pytest.raises(BertdynError, match="Cannot write"):
            write(view, format, tmp_path / "nowhere" / f"a.{format}")
