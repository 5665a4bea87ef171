"""Is a side made once, for every definition and every process, and never taken for another?"""

from __future__ import annotations

import numpy as np
import pytest

from explorer.measures import Context, Given
from explorer.measures.computation import Uncertainty
from explorer.measures.registry import get
from explorer.measures.sides import side_alone
from tests.explorer.measures.linear_samples import FAMILY, like_bert, measure
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer, MemoryShelf, one_token_each


@pytest.fixture
def decompositions(monkeypatch):
    """Counts eigendecompositions of sides."""
    import explorer.measures.sides as sides

    count = []
    real = sides._eigen
    monkeypatch.setattr(sides, "_eigen", lambda *a: count.append(1) or real(*a))
    return count


def test_two_sides_are_decomposed_once_for_all_measures_and_definitions(decompositions):
    x, y = like_bert(500, 16)
    context = Context()
    for name in FAMILY:
        measure(name, x, y, context=context)
    for variance in (0.5, 0.9, 1.0):
        measure("svcca", x, y, context=context, variance=variance)
    measure("svcca", x, y, context=context, definition="google-tutorial")
    assert len(decompositions) == 2
    measure("svcca", x, y, context=context, definition="zscore")
    measure("svcca", x, y, context=context, definition="zscore", variance=0.9)
    assert len(decompositions) == 4


def test_another_process_finds_the_sides_on_the_shelf(decompositions):
    x, y = like_bert(500, 16)
    shelf = MemoryShelf()
    want = {d: measure("svcca", x, y, context=Context(shelf=shelf), definition=d) for d in ("variance99", "zscore")}
    made = len(decompositions)
    assert len(shelf.arrays) == 4
    for definition, value in want.items():
        again = measure("svcca", x, y, context=Context(shelf=shelf), definition=definition)
        assert again.value == pytest.approx(value.value, abs=1e-9)
        assert again.details["k_x"] == value.details["k_x"]
    assert len(decompositions) == made


def test_a_reference_on_the_shelf_is_not_decomposed_for_the_next_checkpoint(decompositions):
    x, y = like_bert(500, 16)
    _, z = like_bert(500, 16, seed=5)
    shelf = MemoryShelf()
    measure("cca", x, y, context=Context(shelf=shelf))
    assert measure("cca", z, y, context=Context(shelf=shelf)).value == pytest.approx(
        measure("cca", z, y).value, abs=1e-9
    )
    assert len(decompositions) == 2 + 1 + 2


@pytest.mark.parametrize("damage", ["emptied", "another width", "another number of rows"])
def test_a_damaged_shelf_only_costs_time(damage):
    x, y = like_bert(400, 10)
    shelf = MemoryShelf()
    want = measure("svcca", x, y, context=Context(shelf=shelf)).value
    for key, arrays in shelf.arrays.items():
        if damage == "emptied":
            arrays.clear()
        elif damage == "another width":
            arrays["mean"] = arrays["mean"][:-1]
        else:
            shelf.arrays[key] = arrays | {"n": np.array(399.0)}
    assert measure("svcca", x, y, context=Context(shelf=shelf)).value == pytest.approx(want, abs=1e-9)


def test_a_kept_side_is_the_same_after_the_shelf():
    x, y = like_bert(300, 8)
    x[:, 2] = 4
    shelf = MemoryShelf()
    for name in FAMILY:
        first = measure(name, x, y, context=Context(shelf=shelf))
        again = measure(name, x, y, context=Context(shelf=shelf))
        assert again.value == pytest.approx(first.value, abs=1e-7)
        assert again.details["constant_features"] == first.details["constant_features"] == 1


def test_the_store_s_own_shelf_serves(tmp_path, decompositions):
    from store.shelf import Shelf

    x, y = like_bert(300, 8)
    want = measure("cka", x, y, context=Context(shelf=Shelf(tmp_path))).value
    assert measure("cka", x, y, context=Context(shelf=Shelf(tmp_path))).value == pytest.approx(want, abs=1e-9)
    assert len(decompositions) == 2


def test_kept_sides_of_other_words_are_not_mixed_up():
    x, y = like_bert(400, 8)
    context = Context()
    for j in (0, 1):
        text = MemoryCorpus([4] * 100, words=[(4 * i + j, 2) for i in range(100)])
        want = measure("cca", x, y, text, tokens="words").value
        assert measure("cca", x, y, text, context, tokens="words").value == pytest.approx(want, abs=1e-9)


def test_a_layer_against_itself_is_one_side(decompositions):
    x, _ = like_bert(400, 8)
    context = Context()
    assert measure("shape", x, x, context=context).value == pytest.approx(0, abs=1e-6)
    assert len(decompositions) == 1


def test_asking_for_trust_leaves_the_value_as_it_was():
    x, y = like_bert(300, 8)
    for name in FAMILY:
        want = measure(name, x, y).value
        assert measure(name, x, y, context=Context(trust=Uncertainty(3, "jackknife"))).value == pytest.approx(
            want, abs=1e-9
        )


def test_sides_are_kept_within_the_limit_of_a_worker():
    """A side takes little more than its eigenvectors."""
    from explorer.compute.memory_cache import MemoryCache

    x, y = like_bert(300, 64)
    kept = MemoryCache()
    sides = [MemoryLayer(a) for a in (x, y)]
    get("cca").compute(Given.layers(one_token_each(300), *sides), dict(get("cca").settle({})), Context(kept=kept))
    assert kept._bytes < 3 * 1.2 * 64 * 64 * 8


def test_a_side_has_the_moments_of_all_rows_whatever_the_first_ones_are():
    """Sums are taken about the mean of the first rows; here it is far from that of all."""
    x = np.random.default_rng(0).standard_normal((900, 5)) + np.repeat([[0.0], [7.0]], [100, 800], axis=0)
    x = x.astype(np.float32)
    side = side_alone(MemoryLayer(x, hidden_chunk=100), one_token_each(900), "all", Context())
    exact = x.astype(np.float64)
    np.testing.assert_allclose(side.mean, exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(side.spread, ((exact - exact.mean(0)) ** 2).sum(0), rtol=1e-5)
    np.testing.assert_allclose(side.gram(), (exact - exact.mean(0)).T @ (exact - exact.mean(0)), rtol=1e-4, atol=0.1)
