"""Convert frozen dataclasses to JSON and back: the single encoding of selections, requests, messages and sessions.

The JSON may be older, newer or damaged. ``decode`` reads each field separately: an unreadable field gets its default,
an unknown one is dropped. ``decode_strictly`` refuses both.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from explorer.selection.against import Against
from explorer.selection.ranges import Ranges
from store.errors import BertdynError

T = TypeVar("T")


class _UnreadableError(ValueError):
    """The value does not fit the type of the field."""


def encode(value: Any) -> Any:
    """Convert a value to JSON types: dataclasses by their fields, parts of selections as on the command line."""
    if isinstance(value, (Ranges, Against)):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list, frozenset, set)):
        return [encode(v) for v in value]
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    return value


def decode(kind: type[T], said: Any) -> T:
    """Return a dataclass of that kind, with defaults for the fields that cannot be read."""
    given = said if isinstance(said, dict) else {}
    hints = get_type_hints(kind)
    read = {}
    for f in fields(kind):  # type: ignore[arg-type]
        if f.name in given:
            try:
                read[f.name] = _read(hints[f.name], given[f.name])
            except (_UnreadableError, BertdynError):
                continue
    return kind(**read)


def decode_strictly(kind: type[T], said: Any) -> T:
    """Return a dataclass of that kind; fields that are not given get their defaults.

    Raises:
        BertdynError: it is not a JSON object, or a field is missing, unknown or unreadable (the message names it).
    """
    if not isinstance(said, dict):
        raise BertdynError(f"{kind.__name__} must be a JSON object, not {said!r}.")
    hints = get_type_hints(kind)
    read = {}
    for name, value in said.items():
        if name not in hints:
            raise BertdynError(f"{kind.__name__} has no '{name}', only {', '.join(hints)}.")
        hint = hints[name]
        choices = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
        inner = [one for one in choices if is_dataclass(one) and one not in (Ranges, Against)]
        try:
            whole = bool(inner) and value is not None
            read[name] = decode_strictly(inner[0], value) if whole else _read(hint, value)  # type: ignore[arg-type]
        except (_UnreadableError, BertdynError) as error:
            why = f" {error}" if isinstance(error, BertdynError) else ""
            raise BertdynError(f"'{name}' of {kind.__name__} cannot be read: {value!r}.{why}") from None
    try:
        return kind(**read)
    except TypeError as error:
        raise BertdynError(f"{kind.__name__} is not complete: {error}.") from None


def encode_with_kind(value: Any) -> dict[str, Any]:
    """Return what JSON can hold of a dataclass that is one of several, and which of them it is."""
    return {"kind": kind_of(type(value)), **encode(value)}


def kind_of(one: type) -> str:
    """Return what a dataclass is called where it is one of several."""
    return one.__name__.lower()


def decode_by_kind(kinds: Mapping[str, type[T]], said: Any, what: str) -> T:
    """Return the dataclass that was said, of the one of ``kinds`` that it names.

    Args:
        what: what all of them are, in a word for the user.

    Raises:
        BertdynError: it names none of them, or as ``decode_strictly``.
    """
    kind = said.get("kind") if isinstance(said, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        named = ", ".join(kinds)
        raise BertdynError(f"A {what} is a JSON object whose 'kind' is one of {named}, not {str(said)[:200]!r}.")
    return decode_strictly(kinds[kind], {name: value for name, value in said.items() if name != "kind"})


def _read(hint: Any, said: Any) -> Any:
    """Return a value of a type.

    Raises:
        _UnreadableError: the JSON value does not fit the type.
    """
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _first(inside, said)
    if hint is None or hint is type(None):
        return _kept(said, said is None)
    if hint in (Ranges, Against):
        _kept(said, isinstance(said, str))
        return Ranges.parse(said, "") if hint is Ranges else Against.parse(said)
    if hint in (str, bool):
        return _kept(said, isinstance(said, hint))
    if hint is int:
        return _kept(said, isinstance(said, int) and not isinstance(said, bool))
    if hint is float:
        return float(_kept(said, isinstance(said, (int, float)) and not isinstance(said, bool)))
    if origin in (tuple, frozenset):
        _kept(said, isinstance(said, list))
        if origin is frozenset or inside[-1:] == (...,):
            return origin(_read(inside[0], v) for v in said)
        _kept(said, len(said) == len(inside))
        return tuple(_read(h, v) for h, v in zip(inside, said, strict=True))
    if origin is dict:
        return {k: _read(inside[1], v) for k, v in _kept(said, isinstance(said, dict)).items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, _kept(said, isinstance(said, dict)))
    if hint in (object, Any):
        return said
    raise _UnreadableError(hint)


def _first(hints: tuple[Any, ...], said: Any) -> Any:
    refused: Exception = _UnreadableError(said)
    for hint in hints:
        try:
            return _read(hint, said)
        except BertdynError as error:  # its message explains the fault
            refused = error
        except _UnreadableError:
            continue
    raise refused


def _kept(said: Any, right: bool) -> Any:
    if not right:
        raise _UnreadableError(said)
    return said
