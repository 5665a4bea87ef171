"""The data thread: it opens and lists the store, reads views and writes exports.

Only this thread of the explorer's process reads the store. It answers with messages and touches no widget. The tables
are read in a child process (see ``store.catalog_process``).

For each pane only the newest wish is served: a user who holds down a key waits for one view, not for twenty. The
picture goes first; the view beside it is read when the picture has no open wish.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.ui.catalogue import Catalogue
from explorer.ui.messages import Exported, Failed, Listed, Loaded
from explorer.ui.state import Wish
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.layout import ACTIVATIONS, CORPORA, TABLES

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.answers.look import Look
    from explorer.selection import Question
    from store.reads import ReadStore
    from store.store import Store

POLL_SECONDS = 1.5
PAINT_SECONDS = 0.5
"""Longest time to wait until a view is painted."""
TICK = 20_000_000
"""Nanoseconds; longer than a tick of the clock of a local file system."""
KEPT = 12
"""Number of cached answers, so that going back and forth between a few views costs nothing."""
KEPT_VALUES = 15_000
"""Largest number of values of all cached answers together; the newest answer is always kept."""


LISTING = ((CORPORA, 2), (ACTIVATIONS, 3))
"""Folders that change when a corpus, an annotation or a checkpoint is added, with the depth of their subfolders."""
VALUES = ((TABLES, 1),)
"""Folders that change when values are added."""


Name = tuple[str, "Question | None", "Look"]
"""Name of an answer: a source, its question and its look. Equal names have equal answers."""


@dataclass(frozen=True)
class CachedAnswer:
    """The answer of a source."""

    data: Any
    age: int
    """Value of ``Reader._age`` when it was read; a smaller one than now means that newer values may exist."""


class Reader:
    """A thread that serves one wish per pane. ``post`` must be safe to call from any thread."""

    def __init__(self, path: Path, post: Callable[[Message], object], reads: ReadStore | None = None) -> None:
        self._path, self._post = path, post
        self.reads = reads
        """How the tables are read; None: in a child process."""
        self._wake = threading.Condition()
        self._wishes: dict[int, Wish] = {}
        """Wishes by pane: 0 is the picture, 1 the view beside it."""
        self._due: set[int] = set()
        """Panes whose wish must be answered."""
        self._chores: list[Callable[[], Path]] = []
        self._stopped = self._early = False
        self._store: Store | None = None
        self._painted: Wish | None = None
        """The wish whose view was painted last."""
        self._age = 0
        """Increases whenever the store may have newer values."""
        self._kept: OrderedDict[Name, CachedAnswer] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="bertdyn-reader", daemon=True)

    def start(self) -> None:
        """Open the store and run until ``stop``; a second call does nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Tell the thread to end, without waiting for it."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def finish(self) -> None:
        """End the thread and the process that it waits for."""
        self.stop()
        if (store := self._store) is not None:
            store.close()
        if self._thread.is_alive():
            self._thread.join()

    def show(self, wish: Wish | None, place: int = 0) -> None:
        """Request a view for a pane, or none; an earlier wish for the pane is dropped unless it is being answered."""
        with self._wake:
            if wish is None:
                self._wishes.pop(place, None)
            else:
                self._wishes[place] = wish
            self._due.add(place)
            self._wake.notify()

    def painted(self, wish: Wish) -> None:
        """Go on with what the view of a wish shows later: the view is on the screen."""
        with self._wake:
            self._painted = wish
            self._wake.notify()

    def look_again(self) -> None:
        """Look for new results now instead of at the next poll."""
        with self._wake:
            self._early = True
            self._wake.notify()

    def write(self, chore: Callable[[], Path]) -> None:
        """Write a file in this thread, and post ``Exported``."""
        with self._wake:
            self._chores.append(chore)
            self._wake.notify()

    def _run(self) -> None:
        seen = listed = None
        failed = ""
        while not self._stopped:
            try:
                store = self._store or self._open()
                listing, values = stamp(self._path, LISTING), stamp(self._path, VALUES)
                if (listing, values) != seen:
                    self._outdate()
                if listing != listed:
                    self._post(Listed(catalogue(store)))
                seen, listed, failed = (listing, values), listing, ""
            except Exception as error:
                reason = reason_of(error)
                if reason != failed:
                    self._post(Failed(None, reason))
                seen, listed, failed = None, None, reason
                self._close()
            self._serve(self._store)
            with self._wake:
                self._wake.wait_for(
                    lambda: bool(self._due or self._chores) or self._early or self._stopped, POLL_SECONDS
                )
                self._early = False

        self._close()

    def _open(self) -> Store:
        from explorer.compute.pool import one_blas_thread

        with one_blas_thread():
            import numpy  # noqa: F401
        from store.catalog_process import CatalogProcess
        from store.store import Store

        self._store = store = Store.open(self._path, self.reads or CatalogProcess)
        return store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _outdate(self) -> None:
        with self._wake:
            self._due.update(self._wishes)
            self._age += 1

    def _serve(self, store: Store | None) -> None:
        with self._wake:
            chores, self._chores = self._chores, []
            if store is None:
                self._due.clear()
        for chore in chores:
            try:
                self._post(Exported(chore()))
            except Exception as error:
                self._post(Exported(None, reason_of(error)))
        while store is not None and (next_one := self._next()) is not None:
            place, wish, age = next_one
            try:
                self._answer(store, place, wish, age)
            except Exception as error:
                self._post(Failed(wish, reason_of(error)))

    def _next(self) -> tuple[int, Wish, int] | None:
        """Return the wish to answer now, with its pane and the age that answers must have."""
        with self._wake:
            while self._due and not self._stopped:
                place = min(self._due)
                self._due.remove(place)
                if place in self._wishes:
                    return place, self._wishes[place], self._age
        return None

    def _gives_way(self, place: int) -> bool:
        """Return whether another pane goes first; if so, this pane is answered after it."""
        with self._wake:
            first = min(self._due, default=place) < place
            if first:
                self._due.add(place)
        return first

    def _answer(self, store: Store, place: int, wish: Wish, age: int) -> None:
        sources, names = VIEWS[wish.view].sources, _names(wish)
        known = [self._kept[name] for name in names if name in self._kept]
        if len(known) == len(names):
            # Earlier answers are shown at once, even when newer values exist.
            self._post(_loaded(wish, [kept.data for kept in known]))
            if all(kept.age == age for kept in known):
                return
        got: list[Any] = []
        for source, name in zip(sources, names, strict=True):
            if self._gives_way(place):
                return
            kept = self._kept.pop(name, None)
            if kept is None and source.later:
                self._post(_loaded(wish, [*got, *[None] * (len(names) - len(got))]))
                self._wait_for_paint(wish)
            if kept is None or kept.age != age:
                kept = CachedAnswer(source.fetch(store, wish.question, wish.look, got), age)
                _explain_nothing(store, wish.question, kept.data)
            self._kept[name] = kept
            got.append(kept.data)
        if not self._gives_way(place):
            self._post(_loaded(wish, got))
            self._forget()

    def _wait_for_paint(self, wish: Wish) -> None:
        """Leave the processor to the painting of a view: while this thread reads on, it takes twice as long."""
        with self._wake:
            self._wake.wait_for(lambda: self._painted is wish or bool(self._due) or self._stopped, PAINT_SECONDS)

    def _forget(self) -> None:
        """Drop the answers that were not used for the longest time; those on the screen stay."""
        with self._wake:
            shown = {name for wish in self._wishes.values() for name in _names(wish)}
        for name in [name for name in self._kept if name not in shown]:
            if len(self._kept) <= KEPT and self._values() <= KEPT_VALUES:
                break
            del self._kept[name]

    def _values(self) -> int:
        from explorer.answers.rows import Rows

        return sum(len(kept.data.results) for kept in self._kept.values() if isinstance(kept.data, Rows))


