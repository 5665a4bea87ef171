"""Jensen-Shannon divergence between the attention of two checkpoints, head by head (Hao et al. 2020).

For a query token with attention rows P (one checkpoint) and Q (the other), M = (P + Q) / 2:

    JS(P, Q) = 1/2 KL(P | M) + 1/2 KL(Q | M)     in bits: 0 the same, 1 disjoint

averaged over the query tokens of an example, then over examples (each weighs the same); a layer's value is the
mean over its heads.

The sum is rearranged so that nothing cancels. With h = min(p, q) and v = |p - q| / h, an entry contributes

    (p + q) / 2 * phi(v),    phi(v) = 1/2 [ v / (2 + v) * log(1 + v) - log(1 + v^2 / (4 + 4 v)) ]

which is r atanh(r) + 1/2 log(1 - r^2) with r = (p - q) / (p + q). Where p and q are close the two terms are about
v^2 / 4 and v^2 / 8, so few digits cancel; the two KL terms are about v and -v there and lose them. Where one of p and
q is nearly 0, v keeps the digits that 1 - r^2 loses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures.base import Context, Layer, Measure, MeasureError, Stimuli, Value
from explorer.measures.tokens import check_finite

if TYPE_CHECKING:
    import torch

BLOCK = 2**17
"""Entries worked on at once: the dozen passes over them stay in the processor's cache, and torch's overhead small."""
LARGEST_RATIO = 1e8
"""p / q beyond it counts as infinite; phi is within 2e-7 of log 2 there and float32 can do no better."""
TINIEST = 1e-30


def js(
    layer: Layer, reference: Layer | None, stimuli: Stimuli, parameters: Mapping[str, object], context: Context
) -> list[Value]:
    """JS divergence in bits: the layer's value first, then one of each head (counted from 1).

    Raises:
        MeasureError: another number of heads, or attention rows that are no distributions.
    """
    assert reference is not None, "js compares two sides"
    if layer.heads != reference.heads:
        raise MeasureError(
            f"The two sides have {layer.heads} and {reference.heads} attention heads: js compares a head with itself."
        )
    lengths = np.diff(stimuli.offsets)
    used = lengths > 0
    n = int(used.sum())
    if not n or not layer.heads:
        return [Value(None, n, reason="there is nothing to compare: no examples or no attention heads")]
    row_lengths = np.repeat(lengths, lengths)
    example_of_row = np.repeat(np.arange(len(lengths)), lengths)
    heads = []
    for head in range(1, layer.heads + 1):
        per_row = np.concatenate(list(_rows(layer, reference, head, row_lengths, context.device)))
        per_example = np.bincount(example_of_row, weights=per_row, minlength=len(lengths))[used] / lengths[used]
        heads.append(float(per_example.mean()))
        check_finite(heads[-1], f"attention maps of head {head}")
    details = {"queries": int(lengths.sum())}
    return [
        Value(float(np.mean(heads)), n, details=details | {"heads": len(heads)}),
        *(Value(value, n, head=head, details=details) for head, value in enumerate(heads, 1)),
    ]


def _rows(layer: Layer, reference: Layer, head: int, lengths: np.ndarray, device: str) -> Iterator[np.ndarray]:
    """JS in bits of each attention row in turn, float64; reads along stored chunks, a split row waits for its rest."""
    import torch

    ends = np.cumsum(lengths)
    total, step, done = int(ends[-1]), max(1, layer.attention_chunk), 0
    held = tuple(np.empty(0, np.float32) for _ in range(2))
    for start in range(0, total, step):
        stop = min(start + step, total)
        base = start - len(held[0])
        data = tuple(
            np.concatenate([h, side.attention(head, start, stop)]) if len(h) else side.attention(head, start, stop)
            for h, side in zip(held, (layer, reference), strict=True)
        )
        p, q = (torch.from_numpy(np.ascontiguousarray(x)).to(device) for x in data)
        while done < len(ends) and ends[done] <= stop:
            begin = int(ends[done] - lengths[done])
            upto = int(np.searchsorted(ends, min(max(begin + BLOCK, ends[done]), stop), side="right"))
            piece = slice(begin - base, int(ends[upto - 1]) - base)
            rows = torch.from_numpy(lengths[done:upto]).to(device)
            yield _divergence(p[piece].float(), q[piece].float(), rows).cpu().numpy()
            done = upto
        rest = int(ends[done - 1]) if done else 0
        held = tuple(x[rest - base :] for x in data)


def _divergence(p: torch.Tensor, q: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """JS in bits of rows packed one after another: p, q float32 [sum of lengths], result float64 [rows].

    Rows need not sum to one exactly (stored float16 does not): P = p / sum p, Q = q / sum q. Both are multiplied by
    sum p here, which leaves one factor for the entries of q and one for the row's result.
    """
    import math

    import torch

    sum_p, sum_q = _row_sums(p, lengths), _row_sums(q, lengths)
    q = q * torch.repeat_interleave(sum_p / sum_q, lengths, output_size=len(q))
    low = torch.minimum(p, q).clamp_(min=TINIEST)
    m = p + q
    v = (p - q).abs_().div_(low).clamp_(max=LARGEST_RATIO)
    second = torch.mul(v, v, out=q).div_(torch.add(v, 1, out=low).mul_(4)).log1p_()
    phi = v.log1p().mul_(v.div_(torch.add(v, 2, out=low))).sub_(second)
    return _row_sums(m.mul_(phi), lengths).double() / (sum_p.double() * (4 * math.log(2)))


def _row_sums(entries: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Sum of each packed row, float32 [rows]."""
    import torch

    if entries.is_cuda:
        return torch.segment_reduce(entries, "sum", lengths=lengths, unsafe=True)
    rows = lengths.numpy()  # on the CPU numpy's is twice as fast
    return torch.from_numpy(np.add.reduceat(entries.numpy(), np.cumsum(rows) - rows))


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="js",
        title="Attention JS divergence",
        reads="attention",
        sides=2,
        unit="bits",
        low=0.0,
        high=1.0,
        direction="0 = the same attention, 1 = no attended token in common",
        definition=(
            "Jensen-Shannon divergence of two attention rows, mean over an example's query tokens (special tokens "
            "included, padding never), then over examples, each weighing the same; a layer's value is the mean of its "
            "heads. Stored rows are first restored to sum 1."
        ),
        source="Hao et al. 2020 (AACL).",
        cost="Two logarithms an attention entry; about as long as reading both sides and one log of each.",
        counts="examples",
        compute=js,
        floor=1e-7,
    ),
)
