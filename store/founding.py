"""Create, recognise and remove a store's folder."""

from __future__ import annotations

import glob
import json
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from store import layout
from store.errors import BertdynError
from store.ownership import ServerClock, is_gone, owner, remove_drafts, tag
from store.places import closed, scan
from store.staging import sync, write_file, writing


def make(path: str | os.PathLike[str]) -> Path:
    """Create an empty store, completely or not at all, and return its absolute path.

    Raises:
        BertdynError: the path is taken or not writable.
    """
    place = Path(os.path.abspath(path))
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise _taken(place)
    draft = _beside(place)
    with writing(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        collect_beside(place)
        try:
            draft.mkdir()
            for name in layout.FOLDERS:
                (draft / name).mkdir()
            marker = {
                "format": layout.FORMAT,
                "version": layout.VERSION,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            write_file(draft / layout.MARKER, json.dumps(marker, indent=1).encode())
            # Renamed as a whole, so that a process that creates the same store at the same time sees all or nothing.
            os.rename(draft, place)
        except OSError as error:
            if (place / layout.MARKER).is_file():
                raise _taken(place) from None
            raise error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        sync(place.parent)
    return place


def recognised(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a store after checking its format.

    Raises:
        BertdynError: there is no such folder, it is not a store, or a store of another format.
    """
    place = Path(os.path.abspath(path))
    try:
        if not place.is_dir():
            raise BertdynError(f"There is no folder '{place}': `bertdyn extract` makes a store.")
        marker = json.loads((place / layout.MARKER).read_bytes())
        version = marker["version"] if marker["format"] == layout.FORMAT else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        version = None
    except OSError as error:
        raise BertdynError(f"'{place}' cannot be read: {error.strerror}.") from None
    if not isinstance(version, int):
        raise BertdynError(f"'{place}' is not a bertdyn store: it has no readable {layout.MARKER}.")
    if version > layout.VERSION:
        raise BertdynError(
            f"'{place}' has format {version}; this bertdyn reads formats up to {layout.VERSION}. Update bertdyn."
        )
    if version < layout.VERSION:
        raise BertdynError(
            f"'{place}' has format {version}, which this bertdyn (format {layout.VERSION}) does not read: "
            "extract into a new store."
        )
    return place


def remove_unused(place: Path) -> bool:
    """Remove a store without checkpoints that no process is writing to. Return whether it was removed.

    Raises:
        BertdynError: the folder around it is not writable.
    """
    if _used(place):
        return False
    grave = _beside(place)
    with writing(place.parent):
        os.rename(place, grave)  # in one step, so that no process opens half a store
        if _used(grave):  # another process began to write, or even finished, after the first check
            os.rename(grave, place)
            return False
    shutil.rmtree(grave, ignore_errors=True)
    return True


def collect_beside(place: Path) -> None:
    """Remove leftovers of processes that died while they created or removed this store.

    Raises:
        OSError: the folder around the store cannot be read.
    """
    remove_drafts(place.parent)
    clock = ServerClock(place.parent)
    for folder in place.parent.glob(f"{glob.escape(f'.{place.name[:60]}.')}*"):
        if owner(folder.name) is not None and is_gone(folder.name, folder, clock):
            with suppress(OSError, BertdynError):
                if not _used(folder):
                    shutil.rmtree(folder)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name[:60]}.{tag()}")


def _used(place: Path) -> bool:
    """Return whether a process is writing, or a checkpoint is stored, or may be stored where this user may not look.

    It looks into ``staging/`` first: a checkpoint that is finished meanwhile moves from there to ``activations/``.
    """
    staging = place / layout.STAGING
    # A process that was killed early may have left a store without this folder.
    if staging.is_dir() and any(staging.iterdir()):
        return True
    return bool(scan(place, layout.ACTIVATIONS, 4) or closed(place, layout.ACTIVATIONS, 4))


def _taken(place: Path) -> BertdynError:
    what = "is already a bertdyn store" if (place / layout.MARKER).is_file() else "exists and is not a bertdyn store"
    return BertdynError(f"'{place}' {what}: give the new store another name.")
