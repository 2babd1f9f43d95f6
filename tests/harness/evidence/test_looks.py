"""Looking several times decides wrongly no more often than looking once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from harness.claims.findings import ALPHA, Corrected, Finding
from harness.evidence import judge
from harness.evidence.family import correct, holm
from tests.harness.evidence.worlds import SMALL, claim, direction, gain, run_of, seeded, suite

LOOKS = (5, 8, 12, 20)
RUNS = 6000
SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


def p_above_zero(values: np.ndarray) -> np.ndarray:
    """One-sided p of the mean of each row."""
    n = values.shape[-1]
    t = values.mean(axis=-1) / (values.std(axis=-1, ddof=1) / np.sqrt(n))
    return np.asarray(special.stdtr(n - 1, -t))


def wrong(p_values: np.ndarray, looks: int) -> float:
    """How often any claim of a family is shown at any look.

    Args:
        p_values: Shape (runs, looks, claims).
        looks: What p-values pay for.
    """
    found = 0
    for run in p_values:
        families = [correct([Finding(p_plus=p) for p in look], looks=looks) for look in run.tolist()]
        found += any(item.plus is not None and item.plus <= ALPHA for family in families for item in family)
    return found / len(p_values)


@pytest.fixture(scope="module")
def without_effect() -> np.ndarray:
    """p-values at each look of one claim without an effect, shape (RUNS, 4, 1)."""
    values = np.random.default_rng(0).normal(size=(RUNS, max(LOOKS)))
    return np.stack([p_above_zero(values[:, :n]) for n in LOOKS], axis=1)[:, :, None]


def test_whichever_look_decides_the_error_rate_holds(without_effect: np.ndarray) -> None:
    rate, error = wrong(without_effect, len(LOOKS)), np.sqrt(ALPHA / RUNS)
    assert rate <= ALPHA + 2 * error
    assert rate > ALPHA / len(LOOKS), "one look alone errs so often: looking more often must show"


def test_looks_that_are_not_paid_for_break_it(without_effect: np.ndarray) -> None:
    assert wrong(without_effect, 1) > 2 * ALPHA
    each = np.random.default_rng(1).normal(size=(3000, 20))
    peeked = np.stack([p_above_zero(each[:, :n]) for n in range(3, 21)], axis=1)[:, :, None]
    assert wrong(peeked, 1) == pytest.approx(0.116, abs=0.02)


def test_it_holds_for_families_whose_claims_stop_at_looks_of_their_own() -> None:
    # Each claim keeps its seeds once it looks settled either way, as unfair as a run can be.
    rng, claims = np.random.default_rng(2), 3
    values = rng.normal(size=(2000, claims, max(LOOKS)))
    p_values = np.stack([p_above_zero(values[:, :, :n]) for n in LOOKS], axis=1)
    for run in p_values:
        for at in range(1, len(LOOKS)):
            settled = run[at - 1] < 0.01
            run[at] = np.where(settled, run[at - 1], run[at])
    assert wrong(p_values, len(LOOKS)) <= ALPHA + 2 * np.sqrt(ALPHA / 2000)
    assert wrong(p_values, 1) > ALPHA + 2 * np.sqrt(ALPHA / 2000)


def test_p_values_are_multiplied_before_holm_and_capped() -> None:
    findings = [Finding(p_plus=p, p_minus=1 - p) for p in (0.001, 0.004, 0.3)] + [Finding()]
    found = correct(findings, looks=4)
    assert [item.plus for item in found] == pytest.approx([0.012, 0.032, 1.0, None])
    assert [item.minus for item in found[:3]] == [1.0, 1.0, 1.0]
    assert found[0] == Corrected(found[0].plus, found[0].minus, 3, 4)
    assert [item.plus for item in correct(findings)] == holm([0.001, 0.004, 0.3, None])


def test_a_p_value_that_is_no_number_stays_none_and_counts_nowhere() -> None:
    found = correct([Finding(p_plus=float("nan")), Finding(p_plus=0.001)], looks=4)
    assert [item.plus for item in found] == [None, 0.004]


@pytest.mark.parametrize("effects", [0.2 + SPREAD, 0.03 + SPREAD], ids=["held", "fell"])
def test_verdicts_of_a_run_with_looks_say_so(effects: np.ndarray) -> None:
    declared = suite([claim(direction()), claim(direction(theta=gain("b", "a")), "C2")])
    once = judge(declared, SMALL, run_of(seeded(effects), declared)).verdicts[0]
    looked = judge(declared, SMALL, run_of(seeded(effects), declared, looks=[1.0, 1.6, 2.4, 4.0])).verdicts[0]
    assert looked.verdict == once.verdict
    for name in ("p_plus", "p_minus"):
        before, after = getattr(once.tests[0], name), getattr(looked.tests[0], name)
        assert before == after, "what is measured does not change"
        one, other = (getattr(v.tests[0], f"{name}_adjusted") for v in (once, looked))
        assert other == pytest.approx(min(1.0, 4 * one))
    assert "after 4 looks and Holm" in looked.reason
    assert "looks" not in once.reason


def test_more_seeds_are_needed_where_looks_are_paid_for() -> None:
    noisy = 0.05 + 10 * SPREAD
    declared = suite([claim(direction())])
    once, looked = (
        judge(declared, SMALL, run_of(seeded(noisy), declared, looks=looks)).verdicts[0]
        for looks in ([], [1.0, 1.6, 2.4, 4.0])
    )
    assert once.needed_seeds.keys() == looked.needed_seeds.keys() == {"θ = 2δ", "θ = 0"}
    assert all((looked.needed_seeds[name] or 0) > (size or 0) for name, size in once.needed_seeds.items())


def test_claims_with_unequal_seeds_are_each_judged_over_those_they_share() -> None:
    declared = suite([claim(direction()), claim(direction(theta=gain("c", "b")), "C2")])
    b = np.full((8, 4), 0.5)
    run = run_of(
        {"a": b[:5] + 0.2 + SPREAD[:, None], "b": b, "c": b + 0.2 + 0.01 * np.arange(8)[:, None]}, declared
    )
    found = judge(declared, SMALL, run).verdicts
    assert [(verdict.verdict, verdict.tests[0].seeds) for verdict in found] == [
        ("reproduced", 5),
        ("reproduced", 8),
    ]
