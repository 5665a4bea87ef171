"""Are control tasks what their names say?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.controls import CONTROLS, Items, selectivity
from explorer.measures.probes.lda import fit_lda


def items(n=6000, types=2000, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice([2, 5, 6], n, p=[0.7, 0.2, 0.1])
    example = np.sort(rng.integers(0, n // 10, n))
    return Items(labels, example, n // 10, rng.integers(0, types, n))


def test_a_word_type_has_one_label_everywhere():
    of = items()
    control = CONTROLS["word-type"](of, 0)
    assert all(len(np.unique(control[of.types == t])) == 1 for t in np.unique(of.types))
    np.testing.assert_array_equal(control, CONTROLS["word-type"](of, 0))
    assert (control != CONTROLS["word-type"](of, 1)).any()


def test_word_types_draw_from_the_distribution_of_the_labels():
    of = items()
    first = np.unique(of.types, return_index=True)[1]
    share = np.unique(CONTROLS["word-type"](of, 0)[first], return_counts=True)[1] / len(first)
    np.testing.assert_allclose(share, [0.7, 0.2, 0.1], atol=0.03)


def test_a_type_keeps_its_label_if_others_are_missing():
    of = items()
    some = of.types < 900
    part = Items(of.labels[some], of.example[some], of.examples, of.types[some])
    same = CONTROLS["word-type"](part, 0) == CONTROLS["word-type"](of, 0)[some]
    assert same.mean() > 0.97  # the distribution of the labels differs a little


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), name=st.sampled_from(sorted(CONTROLS)))
def test_labels_are_those_of_the_task(seed, name):
    of = items(300, 50, seed)
    control = CONTROLS[name](of, seed)
    assert control.shape == of.labels.shape
    assert set(control) <= set(of.labels)


def test_shuffling_keeps_each_label_as_frequent_as_it_was():
    of = items()
    control = CONTROLS["shuffled"](of, 0)
    np.testing.assert_array_equal(np.sort(control), np.sort(of.labels))
    assert (control != of.labels).mean() > 0.3


def test_the_two_controls_differ_for_a_probe():
    """Vectors that are word types: the labels of types can be memorised, shuffled labels cannot."""
    of = items(6000, 60)
    points = np.eye(60)[of.types] + 0.01 * np.random.default_rng(0).standard_normal((6000, 60))
    controls = np.stack([CONTROLS[name](of, 0) for name in ("word-type", "shuffled")])
    probes = fit_lda(class_sums([points], controls))
    memorised, not_memorised = (
        (probe.classes[probe.logits(points).argmax(1)] == labels).mean()
        for probe, labels in zip(probes, controls, strict=True)
    )
    assert memorised > 0.99
    assert not_memorised < 0.75
    assert selectivity(0.7, memorised) == pytest.approx(0.7 - memorised)
