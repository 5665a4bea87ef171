"""Which weights move, are corners exact, are filters' norms kept, and are paths projected as the formulas say?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from explorer.measures.computation import MeasureError
from explorer.measures.landscapes.paths import (
    course,
    course_by_step,
    least_squares,
    principal_plane,
    projection_of_the_paper,
)
from explorer.measures.landscapes.weights import combined, displaced, gram, inner_product, moved, random_direction
from tests.explorer.measures.landscapes.analytic import HEADS, MODULES, SHAPES, MemoryWeights

ENCODER = {name for names in MODULES.values() for name in names}


def test_everything_moves_between_two_checkpoints_of_one_task() -> None:
    found = moved(MemoryWeights.random(1), {"reference": MemoryWeights.random(2)}, "", "move")
    assert set(found.names) == set(SHAPES)
    assert found.stays == ()
    assert found.pooler == {"pooler.weight"}


def test_heads_stay_where_the_other_side_has_none_or_other_classes() -> None:
    own = MemoryWeights.random(1)
    found = moved(own, {"reference": MemoryWeights.random(2, heads=False)}, "", "move")
    assert set(found.names) == ENCODER
    assert found.stays == ("classifier: the reference has none", "pooler: the reference has none")
    other = replace(MemoryWeights.random(2), classes=("bad", "good"))
    found = moved(own, {"reference": other}, "", "move")
    assert set(found.names) == ENCODER | {"pooler.weight"}
    assert found.stays == ("classifier: that of the reference has other classes",)


def test_the_same_classes_in_another_order_are_refused() -> None:
    other = replace(MemoryWeights.random(2), classes=("yes", "no"))
    with pytest.raises(MeasureError, match="same classes in another order: no, yes and, in the reference, yes, no"):
        moved(MemoryWeights.random(1), {"reference": other}, "", "move")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": np.zeros((7, 2), np.float32)}, "another size: words has shapes 5 x 2 and 7 x 2"),
        ({"one.bias": None}, "another architecture: only one side has one.bias"),
    ],
)
def test_another_architecture_or_vocabulary_is_refused(change: dict[str, np.ndarray | None], message: str) -> None:
    other = MemoryWeights.random(2)
    arrays = {n: v for n, v in {**other.arrays, **change}.items() if v is not None}
    with pytest.raises(MeasureError, match=message):
        moved(MemoryWeights.random(1), {"reference": replace(other, arrays=arrays)}, "", "move")


def test_groups_and_vectors() -> None:
    sides = MemoryWeights.random(1), {"reference": MemoryWeights.random(2)}
    assert set(moved(*sides, "1", "move").names) == {"one.weight", "one.bias"}
    assert set(moved(*sides, "0+2", "move").names) == {"words", "two.weight"}
    found = moved(*sides, "", "stay")
    assert set(found.names) == set(SHAPES) - {"one.bias"}
    assert "layer norms and biases" in found.stays
    with pytest.raises(MeasureError, match="outside 0 to 2"):
        moved(*sides, "3", "move")


def test_corners_are_the_checkpoints_themselves_and_nothing_else_is_read() -> None:
    own, other = MemoryWeights.random(1), MemoryWeights.random(2)
    names = list(SHAPES)
    found = combined(names, ((0.0, other.tensor), (1.0, own.tensor)))
    assert all(found[name] is own.arrays[name] for name in names)
    assert other.reads == []


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_sums_of_weights(one: float, two: float) -> None:
    sides = [MemoryWeights.random(seed) for seed in (1, 2, 3)]
    before = [side.flat() for side in sides]
    found = combined(list(SHAPES), [(c, s.tensor) for c, s in zip((1 - one - two, one, two), sides, strict=True)])
    for name in SHAPES:
        exact = sum(c * s.arrays[name].astype(float) for c, s in zip((1 - one - two, one, two), sides, strict=True))
        assert found[name].dtype == np.float32
        assert np.allclose(found[name], exact, atol=1e-5)
    assert all(np.array_equal(side.flat(), flat) for side, flat in zip(sides, before, strict=True))


def test_inner_products_are_those_of_whole_vectors() -> None:
    origin, *points = (MemoryWeights.random(seed) for seed in range(4))
    differences = np.stack([point.flat() - origin.flat() for point in points])
    found = gram(sorted(SHAPES), origin, points)
    assert np.allclose(found, differences @ differences.T, rtol=1e-12)


class Blocks(MemoryWeights):
    """Weights that note how many entries are read at once."""

    longest = 0

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        self.longest = max(self.longest, stop - start)
        return super().part(name, start, stop)


@pytest.mark.parametrize("many", [1, 40])
def test_inner_products_of_many_checkpoints_hold_no_more_weights_at_once(many: int) -> None:
    draw = np.random.default_rng(0)
    origin, *points = (
        Blocks({"w": draw.standard_normal((3, 30_000)).astype(np.float32)}, str(n)) for n in range(many + 1)
    )
    found = gram(["w"], origin, points)
    differences = np.stack([point.flat() - origin.flat() for point in points])
    assert np.allclose(found, differences @ differences.T, rtol=1e-12, atol=1e-6)
    assert 0 < points[0].longest * (many + 1) <= 2**20


def test_sums_of_displacements_are_those_of_whole_vectors() -> None:
    origin, *points = (MemoryWeights.random(seed) for seed in range(4))
    coefficients = [0.5, -2.0, 3.0]
    found = displaced(sorted(SHAPES), origin, points, coefficients)
    for name, value in found.items():
        exact = sum(
            c * (point.arrays[name].astype(float) - origin.arrays[name])
            for c, point in zip(coefficients, points, strict=True)
        )
        assert value.dtype == np.float32
        assert np.array_equal(value, np.asarray(exact, np.float32))
    assert found["words"].shape == SHAPES["words"]


def test_sums_of_displacements_are_made_block_by_block() -> None:
    draw = np.random.default_rng(0)
    origin, point = (Blocks({"w": draw.standard_normal((2, 50_000)).astype(np.float32)}, name) for name in "ab")
    found = displaced(["w"], origin, [point], [2.0])
    assert np.allclose(found["w"], 2 * (point.arrays["w"].astype(float) - origin.arrays["w"]), atol=1e-6)
    assert 0 < point.longest < 100_000


def test_the_inner_product_of_directions_is_that_of_vectors() -> None:
    one, other = MemoryWeights.random(1), MemoryWeights.random(2)
    assert inner_product(one.arrays, other.arrays) == pytest.approx(one.flat() @ other.flat(), rel=1e-12)
    long = {"w": np.random.default_rng(0).standard_normal((3, 70_000)).astype(np.float32)}  # several blocks
    assert inner_product(long, long) == pytest.approx((long["w"].astype(float) ** 2).sum(), rel=1e-12)


def test_random_directions_have_the_norms_of_the_filters() -> None:
    own = MemoryWeights.random(1)
    own.arrays["words"][2] = 0  # such as the embedding of padding
    first, again, second, other = (
        random_direction(list(SHAPES), own.tensor, seed, n) for seed, n in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    for name, value in own.arrays.items():
        rows = len(value) if value.ndim > 1 else 1
        lengths = [np.linalg.norm(a.reshape(rows, -1), axis=1) for a in (first[name], value)]
        assert np.allclose(*lengths, rtol=1e-6)
        assert np.array_equal(first[name], again[name])
        assert not np.allclose(first[name], second[name])
        assert not np.allclose(first[name], other[name])


def displacements(many: int, width: int = 9, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).standard_normal((many, width)), axis=0)


def test_least_squares_is_the_nearest_point_of_the_plane() -> None:
    plane, members = displacements(2, seed=1), displacements(6)
    places, share = least_squares(plane @ plane.T, members @ plane.T, (members**2).sum(1))
    exact = np.linalg.lstsq(plane.T, members.T, rcond=None)[0].T
    assert np.allclose(places, exact)
    assert np.allclose(share, ((exact @ plane) ** 2).sum(1) / (members**2).sum(1))
    assert (share < 1).all()


def test_the_share_is_one_in_the_plane_and_missing_at_the_origin() -> None:
    plane = displacements(2, seed=1)
    members = np.array([[0.0, 0.0], [1.0, 0.0], [-0.3, 2.0]]) @ plane
    places, share = least_squares(plane @ plane.T, members @ plane.T, (members**2).sum(1))
    assert np.allclose(places, [[0, 0], [1, 0], [-0.3, 2]])
    assert np.isnan(share[0])
    assert np.allclose(share[1:], 1)


def test_the_projection_of_the_paper_is_never_below_the_first_direction() -> None:
    plane, members = displacements(2, seed=1), displacements(6)
    found = projection_of_the_paper(plane @ plane.T, members @ plane.T, (members**2).sum(1))
    length = np.linalg.norm(plane[0])
    cosine = members @ plane[0] / (np.linalg.norm(members, axis=1) * length)
    alpha = cosine * np.linalg.norm(members, axis=1) / length  # as the authors' code writes it
    beta = np.sqrt((np.linalg.norm(members, axis=1) / length) ** 2 - alpha**2)
    assert np.allclose(found, np.stack([alpha, beta], 1))
    assert (found[:, 1] >= 0).all()


def test_length_and_turns_of_known_paths() -> None:
    straight = np.outer([0.0, 1.0, 3.0], [3.0, 4.0])
    assert course(straight @ straight.T, 5.0) == pytest.approx({"length": 3, "tortuosity": 1, "step-cosine": 1})
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    assert course(square @ square.T, 1.0) == pytest.approx({"length": 2, "tortuosity": 2**0.5, "step-cosine": 0})
    back = np.array([[0.0], [1.0], [0.0]])
    assert course(back @ back.T, 1.0) == pytest.approx({"length": 2, "step-cosine": -1})  # its ends are equal
    assert course(np.zeros((1, 1)), 1.0) == {}


@pytest.mark.parametrize("many", [1, 2, 3, 7])
def test_the_course_step_by_step_is_that_of_each_part_of_the_path(many: int) -> None:
    path = displacements(many, 20, seed=many)
    found = course_by_step(path @ path.T, 2.0)
    for i in range(many):
        steps = np.diff(path[: i + 1], axis=0)
        length = np.linalg.norm(steps, axis=1).sum()
        assert found["length"][i] == pytest.approx(length / 2)
        assert np.isnan(found["tortuosity"][i]) == (i == 0)
        if i:
            assert found["tortuosity"][i] == pytest.approx(length / np.linalg.norm(path[i] - path[0]))
        assert np.isnan(found["step-cosine"][i]) == (i < 2)
        if i >= 2:
            before, last = steps[-2:]
            cosine = before @ last / (np.linalg.norm(before) * np.linalg.norm(last))
            assert found["step-cosine"][i] == pytest.approx(cosine)
    whole = course(path @ path.T, 2.0)
    assert set(whole) == {
        name for name, fewest in (("length", 2), ("tortuosity", 2), ("step-cosine", 3)) if many >= fewest
    }
    for name in whole:
        alone = np.mean(found[name][2:]) if name == "step-cosine" else found[name][-1]
        assert whole[name] == pytest.approx(alone)


def test_a_step_without_a_change_has_no_cosine_and_a_return_no_tortuosity() -> None:
    path = 0.1 * np.array([[1.0, 3.0], [2.0, 3.0], [2.0, 3.0], [1.0, 3.0]])
    found = course_by_step(path @ path.T, 1.0)
    assert np.isnan(found["step-cosine"]).all()
    assert np.isnan(found["tortuosity"]).tolist() == [True, False, False, True]
    assert found["length"] == pytest.approx([0, 0.1, 0.1, 0.2])


def test_the_principal_plane_is_that_of_a_second_library() -> None:
    path = displacements(7, 20)
    away = path - path[-1]
    coefficients, share = principal_plane(away @ away.T)
    exact = PCA(n_components=2).fit(away)
    found = coefficients @ away
    assert np.allclose(found @ found.T, np.eye(2), atol=1e-6)  # orthogonal, and of length 1
    assert np.allclose(np.abs(found @ exact.components_.T), np.eye(2), atol=1e-8)
    assert np.allclose(share, exact.explained_variance_ratio_)
    assert (found @ away[0] <= 0).all()


def test_a_straight_path_spans_no_plane() -> None:
    path = np.outer([-3.0, -2.0, 0.0], [1.0, 2.0, 2.0])
    coefficients, share = principal_plane(path @ path.T)
    assert coefficients.shape == (1, 3)
    assert share == pytest.approx([1])


def test_modules_and_heads_are_what_the_model_in_memory_has() -> None:
    assert set(SHAPES) == ENCODER | set(HEADS)
