"""The names that Textual uses for keys.

``textual.keys._character_to_key`` is private. With a public function that returns the key name of a character, this
module could be removed.
"""

from __future__ import annotations

from textual.keys import Keys
from textual.keys import _character_to_key as name_of_character

_SIGNS = {name_of_character(c) for c in map(chr, range(33, 127)) if not c.isalnum()}
NAMES = {key.value for key in Keys if not key.value.startswith("<")} | _SIGNS | {"space"}
"""All names of keys except letters and digits."""

__all__ = ["NAMES", "name_of_character"]
