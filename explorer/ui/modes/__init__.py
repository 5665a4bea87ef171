"""The list of modes. A mode is a module with a ``MODE``: its key, its pictures and its own behaviour."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.ui.modes import clusters, curves, example, heat, jobs, overview, profile, seeds, sql, table
from explorer.ui.modes import store as store_mode
from explorer.ui.modes.mode import AXES, HEAD, LAYER, QUERY, STEP, STEPS, Mode, Variant

MODES: Mapping[str, Mode] = {
    module.MODE.name: module.MODE
    for module in (overview, curves, profile, heat, seeds, clusters, example, table, sql, store_mode, jobs)
}

__all__ = ["AXES", "HEAD", "LAYER", "MODES", "QUERY", "STEP", "STEPS", "Mode", "Variant"]
