"""Write values on a plane for other programs: VTK text for ParaView, and HDF5 as loss-landscape (Li et al. 2018) does.

Values between the computed points are interpolated; an array says which were computed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.render.relief import PlaneGrid
from store.errors import BertdynError
from store.whole_files import whole


def as_vtk(grid: PlaneGrid) -> str:
    """Return the grid as a legacy VTK file in text: points lie at (x, y, loss of the first corpus)."""
    first = next(iter(grid.losses.values()))
    many = first.size
    across, upwards = np.meshgrid(grid.x, grid.y)
    head = (
        f"# vtk DataFile Version 3.0\n{grid.title[:250]}\nASCII\nDATASET STRUCTURED_GRID\n"
        f"DIMENSIONS {len(grid.x)} {len(grid.y)} 1\nPOINTS {many} double\n"
    )
    points = np.stack([across, upwards, np.nan_to_num(first)], -1).reshape(-1, 3)
    parts = [head, "\n".join(" ".join(f"{value:.9g}" for value in point) for point in points.tolist()), "\n"]
    parts.append(f"POINT_DATA {many}\n")
    for kind, arrays in (("loss", grid.losses), ("error", grid.errors), ("computed", grid.computed)):
        for corpus, values in arrays.items():
            name = "".join(sign if sign.isalnum() else "_" for sign in f"{kind}_{corpus}")
            numbers = "\n".join(f"{float(value):.9g}" for value in values.reshape(-1).tolist())
            parts.append(f"SCALARS {name} double 1\nLOOKUP_TABLE default\n{numbers}\n")
    return "".join(parts)


def write_h5(grid: PlaneGrid, path: Path) -> None:
    """Write the grid as HDF5 with the names of loss-landscape's surface files.

    ``xcoordinates``, ``ycoordinates``; ``train_loss`` and ``train_acc`` (per cent) of the first corpus, ``test_loss``
    and ``test_acc`` of the second one, if there is one. A point without a value is -1, as there.

    Raises:
        BertdynError: h5py is not installed, or the file cannot be written.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise BertdynError("HDF5 is written by h5py, which is not installed: pip install 'bertdyn[hdf5]'.") from None
    with whole(path) as draft, h5py.File(draft, "w") as file:
        file["xcoordinates"], file["ycoordinates"] = grid.x, grid.y
        for prefix, corpus in zip(("train", "test"), grid.losses, strict=False):
            loss = grid.losses[corpus]
            file[f"{prefix}_loss"] = np.where(np.isfinite(loss), loss, -1.0)
            right = 100 * (1 - grid.errors[corpus])
            file[f"{prefix}_acc"] = np.where(np.isfinite(right), right, -1.0)
            file[f"{prefix}_computed"] = grid.computed[corpus]
            file[f"{prefix}_loss"].attrs["corpus"] = corpus
        file.attrs["title"] = grid.title
