"""What SpecTr's selection costs: by vocabulary, and as a share of the target's call.

Run it from the repository's root. The first part needs nothing; the second a target and a trigram
draft, as a run of the suite leaves them in the cache::

    OMP_NUM_THREADS=1 python benchmarks/spectr_selection.py [TARGET_FOLDER DRAFT_FOLDER]

The target's call is reading K · L drafted tokens and the output layer at the depths that are
visited; beside it stand softmax and selection at those depths. The limit is 25 % on a CPU and
10 % on a GPU.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from methods.common.causal_lm import load_checkpoint
from methods.spectr import block
from methods.spectr.decoding import BlockSize, generate
from methods.spectr.ngram import load_ngram
from methods.spectr.ngram_draft import NGramDraft
from methods.spectr.selection import KSeq, draw, sample
from methods.spectr.sessions import Sampling, TransformerTarget

SIZES = tuple(2**power for power in range(10, 19))
PROMPTS = (
    [2, 818, 5279, 529, 7001, 563],
    [2, 1006, 1791, 506, 1171, 4481],
    [2, 236777, 3026, 672, 506, 2471],
)


def selection_times(repeats: int = 7) -> dict[int, float]:
    """Median seconds of one K-SEQ selection, k = 8, float32, by vocabulary size."""
    rng = np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    found = {}
    for size in SIZES:
        logits = torch.from_numpy(2.0 * rng.normal(size=(1, size))).float()
        noisy = logits + torch.from_numpy(rng.normal(size=(1, size))).float()
        p, q = torch.softmax(noisy, 1), torch.softmax(logits, 1)
        active = torch.ones((1, 8), dtype=torch.bool)
        seconds = []
        for _ in range(repeats):
            numbers = torch.rand((2, 9), generator=generator, dtype=torch.float64)
            candidates = sample(p, numbers[0, :8])[None]
            start = time.perf_counter()
            draw(KSeq().plan(p, q, candidates, active), candidates, numbers[1:])
            seconds.append(time.perf_counter() - start)
        found[size] = float(np.median(seconds))
    return found


class Clock:
    """Adds up the seconds spent in functions."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.seconds: dict[str, float] = {}

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed under ``name``."""

        def timed(*args: Any, **options: Any) -> Any:
            self.wait()
            start = time.perf_counter()
            result = function(*args, **options)
            self.wait()
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
            return result

        return timed

    def wait(self) -> None:
        """Let a GPU finish."""
        if self.device == "cuda":
            torch.cuda.synchronize()


class TimedSampling(Sampling):
    """Softmax under a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        object.__setattr__(self, "softmax", clock.wrap("softmax", super().__call__))

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """See :class:`Sampling`."""
        return self.softmax(logits)  # type: ignore[attr-defined, no-any-return]


class TimedRule(KSeq):
    """K-SEQ under a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        object.__setattr__(self, "timed", clock.wrap("selection", super().plan))

    def plan(self, *args: Any, **options: Any) -> Any:
        """See :class:`KSeq`."""
        return self.timed(*args, **options)  # type: ignore[attr-defined]


def share(target: Path, draft: Path, device: str, dtype: str) -> dict[str, float]:
    """Seconds in each step while SpecTr (K = L = 8) continues prompts of six tokens by 24."""
    clock = Clock(device)
    session = TransformerTarget(load_checkpoint(target).model(device, dtype), TimedSampling(clock))
    drafting = NGramDraft(load_ngram(draft / "ngram.safetensors"), device)
    generator = torch.Generator(device).manual_seed(0)
    session.rows.feed = clock.wrap("reading", session.rows.feed)  # type: ignore[method-assign]
    session.rows.logits = clock.wrap("output layer", session.rows.logits)  # type: ignore[method-assign]
    block.draw = clock.wrap("selection", draw)  # type: ignore[attr-defined]
    with torch.inference_mode():
        for seconds in ({}, clock.seconds):
            clock.seconds = seconds
            for prompt in PROMPTS:
                size = BlockSize(8, 8)
                generate(session, drafting, TimedRule(clock), [prompt], size, tokens=24, generator=generator)
    return clock.seconds


def main() -> None:
    """Print both parts."""
    times = selection_times()
    for size, seconds in times.items():
        print(f"|V| = {size:>7,}: {1e3 * seconds:8.3f} ms")
    large = [size for size in SIZES if size >= 2**14]
    slope = np.polyfit(np.log(large), np.log([times[size] for size in large]), 1)[0]
    print(f"log-log slope from {large[0]:,} on: {slope:.2f}")
    if len(sys.argv) == 3:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = "bfloat16" if device == "cuda" else "float32"
        spent = share(Path(sys.argv[1]), Path(sys.argv[2]), device, dtype)
        call = spent["reading"] + spent["output layer"]
        for name, value in spent.items():
            print(f"{name:>13}: {value:7.3f} s")
        part = (spent["softmax"] + spent["selection"]) / call
        print(f"softmax and selection over the target's call on {device}: {100 * part:.1f} %")


if __name__ == "__main__":
    main()
