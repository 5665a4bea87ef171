"""Are stored logits what the checkpoint's own model says of each sentence alone?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from store.corpora.text_files import read
from store.errors import BertdynError
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import CheckpointKey
from store.layout import CLASSIFIER, LOGITS
from store.store import Store
from tests.parameters import later
from tests.store.extract import models

KEY = CheckpointKey.plain("t", "1", 10)
FAMILIES = ("bert", "roberta", "distilbert", "electra", "deberta-v2", "albert")
TASKS = ("SequenceClassification", "TokenClassification", "QuestionAnswering")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.corpus_file(tmp_path_factory.mktemp("text"))


def checkpoint(root: Path, family: str, task: str, **settings: Any) -> Path:
    many = {} if task in ("QuestionAnswering", "MaskedLM", "") else {"num_labels": 3}
    folder = models.save(root / "t" / "seed-1" / "checkpoint-10", family, task=task, **many, **settings)
    models.trained(folder, 10)
    return folder


def extracted(root: Path, text: Path, **options: Any) -> tuple[Store, Any]:
    report = extract(root / "s.bertdyn", [root], {"dev": text}, ExtractOptions(**options))
    return Store.open(root / "s.bertdyn"), report


@pytest.mark.parametrize(
    ("family", "task"),
    [
        pair if i % len(FAMILIES) == j or pair[0] == "bert" else later(*pair)
        for j, task in enumerate(TASKS)
        for i, pair in enumerate((family, task) for family in FAMILIES)
    ],
)
def test_logits_are_those_of_each_sentence_alone(tmp_path: Path, text: Path, family: str, task: str) -> None:
    import transformers

    folder = checkpoint(tmp_path, family, task)
    store, report = extracted(tmp_path, text)
    assert report.exit_code == 0, report
    assert not [note for note in report.notes if "logits" in note]
    logits, classes = store.logits("dev", KEY)
    model = getattr(transformers, f"AutoModelFor{task}").from_pretrained(folder).eval()
    corpus = store.corpus("dev")
    expected = []
    for start, stop in zip(corpus.offsets, corpus.offsets[1:], strict=False):
        inputs = {"input_ids": torch.tensor(corpus.token_ids[start:stop].astype(np.int64))[None]}
        if corpus.token_types.any():
            inputs["token_type_ids"] = torch.tensor(corpus.token_types[start:stop].astype(np.int64))[None]
        with torch.no_grad():
            output = model(**inputs)
        if task == "QuestionAnswering":
            expected.append(torch.stack((output.start_logits[0], output.end_logits[0]), dim=-1).numpy())
        else:
            expected.append(output.logits[0].reshape(-1, 3).numpy())
    assert logits.dtype == np.float32
    # float32 in batches of another size: products are summed in another order, which depends on the processor.
    np.testing.assert_allclose(logits, np.concatenate(expected), rtol=1e-5, atol=1e-4)
    assert np.ptp(logits) > 0.1
    names = ("start", "end") if task == "QuestionAnswering" else ("LABEL_0", "LABEL_1", "LABEL_2")
    assert (classes.labels, classes.examples) == (names, task == "SequenceClassification")
    assert {LOGITS, CLASSIFIER} <= set(store.checkpoint("dev", KEY).digests)


def test_hidden_states_and_attentions_are_the_same_with_a_classifier(tmp_path: Path, text: Path) -> None:
    checkpoint(tmp_path, "bert", "SequenceClassification")
    (tmp_path / "without").mkdir()
    store, _ = extracted(tmp_path, text)
    extract(tmp_path / "without" / "s.bertdyn", [tmp_path], {"dev": text}, ExtractOptions(logits=False))
    bare = Store.open(tmp_path / "without" / "s.bertdyn")
    one, other = (s.checkpoint("dev", KEY).digests for s in (store, bare))
    assert {**other} == {name: digest for name, digest in one.items() if name not in (LOGITS, CLASSIFIER)}
    with pytest.raises(BertdynError, match="has no logits: extracted with --no-logits"):
        bare.logits("dev", KEY)
    # They are added by extracting again, and then nothing is left to do.
    report = extract(bare.path, [tmp_path], {"dev": text}, ExtractOptions())
    assert [o.status for o in report.outcomes] == ["replaced"]
    np.testing.assert_array_equal(bare.logits("dev", KEY)[0], store.logits("dev", KEY)[0])
    report = extract(bare.path, [tmp_path], {"dev": text}, ExtractOptions())
    assert [o.status for o in report.outcomes] == ["present"]


def test_adding_what_is_lacking_never_loses_what_is_there(tmp_path: Path, text: Path) -> None:
    checkpoint(tmp_path, "bert", "SequenceClassification")
    checkpoint(tmp_path / "other", "bert", "SequenceClassification")
    store, _ = extracted(tmp_path / "other", text, logits=False)
    with pytest.raises(BertdynError, match="stored with attention, which would be lost with --no-attentions"):
        extracted(tmp_path / "other", text, attentions=False)
    assert "attention" in store.checkpoint("dev", KEY).digests
    store, _ = extracted(tmp_path / "other", text)
    assert {"attention", LOGITS} <= set(store.checkpoint("dev", KEY).digests)
    store, _ = extracted(tmp_path / "t", text, attentions=False, layout="{task}/checkpoint-{step}")
    with pytest.raises(BertdynError, match="stored with logits, which would be lost with --no-logits"):
        extracted(tmp_path / "t", text, logits=False, layout="{task}/checkpoint-{step}")


@pytest.mark.parametrize(
    ("task", "without", "reason"),
    [
        ("MaskedLM", "", "BertForMaskedLM has no classifier of sequences, tokens or spans"),
        ("", "", "BertModel has no classifier"),
        ("SequenceClassification", "classifier.", "the weights of its classifier are not in the file"),
        ("SequenceClassification", "bert.pooler.", "the weights of its pooler are not in the file"),
    ],
)
def test_random_weights_give_no_logits_and_that_is_said(
    tmp_path: Path, text: Path, task: str, without: str, reason: str
) -> None:
    from safetensors.torch import load_file, save_file

    folder = checkpoint(tmp_path, "bert", task)
    path = folder / "model.safetensors"
    if without:
        save_file({n: t for n, t in load_file(path).items() if not n.startswith(without)}, path, {"format": "pt"})
    store, report = extracted(tmp_path, text)
    assert report.exit_code == 0
    assert [note for note in report.notes if f"t/1/10 has no logits: {reason}" in note]
    with pytest.raises(BertdynError, match=reason):
        store.logits("dev", KEY)
    assert LOGITS not in store.checkpoint("dev", KEY).digests
    assert extracted(tmp_path, text)[1].outcomes[0].status == "present"


def test_the_classifiers_weights_are_kept_and_give_the_logits_of_the_last_layer(tmp_path: Path, text: Path) -> None:
    checkpoint(tmp_path, "bert", "SequenceClassification")
    store, _ = extracted(tmp_path, text, dtype="float32")
    weights = store.classifier("dev", KEY)
    first = store.corpus("dev").offsets[:-1]
    hidden = store.hidden("dev", KEY, 3)[first]
    pooled = np.tanh(hidden @ weights["pooler.dense.weight"].T + weights["pooler.dense.bias"])
    logits = pooled @ weights["classifier.weight"].T + weights["classifier.bias"]
    np.testing.assert_allclose(logits, store.logits("dev", KEY)[0], atol=1e-4)


@pytest.mark.parametrize(("settings", "problem"), [({}, "regression"), ({"problem_type": "regression"}, "regression")])
def test_one_output_is_a_regression(tmp_path: Path, text: Path, settings: dict[str, str], problem: str) -> None:
    folder = models.save(tmp_path / "t" / "seed-1" / "checkpoint-10", "bert", num_labels=1, **settings)
    models.trained(folder, 10)
    store, _ = extracted(tmp_path, text)
    assert store.logits("dev", KEY)[1].problem == problem


def test_the_order_of_labels_is_that_of_their_numbers(tmp_path: Path, text: Path) -> None:
    folder = checkpoint(tmp_path, "bert", "SequenceClassification")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"2": "c", "0": "a", "1": "b"}
    config["label2id"] = {"a": 0, "b": 1, "c": 2}
    config["problem_type"] = "multi_label_classification"
    (folder / "config.json").write_text(json.dumps(config))
    classes = extracted(tmp_path, text)[0].logits("dev", KEY)[1]
    assert (classes.labels, classes.problem) == (("a", "b", "c"), "multi_label_classification")


def test_a_flipped_bit_in_logits_is_named(tmp_path: Path, text: Path) -> None:
    checkpoint(tmp_path, "bert", "SequenceClassification")
    store, _ = extracted(tmp_path, text)
    assert read(text).labels
    for place in (LOGITS, f"{CLASSIFIER}.classifier.weight"):
        chunk = next((store.path / "activations/dev/t/1/10" / place / "c").rglob("0"))
        while chunk.is_dir():
            chunk = chunk / "0"
        whole = chunk.read_bytes()
        chunk.write_bytes(bytes([whole[0] ^ 8, *whole[1:]]))
        assert any("checksum" in problem.what for problem in store.check().problems)
        with pytest.raises(BertdynError, match="are damaged"):
            store.logits("dev", KEY) if place == LOGITS else store.classifier("dev", KEY)
        chunk.write_bytes(whole)
