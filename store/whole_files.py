"""Write files for the user completely or not at all: an old file stays until the new one is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import BertdynError
from store.ownership import DRAFT, remove_drafts, tag


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a new path beside ``path`` to write to; it replaces ``path`` when the block ends without an error.

    The new file has the permissions of the old one, or those that the umask gives. A link stays a link. What is no
    regular file (a pipe, ``/dev/stdout``), and a file in a folder that is not writable, are written in place.
    Unfinished files that dead processes left in the folder are removed.

    Raises:
        BertdynError: the file cannot be written; the old one is as it was.
    """
    place = Path(os.path.realpath(path)) if path.is_symlink() else path
    draft = place.with_name(f".{tag()}{DRAFT}")
    try:
        old = place.stat().st_mode if place.exists() else None
        if old is not None and (not place.is_file() or not os.access(place.parent, os.W_OK)):
            yield path
            return
        remove_drafts(place.parent)
        try:
            yield draft
            if old is not None:
                os.chmod(draft, old & 0o7777)
            _sync(draft)
            os.replace(draft, place)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise BertdynError(f"Cannot write {path}: {error.strerror or error}.") from None


def write_whole(path: Path, text: str) -> None:
    """Write text as UTF-8, completely or not at all.

    Raises:
        BertdynError: as ``whole``.
    """
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="surrogatepass")


def _sync(path: Path) -> None:
    """Force a file to the disk: some file systems say only now that they are full."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
