"""Names of keys as Textual gives them.

``textual.keys._character_to_key`` is private; a public function from a character to the name of its key would let this
module go.
"""

from __future__ import annotations

from textual.keys import Keys
from textual.keys import _character_to_key as name_of_character

_SIGNS = {name_of_character(c) for c in map(chr, range(33, 127)) if not c.isalnum()}
NAMES = {key.value for key in Keys if not key.value.startswith("<")} | _SIGNS | {"space"}
"""All names of keys but letters and digits."""

__all__ = ["NAMES", "name_of_character"]
