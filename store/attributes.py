"""Read the attributes of groups as plain JSON, without numpy and zarr, so that listings start quickly."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from store.errors import BertdynError, ForbiddenError
from store.keys import AnnotationInfo, CheckpointKey, CorpusInfo
from store.layout import ANNOTATIONS, checkpoint_path
from store.staging import MARK


def strict(value: Any) -> Any:
    """Convert a value to strict JSON: numpy numbers to plain ones, NaN and infinities to null, keys to text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [strict(v) for v in value]
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def description(folder: Path) -> dict[str, Any]:
    """Return the ``zarr.json`` of a group or an array.

    Raises:
        BertdynError: there is none, or it is damaged.
    """
    path = folder / MARK
    try:
        text = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise BertdynError(f"There is no '{path}'.") from None
    except ValueError:
        raise BertdynError(f"'{path}' is damaged: it is not JSON.") from None
    except PermissionError as error:
        raise ForbiddenError(f"'{path}' cannot be read: {error.strerror}.") from None
    except OSError as error:
        raise BertdynError(f"'{path}' cannot be read: {error.strerror}.") from None
    if not isinstance(text, dict):
        raise BertdynError(f"'{path}' is damaged: it describes nothing.")
    return text


def read_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes of a group. Opening it as Zarr would take ten times as long, and a listing reads thousands.

    Raises:
        BertdynError: there is no group, or its description is damaged.
    """
    found = description(folder).get("attributes")
    if not isinstance(found, dict):
        raise BertdynError(f"'{folder / MARK}' is damaged: it has no attributes.")
    return found


def checkpoint_attributes(root: Path, corpus: str, key: CheckpointKey) -> dict[str, Any]:
    """Return the attributes of a stored checkpoint, checked to be of this checkpoint.

    Raises:
        BertdynError: it does not exist, is damaged, or its folder holds another checkpoint.
    """
    path = checkpoint_path(root, corpus, key)
    attributes = read_attributes(path)
    found = tuple(attributes.get(name) for name in ("corpus", "task", "variant", "seed", "step"))
    if found != (corpus, *key):
        raise BertdynError(
            f"'{path}' should hold checkpoint {key} on corpus '{corpus}', but holds {found}. "
            f"Run `bertdyn check {root} --repair`."
        )
    return attributes


def corpus_info(folder: Path) -> CorpusInfo:
    """Return the listing entry of the corpus in a folder.

    Raises:
        BertdynError: there is none, or it is damaged.
    """
    found = read_attributes(folder).get("info")
    try:
        return CorpusInfo(**found, annotations=tuple(_annotations(folder)))  # type: ignore[arg-type]
    except (KeyError, TypeError):
        raise BertdynError(f"'{folder / MARK}' is damaged: it does not describe a corpus.") from None


def annotation_info(folder: Path) -> AnnotationInfo:
    """Return the listing entry of the annotation in a folder.

    Raises:
        BertdynError: there is none, or it is damaged.
    """
    found = read_attributes(folder)
    try:
        return AnnotationInfo(**{**found, "labels": tuple(found["labels"])})
    except (KeyError, TypeError):
        raise BertdynError(f"'{folder / MARK}' is damaged: it does not describe an annotation.") from None


def _annotations(folder: Path) -> list[AnnotationInfo]:
    """Return a corpus's annotations in the order of their addition, without those whose description is damaged."""
    found = []
    for place in (folder / ANNOTATIONS).glob(f"*/{MARK}"):
        with suppress(BertdynError):
            found.append(annotation_info(place.parent))
    return sorted(found, key=lambda info: (info.place, info.name))
