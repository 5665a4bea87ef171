"""What a selection asks for: every layer of every comparison, computed or not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from explorer.measures import Measure, get
from explorer.selection import Pair, Selection, pairs, seed_order
from explorer.views.cells import Place
from store.keys import PRETRAINED, Checkpoint

if TYPE_CHECKING:
    from store.store import Store


class Wanted(Collection[Place]):
    """Every value that a selection asks for, computed or not; each is made when it is looked at."""

    def __init__(self, store: Store, selection: Selection) -> None:
        """Raises BertdynError: the selection matches nothing; MeasureError: there is no such measure."""
        self.measure, self.selection = get(selection.measure), selection
        self._checkpoints = {c.key: c for c in store.checkpoints(selection.corpus)}
        self._pairs: dict[str, list[Pair]] = {}
        for pair in pairs(selection, tuple(self._checkpoints)):
            self._pairs.setdefault(pair.key.task, []).append(pair)
        self._layers: dict[tuple[object, ...], tuple[tuple[int, int | None], ...]] = {}

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Those that have any, in the order of the selection, else by name, the pre-trained model last."""
        there = [task for task in self._pairs if next(self.of(task), None)]
        ranks = {task: i for i, task in enumerate(self.selection.tasks)}
        return tuple(sorted(there, key=lambda task: (ranks.get(task, len(ranks)), task == PRETRAINED, task)))

    def of(self, task: str) -> Iterator[Place]:
        """Those of one task."""
        for pair in self._pairs.get(task, ()):
            for layer, other in self._compared(pair):
                yield Place.of(pair.key, layer, pair.reference, other)

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Tasks and seeds, by name."""
        found = {(task, pair.key.seed) for task, each in self._pairs.items() for pair in each}
        return sorted(found, key=lambda run: (run[0], seed_order(run[1])))

    def __iter__(self) -> Iterator[Place]:
        return (place for task in self._pairs for place in self.of(task))

    def __len__(self) -> int:
        return sum(len(self._compared(pair)) for each in self._pairs.values() for pair in each)

    def __contains__(self, place: object) -> bool:
        if not isinstance(place, Place) or Pair(place.key, place.reference) not in self._all:
            return False
        return (place.layer, place.ref_layer) in self._compared(Pair(place.key, place.reference))

    @cached_property
    def _all(self) -> frozenset[Pair]:
        return frozenset(pair for each in self._pairs.values() for pair in each)

    def _compared(self, pair: Pair) -> tuple[tuple[int, int | None], ...]:
        """The layers of a comparison, each with itself or with each of the reference's; few pairs differ in them."""
        sides = [self._checkpoints[key] for key in (pair.key, pair.reference) if key is not None]
        shape = tuple((c.layers, c.has_attention) for c in sides)
        if shape not in self._layers:
            self._layers[shape] = tuple(_layers(self.measure, self.selection, sides))
        return self._layers[shape]


def _layers(measure: Measure, selection: Selection, sides: Sequence[Checkpoint]) -> Iterator[tuple[int, int | None]]:
    if measure.reads == "attention" and not all(c.has_attention for c in sides):
        return
    layers = range(measure.first_layer, sides[0].layers + 1)
    chosen = [n for n in layers if selection.layers is None or n in selection.layers]
    if len(sides) == 1:
        yield from ((n, None) for n in chosen)
        return
    others = range(measure.first_layer, sides[1].layers + 1)
    for layer in chosen:
        if selection.ref_layers is None:
            against: Iterable[int] = (layer,) if layer in others else ()
        else:
            against = (n for n in others if n in selection.ref_layers) if measure.cross_layers else ()
        yield from ((layer, other) for other in against)
