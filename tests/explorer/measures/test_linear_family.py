"""Do all measures of the linear family agree with their papers, and refuse where their papers say nothing?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures import Context, Given
from explorer.measures.registry import get
from tests import oracle
from tests.explorer.measures.linear_samples import FAMILY, ORACLES, like_bert, measure
from tests.explorer.measures.memory import PAIRS, MemoryCorpus, MemoryLayer, answers, golden, one_token_each
from tests.parameters import later

GOLDEN_NAMES = {
    ("svcca", ()): ("svcca_similarity variance>=.99 mean over min(k)", 0),
    ("svcca", (("definition", "google-tutorial"),)): (
        "svcca_similarity sum of singular values>=.99 (google tutorial)",
        0,
    ),
    ("svcca", (("definition", "zscore"),)): ("svcca_similarity z-scored features, variance>=.99", 0),
    ("cca", ()): ("mean cca similarity", 0),
    ("pwcca", ()): ("pwcca similarity (Morcos 2018), weights from x / from y", 0),
    ("pwcca", (("weights", "y"),)): ("pwcca similarity (Morcos 2018), weights from x / from y", 1),
    ("cka", ()): ("linear cka (unbiased HSIC_1, Song et al.)", 0),
    ("cka", (("estimator", "biased"),)): ("linear cka (biased)", 0),
    ("procrustes", ()): ("orthogonal procrustes distance 2-2|X'Y|_* (unit Frobenius)", 0),
    ("shape", ()): ("angular shape metric arccos|X'Y|_*", 0),
}
CASES = pytest.mark.parametrize(
    ("name", "given"), list(ORACLES), ids=lambda v: v if isinstance(v, str) else str(dict(v))
)


@pytest.mark.parametrize("pair", PAIRS)
@CASES
def test_golden_values(name, given, pair):
    arrays = golden(pair)
    text, which = GOLDEN_NAMES[name, given]
    want = answers(pair)[text]
    value = measure(name, arrays["x"], arrays["y"], chunk=700, **dict(given))
    wanted = want["value"][which] if isinstance(want["value"], list) else want["value"]
    assert value.value == pytest.approx(1 - wanted if "similarity" in text else wanted, abs=1e-6)
    if "similarity" in text:
        assert value.details["similarity"] == pytest.approx(wanted, abs=1e-6)
    if "kx" in want:
        assert (value.details["k_x"], value.details["k_y"]) == (want["kx"], want["ky"])


@CASES
@pytest.mark.parametrize("chunk", [61, 1 << 30])
def test_agrees_with_the_formula_however_it_is_read(name, given, chunk):
    x, y = like_bert(500, 20)
    assert measure(name, x, y, chunk=chunk, **dict(given)).value == pytest.approx(ORACLES[name, given](x, y), abs=1e-6)


@CASES
def test_a_large_mean_costs_no_digits(name, given):
    x, y = (a + np.float32(1000) for a in like_bert(500, 16))
    assert measure(name, x, y, chunk=50, **dict(given)).value == pytest.approx(ORACLES[name, given](x, y), abs=1e-6)


@CASES
def test_layers_of_different_width_compare(name, given):
    x, y = like_bert(500, 16)
    x = x[:, :10]
    assert measure(name, x, y, **dict(given)).value == pytest.approx(ORACLES[name, given](x, y), abs=1e-6)


@pytest.mark.parametrize("name", FAMILY)
@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
def test_blind_to_rotation_scale_shift_and_the_order_of_examples(name, seed, scale):
    x, y = like_bert(300, 12, seed % 7)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    order = rng.permutation(300)
    weights = {"weights": "y"} if name == "pwcca" else {}  # x's neurons are what the rotation changes
    want = measure(name, x, y, **weights).value
    moved = scale * (x.astype(float) @ turn) + rng.standard_normal(12)
    assert measure(name, moved[order], y[order], **weights).value == pytest.approx(want, abs=2e-6)


@pytest.mark.parametrize(("name", "blind"), [("cca", True), ("pwcca", True), ("cka", False), ("procrustes", False)])
@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_only_the_cca_family_is_blind_to_every_invertible_map(name, blind, seed):
    x, y = like_bert(300, 10, 1)
    rng = np.random.default_rng(seed)
    weights = {"weights": "y"} if name == "pwcca" else {}
    before, changes = measure(name, x, y, **weights).value, []
    for _ in range(4):  # one map may leave even CKA where it was, by chance
        left, right = (np.linalg.qr(rng.standard_normal((10, 10)))[0] for _ in range(2))
        mapped = x.astype(float) @ (left * np.arange(1, 11)) @ right
        changes.append(abs(measure(name, mapped, y, **weights).value - before))
    assert (max(changes) < 1e-6) is blind


@pytest.mark.parametrize("name", FAMILY)
def test_a_layer_is_the_same_as_itself_turned_and_scaled(name):
    x, _ = like_bert(400, 16)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((16, 16)))[0]
    assert measure(name, x.astype(float), 3 * x.astype(float) @ turn).value == pytest.approx(get(name).same, abs=1e-6)
    assert measure(name, x, x.copy()).value == pytest.approx(get(name).same, abs=1e-6)


@pytest.mark.parametrize("name", FAMILY)
def test_layers_with_nothing_in_common_are_at_the_far_end(name):
    q = np.linalg.qr(np.random.default_rng(0).standard_normal((200, 9)) - 0)[0]
    q = np.linalg.qr(q - q.mean(0))[0]
    value = measure(name, q[:, :4], q[:, 4:8]).value
    far = {"cka": 0.0, "procrustes": 2.0, "shape": np.pi / 2}.get(name, 1.0)
    # Unbiased CKA is 0 on average, not for every pair: -O(1/n).
    assert value == pytest.approx(far, abs=5e-2 if name == "cka" else 1e-6)


@pytest.mark.parametrize(("n", "cca", "biased"), [(1000, 0.825, 0.435), later(1536, 0.637, 0.333)])
def test_independent_layers_look_as_alike_as_published_for_few_tokens(n, cca, biased):
    """Independent Gaussians in 768 dimensions: mean correlation is far from 0, unbiased CKA is not."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((n, 768)).astype(np.float32) for _ in range(2))
    context = Context()
    assert 1 - measure("cca", x, y, context=context).value == pytest.approx(cca, abs=0.01)
    assert measure("cka", x, y, context=context, estimator="biased").value == pytest.approx(biased, abs=0.01)
    assert measure("cka", x, y, context=context).value == pytest.approx(0, abs=0.01)


