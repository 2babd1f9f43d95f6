"""What a step of LoRA-RITE costs, beside a loop over the pairs and beside AdamW, by rank and width.

Run it from the repository's root::

    OMP_NUM_THREADS=1 python -m benchmarks.lora_rite_step [PAIRS [ROUNDS]]

It times, on PAIRS square layers: a loop over the pairs that does what section 3.3 of the paper says with
the plain decompositions (Householder QR, pseudo-inverse, eigenvalues by themselves); our optimizer; and
PyTorch's fused AdamW. The three take turns, and shares are medians over rounds. Then the exponent in the
rank, and the projections of two layers of Gemma-2B.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from methods.lora_rite import LoraRite, Pair

SHAPES = {
    "q": (2048, 2048),
    "k": (2048, 256),
    "v": (2048, 256),
    "o": (2048, 2048),
    "gate": (2048, 16384),
    "up": (2048, 16384),
    "down": (16384, 2048),
}
"""(in, out) of each projection."""


RANKS = (4, 8, 16, 32, 64)
WIDTHS = (512, 1024, 2048)


def make_pairs(shapes: Sequence[tuple[str, tuple[int, int]]], rank: int) -> list[Pair]:
    """Random factors and gradients, for names and (in, out)."""
    rng = torch.Generator().manual_seed(0)

    def factor(*shape: int) -> nn.Parameter:
        made = nn.Parameter(torch.randn(shape, generator=rng))
        made.grad = 1e-4 * torch.randn(shape, generator=rng)
        return made

    return [Pair(factor(rank, m), factor(n, rank), name) for name, (m, n) in shapes]


class Loop:
    """Section 3.3, pair by pair, with the decompositions that it names."""

    def __init__(self, pairs: list[Pair]) -> None:
        self.pairs = pairs
        self.states = [self._fresh(pair) for pair in pairs]
        self.time = 0

    def _fresh(self, pair: Pair) -> list[dict[str, Tensor]]:
        return [
            {
                "moment": torch.zeros_like(factor),
                "basis": torch.zeros_like(factor),
                "second": torch.zeros(pair.rank, pair.rank),
                "mass": torch.zeros(()),
            }
            for factor in (pair.a.detach().mT, pair.b.detach())
        ]

    @torch.no_grad()
    def step(self) -> None:
        """One step with ρ; clipping by the global norm, as the optimizer does it."""
        self.time += 1
        keep = [beta * (1 - beta ** (self.time - 1)) / (1 - beta**self.time) for beta in (0.9, 0.999)]
        prepared = []
        for pair in self.pairs:
            assert pair.a.grad is not None
            assert pair.b.grad is not None
            split = [torch.linalg.qr(factor) for factor in (pair.a.mT, pair.b)]
            inverses = [torch.linalg.pinv(magnitude) for _, magnitude in split]
            slopes = (pair.a.grad.mT @ inverses[1], pair.b.grad @ inverses[0])
            prepared.append(([basis for basis, _ in split], inverses, slopes))
        total = sum(float(slope.square().sum()) for _, _, slopes in prepared for slope in slopes) ** 0.5
        scale = min(1.0, 1.0 / total)
        for pair, state, (bases, inverses, slopes) in zip(self.pairs, self.states, prepared, strict=True):
            turns = [bases[1].mT @ state[1]["basis"], bases[0].mT @ state[0]["basis"]]
            moved = [
                self._moment(state[i], slopes[i] * scale, turns[i], keep) @ inverses[1 - i].mT for i in (0, 1)
            ]
            pair.a.sub_(1e-3 * moved[0].mT)
            pair.b.sub_(1e-3 * moved[1])
            state[0]["basis"], state[1]["basis"] = bases[0], bases[1]

    def _moment(self, state: dict[str, Tensor], slope: Tensor, turn: Tensor, keep: list[float]) -> Tensor:
        carried = turn @ state["second"] @ turn.mT
        before, after = torch.linalg.eigvalsh(state["second"]), torch.linalg.eigvalsh(carried)
        lost = torch.minimum((before - after).amax(), (before - after).sum()).clamp(min=0)
        state["mass"] = keep[1] * (state["mass"] + lost)
        state["second"] = keep[1] * carried + (1 - keep[1]) * slope.mT @ slope / len(slope)
        values, vectors = torch.linalg.eigh(state["second"])
        root = 1.0 / ((values.clamp(min=0) + state["mass"]).sqrt() + 1e-6)
        step = slope @ (vectors * root) @ vectors.mT
        state["moment"] = keep[0] * state["moment"] @ turn.mT + (1 - keep[0]) * step
        return state["moment"]


def paired_medians(steps: Sequence[Callable[[], object]], rounds: int) -> tuple[list[float], list[float]]:
    """CPU seconds of each step, and each as a share of the first one's in the same round.

    The steps take turns and their waiting is not counted, so that other work on the machine meets all of
    them alike; medians over the rounds that follow two which are not counted.
    """
    seconds = np.zeros((rounds + 2, len(steps)))
    for row in seconds:
        for place, step in enumerate(steps):
            start = time.process_time()
            step()
            row[place] = time.process_time() - start
    counted = seconds[2:]
    shares = counted / counted[:, :1]
    return [float(x) for x in np.median(counted, 0)], [float(x) for x in np.median(shares, 0)]


def compare(shapes: Sequence[tuple[str, tuple[int, int]]], rank: int, rounds: int) -> list[float]:
    """Print a row; returns the seconds of loop, optimizer and AdamW."""
    copies = [make_pairs(shapes, rank) for _ in range(3)]
    adam = torch.optim.AdamW([f for pair in copies[2] for f in (pair.a, pair.b)], fused=True)
    seconds, shares = paired_medians([Loop(copies[0]).step, LoraRite(copies[1]).step, adam.step], rounds)
    each = [1e6 * value / (2 * len(shapes)) for value in seconds]
    print(
        f"{each[0]:10.0f} {each[1]:10.0f} {each[2]:10.1f} {shares[1]:14.2f} {shares[1] / shares[2]:16.1f}",
        flush=True,
    )
    return seconds


def main() -> None:
    """Print the tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    print(f"{count} pairs, {torch.get_num_threads()} thread(s), CPU microseconds a factor")
    head = f"{'loop':>10} {'LoraRite':>10} {'AdamW':>10} {'of the loop':>14} {'times AdamW':>16}"
    print(f"{'rank':>5} {'width':>6} {head}")
    found: dict[int, list[float]] = {}
    for rank in RANKS:
        for width in WIDTHS:
            print(f"{rank:5} {width:6}", end=" ")
            row = compare([(str(n), (width, width)) for n in range(count)], rank, rounds)
            found.setdefault(width, []).append(row[1])
    for width, seconds in found.items():
        slope = np.polyfit(np.log(RANKS), np.log(seconds), 1)[0]
        print(f"exponent in r at width {width}: {slope:.2f}")
    print("layers of Gemma-2B's shapes, r = 16")
    layers = [(f"{layer}.{name}", shape) for layer in range(2) for name, shape in SHAPES.items()]
    print(f"{16:5} {'':>6}", end=" ")
    compare(layers, 16, max(3, rounds // 5))


if __name__ == "__main__":
    main()
