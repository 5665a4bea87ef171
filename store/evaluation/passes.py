"""Run a model with its classifier over a corpus, in fixed batches, and keep nothing but the logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from store.errors import BertdynError
from store.evaluation.lower import LowerLayers
from store.extract.batches import windows
from store.extract.forward import BATCH_TOKENS, inputs_of
from store.keys import Corpus
from store.memory import is_out_of_memory
from store.models.classifier import Classifying
from store.models.load import Encoder, check_fits
from store.models.precision import full_precision
from store.models.quiet import first_line


def logits_of(
    encoder: Encoder,
    classifying: Classifying,
    corpus: Corpus,
    lower: LowerLayers,
    changed: int,
    examples: np.ndarray | None = None,
) -> np.ndarray:
    """Return the logits of a corpus, float32 [examples or tokens, classes].

    The model computes in float32 and evaluation mode. Batches depend on the examples and the kind of device only, so
    that equal weights give equal bits.

    Args:
        encoder: the encoder with its present weights.
        classifying: the encoder with its classifier.
        corpus: E examples, T tokens.
        lower: outputs of unchanged layers on this corpus.
        changed: lowest layer whose weights are not those of the checkpoint; 0: embeddings.
        examples: examples to run, ascending, int64; the rows of the others are zero. None: all.

    Raises:
        BertdynError: the model has no embeddings for the corpus, or fails.
    """
    import torch

    check_fits(encoder, corpus)
    classes = classifying.classifier.classes
    lengths = np.diff(corpus.offsets)
    rows = len(lengths) if classes.examples else int(corpus.offsets[-1])
    found = np.zeros((rows, len(classes.labels)), np.float32)
    for number, batch in enumerate(batches(encoder, corpus, examples)):
        with torch.inference_mode(), full_precision(), lower.below(changed, number):
            logits = forward(encoder, classifying, corpus, batch).cpu().numpy()
        if classes.examples:
            found[batch] = logits
            continue
        for row, example in enumerate(batch.tolist()):
            start, stop = int(corpus.offsets[example]), int(corpus.offsets[example + 1])
            found[start:stop] = logits[row, : stop - start]
    return found


def batches(
    encoder: Encoder, corpus: Corpus, examples: np.ndarray | None = None, budget: int | None = None
) -> list[np.ndarray]:
    """Return the examples of each batch, int64, short ones first; they depend on the kind of the encoder's device.

    Args:
        examples: examples to run, ascending, int64; None: all.
        budget: maximum padded tokens of a batch; the default depends on the device.
    """
    lengths = np.diff(corpus.offsets)
    chosen = np.arange(len(lengths)) if examples is None else examples
    budget = budget or BATCH_TOKENS.get(encoder.device.type, BATCH_TOKENS["cpu"])
    # Results are small: one window.
    found = windows(lengths[chosen], np.zeros(len(chosen), np.int64), budget, 1)
    return [chosen[batch] for window in found for batch in window.batches]


def forward(encoder: Encoder, classifying: Classifying, corpus: Corpus, batch: np.ndarray) -> Any:
    """Return the logits of a batch of examples, a tensor [b, classes] or [b, longest, classes].

    Raises:
        BertdynError: the model fails.
    """
    try:
        return classifying.logits(classifying.model(**inputs_of(encoder, corpus, batch), return_dict=True))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        if is_out_of_memory(error):
            raise
        raise BertdynError(f"{encoder.folder} fails on corpus '{corpus.info.name}': {first_line(error)}") from None
