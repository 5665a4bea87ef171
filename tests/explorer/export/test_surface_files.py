"""Are surfaces written for ParaView, for loss-landscape and for papers with the numbers that the view has?"""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from explorer.answers.look import Look
from explorer.export.figure import figure
from explorer.export.files import as_format, write
from explorer.views.base import View
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.store import Store
from tests.two_seeds import asked, computed

GRID = {"grid": 5, "range": "-0.5,1.5"}


@pytest.fixture(scope="module")
def shown(two_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> View:
    opened = Store.open(Path(shutil.copytree(two_seeds, tmp_path_factory.mktemp("files") / "s.bertdyn")))
    question = asked(opened, "loss-surface", seeds=("1",), **GRID)
    for one in (question, asked(opened, "trajectory", seeds=("1",))):
        assert computed(opened, one).ok
    return VIEWS["surface"].load(opened, question, Look(part="first"))


def values(shown: View) -> dict[tuple[float, float], float]:
    columns, rows = shown.rows()
    alpha, beta, value = (columns.index(name) for name in ("alpha", "beta", "value"))
    return {(row[alpha], row[beta]): row[value] for row in rows}  # type: ignore[misc]


def test_vtk_text_has_every_point_with_its_loss(shown: View) -> None:
    text = as_format(shown, "vtk")
    lines = text.splitlines()
    assert lines[0] == "# vtk DataFile Version 3.0"
    assert "DIMENSIONS 5 5 1" in lines
    start = lines.index("POINTS 25 double") + 1
    points = {tuple(map(float, line.split()[:2])): float(line.split()[2]) for line in lines[start : start + 25]}
    assert points == pytest.approx(values(shown), rel=1e-6)
    for name in ("loss_dev", "error_dev", "computed_dev"):
        at = lines.index(f"SCALARS {name} double 1")
        assert len(lines[at + 2 : at + 27]) == 25
    assert set(lines[lines.index("SCALARS computed_dev double 1") + 2 :][:25]) == {"1"}


def test_hdf5_has_the_names_of_loss_landscape(shown: View, tmp_path: Path) -> None:
    write(shown, "h5", tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as file:
        x, y = file["xcoordinates"][:], file["ycoordinates"][:]
        loss, right = file["train_loss"][:], file["train_acc"][:]
        assert "test_loss" not in file
        assert file["train_loss"].attrs["corpus"] == "dev"
    assert (x.tolist(), y.tolist()) == ([-0.5, 0.0, 0.5, 1.0, 1.5],) * 2
    exact = values(shown)
    assert all(loss[j, i] == exact[a, b] for i, a in enumerate(x) for j, b in enumerate(y))
    assert ((right >= 0) & (right <= 100)).all()
    assert np.ptp(right) > 0


def test_a_figure_has_the_map_with_its_lines_and_a_relief(shown: View) -> None:
    drawn = figure(shown)
    flat, solid = drawn.axes[0], drawn.axes[1]
    assert flat.get_xlabel() == "alpha"
    assert len(flat.collections) >= 1  # lines of equal loss
    assert [text.get_text() for text in flat.texts if "t/" in text.get_text()] == ["t/1", "t/2"]
    assert any(axes.name == "3d" for axes in drawn.axes), (flat, solid)


def test_a_view_without_a_plane_is_a_sentence(two_seeds: Path, tmp_path: Path) -> None:
    opened = Store.open(Path(shutil.copytree(two_seeds, tmp_path / "s.bertdyn")))
    question = asked(opened, "loss-curve", grid=3, seeds=("1",))
    assert computed(opened, question).ok
    view = VIEWS["profile"].load(opened, question, Look(part="step"))
    for format in ("vtk", "h5"):
        with pytest.raises(BertdynError, match="the view profile has no values on a plane: the view surface has"):
            write(view, format, tmp_path / f"x.{format}")


def test_a_surface_without_a_value_is_no_file_but_a_sentence(two_seeds: Path, tmp_path: Path) -> None:
    opened = Store.open(Path(shutil.copytree(two_seeds, tmp_path / "s.bertdyn")))
    view = VIEWS["surface"].load(opened, asked(opened, "loss-surface", grid=3, seeds=("1",)))
    for format in ("vtk", "h5"):
        with pytest.raises(BertdynError, match="There is no value to write"):
            write(view, format, tmp_path / f"x.{format}")
