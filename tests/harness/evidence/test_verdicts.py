"""Known answers: synthetic records with planted effects get the right verdict and reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.claims import (
    Contrast,
    CountCost,
    Direction,
    Equivalence,
    EveryCell,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Ordering,
    Precondition,
    Profile,
    Replication,
    Share,
    Time,
    Trend,
    Value,
)
from harness.evidence import judge
from harness.method import Artifact, Context, mean_of
from harness.store.memory import MemoryRun
from harness.store.records import VerdictRecord
from harness.suite import Reported, Scale, Standing, Suite
from tests.harness.evidence.worlds import (
    SCORE,
    SMALL,
    Idle,
    cell,
    claim,
    direction,
    experiment,
    gain,
    run_of,
    seeded,
    suite,
    timed_run,
    trial,
)

SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


def verdict(form: object, run: MemoryRun, **more: object) -> VerdictRecord:
    return judge(suite([claim(form)], **more), SMALL, run).verdicts[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("effects", "expected", "cause"),
    [
        (0.2 + SPREAD, "reproduced", ""),
        (0.0 + SPREAD, "not reproduced", ""),
        (0.03 + SPREAD, "not reproduced", ""),
        (-0.2 + SPREAD, "not reproduced", "reversed"),
        (0.05 + 10 * SPREAD, "inconclusive", "power"),
        (0.2 + SPREAD[:4], "inconclusive", "power"),
        (np.array([0.2, 0.2, 0.2, 0.2, 0.2]), "inconclusive", "power"),
        (np.full(6, 0.2), "reproduced", ""),
        (np.array([0.2, 0.21, 0.19, 0.2, -0.4]), "inconclusive", "power"),
    ],
    ids=[
        "clear",
        "absent",
        "tiny",
        "reversed",
        "wide",
        "too few seeds",
        "zero variance, five seeds",
        "zero variance, six seeds",
        "a collapsed seed",
    ],
)
def test_direction_known_answers(effects: np.ndarray, expected: str, cause: str) -> None:
    found = verdict(direction(), run_of(seeded(effects)))
    assert (found.verdict, found.cause) == (expected, cause)


def test_clear_effect_carries_its_evidence() -> None:
    effects = 0.2 + SPREAD
    found = verdict(direction(), run_of(seeded(effects)))
    test = found.tests[0]
    assert test.effect.value == pytest.approx(0.2)
    assert test.replicates == pytest.approx(effects.tolist())
    assert [c.value for c in test.cells] == pytest.approx([0.7, 0.5])
    assert test.seeds == 5
    assert test.p_sign_flip == pytest.approx(2**-5)
    assert found.delta == 0.1
    assert len(found.trials) == 10
    assert "at this scale" in found.scope


def test_collapse_is_named_and_ten_seeds_settle_it() -> None:
    few = verdict(direction(), run_of(seeded([0.2, 0.21, 0.19, 0.2, -0.4])))
    assert "collapsed" in few.reason
    many = verdict(direction(), run_of(seeded([*(0.5 + SPREAD), *(0.5 + SPREAD), 0.3])))
    assert many.verdict == "reproduced"


def test_diverged_trial_takes_the_worst_score_and_counts_as_collapse() -> None:
    run = run_of(seeded(0.2 + SPREAD))
    diverged = trial("a", 104, status="diverged")
    run.trials[diverged.trial] = diverged
    found = verdict(direction(), run)
    assert (found.verdict, found.cause) == ("inconclusive", "power")
    assert found.tests[0].replicates[4] == pytest.approx(-0.5)


def test_diverged_trial_without_a_worst_score_is_invalid() -> None:
    run = run_of(seeded(0.2 + SPREAD))
    diverged = trial("a", 104, status="diverged")
    run.trials[diverged.trial] = diverged
    theta = gain(metric=mean_of("score", better="higher"))
    found = verdict(direction(theta=theta), run)
    assert (found.verdict, found.cause) == ("inconclusive", "invalid")


@pytest.mark.parametrize("status", ["failed", "timeout", "memory", "absent"])
def test_missing_trials_are_named(status: str) -> None:
    run = run_of(seeded(0.2 + SPREAD))
    if status == "absent":
        del run.trials["e/t/a/102"]
    else:
        run.trials["e/t/a/102"] = trial("a", 102, status=status)
    found = verdict(direction(), run)
    assert (found.verdict, found.cause) == ("inconclusive", "invalid")
    assert "e/t/a/102" in found.reason
    assert found.trials == ["e/t/a/102"]


def test_rows_lost_from_disk_are_missing_trials() -> None:
    run = run_of(seeded(0.2 + SPREAD))
    del run.tables["e/t/b/101", "main"]
    found = verdict(direction(), run)
    assert (found.verdict, found.cause) == ("inconclusive", "invalid")
    assert "e/t/b/101" in found.reason


def test_variance_between_seeds_only_is_not_hidden_by_many_units() -> None:
    # 1000 units that agree within each seed: as iid rows the effect would be certain.
    effects = np.array([0.5, -0.3, 0.4, -0.2, 0.35])
    for replication in (Replication.SEEDS, Replication.CROSSED):
        found = verdict(direction(replication=replication), run_of(seeded(effects, units=1000)))
        assert (found.verdict, found.cause) == ("inconclusive", "power")


def test_failed_assay_comes_before_the_rule_whatever_the_sign() -> None:
    assay = Precondition(
        "headroom", Contrast(((-1.0, cell("b")),), constant=-1.0), above=0.6, reason="b is near the top"
    )
    for effects in (0.2 + SPREAD, -0.2 + SPREAD):
        found = verdict(direction(preconditions=(assay,)), run_of(seeded(effects)))
        assert (found.verdict, found.cause) == ("inconclusive", "assay")
        assert not found.assays[0].passed
        assert found.assays[0].effect.value == pytest.approx(0.5)
    passing = Precondition("headroom", assay.theta, above=0.4, reason="")
    assert verdict(direction(preconditions=(passing,)), run_of(seeded(0.2 + SPREAD))).verdict == "reproduced"


def test_an_assay_needs_its_whole_interval() -> None:
    noisy = seeded(0.2 + SPREAD)
    noisy = {name: values + np.array([0.4, -0.4, 0.2, -0.2, 0.1])[:, None] for name, values in noisy.items()}
    level = Precondition("level", Contrast(((1.0, cell("b")),)), above=0.3, reason="b is not at the floor")
    found = verdict(direction(preconditions=(level,)), run_of(noisy))
    assert found.assays[0].effect.value > 0.3
    assert found.cause == "assay"


def test_assay_band_has_two_sides() -> None:
    band = Precondition(
        "band", Contrast(((1.0, cell("b")),)), above=0.4, below=0.45, reason="outside the band"
    )
    found = verdict(direction(preconditions=(band,)), run_of(seeded(0.2 + SPREAD)))
    assert found.cause == "assay"


def test_mixed_profiles_are_not_comparable() -> None:
    declared = suite([claim(direction(), profile=Profile.GPU)])
    run = run_of(seeded(0.2 + SPREAD), declared)
    found = judge(declared, Scale(profile=Profile.GPU), run).verdicts[0]
    assert found.verdict == "not comparable"
    assert "small" in found.reason


def test_pilot_seeds_never_enter() -> None:
    run = run_of(seeded([0.2, 0.2]), first_seed=99)
    found = verdict(direction(), run)
    assert found.tests[0].seeds == 1
    assert found.tests[0].replicates == pytest.approx([0.2])


def test_tuning_trials_never_enter() -> None:
    run = run_of(seeded(0.2 + SPREAD))
    run.add(trial("a", 1), main={"unit_id": ["u0"], "score": [9.0]})
    assert verdict(direction(), run).verdict == "reproduced"


def test_blocked_and_restricted_runs_still_judge_what_is_there() -> None:
    other = direction(theta=Contrast(((1.0, cell("a")), (-1.0, cell("c")))))
    declared = suite([claim(direction()), claim(other, "C2")])
    run = run_of(seeded(0.2 + SPREAD), declared, selection={"methods": ["a", "b"]})
    first, second = judge(declared, SMALL, run).verdicts
    assert (first.verdict, second.verdict) == ("reproduced", "not run")
    assert "e/t/c" in second.reason
    blocked = run_of({}, declared, blocked={"e": "The licence of gemma is not accepted."})
    found = judge(declared, SMALL, blocked).verdicts
    assert {v.verdict for v in found} == {"not run"}
    assert "licence" in found[0].reason


def test_seeds_below_the_declared_minimum_give_the_number_needed() -> None:
    found = verdict(direction(), run_of(seeded([0.15, 0.25, 0.2])))
    assert (found.verdict, found.cause) == ("inconclusive", "power")
    assert set(found.needed_seeds) == {"θ = 2δ", "θ = 0"}
    assert all(n is not None and n >= 3 for n in found.needed_seeds.values())


def test_restriction_does_not_make_the_family_smaller() -> None:
    # p = .005: decided alone, not as one of ten.
    effects = 0.2 + 6 * SPREAD
    claims = [claim(direction(delta=0.05), f"C{i}") for i in range(1, 2)]
    idle = [claim(direction(theta=gain("x", "y")), f"D{i}") for i in range(9)]
    declared = suite([*claims, *idle])
    alone = judge(declared, SMALL, run_of(seeded(effects), declared)).verdicts[0]
    assert alone.verdict == "reproduced"
    run = run_of(seeded(effects), declared, selection={"claim": ["C1"]})
    restricted = judge(declared, SMALL, run).verdicts[0]
    assert (restricted.verdict, restricted.cause) == ("inconclusive", "multiplicity")


def test_multiplicity_prints_both_p_values() -> None:
    effects = 0.2 + 6 * SPREAD
    claims = [claim(direction(delta=0.05), "C1"), *(claim(_noisy(), f"D{i}") for i in range(9))]
    declared = suite(claims)
    run = run_of(seeded(effects) | _noise(), declared)
    found = judge(declared, SMALL, run).verdicts[0]
    assert (found.verdict, found.cause) == ("inconclusive", "multiplicity")
    test = found.tests[0]
    assert test.p_plus is not None
    assert test.p_plus_adjusted == pytest.approx(10 * test.p_plus)
    assert "alone" in found.reason
    assert "after Holm" in found.reason


def _noisy() -> Direction:
    return direction(theta=gain("x", "y"))


def _noise() -> dict[str, np.ndarray]:
    both = seeded(0.05 + 10 * SPREAD)
    return {"x": both["a"], "y": both["b"]}


def test_rule_changed_after_the_run_is_exploratory() -> None:
    declared = suite([claim(direction())])
    run = run_of(seeded(0.2 + SPREAD), declared)
    assert not judge(declared, SMALL, run).verdicts[0].exploratory
    softer = suite([claim(direction(delta=0.05))])
    assert judge(softer, SMALL, run).verdicts[0].exploratory


def test_judging_twice_gives_the_same_record() -> None:
    rng = np.random.default_rng(5)
    scores = {"a": rng.normal(0.7, 0.1, (1, 80)), "b": rng.normal(0.5, 0.1, (1, 80))}
    declared = suite([claim(direction(replication=Replication.UNITS))])
    run = run_of(scores, declared)
    assert judge(declared, SMALL, run) == judge(declared, SMALL, run)
    assert judge(declared, SMALL, run).verdicts[0].verdict == "reproduced"


def test_units_below_fifty_are_too_few() -> None:
    rng = np.random.default_rng(5)
    scores = {"a": rng.normal(0.7, 0.1, (1, 40)), "b": rng.normal(0.5, 0.1, (1, 40))}
    found = verdict(direction(replication=Replication.UNITS), run_of(scores))
    assert (found.verdict, found.cause) == ("inconclusive", "power")
    assert "40 units" in found.reason


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        (SPREAD, "reproduced"),
        (0.3 + SPREAD, "not reproduced"),
        (-0.3 + SPREAD, "not reproduced"),
        (10 * SPREAD, "inconclusive"),
    ],
)
def test_equivalence(effects: np.ndarray, expected: str) -> None:
    form = Equivalence(theta=gain(), margin=0.1, margin_reason="a tenth", replication=Replication.SEEDS)
    assert verdict(form, run_of(seeded(effects))).verdict == expected


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        (SPREAD, "reproduced"),
        (0.3 + SPREAD, "reproduced"),
        (-0.3 + SPREAD, "not reproduced"),
        (-0.1 + 5 * SPREAD, "inconclusive"),
    ],
)
def test_non_inferiority(effects: np.ndarray, expected: str) -> None:
    form = NonInferiority(theta=gain(), margin=0.1, margin_reason="a tenth", replication=Replication.SEEDS)
    assert verdict(form, run_of(seeded(effects))).verdict == expected


def test_sign_flip_checks_the_threshold_that_the_form_tests() -> None:
    form = NonInferiority(theta=gain(), margin=0.1, margin_reason="", replication=Replication.SEEDS)
    found = verdict(form, run_of(seeded([-0.01, -0.02, -0.015, -0.01, -0.02, -0.012])))
    assert found.verdict == "reproduced"
    assert found.tests[0].p_sign_flip == pytest.approx(2**-6)
    assert "disagrees" not in found.reason


def _levels(**shifts: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.repeat((0.5 + values)[:, None], 4, axis=1) for name, values in shifts.items()}


def test_ordering_needs_every_step_and_falls_with_any() -> None:
    form = Ordering(
        steps=(gain("a", "b"), gain("b", "c")), delta=0.1, delta_reason="", replication=Replication.SEEDS
    )
    alternating = np.array([0.02, -0.01, 0.01, -0.02, 0.0])
    good = _levels(a=0.4 + SPREAD, b=0.2 + alternating, c=0 * SPREAD)
    assert verdict(form, run_of(good)).verdict == "reproduced"
    broken = _levels(a=0.4 + SPREAD, b=0.2 + alternating, c=0.2 + 0.5 * SPREAD)
    found = verdict(form, run_of(broken))
    assert found.verdict == "not reproduced"
    assert len(found.tests) == 2
    open_ended = _levels(a=0.4 + SPREAD, b=0.2 + alternating, c=0.1 + 8 * SPREAD)
    assert verdict(form, run_of(open_ended)).verdict == "inconclusive"


def test_every_cell_corrects_what_makes_it_fall() -> None:
    form = EveryCell(
        thetas=(gain("a", "b"), gain("c", "b")), delta=0.1, delta_reason="", replication=Replication.SEEDS
    )
    found = verdict(form, run_of(_levels(a=0.3 + SPREAD, c=0.05 + SPREAD, b=0 * SPREAD)))
    assert found.verdict == "not reproduced"
    minus = [test.p_minus for test in found.tests]
    adjusted = [test.p_minus_adjusted for test in found.tests]
    assert adjusted[1] == pytest.approx(2 * minus[1])  # type: ignore[operator]


def test_every_cell_falls_only_by_what_holm_leaves() -> None:
    form = EveryCell(
        thetas=(gain("a", "b"), gain("c", "b")), delta=0.1, delta_reason="", replication=Replication.SEEDS
    )
    # Below δ with one-sided p between .0125 and .025 in one of two cells.
    shape = np.array([1.0, -1, 0.5, -0.5, 0])
    found = verdict(form, run_of(_levels(a=0.3 + SPREAD, c=0.04 + 0.06 * shape, b=0 * SPREAD)))
    assert 0.0125 < min(test.p_minus or 1 for test in found.tests) < 0.025
    assert found.verdict == "inconclusive"


def test_claims_with_too_few_seeds_do_not_burden_the_others() -> None:
    # One-sided p between .0125 and .025: held alone, not as one of two.
    effects = 0.2 + 0.22 * np.array([1.0, -1, 0.5, -0.5, 0]) * 0.8
    scores = seeded(effects) | dict(zip("xy", seeded(effects).values(), strict=True))
    patient = direction(delta=0.05, theta=gain("x", "y"), min_seeds=8)
    declared = suite([claim(direction(delta=0.05)), claim(patient, "C2")])
    first, second = judge(declared, SMALL, run_of(scores, declared)).verdicts
    assert 0.0125 < (first.tests[0].p_plus or 1) < 0.025
    assert (first.verdict, second.cause) == ("reproduced", "power")
    both = suite([claim(direction(delta=0.05)), claim(direction(delta=0.05, theta=gain("x", "y")), "C2")])
    assert judge(both, SMALL, run_of(scores, both)).verdicts[0].cause == "multiplicity"


def test_trend_by_slope_and_no_falling_step() -> None:
    def form(step_margin: float) -> Trend:
        return Trend(
            points=tuple((float(i), Contrast(((1.0, cell(m)),))) for i, m in enumerate("xyz")),
            delta=0.05,
            delta_reason="",
            step_margin=step_margin,
            replication=Replication.SEEDS,
        )

    noise = [np.array(v) * 0.01 for v in ([1, -1, 2, 0, -2], [0, 2, -1, 1, -2], [-1, 0, 1, 2, -2])]
    rising = _levels(x=noise[0], y=0.1 + noise[1], z=0.2 + noise[2])
    found = verdict(form(0.05), run_of(rising))
    assert found.verdict == "reproduced"
    assert found.tests[0].effect.value == pytest.approx(0.1)
    dip = _levels(x=0.1 + noise[0], y=0.0 + noise[1], z=0.4 + noise[2])
    assert verdict(form(0.05), run_of(dip)).verdict == "inconclusive"
    assert verdict(form(0.2), run_of(dip)).verdict == "reproduced"
    flat = _levels(x=noise[0], y=noise[1], z=noise[2])
    assert verdict(form(0.05), run_of(flat)).verdict == "not reproduced"


def test_share_tests_the_contrast_and_prints_fieller() -> None:
    noise = np.array([0.01, -0.02, 0.015, 0.0, -0.005])
    levels = _levels(a=0.8 + SPREAD, b=0.0 * SPREAD, c=1.0 + noise, d=0 * SPREAD)
    form = Share(
        a=cell("a"), b=cell("b"), c=cell("c"), d=cell("d"),
        ratio=0.5, delta=0.1, delta_reason="", replication=Replication.SEEDS, denominator_delta=0.2,
    )  # fmt: skip
    found = verdict(form, run_of(levels))
    assert found.verdict == "reproduced"
    ratio = found.tests[-1].effect
    assert ratio.value == pytest.approx(0.8, abs=0.01)
    assert ratio.low is not None
    assert 0.7 < ratio.low < 0.8
    nothing = _levels(a=0.8 + SPREAD, b=0.0 * SPREAD, c=noise, d=0 * SPREAD)
    assert verdict(form, run_of(nothing)).cause == "assay"


def test_time_by_blocks() -> None:
    rng = np.random.default_rng(3)
    seconds = mean_of("seconds", better="lower")
    form = Time(
        slow=cell("slow", seconds, part="time"), fast=cell("fast", seconds, part="time"),
        delta=np.log(1.5), delta_reason="half as long again",
    )  # fmt: skip
    fast = rng.lognormal(0, 0.05, 10)
    drift = np.linspace(1, 2, 10)  # hits both arms of a block alike
    run = timed_run({"slow": 2 * fast * drift * rng.lognormal(0, 0.05, 10), "fast": fast * drift})
    found = verdict(form, run)
    assert found.verdict == "reproduced"
    assert found.tests[0].effect.value == pytest.approx(np.log(2), abs=0.1)
    assert found.replication == "blocks"
    short = timed_run({"slow": [2.0, 2.1], "fast": [1.0, 1.1]})
    assert verdict(form, short).cause == "power"


def test_times_of_two_machines_are_not_comparable() -> None:
    seconds = mean_of("seconds", better="lower")
    form = Time(
        slow=cell("slow", seconds, part="time"), fast=cell("fast", seconds, part="time"),
        delta=0.1, delta_reason="",
    )  # fmt: skip
    run = timed_run({"slow": [2.0] * 8, "fast": [1.0] * 8})
    run.record.planned.append("e/t/*/101")
    run.add(trial("*", 101, environment="there"), time=run.tables["e/t/*/100", "time"])
    assert verdict(form, run).verdict == "not comparable"


def test_value_only_with_the_papers_noise() -> None:
    reported = {"r": Reported(id="r", value=0.7, where="Table 1", standing=Standing.VERIFIED)}
    form = Value(
        theta=Contrast(((1.0, cell("a")),)), reported="r", margin=0.1, margin_reason="",
        replication=Replication.SEEDS,
    )  # fmt: skip
    paper = Scale(profile=Profile.PAPER)

    def found(values: np.ndarray) -> VerdictRecord:
        declared = suite([claim(form, profile=Profile.PAPER)], reported=reported)
        run = run_of(_levels(a=values), declared, profile="paper")
        return judge(declared, paper, run).verdicts[0]

    close = found(0.2 + SPREAD)
    assert close.verdict == "reproduced"
    assert "scale" not in close.reason
    test = close.tests[0]
    assert test.effect.high is not None
    # s √(1/5 + 1) instead of s √(1/5)
    assert test.effect.high == pytest.approx(2.776 * np.std(SPREAD, ddof=1) * np.sqrt(1.2), rel=1e-3)
    assert found(0.6 + SPREAD).verdict == "not reproduced"
    assert found(0.2 + 3 * SPREAD).verdict == "inconclusive"


def test_count_is_decided_without_a_test() -> None:
    form = CountCost(theta=gain(), delta=0.2, delta_reason="a fifth")
    assert verdict(form, run_of(seeded([0.25, 0.25]))).verdict == "reproduced"
    assert verdict(form, run_of(seeded([0.1]))).verdict == "not reproduced"
    assert verdict(form, run_of(seeded([0.1, 0.3]))).verdict == "inconclusive"


def test_proxies_are_shown_and_never_counted() -> None:
    form = NotComparable(theta=gain(), reason="a cost model is arithmetic")
    found = verdict(form, run_of(seeded(0.2 + SPREAD)))
    assert found.verdict == "not comparable"
    assert found.tests[0].effect.value == pytest.approx(0.2)
    assert found.tests[0].p_plus is None


def test_claims_without_a_form_or_a_measurement_are_not_run() -> None:
    run = run_of(seeded(0.2 + SPREAD))
    assert verdict(None, run).verdict == "not run"
    found = verdict(NotRun(reason="PaLM-2 is closed."), run)
    assert (found.verdict, found.reason) == ("not run", "PaLM-2 is closed.")


def test_smoke_judges_exact_claims_only() -> None:
    declared = suite([claim(direction(), profile=Profile.SMOKE)])
    run = run_of(seeded(0.2 + SPREAD), declared, profile="smoke")
    found = judge(declared, Scale(profile=Profile.SMOKE), run).verdicts[0]
    assert found.verdict == "not comparable"


def _compound(effects: dict[str, np.ndarray], *, essential: bool = True) -> VerdictRecord:
    forms = {f"C5{name}": direction(theta=gain(name, "base")) for name in effects}
    claims = [claim(form, name, parent="C5", essential=essential) for name, form in forms.items()]
    declared: Suite = suite(claims)
    scores = _levels(**effects, base=0 * SPREAD)
    return judge(declared, SMALL, run_of(scores, declared)).wholes[0]


def test_wholes_from_parts() -> None:
    clear, absent, wide = 0.3 + SPREAD, 0 + SPREAD, 0.05 + 10 * SPREAD
    assert _compound({"a": clear, "b": clear}).verdict == "reproduced"
    assert _compound({"a": clear, "b": absent}).verdict == "not reproduced"
    assert _compound({"a": clear, "b": absent}, essential=False).verdict == "inconclusive"
    found = _compound({"a": clear, "b": clear, "c": wide})
    assert found.verdict == "inconclusive"
    assert "2 of 3" in found.reason


@pytest.mark.parametrize(
    ("forms", "expected", "share"),
    [
        ((direction(), NotComparable(theta=gain(), reason="a proxy")), "reproduced", "1 of 1"),
        ((direction(), NotRun(reason="closed")), "inconclusive", "1 of 2"),
        ((NotRun(reason="closed"), NotRun(reason="closed")), "not run", "0 of 2"),
        ((NotComparable(theta=gain(), reason="a proxy"),), "not comparable", "0 of 0"),
        ((NotComparable(theta=gain(), reason="a proxy"), NotRun(reason="closed")), "not run", "0 of 1"),
    ],
)
def test_proxies_never_count_in_a_whole(forms: tuple[Form, ...], expected: str, share: str) -> None:
    declared = suite([claim(form, f"C5{i}", parent="C5") for i, form in enumerate(forms)])
    whole = judge(declared, SMALL, run_of(seeded(0.2 + SPREAD), declared)).wholes[0]
    assert whole.verdict == expected
    assert share in whole.reason


def test_noise_floor_replaces_a_smaller_spread() -> None:
    effects = 0.2 + SPREAD / 100
    tight = verdict(direction(), run_of(seeded(effects)))
    floored = verdict(direction(noise_floor=0.05), run_of(seeded(effects)))
    half = floored.tests[0].effect.high - floored.tests[0].effect.value  # type: ignore[operator]
    assert half == pytest.approx(2.7764 * 0.05 / np.sqrt(5), rel=1e-3)
    assert tight.tests[0].effect.high < floored.tests[0].effect.high  # type: ignore[operator]


def test_units_that_differ_are_not_compared() -> None:
    run = run_of(seeded(0.2 + SPREAD))
    run.tables["e/t/a/101", "main"]["unit_id"] = np.array(["u0", "u1", "u2", "other"])
    found = verdict(direction(), run)
    assert (found.verdict, found.cause) == ("not comparable", "")
    assert "units" in found.reason


def test_missing_column_is_named() -> None:
    theta = gain(metric=mean_of("accuracy", better="higher"))
    found = verdict(direction(theta=theta), run_of(seeded(0.2 + SPREAD)))
    assert (found.verdict, found.cause) == ("inconclusive", "invalid")
    assert "accuracy" in found.reason


def test_metric_that_gives_no_number_is_invalid() -> None:
    run = run_of(seeded(0.2 + SPREAD))
    run.tables["e/t/a/100", "main"]["score"] = np.array([np.nan, 1, 1, 1])
    found = verdict(direction(), run)
    assert (found.verdict, found.cause) == ("inconclusive", "invalid")
    assert SCORE.name in found.reason


def test_scope_tells_of_what_the_user_changed_and_of_two_machines() -> None:
    declared = suite([claim(direction())])
    run = run_of(seeded(0.2 + SPREAD), declared, bindings={"target": "/m"}, settings={"a.k": "4"})
    run.trials["e/t/a/100"] = trial("a", 100, environment="elsewhere")
    edged = run.trials["e/t/b/100"].model_copy(update={"tuned": {"lr": 1.0, "edge": ["lr"]}})
    run.trials["e/t/b/100"] = edged
    scope = judge(declared, SMALL, run).verdicts[0].scope
    expected = ("small profile", "target bound to /m", "a.k set to 4", "2 environments", "grid: b")
    for part in (*expected, "at this scale"):
        assert part in scope


def test_scope_names_the_models_that_all_seeds_share() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Draft(Artifact):
        title: ClassVar[str] = "distilled draft"

        def build(self, folder: Path, ctx: Context) -> None: ...

        def load(self, path: Path) -> None: ...

    @dataclass(frozen=True)
    class Decoder(Idle):
        draft: Draft

    ran = experiment(["a", "b"], range(100, 105))
    ran = replace(ran, methods={"a": Decoder(Draft()), "b": Idle()})
    declared = suite([claim(direction())], [ran])
    scope = judge(declared, SMALL, run_of(seeded(0.2 + SPREAD), declared)).verdicts[0].scope
    assert "for this model: distilled draft" in scope


effects_of_seeds = st.lists(st.integers(-30, 30).map(lambda x: x / 100), min_size=5, max_size=8)


@settings(max_examples=40)
@given(effects_of_seeds, st.integers(0, 2**31))
def test_order_of_rows_and_trials_does_not_matter(effects: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = seeded(effects)
    scores["a"] = scores["a"] + rng.normal(0, 0.05, scores["a"].shape)
    declared = suite([claim(direction(replication=Replication.CROSSED))])
    run, shuffled = run_of(scores, declared), run_of(scores, declared)
    rng.shuffle(shuffled.record.planned)
    for key, table in shuffled.tables.items():
        order = rng.permutation(4)
        shuffled.tables[key] = {name: column[order] for name, column in table.items()}
    one, other = (judge(declared, SMALL, r).verdicts[0] for r in (run, shuffled))
    assert (one.verdict, one.cause) == (other.verdict, other.cause)
    assert one.tests[0].p_plus == pytest.approx(other.tests[0].p_plus)


@settings(max_examples=40)
@given(effects_of_seeds, st.sampled_from([0.01, 3.0, 1000.0]))
def test_the_unit_of_measurement_does_not_matter(effects: list[float], factor: float) -> None:
    scores = seeded(effects)
    scaled = {name: factor * values for name, values in scores.items()}
    one = verdict(direction(), run_of(scores))
    other = verdict(direction(delta=0.1 * factor), run_of(scaled))
    assert (one.verdict, one.cause) == (other.verdict, other.cause)


@settings(max_examples=40)
@given(effects_of_seeds)
def test_what_holds_one_way_is_reversed_the_other_way(effects: list[float]) -> None:
    run = run_of(seeded(effects))
    one, other = verdict(direction(), run), verdict(direction(theta=gain("b", "a")), run)
    if one.verdict == "reproduced":
        assert (other.verdict, other.cause) == ("not reproduced", "reversed")
    assert not one.verdict == other.verdict == "reproduced"


def test_units_without_any_spread_are_judged_without_a_warning() -> None:
    run = run_of({"a": np.full((1, 60), 0.55), "b": np.full((1, 60), 0.5)})
    form = direction(replication=Replication.UNITS, min_seeds=1)
    verdict = judge(suite([claim(form)]), SMALL, run).verdicts[0]
    assert verdict.verdict != "reproduced", "a constant difference below what matters"
