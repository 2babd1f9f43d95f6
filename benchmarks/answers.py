"""Two builds of this project side by side: what small runs cost, which claims stay open, the dearest steps.

Run it on a quiet machine from the repository's root; ``BEFORE`` is a work tree of the earlier build
(``git worktree add BEFORE COMMIT``)::

    python -m benchmarks.answers BEFORE [--suites lora-rite,spectr] [--seeds 1] [--rounds 5]

Both builds run in processes of their own, by turns, in empty homes. Costs are CPU seconds a seed over what
both plan (experiment, task, method, stage), so that neither wider plans nor fewer seeds count as speed. Open
claims are counted in the committed results of each build, and so are measured times of SpecTr.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent.parent
STEPS = (8, 16)
WIDTHS = (512, 1024, 2048)

STEP = """
import json, statistics, sys, time
import torch
from methods.lora_rite import LoraRite, Pair
rank, width = int(sys.argv[1]), int(sys.argv[2])
rng = torch.Generator().manual_seed(0)
def factor(*shape):
    made = torch.nn.Parameter(torch.randn(shape, generator=rng))
    made.grad = 1e-4 * torch.randn(shape, generator=rng)
    return made
pairs = [Pair(factor(rank, width), factor(width, rank), f"{i}") for i in range(24)]
optimizer = LoraRite(pairs)
adam = torch.optim.AdamW([x for p in pairs for x in (p.a, p.b)], lr=1e-4, fused=True)
def clock(step):
    times = []
    for _ in range(9):
        start = time.perf_counter(); step(); times.append(time.perf_counter() - start)
    return statistics.median(times[2:])
print(json.dumps([clock(optimizer.step), clock(adam.step)]))
"""
"""Seconds of one step over 24 pairs: LoRA-RITE's, and fused AdamW's on the same factors."""

KSEQ = """
import json, statistics, sys, time
import numpy as np, torch
from methods.spectr.selection import KSeq, draw, sample
kind = getattr(torch, sys.argv[1])
rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
logits = torch.from_numpy(2.0 * rng.normal(size=(1, 2**18)))
noisy = logits + torch.from_numpy(rng.normal(size=(1, 2**18)))
p, q = torch.softmax(noisy, 1).to(kind), torch.softmax(logits, 1).to(kind)
active, times = torch.ones((1, 8), dtype=torch.bool), []
for _ in range(12):
    numbers = torch.rand((2, 9), generator=generator, dtype=torch.float64)
    candidates = sample(p.expand(8, 2**18), numbers[0, :8])[None]
    start = time.perf_counter()
    draw(KSeq().plan(p, q, candidates, active), candidates, numbers[1:])
    times.append(time.perf_counter() - start)
print(json.dumps([statistics.median(times[2:])]))
"""
"""Seconds of one selection over 262,144 ids with eight candidates."""


@dataclass(frozen=True)
class Build:
    """A work tree, with a home and a folder of runs of its own."""

    tree: Path
    scratch: Path

    def python(self, *args: str) -> str:
        """What a process of this build prints."""
        env = {**os.environ, "PYTHONPATH": str(self.tree), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        env["CORROBORATE_HOME"] = str(self.scratch / "home")
        env["CORROBORATE_RUNS"] = str(self.scratch / "runs")
        done = subprocess.run(
            [sys.executable, *args], cwd=self.tree, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"{self.tree}: {' '.join(args[:4])} ended with {done.returncode}\n{done.stderr}")
        return done.stdout

    def costs(self, suite: str, seeds: str) -> dict[tuple[str, ...], float]:
        """Mean CPU seconds of a fresh small run's trials, by what they are but for the seed; no artifacts."""
        self.python("-m", "harness.cli.main", "run", suite, "--seeds", seeds, "--no-report")
        newest = max((self.scratch / "runs").glob("*/trials.jsonl"), key=lambda path: path.stat().st_mtime)
        found: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for line in newest.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["kind"] == "trial" and row["cost"]["cpu_s"] is not None:
                key = tuple(str(row[name]) for name in ("experiment", "task", "method", "stage"))
                found[key].append(row["cost"]["cpu_s"])
        return {key: statistics.mean(seconds) for key, seconds in found.items()}


