"""The queue of keys typed ahead: the same keys lead to the same place at any speed. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Generic, TypeVar

Typed = TypeVar("Typed")


class Gate(Enum):
    """When a key can be acted on."""

    OPEN = "now"
    PASSABLE = "later; keys behind it may go first"
    SHUT = "later; the meaning of the keys behind it depends on it"


class KeyQueue(Generic[Typed]):
    """Acts on keys in their order; holds those that come too early, and tries them again with every ``release``."""

    def __init__(self, gate: Callable[[Typed], Gate], act: Callable[[Typed], Awaitable[bool]]) -> None:
        """
        Args:
            gate: when a key can be acted on; asked again with each release.
            act: acts on a key; returns True when it may lead elsewhere, so that all behind it must wait for ``led``.
        """
        self._gate, self._act = gate, act
        self._held: list[tuple[Typed, Gate]] = []
        self._leading = False

    @property
    def waiting(self) -> bool:
        """Some key is held."""
        return bool(self._held)

    async def put(self, typed: Typed) -> None:
        """Act on a key now, or hold it."""
        shut = self._leading or any(gate is Gate.SHUT for _, gate in self._held)
        gate = Gate.SHUT if shut else self._gate(typed)
        if gate is Gate.OPEN:
            self._leading = await self._act(typed)
        else:
            self._held.append((typed, gate))

    async def release(self) -> None:
        """Act on the held keys, as far as their gates are open now."""
        held, self._held = self._held, []
        for typed, _ in held:
            await self.put(typed)

    async def led(self) -> None:
        """Go on: the last key has led where it leads."""
        self._leading = False
        await self.release()

    def forget(self) -> None:
        """Drop the keys that others may pass: they were meant for a picture that is no longer wanted."""
        self._held = [(typed, gate) for typed, gate in self._held if gate is not Gate.PASSABLE]
