"""Edge probes of all layers, against a plain implementation of the paper's network, one layer after the other.

The plain one is written from Tenney et al. (2019, section 3.1): it projects the padded tokens of each span, pools them
with self-attention, joins the spans, and trains a perceptron with one hidden layer with torch's own modules, loss and
Adam. Both have the same learning rate, minibatches, patience and widths, so that they need about as many steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from explorer.measures.probes import edge
from explorer.measures.probes.edge_scores import set_scores
from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import best_together

pytestmark = pytest.mark.benchmark
LAYERS, TOKENS, WIDTH, LABELS, TARGETS, PROJECTION, ROUNDS = 7, 2_500, 384, 8, 1_000, 128, 6
TRAIN, DEV, TEST = np.arange(650), np.arange(650, 750), np.arange(750, TARGETS)


def sample(spans: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Layers of tokens [LAYERS, TOKENS, WIDTH] float16, spans [TARGETS, spans, 2], labels bool [TARGETS, LABELS].

    The label of a target is that of a random one of the tokens of its first span, and each token says its own one.
    """
    rng = np.random.default_rng(spans)
    of_token = rng.integers(0, LABELS, TOKENS)
    means = rng.standard_normal((LABELS, WIDTH))
    noise = rng.standard_normal((LAYERS, TOKENS, WIDTH))
    states = (0.35 * means[of_token] + noise).astype(np.float16)
    first = rng.integers(0, TOKENS - 4, (TARGETS, spans))
    bounds = np.stack([first, first + rng.integers(0, 4, first.shape)], -1)
    told = of_token[rng.integers(bounds[:, 0, 0], bounds[:, 0, 1] + 1)]
    return states, bounds, np.eye(LABELS, dtype=bool)[told]


def plain(states: np.ndarray, bounds: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Train one probe on one layer; return its micro-F1 on test."""
    import torch
    from torch import nn

    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.project, self.score = nn.Linear(WIDTH, PROJECTION), nn.Linear(PROJECTION, 1, bias=False)

        def forward(self, tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
            projected = self.project(tokens)
            scores = self.score(projected)[..., 0].masked_fill(~there, -torch.inf)
            return torch.einsum("sm,smd->sd", scores.softmax(1), projected)

    class Probe(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pools = nn.ModuleList([Pooled() for _ in range(bounds.shape[1])])
            self.top = nn.Sequential(
                nn.Linear(bounds.shape[1] * PROJECTION, PROJECTION), nn.Tanh(), nn.LayerNorm(PROJECTION),
                nn.Dropout(edge.DROPOUT), nn.Linear(PROJECTION, LABELS),
            )  # fmt: skip

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            pooled = []
            for n, pool in enumerate(self.pools):
                first, last = places[rows, n].T
                at = first[:, None] + torch.arange(int((last - first).max()) + 1)
                pooled.append(pool(vectors[at.clamp(max=TOKENS - 1)], at <= last[:, None]))
            return self.top(torch.cat(pooled, 1))

    torch.manual_seed(seed)
    vectors, places, gold = torch.from_numpy(states).float(), torch.from_numpy(bounds), torch.from_numpy(labels)
    probe = Probe()
    adam = torch.optim.Adam(probe.parameters(), edge.RATE)
    epochs = -(-edge.STEPS // -(-len(TRAIN) // edge.BATCH))

    def predicted(rows: np.ndarray) -> np.ndarray:
        probe.eval()
        with torch.no_grad():
            return (probe(torch.from_numpy(rows)) >= 0).numpy()

    best, since, kept = -1.0, 0, probe.state_dict()
    for _ in range(ROUNDS):
        for _ in range(epochs):
            probe.train()
            for rows in torch.from_numpy(np.random.default_rng([seed, since]).permutation(TRAIN)).split(edge.BATCH):
                adam.zero_grad()
                nn.functional.binary_cross_entropy_with_logits(probe(rows), gold[rows].float()).backward()
                adam.step()
        found = set_scores(predicted(DEV), labels[DEV]).f1
        since += 1
        if found > best:
            best, since, kept = found, 0, {name: each.clone() for name, each in probe.state_dict().items()}
        if since >= edge.PATIENCE:
            break
    probe.load_state_dict(kept)
    return set_scores(predicted(TEST), labels[TEST]).f1


@pytest.mark.parametrize("spans", [1, 2])
def test_edge_probes_of_seven_layers(spans: int, report: Report, say: Callable[[str], None]) -> None:
    states, bounds, labels = sample(spans)
    theirs: list[float] = []
    ours: list[float] = []

    def one_by_one() -> None:
        theirs.extend(plain(states[n], bounds, labels, n) for n in range(LAYERS))

    def together() -> None:
        schedule = edge.Schedule(PROJECTION, ROUNDS, seed=1)
        probes = edge.train(states, bounds, labels, TRAIN, DEV, np.eye(LAYERS, dtype=bool), schedule)
        said = probes.logits(states, bounds[TEST]) >= 0
        ours.extend(set_scores(one, labels[TEST]).f1 for one in said)

    single, batch = best_together([one_by_one, together], rounds=1)
    mean, spread = np.mean(theirs), np.std(theirs, ddof=1)
    mine, own = np.mean(ours), np.std(ours, ddof=1)
    say(f"micro-F1, {spans} spans: plain {mean:.3f} ± {spread:.3f}, ours {mine:.3f} ± {own:.3f}")
    assert abs(mine - mean) < 2 * max(spread, 0.01)
    report(f"edge probes of 7 layers, {spans} spans", batch / single, "a plain implementation, layer by layer", 1)
