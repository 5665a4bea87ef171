"""Does one checkpoint, whatever is wrong with it, leave the others as they would be without it?"""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.compute.run import compute
from explorer.measures.registry import get
from explorer.selection import Selection, ask_store
from explorer.selection.stored import further_axes
from store.extract import checkpoint as running
from store.extract.find import history
from store.extract.run import Report
from store.keys import CheckpointKey
from store.rows import Is, RowQuery
from store.store import Store
from tests.parameters import first
from tests.pools import here
from tests.store.extract import models
from tests.store.extract.models import configure
from tests.store.extract.test_run import go, statuses

BROKEN, WHOLE = CheckpointKey.plain("sst", "1", 5), CheckpointKey.plain("sst", "1", 10)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A reference, a whole checkpoint at step 10, and one at step 5 for a test to break."""
    models.save(tmp_path / "base", head=False, seed=99)
    models.save(tmp_path / "runs/sst/seed-1/checkpoint-10", seed=10)
    models.save(broken(tmp_path), seed=5)
    models.corpus_file(tmp_path)
    return tmp_path


def broken(place: Path) -> Path:
    return place / "runs/sst/seed-1/checkpoint-5"


def failure(report: Report) -> str:
    """The sentence on the checkpoint that failed, where all others are in place."""
    assert (statuses(report), report.exit_code) == ({"added": 2, "failed": 1}, 1)
    (failed,) = [o for o in report.outcomes if o.status == "failed"]
    assert failed.key == BROKEN
    assert "checkpoint-5" in failed.reason
    assert "\n" not in failed.reason
    return failed.reason


STATES: dict[str, Any] = {
    "null": None, "a list": [], "a number": 3, "no log": {"global_step": 5, "log_history": None},
    "a log that is a table": {"log_history": {"step": 5}}, "entries that are none": {"log_history": [None, 3, "x", []]},
    "odd values": {"epoch": "one", "log_history": [{"step": "5", "loss": 1}, {"step": 5, "loss": "x", "epoch": {}}]},
    "huge numbers": {"global_step": 10**30, "epoch": 10**400, "log_history": [{"step": 5, "loss": 10**400}]},
    "steps that are none": {"global_step": True, "log_history": [{"step": True, "loss": 1}, {"step": -1, "loss": 1}]},
}  # fmt: skip


@pytest.mark.parametrize("state", first(3, STATES.values()), ids=list(STATES))
def test_an_odd_trainer_state_is_no_history_and_no_failure(own: Path, state: Any) -> None:
    (broken(own) / "trainer_state.json").write_text(json.dumps(state))
    report = go(own)
    assert (statuses(report), report.exit_code) == ({"added": 3}, 0)
    stored = Store.open(own / "x.bertdyn").checkpoint("dev", BROKEN)
    assert (stored.epoch, stored.loss, stored.metrics) == (None, None, {})
    assert not [note for note in report.notes if "checkpoint-10" in note]


@pytest.mark.parametrize(
    "content", first(2, ["[" * 100_000, '{"global_step": ' + "9" * 5000 + "}", "", "{", "\x00"]), ids=range(5)
)
def test_a_trainer_state_that_cannot_be_read_is_noted(own: Path, content: str) -> None:
    (broken(own) / "trainer_state.json").write_text(content)
    report = go(own)
    assert statuses(report) == {"added": 3}
    (note,) = [note for note in report.notes if "trainer_state.json" in note]
    assert "cannot be read" in note


def test_a_trainer_state_without_a_log_still_says_the_step(tmp_path: Path) -> None:
    (tmp_path / "trainer_state.json").write_text('{"global_step": 200, "epoch": 1.0, "log_history": null}')
    past = history(tmp_path)
    assert (past.step, past.epoch, past.loss, past.log) == (200, 1.0, None, ())
    assert "no list 'log_history'" in past.note


def test_a_step_that_cannot_be_told_ends_only_that_checkpoint(own: Path) -> None:
    models.trained(own / "runs/sst/seed-1/checkpoint-10", 10)
    (broken(own) / "trainer_state.json").write_text("null")
    report = go(own, layout="{task}/seed-{seed}/*")
    assert statuses(report) == {"added": 2}
    assert [note for note in report.notes if "step of" in note and "checkpoint-5 is unknown" in note]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model_type": 7}, "cannot be used"), ({"model_type": "no-such"}, "cannot be used"),
        ({"num_hidden_layers": "x"}, ""), ({"hidden_act": 5}, "cannot be used"), ({"vocab_size": None}, ""),
        ({"num_hidden_layers": 2}, "have no place"), ({"intermediate_size": 40}, "do not belong together"),
    ],
    ids=str,
)  # fmt: skip
def test_an_odd_configuration_fails_alone(own: Path, settings: dict[str, Any], said: str) -> None:
    configure(broken(own), **settings)
    assert said in failure(go(own))


@pytest.mark.parametrize("value", first(2, [5, [7], None, [], "BertModel"]), ids=str)
def test_odd_architectures_never_end_the_others(own: Path, value: Any) -> None:
    configure(broken(own), architectures=value)
    assert go(own).exit_code == 0
    assert Store.open(own / "x.bertdyn").checkpoint("dev", BROKEN).model_class == "BertModel"


@pytest.mark.parametrize("quantised", [False, True])
def test_an_encoder_of_another_family_never_ends_the_others(own: Path, quantised: bool) -> None:
    from transformers import AutoConfig, AutoModel

    sizes = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
    config = AutoConfig.for_model("ibert", vocab_size=90, quant_mode=quantised, **sizes)
    AutoModel.from_config(config).save_pretrained(broken(own))
    report = go(own)
    if report.exit_code:
        failure(report)
    else:
        assert statuses(report) == {"added": 3}


# One clause catches what loading and the history raise, another one what a forward pass raises; both say it alike.
ERRORS = [TypeError("a\nb"), MemoryError(), AttributeError("x"), KeyError(3), AssertionError()]


@pytest.mark.parametrize(
    ("where", "error"),
    first(
        4,
        [("load", ERRORS[0]), ("history", ERRORS[0]), ("forward", ERRORS[0]), ("forward", ERRORS[1])]
        + [("load", error) for error in ERRORS[1:]],
    ),
)
def test_whatever_is_raised_ends_only_that_checkpoint(
    own: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, where: str
) -> None:
    def raising(real: Any, folder: Any) -> Any:
        def call(given: Any, *rest: Any, **named: Any) -> Any:
            if folder(given) == broken(own):
                raise error
            return real(given, *rest, **named)

        return call

    if where == "forward":
        monkeypatch.setattr(running.forward, "run", raising(running.forward.run, lambda encoder: encoder.folder))
    elif where == "load":
        monkeypatch.setattr(running, "load", raising(running.load, lambda model: model.folder))
    else:
        monkeypatch.setattr(running, "history", raising(running.history, lambda folder: folder))
    assert type(error).__name__ in failure(go(own))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_never_taken_for_a_broken_checkpoint(
    own: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def stopped(*_: object) -> None:
        raise stop

    monkeypatch.setattr(running, "load", stopped)
    with pytest.raises(stop):
        go(own)


def test_a_tokenizer_that_cannot_be_loaded_ends_only_its_checkpoint(own: Path) -> None:
    (broken(own) / "tokenizer.json").write_text("{}")
    assert "tokenizer" in failure(go(own)).lower()


def test_a_broken_reference_does_not_end_the_others(own: Path) -> None:
    (own / "base" / "tokenizer.json").write_text("{}")
    report = go(own)
    assert (statuses(report), report.exit_code) == ({"added": 2, "failed": 1}, 1)


def test_a_sharded_checkpoint_is_listed_with_its_way_out(own: Path) -> None:
    (broken(own) / "model.safetensors").unlink()
    (broken(own) / "global_step5").mkdir()
    (broken(own) / "global_step5" / "mp_rank_00_model_states.pt").write_bytes(b"")
    assert "zero_to_fp32.py" in failure(go(own))


def weight_changes(place: Path, key: CheckpointKey) -> dict[Any, float | None]:
    """Every value of weight-change that a checkpoint has, by layer, module and statistic; classifiers left out."""
    store = Store.open(place / "x.bertdyn")
    question = ask_store(store, Selection("weight-change", tasks=("sst",), steps=None))
    assert not compute(store, [question], workers=1, device="cpu", executor=here).failures
    query = RowQuery((Is("measure", "weight-change"), Is("step", key.step)), axes=further_axes(get("weight-change")))
    rows = store.results(query)
    assert len(rows) > 20
    return {(row.layer, row.axes, row.statistic): row.value for row in rows if row.layer is not None}


@pytest.mark.parametrize("prefix", ["_orig_mod.bert.", "module.", "encoder.", "model.bert."])
def test_a_prefix_is_said_and_changes_no_value(own: Path, prefix: str) -> None:
    models.save(broken(own), seed=10)
    models.rename(broken(own), prefix, "bert.")
    report = go(own)
    assert statuses(report) == {"added": 3}
    assert f"sst/1/5: weights read under the prefix '{prefix}'." in report.notes
    store = Store.open(own / "x.bertdyn")
    for layer in range(4):
        np.testing.assert_array_equal(store.hidden("dev", BROKEN, layer), store.hidden("dev", WHOLE, layer))
    assert weight_changes(own, BROKEN) == weight_changes(own, WHOLE)


def test_a_folder_without_configuration_takes_the_references_and_says_so(own: Path) -> None:
    models.save(broken(own), seed=10)
    (broken(own) / "config.json").unlink()
    report = go(own)
    assert statuses(report) == {"added": 3}
    assert f"sst/1/5: no config.json: that of the reference {own / 'base'} is used." in report.notes
    assert weight_changes(own, BROKEN) == weight_changes(own, WHOLE)
    assert go(own, reference=None, replace=True).exit_code == 1


@pytest.mark.skipif(find_spec("peft") is None, reason="needs the extra 'adapters'")
def test_an_adapter_is_extracted_and_its_weights_are_the_merged_ones(own: Path) -> None:
    import peft
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(own / "base")
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query"])
    model = peft.get_peft_model(model, config)
    torch.nn.init.normal_(model.base_model.model.bert.encoder.layer[1].attention.self.query.lora_B["default"].weight)
    for file in broken(own).iterdir():
        if file.name not in ("tokenizer.json", "tokenizer_config.json"):
            file.unlink()
    model.save_pretrained(broken(own))
    model.merge_and_unload().save_pretrained(own / "runs/sst/seed-1/checkpoint-10")
    report = go(own)
    assert statuses(report) == {"added": 3}
    assert [note for note in report.notes if note.startswith("sst/1/5: adapter (LORA")]
    store = Store.open(own / "x.bertdyn")
    np.testing.assert_allclose(store.hidden("dev", BROKEN, 3), store.hidden("dev", WHOLE, 3), atol=2e-3)
    merged, adapted = weight_changes(own, WHOLE), weight_changes(own, BROKEN)
    assert adapted.keys() == merged.keys()
    for at, value in merged.items():
        assert adapted[at] == pytest.approx(value, abs=1e-6)
    assert max(value or 0 for (_, _, statistic), value in adapted.items() if statistic == "relative") > 0.1
    settings = json.loads((broken(own) / "adapter_config.json").read_text())
    (broken(own) / "adapter_config.json").write_text(json.dumps(settings | {"lora_alpha": 99}))
    (failed,) = [o for o in go(own).outcomes if o.status == "failed"]
    assert "differ from those that the store has as sst/1/5" in failed.reason


def test_batches_made_smaller_for_lack_of_memory_are_noted(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def small(model: Any, device: Any) -> Any:
        encoder = real(model, device)
        encoder.model.register_forward_pre_hook(refuse, with_kwargs=True)
        return encoder

    def refuse(module: Any, given: Any, named: Any) -> None:
        ids = given[0] if given else named["input_ids"]  # a classifier's model gives them by position
        if ids.numel() > 60:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    real = running.load
    assert statuses(go(own)) == {"added": 3}
    before = Store.open(own / "x.bertdyn").hidden("dev", WHOLE, 3)
    monkeypatch.setattr(running, "load", small)
    report = go(own, replace=True)
    assert statuses(report) == {"replaced": 3}
    (note,) = [note for note in report.notes if note.startswith(f"{WHOLE}: batches did not fit in the memory of cpu")]
    lengths = np.diff(Store.open(own / "x.bertdyn").corpus("dev").offsets)
    assert 1 <= int(re.findall(r"--batch-tokens (\d+)", note)[0]) <= len(lengths) * lengths.max() // 2
    np.testing.assert_allclose(Store.open(own / "x.bertdyn").hidden("dev", WHOLE, 3), before, atol=4e-3)
