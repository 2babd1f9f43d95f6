"""How often a gate between two environments fails by chance, and how large a fall it sees.

    python -m benchmarks.gate [--baselines 2000] [--runs 500]

A suite gates by twenty metrics with ten seeds each. The baseline is drawn anew each time; for each, runs
of the same method are drawn, and runs in which one metric fell. Metrics of a suite share seeds and
methods, so the figures are given for independent and for correlated ones. The decision is that of
:mod:`harness.evidence.fresh`, computed for all draws at once and held to it on a sample of them.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from harness.evidence.fresh import FAMILY_RATE, fall, judge_falls

METRICS, SEEDS = 20, 10


def draws(rng: np.random.Generator, count: int, correlation: float) -> np.ndarray:
    """Seeds of all metrics, shape (count, METRICS, SEEDS), with unit variance."""
    shared = rng.normal(size=(count, 1, SEEDS))
    own = rng.normal(size=(count, METRICS, SEEDS))
    return np.asarray(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)


def first_falls(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Holm-adjusted p-value of each metric's fall, shape (runs, METRICS)."""
    change = after.mean(-1) - before.mean(-1)
    pooled = np.sqrt((before.var(-1, ddof=1) + after.var(-1, ddof=1)) / 2)
    p = stats.t.cdf(change / (pooled * np.sqrt(2 / SEEDS)), 2 * SEEDS - 2)
    order = np.argsort(p, axis=-1)
    steps = np.take_along_axis(p, order, -1) * np.arange(p.shape[-1], 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0)
    result: np.ndarray = np.empty(p.shape)
    np.put_along_axis(result, order, adjusted, -1)
    return result


def check(rng: np.random.Generator) -> None:
    """Hold the decisions to the harness's own, metric by metric."""
    before, after = draws(rng, 1, 0.3)[0], draws(rng, 20, 0.3) - rng.choice([0.0, 1.0], (20, METRICS, 1))
    for one, fast in zip(after, first_falls(before, after), strict=True):
        slow = judge_falls([fall(x, y) for x, y in zip(before, one, strict=True)])
        assert np.allclose([answer.p_down for answer in slow], fast)


def simulate(correlation: float, baselines: int, runs: int) -> dict[str, float]:
    """Shares of failing gates by chance, and of falls that are seen."""
    rng = np.random.default_rng(0)
    check(rng)
    alarms, seen = [], {1.0: [], 2.0: [], 4.0: []}  # type: tuple[list[float], dict[float, list[float]]]
    for _ in range(baselines):
        before = draws(rng, 1, correlation)[0]
        after = draws(rng, runs, correlation)
        alarms.append(float((first_falls(before, after) <= FAMILY_RATE).any(-1).mean()))
        for size, found in seen.items():
            fallen = after.copy()
            fallen[:, 0] -= size
            found.append(float((first_falls(before, fallen)[:, 0] <= FAMILY_RATE).mean()))
    result = {"false alarms": float(np.mean(alarms)), "90th percentile": float(np.quantile(alarms, 0.9))}
    return result | {f"a fall of {size:g} sd": float(np.mean(found)) for size, found in seen.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--baselines", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=500)
    args = parser.parse_args()
    columns = [0.0, 0.5, 0.9]
    results = [simulate(correlation, args.baselines, args.runs) for correlation in columns]
    print("| " + " | ".join(["", *(f"correlation {c:g}" for c in columns)]) + " |")
    print("|" + "---|" * (len(columns) + 1))
    for name in results[0]:
        print("| " + " | ".join([name, *(f"{found[name]:.3f}" for found in results)]) + " |")


if __name__ == "__main__":
    main()
