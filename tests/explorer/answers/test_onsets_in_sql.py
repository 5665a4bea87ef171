"""The SQL view ``onsets`` says what the rule in Python says, in bertdyn and in other programs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import duckdb
import pytest

from explorer.answers.onsets import onsets
from store.keys import PRETRAINED_KEY, Checkpoint, CheckpointKey
from store.results import Result
from store.store import Store
from store.tables import DeclaredMeasure
from tests.store.results import result
from tests.synthetic import make_store

pytestmark = pytest.mark.index

STEPS = (0, 20, 40, 60, 80)
NOISE = {"svcca": 1e-6, "js": 1e-7, "probe": 0.0, "rollback": 0.0}
DECLARED = {name: DeclaredMeasure(noise=level) for name, level in NOISE.items()}
COLUMNS = ("half_after", "half_by", "ninety_after", "ninety_by")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One checkpoint per step and seed, and curves of every kind."""
    made = make_store(tmp_path_factory.mktemp("onsets") / "s.bertdyn", tasks=("sst2",), seeds=("1", "2"), steps=STEPS)
    at = {c.key: c for c in made.checkpoints()}
    run = [at[CheckpointKey.plain("sst2", "1", step)] for step in STEPS]
    before = [result(b, a, layer=11, value=0.1 * i) for i, (a, b) in enumerate(pairwise(run))]
    unknown = [result(of, measure="mine", value=float(i)) for i, of in enumerate(run)]
    made.add_results([*before, *unknown, *(row for _, rows in curves(made) for row in rows)], NOISE)
    return made


def curves(store: Store) -> Iterator[tuple[dict[str, object], list[Result]]]:
    """Curves, each with what tells it from the others."""
    at = {c.key: c for c in store.checkpoints()}
    chance = random.Random(7)

    def run(seed: str) -> list[Checkpoint]:
        return [at[CheckpointKey.plain("sst2", seed, step)] for step in STEPS]

    def drawn(layer: int) -> float | None:
        size = 1e-7 if layer == 2 else 1.0  # a layer that holds rounding alone
        return None if chance.random() < 0.15 else size * round(chance.uniform(-1, 1), 2)

    pretrained = at[PRETRAINED_KEY]
    for seed in ("1", "2"):
        for layer in range(1, 7):
            keys = {"measure": "svcca", "seed": seed, "layer": layer, "ref_task": "pretrained"}
            yield keys, [result(of, pretrained, layer=layer, ref_layer=layer, value=drawn(layer)) for of in run(seed)]
            for head in (None, 1, 2):
                keys = {"measure": "js", "seed": seed, "layer": layer, "head": head}
                yield (
                    keys,
                    [
                        result(of, pretrained, measure="js", layer=layer, head=head, value=drawn(layer))
                        for of in run(seed)
                    ],
                )
        for statistic in ("accuracy", "bits"):
            keys = {"measure": "probe", "seed": seed, "statistic": statistic}
            yield keys, [result(of, measure="probe", statistic=statistic, value=drawn(0)) for of in run(seed)]
        for part in ("upper", "lower"):
            keys = {"measure": "rollback", "seed": seed, "part": part}
            yield (
                keys,
                [
                    result(of, pretrained, measure="rollback", axes=(("part", part),), value=drawn(0))
                    for of in run(seed)
                ],
            )
        first = run(seed)[0]
        keys = {"measure": "svcca", "seed": seed, "layer": 9, "ref_step": 0}
        yield keys, [result(of, first, layer=9, ref_layer=9, value=drawn(9)) for of in run(seed)]
    keys = {"measure": "svcca", "seed": "1", "layer": 10, "ref_seed": "2", "ref_step": None}
    both = zip(run("1"), run("2"), strict=True)
    yield keys, [result(of, other, layer=10, ref_layer=10, value=drawn(10)) for of, other in both]


def test_the_view_is_equal_to_the_rule(store: Store) -> None:
    table = store.query("from onsets", measures=DECLARED)
    there = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    claimed = known = 0
    for keys, rows in curves(store):
        values = [float("nan") if r.value is None else r.value for r in rows]
        found = onsets(STEPS, values, NOISE[rows[0].measure])
        answers = [tuple(row[c] for c in COLUMNS) for row in there if all(row[n] == v for n, v in keys.items())]
        curve = sum(r.value is not None for r in rows) > 1
        assert answers == [(None,) * 4 if found is None else (*found.half, *found.most)] * curve, keys
        claimed, known = claimed + (found is not None), known + curve
    assert claimed > 30
    assert len(there) == known  # and nothing else


def test_other_programs_see_the_same(store: Store) -> None:
    sql = f"select measure, task, seed, layer, head, part, statistic, {', '.join(COLUMNS)} from onsets order by all"
    with duckdb.connect(str(store.path / "index.duckdb"), read_only=True) as connection:
        outside = connection.execute(sql).fetchall()
    assert outside == store.query(sql, measures=DECLARED).rows == Store.open(store.path).query(sql).rows


def test_a_change_since_the_checkpoint_before_is_no_curve(store: Store) -> None:
    assert store.query("select count(*) from svcca where layer = 11").rows == [(len(STEPS) - 1,)]
    assert store.query("from onsets where layer = 11", measures=DECLARED).rows == []


def test_a_measure_of_unknown_noise_has_no_onsets(store: Store) -> None:
    assert store.query("from onsets where measure = 'mine'").rows == []
    sql = "select half_after, half_by from onsets where measure = 'mine'"
    assert store.query(sql, measures={"mine": DeclaredMeasure(noise=0.5)}).rows == [(20, 40)]
