"""Use the workers of a running dask cluster, given the address of its scheduler.

Only tasks and the store's path are sent. Every worker must see the store under the same path, on a shared file system,
and have the same measures.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.compute.executors.base import MakeWorkers, Note, Notes, P, T, Verdict
from explorer.compute.executors.sight import Sight, difference, look, shown
from store.errors import BertdynError

CONNECT_SECONDS = 10.0
"""Seconds to wait for an answer of the scheduler, and for the first worker."""
_GPU = "GPU"
_LOGGERS = ("distributed", "distributed.client", "distributed.core", "distributed.comm", "tornado.application")


@dataclass(frozen=True)
class TopicNotes:
    """Sends notes to the subscribers of a topic at the scheduler."""

    topic: str

    def write(self, note: Note) -> None:
        """See ``Notes``."""
        from distributed import get_worker

        with suppress(Exception):  # a lost note does no harm
            get_worker().log_event(self.topic, tuple(note))


class ClusterWorkers:
    """All workers of a scheduler; their number may change at any time."""

    def __init__(self, client: Any, address: str, threads: int, resources: Mapping[str, float] | None) -> None:
        self._client = client
        self.threads = threads
        self._notes = TopicNotes(f"bertdyn-{uuid.uuid4().hex}")
        self._came: dict[int, Note] = {}
        self._lock = threading.Lock()
        self._lost = (
            f"The scheduler at {address} is gone. Finished work is kept: start it again and run the same command."
        )
        self._executor = client.get_executor(pure=False, resources=resources)
        client.subscribe_topic(self._notes.topic, self._take)

    @property
    def count(self) -> int:
        """See ``Workers``."""
        with suppress(Exception):
            return max(1, len(self._client.nthreads()))
        return 1

    @property
    def notes(self) -> Notes:
        """See ``Workers``."""
        return self._notes

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``Workers``."""
        future: Future[T] = self._executor.submit(function, *args, **kwargs)
        return future

    def read_notes(self) -> list[Note]:
        """See ``Workers``."""
        with self._lock:
            found, self._came = list(self._came.values()), {}
        return found

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        """See ``Workers``: if a worker dies, the scheduler gives its task to other workers and finally gives up."""
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            return Verdict(
                f"{error.allowed_failures + 1} workers died one after the other while computing {doing}. They may have "
                "run out of memory.",
                over=False,
            )
        if isinstance(error, CancelledError | CommClosedError) or self.gone():
            return Verdict(self._lost, over=True)
        return None

    def gone(self) -> str:
        """See ``Workers``: tasks that are sent after a lost connection never answer."""
        return "" if self._client.status in ("running", "connecting") else self._lost

    def close(self) -> None:
        """Disconnect from the scheduler and cancel tasks that have not begun."""
        with suppress(Exception):
            self._client.unsubscribe_topic(self._notes.topic)
        with suppress(Exception):
            self._executor.shutdown(wait=False)

    def _take(self, event: Any) -> None:
        """Called in the client's own thread."""
        _, content = event
        with suppress(TypeError):
            note = Note(*content)
            with self._lock:
                self._came[note.task] = note


def cluster_workers(address: str, store: Path, gpu: bool = False) -> MakeWorkers:
    """Return a function that connects to the workers of a scheduler.

    Args:
        store: path of the store, on a file system that all workers share.
        gpu: let each task take one GPU if any worker was started with some (``--resources GPU=1``).

    Raises (when entered):
        BertdynError: ``distributed`` is missing; no scheduler answers, or it has another version; there is no worker,
            or one has several threads, lacks bertdyn, has other measures, or does not see the store.
    """

    @contextmanager
    def connect(wanted: int) -> Iterator[ClusterWorkers]:
        try:
            from distributed import Client
        except ImportError:
            raise BertdynError(
                "--scheduler needs dask.distributed, which is not installed: pip install 'bertdyn[cluster]'."
            ) from None
        with _quiet():
            client = _client(Client, address)
            try:
                threads = _checked(client, address, store)
                workers = ClusterWorkers(client, address, threads, _one_gpu(client) if gpu else None)
                try:
                    yield workers
                finally:
                    workers.close()
            finally:
                with suppress(Exception):
                    client.close(timeout=1)

    return connect


def _one_gpu(client: Any) -> Mapping[str, float] | None:
    """Return the resources of a task: one GPU if any worker offers GPUs, else None."""
    known = client.scheduler_info(n_workers=-1)["workers"].values()
    return {_GPU: 1.0} if any(worker.get("resources", {}).get(_GPU) for worker in known) else None


def _client(make: Any, address: str) -> Any:
    try:
        return make(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BertdynError(f"--scheduler {address}: no dask scheduler answers there ({said}).") from None
    except Exception as error:  # another version of the protocol may raise anything
        raise BertdynError(
            f"--scheduler {address}: the scheduler does not understand this client ({type(error).__name__}). Both "
            "sides need the same version of dask.distributed."
        ) from None


def _checked(client: Any, address: str, store: Path) -> int:
    """Check the workers and return the number of threads that each may use.

    Raises:
        BertdynError: the workers cannot be used.
    """
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except (TimeoutError, OSError):
        raise BertdynError(f"--scheduler {address}: no worker is there yet. Start one with 'dask worker'.") from None
    several = [worker for worker, threads in client.nthreads().items() if threads != 1]
    if several:
        raise BertdynError(
            f"--scheduler {address}: worker {several[0]} has several threads, which would share one task's cache. "
            "Start workers with --nthreads 1, as many as there are cores (or GPUs) to use."
        )
    _same_versions(client, address)
    with shown(store) as mark:
        own = look(str(mark))
        try:
            found: Mapping[str, Sight | Exception] = client.run(look, str(mark), on_error="return")
        except Exception as error:
            raise BertdynError(f"--scheduler {address}: the workers do not answer ({error}).") from None
    for worker, sight in found.items():
        if isinstance(sight, Exception):
            said = str(sight).splitlines()[0] if str(sight) else type(sight).__name__
            raise BertdynError(f"--scheduler {address}: worker {worker} cannot use bertdyn: {said}.")
        if why := difference(own, sight, store):
            raise BertdynError(f"--scheduler {address}: worker {worker} {why}")
    sights = [sight for sight in found.values() if isinstance(sight, Sight)]
    on_host = Counter(sight.host for sight in sights)
    return max(1, min(sight.cpus // on_host[sight.host] for sight in sights))


def _same_versions(client: Any, address: str) -> None:
    """Refuse different versions of dask, which would fail late and without a clear message.

    Raises:
        BertdynError: the versions differ.
    """
    found = client.get_versions()
    own = found["client"]["packages"]
    for where, there in (("the scheduler", found["scheduler"]), *found["workers"].items()):
        for package in ("distributed", "cloudpickle", "msgpack"):
            other = (there or {}).get("packages", {}).get(package)
            if other != own.get(package):
                raise BertdynError(
                    f"--scheduler {address}: {where} has {package} {other}, and this process {own.get(package)}. Both "
                    "sides need the same versions."
                )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence dask's log messages about connections; our own errors say what matters."""
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
