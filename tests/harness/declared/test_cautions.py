"""Thresholds that a rule must hold, questions that count once, and seeds that could all be equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.claims import (
    Claim,
    Contrast,
    CountCost,
    Direction,
    Equivalence,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotComparable,
    Share,
    StatisticalForm,
    Trend,
    alone,
    log,
    mean,
)
from harness.declared import check_suite, claims_hash, unwise
from harness.declared.cautions import edges
from harness.declared.family import family_of, twin_of
from harness.declared.thresholds import holds, says_so, spoken_thresholds
from harness.evidence import judge
from harness.plan.planner import at_edge
from harness.plan.selection import Selection
from harness.store.records import VerdictRecord
from harness.suite import Suite, Tuned
from tests.harness.evidence.worlds import (
    SMALL,
    Idle,
    cell,
    claim,
    direction,
    experiment,
    gain,
    run_of,
    suite,
)

LEVEL = alone(cell("a"))
LOG_RATIO = log(cell("a")) - log(cell("b"))


def at_least(theta: Contrast, delta: float = 0.9) -> Direction:
    return Direction(theta, delta=delta, delta_reason="r")


def inside(theta: Contrast, margin: float) -> Equivalence:
    return Equivalence(theta, margin=margin, margin_reason="r")


# ---- thresholds

HELD = {
    "a constant": (at_least(LEVEL - 0.9, 0.01), 0.9),
    "a constant on the other side": (at_least(0.9 - LEVEL, 0.01), 0.9),
    "a weight": (at_least(0.5 * cell("b") - cell("a"), 0.01), 0.5),
    "a weight of a difference": (at_least(gain() - 0.5 * gain("c", "d"), 0.01), 0.5),
    "a weight of a mean": (at_least(mean([cell("a"), cell("b")]) - 0.9 * cell("c"), 0.01), 0.9),
    "the logarithm of a factor": (at_least(LOG_RATIO - math.log(2), 0.1), 2.0),
    "the logarithm of a share": (at_least(LOG_RATIO + math.log(2), 0.1), 0.5),
    "a margin": (inside(gain(), 2.0), 2.0),
    "a margin of logarithms": (inside(LOG_RATIO, math.log(1.05)), 1.05),
    "non-inferiority": (NonInferiority(gain(), margin=0.1, margin_reason="r"), 0.1),
    "a share": (
        Share(cell("a"), cell("b"), cell("c"), cell("d"), ratio=0.75, delta=0.1, delta_reason="r"),
        0.75,
    ),
    "a count, which no test weakens": (CountCost(gain(), delta=3.0, delta_reason="r"), 3.0),
    "every cell": (EveryCell((LEVEL - 0.9, cell("b") - 0.9), delta=0.01, delta_reason="r"), 0.9),
    "errors in rows": (Exact((cell("a"),), oracle="o", min_cases=3), 1e-6),
    "a proxy": (NotComparable(LEVEL, reason="r"), 0.9),
}


@pytest.mark.parametrize(("form", "threshold"), HELD.values(), ids=HELD)
def test_a_threshold_is_held_inside_the_quantity_or_as_margin(form: Form, threshold: float) -> None:
    assert holds(form, threshold)


NOT_HELD = {
    "an effect": at_least(LEVEL, 0.9),
    "another constant": at_least(LEVEL - 0.8, 0.9),
    "one cell of two": EveryCell((LEVEL - 0.9, alone(cell("b"))), delta=0.9, delta_reason="r"),
    "the margin of the steps of a trend": Trend(
        tuple((float(x), alone(cell("abc"[x]))) for x in range(3)),
        delta=0.9,
        delta_reason="r",
        step_margin=0.9,
    ),
}


@pytest.mark.parametrize("form", NOT_HELD.values(), ids=NOT_HELD)
def test_an_effect_is_no_threshold(form: StatisticalForm) -> None:
    assert not holds(form, 0.9)


def test_the_weights_of_a_mean_are_no_threshold() -> None:
    assert not holds(at_least(mean([cell("a"), cell("b")]) - cell("c"), 0.1), 0.5)


def controlled(*claims: Claim, seeds: Sequence[int] = range(100, 120)) -> Suite:
    return suite(claims, [experiment(["a", "b", "c"], seeds)])


def found(declared: Suite) -> list[str]:
    return [str(error) for error in check_suite(declared, SMALL) if "No control" not in str(error)]


def warned(declared: Suite, selection: Selection | None = None) -> list[str]:
    errors = [str(error) for error in unwise(declared, SMALL, selection)]
    return [error for error in errors if "No control" not in error]


def test_a_declared_threshold_that_is_not_held_is_refused() -> None:
    [error] = found(controlled(claim(at_least(LEVEL, 0.9), threshold=(0.9,))))
    assert "names the threshold 0.9, which its quantity does not hold (toy, claim C1)" in error
    assert found(controlled(claim(at_least(LEVEL - 0.9, 0.01), threshold=(0.9,)))) == []


def test_a_threshold_is_no_part_of_the_rule() -> None:
    plain, named = (controlled(claim(at_least(LEVEL - 0.9), threshold=t)) for t in ((), (0.9,)))
    assert claims_hash(plain) == claims_hash(named)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("It correlates at least .9 with gold.", [0.9]),
        ("The share rises by at least fifty points.", [50]),
        ("The means agree within two points.", [2]),
        ("Its state is as large as Adam's, within 5 %.", [5]),
        ("At most one neuron in twenty never fires.", [0.05]),
        ("At least nine neurons in ten fire.", [0.9]),
        ("The error is more than twice that from scale 1.", [2]),
        ("It keeps two thirds of its gain.", [2 / 3]),
        ("At the end at most half as many are non-zero as at first.", [0.5]),
        ("It decodes 2.13 times faster.", [2.13]),
        ("It costs less than 15 % more than Adam, and less than 10 % more for 270M.", [15, 10]),
        ("No step takes more than 8,192 tokens.", [8192]),
        ("With half of the contexts unsupporting, it falls.", []),
        ("The first half of the expansions gains more than the second.", []),
        ("It persists when no image is seen twice.", []),
        ("With four raters an item it ranks no worse.", []),
        ("A model of 2B parameters is better than one of 270M.", []),
    ],
)
def test_numbers_that_a_statement_holds_a_quantity_to(statement: str, expected: list[float]) -> None:
    assert [number for _, number in spoken_thresholds(statement)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("form", "number"), [(inside(gain(), 0.05), 5.0), (inside(LOG_RATIO, math.log(1.05)), 5.0)]
)
def test_a_number_may_be_written_in_several_ways(form: Form, number: float) -> None:
    assert says_so(form, number)


def test_a_number_in_words_that_no_rule_holds_is_a_caution_and_no_error() -> None:
    said = replace(claim(at_least(gain(), 0.9)), statement="a gains at least .9 over b")
    assert found(controlled(said)) == []
    assert "says 'at least .9', a number that its quantity does not hold" in warned(controlled(said))[0]
    assert warned(controlled(replace(said, forms=claim(at_least(gain() - 0.9, 0.1)).forms))) == []


def test_a_level_that_nothing_is_taken_off_is_a_caution() -> None:
    assert at_least(LEVEL).tests_bare_level
    assert at_least(1 - LEVEL).tests_bare_level
    assert not at_least(0.8 - LEVEL).tests_bare_level
    assert not at_least(LEVEL - 0.5).tests_bare_level
    assert not at_least(gain()).tests_bare_level
    assert "tested against zero" in warned(controlled(claim(at_least(LEVEL))))[0]


# ---- one question, one place in the family


def test_two_claims_of_one_question_are_refused_whatever_their_effect() -> None:
    twice = controlled(claim(direction(delta=0.1)), claim(direction(delta=0.2), "C2"))
    [error] = found(twice)
    assert "It asks what C1 asks, so that Holm counts one question twice (toy, claim C2)" in error
    other = direction(theta=gain("b", "a"))
    assert found(controlled(claim(direction()), claim(other, "C2"))) == []
    bounded = NonInferiority(gain(), margin=0.1, margin_reason="r")
    assert found(controlled(claim(direction()), claim(bounded, "C2"))) == []


def test_a_claim_inside_another_is_a_caution() -> None:
    both = EveryCell((gain(), gain("a", "c")), delta=0.1, delta_reason="r")
    [error] = warned(controlled(claim(direction()), claim(both, "C2")))
    assert "All that it asks is asked by C2 as well, and Holm counts both (toy, claim C1)" in error


def shared() -> Suite:
    return controlled(
        claim(direction()),
        claim(replace(direction(), delta_reason="in other words"), "C2", same_as="C1"),
        claim(direction(theta=gain("a", "c")), "C3"),
    )


def test_a_claim_that_is_the_same_takes_the_verdict_and_counts_once() -> None:
    declared = shared()
    assert found(declared) == []
    assert [item.id for item in family_of(declared, SMALL.profile)] == ["C1", "C3"]
    twin = twin_of(declared, declared.claims[1], SMALL.profile)
    assert twin is declared.claims[0]
    effects = 0.2 + np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
    scores = {"a": 0.5 + effects[:, None], "b": np.full((5, 1), 0.5), "c": np.full((5, 1), 0.5)}
    first, second, third = judge(declared, SMALL, run_of(scores, declared)).verdicts
    assert (first.verdict, second.verdict, third.verdict) == ("reproduced",) * 3
    assert second.reason == f"It asks what C1 asks. {first.reason}"
    assert _adjusted(first) == _adjusted(second) == pytest.approx(2 * (first.tests[0].p_plus or 0))


def _adjusted(verdict: VerdictRecord) -> float:
    return verdict.tests[0].p_plus_adjusted or math.nan


@pytest.mark.parametrize(
    ("same_as", "form", "message"),
    [
        ("C9", direction(), "'C9', which is no other claim"),
        ("C2", direction(), "'C2', which is no other claim"),
        ("C1", direction(delta=0.3), "no profile gives both the same rule"),
    ],
)
def test_a_wrong_twin_is_refused(same_as: str, form: Form, message: str) -> None:
    declared = controlled(claim(direction()), claim(form, "C2", same_as=same_as))
    assert any(message in error for error in found(declared))


def test_the_hash_knows_a_twin_and_is_that_of_before_without_one() -> None:
    declared = shared()
    alone_ = replace(declared, claims=tuple(replace(item, same_as="") for item in declared.claims))
    assert claims_hash(declared) != claims_hash(alone_)


# ---- equal seeds


def test_seeds_that_could_be_equal_are_named_before_running() -> None:
    """Five equal seeds have p = 2⁻⁵ = .031, whatever they show; Holm over two claims needs seven."""
    claims = (claim(direction()), claim(direction(theta=gain("a", "c")), "C2"))
    [error] = warned(controlled(*claims, seeds=range(100, 105)))
    assert "With one value in all 5 seeds, p = .031 by sign-flips decides nothing" in error
    assert "claims C1, C2" in error
    assert "7 seeds do" in error
    [error] = warned(controlled(*claims, seeds=range(100, 106)))
    assert "after Holm over 2 claims at worst" in error
    assert warned(controlled(*claims, seeds=range(100, 107))) == []
    assert found(controlled(*claims, seeds=range(100, 105))) == []


def test_the_seeds_that_the_user_asks_for_count() -> None:
    declared = controlled(claim(direction()))
    assert warned(declared) == []
    assert "all 5 seeds" in warned(declared, Selection(seeds=5))[0]


def test_a_noise_floor_settles_no_equal_seeds() -> None:
    floored = claim(direction(noise_floor=0.01))
    assert "all 5 seeds" in warned(controlled(floored, seeds=range(100, 105)))[0]


# ---- primary claims


def headline(*, primary: bool = True) -> Suite:
    return controlled(
        claim(direction(), primary=primary),
        claim(direction(theta=gain("a", "c")), "C2"),
        claim(direction(theta=gain("b", "c"), delta=0.05), "C3"),
    )


def test_a_primary_claim_is_corrected_for_primary_ones_only() -> None:
    effects = 0.2 + np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
    scores = {"a": 0.5 + effects[:, None], "b": np.full((5, 1), 0.5), "c": np.full((5, 1), 0.5)}
    declared, alike = headline(), headline(primary=False)
    first, second, third = judge(declared, SMALL, run_of(scores, declared)).verdicts
    assert [item.primary for item in (first, second, third)] == [True, False, False]
    # The primary one, alone of its kind, hands its half on to the two others, which then have half each.
    assert _adjusted(first) == pytest.approx(2 * (first.tests[0].p_plus or 0))
    assert _adjusted(second) == pytest.approx(2 * (second.tests[0].p_plus or 0))
    assert first.reason.endswith("after the correction of primary claims.")
    assert second.reason.endswith("after the correction of secondary claims.")
    # Against a claim all of them count, as ever.
    before = judge(alike, SMALL, run_of(scores, alike)).verdicts
    assert [item.tests[0].p_minus_adjusted for item in (first, second, third)] == [
        item.tests[0].p_minus_adjusted for item in before
    ]
    assert claims_hash(declared) != claims_hash(alike)


def test_a_headline_that_fails_silences_no_other_claim() -> None:
    effects = 0.2 + np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
    scores = {"a": np.full((5, 1), 0.5), "b": 0.5 + effects[:, None], "c": 0.3 + effects[:, None] / 9}
    declared = headline()
    first, second, third = judge(declared, SMALL, run_of(scores, declared)).verdicts
    assert [item.verdict for item in (first, second, third)] == ["not reproduced", "reproduced", "reproduced"]
    # A quarter of the level, and half of the quarter that the other one hands on.
    assert _adjusted(third) == pytest.approx((third.tests[0].p_plus or 0) / 0.375)


def test_more_than_eight_primary_claims_are_refused() -> None:
    def of(primary: int) -> Suite:
        cut = [direction(theta=gain() - 0.01 * at) for at in range(9)]
        return controlled(
            *(claim(form, f"C{at}", primary=at < primary) for at, form in enumerate(cut)),
        )

    assert not any("primary" in error for error in found(of(8)))
    assert any("It has 9 primary claims: C0, C1" in error and "at most 8" in error for error in found(of(9)))


def test_twins_are_primary_together() -> None:
    declared = shared()
    claims = (replace(declared.claims[0], primary=True), *declared.claims[1:])
    assert any("only one of the two is primary" in error for error in found(replace(declared, claims=claims)))


def test_equal_seeds_are_held_to_the_level_of_their_kind() -> None:
    warnings = warned(replace(headline(), experiments=controlled(seeds=range(100, 106)).experiments))
    assert len(warnings) == 2
    assert "after the correction over 1 primary claim at worst (toy, claims C1)" in warnings[0]
    assert "after the correction over 2 secondary claims at worst (toy, claims C2, C3)" in warnings[1]
    assert "7 seeds do" in warnings[0]
    assert "8 seeds do" in warnings[1]


def test_a_grid_of_two_values_is_a_caution_and_its_best_value_is_at_an_edge() -> None:
    def cautioned(*values: float | str) -> bool:
        tuned = Tuned(method=Idle(), grid={"value": values}, select=cell("a").metric)
        made = replace(experiment(["a"], [100]), methods={"a": tuned})
        return any("two values" in what for what, _, _ in edges(suite([], [made]), SMALL))

    assert cautioned(0.1, 0.3)
    assert not cautioned(0.1, 0.3, 1.0)
    assert not cautioned("linear", "cosine")
    assert not cautioned(True, False)
    assert at_edge((0.1, 0.3), 0.3)
    assert not at_edge((0.1, 0.3, 1.0), 0.3)
    assert not at_edge((False, True), True)
