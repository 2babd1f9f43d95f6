"""How often the rules of evidence are right, by simulation with the harness's own functions.

Run it with ``python benchmarks/evidence_simulations.py [--runs N]``; it prints a Markdown table.
Each line has a stream of random numbers of its own, so lines can be run alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from harness.claims.findings import flips_needed
from harness.evidence.crossed import additive, crossed_distribution
from harness.evidence.distributions import Floats, bca, student
from harness.evidence.family import holm
from harness.evidence.power import Spread, Supposed

ALPHA = 0.025
SIZES = (3, 5, 10)
RESAMPLES = 999

Row = tuple[str, str, str]
"""Question, figure of the design, figure here."""


def coverage(draw: Callable[[int], Floats], truth: float, runs: int) -> str:
    """Share of t intervals that hold the truth, at n = 3, 5 and 10."""
    shares = []
    for n in SIZES:
        laws = (student(draw(n)) for _ in range(runs))
        bounds = [law.interval() for law in laws if law]
        shares.append(np.mean([low <= truth <= high for low, high in bounds]))
    return " / ".join(f"{share:.3f}" for share in shares)


def bca_coverage(rng: np.random.Generator, runs: int) -> str:
    """The same for BCa, where resamples that all agree count as a miss."""
    shares = []
    for n in SIZES:
        hits = []
        for _ in range(runs):
            values = rng.normal(0, 1, n)
            samples = values[rng.integers(0, n, (RESAMPLES, n))].mean(axis=1)
            low, high = bca(values.mean(), samples, (values.sum() - values) / (n - 1), n).interval()
            hits.append(low <= 0 <= high)
        shares.append(np.mean(hits))
    return " / ".join(f"{share:.3f}" for share in shares)


def intervals(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """Coverage of one-sample intervals."""
    normal = coverage(lambda n: rng.normal(0, 1, n), 0.0, runs)
    yield "95 % coverage of t, normal differences, n = 3 / 5 / 10", ".95", normal
    yield "95 % coverage of BCa, the same", ".73 / .84 / .90", bca_coverage(rng, runs // 5)

    def with_collapse(n: int) -> Floats:
        return rng.normal(0, 1, n) - 30 * (rng.random(n) < 0.2)

    yield "t where 20 % of seeds collapse by 30 sd", ".53 / .67 / .89", coverage(with_collapse, -6.0, runs)


def crossed(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """Two-sided type I error over 300 units × 5 seeds (sd: unit 1, seed .2, residual 1)."""
    wrong = dict.fromkeys(("rows as iid", "one seed", "seed-averaged items", "max-rule"), 0)
    for _ in range(runs):
        matrix = world(rng, 300, 5, seed_sd=0.2)
        wrong["rows as iid"] += excludes_zero(matrix.ravel())
        wrong["one seed"] += excludes_zero(matrix[:, 0])
        wrong["seed-averaged items"] += excludes_zero(matrix.mean(axis=1))
        wrong["max-rule"] += max_rule_excludes_zero(matrix)
    design = dict(zip(wrong, (".52", ".46", ".26", ".049"), strict=True))
    for name, count in wrong.items():
        yield f"crossed 300 × 5, type I, {name}", design[name], f"{count / runs:.3f}"
    rates = []
    for seed_sd in (0.02, 0.05, 0.1, 0.2, 1.0):
        found = [max_rule_excludes_zero(world(rng, 300, 3, seed_sd)) for _ in range(runs // 2)]
        rates.append(float(np.mean(found)))
    yield "max-rule, worst of five seed sds, 3 seeds", ".078", f"{max(rates):.3f}"


def world(rng: np.random.Generator, units: int, seeds: int, seed_sd: float) -> Floats:
    """Differences with no effect, of shape (units, seeds)."""
    parts = rng.normal(0, 1, (units, 1)), rng.normal(0, seed_sd, (1, seeds)), rng.normal(0, 1, (units, seeds))
    return np.asarray(sum(parts))


def excludes_zero(values: Floats) -> bool:
    """Whether the t interval of values excludes zero."""
    law = student(values)
    low, high = law.interval() if law else (0.0, 0.0)
    return not low <= 0 <= high


def max_rule_excludes_zero(matrix: Floats) -> bool:
    """Whether the crossed interval excludes zero."""
    law = crossed_distribution(float(matrix.mean()), additive([matrix]), matrix.shape[1])
    low, high = law.interval()
    return not low <= 0 <= high


def rule(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """The direction rule at n = 5 and sd = δ, without a family."""
    design = {0.0: ".007, .41", 1.0: ".32, .026", 2.0: ".905, 0"}
    for theta, expected in design.items():
        laws = [law for law in (student(rng.normal(theta, 1, 5)) for _ in range(runs)) if law]
        held = np.mean([law.p_above(0.0) <= ALPHA and law.value >= 1 for law in laws])
        fell = np.mean([law.p_below(1.0) <= ALPHA for law in laws])
        yield f"direction rule, θ = {theta:g}δ: reproduced, not", expected, f"{held:.3f}, {fell:.3f}"


def power(_: np.random.Generator, __: int) -> Iterator[Row]:
    """Effects and margins that 80 % power needs, in sd."""
    for name, alpha, design in (
        ("effect for 80 % power, n = 3 / 5 / 10", ALPHA, "3.3 / 1.7 / 1.0"),
        ("the same as Holm's first step of 12", ALPHA / 12, "11.3 / 3.3 / 1.5"),
    ):
        yield name, design, " / ".join(f"{effect_for(n, alpha):.2f}" for n in SIZES)


def _power(n: int, effect: float, alpha: float) -> float:
    """Power of the one-sided t test at a standardised effect."""
    return Supposed(effect, alpha, lower=0.0).passes(n, Spread(1.0))


def effect_for(n: int, alpha: float) -> float:
    """The standardised effect at which the one-sided t test has 80 % power."""
    low, high = 0.0, 100.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if _power(n, middle, alpha) >= 0.8 else (middle, high)
    return high


def equivalence(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """The margin at which two one-sided tests have 80 % power where nothing differs."""
    margins = []
    for n in SIZES:
        laws = [law for law in (student(rng.normal(0, 1, n)) for _ in range(runs)) if law]
        # [L, U] lies inside (−Δ, Δ) exactly if Δ exceeds both ends.
        reach = [max(abs(bound) for bound in law.interval()) for law in laws]
        margins.append(np.quantile(reach, 0.8))
    text = " / ".join(f"{margin:.2f}" for margin in margins)
    yield "equivalence margin for 80 % power, n = 3 / 5 / 10", "3.7 / 1.9 / 1.2", text


def families(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """False claims in suites of twelve without any effect."""
    false = 0
    for _ in range(runs // 4):
        laws = [law for law in (student(rng.normal(0, 1, 5)) for _ in range(12)) if law]
        adjusted = holm([law.p_above(0.0) for law in laws])
        false += any(p is not None and p <= ALPHA for p in adjusted)
    yield "A/A over 12 claims, any reproduced", ".025", f"{false / (runs // 4):.3f}"


def tuning(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """One-sided type I error of the best of five settings against one, n = 5."""
    same = fresh = 0
    for _ in range(runs):
        scores, rival = rng.normal(0, 1, (5, 5)), rng.normal(0, 1, 5)
        best = scores[np.argmax(scores.mean(axis=1))]
        same += passes(best - rival)
        fresh += passes(rng.normal(0, 1, 5) - rival)
    yield "5 settings against 1, tuned on the verdict's seeds", ".073", f"{same / runs:.3f}"
    yield "the same on fresh seeds", ".024", f"{fresh / runs:.3f}"


def passes(values: Floats) -> bool:
    """Whether θ ≤ 0 is rejected."""
    law = student(values)
    return law is not None and law.p_above(0.0) <= ALPHA


def peeking(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """One-sided type I error of stopping at the first success."""
    looks = (5, 8, 12, 20)
    each = planned = 0
    for _ in range(runs):
        values = rng.normal(0, 1, 20)
        each += any(passes(values[:n]) for n in range(3, 21))
        laws = [student(values[:n]) for n in looks]
        planned += any(law is not None and len(looks) * law.p_above(0.0) <= ALPHA for law in laws)
    yield "peeking after each seed from 3 to 20", ".116", f"{each / runs:.3f}"
    yield "four looks planned, p × 4", ".022", f"{planned / runs:.3f}"


def sign_flips(_: np.random.Generator, __: int) -> Iterator[Row]:
    """The least p of the exact sign-flip test."""
    pairs = flips_needed(ALPHA / 12)
    floor = 2 / 2**5
    yield "sign-flip of five pairs, least two-sided p", ".0625", f"{floor}"
    yield "pairs needed under Holm over 12", "9", str(pairs)


LINES = (intervals, crossed, rule, power, equivalence, families, tuning, peeking, sign_flips)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4000, help="simulated experiments a line")
    parser.add_argument("--only", choices=[line.__name__ for line in LINES])
    args = parser.parse_args()
    print(
        f"Simulated experiments a line: {args.runs}; a share near .05 has a standard error of "
        f"{np.sqrt(0.05 * 0.95 / args.runs):.4f}.\n"
    )
    print("| question | design | here |\n|---|---|---|")
    for number, line in enumerate(LINES):
        if args.only in (None, line.__name__):
            for question, design, here in line(np.random.default_rng(number), args.runs):
                print(f"| {question} | {design} | {here} |", flush=True)


if __name__ == "__main__":
    main()
