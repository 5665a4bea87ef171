from __future__ import annotations

import errno
import json
import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.errors import BertdynError
from store.extract import checkpoint
from store.extract import plan as planning
from store.extract.plan import ExtractOptions, ExtractPlan, Work
from store.extract.run import Report, extract
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.store import Store
from tests.oracle import model_outputs
from tests.store.extract import models
from tests.store.extract.models import configure, reweigh


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints of one run, a reference, sentences. Tests that change something copy it."""
    place = tmp_path_factory.mktemp("world")
    models.runs(place / "runs")
    models.save(place / "base", head=False, seed=99)
    models.corpus_file(place)
    return place


@pytest.fixture
def own(world: Path, tmp_path: Path) -> Path:
    shutil.copytree(world, tmp_path / "world")
    return tmp_path / "world"


KEYS = [CheckpointKey.plain("sst", "1", 0), CheckpointKey.plain("sst", "1", 10)]


def go(place: Path, *, corpora: dict[str, str] | None = None, **options: Any) -> Report:
    files = {name: place / file for name, file in ({"dev": "dev.tsv"} if corpora is None else corpora).items()}
    given = {"reference": str(place / "base"), **options}
    return extract(place / "x.bertdyn", [place / "runs"], files, ExtractOptions(**given))


def statuses(report: Report) -> dict[str, int]:
    return dict(Counter(o.status for o in report.outcomes))


def test_every_checkpoint_and_the_reference_are_stored_as_the_models_say(own: Path) -> None:
    report = go(own)
    assert (statuses(report), report.exit_code) == ({"added": 3}, 0)
    store = Store.open(own / "x.bertdyn")
    assert [c.key for c in store.checkpoints("dev")] == sorted([PRETRAINED_KEY, *KEYS])
    for key, folder in ((KEYS[1], own / "runs/sst/seed-1/checkpoint-10"), (PRETRAINED_KEY, own / "base")):
        alone = model_outputs(folder, models.SENTENCES)
        for layer in range(4):
            np.testing.assert_allclose(store.hidden("dev", key, layer), alone["hidden"][layer], atol=4e-3)
        maps = np.concatenate([a[2, 1].reshape(-1) for a in alone["attention"]])
        np.testing.assert_allclose(store.attention("dev", key, 3, 2), maps, atol=1e-3)
    assert not store.check().problems


def test_float32_keeps_what_the_model_computed(own: Path) -> None:
    go(own, dtype="float32")
    stored = Store.open(own / "x.bertdyn").hidden("dev", KEYS[0], 3)
    alone = model_outputs(own / "runs/sst/seed-1/checkpoint-0", models.SENTENCES)["hidden"][3]
    np.testing.assert_allclose(stored, alone, atol=1e-4)


def test_where_a_checkpoint_comes_from_is_kept(own: Path) -> None:
    go(own)
    store = Store.open(own / "x.bertdyn")
    kept = store.attributes("dev", KEYS[1])
    folder = own / "runs/sst/seed-1/checkpoint-10"
    assert (kept["epoch"], kept["loss"], kept["metrics"]) == (1.0, 0.5, {"eval_accuracy": 0.75, "eval_loss": 0.6})
    assert (kept["source"], kept["model_class"]) == (str(folder), "BertForSequenceClassification")
    assert kept["weights_size"] == (folder / "model.safetensors").stat().st_size
    assert kept["corpus_fingerprint"] == store.corpus("dev").info.fingerprint
    assert {"torch", "transformers", "tokenizers"} <= set(kept["versions"])
    assert {"step": 10, "epoch": 1.0, "name": "loss", "value": 0.5} in kept["training_log"]


def test_run_again_it_does_only_what_is_missing(own: Path) -> None:
    go(own)
    models.trained(models.save(own / "runs/sst/seed-1/checkpoint-20", seed=20), 20)
    report = go(own)
    assert [o.key.step for o in report.outcomes if o.status == "added"] == [20]
    assert statuses(report) == {"added": 1, "present": 3}
    assert statuses(go(own)) == {"present": 4}


def test_several_corpora_at_once_and_one_more_later(own: Path) -> None:
    (own / "w.conllu").write_text("1\tThe\t_\tDET\t_\t_\t_\tdet\t_\t_\n2\tcat\t_\tNOUN\t_\t_\t_\troot\t_\t_\n\n")
    go(own)
    report = go(own, corpora={"dev": "dev.tsv", "w": "w.conllu"}, label=("w:deprel",))
    assert {(o.corpus, o.status) for o in report.outcomes} == {("dev", "present"), ("w", "added")}
    assert Store.open(own / "x.bertdyn").corpus("w").info.annotations[0].labels == ("det", "root")


def test_the_plan_counts_what_is_then_written(own: Path) -> None:
    seen: list[ExtractPlan] = []
    tokens: list[int] = []

    class Watch:
        def begin(self, plan: ExtractPlan) -> None:
            assert not (own / "x.bertdyn").exists()
            seen.append(plan)

        def loading(self, key: CheckpointKey) -> None: ...
        def advance(self, count: int) -> None:
            tokens.append(count)

        def outcome(self, work: Work, outcome: Any) -> None: ...

    extract(own / "x.bertdyn", [own / "runs"], {"dev": own / "dev.tsv"}, ExtractOptions(), Watch())
    (plan,) = seen
    info = Store.open(own / "x.bertdyn").corpus("dev").info
    assert plan.checkpoints == 2
    assert plan.tokens == sum(tokens) == 2 * info.tokens
    assert plan.bytes == 2 * 2 * (4 * info.tokens * 24 + 3 * 2 * info.pairs)
    assert plan.free > plan.bytes


def test_the_model_that_others_are_compared_with_comes_first(own: Path) -> None:
    models.save(own / "runs/apples/seed-1/checkpoint-1")  # before "pretrained" in the alphabet
    reference = str(models.save(own / "base"))
    plan = planning.make_plan(
        own / "x.bertdyn", [own / "runs"], {"dev": own / "dev.tsv"}, ExtractOptions(reference=reference)
    )
    assert [w.found.key.task for w in plan.work][:2] == ["pretrained", "apples"]


def test_one_broken_checkpoint_does_not_stop_the_others(own: Path) -> None:
    reweigh(own / "runs/sst/seed-1/checkpoint-0", lambda t: t.pop("bert.encoder.layer.0.output.dense.weight"))
    os.truncate(models.save(own / "runs/sst/seed-2/checkpoint-5") / "model.safetensors", 1000)
    report = go(own)
    assert (statuses(report), report.exit_code) == ({"failed": 2, "added": 2}, 1)
    assert all(o.reason and "\n" not in o.reason for o in report.outcomes if o.status == "failed")
    assert statuses(go(own)) == {"failed": 2, "present": 2}


def test_values_that_are_no_numbers_fail_and_leave_nothing(own: Path) -> None:
    reweigh(
        own / "runs/sst/seed-1/checkpoint-10",
        lambda t: t["bert.encoder.layer.1.output.LayerNorm.bias"].fill_(float("nan")),
    )
    report = go(own)
    (failed,) = [o for o in report.outcomes if o.status == "failed"]
    assert "not finite" in failed.reason
    store = Store.open(own / "x.bertdyn")
    assert KEYS[1] not in [c.key for c in store.checkpoints("dev")]
    assert not store.check().problems


def break_last_layer(tensors: Any) -> None:
    (name,) = [name for name in tensors if name.endswith("encoder.layer.1.output.LayerNorm.bias")]
    tensors[name].fill_(float("nan"))


def test_when_nothing_can_be_stored_no_new_store_stays_and_an_old_one_does(own: Path) -> None:
    for weights in own.rglob("model.safetensors"):
        reweigh(weights.parent, break_last_layer)
    report = go(own)
    assert (statuses(report), report.exit_code) == ({"failed": 3}, 2)
    assert not [p for p in own.iterdir() if p.name.endswith(".bertdyn") or p.name.startswith(".")]
    Store.create(own / "x.bertdyn")
    assert go(own).exit_code == 2
    assert Store.open(own / "x.bertdyn").checkpoints() == ()


def test_weights_that_changed_are_not_taken_for_what_is_stored(own: Path) -> None:
    go(own)
    folder = own / "runs/sst/seed-1/checkpoint-10"
    os.utime(folder / "model.safetensors", ns=(1, 1))
    assert statuses(go(own)) == {"present": 3}  # touched, not changed
    models.save(folder, seed=12345)
    report = go(own)
    (failed,) = [o for o in report.outcomes if o.status == "failed"]
    assert failed.key == KEYS[1]
    assert "--replace" in failed.reason
    before = Store.open(own / "x.bertdyn").checkpoint("dev", KEYS[1]).digests["hidden"]
    assert statuses(go(own, replace=True)) == {"replaced": 3}
    after = Store.open(own / "x.bertdyn")
    assert after.checkpoint("dev", KEYS[1]).digests["hidden"] != before
    alone = model_outputs(folder, models.SENTENCES)["hidden"][3]
    np.testing.assert_allclose(after.hidden("dev", KEYS[1], 3), alone, atol=4e-3)


def test_attentions_are_added_when_they_are_wanted_later(own: Path) -> None:
    go(own, attentions=False)
    assert not any("attention" in c.digests for c in Store.open(own / "x.bertdyn").checkpoints("dev"))
    assert statuses(go(own, attentions=False)) == {"present": 3}
    assert statuses(go(own)) == {"replaced": 3}
    assert all(("attention" in c.digests) for c in Store.open(own / "x.bertdyn").checkpoints("dev"))
    assert statuses(go(own, attentions=False)) == {"present": 3}


def test_another_dtype_than_stored_is_said(own: Path) -> None:
    go(own)
    assert {o.reason for o in go(own, dtype="float32").outcomes} == {"stored as float16"}


def test_a_checkpoint_without_tokenizer_uses_the_references(own: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (own / "runs/sst/seed-1/checkpoint-10" / name).unlink(missing_ok=True)
    assert statuses(go(own)) == {"added": 3}


def test_no_tokenizer_anywhere_asks_for_a_reference(own: Path) -> None:
    for path in list(own.rglob("tokenizer*.json")):
        path.unlink()
    with pytest.raises(BertdynError, match=r"No checkpoint has a tokenizer.*--reference"):
        go(own, reference=None)


def test_another_tokenizer_is_refused_with_both_fingerprints(own: Path) -> None:
    folder = own / "runs/sst/seed-1/checkpoint-10"
    content = json.loads((folder / "tokenizer.json").read_text())
    words = content["model"]["vocab"]
    last = len(words) - 1
    content["model"]["vocab"] = {word: i if i < 5 else last + 5 - i for word, i in words.items()}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    report = go(own)
    (failed,) = [o for o in report.outcomes if o.status == "failed"]
    mine = Store.open(own / "x.bertdyn").corpus("dev").info.fingerprint
    assert failed.key == KEYS[1]
    before, _, after = failed.reason.partition(f", not {mine[:12]}.")
    assert after
    assert len(before.split()[-1]) == 12 != before.endswith(mine[:12])


def test_a_tokenizer_that_only_looks_different_is_accepted(own: Path) -> None:
    folder = own / "runs/sst/seed-1/checkpoint-10"
    configuration = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(configuration | {"model_max_length": 77}))
    assert statuses(go(own)) == {"added": 3}


@pytest.mark.parametrize("settings", [{"num_hidden_layers": 2}, {"hidden_size": 16}, {"num_attention_heads": 4}])
def test_another_architecture_is_refused(own: Path, settings: dict[str, int]) -> None:
    shutil.rmtree(own / "runs/sst/seed-1/checkpoint-10")
    models.save(own / "runs/sst/seed-1/checkpoint-10", **settings)
    report = go(own)
    (failed,) = [o for o in report.outcomes if o.status == "failed"]
    assert "cannot be compared" in failed.reason
    assert "3 layers of 2 heads, width 24" in failed.reason


def test_a_variant_may_lack_layers(own: Path) -> None:
    """In either order, and only layers."""
    models.save(own / "runs/sst+truncate-2/seed-1/checkpoint-10", num_hidden_layers=2)
    models.save(own / "runs/sst+narrow/seed-1/checkpoint-10", num_hidden_layers=2, hidden_size=16)
    models.save(own / "runs/sst+deep/seed-1/checkpoint-10", num_hidden_layers=4)
    failed = {str(o.key) for o in go(own).outcomes if o.status == "failed"}
    assert failed == {"sst+narrow/1/10", "sst+deep/1/10"}
    cut = own / "cut/sst+truncate-2/seed-1"
    models.save(cut / "checkpoint-10", num_hidden_layers=2)
    corpus = {"dev": own / "dev.tsv"}
    assert statuses(extract(own / "o.bertdyn", [cut], corpus)) == {"added": 1}
    assert statuses(extract(own / "o.bertdyn", [own / "runs/sst"], corpus)) == {"added": 2}


def nothing_is_written(place: Path, message: str, **options: Any) -> None:
    with pytest.raises(BertdynError, match=message) as caught:
        go(place, **options)
    assert "\n" not in str(caught.value)
    assert not (place / "x.bertdyn").exists()


def test_bad_input_changes_nothing(own: Path) -> None:
    nothing_is_written(own, "no folder", reference="./nowhere")
    nothing_is_written(own, "There is no corpus file", corpora={"dev": "nothing.tsv"})
    nothing_is_written(own, "--device tpu", device="tpu")
    nothing_is_written(own, "--limit 0", limit=0)
    nothing_is_written(own, "--max-length 2 leaves", max_length=2)
    nothing_is_written(own, "--layout", layout="{step}")
    nothing_is_written(own, "no column 'body'", text=("body",))
    nothing_is_written(own, "--dtype bfloat16: one of float16, float32", dtype="bfloat16")
    nothing_is_written(own, "Name at least one corpus", corpora={})
    with pytest.raises(BertdynError, match="Name a folder of runs, or a --reference"):
        extract(own / "x.bertdyn", [], {"dev": own / "dev.tsv"}, ExtractOptions())


def test_when_nothing_can_be_extracted_the_reason_is_given(own: Path) -> None:
    for path in list(own.rglob("model.safetensors")):
        os.truncate(path, 100)
    nothing_is_written(own, r"None of 3 checkpoints can be extracted. The first: .*truncated")
    shutil.rmtree(own / "runs/sst/seed-1/checkpoint-10")
    nothing_is_written(own, "checkpoint-0/model.safetensors is truncated", reference=None)


def test_checkpoints_that_break_while_loading_leave_no_empty_store(own: Path) -> None:
    for folder in [own / "base", *(own / "runs/sst/seed-1").iterdir()]:
        configure(folder, intermediate_size=40)
    report = go(own)
    assert (statuses(report), report.exit_code) == ({"failed": 3}, 2)
    assert not (own / "x.bertdyn").exists()


def test_what_does_not_fit_on_the_disk_is_not_begun(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "free_bytes", lambda path: 10_000)
    nothing_is_written(own, r"would take .* kB and the disk of .* has 10 kB free")


def test_a_disk_that_fills_meanwhile_fails_each_checkpoint(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "free_bytes", lambda path: 10_000)
    report = go(own)
    assert statuses(report) == {"failed": 3}
    assert all("is full: " in one.reason and "10 kB are free" in one.reason for one in report.outcomes)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_another_extraction_stored_meanwhile_is_there(
    own: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    free, forward = checkpoint.free_bytes, checkpoint.forward.run

    def other() -> None:
        monkeypatch.setattr(checkpoint, "free_bytes", free)
        monkeypatch.setattr(checkpoint.forward, "run", forward)
        assert statuses(go(own, reference=None)) == {"added": 2}

    def slow_free(path: Path) -> int:
        other()
        return free(path)

    def slow_run(*given: Any, **settings: Any) -> Any:
        other()
        yield from forward(*given, **settings)

    if when == "before":
        monkeypatch.setattr(checkpoint, "free_bytes", slow_free)
    else:
        monkeypatch.setattr(checkpoint.forward, "run", slow_run)
    report = go(own, reference=None)
    assert (statuses(report), report.exit_code) == ({"present": 2}, 0)
    assert {one.reason for one in report.outcomes} == {"another extraction stored it meanwhile"}


def test_an_error_of_the_disk_names_the_checkpoint_and_the_file(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "weights")

    monkeypatch.setattr(checkpoint, "load", fails)
    report = go(own, reference=None)
    assert statuses(report) == {"failed": 2}
    assert report.outcomes[0].reason.endswith("checkpoint-0 fails: Input/output error (weights).")


def test_a_place_that_is_taken_or_locked_is_refused(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "x.bertdyn").mkdir()
    (own / "x.bertdyn" / "thesis.tex").write_text("")
    with pytest.raises(BertdynError, match="is not a bertdyn store"):
        go(own)
    shutil.rmtree(own / "x.bertdyn")
    monkeypatch.setattr(os, "access", lambda *a, **k: False)
    nothing_is_written(own, "is not writable")


def test_a_corpus_name_with_other_text_or_labels_is_refused(own: Path) -> None:
    go(own)
    with pytest.raises(BertdynError, match=r"another corpus 'dev' already: 7 examples of .*gives 3"):
        go(own, limit=3)
    with pytest.raises(BertdynError, match="the same text with --max-length 128"):
        go(own, max_length=6)
    lines = models.corpus_file(own).read_text()
    (own / "dev.tsv").write_text(lines.replace("\t1", "\t2"))
    with pytest.raises(BertdynError, match="the same text with other labels"):
        go(own)


def test_memory_stays_flat_in_the_number_of_sentences(own: Path) -> None:
    import torch

    from store.corpora.text_files import read
    from store.extract.forward import run
    from store.extract.tokens import load_tokenizer, make_corpus
    from store.models.load import load, look

    text = read(own / "dev.tsv")
    many = replace(text, texts=text.texts * 40, labels=())
    corpus = make_corpus("many", many, load_tokenizer(own / "base"), 128)
    encoder = load(look(own / "base"), torch.device("cpu"))
    limit = 200_000
    sizes = [h.nbytes + (0 if a is None else a.nbytes) for h, a, _ in run(encoder, corpus, window_bytes=limit)]
    assert len(sizes) > 5
    assert max(sizes) <= limit
