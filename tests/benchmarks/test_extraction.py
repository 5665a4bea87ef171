"""Extraction against the bare forward passes that it cannot do without: hidden states and attentions, same batches."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from store.corpora.text_files import read
from store.extract.batches import windows
from store.extract.forward import BATCH_TOKENS, WINDOW_BYTES, run
from store.extract.tokens import load_tokenizer, make_corpus
from store.keys import CheckpointKey, Corpus
from store.models.classifier import Classifying, classifying
from store.models.load import Encoder, load, look
from store.store import Store
from tests.benchmarks.conftest import Report
from tests.store.extract import models

BUDGET = 1.25


def bare_inputs(corpus: Corpus, itemsize: int, encoder: Encoder) -> list[dict[str, object]]:
    """The padded batches that extraction makes, ready beforehand."""
    import torch

    shape, lengths = encoder.geometry, np.diff(corpus.offsets)
    sizes = itemsize * (lengths * (shape.layers + 1) * shape.width + lengths**2 * shape.layers * shape.heads)
    made = []
    for window in windows(lengths, sizes, BATCH_TOKENS["cpu"], WINDOW_BYTES["cpu"]):
        for batch in window.batches:
            ids = torch.zeros(len(batch), int(lengths[batch].max()), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, example in enumerate(batch):
                part = slice(int(corpus.offsets[example]), int(corpus.offsets[example + 1]))
                ids[row, : lengths[example]] = torch.from_numpy(corpus.token_ids[part].astype(np.int64))
                mask[row, : lengths[example]] = 1
            made.append({"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)})
    return made


@pytest.mark.benchmark
@pytest.mark.slow
def test_extraction_costs_little_more_than_the_forward_passes(tmp_path: Path, report: Report) -> None:
    import torch

    folder = models.save(
        tmp_path / "sst/seed-1/checkpoint-1", hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
        intermediate_size=1536, max_position_embeddings=128,
    )  # fmt: skip
    real = Path(__file__).resolve().parents[2].parent / "shared" / "realdata" / "sst2_dev.tsv"
    if real.is_file():
        file = real
    else:
        file = models.corpus_file(tmp_path)
        file.write_text(file.read_text() * 40)
    corpus = make_corpus("dev", read(file, limit=80), load_tokenizer(folder), 128)
    files = look(folder)
    encoder = load(files, torch.device("cpu"))
    classified = classifying(encoder, files.config)
    assert isinstance(classified, Classifying)
    inputs = bare_inputs(corpus, 2, encoder)
    store = Store.create(tmp_path / "x.bertdyn")
    store.add_corpus(corpus)

    def bare() -> float:
        began = time.perf_counter()
        with torch.inference_mode():
            for batch in inputs:
                encoder.model(**batch, output_hidden_states=True, output_attentions=True)
        return time.perf_counter() - began

    def extraction(step: int) -> float:
        began = time.perf_counter()
        shape = encoder.geometry
        with store.writer(
            "dev", CheckpointKey.plain("sst", "1", step), layers=shape.layers, heads=shape.heads, width=shape.width,
            dtype="float16", attentions=True, attributes={}, classifier=classified.classifier,
        ) as writer:  # fmt: skip
            for part in run(encoder, corpus, classifying=classified):
                writer.append(*part)
            assert writer.commit()
        return time.perf_counter() - began

    bare()
    # Turn about, and the middle of the ratios: what the machine does besides hits both of a pair alike.
    pairs = sorted(((bare(), extraction(step)) for step in range(7)), key=lambda pair: pair[1] / pair[0])
    least, most = pairs[len(pairs) // 2]
    padded = sum(batch["input_ids"].numel() for batch in inputs)  # type: ignore[attr-defined]
    note = f"{most:.2f} s against {least:.2f} s; padding {padded / corpus.info.tokens - 1:.0%}"
    what = f"extraction of {corpus.info.tokens:,} tokens x 6 layers of 384"
    report(what, most / least, "the bare forward passes", BUDGET, note)
