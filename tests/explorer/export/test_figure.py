"""Does a figure show the view's numbers, and does its caption say what a reader of a paper must know?"""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer.answers.look import Look
from explorer.answers.training import Track, Training
from explorer.export.figure import caption, figure, save
from explorer.views.base import Cursor, DrawOptions
from explorer.views.clusters import Clusters
from explorer.views.label_lines import LabelLines
from explorer.views.layers import Layers
from explorer.views.lines import curves, profile
from explorer.views.maps import heat
from explorer.views.side_by_side import of_seeds
from explorer.views.table import Table
from store.errors import BertdynError
from tests.explorer.views.part_samples import label_rows
from tests.explorer.views.samples import DISTANCE, rows

pytest.importorskip("matplotlib")


def test_curves_are_the_views_lines() -> None:
    view = curves(rows(seeds=("1",)))
    axes = figure(view).axes[0]
    drawn = {tuple(line.get_ydata()) for line in axes.lines}
    assert {tuple(s.y) for s in view.chart.chart.series} <= drawn
    labels = [t.get_text() for t in axes.texts]
    assert all(any(label.startswith(s.label + " ") for label in labels) for s in view.chart.chart.series)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "SVCCA distance")


def test_a_line_goes_on_across_the_steps_of_others() -> None:
    lacking = ("1", 50)
    whole = rows(seeds=("1", "2"), layers=[2], steps=[0, 50, 100], kept=lambda key, _: (key.seed, key.step) != lacking)
    data = replace(whole, wanted=[cell for cell in whole.wanted if (cell.seed, cell.step) != lacking])
    first, second = figure(curves(data, look=Look(part="seed"))).axes[0].lines[:2]
    assert first.get_xdata().tolist() == [0, 100]
    assert second.get_xdata().tolist() == [0, 50, 100]


def test_labels_of_lines_are_in_their_order_and_do_not_touch() -> None:
    view = curves(rows(seeds=("1",)))
    texts = sorted(figure(view).axes[0].texts, key=lambda t: t.xy[1])
    places = [t.xy[1] for t in texts]
    assert np.diff(places).min() > 0.02
    assert max(places) <= 1.0001
    values = [float(t.get_text().split()[-1]) for t in texts]
    assert values == sorted(values)


def test_the_line_under_the_cursor_stands_out() -> None:
    axes = figure(curves(rows(seeds=("1",))), Cursor(0, 1)).axes[0]
    widths = [line.get_linewidth() for line in axes.lines[:3]]
    assert widths[1] > max(widths[0], widths[2])


def test_a_caption_explains_the_reference_curves_of_the_line_that_has_them() -> None:
    data = rows(seeds=("1", "2"))
    apart = dict.fromkeys(((r.recipe, r.layer, r.step, r.axes) for r in data.main), 0.2)
    view = curves(replace(data, yardsticks=apart))
    legend = [text.get_text() for text in figure(view).axes[0].get_legend().get_texts()]
    assert legend == ["seeds, L12"]
    assert "Seeds: mean SVCCA distance between two seeds at the same step." in caption(view)
    assert "Bands: standard deviation over seeds." in caption(view)
    assert "Band, ±: standard deviation over seeds. Seeds: mean SVCCA" in caption(view, Cursor(0, 1))


def test_training_is_drawn_below_on_the_same_steps() -> None:
    tracks = (Track("eval_accuracy", np.array([0.5, np.nan, 0.9])), Track("training loss", np.array([1.0, 0.6, 0.2])))
    first, accuracy, loss = figure(curves(rows(seeds=("1",)), Training((0, 20, 40), tracks))).axes
    assert accuracy.lines[0].get_xydata().tolist() == [[0, 0.5], [40, 0.9]]
    assert loss.lines[0].get_xydata().tolist() == [[0, 1.0], [20, 0.6], [40, 0.2]]
    assert (accuracy.get_ylabel(), loss.get_ylabel()) == ("accuracy", "training\nloss")
    assert first.get_xlim() == accuracy.get_xlim() == loss.get_xlim()
    assert [place.get_xlabel() for place in (first, accuracy, loss)] == ["", "", "step"]


