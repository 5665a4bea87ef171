"""Parts that views of one example and of labels are made from, each from a formula."""

from dataclasses import replace

import numpy as np

from explorer.answers.example import ExampleData, Focus
from explorer.answers.rows import Rows
from explorer.measures.registry import get
from explorer.selection import Question
from explorer.selection.stored import cell_of
from store.keys import PRETRAINED_KEY, CheckpointKey
from tests.explorer.views.samples import result
from tests.oracle import js_bits

KEY = CheckpointKey.plain("sst2", "1", 40)
FOCUS = Focus("dev", KEY, PRETRAINED_KEY, 2, 1, 3)
SENTENCE = ["[CLS]", "a", "bad", "movie", "[SEP]"]
LABELS = ("ADJ", "NOUN", "VERB")
ALONE = {"measure": "clusters", **dict.fromkeys(("ref_task", "ref_variant", "ref_seed", "ref_step", "ref_layer"))}


def distance(a: int, b: int, step: int, seed: int = 1) -> float:
    return (a + 2 * b) * (1 + step / 100) + seed / 10


def label_rows(seeds=("1",), steps=(0, 20, 40), layers=(5, 6), labels=LABELS, changed=lambda row: row, extra=()):
    """Rows of the measure ``clusters`` from a formula."""
    found = []
    for seed in seeds:
        for step in steps:
            key = CheckpointKey.plain("pos", seed, step)
            for layer in layers:
                for i, a in enumerate(labels):
                    for j, b in enumerate(labels[i + 1 :], i + 1):
                        for statistic, scale in (("hull_distance", 1), ("centroid_distance", 10)):
                            value = scale * distance(i, j, step, int(seed))
                            found.append(
                                changed(
                                    result(key, layer, value, statistic=statistic, label_a=a, label_b=b, n=30, **ALONE)
                                )
                            )
    found += extra
    measure = get("clusters")
    parameters = (("method", "pairs"),)
    question = Question(measure, "dev", "label", ("pos",), (), None, None, None, parameters, None, "")
    wanted = tuple(dict.fromkeys(cell_of(r, measure) for r in found))
    return Rows(question, tuple(found), wanted, {})


def moved(tokens, **changes):
    """Attention that moved from the first token to the next one."""
    length = len(tokens)
    before, after = np.full((2, length, length), 0.1 / length)
    before[:, 0] += 0.9
    after[:, min(1, length - 1)] += 0.9
    special = np.array([t in ("[CLS]", "[SEP]") for t in tokens])
    data = ExampleData(
        focus=FOCUS,
        heads=2,
        layers=3,
        examples=40,
        tokens=tuple(tokens),
        special=special,
        labels=("",) * length,
        label="positive",
        text=" ".join(tokens[1:-1]),
        checkpoint=after,
        reference=before,
        js=js_bits(after, before),
    )
    return replace(data, **changes)
