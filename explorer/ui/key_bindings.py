"""Apply the user's [keys] to the keys of actions.py. Mistakes are reported before the explorer starts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from explorer.ui.action import Action
from explorer.ui.actions import ACTIONS
from explorer.ui.terminal.key_names import NAMES, name_of_character
from store.errors import BertdynError

ALWAYS = {"ctrl+q": "quit"}
"""Built-in keys that [keys] cannot rebind: there is always a way out."""
_MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")


def in_force(changed: Mapping[str, str], actions: tuple[Action, ...] = ACTIONS) -> tuple[Action, ...]:
    """Return every action with the keys that call it.

    Args:
        changed: keys by action id, separated by commas; each is a character (``?``) or a name (``question_mark``).

    Raises:
        BertdynError: a key does not exist, or would call two actions.
    """
    found = tuple(replace(a, keys=_keys(a.id, changed[a.id])) if a.id in changed else a for a in actions)
    taken = dict(ALWAYS)
    for action in sorted(found, key=lambda a: a.id in changed):  # so that the message names the changed action last
        for key in action.keys:
            other = taken.setdefault(key, action.id)
            if other != action.id:
                raise BertdynError(
                    f"[keys]: the key '{shown(key)}' is given to two actions, '{other}' and '{action.id}'. "
                    "Give one of them another key."
                )
    return found


def keymap(changed: Mapping[str, str]) -> dict[str, str]:
    """Return the changes as Textual needs them: names of keys separated by commas, by the id of the binding."""
    return {name: ",".join(_keys(name, keys)) for name, keys in changed.items()}


def shown(key: str) -> str:
    """Return a key as it is displayed."""
    return Action("", (key,), "", "", "", "").shown_keys


def _keys(action: str, said: str) -> tuple[str, ...]:
    # A comma between two commas, or a single comma, is the comma key.
    words = [word.strip() for word in said.replace(",,", ",comma").split(",")] if said != "," else ["comma"]
    return tuple(dict.fromkeys(_key(action, word) for word in words))


def _key(action: str, word: str) -> str:
    if len(word) == 1:
        return name_of_character(word)
    *modifiers, name = word.lower().split("+")
    name = name_of_character(name) if len(name) == 1 else name
    known = name in NAMES or (len(name) == 1 and name.isalnum())
    if known and all(m in _MODIFIERS for m in modifiers):
        return "+".join([*modifiers, name])
    close = difflib.get_close_matches(word, sorted(NAMES), 1)
    hint = f"Did you mean '{close[0]}'?" if close else "Use a character, or a name such as ctrl+x, f5, space, pageup."
    raise BertdynError(f"[keys]: '{action}' has the key '{word}', which is not a key name. {hint}")
