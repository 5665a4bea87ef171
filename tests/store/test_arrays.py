"""One checkpoint on disk: it comes back bit for bit, any Zarr reader opens it, and damage is never a number."""

import errno
import itertools
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import layout
from store.errors import BertdynError
from store.keys import CheckpointKey
from store.store import Store
from store.streams import Stream
from tests.synthetic import HEADS, LAYERS, WIDTH, attention_of, hidden_of, sample_corpus, write_checkpoint

KEY = CheckpointKey.plain("sst2", "1", 20)
CORPUS = sample_corpus()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "s.bertdyn")
    store.add_corpus(CORPUS)
    return store


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.create(tmp_path_factory.mktemp("filled") / "s.bertdyn")
    store.add_corpus(CORPUS)
    write_checkpoint(store, CORPUS, KEY)
    return store


def writer(store: Store, key: CheckpointKey = KEY, *, dtype: str = "float16", attentions: bool = True, **more):  # type: ignore[no-untyped-def]
    return store.writer(
        CORPUS.info.name, key, layers=LAYERS, heads=HEADS, width=WIDTH, dtype=dtype, attentions=attentions,
        attributes=more.pop("attributes", {}), **more,
    )  # fmt: skip


def group(store: Store, key: CheckpointKey = KEY) -> Path:
    return layout.checkpoint_path(store.path, CORPUS.info.name, key)


def test_every_layer_and_head_comes_back_as_it_was_stored(filled: Store) -> None:
    hidden, attention = hidden_of(CORPUS, KEY).astype(np.float16), attention_of(CORPUS, KEY)
    for layer in range(LAYERS + 1):
        got = filled.hidden("dev", KEY, layer)
        assert got.dtype == np.float16
        np.testing.assert_array_equal(got, hidden[layer])
    for layer in range(1, LAYERS + 1):
        for head in range(1, HEADS + 1):
            np.testing.assert_array_equal(filled.attention("dev", KEY, layer, head), attention[layer - 1, head - 1])


