"""What devices are compared by: the arrays of an extraction, and the rows of every measure that computes on a device.

A GPU adds in another order than a processor and rounds otherwise, so values agree to a tolerance, stated here with its
reason. ``cpu:0`` is the processor by another name: measures take the code for other devices there, without a GPU.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from explorer.compute.executors.base import MakeWorkers
from explorer.compute.run import compute
from explorer.measures import Uncertainty
from explorer.measures.registry import all_measures, get
from explorer.selection import Selection, ask_store
from explorer.selection.question import NO_TRUST
from explorer.selection.stored import further_axes
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.results import Result, row_key
from store.rows import Is, RowQuery
from store.store import Store
from tests.parameters import later
from tests.pools import here
from tests.store.extract import models

CUDA = pytest.param("cuda", marks=pytest.mark.gpu)
"""The GPU: such tests are skipped without one."""
OTHER_CPU = later("cpu:0")
NAME = "s.bertdyn"
HIDDEN, ATTENTION, LOGITS = 2e-4, 2e-5, 2e-4
"""Largest differences of float32 arrays between devices. Hidden states are of size 1 to 10, their relative rounding is
6e-8, and a layer adds some hundreds of products; attentions are at most 1."""
FLOAT16 = 2.0**-10
"""Relative difference of two float16 that are neighbours: values on both sides of a middle are stored so."""


@dataclass(frozen=True)
class Asked:
    """How a measure is computed on each device, and how far its values may lie apart."""

    tolerance: float
    """Largest difference of values, relative to the larger one of the value and ``scale``."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    trust: Uncertainty = NO_TRUST
    annotation: str = ""
    corpus: str = "dev"
    scale: float = 1.0
    seeds: tuple[str, ...] = ("1",)


SUMS = 1e-6
"""Sums of products in float32 blocks that are added in float64: storage as float16 changes values by as much."""
PASSES = 1e-4
"""Losses after a forward pass in float32."""
TRAINED = 0.1
"""Scores of probes that were trained with other rounding: a score moves by whole examples."""
CURVED = 2e-2
"""Eigenvalues of a Hessian are found to a relative tolerance of 1e-2."""
_EXTRAS = Uncertainty(null=1, interval="jackknife")
_POINT: dict[str, object] = {"grid": 3, "examples": "4"}
_SHARP: dict[str, object] = {"draws": 2, "iterations": 20, "ascent_steps": 2, "examples": "4"}
ASKED: Mapping[str, tuple[Asked, ...]] = {
    **{name: (Asked(SUMS, trust=_EXTRAS),) for name in ("svcca", "cca", "pwcca", "cka", "procrustes")},
    # An angle near 0 is the root of a rounded difference from 1.
    "shape": (Asked(1e-3),),
    "rsa": (Asked(SUMS, trust=_EXTRAS), Asked(SUMS, {"score": "spearman"})),
    **{name: (Asked(SUMS, trust=_EXTRAS),) for name in ("js", "attention-entropy-change", "sink-mass-change")},
    **{name: (Asked(SUMS),) for name in ("attention-entropy", "sink-mass")},
    **{name: (Asked(1e-5),) for name in ("effective-rank", "participation-ratio", "anisotropy")},
    "probe": (Asked(TRAINED, {"model": "mlp", "hidden": "4,4", "probe_seeds": 1}, annotation="UPOS", corpus="trees"),),
    "structural-probe": (Asked(TRAINED, {"rank": 4}, annotation="HEAD", corpus="trees"),),
    "edge-probe": (
        Asked(TRAINED, {"projection": 4, "rounds": 2, "probe_seeds": 1}, annotation="DEPREL", corpus="trees"),
    ),
    "rollback": (Asked(PASSES),),
    "head-ablation": (Asked(PASSES),),
    "loss-curve": (Asked(PASSES, _POINT),),
    "loss-surface": (Asked(PASSES, {**_POINT, "origin": "pretrained"}),),
    "loss-surface-random": (Asked(PASSES, _POINT),),
    "loss-surface-pca": (Asked(PASSES, _POINT),),
    "barrier": (Asked(PASSES, {"examples": "4"}, seeds=()),),
    "sharpness": (Asked(CURVED, _SHARP),),
    "layer-sharpness": (Asked(CURVED, _SHARP),),
}
"""Measures that compute on a device."""
WITHOUT_DEVICE = frozenset(
    (
        *("clusters", "spatial-similarity", "centroid-movement", "label-distance-change", "split-similarity"),
        *("weight-change", "output-kl", "churn", "output-loss", "output-accuracy", "output-error"),
        *("confidence", "variability", "correctness", "early-exit", "trajectory", "ablation", "mdl"),
    )
)
"""Measures that compute on the processor wherever they are."""


def unlisted() -> set[str]:
    """Return the measures of which this module does not say whether they compute on a device."""
    return {measure.name for measure in all_measures()} ^ {*ASKED, *WITHOUT_DEVICE}


