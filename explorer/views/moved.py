"""Moved and matters: how far each layer moved beside the damage of its rollback, as lines on one axis of layers."""

from __future__ import annotations

from explorer.answers.moved import MovedLayers
from explorer.measures.declaration import LAYER
from explorer.render.fitting import DOT
from explorer.views import words
from explorer.views.profiles import SCALED, Profiles, ProfileWords

COLUMNS = (
    *("corpus", "annotation", "task", "step", "against", "measure", "layer", "value", "sd", "seeds", "unit"),
    *("of_maximum", "spearman", "spearman_layers"),
)


class Moved(Profiles):
    """x is the layer, y the quantity; the damage is the last one."""

    def __init__(self, found: MovedLayers) -> None:
        self.found = found
        asked = found.rows.question
        where = ", ".join((found.task, words.seeds(found.seeds) if found.seeds else "", f"step {found.step:,}"))
        said = ProfileWords(
            DOT.join((f"Moved and matters {words.against(found.rows)}", where)),
            f"{asked.annotation} of corpus {asked.corpus}{DOT}{SCALED}",
            self._correlations(),
            "Neither how far the layers moved nor what their rollback costs is computed at this step.",
        )
        super().__init__("moved", found.rows, found.profiles, LAYER.name, said)

    def _correlations(self) -> tuple[str, ...]:
        """A note on how well each quantity orders the layers as the damage does."""
        found = []
        for profile in self.found.moved:
            value, layers = profile.correlation(self.found.damage)
            found += [f"{profile.title} {value:.2f} ({layers} layers)"] if value is not None else []
        return (f"rank correlation with {self.found.damage.title}: {', '.join(found)}",) * bool(found)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per quantity and layer, not scaled."""
        found, asked = self.found, self.found.rows.question
        place = (asked.corpus, asked.annotation, found.task, found.step, str(asked.against or ""))
        rows: list[tuple[object, ...]] = []
        for profile in found.profiles:
            spearman, layers = (None, None) if profile is found.damage else profile.correlation(found.damage)
            spreads, measure = profile.spreads, profile.measure
            for layer, mean in profile.means.items():
                of_maximum, seeds = mean / profile.largest, len(profile.values[layer])
                values = (mean, spreads.get(layer), seeds, measure.unit, of_maximum, spearman, layers)
                rows.append((*place, measure.name, layer, *values))
        return COLUMNS, rows


def moved(rows: object, found: MovedLayers) -> Moved:
    """Return the view; the rows of the rollback were only needed to find its step."""
    return Moved(found)
