"""Measures of attention per head: divergence, entropy, and the share on special tokens.

Every measure here is a walk over packed maps (attention_walk.py) with its own kernel (attention_kernels.py). The kernel
gives values of attention rows, which are averaged over the query tokens of an example, then over examples, then over
the heads of a layer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.measures.attention_kernels import change, divergence, entropy, sinks
from explorer.measures.attention_walk import Walk, answer
from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import INTERVALS, Context, Given, Value
from explorer.measures.declaration import ALONE, ATTENTION, ATTENTION_LAYER, COMPARED, EXAMPLE, HEAD, QUERY, attention

SINK_PARTS = ("", "first", "separators")
NOT_COMPARED = "a measure of one checkpoint has no reference whose examples could be permuted"
A_DIFFERENCE = "a difference of two means stays the same whichever examples are permuted"


def js(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the JS divergence in bits: of the layer, then of each head, then the rows that ``detail`` adds.

    Raises:
        MeasureError: the numbers of heads differ, or attention rows are not distributions.
    """
    return answer(Walk("js", divergence, given.compared, given.corpus, parameters, context))


def attention_entropy(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the entropy of attention rows of one checkpoint in bits; rows as in js().

    Raises:
        MeasureError: attention rows are not distributions.
    """
    return answer(
        Walk("attention-entropy", entropy, (given.layer,), given.corpus, parameters, context, no_null=NOT_COMPARED)
    )


def attention_entropy_change(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the entropy of attention rows in bits, minus the reference's; rows as in js().

    Raises:
        MeasureError: the numbers of heads differ, or attention rows are not distributions.
    """
    name, kernel = "attention-entropy-change", change(entropy)
    return answer(Walk(name, kernel, given.compared, given.corpus, parameters, context, no_null=A_DIFFERENCE))


def sink_mass(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the share of attention on special tokens of one checkpoint; rows as in js() for each of SINK_PARTS.

    Raises:
        MeasureError: attention rows are not distributions.
    """
    walk = Walk("sink-mass", sinks, (given.layer,), given.corpus, parameters, context, SINK_PARTS, NOT_COMPARED)
    return _without_sinks(given) or answer(walk)


def sink_mass_change(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the share of attention on special tokens, minus the reference's; rows as in js() for each of SINK_PARTS.

    Raises:
        MeasureError: the numbers of heads differ, or attention rows are not distributions.
    """
    name, kernel = "sink-mass-change", change(sinks)
    walk = Walk(name, kernel, given.compared, given.corpus, parameters, context, SINK_PARTS, A_DIFFERENCE)
    return _without_sinks(given) or answer(walk)


def _without_sinks(given: Given) -> list[Value]:
    """Return empty values with a reason if the corpus has no special tokens; else nothing."""
    if np.asarray(given.corpus.special).any():
        return []
    n = int((np.diff(given.corpus.offsets) > 0).sum())
    reason = "the corpus has no special tokens for attention to fall on"
    return [Value(None, n, part, reason=reason) for part in SINK_PARTS]


SPECIAL = Parameter(
    "special",
    "keep",
    "special tokens ([CLS], [SEP]): keep = they attend and are attended like any other, drop = left out as query "
    "tokens and as keys, and the rest of each row rescaled to sum 1; rows that keep less than 1e-4 are left out "
    "and counted",
    choices=("keep", "drop"),
)
WEIGHTING = Parameter(
    "weighting",
    "examples",
    "examples = each example has the same weight, whatever its length (Hao et al.), queries = each query token has",
    choices=("examples", "queries"),
)
DETAILS = ("layer", "example", "query")
"""Granularity of the rows: the layer and its heads; also each example; also each query token of each example."""
AXES = (ATTENTION_LAYER, HEAD, EXAMPLE, QUERY)
AVERAGED = (
    "mean over an example's query tokens (without padding), then over examples, then over the layer's heads. Stored "
    "rows are first rescaled to sum 1."
)
OF_THE_CHANGE = "This is the checkpoint's value minus the reference's."
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
        topic=ATTENTION,
        why="which heads and layers look elsewhere than before; blind to what the values are",
        inputs=attention(*COMPARED),
        axes=AXES,
        unit="bits",
        low=0.0,
        high=1.0,
        direction="0 = same attention, 1 = no attended token in common",
        definition=(
            "Jensen-Shannon divergence of the two sides' attention rows of a query token, 1/2 KL(P|M) + 1/2 KL(Q|M) "
            "with M = (P + Q) / 2, " + AVERAGED + " Where special tokens take most of a row, the same change of logits "
            "changes it less: when comparing layers, also look at special=drop and sink-mass."
        ),
        source="Hao et al. 2020 (AACL).",
        cost="Two logarithms per attention entry: about the time of reading both sides and one logarithm of each. Each "
        "draw of the null takes as long again, except for reading.",
        counts="examples",
        compute=js,
        summary=(
            "Jensen-Shannon divergence of one head's attention rows in *bits*, restored to sum 1; mean over query "
            "tokens, examples, heads (Hao et al. 2020). `--special drop`, `--weighting queries`, `--detail "
            "example|query`"
        ),
        others=(
            "scipy's `jensenshannon` is its square root, in nats; contextual-corr takes the best matching head, in "
            "nats, and weighs by words"
        ),
        version=2,
        parameters=(SPECIAL, WEIGHTING),
        details=DETAILS,
        symmetric=True,
        floor=1e-7,
        null="the pairing of examples: the reference's attention is that on another example of the same length (drawn "
        "among neighbouring examples with about 4 million attention entries per head in total; with special=drop, its "
        "special tokens must be at the same positions); examples without such a partner are left out",
        intervals=INTERVALS,
    ),
    Measure(
        name="attention-entropy",
        title="Attention entropy",
        topic=ATTENTION,
        why="whether heads look at few tokens or at many",
        inputs=attention(*ALONE),
        operands=ALONE,
        axes=AXES,
        unit="bits",
        low=0.0,
        high=float("inf"),
        direction="0 = all on one token, log2 of the length = spread evenly",
        definition=ENTROPY,
        source="Clark et al. 2019 (BlackboxNLP), section 3.3, in bits.",
        cost="One logarithm per attention entry.",
        counts="examples",
        compute=attention_entropy,
        summary="entropy of an attention row in bits; mean over query tokens, examples, heads (Clark et al. 2019)",
        parameters=(SPECIAL, WEIGHTING),
        details=DETAILS,
        intervals=INTERVALS,
    ),
    Measure(
        name="attention-entropy-change",
        title="Change of attention entropy",
        topic=ATTENTION,
        why="whether heads became sharper or broader",
        inputs=attention(*COMPARED),
        axes=AXES,
        unit="bits",
        low=float("-inf"),
        high=float("inf"),
        direction="> 0 = more spread out, < 0 = more focused than the reference",
        definition=f"{ENTROPY} {OF_THE_CHANGE}",
        source="Clark et al. 2019 (BlackboxNLP), section 3.3, in bits; the difference is ours.",
        cost="One logarithm per attention entry of both sides.",
        counts="examples",
        compute=attention_entropy_change,
        summary="that entropy minus the reference's",
        parameters=(SPECIAL, WEIGHTING),
        details=DETAILS,
        floor=1e-5,
        intervals=INTERVALS,
    ),
    Measure(
        name="sink-mass",
        title="Attention on special tokens",
        topic=ATTENTION,
        why="how much attention goes to special tokens, which says little about the words",
        inputs=attention(*ALONE),
        operands=ALONE,
        axes=AXES,
        unit="share",
        low=0.0,
        high=1.0,
        direction="0 = special tokens get nothing, 1 = they get all attention",
        definition=SINK,
        source="Clark et al. 2019 (BlackboxNLP), section 3.2: attention to [SEP] as a no-op.",
        cost="A few sums over the attention entries; reading them costs more.",
        counts="examples",
        compute=sink_mass,
        summary="share of the attention on [CLS], [SEP] and other special tokens (Clark et al. 2019)",
        parameters=(WEIGHTING,),
        details=DETAILS,
        intervals=INTERVALS,
    ),
    Measure(
        name="sink-mass-change",
        title="Change of attention on special tokens",
        topic=ATTENTION,
        why="whether heads give up special tokens for words, or the other way round",
        inputs=attention(*COMPARED),
        axes=AXES,
        unit="share",
        low=-1.0,
        high=1.0,
        direction="> 0 = special tokens get more than in the reference, < 0 = less",
        definition=f"{SINK} {OF_THE_CHANGE}",
        source="Clark et al. 2019 (BlackboxNLP), section 3.2; the difference is ours.",
        cost="A few sums over the attention entries of both sides; reading them costs more.",
        counts="examples",
        compute=sink_mass_change,
        summary="that share minus the reference's",
        parameters=(WEIGHTING,),
        details=DETAILS,
        floor=1e-6,
        intervals=INTERVALS,
    ),
)