def _names(wish: Wish) -> list[Name]:
    """Return the names of the answers that the view of a wish is built from."""
    return [(s.fetcher, wish.question, s.trimmed(wish.look)) for s in VIEWS[wish.view].sources]


def _explain_nothing(store: Store, question: Question | None, data: Any) -> None:
    from explorer.answers.rows import Rows

    if question is not None and isinstance(data, Rows) and not len(data.wanted):
        from explorer.compute.plan import coverage

        coverage(store, question)  # raises the reason why the question has no values


def _loaded(wish: Wish, data: Sequence[Any]) -> Loaded:
    kind = VIEWS[wish.view]
    view = kind.build(*data, look=wish.look)
    return Loaded(wish, view, view.data.missing if kind.computes else 0)


def reason_of(error: Exception) -> str:
    """Return the message of an error; for an unexpected error also its type, for a bug report."""
    from explorer.measures.computation import MeasureError

    if isinstance(error, (BertdynError, MeasureError)):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
    return f"Unexpected {type(error).__name__}: {error}"


def stamp(path: Path, where: Sequence[tuple[str, int]]) -> frozenset[tuple[str, int]]:
    """Return a stamp of some folders of a store: nothing is new if two stamps are equal.

    A checkpoint is renamed into the folder of its seed, an annotation into the folder of its corpus, a fragment of rows
    into the folder of its table. So the times of these folders show every change, and the cost grows with the number of
    runs, not of checkpoints.

    Args:
        where: names of folders, each with the depth of its subfolders.

    Raises:
        OSError: the store's folder does not exist any more.
    """
    os.stat(path)
    now = time.time_ns()
    return frozenset(
        (folder, _settled(os.stat(folder).st_mtime_ns, now))
        for top, depth in where
        for folder in _folders(str(path / top), depth)
    )


def _settled(changed: int, now: int) -> int:
    """Return a folder's time; negative if the folder may change again in the same tick, so that later stamps differ."""
    return changed if changed < now - TICK else -changed


def _folders(top: str, depth: int) -> Iterator[str]:
    """Yield a folder and its subfolders, ``depth`` levels deep; folders that vanish meanwhile are skipped."""
    try:
        inside = [e.path for e in os.scandir(top) if e.is_dir()] if depth else []
    except OSError:
        return
    yield top
    for folder in inside:
        yield from _folders(folder, depth - 1)


def catalogue(store: Store) -> Catalogue:
    """Return the content of a store, and the measures that exist.

    Raises:
        BertdynError: the store cannot be read.
    """
    from explorer.measures.registry import all_measures
    from explorer.selection import listing_of

    checkpoints = store.checkpoints()
    listing = listing_of(store.corpora(), checkpoints)
    return Catalogue(
        corpora=listing.corpora,
        keys=listing.keys,
        registered=listing.registered,
        layers=max((c.layers for c in checkpoints), default=0),
        measures=all_measures(),
        heads=max((c.heads for c in checkpoints), default=0),
    )
