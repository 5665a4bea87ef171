"""Are eigenvalue, trace and rise those of dense matrices and closed forms, and are their stated errors true?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measures.computation import MeasureError
from explorer.measures.landscapes.curvature import Product, largest_eigenvalue, rise_in_box, signs, trace


def symmetric(eigenvalues: np.ndarray, seed: int = 0) -> np.ndarray:
    """A matrix with these eigenvalues, and random eigenvectors."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(eigenvalues),) * 2))
    return (turn * eigenvalues) @ turn.T


def product_of(matrix: np.ndarray) -> Product:
    return lambda vector: matrix @ vector


def start(n: int, kind: type = np.float64) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(n).astype(kind)


def nothing_known(n: int) -> tuple[np.ndarray, np.ndarray]:
    """No directions whose curvature is known."""
    return np.empty((0, n)), np.empty(0)


@given(
    st.lists(st.floats(-10, 10).map(lambda x: round(x, 3)), min_size=1, max_size=40),
    st.integers(0, 5),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_largest_eigenvalue_is_that_of_the_dense_matrix(values: list[float], seed: int, kind: type) -> None:
    """Whatever the signs; with repeated eigenvalues, zeros, and one row."""
    true = np.sort(values)
    found = largest_eigenvalue(
        product_of(symmetric(true, seed)), start(len(true), kind), iterations=300, tolerance=1e-4
    )
    size = np.abs(true).max()
    assert found.value == pytest.approx(true[-1], abs=1e-3 * abs(true[-1]) + 1e-5 * size)
    assert true[0] - 1e-5 * size <= found.lowest <= found.value
    assert found.converged == (found.residual <= 1e-4 * abs(found.value))


def test_a_restart_keeps_what_was_found() -> None:
    """300 rows take more products than vectors are kept."""
    true = np.sort(np.r_[np.linspace(-5, 5, 298), 5.2, 5.5])
    found = largest_eigenvalue(product_of(symmetric(true)), start(300), iterations=400, tolerance=1e-6)
    assert found.converged
    assert found.iterations > 30
    assert found.value == pytest.approx(5.5, abs=1e-9)
    assert found.lowest == pytest.approx(-5, abs=0.1)


@pytest.mark.parametrize("iterations", [2, 5, 12])
def test_the_residual_is_true_also_before_convergence(iterations: int) -> None:
    matrix = symmetric(np.linspace(-3, 4, 100))
    calls: list[int] = []
    found = largest_eigenvalue(product_of(matrix), start(100), iterations=iterations, tolerance=1e-9, done=calls.append)
    assert not found.converged
    assert calls == list(range(1, iterations + 1))
    assert found.iterations == iterations
    assert np.abs(np.linalg.eigvalsh(matrix) - found.value).min() <= found.residual


def test_a_looser_tolerance_takes_fewer_products() -> None:
    product = product_of(symmetric(np.linspace(0, 1, 200) ** 4))
    loose, tight = (
        largest_eigenvalue(product, start(200), iterations=200, tolerance=tolerance) for tolerance in (0.05, 1e-5)
    )
    assert loose.converged
    assert tight.converged
    assert loose.iterations < tight.iterations


def test_no_curvature_at_all_is_zero() -> None:
    found = largest_eigenvalue(lambda vector: 0.0 * vector, start(9), iterations=20, tolerance=0.01)
    assert (found.value, found.residual, found.converged) == (0.0, 0.0, True)


def test_infinite_derivatives_are_a_sentence() -> None:
    for run in (
        lambda product: largest_eigenvalue(product, start(4), iterations=9, tolerance=0.1),
        lambda product: trace(product, *nothing_known(4), np.random.default_rng(0), draws=2),
    ):
        with pytest.raises(MeasureError, match="no finite derivatives"):
            run(lambda vector: vector * np.nan)


def test_the_trace_of_a_diagonal_is_exact_and_that_of_a_matrix_within_its_error() -> None:
    values = np.linspace(-1, 5, 30)
    found = trace(product_of(np.diag(values)), *nothing_known(30), np.random.default_rng(0), draws=2)
    assert found.value == pytest.approx(values.sum())
    assert found.error == pytest.approx(0.0, abs=1e-12)
    matrix = symmetric(values)
    for draws in (20, 2000):
        found = trace(product_of(matrix), *nothing_known(30), np.random.default_rng(0), draws=draws)
        assert abs(found.value - values.sum()) < 4 * found.error
        off = matrix - np.diag(np.diag(matrix))
        assert found.error == pytest.approx(np.sqrt(2 * (off**2).sum() / draws), rel=0.5)  # the known variance


def test_known_directions_add_no_error_to_the_trace() -> None:
    """One eigenvalue of 1000 on top: Lanczos finds it, and the rest alone is random."""
    values = np.r_[np.linspace(-1, 1, 99), 1000.0]
    product = product_of(symmetric(values))
    top = largest_eigenvalue(product, start(100), iterations=20, tolerance=1e-4)
    plain = trace(product, *nothing_known(100), np.random.default_rng(0), draws=10)
    better = trace(product, top.vectors, top.quotients, np.random.default_rng(0), draws=10)
    assert better.error < plain.error / 20
    assert abs(better.value - values.sum()) < 5 * better.error
    every = largest_eigenvalue(product_of(np.diag(values[:6])), start(6), iterations=20, tolerance=1e-12)
    exact = trace(product_of(np.diag(values[:6])), every.vectors, every.quotients, np.random.default_rng(0), draws=2)
    assert exact.value == pytest.approx(values[:6].sum())


def test_the_rise_of_a_linear_function_is_that_of_its_corner() -> None:
    slope, half = np.array([1.0, -2.0, 0.0, 4.0]), np.array([0.1, 0.2, 0.3, 0.4])
    found = rise_in_box(lambda d: (3.0 + slope @ d, slope), half, np.ones(4), steps=10)
    assert found.highest == pytest.approx(3.0 + np.abs(slope) @ half)
    assert found.percent == pytest.approx(100 * np.abs(slope) @ half / 4.0)
    assert (found.start, found.slope) == (3.0, pytest.approx(np.linalg.norm(slope)))


@pytest.mark.parametrize(("bend", "corner"), [([1.0, 3.0, 0.5], True), ([-1.0, -3.0, -0.5], False)])
def test_the_rise_at_a_minimum_is_that_of_a_corner_and_none_at_a_maximum(bend: list[float], corner: bool) -> None:
    half = np.array([0.5, 0.25, 1.0])
    seen: list[np.ndarray] = []

    def slope(change: np.ndarray) -> tuple[float, np.ndarray]:
        seen.append(change)
        return 1.0 + 0.5 * (bend * change) @ change, bend * change

    found = rise_in_box(slope, half, signs(3, np.random.default_rng(0)), steps=6)
    assert found.highest == pytest.approx(1.0 + corner * 0.5 * (bend * half) @ half)
    assert all((np.abs(change) <= half).all() for change in seen)


def test_a_top_inside_the_box_is_approached() -> None:
    top = np.array([0.3, -0.1])

    def slope(change: np.ndarray) -> tuple[float, np.ndarray]:
        return 1.0 - float((change - top) @ (change - top)), 2 * (top - change)

    found = rise_in_box(slope, np.ones(2), np.ones(2), steps=30)
    assert found.start == pytest.approx(0.9)
    assert 0.97 < found.highest <= 1.0
