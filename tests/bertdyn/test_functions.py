"""Are measures on plain arrays the store's own numbers, whatever the arrays are made of?"""

from __future__ import annotations

import inspect
import json
import os
import pydoc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bertdyn
from bertdyn.corpora import labels_of
from bertdyn.functions import refusal
from bertdyn.runs import Runs
from explorer.compute.plan import plan, rows
from explorer.compute.run import compute
from explorer.measures import Measure, Uncertainty
from explorer.measures.declaration import Input
from explorer.measures.registry import all_measures, get
from explorer.selection import Ranges, Selection, ask_store
from store.corpora.annotations import make_annotation
from store.keys import CheckpointKey
from store.results import Result
from tests.pools import here

ROOT = Path(__file__).resolve().parents[2]
LAYER, STEPS = 4, (0, 20, 40, 80)
COORDINATES = ("head", "example", "query", "label_a", "label_b", "statistic")
VALUES = ("value", "n", "unit", "null_value", "interval_low", "interval_high", "reason", "details")
USABLE = [measure for measure in all_measures() if not refusal(measure)]

STORED = [m for m in USABLE if m.labels is None or (m.labels.of == "class" and "sentence" in m.labels.levels)]
"""Those that the store of these tests has the inputs of."""


def array(runs: Runs, kind: str, key: CheckpointKey) -> Any:
    """What a notebook reads of a checkpoint."""
    chosen: dict[str, Any] = {"seed": key.seed, "step": key.step}
    if kind == "hidden":
        return runs.hidden(key.recipe, layer=LAYER, **chosen)
    return (
        runs.attention(key.recipe, layer=LAYER, **chosen) if kind == "attention" else runs.logits(key.recipe, **chosen)
    )


def arguments(runs: Runs, measure: Measure, row: Result) -> list[Any]:
    """The arrays that a stored row was computed from, and the labels."""
    own = CheckpointKey.plain("sst2", "1", 80)
    given: list[Any] = []
    for operand in measure.operands:
        key = own
        if operand.by == "against":
            assert row.ref_task is not None
            assert row.ref_seed is not None
            assert row.ref_step is not None
            key = CheckpointKey.plain(row.ref_task, row.ref_seed, row.ref_step)
        for one in (i for i in measure.inputs if i.role == operand.role):
            members = [array(runs, one.kind, own._replace(step=step)) for step in STEPS] if operand.path else None
            given.append(members or array(runs, one.kind, key))
    return [*given, runs.annotation("label")] if measure.labels else given


def stored(runs: Runs, measure: Measure, trust: Uncertainty, detail: str, **parameters: object) -> list[Result]:
    """The rows of one layer of one checkpoint, through the planner. What is kept between measures moves sums of float32
    products by some 1e-8."""
    selection = Selection(
        measure.name, "dev", ("sst2",), ("1",), Ranges.one(80), Ranges.one(LAYER) if measure.layers else None,
        parameters=tuple(parameters.items()), detail=detail,
    )  # fmt: skip
    question = ask_store(runs.store, selection, trust)
    assert compute(runs.store, [question], workers=1, device="cpu", executor=here, trust=trust).ok
    return rows(runs.store, plan(runs.store, question, trust))


def name_of(measure: Measure) -> str:
    return measure.name


@pytest.mark.parametrize("measure", STORED, ids=name_of)
def test_a_value_is_the_stores_with_null_interval_and_details(runs: Runs, measure: Measure) -> None:
    trust = Uncertainty(3 if measure.null else 0, measure.intervals[0] if measure.intervals else "", 0.9)
    detail = measure.details[-1] if measure.details else ""
    there = stored(runs, measure, trust, detail)
    options: dict[str, Any] = {"examples": runs.corpus(), "detail": detail, "device": "cpu"}
    options |= {"null": trust.null, "interval": trust.interval, "level": trust.level}
    if any(one.kind == "logits" for one in measure.reads):
        options["classes"] = runs.classes("sst2", seed=1, step=80)
    found = getattr(bertdyn, measure.name.replace("-", "_"))(*arguments(runs, measure, there[0]), **options)
    coordinates = [found.columns.index(name) for name in COORDINATES]
    values = [found.columns.index(name) for name in VALUES]
    ours = {tuple(row[at] for at in coordinates): tuple(row[at] for at in values) for row in found}
    theirs = {
        tuple(getattr(row, name) for name in COORDINATES): tuple(getattr(row, name) for name in VALUES) for row in there
    }
    assert ours.keys() == theirs.keys()
    for at, expected in theirs.items():
        for own, one in zip(ours[at][:-1], expected[:-1], strict=True):
            assert own == (pytest.approx(one, rel=1e-6, abs=1e-8) if isinstance(one, float) else one)
        assert json.loads(ours[at][-1]).keys() == json.loads(expected[-1]).keys()
    value, n, unit, null, low, high, reason, _ = ours[None, None, None, None, None, measure.main]
    assert (found.value, found.n, found.unit, found.null, found.reason) == (value, n, unit, null, reason)
    assert found.interval == (None if low is None else (low, high))


