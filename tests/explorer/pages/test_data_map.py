"""The data map as a picture: the exported numbers, and marks where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compute.run import compute
from explorer.export.figure import figure
from explorer.pages.data_map import DataMap
from explorer.render.cells import width_of
from explorer.render.palette import Depth, palette
from explorer.render.scatter import Scatter, draw
from explorer.selection import Ranges, Selection, ask_store
from explorer.views.base import Cursor
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.rows import Is, Not, RowQuery
from store.store import Store
from tests.store.extract import models

STEPS = (0, 10, 20, 30)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    place = tmp_path_factory.mktemp("map")
    for step in STEPS:
        folder = models.save(place / "runs" / "t" / "seed-1" / f"checkpoint-{step}", seed=step + 1)
        models.trained(folder, step)
    extract(place / "s.bertdyn", [place / "runs"], {"dev": models.corpus_file(place)}, ExtractOptions(device="cpu"))
    return Store.open(place / "s.bertdyn")


def view(store: Store, steps: str = "0-") -> DataMap:
    question = ask_store(store, Selection("confidence", "dev", steps=Ranges.parse(steps, "--step")))
    found = VIEWS["data-map"].load(store, question)
    assert isinstance(found, DataMap)
    return found


def test_its_rows_are_what_the_measures_store_for_each_example(store: Store) -> None:
    columns, rows = view(store).rows()
    found = {row[columns.index("example")]: row for row in rows}
    for name, column, scale in (("confidence",) * 2 + (1,), ("variability",) * 2 + (1,), ("correctness", "correct", 4)):
        question = ask_store(store, Selection(name, "dev", detail="example"))
        assert compute(store, [question], workers=1, device="cpu").ok
        kept = store.results(RowQuery((Is("measure", name), Is("step", 30), Not(Is("example", None)))))
        assert len(kept) == len(found) == len(models.LABELS)
        for row in kept:
            assert found[row.example][columns.index(column)] == pytest.approx(row.value * scale, abs=1e-12)
    confidences = [row[columns.index("confidence")] for row in rows]
    assert confidences == sorted(confidences)


def test_each_point_that_can_be_jumped_to_is_marked_there(store: Store) -> None:
    shown = view(store)
    targets = shown.draw(80, 24, palette(Depth.NONE)).targets
    assert targets
    for target in targets:
        lines = shown.draw(80, 24, palette(Depth.NONE), Cursor(target.column, -1)).lines
        assert "".join(s.text for s in lines[target.y])[target.x] == "◆"


def test_it_ends_at_the_last_step_that_is_chosen(store: Store) -> None:
    assert view(store, "20").title.endswith("up to step 20")
    columns, rows = view(store, "20").rows()
    assert {row[columns.index("checkpoints")] for row in rows} == {3}
    with pytest.raises(BertdynError, match="only one"):
        view(store, "0")


def test_the_reading_names_the_example_that_is_marked(store: Store) -> None:
    made = view(store)
    columns, rows = made.rows()
    picture = made.draw(80, 20, palette(Depth.NONE), Cursor(0, -1))
    first = dict(zip(columns, rows[0], strict=True))
    assert picture.reading.startswith(f"example {first['example']}, label {first['label']}: confidence")
    assert str(first["text"])[:20] in picture.reading
    text = ["".join(segment.text for segment in line) for line in picture.lines]
    assert sum(line.count("◆") for line in text) == 1
    assert "variability" in text[-1]


def test_a_figure_has_a_point_for_each_example(store: Store) -> None:
    pytest.importorskip("matplotlib")
    made = view(store)
    axes = figure(made).axes[0]
    assert len(axes.collections[0].get_offsets()) == len(made.data.confidence)


def marks(x: float, y: float, **how: object) -> list[str]:
    scatter = Scatter(np.array([x]), np.array([y]), np.array([0.5]), (0.0, 0.5), (0.0, 1.0), "x", "y")
    lines = draw(scatter, 58, 13, palette(Depth.NONE), **how)  # type: ignore[arg-type]
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.mark.parametrize(
    ("x", "y", "row", "column"), [(0, 0, 10, 8), (0.5, 1, 1, 57), (0, 1, 1, 8), (0.5, 0, 10, 57), (0.25, 0.55, 5, 33)]
)
def test_a_point_stands_where_its_numbers_say(x: float, y: float, row: int, column: int) -> None:
    """The plot is 50 x 10 cells, from row 1 and column 8 on."""
    assert marks(x, y)[row][column] == "5"  # half of the checkpoints are right
    assert marks(x, y, marked=0)[row][column] == "◆"
    assert marks(x, y, marked=0, ascii_only=True)[row][column] == "*"


@given(
    st.integers(0, 300), st.integers(1, 260), st.integers(1, 70), st.sampled_from(list(Depth)), st.booleans(),
    st.integers(-1, 299),
)  # fmt: skip
def test_no_size_breaks_it(n: int, width: int, height: int, depth: Depth, ascii_only: bool, marked: int) -> None:
    rng = np.random.default_rng(n)
    x, y, share = rng.random(n) / 2, rng.random(n), rng.random(n)
    regions = (("easy", 0.0, 1.0), ("ambiguous", 0.5, 0.5))
    scatter = Scatter(x, y, share, (0.0, 0.5), (0.0, 1.0), "variability", "confidence", regions)
    lines = draw(scatter, width, height, palette(depth), marked, ascii_only)
    assert [width_of(line) for line in lines] == [width] * height
