from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.corpora.text import Text
from store.errors import BertdynError
from store.extract.forward import run
from store.extract.tokens import load_tokenizer, make_corpus
from store.keys import Corpus
from store.models.load import Encoder, load, look
from tests.oracle import model_outputs
from tests.store.extract import models


def corpus_of(folder: Path, texts: list[str] | list[tuple[str, str]], max_length: int = 60) -> Corpus:
    columns = tuple((t,) if isinstance(t, str) else t for t in texts)
    return make_corpus("dev", Text("sentence", columns, None, (), "here", "", {}), load_tokenizer(folder), max_length)


def encoder_of(folder: Path) -> Encoder:
    import torch

    return load(look(folder), torch.device("cpu"))


def extracted(folder: Path, corpus: Corpus, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    parts = list(run(encoder_of(folder), corpus, dtype="float32", **settings))
    return np.concatenate([h for h, *_ in parts], 1), np.concatenate([a for _, a, _ in parts if a is not None], 2)


def packed(maps: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([m.reshape(*m.shape[:2], -1) for m in maps], axis=2)


@pytest.mark.parametrize("kind", list(models.CONFIGURATIONS))
def test_batches_give_what_each_sentence_gives_alone(tmp_path: Path, kind: str) -> None:
    folder = models.save(tmp_path, kind)
    alone = model_outputs(folder, models.SENTENCES)
    hidden, maps = extracted(folder, corpus_of(folder, models.SENTENCES), batch_tokens=60, window_bytes=30_000)
    np.testing.assert_allclose(hidden, alone["hidden"], atol=1e-4)
    # Products of another size are rounded otherwise: an attention differs by a few float32 steps of its logits.
    np.testing.assert_allclose(maps, packed(alone["attention"]), rtol=2e-5, atol=2e-6)
    assert np.ptp(maps) > 0.3  # the maps are not all uniform


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_pairs_are_run_as_pairs(tmp_path: Path, kind: str) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = models.save(tmp_path, kind)
    pairs = list(itertools.pairwise(models.SENTENCES))
    hidden, _ = extracted(folder, corpus_of(folder, pairs), batch_tokens=100)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        alone = [model(**tokenizer(a, b, return_tensors="pt")).last_hidden_state[0].numpy() for a, b in pairs]
    np.testing.assert_allclose(hidden[-1], np.concatenate(alone), atol=1e-4)


def test_how_it_is_cut_into_batches_and_windows_changes_nothing(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    corpus = corpus_of(folder, models.SENTENCES)
    first, first_maps = extracted(folder, corpus)
    for batch_tokens, window_bytes in ((1, 1), (40, 20_000), (10**6, 1)):
        hidden, maps = extracted(folder, corpus, batch_tokens=batch_tokens, window_bytes=window_bytes)
        np.testing.assert_allclose(hidden, first, atol=1e-4)
        np.testing.assert_allclose(maps, first_maps, atol=1e-4)


def test_weights_saved_in_half_precision_are_computed_in_float32(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    folder = models.save(tmp_path)
    AutoModel.from_pretrained(folder).to(torch.bfloat16).save_pretrained(folder)
    corpus = corpus_of(folder, models.SENTENCES)
    np.testing.assert_allclose(
        extracted(folder, corpus)[0], model_outputs(folder, models.SENTENCES)["hidden"], atol=1e-4
    )


def test_without_attentions_none_are_given(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    corpus = corpus_of(folder, models.SENTENCES)
    seen: list[int] = []
    parts = list(run(encoder_of(folder), corpus, attentions=False, done=seen.append))
    assert [part[1:] for part in parts] == [(None, None)]
    assert parts[0][0].dtype == np.float16
    assert sum(seen) == corpus.info.tokens


def test_values_too_large_for_float16_name_the_layer_and_the_way_out(tmp_path: Path) -> None:
    import torch

    folder = models.save(tmp_path)
    corpus = corpus_of(folder, models.SENTENCES)
    encoder = encoder_of(folder)
    with torch.no_grad():
        encoder.model.encoder.layer[1].output.LayerNorm.weight *= 1e5
    with pytest.raises(BertdynError, match=r"hidden states of layer 2 reach \d+.*--dtype float32"):
        list(run(encoder, corpus))
    assert len(list(run(encoder, corpus, dtype="float32"))) == 1


def test_a_model_that_trains_is_refused(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    encoder = encoder_of(folder)
    encoder.model.encoder.layer[0].attention.self.dropout.train()
    with pytest.raises(BertdynError, match="evaluation mode"):
        list(run(encoder, corpus_of(folder, models.SENTENCES)))


def test_attention_that_is_no_eager_attention_is_refused(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    encoder = encoder_of(folder)
    encoder.model.set_attn_implementation("sdpa")
    with pytest.raises(BertdynError, match=r"one attention map per layer and head|Eager|eager|attention"):
        list(run(encoder, corpus_of(folder, models.SENTENCES)))


def test_a_sentence_longer_than_the_positions_says_which_length_fits(tmp_path: Path) -> None:
    for kind, usable in (("bert", 16), ("roberta", 14)):
        folder = models.save(tmp_path / kind, kind, max_position_embeddings=16)
        corpus = corpus_of(folder, ["the cat sat on the mat " * 9], max_length=usable + 1)
        with pytest.raises(BertdynError, match=rf"use --max-length {usable}\."):
            list(run(encoder_of(folder), corpus))
        assert list(run(encoder_of(folder), corpus_of(folder, ["the cat sat on the mat " * 9], max_length=usable)))


def test_ids_outside_the_vocabulary_are_the_wrong_tokenizer(tmp_path: Path) -> None:
    corpus = corpus_of(models.save(tmp_path / "a"), models.SENTENCES)
    folder = models.save(tmp_path / "b", vocab_size=20)
    with pytest.raises(BertdynError, match="outside its vocabulary of 20"):
        list(run(encoder_of(folder), corpus))


class SmallMemory:
    """A hook before a model's forward pass: memory holds some padded tokens, and not more."""

    def __init__(self, most: int, error: Callable[[], Exception]) -> None:
        self.most, self.error = most, error
        self.tried: list[tuple[int, bool]] = []

    def __call__(self, module: Any, given: Any, named: Any) -> None:
        tokens = named["input_ids"].numel()
        self.tried.append((tokens, tokens <= self.most))
        if tokens > self.most:
            raise self.error()


def out_of_memory() -> list[Callable[[], Exception]]:
    """Errors of torch for CUDA, for a CPU, for Apple's GPUs and inside cuBLAS, and NumPy's."""
    import torch

    return [
        lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        lambda: RuntimeError("MPS backend out of memory (MPS allocated: 17.5 GB)"),
        lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        lambda: RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        lambda: RuntimeError("cusolver error: CUSOLVER_STATUS_INTERNAL_ERROR, when calling `cusolverDnCreate(handle)`"),
        MemoryError,
    ]


@pytest.mark.parametrize("error", range(5))
def test_a_batch_that_does_not_fit_in_memory_is_run_in_halves(tmp_path: Path, error: int) -> None:
    folder = models.save(tmp_path)
    corpus = corpus_of(folder, models.SENTENCES)
    plain = list(run(encoder_of(folder), corpus, dtype="float32"))
    longest = int(np.diff(corpus.offsets).max())
    memory = SmallMemory(2 * longest, out_of_memory()[error])
    encoder = encoder_of(folder)
    encoder.model.register_forward_pre_hook(memory, with_kwargs=True)
    done: list[int] = []
    limits: list[int] = []
    windows = list(run(encoder, corpus, dtype="float32", done=done.append, smaller=limits.append))
    for found, wanted in zip(windows, plain, strict=True):
        for one, other in zip(found[:2], wanted[:2], strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-5)
    assert sum(done) == corpus.info.tokens
    failed = [tokens for tokens, fits in memory.tried if not fits]
    assert len(failed) > 0
    assert limits == [tokens // 2 for tokens in failed]
    assert len([tokens for tokens, fits in memory.tried if fits]) == len(done)


def test_what_fits_is_remembered_in_later_windows(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    corpus = corpus_of(folder, models.SENTENCES * 4)
    longest = int(np.diff(corpus.offsets).max())
    memory = SmallMemory(2 * longest, out_of_memory()[0])
    encoder = encoder_of(folder)
    encoder.model.register_forward_pre_hook(memory, with_kwargs=True)
    assert len(list(run(encoder, corpus, window_bytes=60_000))) > 3
    failed = [tokens for tokens, fits in memory.tried if not fits]
    assert len(failed) > 0
    assert all(later <= earlier // 2 for earlier, later in itertools.pairwise(failed))


def test_memory_that_does_not_suffice_for_one_example_is_a_sentence(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    encoder = encoder_of(folder)
    encoder.model.register_forward_pre_hook(SmallMemory(7, out_of_memory()[0]), with_kwargs=True)
    said = (
        r"memory of cpu does not suffice for one example of \d+ tokens \(CUDA out of memory.*\)\. Use a smaller --max"
    )
    with pytest.raises(BertdynError, match=said):
        list(run(encoder, corpus_of(folder, models.SENTENCES)))


def test_other_errors_of_a_model_are_never_taken_for_a_lack_of_memory(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    encoder = encoder_of(folder)
    memory = SmallMemory(0, lambda: RuntimeError("a kernel failed"))
    encoder.model.register_forward_pre_hook(memory, with_kwargs=True)
    with pytest.raises(BertdynError, match="fails on corpus 'dev': a kernel failed"):
        list(run(encoder, corpus_of(folder, models.SENTENCES)))
    assert len(memory.tried) == 1


def test_products_are_exact_whatever_the_process_allows(tmp_path: Path) -> None:
    import torch

    folder = models.save(tmp_path)
    encoder = encoder_of(folder)
    seen: list[tuple[str, bool]] = []

    def allowed(*_: object) -> tuple[str, bool]:
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    encoder.model.register_forward_pre_hook(lambda *_: seen.append(allowed()))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        list(run(encoder, corpus_of(folder, models.SENTENCES)))
        assert allowed() == ("medium", True)
    finally:
        torch.set_float32_matmul_precision(before)
    assert set(seen) == {("highest", False)}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda output: setattr(output, "hidden_states", output.hidden_states[1:]), "returns 3 hidden states of shape"),
        (lambda output: setattr(output, "attentions", output.attentions[1:]), "one attention map per layer and head"),
        (
            lambda output: setattr(output, "attentions", tuple(m / 2 for m in output.attentions)),
            "attention rows of layer 1 add up to 1 only within 0.5",
        ),
    ],
    ids=["hidden states", "maps", "rows"],
)
def test_a_model_whose_outputs_are_not_those_of_an_encoder_is_refused(
    tmp_path: Path, spoil: Callable[[Any], None], says: str
) -> None:
    folder = models.save(tmp_path)
    encoder = encoder_of(folder)

    def hook(model: object, given: object, output: Any) -> Any:
        spoil(output)
        return output

    encoder.model.register_forward_hook(hook)
    with pytest.raises(BertdynError, match=says):
        list(run(encoder, corpus_of(folder, models.SENTENCES)))