@pytest.mark.parametrize("parameters", [{"tokens": "words"}, {"tokens": "cls", "variance": 0.8}, {"tokens": "content"}])
def test_a_corpus_says_which_rows_are_chosen(runs: Runs, parameters: dict[str, Any]) -> None:
    measure = get("svcca")
    (there,) = stored(runs, measure, Uncertainty(), "", **parameters)
    found = bertdyn.svcca(*arguments(runs, measure, there), examples=runs.corpus(), **parameters)
    assert (found.value, found.n) == (pytest.approx(there.value, rel=1e-9), there.n)


def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 6))
    return x, x @ rng.standard_normal((6, 6)) + 0.5 * rng.standard_normal((300, 6))


def maps(*lengths: int, heads: int = 2, seed: int = 0) -> list[np.ndarray]:
    """Attentions of examples of some lengths."""
    rng = np.random.default_rng(seed)
    found = [rng.random((heads, length, length)) for length in lengths]
    return [one / one.sum(-1, keepdims=True) for one in found]


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_of_torch_are_arrays(kind: torch.dtype) -> None:
    x, y = (torch.from_numpy(one).to(kind).requires_grad_() for one in pair())
    as_arrays = [one.detach().to(torch.float32).numpy() for one in (x, y)]
    if kind in (torch.float64, torch.float16):
        as_arrays = [one.detach().numpy() for one in (x, y)]
    assert float(bertdyn.svcca(x, y)) == float(bertdyn.svcca(*as_arrays))
    labels = torch.arange(300) % 3
    assert float(bertdyn.clusters(x, labels)) == float(bertdyn.clusters(as_arrays[0], labels.tolist()))


def test_lists_integers_and_frames_are_arrays() -> None:
    x, y = (np.round(4 * one).astype(np.int64) for one in pair())
    assert float(bertdyn.cka(x.tolist(), y)) == float(bertdyn.cka(x.astype(float), y.astype(float)))


def test_js_takes_one_example_several_of_a_length_or_any(runs: Runs) -> None:
    (a,), (b,) = maps(5, seed=1), maps(5, seed=2)
    one = bertdyn.js(a, b)
    p, q = a.reshape(-1, 5), b.reshape(-1, 5)
    m = (p + q) / 2
    by_hand = (0.5 * (p * np.log2(p / m)).sum(1) + 0.5 * (q * np.log2(q / m)).sum(1)).mean()
    assert float(one) == pytest.approx(by_hand, rel=1e-6)
    assert (one.n, one.unit) == (1, "bits")
    several = bertdyn.js(np.stack([a, a]), torch.from_numpy(np.stack([b, b])))
    assert float(several) == pytest.approx(by_hand, rel=1e-6)
    assert float(bertdyn.js(a.tolist(), b.tolist())) == float(one)
    mixed = bertdyn.js(maps(3, 4), maps(3, 4, seed=9), detail="example")
    assert mixed.n == 2
    assert {row[mixed.columns.index("example")] for row in mixed} == {None, 0, 1}


def test_labels_are_numbers_or_texts_and_may_be_missing() -> None:
    x, _ = pair()
    ids = np.arange(300) % 3
    names = np.array(["a", "b", "c"])[ids]
    by_name = bertdyn.clusters(x, names)
    assert float(by_name) == float(bertdyn.clusters(x, ids))
    assert {row[by_name.columns.index("label_a")] for row in by_name} == {None, "a", "b", "c"}
    some = [None if at < 60 else name for at, name in enumerate(names.tolist())]
    part = bertdyn.clusters(x, some)
    assert part.n == 240
    assert float(part) == float(bertdyn.clusters(x[60:], names[60:]))
    assert float(part) == float(bertdyn.clusters(x, np.where(np.arange(300) < 60, np.nan, ids)))


