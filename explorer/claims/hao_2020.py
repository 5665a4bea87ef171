"""Claims of Hao, Dong, Wei and Xu 2020 (AACL), on attentions (JS divergence) and representations (SVCCA)."""

from __future__ import annotations

from statistics import fmean

from explorer.claims.arithmetic import crossing, ordering, thirds
from explorer.claims.claim import TEXTS, Claim
from explorer.claims.evidence import Evidence, Need, Run, by_layer, per_pair, per_seed
from explorer.claims.verdict import POSITIVE, Bound, Part, Sample, UndecidableError
from explorer.measures.registry import get

PAPER = "Hao et al. 2020"
JS, SVCCA = Need("js"), Need("svcca")
SEEDS = Need("svcca", against="seeds")
JS_COURSE, SVCCA_COURSE = Need("js", every_step=True), Need("svcca", every_step=True)
EARLY, ALIKE = 1 / 3, 0.8


def rise(lower: float, middle: float, upper: float) -> float:
    """Return the smaller of the two rises from third to third."""
    return min(middle - lower, upper - middle)


def js_rise(evidence: Evidence, run: Run) -> float:
    """Return the smaller rise of the JS divergence from third to third of the layers, in bits."""
    return rise(*thirds(by_layer(evidence, JS, run, run.layers), run.layers))


def depth_of_half(values: dict[int, float]) -> float:
    """Return the layer, interpolated, where half of the largest value is first reached."""
    layers = sorted(values)
    return crossing(layers, [values[n] for n in layers], max(values.values()) / 2)[0]


def depth_gap(evidence: Evidence, run: Run) -> float:
    """Return by how many layers SVCCA reaches half of its largest value before JS does."""
    js, svcca = (depth_of_half(by_layer(evidence, need, run, run.layers)) for need in (JS, SVCCA))
    return js - svcca


def shape(evidence: Evidence, a: Run, b: Run) -> float:
    """Return the smaller rank correlation over layers of two seeds' values: of their SVCCA and their JS."""
    found = []
    for need in (SVCCA, JS):
        ours, theirs = (by_layer(evidence, need, run, run.layers) for run in (a, b))
        found.append(ordering((ours[n], theirs[n]) for n in ours.keys() & theirs.keys()))
    return min(found)


def apart(evidence: Evidence, a: Run, b: Run) -> float:
    """Return the mean distance of two seeds in the upper third of the layers, minus that in the lower third."""
    if a.last != b.last:
        raise UndecidableError(f"the last steps of seeds {a.seed} and {b.seed} differ: {a.last} and {b.last}")
    rows = [
        r
        for one, other in ((a, b), (b, a))
        for r in evidence.found(SEEDS, one)
        if r.ref_seed == other.seed and r.layer is not None and r.value is not None
    ]
    values = {r.layer: r.value for r in rows}
    if not set(range(a.layers + 1)) <= values.keys():
        raise evidence.lack(SEEDS, b)
    lower, _, upper = thirds(values, a.layers)  # type: ignore[arg-type]
    return upper - lower


def half_time(need: Need) -> Part:
    """Return the part that asks when half of the final change was reached, as a share of the steps."""
    title = get(need.measure).title

    def reached(evidence: Evidence, run: Run) -> Sample:
        steps = [p.step for p in run.points if p.step > 0]
        values = [fmean(by_layer(evidence, need, run, run.layers, step).values()) for step in steps]
        if len(steps) < 2 or values[-1] <= get(need.measure).floor:
            raise UndecidableError("half of the change needs two checkpoints after step 0, and a change")
        at, before, after = crossing([0, *steps], [0.0, *values], values[-1] / 2)
        if before <= EARLY * run.last < after:
            raise UndecidableError(
                f"half of the final {title} is reached between steps {before} and {after}, and a third of the steps "
                f"({EARLY * run.last:.0f}) lies between them: keep more early checkpoints"
            )
        return Sample(at / run.last)

    return Part(f"share of the steps until half of the final {title}", Bound(high=EARLY), per_seed(reached))


CLAIMS = (
    Claim(
        "A1",
        "Fine-tuning mainly changes the attention of the last layers.",
        PAPER,
        "abstract",
        "JS divergence from the pre-trained model at the last step, mean over each third of the layers: it rises from "
        "the lower to the middle and from the middle to the upper third.",
        TEXTS,
        (Part("smaller rise of JS from third to third, bits", POSITIVE, per_seed(js_rise)),),
        (JS,),
    ),
    Claim(
        "A2",
        "Fine-tuning changes the representations of the intermediate and last layers: their change begins in lower "
        "layers than that of the attention.",
        PAPER,
        "abstract",
        "At the last step, the SVCCA distance from the pre-trained model reaches half of its largest value in a lower "
        "layer (interpolated) than the JS divergence does.",
        TEXTS,
        (Part("layers by which SVCCA reaches its half before JS", POSITIVE, per_seed(depth_gap)),),
        (JS, SVCCA),
    ),
    Claim(
        "A3",
        "Seeds agree in how much each layer changes, but end in different representations, most in the last layers.",
        PAPER,
        "consistency of random seeds",
        "Between any two seeds, the rank correlation over layers of both SVCCA and JS from the pre-trained model is at "
        "least 0.8 (ours), and the SVCCA distance of the two seeds is larger in the upper than in the lower third. The "
        "abstract does not say the direction: this is what we infer.",
        TEXTS,
        (
            Part("rank correlation of two seeds' layers", Bound(low=ALIKE), per_pair(shape)),
            Part("distance of seeds, upper minus lower third", POSITIVE, per_pair(apart)),
        ),
        (SVCCA, JS, SEEDS),
    ),
    Claim(
        "A4",
        "Most of the change happens early in training.",
        PAPER,
        "remembered, not confirmed",
        "Half of the final change (mean over layers, SVCCA and JS) is reached within the first third of the steps "
        "(ours).",
        TEXTS,
        (half_time(SVCCA_COURSE), half_time(JS_COURSE)),
        (SVCCA_COURSE, JS_COURSE),
    ),
)
