"""What a step of LoRA-RITE costs over the pairs of a model with the shapes of Gemma-2B.

Run it from the repository's root::

    OMP_NUM_THREADS=1 python benchmarks/lora_rite_step.py [LAYERS]

It times, on 18 layers (or as many as given) of q, k, v, o, gate, up and down projections, r = 16:
a loop over the pairs that does what section 3.3 of the paper says with the plain decompositions
(Householder QR, pseudo-inverse, eigenvalues by themselves); our optimizer; and Adam. Then a step by
rank. The limit is half of the loop.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

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


def make_pairs(layers: int, rank: int) -> list[Pair]:
    """Random factors and gradients."""
    rng = torch.Generator().manual_seed(0)

    def factor(*shape: int) -> nn.Parameter:
        made = nn.Parameter(torch.randn(shape, generator=rng))
        made.grad = 1e-4 * torch.randn(shape, generator=rng)
        return made

    return [
        Pair(factor(rank, m), factor(n, rank), f"{layer}.{name}")
        for layer in range(layers)
        for name, (m, n) in SHAPES.items()
    ]


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


def median_seconds(step: Callable[[], object], repeats: int) -> float:
    """After two steps that are not counted."""
    seconds = []
    for number in range(repeats + 2):
        start = time.perf_counter()
        step()
        if number >= 2:
            seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def main() -> None:
    """Print the table."""
    layers = int(sys.argv[1]) if len(sys.argv) > 1 else 18
    print(f"{layers} layers of Gemma-2B's shapes, r = 16, {torch.get_num_threads()} thread(s)")
    loop = median_seconds(Loop(make_pairs(layers, 16)).step, 3)
    print(f"plain loop            {loop:8.3f} s")
    ours = median_seconds(LoraRite(make_pairs(layers, 16)).step, 3)
    print(f"LoraRite              {ours:8.3f} s  {ours / loop:.2f} of the loop")
    pairs = make_pairs(layers, 16)
    adam = median_seconds(torch.optim.Adam([f for p in pairs for f in (p.a, p.b)]).step, 3)
    print(f"Adam                  {adam:8.3f} s")
    ranks, seconds = (4, 8, 16, 32, 64), []
    for rank in ranks:
        seconds.append(median_seconds(LoraRite(make_pairs(1, rank)).step, 5))
        print(f"one layer, r = {rank:3}    {seconds[-1]:8.3f} s")
    slope = np.polyfit(np.log(ranks), np.log(seconds), 1)[0]
    print(f"exponent in r: {slope:.2f}")


if __name__ == "__main__":
    main()