def test_examples_say_what_belongs_together() -> None:
    x, y = pair()
    alone = bertdyn.svcca(x, y, null=3)
    together = bertdyn.svcca(x, y, null=3, examples=[100, 150, 50])
    assert float(alone) == float(together)
    assert alone.null != together.null
    labels = np.arange(300) % 2
    special = np.zeros(300, bool)
    special[[0, 100, 250]] = True
    corpus = bertdyn.Examples([100, 150, 50], special=special)
    assert bertdyn.clusters(x, labels[~special], examples=corpus).n == 297
    assert bertdyn.svcca(x, y, examples=corpus, tokens="content").n == 297
    sinks = bertdyn.sink_mass(maps(3, 4), examples=bertdyn.Examples([3, 4], special=[1, 0, 0, 1, 0, 0, 1]))
    assert sinks.value is not None


def test_logits_of_tokens_and_of_several_labels() -> None:
    rng = np.random.default_rng(3)
    logits, others = rng.standard_normal((7, 3)), rng.standard_normal((7, 3))
    tokens = bertdyn.churn(logits, others, examples=[4, 3], detail="example")
    assert float(tokens) == (logits.argmax(1) != others.argmax(1)).mean()
    assert len(tokens) == 3
    several = bertdyn.Classes("sequence", ("a", "b", "c"), "multi_label_classification")
    any_differs = ((logits > 0) != (others > 0)).any(1).mean()
    assert float(bertdyn.churn(logits, others, classes=several)) == any_differs
    right = logits.argmax(1)
    assert float(bertdyn.output_accuracy(logits, right)) == 1
    assert float(bertdyn.output_accuracy(logits, np.array(["x", "y", "z"])[right], classes=["x", "y", "z"])) == 1


def test_a_run_is_a_sequence_of_logits() -> None:
    path = np.random.default_rng(4).standard_normal((3, 10, 2))
    labels = np.arange(10) % 2
    p = np.exp(path) / np.exp(path).sum(-1, keepdims=True)
    assert float(bertdyn.confidence(path, labels)) == pytest.approx(p[:, np.arange(10), labels].mean())


