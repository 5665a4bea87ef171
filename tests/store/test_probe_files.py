"""Probe sets on disk."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from store import layout
from store.errors import BertdynError
from store.keys import CheckpointKey, ProbeSet
from store.store import Store
from tests.synthetic import HEADS, LAYERS, WIDTH, hidden_of, make_probe, write_checkpoint

KEY = CheckpointKey("sst2", "1", 20)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "s.bertdyn")


def same(a: ProbeSet, b: ProbeSet) -> None:
    for field in fields(ProbeSet):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, field.name
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other, field.name


@pytest.mark.parametrize(
    "probe",
    [
        make_probe(),
        make_probe("words", kind="word", labels=("NOUN", "VERB", "X")),
        make_probe("plain", labels=()),
        replace(make_probe("pairs", examples=2), texts=(("a", "b"), ("", "ü\udce9"))),
        replace(make_probe("told"), attributes={"sha256": "ab", "max_length": 128, "columns": ["a"]}),
    ],
    ids=lambda probe: probe.info.name,
)
def test_a_probe_set_comes_back_as_it_was_added(store: Store, probe: ProbeSet) -> None:
    store.add_probe(probe)
    same(store.probe(probe.info.name), probe)
    assert store.probes() == (probe.info,)


def test_a_probe_set_without_checkpoints_gives_way_to_another_of_its_name(store: Store) -> None:
    store.add_probe(make_probe())
    store.add_probe(make_probe(seed=1))
    same(store.probe("dev"), make_probe(seed=1))


def test_a_checkpoint_of_a_probe_set_that_was_replaced_meanwhile_is_not_put_in_place(store: Store) -> None:
    store.add_probe(make_probe())
    how = {"layers": LAYERS, "heads": HEADS, "width": WIDTH, "dtype": "float16", "attentions": False}
    with store.writer("dev", KEY, attributes={}, **how) as late:
        late.append(hidden_of(make_probe(), KEY), None)
        store.add_probe(make_probe(seed=1))
        with pytest.raises(BertdynError, match=r"replaced while checkpoint .* run it again"):
            late.commit()
    assert store.checkpoints("dev") == ()


def test_adding_the_same_again_does_nothing_and_another_of_that_name_is_refused(store: Store) -> None:
    store.add_probe(make_probe())
    store.add_probe(make_probe())
    write_checkpoint(store, make_probe(), KEY)
    for other in (
        make_probe(seed=1),
        make_probe(labels=("no", "yes")),
        replace(make_probe(), texts=(("other",),) * 40),
        replace(make_probe(), label_ids=np.zeros(40, np.int32)),
    ):
        with pytest.raises(BertdynError, match="'dev' with other texts, labels or tokens"):
            store.add_probe(other)
    same(store.probe("dev"), make_probe())


def test_a_probe_set_that_contradicts_itself_never_gets_in(store: Store) -> None:
    with pytest.raises(ValueError, match="tokens"):
        store.add_probe(replace(make_probe(), special=np.zeros(3, bool)))
    assert store.probes() == ()


def test_asking_for_one_that_is_not_there_says_what_is(store: Store) -> None:
    with pytest.raises(BertdynError, match="It has none yet"):
        store.probe("dev")
    store.add_probe(make_probe())
    with pytest.raises(BertdynError, match=r"no probe set 'Dev'\. It has dev"):
        store.probe("Dev")


def test_another_reader_opens_the_texts_as_bytes_and_offsets(store: Store) -> None:
    store.add_probe(make_probe())
    opened = zarr.open_group(layout.probe_path(store.path, "dev"), mode="r")
    ends = opened["text_offsets"][:]
    assert opened["text_utf8"][:].tobytes()[ends[3] : ends[4]].decode() == "sentence 3"


@pytest.mark.parametrize("array", ["token_ids", "text_utf8", "label_ids"])
def test_a_damaged_probe_set_is_an_error(store: Store, array: str) -> None:
    store.add_probe(make_probe())
    chunk = layout.probe_path(store.path, "dev") / array / "c" / "0"
    content = bytearray(chunk.read_bytes())
    content[1] ^= 4
    chunk.write_bytes(content)
    with pytest.raises(BertdynError, match=f"'dev' is damaged: chunk {array}/c/0 .*--repair"):
        store.probe("dev")
