"""Rows for the ``results`` table, with what a test does not care about filled in."""

from dataclasses import replace

from store.keys import Checkpoint, Result


def result(of: Checkpoint, against: Checkpoint | None = None, **more: object) -> Result:
    """One SVCCA value of layer 1; any field can be given."""
    row = Result(
        measure="svcca", parameters='{"tokens":"all","variance":0.99}', corpus=of.corpus, task=of.key.task,
        seed=of.key.seed, step=of.key.step, layer=1, head=None, ref_task=against.key.task if against else None,
        ref_seed=against.key.seed if against else None, ref_step=against.key.step if against else None,
        ref_layer=1 if against else None, example=None, query=None,
        statistic="", label_a=None, label_b=None, value=0.25, unit="distance", n=238,
        interval_low=None, interval_high=None, null_value=None, details="{}", reason="", version=1,
        digest=of.hidden_digest, ref_digest=against.hidden_digest if against else None,
        computed_at="2026-01-01T00:00:00.000000",
    )  # fmt: skip
    return replace(row, **more)
