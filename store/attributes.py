"""What groups say about themselves, as plain JSON: no numpy, no zarr, so that a listing costs nothing to start."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from store.errors import BertdynError
from store.keys import AnnotationInfo, CheckpointKey, CorpusInfo
from store.layout import ANNOTATIONS, checkpoint_path
from store.staging import MARK


def strict(value: Any) -> Any:
    """The value as strict JSON has it: numpy numbers as plain ones, NaN and infinities as null, keys as text."""
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
    """The ``zarr.json`` of a group or an array.

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
    except OSError as error:
        raise BertdynError(f"'{path}' cannot be read: {error.strerror}.") from None
    if not isinstance(text, dict):
        raise BertdynError(f"'{path}' is damaged: it describes nothing.")
    return text


def read_attributes(folder: Path) -> dict[str, Any]:
    """Attributes of a group. Opening it as Zarr takes ten times as long, and a listing reads thousands.

    Raises:
        BertdynError: there is no group, or its description is damaged.
    """
    found = description(folder).get("attributes")
    if not isinstance(found, dict):
        raise BertdynError(f"'{folder / MARK}' is damaged: it has no attributes.")
    return found


def checkpoint_attributes(root: Path, corpus: str, key: CheckpointKey) -> dict[str, Any]:
    """Attributes of a stored checkpoint, known to be those of the one that was asked for.

    Raises:
        BertdynError: it is not there, damaged, or another checkpoint lies in its folder.
    """
    path = checkpoint_path(root, corpus, key)
    attributes = read_attributes(path)
    found = tuple(attributes.get(name) for name in ("corpus", "task", "variant", "seed", "step"))
    if found != (corpus, *key):
        raise BertdynError(
            f"'{path}' should hold checkpoint {key} on corpus '{corpus}' but says it is {found}. "
            f"Run `bertdyn check {root} --repair`."
        )
    return attributes


def corpus_info(folder: Path) -> CorpusInfo:
    """What a listing says of the corpus in a folder.

    Raises:
        BertdynError: there is none, or it is damaged.
    """
    found = read_attributes(folder).get("info")
    try:
        return CorpusInfo(**found, annotations=tuple(_annotations(folder)))  # type: ignore[arg-type]
    except (KeyError, TypeError):
        raise BertdynError(f"'{folder / MARK}' is damaged: it describes no corpus.") from None


def annotation_info(folder: Path) -> AnnotationInfo:
    """What a listing says of the annotation in a folder.

    Raises:
        BertdynError: there is none, or it is damaged.
    """
    found = read_attributes(folder)
    try:
        return AnnotationInfo(**{**found, "labels": tuple(found["labels"])})
    except (KeyError, TypeError):
        raise BertdynError(f"'{folder / MARK}' is damaged: it describes no annotation.") from None


def _annotations(folder: Path) -> list[AnnotationInfo]:
    """Those of a corpus, in the order in which they were added; one whose description is damaged is not listed."""
    found = []
    for place in (folder / ANNOTATIONS).glob(f"*/{MARK}"):
        with suppress(BertdynError):
            found.append(annotation_info(place.parent))
    return sorted(found, key=lambda info: (info.place, info.name))
