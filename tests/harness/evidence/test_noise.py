"""Noise between environments: measured, and believed by verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from harness.claims import Claim, Control, Exact, Trend, alone
from harness.evidence.lost import Gate
from harness.evidence.noise import NoiseFound, noise_of, pooled
from harness.evidence.verdicts import judge
from harness.evidence.watched import watch
from harness.store.memory import MemoryRun
from harness.store.noise import BASELINE
from harness.store.records import VerdictRecord
from tests.harness.evidence.worlds import (
    SMALL,
    cell,
    claim,
    direction,
    experiment,
    run_of,
    seeded,
    suite,
    trial,
)

EFFECTS = np.array([0.19, 0.22, 0.17])
SPREAD = np.array([-0.01, 0.02, -0.03, 0.04, -0.02])


def measured(runs: Mapping[str, MemoryRun], *claims: Claim) -> NoiseFound:
    chosen = claims or (claim(direction()),)
    return noise_of(suite(chosen), SMALL, runs, chosen)


def moved(**shifts: float | np.ndarray) -> dict[str, MemoryRun]:
    """A baseline, and a run for each variant in which θ is moved by so much."""
    runs = {BASELINE: run_of(seeded(EFFECTS))}
    return runs | {name: run_of(seeded(EFFECTS + shift)) for name, shift in shifts.items()}


def test_the_floor_is_the_deviation_within_seeds() -> None:
    rows = [[0.10, 0.40, 0.20], [0.13, 0.38, 0.27], [0.05, 0.41, 0.22], [0.11, 0.33, 0.24]]
    floor, shared = pooled(np.array(rows))
    within = statistics.fmean(statistics.variance(column) for column in zip(*rows, strict=True))
    of_means = statistics.variance([statistics.fmean(row) for row in rows])
    assert floor == pytest.approx(within**0.5)
    assert shared == pytest.approx(max((3 * of_means - within) / 2, 0.0) ** 0.5)


def test_what_all_seeds_share_is_told_from_what_they_do_not() -> None:
    shifts = np.array([[0.0], [0.01], [0.03]])
    floor, shared = pooled(shifts + np.array([0.2, 0.5, 0.9]))
    assert floor == pytest.approx(shared) == pytest.approx(statistics.stdev(shifts.ravel()))
    floor, shared = pooled(np.array([[0.0, 0.1], [0.1, 0.0]]))
    assert [floor, shared] == pytest.approx([0.1 / 2**0.5, 0.0])
    floor, shared = pooled(np.array([[0.0], [0.1]]))
    assert floor == shared > 0


def test_both_parts_are_estimated_without_bias() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(0, 2, size=(4000, 4, 1))
    found = np.array([pooled(values) for values in common + rng.normal(0, 1, size=(4000, 4, 3))])
    assert np.mean(found**2, axis=0) == pytest.approx([5, 4], rel=0.05)


def test_a_variant_is_told_by_how_far_it_moves_theta() -> None:
    found = measured(moved(threads=0.004, dtype=np.array([0.01, -0.01, 0.02]), batch=0.0))
    [quantity] = found.claims["C1"].quantities
    expected = {"threads": 0.004, "dtype": (0.0006 / 3) ** 0.5, "batch": 0.0}
    assert quantity.moved == pytest.approx(expected, abs=1e-12)
    assert (quantity.seeds, quantity.decides) == (3, True)


def test_what_leaves_theta_as_it_is_is_no_other_environment() -> None:
    undiluted, diluted = (measured(runs) for runs in (moved(dtype=0.01), moved(dtype=0.01, threads=0.0)))
    assert diluted.claims["C1"].floor == pytest.approx(0.01 / 2**0.5)
    assert diluted.claims["C1"].floor == undiluted.claims["C1"].floor
    assert measured(moved(threads=0.0)).claims["C1"].floor == 0


def test_a_variant_that_changes_no_row_is_named() -> None:
    runs = moved(dtype=0.0, threads=0.01)
    for name, run in runs.items():
        for key, item in run.trials.items():
            rows = "other" if name == "threads" else "same"
            run.trials[key] = item.model_copy(update={"units_sha256": rows})
    assert measured(runs).untouched == ("dtype",)


def test_a_variant_that_failed_leaves_a_gap() -> None:
    runs = moved(threads=0.01, dtype=0.01)
    runs["dtype"].trials["e/t/a/101"] = trial("a", 101, status="failed")
    [quantity] = measured(runs).claims["C1"].quantities
    assert quantity.moved.keys() == {"threads"}


def test_nothing_is_measured_without_a_variant_or_a_baseline() -> None:
    runs = moved(threads=0.01)
    found = measured({BASELINE: runs[BASELINE]})
    assert found.claims == {}
    assert "No variant gave" in found.unmeasured["C1"]
    runs[BASELINE].trials["e/t/a/101"] = trial("a", 101, status="failed")
    assert "no result" in measured(runs).unmeasured["C1"]


def exact_run(error: float, *, confirmed: bool = True) -> MemoryRun:
    run = run_of({"a": np.zeros((1, 1))})
    rows = {"unit_id": ["u"], "error": [error], "tolerance": [1e-6], "case": ["c"], "confirmed": [confirmed]}
    run.tables["e/t/a/100", "main"] = {name: np.asarray(column) for name, column in rows.items()}
    return run


@pytest.mark.parametrize("confirmed", [True, False])
def test_an_exact_claim_that_moves_beyond_its_tolerance_is_told(*, confirmed: bool) -> None:
    exact = claim(Exact((cell("a"),), oracle="arithmetic"))
    holds, broken = exact_run(1e-7), exact_run(0.1, confirmed=confirmed)
    [told] = measured({BASELINE: holds, "dtype": broken, "threads": holds}, exact).broken
    assert told.startswith("C1, dtype: ")
    assert measured({BASELINE: broken, "dtype": broken}, exact).broken == ()


def verdict(run: MemoryRun, declared: Claim | None = None, **noise: float) -> VerdictRecord:
    run.record = run.record.model_copy(update={"noise": noise})
    [found] = judge(suite([declared or claim(direction())]), SMALL, run).verdicts
    return found


def half(found: VerdictRecord, at: int = 0) -> float:
    effect = found.tests[at].effect
    assert effect.high is not None
    return effect.high - effect.value


def test_a_verdict_believes_no_less_spread_than_its_run_was_started_with() -> None:
    run = run_of(seeded(0.2 + SPREAD / 100))
    plain, floored = verdict(run), verdict(run, C1=0.05)
    assert (plain.noise_floor, floored.noise_floor) == (0.0, 0.05)
    assert half(floored) == pytest.approx(2.7764 * 0.05 / np.sqrt(5), rel=1e-3)
    assert half(plain) < half(floored)
    assert verdict(run, C2=0.05) == plain


def test_of_a_declared_and_a_measured_floor_the_larger_counts() -> None:
    run, declared = run_of(seeded(0.2 + SPREAD / 100)), claim(direction(noise_floor=0.05))
    assert verdict(run, declared, C1=0.02).noise_floor == 0.05
    assert verdict(run, declared, C1=0.08).noise_floor == 0.08


def test_a_floor_decides_nothing_that_equal_seeds_leave_open() -> None:
    run = run_of(seeded(np.full(5, 0.2)))
    plain, floored = verdict(run), verdict(run, C1=1e-9)
    assert plain.tests[0].p_plus == floored.tests[0].p_plus == 2**-5
    assert plain.verdict == floored.verdict == "inconclusive"
    assert floored.needed_seeds == plain.needed_seeds == {"θ = 2δ": 6, "θ = 0": 6}


def test_a_step_of_a_trend_is_as_noisy_as_its_width() -> None:
    methods = {name: np.full((5, 4), value) for name, value in (("a", 0.1), ("b", 0.5), ("c", 0.9))}
    points = ((1.0, alone(cell("a"))), (2.0, alone(cell("b"))), (4.0, alone(cell("c"))))
    trend = Trend(points, delta=0.1, delta_reason="r", step_margin=0.1)
    found = verdict(run_of(methods), claim(trend), C1=0.01)
    slope, first, second = (half(found, at) for at in range(3))
    assert [first, second] == pytest.approx([slope, 2 * slope])


def test_controls_are_held_to_the_same_floor() -> None:
    control = Control(id="K", title="broken", replaces={"a": "bad"}, predicts={"C1": "kill"})
    scores = seeded(0.2 + SPREAD / 100)
    run = run_of(scores | {"bad": scores["b"]})
    declared = suite([claim(direction())], [experiment(["a", "b", "bad"], range(100, 105))], [control])
    [plain] = judge(declared, SMALL, run).controls
    run.record = run.record.model_copy(update={"noise": {"C1": 10.0}})
    [floored] = judge(declared, SMALL, run).controls
    assert (plain.outcome, floored.outcome) == ("kill", "undecided")


def test_a_gate_believes_no_less_spread_than_the_floor() -> None:
    before, after = run_of(seeded(EFFECTS)), run_of(seeded(EFFECTS))
    gate = Gate(suite([claim(direction(delta=0.1))]), SMALL, before, after)
    assert [item.least_spread for item in watch(gate)] == pytest.approx([0.01] * 3)
    after.record = after.record.model_copy(update={"noise": {"C1": 0.03}})
    assert [item.least_spread for item in watch(gate)] == [0.03] * 3
    assert [item.least_spread for item in watch(replace(gate, baseline=after, run=before))] == [0.03] * 3
