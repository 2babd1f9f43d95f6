"""What counting activations adds to a training step.

Run it from the repository's root::

    OMP_NUM_THREADS=1 python benchmarks/sparsity_counting.py [cpu|cuda]

A step is forward, backward and fused AdamW. Steps with and without counting alternate in blocks
within one process, so that a change of the machine's load meets both; the ratio is the median over
pairs of neighbouring blocks. Time is the process's CPU time (wall time on a GPU). The limit is 10 %.
"""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from methods.sparsity import ActivationCounter, DecoderLm, LmSize, TopK, VisionTransformer, VitSize
from methods.sparsity.activation import Activation

BLOCKS = 60
STEPS = 3
"""In a block."""


class Run:
    """A model in training on one batch, with the time its blocks of steps took."""

    def __init__(self, model: nn.Module, inputs: torch.Tensor, gold: torch.Tensor) -> None:
        self.model, self.inputs, self.gold = model, inputs, gold
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def block(self, around: AbstractContextManager[object]) -> float:
        """Seconds of a block of steps."""
        clock = time.perf_counter if self.inputs.is_cuda else time.process_time
        start = clock()
        for _ in range(STEPS):
            self.optimizer.zero_grad()
            with around:
                logits = self.model(self.inputs)
            loss = cross_entropy(logits.flatten(0, -2), self.gold.flatten())
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        if self.inputs.is_cuda:
            torch.cuda.synchronize()
        return clock() - start


def vision(d_ff: int, activation: Activation | None, device: torch.device) -> Run:
    """The vision transformer of the digits."""
    rng = torch.Generator().manual_seed(0)
    model = VisionTransformer(VitSize(d_ff=d_ff), generator=rng, activation=activation).to(device)
    images = torch.randn(64, 1, 8, 8, generator=rng).to(device)
    return Run(model, images, torch.randint(10, (64,), generator=rng).to(device))


def text(size: LmSize, batch: int, device: torch.device) -> Run:
    """A language model over bytes."""
    rng = torch.Generator().manual_seed(0)
    ids = torch.randint(256, (batch, size.context), generator=rng).to(device)
    return Run(DecoderLm(size, generator=rng).to(device), ids, ids)


def report(name: str, run: Run) -> None:
    """Print a line: milliseconds a step, and what counting adds."""
    counter = ActivationCounter(run.model)
    run.block(nullcontext())
    run.block(counter)
    pairs = np.array([[run.block(nullcontext()), run.block(counter)] for _ in range(BLOCKS)])
    added = np.log(pairs[:, 1] / pairs[:, 0])
    low, middle, high = 100 * np.expm1(np.quantile(added, [0.25, 0.5, 0.75]))
    step = 1000 * np.median(pairs[:, 0]) / STEPS
    print(f"{name:38} {step:8.2f} ms a step   counting adds {middle:5.1f} % ({low:.1f} to {high:.1f})")


def main() -> None:
    """Print the table."""
    device = torch.device(sys.argv[1] if len(sys.argv) > 1 else "cpu")
    print(f"{device}, {torch.get_num_threads()} thread(s), {BLOCKS} pairs of blocks of {STEPS} steps")
    report("ViT 3 x 32, d_ff 128", vision(128, None, device))
    report("ViT 3 x 32, d_ff 128, top-16", vision(128, TopK(16), device))
    report("ViT 3 x 32, d_ff 512", vision(512, None, device))
    report("LM 3 x 64, d_ff 256, 16 x 128 bytes", text(LmSize(), 16, device))
    if device.type == "cuda":
        large = LmSize(d_model=512, d_ff=2048, layers=8, heads=8, context=512)
        report("LM 8 x 512, d_ff 2048, 32 x 512 bytes", text(large, 32, device))


if __name__ == "__main__":
    main()
