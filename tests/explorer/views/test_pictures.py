"""Do the pictures of one example, of labels and of a store still read as they did? (pytest -k pictures)"""

import os
from pathlib import Path

import numpy as np
import pytest

from explorer.answers.centroids import Centroids
from explorer.answers.coverage import BARE, FULL, MISSING, Coverage, MeasureCoverage, RunCoverage
from explorer.measures.registry import get
from explorer.pages.example import Example
from explorer.pages.paths import Paths
from explorer.pages.store_view import StoreView
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.views.base import Cursor, DrawOptions
from explorer.views.clusters import Clusters
from explorer.views.label_lines import LabelLines
from store.keys import CheckpointKey
from tests.explorer.views.part_samples import SENTENCE, label_rows, moved

GOLDEN = Path(__file__).with_name("golden")


def centroids() -> Centroids:
    """Three labels that leave one place in three directions."""
    keys = tuple(CheckpointKey.plain("pos", "1", step) for step in (0, 20, 40))
    ways = np.array([[1.0, 0.2, 0.0], [-0.8, 0.6, 0.0], [0.1, -1.0, 0.1]])
    values = np.array([[step * way * (1 + 0.1 * i) for i, way in enumerate(ways)] for step in (0, 1, 3)])
    return Centroids("dev", keys, 6, ("ADJ", "NOUN", "VERB"), (30, 40, 1), "mean of a word's sub-words", values)


def coverage() -> Coverage:
    """Two runs, one with a gap."""
    runs = tuple(
        RunCoverage("sst2", seed, "dev", (0, 20, 40), states, 412_000_000)
        for seed, states in (("1", (FULL, FULL, FULL)), ("2", (FULL, MISSING, BARE)))
    )
    measures = MeasureCoverage(get("svcca"), "dev", 12, 20), MeasureCoverage(get("js"), "dev", 0, 9)
    return Coverage("runs.bertdyn", "pretrained", runs, measures, 824_000_000, 1_530_000, 66_000_000_000, 17)


@pytest.mark.parametrize(
    ("name", "view", "size", "cursor", "options"),
    [
        ("example-118x14", Example(moved(SENTENCE)), (118, 14), Cursor(1, 2), {}),
        ("example-60x12-ascii", Example(moved(SENTENCE)), (60, 12), Cursor(1, 2), {"ascii": True}),
        ("example-70x10-digits", Example(moved(SENTENCE), "checkpoint"), (70, 10), Cursor(), {"digits": True}),
        ("clusters-60x12", Clusters(label_rows()), (60, 12), Cursor(1, 2), {}),
        ("labels-78x14", LabelLines(label_rows()), (78, 14), Cursor(1, 2), {}),
        ("paths-70x20", Paths(centroids()), (70, 20), Cursor(1, -1), {}),
        ("paths-70x20-ascii", Paths(centroids()), (70, 20), Cursor(), {"ascii": True}),
        ("store-78x12", StoreView(coverage()), (78, 12), Cursor(0, 1), {}),
    ],
)
def test_pictures_read_as_before(name, view, size, cursor, options):
    picture = view.draw(*size, palette(Depth.NONE), cursor, DrawOptions(**options))
    words = (view.title, view.subtitle, to_text(picture.lines) + picture.reading, *picture.notes, "")
    shown = "\n".join(words)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")