def test_a_logarithm_is_one() -> None:
    assert figure(curves(rows(seeds=("1",))), options=DrawOptions(scale="log")).axes[0].get_yscale() == "log"


def test_a_map_holds_the_values_with_the_lowest_layer_below() -> None:
    view = heat(rows(seeds=("1",)))
    axes = figure(view).axes[0]
    np.testing.assert_allclose(np.ma.filled(axes.images[0].get_array(), np.nan), view.chart.heat.values)
    assert axes.images[0].origin == "lower"
    assert [t.get_text() for t in axes.get_yticklabels()] == list(view.chart.heat.row_names)


def test_labels_have_the_first_row_on_top() -> None:
    view = Clusters(label_rows())
    axes = figure(view).axes[0]
    np.testing.assert_allclose(np.ma.filled(axes.images[0].get_array(), np.nan), view.values)
    assert axes.images[0].origin == "upper"


@pytest.mark.parametrize(
    "view",
    [profile(rows()), of_seeds(rows(seeds=("1", "2", "3"))), Layers(rows()), LabelLines(label_rows())],
    ids=lambda view: view.name,
)
@pytest.mark.parametrize("format", ["png", "pdf"])
def test_every_figure_is_a_file_with_its_caption_inside(tmp_path: Path, view, format: str) -> None:
    path = tmp_path / f"it.{format}"
    save(view, path, format)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG" if format == "png" else b"%PDF")
    assert len(content) > 5000
    if format == "pdf":
        assert b"/Subject" in content
        assert b"/FontFile2" in content or b"FontFile2" in b"".join(_streams(content))


def _streams(content: bytes) -> list[bytes]:
    found = []
    for part in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            found.append(zlib.decompress(part))
        except zlib.error:
            continue
    return found


def test_the_same_view_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(curves(rows(seeds=("1",))), tmp_path / f"{name}.pdf", "pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_the_caption_names_definition_n_corpus_and_checkpoints() -> None:
    data = rows(seeds=("1", "2"))
    said = caption(curves(data))
    for words in (
        "1 - mean canonical correlation",
        "Raghu et al. 2017",
        "corpus dev",
        "seeds 1, 2",
        "steps from",
    ):
        assert words in said, said
    assert "from the pre-trained model" in said
    drawn = " ".join(t.get_text().replace("\n", " ") for t in figure(curves(data)).texts)
    assert said in drawn


def test_the_caption_names_a_unit_only_where_the_axis_has_it() -> None:
    in_nats = curves(rows(measure=replace(DISTANCE, unit="nats")))
    assert "Unit: nats." in caption(in_nats)
    assert "Unit" not in caption(in_nats, options=DrawOptions(scale="percent"))


def test_a_table_has_no_figure_and_says_what_it_has() -> None:
    with pytest.raises(BertdynError, match="CSV or Parquet"):
        figure(Table(rows()))


def test_without_the_extra_a_sentence_says_how_to_have_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from pathlib import Path\n"
        "from explorer.export.figure import save\n"
        "from explorer.views.lines import Lines, curves\n"
        "from store.errors import BertdynError\n"
        "from tests.explorer.views.samples import rows\n"
        "try: save(curves(rows()), Path('x.pdf'), 'pdf')\n"
        "except BertdynError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("pip install 'bertdyn[plots]'.")


@pytest.mark.parametrize("letter", ["W", "i"])
def test_a_caption_stays_inside_the_figure(letter: str) -> None:
    view = curves(rows(seeds=("1",)))
    view.subtitle = " ".join([letter * 12] * 60)
    drawn = figure(view)
    drawn.canvas.draw()
    told = drawn.texts[-1].get_window_extent()
    assert told.x1 <= drawn.bbox.x1
    assert told.width > 0.7 * drawn.bbox.width  # and uses its width