@given(start=st.integers(0, CORPUS.info.tokens + 5), stop=st.none() | st.integers(0, CORPUS.info.pairs + 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_slice_is_the_slice_of_the_whole(filled: Store, start: int, stop: int | None) -> None:
    np.testing.assert_array_equal(filled.hidden("dev", KEY, 2, start, stop), filled.hidden("dev", KEY, 2)[start:stop])
    np.testing.assert_array_equal(
        filled.attention("dev", KEY, 1, 2, start, stop), filled.attention("dev", KEY, 1, 2)[start:stop]
    )


@given(cuts=st.lists(st.integers(0, CORPUS.info.examples), max_size=5), size=st.sampled_from([600, 1000, 2**23]))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_neither_batches_nor_chunks_change_what_is_stored_or_its_digest(
    tmp_path_factory: pytest.TempPathFactory, filled: Store, cuts: list[int], size: int
) -> None:
    store = Store.create(tmp_path_factory.mktemp("cut") / "s.bertdyn")
    store.add_corpus(CORPUS)
    hidden, attention = hidden_of(CORPUS, KEY).astype(np.float16), attention_of(CORPUS, KEY)
    ends = sorted({0, *cuts, CORPUS.info.examples})
    pairs = np.concatenate([[0], np.cumsum(np.diff(CORPUS.offsets) ** 2)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("store.layout.CHUNK_BYTES", size)
        patch.setattr("store.arrays._BATCH_BYTES", size)
        with writer(store) as out:
            for a, b in itertools.pairwise(ends):
                tokens = slice(CORPUS.offsets[a], CORPUS.offsets[b])
                out.append(hidden[:, tokens], attention[:, :, pairs[a] : pairs[b]])
            assert out.commit()
    np.testing.assert_array_equal(store.hidden("dev", KEY, 3), hidden[3])
    np.testing.assert_array_equal(store.attention("dev", KEY, 2, 1), attention[1, 0])
    one, other = store.checkpoint("dev", KEY), filled.checkpoint("dev", KEY)
    assert (one.digests["hidden"], one.digests.get("attention", "")) == (
        other.digests["hidden"],
        other.digests.get("attention", ""),
    )
    assert store.check().sound
    if size == 600:
        assert store.chunks("dev", KEY)[0] < CORPUS.info.tokens


def test_another_reader_opens_the_group_as_plain_zarr(filled: Store) -> None:
    opened = zarr.open_group(group(filled), mode="r")
    np.testing.assert_array_equal(opened["hidden"][:], hidden_of(CORPUS, KEY).astype(np.float16))
    np.testing.assert_array_equal(opened["attention"][:], attention_of(CORPUS, KEY))
    about = json.loads((group(filled) / "hidden" / "zarr.json").read_text())
    assert [codec["name"] for codec in about["codecs"]] == ["bytes", "crc32c"]
    assert about["fill_value"] == "NaN"
    assert about["dimension_names"] == ["layer", "token", "unit"]
    assert opened["hidden"].nchunks_initialized == opened["hidden"].nchunks


def test_float32_is_kept_whole(store: Store) -> None:
    hidden = hidden_of(CORPUS, KEY).astype(np.float32)
    with writer(store, dtype="float32", attentions=False) as out:
        out.append(hidden, None)
        assert out.commit()
    np.testing.assert_array_equal(store.hidden("dev", KEY, 1), hidden[1])
    assert store.checkpoint("dev", KEY).digests.get("attention", "") == ""
    with pytest.raises(BertdynError, match="without attentions"):
        store.attention("dev", KEY, 1, 1)


def test_what_training_could_not_measure_is_null_not_nan(store: Store) -> None:
    metrics = {"eval_f1": np.float32(0.5), "eval_mcc": np.inf}
    attributes = {"loss": float("nan"), "metrics": metrics, "epoch": np.int64(2), "output": Path("runs")}
    with writer(store, attentions=False, attributes=attributes) as out:
        out.append(hidden_of(CORPUS, KEY), None)
        out.commit()
    text = (group(store) / "zarr.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["attributes"]["metrics"] == {"eval_f1": 0.5, "eval_mcc": None}
    found = store.checkpoint("dev", KEY)
    assert (found.loss, found.epoch, dict(found.metrics)) == (None, 2.0, {"eval_f1": 0.5})
    assert store.attributes("dev", KEY)["output"] == "runs"


@pytest.mark.parametrize(
    ("value", "dtype", "says"),
    [
        (np.nan, "float16", "not finite"),
        (np.inf, "float32", "not finite"),
        (-np.inf, "float16", "not finite"),
        (65504.0, "float16", "--dtype float32"),
        (-1e6, "float16", "--dtype float32"),
    ],
)
def test_values_that_the_store_cannot_hold_are_refused_with_their_layer(
    store: Store, value: float, dtype: str, says: str
) -> None:
    hidden = hidden_of(CORPUS, KEY).astype(np.float32)
    hidden[2, 5, 3] = value
    with writer(store, dtype=dtype, attentions=False) as out:
        out.append(hidden, None)
        with pytest.raises(BertdynError, match=f"layer 2 .*{says}"):
            out.commit()
    assert store.checkpoints() == ()
    assert not list((store.path / "staging").iterdir())


def test_the_largest_value_below_the_limit_is_kept(store: Store) -> None:
    hidden = hidden_of(CORPUS, KEY).astype(np.float32)
    hidden[1, 0, 0] = -65472
    with writer(store, attentions=False) as out:
        out.append(hidden, None)
        assert out.commit()
    assert store.hidden("dev", KEY, 1)[0, 0] == -65472


def test_leaving_without_commit_leaves_nothing(store: Store) -> None:
    with writer(store) as out:
        out.append(hidden_of(CORPUS, KEY), attention_of(CORPUS, KEY))
    assert store.checkpoints() == ()
    assert not list((store.path / "staging").iterdir())


def test_too_few_or_too_many_tokens_are_our_own_mistake(store: Store) -> None:
    hidden = hidden_of(CORPUS, KEY)
    with writer(store, attentions=False) as out:
        out.append(hidden[:, :7], None)
        with pytest.raises(ValueError, match="7 tokens"):
            out.commit()
    with writer(store, attentions=False) as out, pytest.raises(ValueError, match="more tokens"):
        out.append(np.concatenate([hidden, hidden], axis=1), None)
    with writer(store) as out, pytest.raises(ValueError, match="announced"):
        out.append(hidden, None)
    assert store.checkpoints() == ()


def test_arrays_of_another_shape_or_type_are_our_own_mistake(store: Store) -> None:
    hidden, attention = hidden_of(CORPUS, KEY), attention_of(CORPUS, KEY)
    with writer(store) as out:
        with pytest.raises(ValueError, match=r"hidden states .* do not fit \[4, t, 16\]"):
            out.append(hidden[1:], attention)
        with pytest.raises(ValueError, match=r"attentions .* do not fit \[3, 2, p\]"):
            out.append(hidden, attention[:, :1])
        with pytest.raises(ValueError, match="logits were announced and not given, or given and not announced"):
            out.append(hidden, attention, np.zeros((CORPUS.info.examples, 2), np.float32))
    with pytest.raises(BertdynError, match="stored as float16 or float32, not as float64"):
        writer(store, dtype="float64")
    assert store.checkpoints() == ()


def test_a_chunk_of_another_size_than_was_written_is_no_checkpoint(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Stream.finish

    def longer(stream: Stream) -> bytes:
        digest = finish(stream)
        for chunk in (store.path / "staging").glob("*/hidden/c/1/0/0"):
            chunk.write_bytes(chunk.read_bytes() + b"x")
        return digest

    monkeypatch.setattr(Stream, "finish", longer)
    with writer(store, attentions=False) as out:
        out.append(hidden_of(CORPUS, KEY), None)
        with pytest.raises(ValueError, match="bytes, not"):
            out.commit()
    assert store.checkpoints() == ()


def test_the_first_of_two_writers_wins_and_replace_takes_over(store: Store) -> None:
    old, new = hidden_of(CORPUS, KEY), hidden_of(CORPUS, KEY) + 1
    for hidden, replace, ours in ((old, False, True), (new, False, False), (new, True, True)):
        with writer(store, attentions=False, replace=replace) as out:
            out.append(hidden, None)
            assert out.commit() is ours
        expected = old if not replace else new
        np.testing.assert_array_equal(store.hidden("dev", KEY, 1), expected[1].astype(np.float16))
    assert not list((store.path / "trash").iterdir())
    assert not list((store.path / "staging").iterdir())


def test_extracting_again_with_attentions_upgrades(store: Store) -> None:
    write_checkpoint(store, CORPUS, KEY, attentions=False)
    assert "attention" not in store.checkpoints()[0].digests
    write_checkpoint(store, CORPUS, KEY, replace=True)
    assert "attention" in store.checkpoints()[0].digests
    np.testing.assert_array_equal(store.attention("dev", KEY, 1, 1), attention_of(CORPUS, KEY)[0, 0])


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda s: s.hidden("dev", KEY, 4), "layers 0 to 3, not 4"),
        (lambda s: s.hidden("dev", KEY, -1), "layers 0 to 3"),
        (lambda s: s.attention("dev", KEY, 0, 1), "layers 1 to 3"),
        (lambda s: s.attention("dev", KEY, 1, 3), "heads 1 to 2"),
        (lambda s: s.hidden("dev", CheckpointKey.plain("sst2", "1", 40), 1), "no checkpoint sst2/1/40"),
        (lambda s: s.hidden("test", KEY, 1), "no corpus 'test'. It has dev"),
    ],
)
def test_asking_for_what_is_not_there_says_what_is(filled: Store, ask, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BertdynError, match=says):
        ask(filled)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "harm", [_flip, lambda path: path.write_bytes(path.read_bytes()[:-9]), Path.unlink], ids=["bit", "short", "missing"]
)
def test_one_damaged_chunk_is_an_error_with_a_remedy_and_never_a_number(store: Store, harm) -> None:  # type: ignore[no-untyped-def]
    write_checkpoint(store, CORPUS, KEY)
    harm(group(store) / "hidden" / "c" / "2" / "0" / "0")
    with pytest.raises(BertdynError, match=r"sst2/1/20 on corpus 'dev' .*bertdyn check .* --repair"):
        store.hidden("dev", KEY, 2)
    np.testing.assert_array_equal(store.hidden("dev", KEY, 1), hidden_of(CORPUS, KEY)[1].astype(np.float16))


def test_a_checkpoint_in_the_folder_of_another_is_an_error(store: Store) -> None:
    write_checkpoint(store, CORPUS, KEY)
    other = CheckpointKey.plain("sst2", "2", 20)
    group(store, other).parent.mkdir(parents=True)
    os.rename(group(store), group(store, other))
    with pytest.raises(BertdynError, match=r"should hold checkpoint sst2/2/20"):
        store.hidden("dev", other, 1)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, writer(store) as out:
        out.append(hidden_of(CORPUS, KEY), attention_of(CORPUS, KEY))
        patch.setattr(os, "fsync", full)
        with pytest.raises(BertdynError, match="is full"):
            out.commit()
    assert store.checkpoints() == ()
    assert not list((store.path / "staging").iterdir())


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_thread_of_zarr_that_cannot_be_started_is_an_error_and_the_next_call_tries_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """zarr itself would wait for ever for that thread."""
    from zarr.core import sync

    start, refused = threading.Thread.start, []

    def none_left(thread: threading.Thread) -> None:
        if thread.name == "zarr_io" and len(refused) < 2:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        start(thread)

    sync.cleanup_resources()
    monkeypatch.setattr(threading.Thread, "start", none_left)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="new thread"):
            write_checkpoint(store, CORPUS, KEY)
    write_checkpoint(store, CORPUS, KEY)
    assert len(refused) == 2
    np.testing.assert_array_equal(store.hidden("dev", KEY, 1), hidden_of(CORPUS, KEY)[1].astype(np.float16))


def test_memory_does_not_grow_with_the_number_of_sentences(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits to be written is bounded by a few batches, not by the size of the corpus."""
    import tracemalloc

    monkeypatch.setattr("store.arrays._BATCH_BYTES", 2**18)
    peaks = []
    for examples in (2_000, 16_000):
        corpus = sample_corpus(f"many{examples}", examples=examples)
        store.add_corpus(corpus)
        step = np.zeros((LAYERS + 1, 1, WIDTH), np.float16)
        with store.writer(
            corpus.info.name, KEY, layers=LAYERS, heads=HEADS, width=WIDTH, dtype="float16", attentions=False,
            attributes={},
        ) as out:  # fmt: skip
            tracemalloc.start()
            for start in range(0, corpus.info.tokens, 500):
                count = min(500, corpus.info.tokens - start)
                out.append(np.repeat(step, count, axis=1), None)
            out.commit()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2**20
