"""The measure ``probe``: its rows, controls and splits, against scikit-learn and closed cases."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score, f1_score, log_loss

from explorer.measures.computation import Context, Given, MeasureError, Uncertainty, Value
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer

MEASURE = get("probe")
N, WIDTH = 600, 12
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, N)
CODED = np.eye(WIDTH)[LABELS] * 3 + RNG.standard_normal((N, WIDTH)) * 1.2
NOISE = RNG.standard_normal((N, WIDTH))
TYPES = RNG.integers(0, 40, N)
SPLIT = MemoryLabels("sentence", ("train", "test"), (np.arange(N // 4) % 4 == 3).astype(np.int64))


def given(
    layers: Sequence[np.ndarray], labels: np.ndarray = LABELS, split: MemoryLabels | None = SPLIT, level: str = "word"
) -> Given:
    """Examples of four words, a token each."""
    corpus = MemoryCorpus([4] * (N // 4), [(n, 1) for n in range(N)], types=TYPES)
    read = tuple(MemoryLayer(layer.astype(np.float32)) for layer in layers)
    names = ("a", "b", "c", "d")
    others = {} if split is None else {"split": split}
    operands = {"checkpoint": {"hidden": read}}
    return Given(corpus, operands, MemoryLabels(level, names, labels), others=others)  # type: ignore[arg-type]


def computed(of: Given, null: int = 0, detail: str = "", **parameters: object) -> list[Value]:
    context = Context(trust=Uncertainty(null=null), detail=detail)
    return MEASURE.compute(of, dict(MEASURE.settle(parameters)), context)


def by_place(values: Sequence[Value]) -> dict[tuple[int | None, str], Value]:
    return {(v.layer, v.statistic): v for v in values if v.label_a is None}


def test_scores_are_those_of_scikit_learn_on_the_split_of_the_corpus() -> None:
    found = by_place(computed(given([CODED, NOISE])))
    test = np.repeat(SPLIT.values, 4) == 1
    for layer, points in enumerate((CODED, NOISE)):
        x = points.astype(np.float32).astype(np.float64)
        model = LinearDiscriminantAnalysis(solver="lsqr").fit(x[~test], LABELS[~test])
        said = model.predict(x[test])
        assert found[layer, "accuracy"].value == accuracy_score(LABELS[test], said)
        assert found[layer, "macro-f1"].value == pytest.approx(f1_score(LABELS[test], said, average="macro"))
        bits = log_loss(LABELS[test], model.predict_proba(x[test])) / np.log(2)
        assert found[layer, "bits"].value == pytest.approx(bits, rel=1e-4)
        assert found[layer, "accuracy"].n == test.sum()
        most = np.bincount(LABELS[~test]).argmax()
        assert found[layer, "majority"].value == (LABELS[test] == most).mean()
        assert (layer, "accuracy-sd") not in found
    assert json.dumps(found[0, "accuracy"].details)


def test_what_a_layer_codes_is_found_and_chance_is_what_shuffled_labels_give() -> None:
    found = by_place(computed(given([CODED, NOISE]), null=8))
    coded, noise = found[0, "accuracy"], found[1, "accuracy"]
    assert coded.value is not None
    assert coded.null is not None
    assert coded.value > 0.85
    assert abs(coded.null - 1 / 3) < 0.08
    assert noise.value is not None
    assert noise.null is not None
    assert abs(noise.value - noise.null) < 0.12
    assert coded.details["null_sd"] > 0  # type: ignore[operator]
    plain = by_place(computed(given([CODED])))[0, "accuracy"]
    assert (plain.value, plain.null) == (coded.value, None)


def test_the_seed_of_the_null_changes_the_shuffles_alone() -> None:
    found = []
    for seed in (0, 0, 7):
        context = Context(trust=Uncertainty(null=4, seed=seed))
        values = MEASURE.compute(given([CODED], split=None), dict(MEASURE.settle({"probe_seeds": 2})), context)
        found.append(by_place(values)[0, "accuracy"])
    first, again, other = found
    assert first == again
    assert (first.value, first.null) == (other.value, pytest.approx(other.null, abs=0.2))
    assert first.null != other.null


def test_a_fit_that_did_not_converge_is_said_beside_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.measures.probes.logistic.MOST_LBFGS", 1)
    monkeypatch.setattr("explorer.measures.probes.logistic.MOST_NEWTON", 1)
    accuracy = by_place(computed(given([CODED]), model="logistic"))[0, "accuracy"]
    assert accuracy.reason
    assert accuracy.details["fit"] == accuracy.reason
    constant = np.concatenate([CODED, np.ones((N, 1))], axis=1)  # singular, and none the worse for it
    accuracy = by_place(computed(given([constant])))[0, "accuracy"]
    assert accuracy.details["fit"]
    assert accuracy.reason == ""


def test_a_control_task_can_be_learnt_where_the_layer_tells_types_apart() -> None:
    types = np.random.default_rng(1).standard_normal((40, 60))[TYPES]
    apart, alike = (by_place(computed(given([layer])))[0, "control-accuracy"].value for layer in (types, CODED))
    assert apart is not None
    assert alike is not None
    assert apart > alike + 0.25
    found = by_place(computed(given([CODED])))
    difference = found[0, "accuracy"].value - found[0, "control-accuracy"].value  # type: ignore[operator]
    assert found[0, "selectivity"].value == pytest.approx(difference)
    assert (0, "selectivity") not in by_place(computed(given([CODED]), control="none"))


def test_without_a_split_there_is_one_for_each_probe_seed() -> None:
    values = by_place(computed(given([CODED], split=None), probe_seeds=4))
    each = [
        by_place(computed(given([CODED], split=None), probe_seeds=seeds))[0, "accuracy"].value for seeds in (1, 2, 3, 4)
    ]
    single = np.diff(np.array(each) * [1, 2, 3, 4], prepend=0)  # accuracies of the seeds, from their running means
    assert values[0, "accuracy-sd"].value == pytest.approx(float(single.std(ddof=1)))
    assert values[0, "accuracy"].details["probe seeds"] == 4
    assert len(set(single.round(9))) > 1


def test_the_confusion_of_labels_adds_up_and_its_diagonal_is_the_accuracy() -> None:
    values = computed(given([CODED]), detail="label")
    cells = {(v.label_a, v.label_b): v.value for v in values if v.statistic == "confusion"}
    accuracy = by_place(values)[0, "accuracy"]
    assert sum(cells.values()) == accuracy.n  # type: ignore[arg-type]
    right = sum(many for (a, b), many in cells.items() if a == b)  # type: ignore[misc]
    assert right / accuracy.n == pytest.approx(accuracy.value)
    assert {name for pair in cells for name in pair} == {"a", "b", "c"}


def test_a_label_that_only_test_has_counts_as_an_error_and_is_said() -> None:
    labels = LABELS.copy()
    test = np.flatnonzero(np.repeat(SPLIT.values, 4))
    labels[test[:10]] = 3
    found = by_place(computed(given([CODED], labels)))
    assert found[0, "accuracy"].details["unknown"] == 10
    said = f"test has labels that train lacks: 10 of {len(test)} points, which count as errors"
    assert found[0, "accuracy"].reason == said
    assert found[0, "accuracy"].value <= 1 - 10 / len(test)  # type: ignore[operator]


def test_more_parameters_than_points_are_said_where_no_control_tells_what_that_means() -> None:
    wide = np.random.default_rng(3).standard_normal((N, 300))
    accuracy = by_place(computed(given([wide]), control="none"))[0, "accuracy"]
    assert accuracy.value is not None
    assert accuracy.reason == "602 parameters for 452 training points and no control task to compare"
    assert by_place(computed(given([wide])))[0, "accuracy"].reason == ""
    assert by_place(computed(given([CODED]), control="none"))[0, "accuracy"].reason == ""


def test_sentences_have_no_control_task() -> None:
    labels = np.arange(N // 4) % 3
    found = by_place(computed(given([CODED], labels, level="sentence")))
    assert (0, "accuracy") in found
    assert (0, "control-accuracy") not in found
    assert found[0, "accuracy"].details["train"] == 113


@pytest.mark.parametrize(
    ("labels", "split", "words"),
    [
        (np.zeros(N, np.int64), SPLIT, "the same label"),
        (LABELS, MemoryLabels("sentence", ("train", "dev"), SPLIT.values), "no labelled points in test"),
        (LABELS, MemoryLabels("sentence", ("train", "later"), SPLIT.values), "'later'"),
    ],
)
def test_what_cannot_be_probed_is_a_sentence(labels: np.ndarray, split: MemoryLabels, words: str) -> None:
    with pytest.raises(MeasureError, match=words):
        computed(given([CODED], labels, split))


def test_logistic_regression_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    found = by_place(computed(given([CODED]), model="logistic", C=0.5))
    test = np.repeat(SPLIT.values, 4) == 1
    x = CODED.astype(np.float32).astype(np.float64)
    model = LogisticRegression(C=0.5, tol=1e-10, max_iter=5000).fit(x[~test], LABELS[~test])
    assert found[0, "accuracy"].value == accuracy_score(LABELS[test], model.predict(x[test]))
    bits = log_loss(LABELS[test], model.predict_proba(x[test])) / np.log(2)
    assert found[0, "bits"].value == pytest.approx(bits, abs=1e-4)


@pytest.mark.parametrize("model", ["lda", "logistic"])
def test_after_erasing_the_labels_a_probe_is_at_the_majority(model: str) -> None:
    """Erased on train alone: on test a few points may still differ from the most frequent label."""
    base = given([CODED])
    others = {**base.others, "erase": base.labels}
    erased = Given(base.corpus, base.operands, base.annotation, others=others)
    found = by_place(computed(erased, model=model, erase="label"))
    assert found[0, "accuracy"].value == pytest.approx(found[0, "majority"].value, abs=0.05)
    assert by_place(computed(base, model=model))[0, "accuracy"].value > 0.85  # type: ignore[operator]


@pytest.mark.parametrize(("classes", "refused"), [(2, False), (1, True)])
def test_labels_of_two_classes_can_be_erased_and_a_single_one_cannot(classes: int, refused: bool) -> None:
    base = given([CODED])
    labels = MemoryLabels("word", ("a", "b"), LABELS % classes)
    erased = Given(base.corpus, base.operands, base.annotation, others={**base.others, "erase": labels})
    if refused:
        with pytest.raises(MeasureError, match="fewer than two values in train"):
            computed(erased, erase="label")
    else:
        assert by_place(computed(erased, erase="label"))[0, "accuracy"].value is not None


SPANS = np.array([[first, first + 1] for first in range(0, N, 4)] + [[first, first] for first in range(2, N, 4)])
SPANS = SPANS[np.argsort(SPANS[:, 0])]
OF_SPANS = RNG.integers(0, 3, len(SPANS))
PAIRS = np.concatenate([SPANS[::2], SPANS[1::2]], axis=1)


def coded(level: str, items: np.ndarray, labels: np.ndarray, **others: MemoryLabels) -> Given:
    """Items whose first words code their labels."""
    layer = NOISE.copy()
    layer[items[:, 0]] += 4 * np.eye(WIDTH)[labels]
    base = given([layer])
    wanted = MemoryLabels(level, ("a", "b", "c"), labels, items)
    return Given(base.corpus, base.operands, wanted, others={**base.others, **others})


def test_spans_are_read_as_the_means_of_their_words_and_pairs_as_both_spans() -> None:
    for level, items, labels in (("span", SPANS, OF_SPANS), ("pair", PAIRS, OF_SPANS[::2])):
        of = coded(level, items, labels)
        states = of.operands["checkpoint"]["hidden"][0].states.astype(np.float64)  # type: ignore[index]
        x = np.array(
            [np.concatenate([states[a : b + 1].mean(0) for a, b in unit.reshape(-1, 2).tolist()]) for unit in items]
        )
        test = SPLIT.values[items[:, 0] // 4] == 1
        model = LinearDiscriminantAnalysis(solver="lsqr").fit(x[~test], labels[~test])
        found = by_place(computed(of))
        assert found[0, "accuracy"].value == accuracy_score(labels[test], model.predict(x[test]))
        assert found[0, "accuracy"].n == test.sum()
        assert found[0, "control-accuracy"].value < 0.6  # type: ignore[operator]
        assert found[0, "accuracy"].value > 0.8  # type: ignore[operator]


def test_labels_are_erased_from_the_same_spans_wherever_they_are_listed() -> None:
    same = MemoryLabels("span", ("a", "b", "c"), OF_SPANS[::-1], SPANS[::-1])
    more = MemoryLabels("span", ("a", "b", "c"), np.append(OF_SPANS, 0), np.append(SPANS, [[1, 2]], axis=0))
    for erased in (same, more):
        found = by_place(computed(coded("span", SPANS, OF_SPANS, erase=erased), erase="other"))
        assert found[0, "accuracy"].value == pytest.approx(found[0, "majority"].value, abs=0.05)


def test_spans_with_several_labels_are_left_to_the_edge_probe() -> None:
    with pytest.raises(MeasureError, match="only edge-probe reads sets of labels"):
        computed(coded("span", np.repeat(SPANS, 2, axis=0), np.tile([0, 1], len(SPANS))))


def test_labels_of_other_units_cannot_be_erased() -> None:
    base = given([CODED])
    sentences = MemoryLabels("sentence", ("a", "b"), np.arange(N // 4) % 2)
    erased = Given(base.corpus, base.operands, base.annotation, others={"erase": sentences})
    with pytest.raises(MeasureError, match="Labels of sentences cannot be erased from words"):
        computed(erased, erase="sentiment")


def test_a_perceptron_is_fitted_with_several_seeds_on_the_split_of_the_corpus() -> None:
    near = np.stack([np.cos(LABELS * 2.1), np.sin(LABELS * 2.1)], 1) + RNG.standard_normal((N, 2)) * 0.3
    found = by_place(computed(given([near]), model="mlp", probe_seeds=3))
    assert found[0, "accuracy"].value > 0.9  # type: ignore[operator]
    assert found[0, "accuracy"].details["probe seeds"] == 3
    assert found[0, "accuracy-sd"].value >= 0  # type: ignore[operator]
    assert by_place(computed(given([near]), model="mlp", probe_seeds=3)) == found


def test_points_that_a_perceptron_stops_by_are_counted_as_dev_and_not_as_train() -> None:
    """The split of the corpus has no dev."""
    sizes = {
        model: by_place(computed(given([CODED]), model=model, probe_seeds=2))[0, "accuracy"].details
        for model in ("lda", "mlp")
    }
    counts = {model: [found[part] for part in ("train", "dev", "test")] for model, found in sizes.items()}
    texts = N // 4
    of_train = int((SPLIT.values == 0).sum())
    assert counts["lda"] == [4 * of_train, 0, 4 * (texts - of_train)]
    assert counts["mlp"] == [4 * (of_train - round(of_train / 10)), 4 * round(of_train / 10), 4 * (texts - of_train)]
