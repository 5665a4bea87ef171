"""Rows for the ``results`` table, with what a test does not care about filled in."""

from collections.abc import Iterable

from store.keys import Checkpoint
from store.results import InputDigest, Result, checkpoint_resource


def inputs(*checkpoints: Checkpoint, kind: str = "hidden") -> tuple[InputDigest, ...]:
    """What a value was computed from that read one kind of input of some checkpoints."""
    return tuple(InputDigest(kind, checkpoint_resource(c.corpus, c.key), c.digests[kind]) for c in checkpoints)


def operands(of: Checkpoint, against: Checkpoint | None = None) -> dict[str, object]:
    """Fields of a row that say what was measured and compared."""
    named = dict(zip(("task", "variant", "seed", "step"), of.key, strict=True))
    if against is None:
        return {"corpus": of.corpus, **named}
    return {"corpus": of.corpus, **named, **{f"ref_{n}": v for n, v in against.key._asdict().items()}}


def result(of: Checkpoint, against: Checkpoint | None = None, **more: object) -> Result:
    """One SVCCA value of layer 1; any field can be given."""
    row = Result(
        measure="svcca", parameters='{"tokens":"all","variance":0.99}', layer=1, ref_layer=1 if against else None,
        value=0.25, unit="distance", n=238, computed_at="2026-01-01T00:00:00.000000",
        inputs=inputs(*_given(of, against)), **operands(of, against),
    )  # fmt: skip
    return row._replace(**more)


def _given(*checkpoints: Checkpoint | None) -> Iterable[Checkpoint]:
    return (c for c in checkpoints if c is not None)