def make_places(root: Path) -> Path:
    """Write checkpoints of two seeds, a reference, sentences and trees, and a store of them."""
    for seed in ("1", "2"):
        for step in (0, 10, 20):
            folder = root / "runs" / "t" / f"seed-{seed}" / f"checkpoint-{step}"
            models.save(folder, seed=100 * int(seed) + step, num_labels=2)
            models.trained(folder, step)
    models.save(root / "base", head=False, seed=99)
    models.corpus_file(root)
    (root / "trees.conllu").write_text(trees(40))
    extracted(root, root / NAME, "cpu")
    return root


def trees(sentences: int) -> str:
    """Return sentences of five words with random heads, in CoNLL-U."""
    rng = np.random.default_rng(0)
    words = sorted({word for sentence in models.SENTENCES for word in sentence.split()})
    lines = []
    for _ in range(sentences):
        for place in range(1, 6):
            word, head = rng.choice(words), rng.integers(1, place) if place > 1 else 0
            relation = rng.choice(["nsubj", "obj"]) if head else "root"
            lines.append(f"{place}\t{word}\t_\t{rng.choice(['NOUN', 'VERB'])}\t_\t_\t{head}\t{relation}\t_\t_")
        lines.append("")
    return "\n".join([*lines, ""])


def extracted(places: Path, path: Path, device: str, dtype: str = "float16") -> Store:
    """Return a store of the checkpoints of a folder, extracted on a device."""
    options = ExtractOptions(reference=str(places / "base"), device=device, dtype=dtype)
    texts = {"dev": places / "dev.tsv", "trees": places / "trees.conllu"}
    report = extract(path, [places / "runs"], texts, options)
    assert report.exit_code == 0, report
    return Store.open(path)


def arrays(store: Store, corpus: str = "dev") -> dict[str, np.ndarray]:
    """Return all hidden states, attentions and logits of a corpus, by kind, checkpoint, layer and head."""
    found = {}
    for checkpoint in store.checkpoints(corpus):
        key = checkpoint.key
        for layer in range(checkpoint.layers + 1):
            found[f"hidden {key} {layer}"] = store.hidden(corpus, key, layer)
        for layer in range(1, checkpoint.layers + 1):
            for head in range(1, checkpoint.heads + 1):
                found[f"attention {key} {layer} {head}"] = store.attention(corpus, key, layer, head)
        if "logits" in checkpoint.digests:
            found[f"logits {key}"] = store.logits(corpus, key)[0]
    return found


def assert_same_arrays(found: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray]) -> None:
    """Check that two devices gave the same arrays, to the tolerances of this module."""
    assert found.keys() == wanted.keys()
    tolerances = {"hidden": HIDDEN, "attention": ATTENTION, "logits": LOGITS}
    for name, array in found.items():
        relative = FLOAT16 if array.dtype == np.float16 else 0.0
        one, other = array.astype(np.float64), wanted[name].astype(np.float64)
        np.testing.assert_allclose(one, other, rtol=relative, atol=tolerances[name.split()[0]], err_msg=name)


def measured(
    places: Path, path: Path, name: str, asked: Asked, device: str, workers: int = 1, executor: MakeWorkers = here
) -> dict[str, Result]:
    """Compute a measure on a device, in a copy of the store, and return its rows by the hash of their key."""
    if not path.exists():
        shutil.copytree(places / NAME, path)
    store = Store.open(path)
    selection = Selection(
        name, asked.corpus, tasks=("t",), seeds=asked.seeds, parameters=tuple(asked.parameters.items()),
        annotation=asked.annotation,
    )  # fmt: skip
    question = ask_store(store, selection)
    outcome = compute(store, [question], workers=workers, device=device, executor=executor, trust=asked.trust)
    assert outcome.ok, outcome
    assert outcome.computed
    return {row_key(row): row for row in store.results(RowQuery((Is("measure", name),), axes=further_axes(get(name))))}


def assert_same_rows(found: Mapping[str, Result], wanted: Mapping[str, Result], asked: Asked) -> None:
    """Check that two devices gave the same values, to the tolerance of the measure."""
    assert found.keys() == wanted.keys()
    assert any(row.value is not None for row in wanted.values())
    for key, row in found.items():
        other = wanted[key]
        assert (row.n, row.unit, row.reason) == (other.n, other.unit, other.reason)
        for what in ("value", "null_value", "interval_low", "interval_high"):
            one, two = getattr(row, what), getattr(other, what)
            assert (one is None) == (two is None), (what, row, other)
            if one is not None:
                allowed = asked.tolerance * max(asked.scale, abs(two))
                assert abs(one - two) <= allowed, (what, one - two, allowed, row)


def environment() -> dict[str, str]:
    """Return the environment of a process of bertdyn that a test starts."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
