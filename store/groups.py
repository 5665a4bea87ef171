"""Make and read Zarr v3 groups: only the core format, checksummed chunks, strict JSON attributes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from store.attributes import description, strict
from store.errors import BertdynError

CHECKSUM_BYTES = 4


@dataclass(frozen=True)
class ArrayInfo:
    """The description of an array in its ``zarr.json``."""

    path: Path
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype

    @property
    def chunk_bytes(self) -> int:
        """Size of every chunk file with its checksum; Zarr stores edge chunks in full."""
        return math.prod(self.chunks) * self.dtype.itemsize + CHECKSUM_BYTES

    def chunk(self, *index: int) -> Path:
        """Return the file of one chunk."""
        return self.path.joinpath("c", *map(str, index))

    def chunk_files(self) -> Iterator[Path]:
        """Return the files of all chunks that the array must have."""
        counts = [math.ceil(n / c) for n, c in zip(self.shape, self.chunks, strict=True)]
        return (self.chunk(*index) for index in itertools.product(*map(range, counts)))


def make_group(folder: Path, attributes: Mapping[str, Any]) -> None:
    """Make a group in an empty folder."""
    _zarr().create_group(store=folder, attributes=strict(attributes), zarr_format=3)


def set_attributes(folder: Path, attributes: Mapping[str, Any]) -> None:
    """Replace the attributes of a group that is not published yet."""
    _zarr().open_group(store=folder, mode="r+").update_attributes(strict(attributes))


def make_array(
    folder: Path,
    name: str,
    shape: Sequence[int],
    chunks: Sequence[int],
    dtype: np.dtype,
    axes: Sequence[str],
    values: np.ndarray | None = None,
) -> ArrayInfo:
    """Make an array in a group: uncompressed, with a CRC-32C after every chunk, and NaN as fill value of floats.

    Compression would save 8 to 15 % of such numbers and double the reading time. Without ``values`` no chunk is
    written.
    """
    zarr = _zarr()
    from zarr.codecs import Crc32cCodec

    array = zarr.create_array(
        store=folder,
        name=name,
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype=dtype,
        compressors=(Crc32cCodec(),),
        filters=None,
        fill_value=math.nan if dtype.kind == "f" else 0,
        dimension_names=tuple(axes),
        zarr_format=3,
        config={"write_empty_chunks": True},
    )
    if values is not None and values.size:
        array[...] = values
    return ArrayInfo(folder / name, tuple(shape), tuple(chunks), dtype)


def read_info(folder: Path) -> ArrayInfo:
    """Return shape, chunks and dtype of an array.

    Raises:
        BertdynError: there is no array, or its description is damaged.
    """
    text = description(folder)
    try:
        chunks = text["chunk_grid"]["configuration"]["chunk_shape"]
        if [codec["name"] for codec in text["codecs"]] != ["bytes", "crc32c"]:
            raise KeyError("its codecs are not bytes and crc32c")
        dtype = np.dtype(text["data_type"]).newbyteorder("<")
        return ArrayInfo(folder, tuple(text["shape"]), tuple(chunks), dtype)
    except (KeyError, TypeError) as error:
        raise BertdynError(f"'{folder / 'zarr.json'}' is damaged: {error}.") from None


def open_array(folder: Path) -> Any:
    """Open the Zarr array in a folder for reading."""
    return _zarr().open_array(store=folder, mode="r")


def _zarr() -> Any:
    """Return the zarr module, whose event loop runs or will be started.

    zarr 3.1 keeps its event loop even if the loop's thread could not be started, for want of memory or of threads: that
    call raises an error, and the next one would wait for ever. Here the next call tries to start the thread again.
    """
    import zarr
    from zarr.core import sync

    with sync._get_lock():
        thread = sync.iothread[0]
        if thread is not None and not thread.is_alive():
            sync.reset_resources_after_fork()
    return zarr


def array_folders(folder: Path) -> list[Path]:
    """Return the folders of a group's arrays."""
    return sorted(path.parent for path in folder.glob("*/zarr.json"))


def damage(folder: Path) -> Iterator[str]:
    """Yield the faults of the chunks of a group's arrays: missing, of wrong size, or not matching their checksum."""
    for place in array_folders(folder):
        info = read_info(place)
        for path in info.chunk_files():
            name = path.relative_to(folder)
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                yield f"chunk {name} is missing"
                continue
            if len(content) != info.chunk_bytes:
                yield f"chunk {name} has {len(content)} bytes, not {info.chunk_bytes}"
            elif _checksum(content[:-CHECKSUM_BYTES]) != content[-CHECKSUM_BYTES:]:
                yield f"chunk {name} does not match its checksum"


def extend_checksum(so_far: int, content: np.ndarray) -> int:
    """Return the CRC-32C ``so_far``, extended by ``content`` (uint8, contiguous)."""
    import google_crc32c

    view = content.view()
    view.flags.writeable = False  # the C code needs a buffer that cannot change meanwhile
    return int(google_crc32c.extend(so_far, view))


def _checksum(content: bytes) -> bytes:
    import google_crc32c

    return int(google_crc32c.value(content)).to_bytes(CHECKSUM_BYTES, "little")
