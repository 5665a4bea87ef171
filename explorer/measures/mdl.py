"""MDL probes: how many bits it takes to send the labels to somebody who has the vectors (Voita & Titov 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import ALONE, CHECKPOINT, EVERY_LAYER, LABELLED, POINTS, hidden, once
from explorer.measures.probes.controls import Items, word_type
from explorer.measures.probes.linear_probe import LinearProbe
from explorer.measures.probes.logistic import fit_logistic, prepared
from explorer.measures.probes.online_code import OnlineCode, classes_of, online_code
from explorer.measures.probes.points import SENTENCE, labelled
from explorer.measures.probes.scratch import Rows
from explorer.measures.probes.vectors import vectors_of
from explorer.measures.protocols import Layer

COMPRESSION, LENGTH, CONTROL = "compression", "length", "control-compression"


def mdl(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return compression and length of the online code of the labels, for each layer.

    Raises:
        MeasureError: the points have fewer than two labels; some hidden states are not finite.
    """
    points = labelled(given.corpus, given.labels, str(parameters["sentence"]))
    classes_of(points.labels)  # before any layer is read
    c, seed = float(str(parameters["C"])), int(str(parameters["probe_seed"]))
    group = points.corpus.same_text[points.example]
    types = points.types if parameters["control"] else None
    control = None
    if types is not None:
        control = word_type(Items(points.labels, points.example, len(points.corpus.offsets) - 1, types), seed)

    def fit(vectors: Rows, labels: np.ndarray, before: LinearProbe | None) -> LinearProbe:
        return fit_logistic(prepared(vectors), labels, c, before)

    layers = cast(tuple[Layer, ...], given.operands[CHECKPOINT.role]["hidden"])
    values: list[Value] = []
    for number, layer in enumerate(layers):
        read = vectors_of(points, layer).of
        code = online_code(read, points.labels, group, fit, seed)
        beside = None if control is None else online_code(read, control, group, fit, seed)
        del read  # or the vectors of two layers are held while the next one is read
        values += _values(number, code, beside)
        context.progress("sending labels", (number + 1) / len(layers))
    return values


def _values(layer: int, code: OnlineCode, control: OnlineCode | None) -> Iterator[Value]:
    n = int(code.ends[-1])
    curve = {"ends": code.ends, "bits": code.bits}
    details = {"ends": code.ends.tolist(), "bits": [round(float(bits), 3) for bits in code.bits]}
    yield Value(code.compression, n, COMPRESSION, details=details, layer=layer, artefact=curve)
    yield Value(code.length, n, LENGTH, "bits", layer=layer)
    if control is not None:
        yield Value(control.compression, n, CONTROL, layer=layer)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="mdl",
        title="Compression of the labels",
        topic=LABELLED,
        why="how easily it can be read off: labels in fewer bits, without a choice of a classifier's size",
        inputs=(*hidden(*ALONE), POINTS),
        operands=ALONE,
        axes=(EVERY_LAYER,),
        unit="ratio",
        low=0.0,
        high=float("inf"),
        direction="1 = the vectors do not help to send the labels, higher = they are easier to learn",
        definition=(
            "Length of the uniform code, log2 K bits for each label, divided by the length of the online code: the "
            "labels are sent in blocks that end at 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.25, 12.5, 25, 50 and 100 % of the "
            "points; the first with the uniform code, each further one with the probabilities of a logistic regression "
            "that was trained on all before it. Bits throughout; blocks are of whole texts, the same in every layer "
            "and checkpoint; a label not seen before costs log2(u (n + 1)) bits, with u such labels after n points."
        ),
        source="Voita & Titov 2020, section 3.2 (online code).",
        cost="Ten logistic regressions for each layer, each started from the one before.",
        counts="points",
        compute=mdl,
        summary=(
            "online code of the labels given the vectors: compression against the uniform code, length in bits, and "
            "the length of each block (the learning curve)"
        ),
        others="Holmes: nats added to bits and the softmax taken twice, so that compression ends at 2 to 3",
        parameters=(
            Parameter("C", 1.0, "inverse strength of logistic regression's penalty", low=1e-6, high=1e6),
            Parameter("control", False, "send the labels of the control task (word types) too"),
            Parameter("probe_seed", 1, "seed of the order of the texts", low=0),
            Parameter("sentence", "cls", "vector of a sentence: first token, or mean of the others", SENTENCE),
        ),
        main=COMPRESSION,
        companions=((CONTROL, "control"),),
        slow=True,
        version=2,
        cells=once,
    ),
)
