"""Kernels on packed float32 attention rows: divergence, entropy, share of special tokens.

Rows need not sum exactly to 1 (stored float16 does not): each kernel works on P = p / sum p. All functions have the
type ``attention_rows.Kernel``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from explorer.measures.attention_rows import AttentionRows, Kernel

if TYPE_CHECKING:
    import torch

LARGEST_RATIO = 1e8
"""Ratio p / q above which it counts as infinite; phi is then within 2e-7 of log 2, the precision of float32."""
TINIEST = 1e-30
"""Floor that replaces 0 before dividing or taking a logarithm."""
NOTHING = 1e-24
"""Result below which two rows count as equal: far below the precision of float32, far above the effect of TINIEST."""


def divergence(sides: tuple[torch.Tensor, ...], sums: tuple[torch.Tensor, ...], rows: AttentionRows) -> torch.Tensor:
    """Return the Jensen-Shannon divergence of two sides in bits, [1, rows]: 0 equal, 1 disjoint.

    JS(P, Q) = 1/2 KL(P | M) + 1/2 KL(Q | M), M = (P + Q) / 2, rearranged so that nothing cancels. With h = min(p, q),
    d = |p - q| and v = d / h, an entry contributes, in nats,

        1/4 [ d log(1 + v) - (p + q) log(1 + d v / (4 max(p, q))) ]

    which is (p + q) / 2 * [ r atanh r + 1/2 log(1 - r^2) ] with r = (p - q) / (p + q). Where p and q are close the two
    terms are about h v^2 and h v^2 / 2, so few digits cancel; the two KL terms are about v and -v there and lose them.
    Where one of p and q is nearly 0, v keeps the digits that 1 - r^2 loses.
    """
    import torch

    p, q = sides
    zero, tiny = (torch.full((), x, device=p.device) for x in (0.0, TINIEST))
    # Both sides are multiplied by sum p, which leaves one factor for the entries of q and one for the row's result. The
    # tiny number added to q avoids 0 / 0 and does not change the result. Passes overwrite arrays that are not needed
    # any more.
    scale = rows.spread(sums[0] / sums[1])
    torch.addcmul(tiny, q, scale, out=q)
    low, high = torch.minimum(p, q, out=scale), torch.maximum(p, q)
    total, d = torch.add(p, q, out=p), torch.sub(high, low, out=q)
    v = torch.div(d, low, out=low).clamp_(max=LARGEST_RATIO)
    second = torch.addcdiv(zero, d * v, high, value=0.25, out=high).log1p_()
    entries = v.log1p_().mul_(d).addcmul_(total, second, value=-1)
    found = rows.sums(entries) / (sums[0] * (4 * math.log(2)))
    return found.masked_fill_(found < NOTHING, 0)[None]


def entropy(sides: tuple[torch.Tensor, ...], sums: tuple[torch.Tensor, ...], rows: AttentionRows) -> torch.Tensor:
    """Return the entropy of one side's rows in bits, [1, rows]: -sum P log2 P, from 0 to log2 of the row's length."""
    import torch

    p = sides[0].double()  # entropies are large and their changes small: float32 has errors of 2e-6 bits per row
    total = rows.sums(p)
    terms = rows.sums(p * p.clamp(min=TINIEST).log2_())
    # A row without mass has no entropy; the caller leaves it out.
    return torch.where(total > 0, total.log2() - terms / total, 0).clamp_(min=0)[None]


def sinks(sides: tuple[torch.Tensor, ...], sums: tuple[torch.Tensor, ...], rows: AttentionRows) -> torch.Tensor:
    """Return the share of one side's attention on special tokens, [3, rows]: all, the example's first, the others."""
    import torch

    (p,), (total,) = sides, sums
    share = rows.sums(p * rows.special_keys) / total
    starts, is_special = (torch.from_numpy(x).to(p.device) for x in (rows.starts, rows.first_is_special))
    first = p[starts].double() * is_special / total
    return torch.stack([share, first, (share - first).clamp_(min=0)])


def change(kernel: Kernel) -> Kernel:
    """Return a kernel for the value of the first side minus that of the second."""

    def difference(
        sides: tuple[torch.Tensor, ...], sums: tuple[torch.Tensor, ...], rows: AttentionRows
    ) -> torch.Tensor:
        return kernel(sides[:1], sums[:1], rows) - kernel(sides[1:], sums[1:], rows)

    return difference