def median_ratio(before: Build, after: Build, code: str, *args: str, rounds: int) -> tuple[list[float], ...]:
    """Medians over rounds in which the builds take turns: what each printed."""
    found: tuple[list[list[float]], list[list[float]]] = ([], [])
    for _ in range(rounds):
        for build, kept in zip((before, after), found, strict=True):
            kept.append(json.loads(build.python("-c", code, *args)))
    return tuple([statistics.median(column) for column in zip(*kept, strict=True)] for kept in found)


def steps(before: Build, after: Build, rounds: int) -> Iterator[str]:
    """LoRA-RITE's step and K-SEQ's selection under both builds."""
    yield "| step | before, ms | after, ms | after / before | after / fused AdamW |"
    yield "|---|---|---|---|---|"
    for rank in STEPS:
        for width in WIDTHS:
            old, new = median_ratio(before, after, STEP, str(rank), str(width), rounds=rounds)
            yield _row(f"LoRA-RITE, 24 pairs, r = {rank}, {width} wide", old[0], new[0], new[0] / new[1])
    for kind in ("float64", "float32"):
        old, new = median_ratio(before, after, KSEQ, kind, rounds=rounds)
        yield _row(f"K-SEQ, 262,144 ids, K = 8, {kind}", old[0], new[0], None)


def _row(what: str, old: float, new: float, beside: float | None) -> str:
    last = "" if beside is None else f"{beside:.1f}"
    return f"| {what} | {1000 * old:.2f} | {1000 * new:.2f} | {new / old:.2f} | {last} |"


def small_runs(before: Build, after: Build, suites: Sequence[str], seeds: str) -> Iterator[str]:
    """CPU seconds a seed of what both builds plan, by suite and together."""
    yield "| suite | planned by both | before, CPU s a seed | after, CPU s a seed | ratio |"
    yield "|---|---|---|---|---|"
    total = [0.0, 0.0]
    for suite in suites:
        old, new = before.costs(suite, seeds), after.costs(suite, seeds)
        common = old.keys() & new.keys()
        sums = [sum(costs[key] for key in common) for costs in (old, new)]
        total = [a + b for a, b in zip(total, sums, strict=True)]
        if not common:
            yield f"| {suite} | 0 | | | |"
            continue
        yield f"| {suite} | {len(common)} | {sums[0]:.1f} | {sums[1]:.1f} | {sums[1] / sums[0]:.2f} |"
    if len(suites) > 1:
        yield f"| together | | {total[0]:.1f} | {total[1]:.1f} | {total[1] / total[0]:.2f} |"


def open_claims(before: Path, after: Path) -> Iterator[str]:
    """Whole claims that the committed small results leave open, and how many there are."""
    yield "| suite | before | after |"
    yield "|---|---|---|"
    totals = [[0, 0], [0, 0]]
    for folder in sorted((after / "suites").glob("*/reference/small")):
        cells = []
        for number, tree in enumerate((before, after)):
            file = tree / folder.relative_to(after) / "verdicts.json"
            verdicts = whole_claims(json.loads(file.read_text(encoding="utf-8")))
            undecided = sum(verdict == "inconclusive" for verdict in verdicts.values())
            totals[number][0] += undecided
            totals[number][1] += len(verdicts)
            cells.append(f"{undecided} of {len(verdicts)}")
        yield f"| {folder.parent.parent.name} | {' | '.join(cells)} |"
    yield f"| together | {' | '.join(f'{some} of {all_}' for some, all_ in totals)} |"


def whole_claims(record: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """The verdict on each claim, compound ones as wholes."""
    single = {row["claim"]: row["verdict"] for row in record["verdicts"] if not row["parent"]}
    return single | {row["claim"]: row["verdict"] for row in record["wholes"]}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("before", type=Path, help="work tree of the earlier build")
    parser.add_argument("--suites", default="", help="small runs of these, by commas (default: none)")
    parser.add_argument("--seeds", default="1", help="of each experiment (default: 1)")
    parser.add_argument("--rounds", type=int, default=5, help="of each step (default: 5)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        before = Build(chosen.before.resolve(), Path(scratch, "before"))
        after = Build(HERE, Path(scratch, "after"))
        tables = [open_claims(before.tree, HERE), steps(before, after, chosen.rounds)]
        suites = [name for name in chosen.suites.split(",") if name]
        if suites:
            tables.append(small_runs(before, after, suites, chosen.seeds))
        for table in tables:
            for line in table:
                print(line, flush=True)
            print(flush=True)


if __name__ == "__main__":
    main()
