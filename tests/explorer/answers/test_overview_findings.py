"""Does the overview say what the stored numbers say, and nothing that they do not?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.answers import overview
from explorer.answers.changes import CHANCE, CHANGED, SEEDS_AGREE, TASKS_DIFFER, Change, of_measure
from explorer.answers.fetching import fetch_first, wanted_of
from explorer.answers.findings import COLUMNS, Findings, figure, listed, said
from explorer.answers.look import Look
from explorer.answers.training import Track, Training
from explorer.compute.run import compute
from explorer.measures.computation import Uncertainty
from explorer.measures.declaration import ATTENTION
from explorer.report.findings import findings as of_report
from explorer.selection import Question, Ranges, Selection, ask_store
from store.store import Store
from tests.explorer.views.samples import rows
from tests.pools import here
from tests.synthetic import make_store


def asked(store: Store, measure: str, **choices: object) -> Question:
    return ask_store(store, Selection(measure, "dev", **choices))  # type: ignore[arg-type]


def filled(store: Store, measure: str, trust: Uncertainty | None = None, **choices: object) -> Question:
    question = asked(store, measure, **choices)
    more = {} if trust is None else {"trust": trust}
    assert compute(store, [question], workers=1, device="cpu", executor=here, **more).ok  # type: ignore[arg-type]
    return question


def found(store: Store, question: Question) -> Findings:
    return overview.others(store, question, Look(), fetch_first(store, question))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = make_store(tmp_path_factory.mktemp("overview") / "s.bertdyn")
    for measure in ("svcca", "cka", "js"):
        filled(made, measure)
    return made


def values(store: Store, measure: str, task: str, step: int) -> dict[int, list[float]]:
    layers: dict[int, list[float]] = {}
    for r in store.results():
        if (r.measure, r.task, r.step, r.head, r.example, r.ref_task) == (
            measure,
            task,
            step,
            None,
            None,
            "pretrained",
        ):
            layers.setdefault(r.layer or 0, []).append(r.value or 0.0)
    return layers


def topic(findings: Findings, name: str) -> list[str]:
    return [f"{f.subject}: {f.text}" for f in findings.findings if f.topic == name]


def test_what_changed_names_the_layers_in_their_order_with_means_over_seeds(store: Store) -> None:
    findings = found(store, asked(store, "svcca"))
    for task in ("pos", "sst2"):
        (said,) = [text for text in topic(findings, CHANGED) if text.startswith(task)]
        means = {layer: fmean(v) for layer, v in values(store, "svcca", task, 40).items()}
        first, second, *_ = sorted(means, key=lambda layer: -means[layer])
        assert f"most in layer {first} ({figure(means[first])}" in said
        assert f"layer {second} ({figure(means[second])})" in said
        assert "seeds 1, 2" in said
    here = [n for f in findings.findings if f.topic == CHANGED for n in f.numbers]
    numbers = {(n.task, n.layer): n.value for n in here if n.quantity == "value"}
    assert numbers["pos", 3] == pytest.approx(fmean(values(store, "svcca", "pos", 40)[3]))


def test_seeds_agree_in_amount_and_what_two_seeds_differ_by_is_offered_then_said(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=("pos",))
    question = filled(made, "svcca")
    (finding,) = [f for f in found(made, question).findings if f.topic == SEEDS_AGREE]
    spread = stdev(values(made, "svcca", "pos", 40)[3])
    assert f"± {figure(spread)} (amount); seeds not compared with each other yet" in finding.text
    assert finding.price is not None
    assert "--against seeds" in finding.price.command(made.path)
    price = finding.price.question
    assert finding.price.values == len(wanted_of(made, price))
    assert compute(made, [price], workers=1, device="cpu", executor=here).ok
    (finding,) = [f for f in found(made, question).findings if f.topic == SEEDS_AGREE]
    between = [r.value for r in made.results() if r.ref_seed != "0" and r.seed != r.ref_seed and r.layer == 3]
    assert f"two seeds against each other {figure(fmean(v for v in between if v is not None))}" in finding.text
    change = fmean(values(made, "svcca", "pos", 40)[3])
    assert finding.warning is (fmean(v for v in between if v is not None) >= change)


def test_a_report_has_each_topic_once_and_nothing_that_only_opens_a_picture(store: Store) -> None:
    found_there = found(store, asked(store, "svcca")).findings
    (door,) = [f for f in found_there if f.only_opens]
    assert "the sentence whose attention moved most" in door.text
    told = of_report(store)
    topics = [topic for topic, _ in told]
    assert len(topics) == len(set(topics))
    want = [said(f) for f in found_there if not f.only_opens]
    on_dev = [text for topic, texts in told if not topic.endswith(")") or topic.endswith("(dev)") for text in texts]
    assert on_dev == want


def test_order_of_layers_is_spearmans_of_scipy(store: Store) -> None:
    findings = found(store, asked(store, "svcca"))
    (agree,) = [f for f in findings.findings if f.topic == overview.AGREE]
    mine = {layer: fmean(v) for layer, v in values(store, "svcca", "pos", 40).items()}
    other = {layer: 1 - fmean(v) for layer, v in values(store, "cka", "pos", 40).items()}
    want = spearmanr([mine[n] for n in sorted(mine)], [other[n] for n in sorted(mine)]).statistic
    (got,) = [n.value for n in agree.numbers if n.measure == "cka"]
    assert got == pytest.approx(want)
    tasks, _ = [f for f in findings.findings if f.topic == TASKS_DIFFER]
    second = {layer: fmean(v) for layer, v in values(store, "svcca", "sst2", 40).items()}
    want = spearmanr([mine[n] for n in sorted(mine)], [second[n] for n in sorted(mine)]).statistic
    assert [n.value for n in tasks.numbers] == [pytest.approx(want)]


def test_a_task_that_only_rounding_changed_has_no_order_of_layers() -> None:
    there = [
        rows(tasks=("pos",)),
        rows(tasks=("frozen",), value=lambda seed, layer, step, layers: layer * step * 1e-13),
    ]
    said = [finding.text for finding in of_measure(there) if finding.topic == TASKS_DIFFER]
    assert said
    assert not any("order of layers" in text for text in said)
    there[1] = rows(tasks=("frozen",))
    assert any("frozen +1.00" in f.text for f in of_measure(there) if f.topic == TASKS_DIFFER)


def test_two_tasks_are_compared_at_the_same_seed_and_step(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn")
    question = filled(made, "svcca")
    _, finding = [f for f in found(made, question).findings if f.topic == TASKS_DIFFER]
    assert finding.price is not None
    assert "--against task:sst2" in finding.price.command(made.path)
    assert finding.price.values == len(wanted_of(made, finding.price.question)) == 2 * 4, "two seeds, layers 0 to 3"
    assert compute(made, [finding.price.question], workers=1, device="cpu", executor=here).ok
    _, finding = [f for f in found(made, question).findings if f.topic == TASKS_DIFFER]
    apart = [r for r in made.results() if (r.task, r.ref_task) == ("pos", "sst2")]
    assert {(r.seed, r.step) for r in apart} == {("1", 40), ("2", 40)}
    assert all((r.seed, r.step) == (r.ref_seed, r.ref_step) for r in apart)
    top = int(finding.text.split()[1])
    assert figure(fmean(r.value or 0.0 for r in apart if r.layer == top)) in finding.text


def test_chance_is_offered_and_then_the_mean_of_the_draws(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=("pos",))
    question = filled(made, "svcca")
    (finding,) = [f for f in found(made, question).findings if f.topic == CHANCE]
    assert finding.price is not None
    assert finding.price.trust == Uncertainty(null=5)
    assert finding.price.values == 2 * 4, "two seeds, layers 0 to 3"
    assert "--null 5" in finding.price.command(made.path)
    filled(made, "svcca", Uncertainty(null=5), steps=Ranges.one(40))
    (finding,) = [f for f in found(made, question).findings if f.topic == CHANCE]
    nulls = [r.null_value for r in made.results() if r.null_value is not None and r.layer == 3 and r.step == 40]
    chance = fmean(nulls)
    share = fmean(values(made, "svcca", "pos", 40)[3]) / chance
    assert finding.text.startswith(f"{figure(share * chance)}, where chance is {figure(chance)}: ")
    assert f"{100 * share:.0f} % of the way from no change to chance" in finding.text
    assert finding.price is None


def test_heads_that_moved_most_are_those_of_the_rows(store: Store) -> None:
    findings = found(store, asked(store, "svcca"))
    texts = topic(findings, ATTENTION)
    heads = [r for r in store.results() if r.measure == "js" and r.task == "pos" and r.step == 40 and r.head]
    means: dict[tuple[int, int], list[float]] = {}
    for r in heads:
        means.setdefault((r.layer or 0, r.head or 0), []).append(r.value or 0.0)
    layer, head = max(means, key=lambda place: fmean(means[place]))
    assert f"layer {layer} head {head} moved most ({figure(fmean(means[layer, head]))} bits)" in texts[0]


def test_nothing_computed_is_said_with_its_price(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=("pos",))
    findings = found(made, asked(made, "svcca"))
    first = findings.findings[0]
    assert (first.topic, first.price is not None) == (CHANGED, True)
    assert "none is computed" in first.text
    assert any(f.topic == overview.TRAINING for f in findings.findings)


@pytest.mark.parametrize(
    ("accuracy", "losses", "text"),
    [
        ([np.nan, 0.5, 0.9], [np.nan, 2.0, 1.0],
         "accuracy 0.500 → 0.900 and training loss 2.000 → 1.000 from step 20 to 40"),
        ([0.1, 0.5, 0.9], [np.nan, 2.0, 1.0],
         "accuracy 0.100 → 0.900 from step 0 to 40; training loss 2.000 → 1.000 from step 20 to 40"),
        ([0.1, 0.5, np.nan], [4.0, 2.0, 1.0],
         "accuracy 0.100 → 0.500 from step 0 to 20; training loss 4.000 → 1.000 from step 0 to 40"),
    ],
)  # fmt: skip
def test_training_is_said_between_the_steps_that_logged_it(
    accuracy: list[float], losses: list[float], text: str
) -> None:
    tracks = (Track("eval_accuracy", np.array(accuracy)), Track("training loss", np.array(losses)))
    (finding,) = overview.of_training("pos", Training((0, 20, 40), tracks))
    assert finding.text == text
    assert [(n.quantity, n.step, n.value) for n in finding.numbers] == [
        (track.short, step, track.values[(0, 20, 40).index(step)])
        for track in tracks
        for step in np.array([0, 20, 40])[np.isfinite(track.values)][[0, -1]].tolist()
    ]


def test_rows_are_numbers_with_their_place(store: Store) -> None:
    table = found(store, asked(store, "svcca")).rows()
    assert {len(row) for row in table} == {len(COLUMNS)}
    assert all(row[8] is None or isinstance(row[8], float | int) for row in table)


def of_steps(series: dict[int, float]) -> Change:
    return Change(rows(tasks=("t",), layers=(1,), steps=tuple(series), value=lambda *place: series[place[2]]), "t")


@pytest.mark.parametrize(
    ("series", "half"),
    [
        ({0: 0.0, 20: 0.1, 40: 0.3, 60: 0.4}, 40),
        ({0: 0.0, 20: 0.2, 40: 0.4}, 20),
        ({0: 0.0, 20: 0.5, 40: 0.4}, 20),
        ({0: 0.8, 20: 0.7, 40: 0.2}, 40),
        ({0: 0.0, 40: 0.4}, 40),
        ({40: 0.4}, None),
        ({0: 0.3, 40: 0.3}, None),
    ],
)
def test_half_of_the_change_is_the_first_step_at_or_beyond_it(series: dict[int, float], half: int | None) -> None:
    assert of_steps(series).half(1) == half


def test_steps_that_lack_a_seed_make_no_half_and_seeds_without_values_are_not_named() -> None:
    series = {("1", 0): 0.0, ("1", 20): 0.3, ("1", 40): 0.4, ("2", 0): 0.0, ("2", 40): 0.0}

    def change(there: set[tuple[str, int]]) -> Change:
        return Change(
            rows(
                tasks=("t",), seeds=("1", "2"), layers=(1,), steps=(0, 20, 40),
                value=lambda seed, _layer, step, _layers: series.get((str(seed), step)),
                kept=lambda key, _layer: (key.seed, key.step) in there,
            ),
            "t",
        )  # fmt: skip

    assert change(set(series)).half(1) == 40, "at step 20 seed 1 alone is above half"
    assert change(set(series)).seeds == "seeds 1, 2"
    alone = change({place for place in series if place[0] == "1"})
    assert (alone.half(1), alone.seeds) == (20, "seed 1")
    behind = change({place for place in series if place != ("2", 40)})
    assert (behind.half(1), behind.seeds) == (20, "seed 1"), "seed 2 began, but has no value at the last step"
    said = [finding.text for finding in of_measure([behind.rows]) if finding.topic == SEEDS_AGREE]
    assert said == ["layer 1: only seed 1 has a value at step 40; seeds not compared with each other yet"]


@pytest.mark.parametrize(("layers", "said"), [((0, 1), "2 of 4 layers computed so far: "), ((0, 1, 2, 3), "")])
def test_layers_that_are_not_computed_yet_are_counted(layers: tuple[int, ...], said: str) -> None:
    there = rows(tasks=("t",), layers=range(4), steps=(0, 100), kept=lambda key, layer: layer in layers or not key.step)
    first = next(of_measure([there]))
    assert first.text.startswith(f"{said}most in layer {layers[-1]} (")
    refused = rows(tasks=("t",), layers=range(4), steps=(100,), value=lambda _seed, layer, *_: 0.1 if layer else None)
    assert next(of_measure([refused])).text.startswith("most in"), "layers without a value for a reason are computed"


def test_a_change_that_is_measured_on_too_little_is_not_claimed_without_a_word() -> None:
    def doubted(reason: str) -> tuple[str, bool]:
        sound = rows(tasks=("t",), layers=range(4), steps=(0, 100))
        found = next(of_measure([replace(sound, results=tuple(r._replace(reason=reason) for r in sound.results))]))
        return found.text.removeprefix(next(of_measure([sound])).text), found.warning

    assert doubted("few tokens: 854 for a width of 384; too small") == ("; unreliable: few tokens", True)
    assert doubted("") == ("", False)


def test_texts_of_numbers_and_lists() -> None:
    assert [figure(x) for x in (0.0, 0.12345, 0.00012345, 123.456, -0.5)] == [
        "0.000",
        "0.123",
        "0.000123",
        "123",
        "-0.500",
    ]
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdefg")) == "a, b, c, d and 3 more"


def test_a_task_without_values_is_named_with_the_price_of_them(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn")
    filled(made, "svcca", tasks=("sst2",))
    lacking, there = [f for f in found(made, asked(made, "svcca")).findings if f.topic == CHANGED]
    assert lacking.subject == "pos"
    assert there.subject.startswith("sst2")
    assert lacking.price is not None
    assert lacking.text == "none of 24 values is computed", "two seeds, three steps, four layers"
    assert lacking.price.values == len(wanted_of(made, lacking.price.question)) == 24
    assert compute(made, [lacking.price.question], workers=1, device="cpu", executor=here).ok
    assert topic(found(made, asked(made, "svcca")), CHANGED)[0].startswith("pos, seeds 1, 2: most in layer ")


def test_a_complete_task_has_no_price_whatever_the_others_lack(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn")
    filled(made, "svcca", tasks=("pos",))
    complete, lacking = [f for f in found(made, asked(made, "svcca")).findings if f.topic == CHANGED]
    assert (complete.subject, complete.price) == ("pos, seeds 1, 2", None)
    assert lacking.price is not None
    first = overview.first(fetch_first(made, asked(made, "svcca"))).findings[0]
    assert first.price is None, "also while the other tasks are being read"

    filled(made, "svcca", tasks=("sst2",), seeds=("1",))
    part = [f for f in found(made, asked(made, "svcca")).findings if f.topic == CHANGED][1]
    assert part.price is not None
    assert part.price.question.tasks == ("sst2",)
    assert part.price.values == 12, "seed 2: three steps, four layers"


def test_measures_agree_in_the_first_task_that_has_another_measure(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn")
    question = filled(made, "svcca")
    assert topic(found(made, question), overview.AGREE) == []
    filled(made, "cka", tasks=("sst2",))
    (said,) = topic(found(made, question), overview.AGREE)
    assert said.startswith("sst2: order of layers by svcca and by cka")
