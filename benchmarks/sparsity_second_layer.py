"""The sparse second layer against the dense one, by the number of active neurons.

Run it from the repository's root::

    OMP_NUM_THREADS=1 python benchmarks/sparsity_second_layer.py [cpu|cuda]

For a number of tokens and a number k of active neurons each, it times V a as a dense product; from
a dense a whose active entries are first found; with the k largest searched first; and from values
and neurons that are known, as a Top-k block has them after its selection.
The arms alternate in blocks; a figure is the median ratio over blocks of dense to sparse time
(above 1, sparse is faster). The break-even k is where the ratio crosses 1, by interpolation in log k.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from methods.sparsity import SparseSecondLayer

SHAPES = ((128, 512), (768, 3072))
"""(d_model, d_ff): a small model and T5-Base or ViT-B."""
TOKENS = (1, 64, 1024)
SHARES = (1 / 384, 1 / 96, 1 / 48, 1 / 24, 1 / 12, 1 / 6, 1 / 3)
"""k / d_ff; the paper's Top-128 of 3072 is 1/24."""
ARMS = ("found in a", "searched by Top-k", "known")
BLOCKS = 12
LEAST_SECONDS = 0.004
"""Of one arm in one block."""


def seconds(work: Callable[[], Tensor], repeats: int, *, cuda: bool) -> float:
    """Of one call, over ``repeats`` calls: CPU time, or wall time on a GPU."""
    clock = time.perf_counter if cuda else time.process_time
    start = clock()
    for _ in range(repeats):
        work()
    if cuda:
        torch.cuda.synchronize()
    return (clock() - start) / repeats


def sparse_activations(tokens: int, d_ff: int, k: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Activation maps with k active neurons a token, also as values and neurons."""
    rng = torch.Generator().manual_seed(0)
    values, neurons = torch.rand(tokens, d_ff, generator=rng).topk(k, dim=-1)
    a = torch.zeros(tokens, d_ff).scatter(-1, neurons, values)
    return a.to(device), values.to(device), neurons.to(device)


@torch.inference_mode()
def ratios(layer: nn.Linear, tokens: int, k: int) -> tuple[float, ...]:
    """Dense over sparse time of each of :data:`ARMS`."""
    sparse, cuda = SparseSecondLayer(layer), layer.weight.is_cuda
    a, values, neurons = sparse_activations(tokens, layer.in_features, k, layer.weight.device)
    arms: tuple[Callable[[], Tensor], ...] = (
        lambda: layer(a),
        lambda: sparse(a),
        lambda: sparse.padded(*a.topk(k, dim=-1, sorted=False)),
        lambda: sparse.padded(values, neurons),
    )
    repeats = [max(1, round(LEAST_SECONDS / seconds(arm, 3, cuda=cuda))) for arm in arms]
    times = np.array(
        [
            [seconds(arm, count, cuda=cuda) for arm, count in zip(arms, repeats, strict=True)]
            for _ in range(BLOCKS)
        ]
    )
    return tuple(np.median(times[:, :1] / times[:, 1:], axis=0).tolist())


def break_even(ks: list[int], gains: list[float]) -> str:
    """The k at which the ratio falls to 1."""
    logs = np.log(gains)
    if logs[0] <= 0:
        return f"none (dense is faster from k = {ks[0]})"
    if logs[-1] > 0:
        return f"above {ks[-1]}"
    last = int(np.flatnonzero(logs > 0).max())
    share = logs[last] / (logs[last] - logs[last + 1])
    return f"{np.exp(np.log(ks[last]) + share * np.log(ks[last + 1] / ks[last])):.0f}"


def main() -> None:
    """Print a table for each shape and number of tokens."""
    device = torch.device(sys.argv[1] if len(sys.argv) > 1 else "cpu")
    print(f"{device}, {torch.get_num_threads()} thread(s), float32; dense time over sparse time")
    for d_model, d_ff in SHAPES:
        layer = nn.Linear(d_ff, d_model, bias=False, device=device)
        ks = sorted({max(1, round(share * d_ff)) for share in SHARES})
        for tokens in TOKENS:
            rows = [ratios(layer, tokens, k) for k in ks]
            print(f"\nd_model {d_model}, d_ff {d_ff}, {tokens} token(s); k = {ks}")
            for name, gains in zip(ARMS, zip(*rows, strict=True), strict=True):
                line = " ".join(f"{gain:7.2f}" for gain in gains)
                print(f"  {name:18} {line}   break-even k: {break_even(ks, list(gains))}")


if __name__ == "__main__":
    main()