FIT = "a row per token is needed."
REFUSED: dict[str, Callable[[np.ndarray, np.ndarray], object]] = {
    f"Y: 299 rows do not fit 300 tokens: {FIT}": lambda x, y: bertdyn.svcca(x, y[1:]),
    f"X: 300 rows do not fit 3 tokens: {FIT}": lambda x, y: bertdyn.svcca(x, y, examples=[1, 2]),
    "X: hidden states must be an array [n, d], not one of shape (6,).": lambda x, y: bertdyn.svcca(x[0], y),
    "Y: numbers are needed, not <U1.": lambda x, y: bertdyn.svcca(x, [["a"]] * 300),
    "X: the parts of an array must have the same length.": lambda x, y: bertdyn.svcca([[1.0], [1.0, 2.0]], y),
    "svcca has no parameter 'sigma', only tokens, definition, variance.": lambda x, y: bertdyn.svcca(x, y, sigma=1),
    "variance: 2.0 is outside 0.01 to 1.0.": lambda x, y: bertdyn.svcca(x, y, variance=2),
    "--level: 2.0 is outside 0.5 to 0.999.": lambda x, y: bertdyn.svcca(x, y, level=2),
    "--null: churn has no null.": lambda x, y: bertdyn.churn(x, y, null=3),
    "--detail: cka has no detail 'example' nor any other.": lambda x, y: bertdyn.cka(x, y, detail="example"),
    "labels: 2 were given, but there are 300 sentences or 300 words.": lambda x, y: bertdyn.clusters(x, [1, 2]),
    "labels: one label per example or word is needed, not an array of shape (300, 6).": bertdyn.clusters,
    "labels: classes must be whole numbers or texts, not fractions.": lambda x, y: bertdyn.clusters(x, y[:, 0] ** 2),
    "labels: numbers or texts are needed, not dict.": lambda x, y: bertdyn.clusters(x, [{}] * 300),
    "A: attentions must be an array [heads, q, k], with as many queries as keys, or a sequence of such arrays; this "
    "one has the shape (300, 6).": bertdyn.js,
    "B: example 0 has 4 tokens, but 3 are expected.": lambda x, y: bertdyn.js(maps(3), maps(4)),
    "B: attentions of 1 examples do not fit 2 examples.": lambda x, y: bertdyn.js(maps(3, 3), maps(3)),
    "The two sides have 2 and 4 attention heads: js compares a head with itself.": (
        lambda x, y: bertdyn.js(maps(3), maps(3, heads=4))
    ),
    "logits: 6 columns do not fit 1 classes.": lambda x, y: bertdyn.churn(x, y, classes=["a"]),
    "logits: a sequence is needed, for each checkpoint of the run, in order: logits [n, classes], one row per example "
    "(or per token, if 'examples' says which tokens belong together).": lambda x, y: bertdyn.confidence([], [1]),
    "The hidden states contain NaN or infinite numbers: extract this checkpoint again.": (
        lambda x, y: bertdyn.svcca(x * np.nan, y)
    ),
    "weight-change reads weights, which cannot be given as arrays: open a store and call "
    "runs.compute('weight-change').": lambda x, y: bertdyn.weight_change(),
    "svcca has no value: too few tokens: 4 for a width of 6; with at most as many tokens, all layers look alike.": (
        lambda x, y: float(bertdyn.svcca(x[:4], y[:4]))
    ),
    "The lengths of examples must be whole numbers from 0 on, one per example.": lambda x, y: bertdyn.Examples([2.5]),
    "special: 1 values do not fit 2 tokens.": lambda x, y: bertdyn.Examples([2], special=[True]),
    "words: pairs of first token and length are needed, in order and within the 2 tokens.": (
        lambda x, y: bertdyn.Examples([2], words=[(1, 2)])
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence(said: str) -> None:
    with pytest.raises(bertdyn.BertdynError) as refused:
        REFUSED[said](*pair())
    assert str(refused.value) == said


def test_calls_that_python_refuses_name_the_function() -> None:
    with pytest.raises(TypeError, match=r"^svcca\(\) missing a required argument: 'Y'$"):
        bertdyn.svcca(pair()[0])
    with pytest.raises(AttributeError, match="no attribute 'svca'"):
        bertdyn.svca  # noqa: B018
    with pytest.raises(AttributeError):
        bertdyn.__path_to_nowhere__  # noqa: B018


def test_every_measure_has_help(runs: Runs) -> None:
    assert {name.replace("_", "-") for name in dir(bertdyn)} >= {measure.name for measure in USABLE}
    assert "weight_change" not in dir(bertdyn)
    for measure in all_measures():
        function = getattr(bertdyn, measure.name.replace("-", "_"))
        told = pydoc.plain(pydoc.render_doc(function))
        assert measure.title in told
        if refusal(measure):
            continue
        names = inspect.signature(function).parameters
        assert {p.name: p.default for p in measure.parameters}.items() <= {
            n: p.default for n, p in names.items()
        }.items()
        assert all(f" {name}: " in told for name in names)
        assert measure.definition.split(". ")[0][:60] in " ".join(told.split())


def test_a_number_is_shown_with_what_it_is_worth() -> None:
    x, y = pair()
    found = bertdyn.svcca(x, y, null=3, interval="bootstrap")
    low, high = found.interval
    assert repr(found) == (
        f"svcca: {found.value:.6g} distance, n 300 tokens; chance {found.null:.6g}; interval {low:.6g} to {high:.6g}"
    )
    assert found._repr_html_() == f"<pre>{found!r}</pre>"
    assert np.array([found, found], float).tolist() == [found.value] * 2
    assert found.details["trust"]["interval"] == "bootstrap"
    few = bertdyn.svcca(x[:4], y[:4])
    assert repr(few) == f"svcca: no value, n 4 tokens; {few.reason}"


def own(code: str, **environment: str) -> str:
    """What code prints where tests.ridge has measures of its own."""
    call = [sys.executable, "-c", code]
    settings = {**os.environ, "BERTDYN_MEASURES": "tests.ridge", "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(call, env=settings, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_measure_of_ones_own_appears_by_itself() -> None:
    code = """
import numpy as np, bertdyn
layers = np.arange(24.0).reshape(2, 4, 3)
print([name for name in dir(bertdyn) if name in ("drift", "step_ridge", "ridge")])
print(float(bertdyn.step_ridge(layers + 1, layers)))
drift = bertdyn.drift([layers, layers + 2, layers])
print([row[drift.columns.index("value")] for row in drift], drift.columns[0])
try:
    bertdyn.ridge(layers)
except bertdyn.BertdynError as error:
    print(error)
"""
    distance = 2 * float(np.linalg.norm([2, 2, 2]))
    assert own(code).splitlines() == [
        "['drift', 'step_ridge']",
        "1.0",
        f"[{distance}, {distance}] layer",
        "ridge is computed in several rounds, which is not possible with arrays: open a store and call "
        "runs.compute('ridge').",
    ]


def test_a_module_without_measures_is_named() -> None:
    code = "import bertdyn\ntry:\n    bertdyn.svcca\nexcept bertdyn.BertdynError as error:\n    print(error)"
    assert own(code, BERTDYN_MEASURES="no.such").startswith("BERTDYN_MEASURES: module 'no.such' has no measures:")


def test_torch_is_not_imported_for_what_needs_none() -> None:
    code = (
        "import sys, numpy as np, bertdyn\n"
        "print(float(bertdyn.churn(np.eye(3), np.eye(3))), 'torch' in sys.modules, 'duckdb' in sys.modules)"
    )
    assert own(code) == "0.0 False False\n"


def test_an_annotation_of_another_kind_is_refused(runs: Runs) -> None:
    corpus, x = runs.corpus(), runs.hidden("sst2", seed=1, step=80, layer=2)
    count = corpus.info.words
    scores = make_annotation("score", "word", "number", (), np.arange(count, dtype=float))
    with pytest.raises(
        bertdyn.BertdynError, match=r"^clusters needs a class for each of the sentences or words; 'score'"
    ):
        bertdyn.clusters(x, scores, examples=corpus)
    short = make_annotation("few", "word", "class", ("a", "b"), np.arange(count - 1) % 2)
    with pytest.raises(bertdyn.BertdynError, match=f"^labels: {count - 1} were given, but there are {count} words"):
        bertdyn.clusters(x, short, examples=corpus)
    with pytest.raises(bertdyn.BertdynError, match="needs an annotation of a store"):
        labels_of([0.5] * count, corpus, Input("annotation", "parts", levels=("word",), of="split"), "toy")
    assert labels_of(scores, corpus, Input("annotation", "scores", levels=("word",), of="number"), "toy") is scores
    heads = Input("annotation", "heads", levels=("word",), of="tree")
    with pytest.raises(bertdyn.BertdynError, match="a whole number: its position among all words"):
        labels_of([0.5] * count, corpus, heads, "toy")
    assert labels_of([-1] * count, corpus, heads, "toy").values.tolist() == [-1] * count


def test_a_probe_takes_the_array_of_one_layer_or_those_of_several() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    coded, noise = np.eye(8)[labels] * 4 + rng.standard_normal((200, 8)), rng.standard_normal((200, 8))
    alone, both = bertdyn.probe(coded, labels, null=3), bertdyn.probe([noise, coded], labels, null=3)
    assert float(alone) > 0.85
    statistic, value = both.columns.index("statistic"), both.columns.index("value")
    accuracy = [row[value] for row in both.rows if row[statistic] == "accuracy"]
    assert accuracy[1] == float(alone)
    assert accuracy[0] < 0.6


def test_an_edge_probe_takes_a_label_of_each_word() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    found = bertdyn.edge_probe(np.eye(8)[labels], labels, projection=16, probe_seeds=1)
    assert (float(found), found.n) == (1.0, 40)


def test_a_regression_is_measured_against_numbers() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=30)
    said = (numbers + rng.normal(size=30)).reshape(-1, 1)
    found = bertdyn.output_error(said, numbers)
    assert found.value == pytest.approx(((said[:, 0] - numbers) ** 2).mean(), rel=1e-12)
    at = found.columns.index("statistic"), found.columns.index("value")
    correlations = {row[at[0]]: row[at[1]] for row in found}
    assert correlations["pearson"] == pytest.approx(np.corrcoef(said[:, 0], numbers)[0, 1], rel=1e-9)
    with pytest.raises(bertdyn.BertdynError, match="one number per sentence"):
        bertdyn.output_error(said, numbers.reshape(-1, 1))
    with pytest.raises(bertdyn.BertdynError, match="not a regression"):
        bertdyn.output_error(rng.normal(size=(30, 3)), numbers)
