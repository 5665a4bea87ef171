"""A queue of keys that were typed ahead: the same keys have the same effect at any speed. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Generic, TypeVar

Typed = TypeVar("Typed")


class Gate(Enum):
    """Tells when a key can be acted on."""

    OPEN = "now"
    PASSABLE = "later; later keys may go first"
    SHUT = "later; the meaning of later keys depends on it"


class KeyQueue(Generic[Typed]):
    """Acts on keys in their order. Keys that come too early are held, and tried again at every ``release``."""

    def __init__(self, gate: Callable[[Typed], Gate], act: Callable[[Typed], Awaitable[bool]]) -> None:
        """
        Args:
            gate: returns when a key can be acted on; called again at each release.
            act: acts on a key; returns True if the key may move the focus. Later keys then wait for ``key_done``.
        """
        self._gate, self._act = gate, act
        self._held: list[tuple[Typed, Gate]] = []
        self._leading = False

    @property
    def waiting(self) -> bool:
        """Whether any key is held."""
        return bool(self._held)

    async def put(self, typed: Typed) -> None:
        """Act on a key, or hold it."""
        shut = self._leading or any(gate is Gate.SHUT for _, gate in self._held)
        gate = Gate.SHUT if shut else self._gate(typed)
        if gate is Gate.OPEN:
            self._leading = await self._act(typed)
        else:
            self._held.append((typed, gate))

    async def release(self) -> None:
        """Act on the held keys whose gate is open now."""
        held, self._held = self._held, []
        for typed, _ in held:
            await self.put(typed)

    async def key_done(self) -> None:
        """Continue after the last key has taken effect."""
        self._leading = False
        await self.release()

    def forget(self) -> None:
        """Drop the keys that later keys may pass: they were typed for a picture that is no longer requested."""
        self._held = [(typed, gate) for typed, gate in self._held if gate is not Gate.PASSABLE]