def test_the_angle_is_a_metric():
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal((100, 6)) @ rng.standard_normal((6, 6)) for _ in range(3))
    ab, bc, ac = measure("shape", a, b).value, measure("shape", b, c).value, measure("shape", a, c).value
    assert max(ab, bc, ac) <= ab + bc + ac - max(ab, bc, ac)


@pytest.mark.parametrize("name", FAMILY)
def test_small_changes_are_not_lost_in_rounding(name):
    x, y = like_bert(600, 16, noise=1e-3)
    assert measure(name, x, y).value == pytest.approx(ORACLES[name, ()](x, y), abs=2e-7)


@pytest.mark.parametrize("name", FAMILY)
def test_a_constant_column_here_and_a_duplicate_column_there(name):
    """What makes other implementations stop with 'SVD did not converge' or a singular matrix."""
    x, y = like_bert(1000, 24)
    x[:, 5] = np.float32(0.1)
    y[:, 7] = y[:, 8]
    value = measure(name, x, y, chunk=300)
    assert value.value == pytest.approx(ORACLES[name, ()](x, y), abs=1e-6)
    assert value.details["constant_features"] == 1
    if "k_x" in value.details and name != "svcca":
        assert (value.details["k_x"], value.details["k_y"]) == (23, 23)


def test_a_direction_that_only_float16_rounding_fills_counts_for_nothing():
    """Layer normalisation leaves a sum of features at 0: after rounding to float16 that direction is pure noise."""
    x, y = like_bert(2000, 12)
    for a in (x, y):
        a[:, 0] = -a[:, 1:].sum(1)
    x, y = x.astype(np.float16), y.astype(np.float16)
    bases = [oracle.thin_svd_basis(a, 1.0) for a in (x, y)]
    assert [b.shape[1] for b in bases] == [12, 12]  # the rounding alone would count as a direction
    value = measure("cca", x, y)
    assert (value.details["k_x"], value.details["k_y"]) == (11, 11)
    rho = np.linalg.svd(bases[0][:, :11].T @ bases[1][:, :11], compute_uv=False)
    assert value.value == pytest.approx(1 - rho.mean(), abs=1e-6)
    text = MemoryCorpus([2] * 1000, words=[(2 * i, 1) for i in range(1000)])
    assert measure("cca", x, y, text, tokens="words").details["k_x"] == 11


