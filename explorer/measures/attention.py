"""How attention changes and where it goes, head by head: divergence, entropy, and what falls on special tokens.

Every measure here is one walk over packed maps (attention_walk.py) with another kernel (attention_kernels.py): values
of attention rows, averaged over the query tokens of an example, then over examples, then over the heads of a layer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.measures.attention_kernels import change, divergence, entropy, sinks
from explorer.measures.attention_walk import Question, answer
from explorer.measures.base import INTERVALS, Context, Corpus, Layer, Measure, Parameter, Value

SINK_PARTS = ("", "first", "separators")
ALONE = "a checkpoint alone has no other side whose examples could be permuted"
A_DIFFERENCE = "a difference of two means stays the same whichever examples are permuted"


def js(
    layer: Layer, reference: Layer | None, corpus: Corpus, parameters: Mapping[str, object], context: Context
) -> list[Value]:
    """JS divergence in bits: the layer's value first, then one of each head, then what ``detail`` adds.

    Raises:
        MeasureError: another number of heads, or attention rows that are no distributions.
    """
    assert reference is not None, "js compares two sides"
    return answer(Question("js", divergence, (layer, reference), corpus, parameters, context))


def attention_entropy(
    layer: Layer, reference: Layer | None, corpus: Corpus, parameters: Mapping[str, object], context: Context
) -> list[Value]:
    """Entropy of attention rows in bits, of one checkpoint, or its change against a reference; rows as in js().

    Raises:
        MeasureError: another number of heads, or attention rows that are no distributions.
    """
    if reference is None:
        return answer(
            Question("attention-entropy", entropy, (layer,), corpus, parameters, context, no_null=ALONE),
        )
    sides = (layer, reference)
    name = "attention-entropy-change"
    return answer(Question(name, change(entropy), sides, corpus, parameters, context, no_null=A_DIFFERENCE))


def sink_mass(
    layer: Layer, reference: Layer | None, corpus: Corpus, parameters: Mapping[str, object], context: Context
) -> list[Value]:
    """Share of attention on special tokens, of one checkpoint, or its change; rows of each of SINK_PARTS as in js().

    Raises:
        MeasureError: another number of heads, or attention rows that are no distributions.
    """
    if not np.asarray(corpus.special).any():
        n = int((np.diff(corpus.offsets) > 0).sum())
        reason = "the corpus has no special tokens for attention to fall on"
        return [Value(None, n, part, reason=reason) for part in SINK_PARTS]
    if reference is None:
        question = Question("sink-mass", sinks, (layer,), corpus, parameters, context, SINK_PARTS, ALONE)
    else:
        sides = (layer, reference)
        name = "sink-mass-change"
        question = Question(name, change(sinks), sides, corpus, parameters, context, SINK_PARTS, A_DIFFERENCE)
    return answer(question)


SPECIAL = Parameter(
    "special",
    "keep",
    "special tokens ([CLS], [SEP]): keep = they attend and are attended like any other, drop = left out as query "
    "tokens and as keys, and what is left of each row restored to sum 1; rows that keep less than 1e-4 are left out "
    "and counted",
    choices=("keep", "drop"),
)
WEIGHTING = Parameter(
    "weighting",
    "examples",
    "examples = each example weighs the same, whatever its length (Hao et al.), queries = each query token does",
    choices=("examples", "queries"),
)
DETAIL = Parameter(
    "detail",
    "layer",
    "rows kept: layer = of the layer and its heads, example = also of each example, query = also of each query token "
    "of each example",
    choices=("layer", "example", "query"),
)
AVERAGED = (
    "mean over an example's query tokens (padding never), then over examples, then over the layer's heads. Stored rows "
    "are first restored to sum 1."
)
OF_THE_CHANGE = "This is the checkpoint's value less the reference's."
ENTROPY = "Entropy of an attention row, - sum of p log2 p over the tokens it attends to, " + AVERAGED
SINK = (
    "Share of an attention row that falls on special tokens, "
    + AVERAGED
    + " The statistic 'first' is the share of the example's first token ([CLS]), 'separators' that of the other special"
    " tokens ([SEP]); the two add up."
)

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="js",
        title="Attention JS divergence",
        reads="attention",
        sides=2,
        unit="bits",
        low=0.0,
        high=1.0,
        direction="0 = same attention, 1 = no attended token in common",
        definition=(
            "Jensen-Shannon divergence of the two sides' attention rows of a query token, 1/2 KL(P|M) + 1/2 KL(Q|M) "
            "with M = (P + Q) / 2, " + AVERAGED + " Where special tokens take most of a row the same change of logits "
            "moves it less: compare layers with special=drop and sink-mass beside it."
        ),
        source="Hao et al. 2020 (AACL).",
        cost="Two logarithms an attention entry; about as long as reading both sides and one log of each. A draw of "
        "the null costs as much again, reading excepted.",
        counts="examples",
        compute=js,
        version=2,
        parameters=(SPECIAL, WEIGHTING, DETAIL),
        floor=1e-7,
        null="the reference's attention to another example of the same length (drawn among neighbouring examples of "
        "together about 4 million attention entries a head; with special=drop its special tokens must be at the same "
        "places); examples without such a partner are left out of it",
        intervals=INTERVALS,
    ),
    Measure(
        name="attention-entropy",
        title="Attention entropy",
        reads="attention",
        sides=1,
        unit="bits",
        low=0.0,
        high=float("inf"),
        direction="0 = all on one token, log2 of the length = spread evenly",
        definition=ENTROPY,
        source="Clark et al. 2019 (BlackboxNLP), section 3.3, in bits.",
        cost="One logarithm an attention entry.",
        counts="examples",
        compute=attention_entropy,
        parameters=(SPECIAL, WEIGHTING, DETAIL),
        intervals=INTERVALS,
    ),
    Measure(
        name="attention-entropy-change",
        title="Change of attention entropy",
        reads="attention",
        sides=2,
        unit="bits",
        low=float("-inf"),
        high=float("inf"),
        direction="> 0 = more spread out, < 0 = more focused than the reference",
        definition=f"{ENTROPY} {OF_THE_CHANGE}",
        source="Clark et al. 2019 (BlackboxNLP), section 3.3, in bits; the difference is ours.",
        cost="One logarithm an attention entry of either side.",
        counts="examples",
        compute=attention_entropy,
        parameters=(SPECIAL, WEIGHTING, DETAIL),
        floor=1e-5,
        intervals=INTERVALS,
    ),
    Measure(
        name="sink-mass",
        title="Attention on special tokens",
        reads="attention",
        sides=1,
        unit="share",
        low=0.0,
        high=1.0,
        direction="0 = special tokens get nothing, 1 = they get all attention",
        definition=SINK,
        source="Clark et al. 2019 (BlackboxNLP), section 3.2: attention to [SEP] as a no-op.",
        cost="A few sums over the attention entries; reading them costs more.",
        counts="examples",
        compute=sink_mass,
        parameters=(WEIGHTING, DETAIL),
        intervals=INTERVALS,
    ),
    Measure(
        name="sink-mass-change",
        title="Change of attention on special tokens",
        reads="attention",
        sides=2,
        unit="share",
        low=-1.0,
        high=1.0,
        direction="> 0 = special tokens get more than in the reference, < 0 = less",
        definition=f"{SINK} {OF_THE_CHANGE}",
        source="Clark et al. 2019 (BlackboxNLP), section 3.2; the difference is ours.",
        cost="A few sums over the attention entries of either side; reading them costs more.",
        counts="examples",
        compute=sink_mass,
        parameters=(WEIGHTING, DETAIL),
        floor=1e-6,
        intervals=INTERVALS,
    ),
)
