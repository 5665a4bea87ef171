"""Each claim holds on rows made so, fails on others, and cannot be said on a third kind; numbers in closed form."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from explorer.claims import hao_2019, hao_2020, merchant_2020, zhou_2022
from explorer.claims.evidence import Evidence, Run, Scope
from explorer.claims.registry import CLAIMS
from explorer.claims.verdict import FAILS, HOLDS, OPEN
from store.outputs import Classes
from tests.explorer.claims.made import SPANS, WORDS, evidence, layered, row, run

BY_ID = {claim.id: claim for claim in CLAIMS}
ONE, TWO = run("1"), run("2")
RISING, LEVEL = (0.1, 0.1, 0.2, 0.2, 0.4, 0.4), (0.2, 0.2, 0.2, 0.2, 0.1, 0.1)
Case = tuple[str, str, Evidence, "float | None", str]
"""Claim, verdict, evidence, value of the statistic, words in the reason."""


def a1() -> list[Case]:
    need = hao_2020.JS
    both = [*layered(need, ONE, RISING), *layered(need, TWO, [2 * v for v in RISING])]
    split = [*layered(need, ONE, RISING), *layered(need, TWO, LEVEL)]
    return [
        ("A1", HOLDS, evidence([ONE, TWO], {need: both}), 0.15, ""),  # thirds .1 .2 .4: 0.1 and, doubled, 0.2
        ("A1", FAILS, evidence([ONE], {need: layered(need, ONE, LEVEL)}), -0.1, "seed 1 alone"),
        ("A1", OPEN, evidence([ONE, TWO], {need: split}), 0.0, "seeds disagree"),
        ("A1", OPEN, evidence([ONE], {need: []}), None, "not computed: js of sst2, seed 1"),
        ("A1", OPEN, evidence([run(layers=2)], {need: layered(need, ONE, (1, 2))}), None, "no thirds"),
    ]


def a2() -> list[Case]:
    js, svcca = hao_2020.JS, hao_2020.SVCCA
    early = layered(svcca, ONE, (0, 1, 2, 3, 4, 4, 4), 0)  # half of 4 at layer 2
    late = layered(svcca, ONE, (0, 0, 0, 0, 0, 0, 4), 0)  # half of 4 at 5.5
    steps = layered(js, ONE, (0, 0, 0, 1, 2, 4))  # half of 4 at layer 5
    return [
        ("A2", HOLDS, evidence([ONE], {js: steps, svcca: early}), 3.0, ""),
        ("A2", FAILS, evidence([ONE], {js: steps, svcca: late}), -0.5, ""),
        ("A2", OPEN, evidence([ONE], {js: steps, svcca: early[1:]}), None, "not computed: svcca"),
    ]


def a3() -> list[Case]:
    js, svcca, seeds = hao_2020.JS, hao_2020.SVCCA, hao_2020.SEEDS

    def given(second: tuple[float, ...], apart: tuple[float, ...]) -> Evidence:
        between = layered(seeds, TWO, apart, 0, ref_task="sst2", ref_seed="1", ref_step=40)
        whole = [*layered(svcca, ONE, range(7), 0), *layered(svcca, TWO, range(7), 0)]
        return evidence(
            [ONE, TWO],
            {js: [*layered(js, ONE, range(6)), *layered(js, TWO, second)], svcca: whole, seeds: between},
        )

    alike, other, grows, shrinks = (0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (0, 1, 1, 2, 2, 5, 5), (5, 5, 5, 2, 2, 1, 1)
    return [
        ("A3", HOLDS, given(alike, grows), 1.0, "upper minus lower third 4 holds"),
        ("A3", FAILS, given(other, grows), -1.0, ""),
        ("A3", FAILS, given(alike, shrinks), -4.0, ""),
        ("A3", OPEN, evidence([ONE], {js: [], svcca: [], seeds: []}), None, "one seed only"),
    ]


def a4() -> list[Case]:
    js, svcca = hao_2020.JS_COURSE, hao_2020.SVCCA_COURSE

    def course(*values: float, steps: tuple[int, ...] = (0, 10, 20, 100)) -> Evidence:
        of = run(steps=steps)
        there = [p.step for p in of.points[1:]]
        rows = {
            need: [
                r
                for step, value in zip(there, values, strict=True)
                for r in layered(need, of, [value] * (6 + (1 - first)), first, step=step)
            ]
            for need, first in ((js, 1), (svcca, 0))
        }
        return evidence([of], rows)

    return [
        ("A4", HOLDS, course(4.0, 6.0, 8.0), 0.1, ""),  # half of 8 at step 10
        ("A4", FAILS, course(1.0, 2.0, 3.0, 8.0, steps=(0, 20, 40, 60, 80)), 64 / 80, ""),
        ("A4", OPEN, course(1.0, 2.0, 8.0), None, "keep more early checkpoints"),  # between 20 and 100
        ("A4", OPEN, course(0.0, 0.0, 0.0), None, "and a change"),
    ]


def b1() -> list[Case]:
    own, made = hao_2019.CURVE, hao_2019.SCRATCH_CURVE
    scratch = run(variant="scratch", kind="scratch")

    def line(need, of, losses):
        places = [i / 2 for i in range(-1, -1 + len(losses))]
        return [row(need, of, v, axes=(("alpha", at),)) for at, v in zip(places, losses, strict=True)]

    falls, bump = (1.2, 1.0, 0.5, 0.0, 0.5, 1.0), (1.2, 1.0, 1.5, 0.0, 0.5, 1.0)  # width of falls: 0.5 to 1.5
    narrow, wide = (2.0, 1.0, 0.9, 0.0, 0.9, 1.0), (1.0, 1.0, 0.2, 0.0, 0.1, 1.0)
    both = [ONE, scratch]

    def given(ours, theirs):
        return evidence(both, {own: line(own, ONE, ours), made: line(made, scratch, theirs)})

    return [
        ("B1", HOLDS, given(falls, narrow), 0.0, "width of the solution"),
        ("B1", FAILS, given(bump, narrow), 0.5, ""),
        ("B1", FAILS, given(falls, wide), 1.0 - (1.5 + 4 / 9 / 2 - 0.5 + 3 / 8 / 2), ""),
        ("B1", OPEN, evidence([ONE], {own: line(own, ONE, falls), made: []}), None, "trained from scratch"),
        ("B1", OPEN, given(tuple(reversed(falls)), narrow), None, "does not fall"),
        ("B1", OPEN, given(falls[:3], narrow), None, "not computed: loss-curve"),  # without alpha 1
    ]


def b2() -> list[Case]:
    slow = run(variant="scratch", kind="scratch", losses=(1.0, 0.9, 0.8))
    quick, same = run(losses=(1.0, 0.6, 0.2)), run(losses=(1.0, 0.95, 0.9))
    return [
        ("B2", HOLDS, evidence([quick, slow], {}), 10 / 40, ""),  # 0.8 is half-way to 0.6 at step 20
        ("B2", FAILS, evidence([same, slow], {}), 1.0, ""),  # never reached in 40 steps
        ("B2", OPEN, evidence([quick], {}), None, "trained from scratch"),
        ("B2", OPEN, evidence([run(losses=(1.0,)), slow], {}), None, "not logged"),
    ]


def b3() -> list[Case]:
    need = hao_2019.ACCURACY

    def given(epochs: float | None, *values: float) -> Evidence:
        of = run(epochs=epochs)
        rows = [row(need, of, v, step=p.step) for p, v in zip(of.points, values, strict=False)]
        return evidence([of], {need: rows})

    return [
        ("B3", HOLDS, given(10, 0.5, 0.9, 0.895), 0.005, ""),
        ("B3", FAILS, given(10, 0.5, 0.9, 0.8), 0.1, ""),
        ("B3", OPEN, given(3, 0.5, 0.9, 0.9), None, "6 or more"),
        ("B3", OPEN, given(None, 0.5, 0.9, 0.9), None, "not logged"),
        ("B3", OPEN, given(10, 0.5), None, "not computed: output-accuracy"),
    ]


def b4() -> list[Case]:
    scope = Scope("sst2", "dev", "label", "train")

    def plane(need, values, corpus):
        at = {"ref_task": "sst2", "ref_variant": "", "ref_seed": "2", "ref_step": 40, "corpus": corpus}
        places = [(("beta", float(n)), ("alpha", 0.0)) for n in range(len(values))]
        return [row(need, ONE, v, axes=place, **at) for place, v in zip(places, values, strict=True)]

    def given(train, dev):
        rows = {}
        for need in (hao_2019.LOSSES, hao_2019.ERRORS):
            rows[need] = [*plane(need, train, "train"), *plane(need, dev, "dev")]
        return evidence([ONE], rows, scope)

    return [
        ("B4", HOLDS, given((1, 2, 3, 4, 5), (2, 4, 6, 8, 10)), 1.0, ""),
        ("B4", FAILS, given((1, 2, 3, 4, 5), (5, 4, 3, 2, 1)), -1.0, ""),
        ("B4", OPEN, given((1, 2, 3, 4, 5), ()), None, "not computed: loss-surface"),
        ("B4", OPEN, given((1, 2, 3), (1, 2, 3)), None, "3 places says nothing"),
    ]


def b5() -> list[Case]:
    need = hao_2019.ROLLBACK

    def given(*damages: float, of: Run = ONE) -> Evidence:
        thirds = zip(("lower", "middle", "upper"), damages, strict=False)
        return evidence([of], {need: [row(need, of, v, axes=(("part", name),)) for name, v in thirds]})

    return [
        ("B5", HOLDS, given(0.1, 0.2, 1.0), 0.1, "twice middle third, nats 0.6 holds"),
        ("B5", FAILS, given(0.3, 0.2, 1.0), -0.1, ""),
        ("B5", FAILS, given(0.1, 0.6, 1.0), -0.2, ""),
        ("B5", OPEN, given(0.1, 0.6), None, "not computed: rollback"),
        ("B5", HOLDS, given(0.1, 0.2, 1.0, of=run(layers=3)), 0.1, ""),
        ("B5", OPEN, given(0.1, 0.2, 1.0, of=run(layers=2)), None, "2 layers have no thirds"),
    ]


def c1() -> list[Case]:
    need = merchant_2020.PROBE
    before = layered(need, None, (0.5, 0.6, 0.9, 0.8, 0.7, 0.6, 0.5), 0)

    def given(best: float) -> Evidence:
        after = layered(need, ONE, (0.5, 0.6, 0.7, best, 0.7, 0.6, 0.1), 0)
        return evidence([ONE], {need: [*before, *after]})

    return [
        ("C1", HOLDS, given(0.88), -0.02, ""),
        ("C1", FAILS, given(0.8), -0.1, ""),
        ("C1", OPEN, evidence([ONE], {need: given(0.8).rows[need][7:]}), None, "probe of the pre-trained model"),
    ]


def c2() -> list[Case]:
    need = merchant_2020.RSA

    def given(*values: float) -> Evidence:
        return evidence([ONE], {need: layered(need, ONE, (1.0, *values), 0)})

    return [
        ("C2", HOLDS, given(0.9, 0.8, 0.7, 0.6, 0.5, 0.4), -1.0, "-0.2 holds"),
        ("C2", FAILS, given(0.4, 0.5, 0.6, 0.7, 0.8, 0.9), 1.0, ""),
        ("C2", OPEN, given(0.9, 0.8), None, "not computed: rsa"),
    ]


def _kinds(words, spans, sentences):
    """Twelve layers; values by our layers 6 to 12, all lower ones 1."""
    need, runs, rows = merchant_2020.RSA, [], []
    for task, classes, values in (("pos", WORDS, words), ("squad", SPANS, spans), ("sst2", None, sentences)):
        if values is not None:
            of = run("1", task, layers=12, **({"classes": classes} if classes else {}))
            runs.append(of)
            rows += layered(need, of, (*[1.0] * 6, *values), 0)
    return evidence(runs, {need: rows}, Scope(corpus="dev"))


def c3() -> list[Case]:
    sentences = (0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)
    spans = (0.9, 0.9, 0.9, 0.8, 0.8, 0.2, 0.1)
    words = (0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7)
    return [
        ("C3", HOLDS, _kinds(words, spans, sentences), -0.1, "-0.5 holds"),
        ("C3", FAILS, _kinds(spans, words, sentences), 0.2, ""),
        ("C3", OPEN, _kinds(words, None, sentences), None, "no task on spans"),
    ]


def c4() -> list[Case]:
    need, scope = merchant_2020.RSA, Scope("sst2", "dev", other="wiki")

    def given(near: float, far: float, **more: object) -> Evidence:
        rows = layered(need, ONE, [near] * 7, 0, **more)
        return evidence([ONE], {need: [*rows, *layered(need, ONE, [far] * 7, 0, corpus="wiki", **more)]}, scope)

    # Each interval is 0.1 wide to either side; that of the gap is the root of 0.02.
    wide = {"interval_low": 0.4, "interval_high": 0.6}
    return [
        ("C4", HOLDS, given(0.5, 0.8), -0.3, ""),
        ("C4", FAILS, given(0.8, 0.5), 0.3, ""),
        ("C4", OPEN, given(0.5, 0.5, **wide), 0.0, "its interval contains the bound"),
        ("C4", OPEN, evidence([ONE], {need: layered(need, ONE, [0.5] * 7, 0)}, scope), None, "not computed: rsa"),
    ]


def c5() -> list[Case]:
    def runs(task: str, classes: Classes, frozen: float):
        whole = run("1", task, classes=classes, accuracy=0.8)
        return [whole, run("1", task, variant="freeze-3", kind="freeze", k=3, classes=classes, accuracy=frozen)]

    words, spans, sentences = (
        runs(*a) for a in (("pos", WORDS, 0.2), ("squad", SPANS, 0.4), ("sst2", HERE_CLASSES, 0.6))
    )
    # Plain runs of another making, far better, must not count where runs with 0 frozen layers do.
    alike = [
        run("1", of.task, variant="freeze-0", kind="freeze", k=0, classes=of.classes, accuracy=0.8)
        for of in (words[0], spans[0], sentences[0])
    ]
    better = [run("1", of.task, classes=of.classes, accuracy=1.0) for of in (words[0], sentences[0])]
    frozen = [each[1] for each in (words, spans, sentences)]
    swapped = [*runs("pos", WORDS, 0.6), *runs("sst2", HERE_CLASSES, 0.2), *spans]
    return [
        ("C5", HOLDS, evidence([*words, *spans, *sentences], {}, Scope()), 0.5, ""),  # 0.75 - 0.25
        ("C5", HOLDS, evidence([*better, *alike, *frozen], {}, Scope()), 0.5, ""),
        ("C5", FAILS, evidence(swapped, {}, Scope()), -0.5, ""),
        ("C5", OPEN, evidence([*words, *sentences], {}, Scope()), None, "no task on spans"),
    ]


HERE_CLASSES = run().classes


def c6() -> list[Case]:
    need = merchant_2020.RSA
    mnli = Classes("sequence", ("entailment", "neutral", "contradiction"), "single_label_classification")
    of = run(layers=12, classes=mnli)

    def given(value: float) -> Evidence:
        return evidence([of], {need: layered(need, of, [*[1.0] * 11, value, 0.3], 0)})

    return [
        ("C6", HOLDS, given(0.85), 0.85, ""),
        ("C6", FAILS, given(0.7), 0.7, ""),
        ("C6", OPEN, evidence([of], {need: []}), None, "not computed: rsa"),
    ]


def _before_and_after(id: str, need, good: tuple[float, float], bad: tuple[float, float]) -> list[Case]:
    def given(before: float, after: float, **more: object) -> Evidence:
        return evidence(
            [ONE], {need: [row(need, None, before, layer=6, **more), row(need, ONE, after, layer=6, **more)]}
        )

    return [
        (id, HOLDS, given(*good), good[1] - good[0], ""),
        (id, FAILS, given(*bad), bad[1] - bad[0], ""),
        (id, OPEN, evidence([ONE], {need: [row(need, ONE, 1.0, layer=6)]}), None, "of the pre-trained model"),
        (id, OPEN, evidence([ONE], {need: [row(need, ONE, None, layer=6, reason="too few")]}), None, "too few"),
    ]


def d1() -> list[Case]:
    return _before_and_after("D1", zhou_2022.PROBE, (0.7, 0.9), (0.9, 0.7))


def d2() -> list[Case]:
    need = zhou_2022.CLUSTERS

    def given(trivial: int) -> Evidence:
        said = {
            "layer": 6,
            "reason": f"everything separates in {trivial} of 3 pairs: too few points for the width",
            "details": json.dumps({"pairs": 3, "pairs_vacuous": trivial}),
        }
        return evidence([ONE], {need: [row(need, None, 5.0, **said), row(need, ONE, 3.0, **said)]})

    return [
        *_before_and_after("D2", need, (5.0, 2.0), (2.0, 5.0)),
        ("D2", OPEN, given(3), None, "says nothing here"),
        ("D2", HOLDS, given(2), -2.0, "everything separates in 2 of 3 pairs"),  # the third pair can tell
    ]


def d3() -> list[Case]:
    return _before_and_after("D3", zhou_2022.SPLITS, (0.9, 0.7), (0.7, 0.9))


def d4() -> list[Case]:
    distances, probe = zhou_2022.DISTANCES, zhou_2022.PROBE
    pos, mrpc = run("1", "pos"), run("1", "mrpc")
    runs = [run("1", "a"), mrpc, pos, ONE]

    def given(*moved: float, follow: float = 1.0) -> Evidence:
        moves = [row(distances, of, v, layer=6) for of, v in zip(runs, moved, strict=True)]
        probes = [row(probe, of, 0.5 + follow * v / 100, layer=6) for of, v in zip(runs, moved, strict=True)]
        return evidence(runs, {distances: moves, probe: [row(probe, None, 0.5, layer=6), *probes]})

    alone = evidence([ONE], {distances: [row(distances, ONE, 3.0, layer=6)], probe: []})
    return [
        ("D4", HOLDS, given(-2, 1, 2, 5), 5.0, "of other tasks 3 holds"),
        ("D4", FAILS, given(-2, 1, 2, -3), -3.0, ""),
        ("D4", FAILS, given(-2, 1, 6, 5), -1.0, ""),
        ("D4", FAILS, given(-2, 1, 2, 5, follow=-1.0), -1.0, ""),
        ("D4", OPEN, alone, None, "no other task"),
    ]


def d5() -> list[Case]:
    need = zhou_2022.LAYOUT

    def given(*values: float | None) -> Evidence:
        return evidence([ONE], {need: layered(need, ONE, (1.0, *values), 0, reason="1 pair of labels")})

    return [
        ("D5", HOLDS, given(0.95, 0.9, 0.85, 0.8, 0.7, 0.6), -1.0, "smallest similarity 0.6 holds"),
        ("D5", FAILS, given(0.95, 0.9, 0.85, 0.8, 0.7, 0.4), 0.4, ""),
        ("D5", FAILS, given(0.6, 0.7, 0.8, 0.85, 0.9, 0.95), 1.0, ""),
        ("D5", OPEN, given(*[None] * 6), None, "1 pair of labels"),
    ]


def d6() -> list[Case]:
    need = zhou_2022.MOVEMENT

    def given(*values: float) -> Evidence:
        return evidence([ONE], {need: layered(need, ONE, (9.0, *values), 0)})

    return [
        ("D6", HOLDS, given(1, 2, 3, 4, 5, 6), 1.0, ""),
        ("D6", HOLDS, given(1, 2, 3, 4, 6, 5), 1 - 6 * 2 / (6 * 35), ""),  # 1 - 6 sum d^2 / n (n^2 - 1)
        ("D6", FAILS, given(6, 5, 4, 3, 2, 1), -1.0, ""),
        ("D6", OPEN, given(1, 2), None, "not computed: centroid-movement"),
    ]


MAKERS: tuple[Callable[[], list[Case]], ...] = (
    a1, a2, a3, a4, b1, b2, b3, b4, b5, c1, c2, c3, c4, c5, c6, d1, d2, d3, d4, d5, d6,
)  # fmt: skip
CASES = [case for make in MAKERS for case in make()]


@pytest.mark.parametrize(
    ("id", "verdict", "given", "value", "why"), CASES, ids=[f"{c[0]} {c[1]} {c[4]}" for c in CASES]
)
def test_the_verdict_and_its_number(id: str, verdict: str, given: Evidence, value: float | None, why: str):
    found = BY_ID[id].judge(given)
    assert found.verdict == verdict, found
    assert found.value == (None if value is None else pytest.approx(value, abs=1e-12)), found
    assert why in found.why


@pytest.mark.parametrize("id", sorted(BY_ID))
def test_every_claim_is_tried_where_it_holds_fails_and_cannot_be_said(id: str):
    assert {case[1] for case in CASES if case[0] == id} == {HOLDS, FAILS, OPEN}


def test_every_claim_of_the_four_papers_is_declared_once():
    numbers = {"A": 4, "B": 5, "C": 6, "D": 6}
    assert list(BY_ID) == [f"{paper}{n}" for paper, most in numbers.items() for n in range(1, most + 1)]
    assert len(CLAIMS) == len(BY_ID)


def test_the_interval_is_the_range_over_seeds_and_says_its_confidence():
    need = hao_2020.JS
    seeds = [run(str(n)) for n in range(1, 6)]
    rows = [r for n, of in enumerate(seeds, 1) for r in layered(need, of, [n * v for v in RISING])]
    found = BY_ID["A1"].judge(evidence(seeds, {need: rows}))
    assert (found.low, found.value, found.high, found.n) == pytest.approx((0.1, 0.3, 0.5, 5))
    assert "5 seeds" in found.over
    assert "94 %" in found.over  # 1 - 2^-4


def test_the_interval_of_a_gap_adds_the_variances_of_both_corpora():
    need, scope = merchant_2020.RSA, Scope("sst2", "dev", other="wiki")
    near = layered(need, ONE, [0.5] * 7, 0, interval_low=0.47, interval_high=0.53)
    far = layered(need, ONE, [0.8] * 7, 0, corpus="wiki", interval_low=0.76, interval_high=0.84)
    found = BY_ID["C4"].judge(evidence([ONE], {need: [*near, *far]}, scope))
    assert (found.low, found.high) == pytest.approx((-0.35, -0.25))  # 0.05 from 0.03 and 0.04
    assert found.verdict == HOLDS


def test_a_seed_without_values_is_told_and_the_others_decide():
    need = hao_2020.JS
    found = BY_ID["A1"].judge(evidence([ONE, TWO], {need: layered(need, ONE, RISING)}))
    assert (found.verdict, found.n) == (HOLDS, 1)
    assert "not computed: js of sst2, seed 2" in found.why
    assert [(lack.seed, lack.step) for lack in found.lacking] == [("2", 40)]


def test_a_warning_of_the_measure_is_told():
    need = zhou_2022.SPLITS
    rows = [row(need, of, v, layer=6, reason="few points") for of, v in ((None, 0.9), (ONE, 0.7))]
    assert "split-similarity: few points" in BY_ID["D3"].judge(evidence([ONE], {need: rows})).why


def test_the_warning_of_the_lowest_layer_is_told_whatever_the_order_of_the_rows():
    need = hao_2020.JS
    rows = [r._replace(reason=f"few points in layer {r.layer}") for r in layered(need, ONE, RISING)]
    for given in (rows, rows[::-1]):
        assert "js: few points in layer 1 (and 5 more" in BY_ID["A1"].judge(evidence([ONE], {need: given})).why


def test_values_that_are_missing_beside_others_are_asked_for_with_the_same_sample():
    need = hao_2019.ROLLBACK
    assert need.free == ("map",)
    thirds = zip(("lower", "middle", "upper"), (0.1, 0.2, 1.0), strict=True)
    rows = [row(need, ONE, v, axes=(("part", part),), parameters='{"map":"0=negative"}') for part, v in thirds]
    (lack,) = BY_ID["B5"].judge(evidence([ONE, TWO], {need: rows})).lacking
    assert (lack.seed, lack.chosen) == ("2", (("map", "0=negative"),))


def test_runs_with_frozen_layers_are_asked_for_without_numbers_that_the_model_may_lack():
    (lack,) = BY_ID["C5"].judge(evidence([run("1", "pos", classes=WORDS)], {}, Scope())).lacking
    assert lack.making.startswith("ablate freeze ")
    assert "--k" not in lack.making
