"""Read a stored checkpoint's weights, tensor by tensor, from the files that it was extracted from.

The weights are not copied into the store. They are read only if their digest is the one in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from store.errors import BertdynError
from store.models.files import read_tensors, stamped_digest, weight_files, weights_stamp
from store.models.names import Place, layers_of_group, places
from store.models.tensors import LoadedTensors, SafeTensors, Tensors

if TYPE_CHECKING:
    from store.keys import CheckpointKey
    from store.store import Store


class Source(NamedTuple):
    """The files of a stored checkpoint's weights, which still have the digest in the store."""

    folder: Path
    base: Path | None
    """Folder of an adapter's base; None if the checkpoint is a whole model."""
    files: tuple[Path, ...]
    stamp: tuple[int, int]
    """Total bytes and latest change (``store.models.files.weights_stamp``)."""


def source_of(noted: Mapping[str, Any], key: CheckpointKey) -> Source:
    """Return where a stored checkpoint's weights are.

    Args:
        noted: attributes of the checkpoint's extraction or registration.

    Raises:
        BertdynError: the folder is gone or now holds other weights.
    """
    folder = Path(str(noted.get("folder") or noted["source"]))
    base = Path(str(noted["base_folder"])) if noted.get("base_folder") else None
    files = _files(folder, base)
    if not files or not all(path.is_file() for path in files):
        raise BertdynError(
            f"The weights of {key} are no longer in {base or folder}, where they were extracted from. Put them "
            "back, or extract again from where they are with --replace."
        )
    return Source(folder, base, files, _verify(files, noted, key, folder))


class StoredWeights:
    """The weights of one checkpoint, each read only when it is requested."""

    def __init__(
        self,
        folder: Path,
        files: tuple[Path, ...],
        layers: int,
        prefix: str = "",
        tensors: Mapping[str, Any] | None = None,
        identity: str = "",
        classes: tuple[str, ...] = (),
    ) -> None:
        """
        Args:
            files: files with the weights, as found by ``store.models.files.weight_files``.
            layers: number of layers of the encoder; shared weights belong to several of them.
            prefix: prefix of the encoder's names in the files.
            tensors: the weights by name, if they differ from those in the files.
            identity: identity of the weights, equal for equal ones.
            classes: names of the classes of the classifier; empty if there is none.

        Raises:
            BertdynError: a file cannot be read, or two weights have the same place.
        """
        self.identity, self.classes = identity, classes
        self._layers = layers
        self._open = ExitStack()
        try:
            sources = [LoadedTensors(tensors)] if tensors is not None else [self._source(path) for path in files]
            self._sources = {name: source for source in sources for name in source.names()}
            self._places = places(self._sources, prefix)
        except ValueError as error:
            self.close()
            raise BertdynError(f"The weights in {folder} are of more than one encoder: {error}.") from None
        except BaseException:
            self.close()
            raise
        self._written = {place.name: written for written, place in self._places.items()}
        self._groups = 1 + max((p.layer or 0 for p in self._places.values() if p.group), default=0)

    @classmethod
    def of(cls, store: Store, corpus: str, key: CheckpointKey) -> StoredWeights:
        """Open the weights of a stored checkpoint.

        Raises:
            BertdynError: its folder is gone, now holds other weights, or cannot be read.
        """
        noted = store.attributes(corpus, key)
        source = source_of(noted, key)
        merged = None if source.base is None else _merged(source.folder, source.base, source.stamp)
        prefix = "" if merged is not None else str(noted.get("weights_prefix", ""))
        classes = tuple(dict(noted.get("classifier") or {}).get("labels", ()))
        identity = str(noted["weights_sha256"])
        return cls(source.folder, source.files, int(noted["layers"]), prefix, merged, identity, classes)

    def modules(self, layer: int | None) -> dict[str, str]:
        """Return the module of each weight of one layer, by the weight's name.

        Args:
            layer: 0 is everything before the first layer; None: pooler, classifier and weights of unknown place.
        """
        return {place.name: place.module for place in self._places.values() if layer in self._layers_of(place)}

    def tensor(self, name: str) -> np.ndarray:
        """Return one weight as float32, in its shape in the file."""
        written = self._written[name]
        return np.asarray(self._sources[written].whole(written).float().numpy())

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of one weight, without reading it."""
        written = self._written[name]
        return self._sources[written].shape(written)

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Return entries ``start`` to ``stop`` of one weight that is laid out in one row, float32.

        Raises:
            BertdynError: the file cannot be read, or has been cut.
        """
        written = self._written[name]
        return np.asarray(self._sources[written].part(written, start, stop).float().numpy())

    def close(self) -> None:
        """Close the files."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _layers_of(self, place: Place) -> tuple[int | None, ...] | range:
        if place.group and place.layer is not None:
            return layers_of_group(place.layer, self._groups, self._layers)
        return (place.layer,)

    def _source(self, path: Path) -> Tensors:
        if path.suffix == ".safetensors":
            return SafeTensors(path, self._open)
        return LoadedTensors(read_tensors((path,)))


def _files(folder: Path, base: Path | None) -> tuple[Path, ...]:
    """Return the files that the digest of a checkpoint's weights covers; empty if they are gone."""
    from store.models.adapters import adapter_files

    own = weight_files(folder if base is None else base)
    return own + adapter_files(folder) if own and base is not None else own


@lru_cache(maxsize=1)
def _merged(folder: Path, base: Path, stamp: tuple[int, int]) -> Mapping[str, Any]:
    """Return the weights of a base with an adapter merged into them; the last result stays in memory.

    Raises:
        BertdynError: they cannot be loaded or merged.
    """
    import torch

    from store.models.load import load, look

    encoder = load(look(folder, base), torch.device("cpu"))
    own = {name: tensor for name, tensor in encoder.model.state_dict().items() if name not in encoder.absent}
    return {**own, **encoder.heads}


def _verify(files: tuple[Path, ...], noted: Mapping[str, Any], key: CheckpointKey, folder: Path) -> tuple[int, int]:
    """Check that the files still have the digest in the store, and return their stamp."""
    stamp = weights_stamp(files)
    if (noted.get("weights_size"), noted.get("weights_mtime_ns")) == stamp:
        return stamp
    if stamped_digest(files, stamp) != noted.get("weights_sha256"):
        raise BertdynError(
            f"The weights in {folder} have changed since {key} was stored. Extract them again with --replace, or put "
            "the old ones back."
        )
    return stamp
