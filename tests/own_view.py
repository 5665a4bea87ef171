"""A view that only tests know: seeds by layers as a map of one step. Running this module runs ``bertdyn`` with it."""

from __future__ import annotations

from explorer.answers.coordinates import SEED, STEP
from explorer.answers.look import ANYWHERE, FIRST, Look
from explorer.answers.rows import Rows
from explorer.views import kinds
from explorer.views.base import ViewKind
from explorer.views.field_view import OUTER, Layout
from explorer.views.maps import Map

SEEDS_BY_LAYER = Layout(OUTER, SEED, ("task", SEED, STEP, OUTER, "value"), (SEED, OUTER))
KIND = ViewKind(
    "seeds-by-layer",
    "Seeds by layer",
    "seed by layer as a map, of one step",
    "tests.own_view:seeds_by_layer",
    sources=(FIRST,),
    uses=("step",),
)


def seeds_by_layer(data: Rows, look: Look = ANYWHERE) -> Map:
    """Return seed by layer at the step that is looked at."""
    return Map(KIND.name, data, SEEDS_BY_LAYER, look)


if __name__ == "__main__":
    kinds.VIEWS = {**kinds.VIEWS, KIND.name: KIND}
    from explorer.cli import main

    main()
