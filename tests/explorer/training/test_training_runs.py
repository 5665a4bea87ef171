"""Are runs what they are called, written as the Trainer writes them, and continued after an interruption?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from explorer.demo.run import tiny_bert
from explorer.training.ablation import train
from explorer.training.runs import Run
from store.errors import BertdynError
from store.extract.find import history
from tests.training import QUICK, Files, Silent, differing, files, finished, weights

Trained = Callable[[str, int], Run]


class Interrupted(Silent):
    """Interrupts training after a step, as Ctrl-C does."""

    def __init__(self, after: int) -> None:
        self._after = after

    def step(self, done: int) -> None:
        if done == self._after:
            raise KeyboardInterrupt


class Counting(Silent):
    """Counts steps."""

    def __init__(self) -> None:
        self.steps = list[int]()

    def step(self, done: int) -> None:
        self.steps.append(done)


def test_frozen_weights_do_not_change_by_a_bit_and_all_others_move(trained: Trained) -> None:
    run = trained("freeze", 3)
    names = set(weights(run.checkpoint(0)))
    frozen = {name for name in names if ".embeddings." in name or any(f".layer.{layer}." in name for layer in range(3))}
    assert differing(run.checkpoint(0), run.checkpoint(4)) == names - frozen
    assert len(frozen) > 40


def test_freezing_nothing_is_the_plain_run_bit_for_bit(trained: Trained, sentences: Files, tmp_path: Path) -> None:
    plan = sentences.plan("freeze", [0], tmp_path)
    transformers.set_seed(1)
    model = plan.base.load()
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "plain"), max_steps=4, per_device_train_batch_size=4, learning_rate=1e-3,
        weight_decay=0.01, adam_epsilon=1e-6, warmup_steps=1, seed=1, use_cpu=True, save_strategy="no",
        logging_strategy="no", report_to=[], disable_tqdm=True, per_device_eval_batch_size=8, eval_strategy="steps",
        eval_steps=2,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model,
        arguments,
        transformers.DataCollatorWithPadding(plan.tokenizer),
        plan.train,
        plan.evaluation,
        callbacks=None,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    trainer.save_model(str(tmp_path / "plain"))
    assert differing(trained("freeze", 0).checkpoint(4), tmp_path / "plain") == set()


@pytest.mark.parametrize(("kind", "k"), [("reinit", 3), ("scratch", 0)])
def test_runs_end_with_the_weights_of_a_loop_written_out(kind: str, k: int, sentences: Files, tmp_path: Path) -> None:
    """Whole batches without dropout, so that no order and no random number counts; the loop computes in float64."""
    base = tmp_path / "base"
    shutil.copytree(tiny_bert(), base)
    said = json.loads((base / "config.json").read_text())
    said |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (base / "config.json").write_text(json.dumps(said))
    settings = replace(QUICK, max_steps=5, batch_size=60, warmup=0.3, checkpoints=(0,))
    plan = sentences.plan(kind, [k], tmp_path / "out", settings, base=base)
    run = finished(plan)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(run.checkpoint(0)).double().train()
    batch = transformers.DataCollatorWithPadding(plan.tokenizer)([plan.train[i] for i in range(len(plan.train))])
    start = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    moving = dict(model.named_parameters())
    first, second = ({name: torch.zeros_like(weight) for name, weight in moving.items()} for _ in range(2))
    # Warm-up over 2 of 5 steps, as the ceiling of 0.3 x 5 says, then down to 0: the first step does not move.
    for step, rate in enumerate((0.0, 0.5, 1.0, 2 / 3, 1 / 3), 1):
        model.zero_grad()
        model(**batch).loss.backward()
        norm = torch.sqrt(sum((w.grad**2).sum() for w in moving.values()))
        with torch.no_grad():
            for name, weight in moving.items():
                gradient = weight.grad * min(1.0, 1.0 / float(norm + 1e-6))
                first[name] = 0.9 * first[name] + 0.1 * gradient
                second[name] = 0.999 * second[name] + 0.001 * gradient**2
                decay = 0.0 if name.endswith("bias") or "LayerNorm" in name else 0.01
                size = torch.sqrt(second[name] / (1 - 0.999**step)) + 1e-6
                weight -= 1e-3 * rate * (decay * weight + first[name] / (1 - 0.9**step) / size)
    ended = weights(run.checkpoint(5))
    apart, moved = (sum(float(((ended[n] - w[n].detach()) ** 2).sum()) for n in start) for w in (moving, start))
    assert moved > 0
    assert (apart / moved) ** 0.5 < 3e-4


@pytest.mark.parametrize(("kind", "k"), [("truncate", 6), ("reinit", 0)])
def test_removing_or_renewing_nothing_is_the_plain_run(trained: Trained, kind: str, k: int) -> None:
    assert differing(trained(kind, k).checkpoint(4), trained("freeze", 0).checkpoint(4)) == set()


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bits(
    trained: Trained, sentences: Files, tmp_path: Path
) -> None:
    plan = sentences.plan("freeze", [3], tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(plan, Interrupted(3))
    (run,) = plan.runs
    assert run.written() == (0, 2)
    counting = Counting()
    (outcome,) = train(plan, counting)
    assert (outcome.status, counting.steps) == ("trained", [3, 4])
    assert differing(run.checkpoint(4), trained("freeze", 3).checkpoint(4)) == set()
    assert not (tmp_path / ".unfinished").exists()


def test_what_is_there_is_not_trained_again(trained: Trained, sentences: Files) -> None:
    run = trained("freeze", 3)
    before = run.checkpoint(4).stat().st_mtime_ns
    counting = Counting()
    (outcome,) = train(sentences.plan("freeze", [3], run.out), counting)
    assert (outcome.status, counting.steps) == ("present", [])
    assert outcome.metrics["eval_accuracy"] == history(run.checkpoint(4)).metrics["eval_accuracy"]
    assert run.checkpoint(4).stat().st_mtime_ns == before


def test_a_run_that_was_made_in_another_way_is_refused(trained: Trained, sentences: Files) -> None:
    out = trained("freeze", 3).out
    other = type(QUICK)(**{**vars(QUICK), "learning_rate": 5e-4})
    with pytest.raises(BertdynError, match=r"was made with learning_rate 0\.001, not 0\.0005"):
        sentences.plan("freeze", [3], out, other)


def test_a_failing_run_does_not_stop_the_others(sentences: Files, tmp_path: Path) -> None:
    plan = sentences.plan("truncate", [1, 2], tmp_path)
    broken, fine = plan.runs
    broken.folder.parent.mkdir(parents=True)
    broken.folder.write_text("not a folder")
    first, second = train(plan, Silent())
    assert (first.status, second.status) == ("failed", "trained")
    assert "cannot be written: " in first.reason
    assert str(broken.folder) in first.reason
    assert fine.written() == (0, 2, 4)


def test_a_run_is_written_as_the_trainer_writes_it(trained: Trained) -> None:
    run = trained("freeze", 3)
    assert run.folder == run.out / "t+freeze-3" / "seed-1"
    assert run.written() == (0, 2, 4)
    for step in run.written():
        folder = run.checkpoint(step)
        told = history(folder)
        assert (told.step, told.note) == (step, "")
        assert set(told.metrics) >= {"eval_accuracy", "eval_f1", "eval_loss"}
        assert {entry["step"] for entry in told.log if entry["name"] == "eval_loss"} == set(range(0, step + 1, 2))
        assert (told.loss is None) is (step == 0)
        assert not list(folder.glob("optimizer*"))
    config = transformers.AutoConfig.from_pretrained(run.checkpoint(4))
    assert config.architectures == ["BertForSequenceClassification"]
    assert list(config.id2label.values()) == ["garden", "kitchen", "school", "sport", "theatre", "travel"]
    note = json.loads((run.folder / "run.json").read_text())
    assert (note["kind"], note["k"]) == ("freeze", 3)
    assert (note["pooler"], note["frozen_dropout"], note["learning_rate"]) == ("fresh", True, 1e-3)


def test_runs_start_from_the_same_classifier(trained: Trained) -> None:
    """So that what differs between k and k' is the layers alone."""
    one, other = (weights(run.checkpoint(0)) for run in (trained("freeze", 0), trained("freeze", 3)))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("classes", [4, 3], ids=["every class occurs", "one is only predicted"])
