"""Is ablation what the runs logged, at the places that their folders name, and one picture per task?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

import pytest

from explorer.answers import ablated
from explorer.answers.ablated import of_variants
from explorer.answers.findings import Door, figure
from explorer.answers.look import Look
from explorer.compute.plan import coverage
from explorer.compute.run import compute
from explorer.selection import Selection, ask_store
from explorer.selection.stored import tables_of_measures
from explorer.views.base import PLAIN, View
from explorer.views.kinds import VIEWS
from store.errors import BertdynError
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.store import Store
from tests.pools import here


class Made(NamedTuple):
    """How a run was made."""

    variant: str
    kind: str = ""
    k: int | None = None


RUNS = (
    Made(""),
    *(Made(f"freeze-{k}", "freeze", k) for k in range(3)),
    Made("no top", "truncate", 1),  # neither kind nor number is in its name
    Made("truncate-9", "truncate", 2),  # its name lies
    Made("scratch", "scratch"),
    Made("freeze-7"),  # of unknown origin
)
SEEDS, STEPS = ("1", "2"), (0, 40)


def accuracy(made: Made, seed: str, step: int) -> float:
    return 0.5 + (9 - (made.k or 0) - len(made.kind)) * step / 1000 + int(seed) / 100


def add(store: Store, key: CheckpointKey, made: Made, metrics: Mapping[str, float], replace: bool = False) -> None:
    about = {"kind": made.kind, "k": made.k, "metrics": metrics, "weights_sha256": "0" * 64}
    assert store.register(key, layers=2, heads=2, width=4, attributes=about, replace=replace)


def make(path: Path) -> Store:
    """The runs of a task, the plain run of another, and the pre-trained model, which logged nothing."""
    store = Store.create(path)
    for made in RUNS:
        for seed in SEEDS:
            for step in STEPS:
                metrics = {"eval_accuracy": accuracy(made, seed, step), "eval_loss": 1.0 / (1 + step)}
                add(store, CheckpointKey("t", made.variant, seed, step), made, metrics)
    add(store, CheckpointKey.plain("other", "1", 80), Made(""), {"eval_accuracy": 0.75})
    add(store, PRETRAINED_KEY, Made(""), {})
    return store


def run(store: Store, **more: object) -> None:
    asked = ask_store(store, Selection("ablation", steps=None, **more))
    assert compute(store, [asked], workers=1, device="cpu", executor=here).ok


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = make(tmp_path_factory.mktemp("ablation") / "s.bertdyn")
    run(made)
    return made


def view(store: Store, name: str, part: str = "", step: int | None = None, **more: object) -> View:
    asked = ask_store(store, Selection("ablation", steps=None, **more))
    look = Look(part=part) if step is None else Look(part=part, step=step)
    return VIEWS[name].load(store, asked, look)


def test_each_run_lies_at_the_place_that_its_folder_names(store: Store) -> None:
    found = store.query(
        "select variant, k, kind, value from ablation where task = 't' and statistic = 'accuracy' and seed = '2' and "
        "step = 40 order by variant",
        measures=tables_of_measures(),
    ).rows
    expected = {made.variant: (made.k, made.kind or made.variant or None, accuracy(made, "2", 40)) for made in RUNS}
    assert {variant: (k, kind, pytest.approx(value)) for variant, k, kind, value in found} == expected
    assert store.query("select distinct statistic, unit from ablation order by all").rows == [
        ("accuracy", "share"), ("loss", "nats"),
    ]  # fmt: skip


def test_checkpoints_say_how_their_runs_were_made(store: Store) -> None:
    found = store.query("select distinct variant, kind, k from checkpoints where task = 't'").rows
    assert {(variant, kind, k) for variant, kind, k in found} == set(RUNS)
    assert {(c.key.variant, c.kind, c.k) for c in store.checkpoints() if c.key.task == "t"} == set(RUNS)


def test_a_line_per_kind_with_mean_and_spread_over_seeds_and_the_whole_model_beside(store: Store) -> None:
    shown = view(store, "profile", "head", tasks=("t",))
    columns, rows = shown.rows()
    found = {(row["line"], row["k"]): row for row in (dict(zip(columns, r, strict=True)) for r in rows)}
    placed = [made for made in RUNS if made.k is not None]
    assert found.keys() == {(made.kind, made.k) for made in placed}
    for made in placed:
        of = [accuracy(made, seed, 40) for seed in SEEDS]
        row = found[made.kind, made.k]
        assert (row["value"], row["sd"], row["seeds"]) == (pytest.approx(fmean(of)), pytest.approx(stdev(of)), 2)
        assert (row["task"], row["step"]) == ("t", 40)
    sheet = shown.sheet(PLAIN)
    assert sheet is not None
    chart = sheet.parts[0].chart.chart
    assert [one.label for one in chart.series] == ["freeze", "truncate"]
    level = {one.label: (one.dashed, set(one.y.tolist())) for one in chart.shared}
    for name, made in (("whole model", RUNS[0]), ("scratch", RUNS[-2]), ("freeze-7", RUNS[-1])):
        dashed, values = level[name]
        assert (dashed, len(values)) == (name == "whole model", 1)
        assert values.pop() == pytest.approx(fmean(accuracy(made, seed, 40) for seed in SEEDS))


def test_runs_of_other_lengths_stand_beside_each_other_at_their_last_steps(tmp_path: Path) -> None:
    made = make(tmp_path / "s.bertdyn")
    for variant, step in (("", 60), ("freeze-2", 50)):
        for seed in SEEDS:
            of = next(one for one in RUNS if one.variant == variant)
            add(made, CheckpointKey("t", variant, seed, step), of, {"eval_accuracy": step / 100 + int(seed) / 1000})
    run(made)
    shown = view(made, "profile", "head", tasks=("t",))
    assert "each run's last step" in shown.title
    columns, rows = shown.rows()
    found = {(row["line"], row["k"]): row for row in (dict(zip(columns, r, strict=True)) for r in rows)}
    assert found["freeze", 2]["value"] == pytest.approx(fmean(0.5 + int(seed) / 1000 for seed in SEEDS))
    one = next(one for one in RUNS if one.variant == "freeze-1")
    assert found["freeze", 1]["value"] == pytest.approx(fmean(accuracy(one, seed, 40) for seed in SEEDS))
    sheet = shown.sheet(PLAIN)
    assert sheet is not None
    (whole,) = (one for one in sheet.parts[0].chart.chart.shared if one.label == "whole model")
    assert whole.last == pytest.approx(fmean(0.6 + int(seed) / 1000 for seed in SEEDS))
    assert "step 40" in view(made, "profile", "head", step=40, tasks=("t",)).title
    (finding,) = of_variants(made, ask_store(made, Selection("ablation", steps=None)), ("t+freeze-1",), 3)
    said = {n.quantity: (n.step, n.value) for n in finding.numbers}
    assert said["freeze k 2"] == (50, pytest.approx(found["freeze", 2]["value"]))
    assert said["freeze k 1"][0] == 40


def test_the_level_line_is_drawn_and_named_without_a_cursor(store: Store) -> None:
    from explorer.render.palette import Depth, palette

    drawn = view(store, "profile", "head", tasks=("t",)).draw(100, 24, palette(Depth.NONE))
    text = "\n".join("".join(segment.text for segment in line) for line in drawn.lines)
    assert "whole model" in text
    assert "scratch" in text


def test_lines_of_steps_have_the_whole_model_of_their_step(store: Store) -> None:
    shown = view(store, "profile", tasks=("t",), axes=(("kind", "freeze"),))
    sheet = shown.sheet(PLAIN)
    assert sheet is not None
    for line, step in zip(sheet.parts[0].chart.chart.series, STEPS, strict=True):
        (beside,) = (one for one in line.companions if one.label == "whole model")
        assert beside.last == pytest.approx(fmean(accuracy(RUNS[0], seed, step) for seed in SEEDS))
        assert len(line.y) == 3


@pytest.mark.parametrize("name", ["curves", "heat", "heads", "seeds", "table"])
def test_other_pictures_show_the_variants_too(store: Store, name: str) -> None:
    shown = view(store, name, tasks=("t",))
    columns, rows = shown.rows()
    assert not shown.empty
    assert {row[columns.index("k")] for row in rows} >= {1, 2}


def test_a_task_stands_for_its_variants_and_a_variant_for_itself(store: Store) -> None:
    def count(*tasks: str) -> int:
        return coverage(store, ask_store(store, Selection("ablation", steps=None, tasks=tasks))).known

    each = len(SEEDS) * len(STEPS)
    assert (count("t"), count("t+no top"), count("t+freeze-0", "t+scratch")) == (len(RUNS) * each, each, 2 * each)
    shown = view(store, "profile", "head")  # of the first task in the order of names, which has no variants
    assert "other" in shown.title
    assert any("t is chosen too" in note for note in shown.notes)


def test_the_overview_does_not_call_values_without_a_layer_missing(store: Store) -> None:
    columns, rows = view(store, "overview", tasks=("t",)).rows()
    many = len(RUNS) * len(SEEDS) * len(STEPS)
    said = f"{many} of {many} values are computed, none of them the value of a layer"
    assert rows[0][columns.index("finding")].endswith(said)


def test_other_metrics_make_a_value_old(tmp_path: Path) -> None:
    made = make(tmp_path / "s.bertdyn")
    run(made)
    key = CheckpointKey("t", "freeze-1", "1", 40)
    asked = ask_store(made, Selection("ablation", steps=None))
    before = coverage(made, asked)
    assert before.missing == 0
    add(made, key, RUNS[2], {"eval_accuracy": 0.125}, replace=True)
    assert coverage(made, asked).missing == 1
    run(made)
    sql = "select value from ablation where variant = 'freeze-1' and seed = '1' and step = 40"
    assert made.query(sql).rows == [(0.125,)]


def test_checkpoints_without_metrics_are_refused_in_a_sentence(store: Store) -> None:
    with pytest.raises(BertdynError, match=r"ablation reads logged metrics.*trainer_state\.json"):
        run(store, tasks=("pretrained",))


def test_the_overview_says_each_kind_along_the_number_of_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path / "s.bertdyn")
    run(store)
    question = ask_store(store, Selection("ablation"))
    recipes = ("other", *(f"t+{made.variant}" for made in RUNS if made.variant))
    (finding,) = of_variants(store, question, recipes, 6)

    def said(kind: str) -> str:
        means = {m.k: fmean(accuracy(m, seed, 40) for seed in SEEDS) for m in RUNS if m.kind == kind}
        first, *others = (f"{figure(mean)} ({{}}{k})" for k, mean in means.items())
        return f"{kind} " + ", ".join([first.format("k "), *(other.format("") for other in others)])

    assert finding.subject == "t, ablation"
    assert finding.text == f"{said('freeze')}; {said('truncate')}"
    assert finding.door == Door("profile", "head", measure="ablation", tasks=("t",))
    assert [(n.quantity, n.step) for n in finding.numbers][:2] == [("freeze k 0", 40), ("freeze k 1", 40)]
    assert list(of_variants(store, question, ("other", "t"), 6)) == [], "no variants are chosen"
    monkeypatch.setattr(ablated, "MOST_PLACES", 2)
    (short,) = of_variants(store, question, recipes, 6)
    first, _, last = said("freeze").split(", ")
    assert short.text == f"{first}, {last}; {said('truncate')}"
    assert short.numbers == finding.numbers
