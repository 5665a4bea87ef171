"""Parse sets of whole numbers, such as ``0,20,100-500``."""

from __future__ import annotations

from dataclasses import dataclass

from store.errors import BertdynError


@dataclass(frozen=True)
class Ranges:
    """A set of whole numbers, written ``0,20,100-500``. Both ends of a range are included; ``None`` is an open end."""

    spans: tuple[tuple[int, int | None], ...]

    def __contains__(self, number: int) -> bool:
        return any(low <= number and (high is None or number <= high) for low, high in self.spans)

    def __str__(self) -> str:
        return ",".join(
            str(low) if low == high else f"{low}-{'' if high is None else high}" for low, high in self.spans
        )

    @classmethod
    def one(cls, number: int) -> Ranges:
        """Return the set of one number."""
        return cls(((number, number),))

    @classmethod
    def parse(cls, text: str, what: str) -> Ranges:
        """Parse ``0,20,100-500`` or ``100-``.

        Raises:
            BertdynError: a part is neither a number nor a range; ``what`` names the flag.
        """
        spans: list[tuple[int, int | None]] = []
        for part in (p.strip() for p in text.split(",")):
            low, dash, high = part.partition("-")
            try:
                span = (int(low), (int(high) if high else None) if dash else int(low))
            except ValueError:
                raise BertdynError(f"{what}: '{part}' is neither a number nor a range such as 100-500.") from None
            if span[1] is not None and span[1] < span[0]:
                raise BertdynError(f"{what}: the range '{part}' ends before it begins.")
            spans.append(span)
        return cls(tuple(spans))


EVERY = Ranges(((0, None),))
"""All layers, including those of models that are not in the store yet."""
