"""One point of a loss curve against a bare pass of the model over the same examples, and the share of blending."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from explorer.measures.computation import Context, Given
from explorer.measures.declaration import At
from explorer.measures.landscapes.weights import combined
from explorer.measures.loss_curve import loss_curve
from explorer.measures.registry import get
from store.evaluation.model import StoredModel
from store.extract.forward import BATCH_TOKENS
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import PRETRAINED_KEY
from store.models.weights import StoredWeights
from store.store import Store
from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import best_together
from tests.classified import KEY
from tests.store.extract import models

pytestmark = pytest.mark.benchmark

SENTENCES = 256
SIZES = {
    "num_hidden_layers": 6, "hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12,
    "max_position_embeddings": 128, "vocab_size": 30_522,
}  # fmt: skip
"""Those of MiniLM: half of the weights are embeddings."""


def test_a_point_costs_little_more_than_a_pass(tmp_path: Path, report: Report) -> None:
    folder = models.save(tmp_path / "runs" / "t" / "seed-1" / "checkpoint-10", "bert", seed=1, **SIZES)
    models.trained(folder, 10)
    base = models.save(tmp_path / "base", "bert", seed=2, head=False, **SIZES)
    lines = [f"{models.SENTENCES[n % 7]} {models.SENTENCES[n % 5]}\t{n % 2}\n" for n in range(SENTENCES)]
    (tmp_path / "dev.tsv").write_text("".join(lines))
    options = ExtractOptions(reference=str(base), attentions=False)
    extracted = extract(tmp_path / "s.bertdyn", [tmp_path / "runs"], {"dev": tmp_path / "dev.tsv"}, options)
    assert extracted.exit_code == 0, extracted
    store = Store.open(tmp_path / "s.bertdyn")
    corpus, checkpoint = store.corpus("dev"), store.checkpoint("dev", KEY)
    labels = next(iter(corpus.annotations.values()))
    parameters = dict(get("loss-curve").settle({"examples": "all"}))
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    order = np.argsort(np.diff(corpus.offsets), kind="stable")
    ids = [torch.tensor(corpus.token_ids[corpus.offsets[e] : corpus.offsets[e + 1]].astype(np.int64)) for e in order]
    size = BATCH_TOKENS["cpu"] // max(map(len, ids))
    batches = [
        torch.nn.utils.rnn.pad_sequence(ids[start : start + size], batch_first=True)
        for start in range(0, len(ids), size)
    ]
    context = Context()

    def weights() -> tuple[StoredWeights, StoredWeights]:
        return StoredWeights.of(store, "dev", KEY), StoredWeights.of(store, "dev", PRETRAINED_KEY)

    def point(alpha: float) -> None:
        own, other = weights()
        operands = {"checkpoint": {"model": StoredModel(store, checkpoint), "weights": own}}
        given = Given(corpus, {**operands, "reference": {"weights": other}}, labels, at=At(more=(("alpha", alpha),)))
        loss_curve(given, parameters, context)

    def bare() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(batch, attention_mask=(batch != 0).long())

    def ours() -> None:
        point(0.3)

    def blending() -> None:
        own, other = weights()
        with own, other:
            names = [name for layer in range(7) for name in own.modules(layer)]
            combined(names, ((0.7, other.tensor), (0.3, own.tensor)))

    point(0.5)  # loads the model
    plain, taken, blended = best_together([bare, ours, blending], rounds=3)
    report("a point of a loss curve", taken / plain, "a bare pass", 1.1)
    report("blending the weights of a point", blended / plain, "a bare pass", 0.05)