@pytest.mark.parametrize("size", [1e-3, 1.0, 100.0])
def test_nor_does_it_of_features_divided_by_their_deviation(size):
    """The same feature stored twice, in two sizes: their difference is rounding, whatever unit they are in."""
    x = size * np.random.default_rng(0).standard_normal((400, 3))
    sides = [np.column_stack((a, 3 * a[:, :1])).astype(np.float16) for a in (x, x[::-1])]
    details = measure("svcca", *sides, definition="zscore", variance=1.0).details
    assert (details["k_x"], details["k_y"]) == (3, 3)


@pytest.mark.parametrize("name", ["svcca", "cca", "pwcca"])
def test_no_more_tokens_than_dimensions_is_no_correlation(name):
    value = measure(name, *like_bert(50, 60))
    assert value.value is None
    assert "too few tokens" in value.reason
    assert (value.n, value.details["n_over_d"]) == (50, 0.8333)


@pytest.mark.parametrize("name", ["cka", "procrustes", "shape"])
def test_no_more_tokens_than_dimensions_is_a_warning_elsewhere(name):
    x, y = like_bert(50, 60)
    value = measure(name, x, y)
    assert value.value == pytest.approx(ORACLES[name, ()](x, y), abs=1e-6)
    assert "few tokens" in value.reason


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("n", [1, 3])
def test_hardly_any_tokens_is_a_reason_not_a_crash(name, n):
    value = measure(name, *like_bert(n, 5))
    assert (value.value is None) == (n == 1 or name not in ("procrustes", "shape"))
    assert "few tokens" in value.reason


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("constant", [0.0, 1234.567])
def test_a_layer_that_does_not_vary_is_no_number(name, constant):
    x, y = like_bert(100, 6)
    value = measure(name, np.full_like(x, constant), y, chunk=33)
    assert value.value is None
    assert "do not vary" in value.reason


def test_several_measures_of_one_pair_read_it_once_per_precision():
    x, y = like_bert(500, 12)
    sides = [MemoryLayer(a, hidden_chunk=200) for a in (x, y)]
    context = Context()
    want = {name: measure(name, x, y).value for name in FAMILY}
    for name in ("cca", "svcca", "pwcca", "cka", "procrustes", "shape"):
        (value,) = get(name).compute(Given.layers(one_token_each(500), *sides), dict(get(name).settle({})), context)
        assert value.value == pytest.approx(want[name], abs=1e-6)
    assert [len(s.reads) for s in sides] == [6, 6]  # three chunks, for products in float64 and in float32


def test_what_was_summed_for_one_pair_is_not_taken_for_another():
    x, y = like_bert(500, 12)
    _, z = like_bert(500, 12, seed=5)
    text = MemoryCorpus([5] * 100)
    text.special[::5] = True
    context = Context()
    for a, b, tokens in ((x, y, "all"), (y, x, "all"), (x, z, "all"), (z, y, "content"), (z, y, "all"), (x, x, "cls")):
        want = measure("procrustes", a, b, text, tokens=tokens).value
        assert measure("procrustes", a, b, text, context, tokens=tokens).value == pytest.approx(want, abs=1e-9)


def test_one_layer_compares_with_another_layer_of_the_reference():
    assert all(get(name).cross_layers for name in FAMILY)
    low, high = like_bert(500, 12)[0], like_bert(500, 12, seed=3)[1]
    context = Context()
    matrix = [[measure("cka", a, b, context=context).value for b in (low, high)] for a in (low, high)]
    assert np.diag(matrix) == pytest.approx(1, abs=1e-6)
    assert matrix[0][1] == pytest.approx(matrix[1][0], abs=1e-8)


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca", "cka", "procrustes", "shape"])
@pytest.mark.parametrize("known", ["", "reference", "checkpoint", "both", "itself"])
def test_no_bit_depends_on_what_was_known_before(name: str, known: str) -> None:
    """A pool, a cluster and a second call find other sides on the shelf."""
    x, y = like_bert(500, 12)
    first, second, other = (MemoryLayer(a, hidden_chunk=200) for a in (x, y, x + 1))
    if known == "itself":
        second = MemoryLayer(x, hidden_chunk=200)

    def value(context: Context, one: MemoryLayer, reference: MemoryLayer) -> float | None:
        given = Given.layers(one_token_each(500), one, reference)
        return get(name).compute(given, dict(get(name).settle({})), context)[0].value

    fresh, used = value(Context(), first, second), Context()
    if known in ("reference", "both", "itself"):
        value(used, other, second)
    if known in ("checkpoint", "both"):
        value(used, first, other)
    assert value(used, first, second) == fresh