def test_metrics_are_those_of_scikit_learn(classes: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    gold, guess = rng.integers(0, 4, (2, 30, 5))
    gold %= classes
    gold[rng.random(gold.shape) < 0.3] = -100
    there = gold != -100
    told = pytest.importorskip("explorer.training.fine_tune").metrics(guess, gold)  # Trainer takes seconds to import
    assert told["accuracy"] == pytest.approx(sklearn.accuracy_score(gold[there], guess[there]))
    assert told["f1"] == pytest.approx(sklearn.f1_score(gold[there], guess[there], average="macro"))


def test_words_are_tagged(words: Files, tmp_path: Path) -> None:
    run = finished(words.plan("truncate", [2], tmp_path, label="upos"))
    config = transformers.AutoConfig.from_pretrained(run.checkpoint(4))
    assert config.architectures == ["BertForTokenClassification"]
    assert config.num_hidden_layers == 2
    assert "NOUN" in config.id2label.values()
    losses = [entry["value"] for entry in history(run.checkpoint(4)).log if entry["name"] == "eval_loss"]
    assert losses[-1] < losses[0]


@pytest.mark.on_demand
@pytest.mark.parametrize("after", [1, 2, 4])
def test_an_interruption_at_any_step_changes_nothing(
    trained: Trained, sentences: Files, tmp_path: Path, after: int
) -> None:
    plan = sentences.plan("freeze", [0], tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(plan, Interrupted(after))
    (outcome,) = train(plan, Silent())
    assert differing(outcome.run.checkpoint(4), trained("freeze", 0).checkpoint(4)) == set()


@pytest.mark.on_demand
def test_the_topic_is_learnt_with_layers_frozen(tmp_path: Path) -> None:
    """The top layers alone learn a task of which the tiny BERT knows nothing."""
    from explorer.demo import texts
    from explorer.demo.recipe import TASKS

    task = TASKS[0]
    made = files(tmp_path, task)
    made.train.write_text(texts.to_tsv(task.training(3200)))
    settings = type(QUICK)(max_steps=100, batch_size=32, learning_rate=1e-3)
    run = finished(made.plan("freeze", [3], tmp_path, settings))
    metrics = [history(run.checkpoint(step)).metrics["eval_loss"] for step in run.written()]
    assert metrics[-1] < 0.9 * metrics[0]
