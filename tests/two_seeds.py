"""Two seeds of one small classifier along three steps, with their pre-trained model, extracted on seven sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from explorer.compute.protocol import Outcome, Update
from explorer.compute.run import compute
from explorer.measures.registry import get
from explorer.selection import Question, Selection, ask_store
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.store import Store
from tests.pools import here
from tests.store.extract import models

STEPS = (0, 10, 20)
SEEDS = ("1", "2")


def make_two_seeds(root: Path) -> Path:
    """Write checkpoints, ``runs/t/seed-N/checkpoint-STEP``, and extract them; the store's path."""
    for seed in SEEDS:
        for step in STEPS:
            folder = root / "runs" / "t" / f"seed-{seed}" / f"checkpoint-{step}"
            models.save(folder, seed=100 * int(seed) + step, task="SequenceClassification", num_labels=2)
            models.trained(folder, step)
    base = models.save(root / "base", seed=99, head=False)
    text = models.corpus_file(root)
    report = extract(
        root / "s.bertdyn",
        [root / "runs"],
        {"dev": text, "train": text},
        ExtractOptions(reference=str(base), attentions=False),
    )
    assert report.exit_code == 0, report
    return root / "s.bertdyn"


def asked(store: Store, measure: str, corpus: str = "dev", **choices: object) -> Question:
    """Ask for a landscape of task t: ``seeds``, ``steps`` and ``against`` select, all else is a parameter."""
    selecting: dict[str, object] = {
        name: choices.pop(name) for name in ("seeds", "steps", "against") if name in choices
    }
    return ask_store(store, selected(measure, corpus, choices, **selecting))


def selected(measure: str, corpus: str, parameters: Mapping[str, object], **selecting: object) -> Selection:
    """The selection of a landscape."""
    on = corpus if get(measure).on_corpus else ""
    return Selection(measure, on, tasks=("t",), parameters=tuple(parameters.items()), **selecting)  # type: ignore[arg-type]


def computed(store: Store, question: Question, progress: Callable[[Update], None] = lambda update: None) -> Outcome:
    """Compute in this process."""
    return compute(store, [question], progress, workers=1, device="cpu", executor=here)
