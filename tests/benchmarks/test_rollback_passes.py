"""A full rollback of one checkpoint, against bare passes of its model over the same examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from explorer.measures.computation import Context, Given
from explorer.measures.declaration import Scope
from explorer.measures.registry import get
from explorer.measures.rollback import cells, rollback
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

LAYERS, SENTENCES = 6, 60
SIZES = {
    "num_hidden_layers": LAYERS, "hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12,
    "max_position_embeddings": 128,
}  # fmt: skip


class InMemory:
    """A cache of logits, as a store has one."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, ...], Mapping[str, np.ndarray]] = {}

    def get(self, key: Sequence[str]) -> Mapping[str, np.ndarray] | None:
        return self.kept.get(tuple(key))

    def put(self, key: Sequence[str], arrays: Mapping[str, np.ndarray]) -> None:
        self.kept[tuple(key)] = arrays


def test_a_full_rollback_costs_little_more_than_its_passes(tmp_path: Path, report: Report) -> None:
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
    labels, parameters = next(iter(corpus.annotations.values())), dict(get("rollback").settle({}))
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    order = np.argsort(np.diff(corpus.offsets), kind="stable")
    ids = [torch.tensor(corpus.token_ids[corpus.offsets[e] : corpus.offsets[e + 1]].astype(np.int64)) for e in order]
    size = BATCH_TOKENS["cpu"] // max(map(len, ids))
    batches = [
        torch.nn.utils.rnn.pad_sequence(ids[start : start + size], batch_first=True)
        for start in range(0, len(ids), size)
    ]
    StoredModel(store, checkpoint).logits({}, "cpu")  # loads the model
    passes = 0

    def bare() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(batch, attention_mask=(batch != 0).long())

    def ours() -> None:
        nonlocal passes
        shelf = InMemory()
        for at in cells(Scope(parameters, (LAYERS, LAYERS)), {}):
            own = {"model": StoredModel(store, checkpoint), "weights": StoredWeights.of(store, "dev", KEY)}
            other = {"weights": StoredWeights.of(store, "dev", PRETRAINED_KEY)}
            rollback(
                Given(corpus, {"checkpoint": own, "reference": other}, labels, at=at), parameters, Context(shelf=shelf)
            )
        passes = len(shelf.kept)

    plain, taken = best_together([bare, ours], rounds=2)
    report("full rollback of 6 layers", taken / (plain * passes), f"{passes} bare passes", 1.1)
