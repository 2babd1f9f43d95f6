"""How many seeds the looks of a run take, and where."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from harness.claims import Contrast, Control, Profile
from harness.plan import Selection
from harness.plan.looks import FACTORS, Looks, seeds_at, seeds_planned
from harness.suite import Scale, Suite, Timed
from tests.harness.evidence.worlds import cell, claim, direction, experiment, gain, suite
from tests.harness.running import request
from tests.harness.toy import toy_suite, tuned

SMALL = Scale(profile=Profile.SMALL)
FIVE = tuple(range(100, 105))
SEVEN = tuple(range(100, 107))


def looks_of(declared: Suite, **more: object) -> Looks:
    return Looks(declared, SMALL, Selection(**more))  # type: ignore[arg-type]


@pytest.mark.parametrize("declared", range(1, 60))
def test_seeds_at_each_look_are_rounded_up(declared: int) -> None:
    item = experiment(["a"], range(100, 100 + declared))
    exact = [Fraction(1), Fraction(8, 5), Fraction(12, 5), Fraction(4)]
    counted = [next(n for n in range(1, 500) if n >= factor * declared) for factor in exact]
    assert [seeds_at(item, factor) for factor in FACTORS] == counted


@pytest.mark.parametrize(
    ("declared", "most", "expected"),
    [(5, None, [5, 8, 12, 20]), (10, None, [10, 16, 24, 40]), (5, 9, [5, 8, 9, 9]), (5, 5, [5, 5, 5, 5])],
)
def test_no_look_has_more_seeds_than_have_data(declared: int, most: int | None, expected: list[int]) -> None:
    item = experiment(["a"], range(100, 100 + declared), most_seeds=most)
    assert [seeds_at(item, factor) for factor in FACTORS] == expected


@pytest.mark.parametrize(
    ("most", "factors"),
    [(None, FACTORS), (12, (1.0, 1.6, 2.4)), (9, (1.0, 1.6, 2.4)), (8, (1.0, 1.6)), (5, (1.0,))],
)
def test_looks_that_would_be_equal_are_one(most: int | None, factors: tuple[float, ...]) -> None:
    declared = suite([claim(direction())], [experiment(["a", "b"], FIVE, most_seeds=most)])
    assert looks_of(declared).factors == factors


def test_experiments_that_no_test_measures_give_no_looks() -> None:
    capped, free = experiment(["a", "b"], FIVE, most_seeds=5), experiment(["a", "b"], FIVE, name="f")
    assert looks_of(suite([claim(direction())], [capped, free])).factors == (1.0,)


def test_a_run_keeps_the_looks_it_was_started_with() -> None:
    declared = suite([claim(direction())], [experiment(["a", "b"], FIVE)])
    assert Looks(declared, SMALL, Selection(), (1.0, 1.6)).factors == (1.0, 1.6)


def planned(looks: Looks) -> dict[tuple[str, str, str], int]:
    """All places of the first look."""
    everything = looks.places(looks.tested)
    experiments = {item.id: item for item in looks.suite.experiments(SMALL)}
    return {place: len(experiments[place[0]].seeds) for place in sorted(everything)}


def test_a_look_grows_what_its_claims_measure_and_their_controls() -> None:
    claims = [claim(direction(), "C1"), claim(direction(theta=gain("c", "d")), "C2")]
    replaces = {"a": "x", "c": "y"}
    controls = [Control(id="off", title="a is broken", replaces=replaces, predicts={"C1": "kill"})]
    looks = looks_of(suite(claims, [experiment("abcdxy", FIVE)], controls))
    first = planned(looks) | {("e", "t", "y"): 5}
    second = looks.grown(first, ["C1"], 1)
    assert {place[2] for place, count in second.items() if count == 8} == {"a", "b", "x"}
    assert {place[2] for place, count in second.items() if count == 5} == {"c", "d", "y"}
    assert looks.added(first, second) == [
        f"e/t/{method}/{seed}" for method in "abx" for seed in (105, 106, 107)
    ]
    assert (looks.reached(first), looks.reached(second)) == (0, 1)
    assert (looks.seeds_of(first, 0), looks.seeds_of(second, 1)) == ([5], [8])


def test_a_claim_that_opens_later_joins_the_look_of_the_others() -> None:
    claims = [claim(direction(), "C1"), claim(direction(theta=gain("c", "d")), "C2")]
    looks = looks_of(suite(claims, [experiment("abcd", FIVE)]))
    second = looks.grown(planned(looks), ["C1"], 1)
    third = looks.grown(second, ["C2"], looks.reached(second) + 1)
    assert [third["e", "t", method] for method in "abcd"] == [8, 8, 12, 12]


def test_a_look_takes_nothing_away() -> None:
    looks = looks_of(suite([claim(direction())], [experiment(["a", "b"], FIVE)]))
    grown = looks.grown(planned(looks), ["C1"], 3)
    assert looks.grown(grown, ["C1"], 1) == grown


def across() -> Contrast:
    """A quantity over two experiments."""
    return gain("a", "b") - Contrast(((1.0, replace(cell("c"), experiment="f")),))


@pytest.mark.parametrize(("theta", "others"), [(across(), (8, 12)), (gain("a", "b"), (5, 7))])
def test_a_question_across_experiments_keeps_to_one_look(theta: Contrast, others: tuple[int, int]) -> None:
    # a at 8 of its looks 5, 8 … beside c at 7 of its looks 7, 12 …: seven shared seeds are of no look.
    experiments = [experiment("abd", FIVE), experiment("c", SEVEN, name="f")]
    level = direction(theta=Contrast(((1.0, replace(cell("c"), experiment="f")),)))
    claims = [claim(direction(theta=theta), "C1"), claim(direction(theta=gain("a", "d")), "C2")]
    looks = looks_of(suite([*claims, claim(level, "C3")], experiments))
    second = looks.grown(planned(looks), ["C2"], 1)
    assert second["e", "t", "a"] == 8
    assert (second["e", "t", "b"], second["f", "t", "c"]) == others


def test_timed_experiments_grow_by_trials_of_more_blocks() -> None:
    timed = experiment(["a", "b"], (100,), timed=Timed())
    looks = looks_of(suite([claim(direction())], [timed]))
    assert planned(looks) == {("e", "t", "*"): 1}
    assert looks.added(planned(looks), looks.grown(planned(looks), ["C1"], 1)) == ["e/t/*/101"]


def test_a_restricted_run_grows_within_its_restrictions() -> None:
    declared = suite([claim(direction())], [experiment("abc", FIVE)])
    looks = looks_of(declared, methods=("a", "b"))
    assert looks.places(["C1"]) == {("e", "t", "a"), ("e", "t", "b")}


def plan(declared: Suite, extended: dict[tuple[str, str, str], int], folder: object) -> list[str]:
    asked = request(declared, folder)  # type: ignore[arg-type]
    return asked.planner.plan(declared, asked.scale, Selection(extended=extended)).main_ids


def test_a_plan_gives_each_place_its_seeds(tmp_path: object) -> None:
    found = seeds_planned(plan(toy_suite(), {("e", "t", "half"): 8, ("e", "t", "mean"): 3}, tmp_path))
    assert found == {("e", "t", "half"): 8, ("e", "t", "mean"): 5}
    methods = {"mean": tuned()}
    assert seeds_planned(plan(toy_suite(methods=methods), {("e", "t", "mean"): 7}, tmp_path)) == {
        ("e", "t", "mean"): 7
    }
    timed = toy_suite(seeds=(100,), timed=Timed())
    assert plan(timed, {("e", "t", "*"): 3}, tmp_path) == ["e/t/*/100", "e/t/*/101", "e/t/*/102"]


def test_trials_of_the_first_look_stay_as_they_are(tmp_path: object) -> None:
    asked = request(toy_suite(), tmp_path)  # type: ignore[arg-type]
    first = asked.planner.plan(asked.suite, asked.scale)
    later = asked.planner.plan(asked.suite, asked.scale, Selection(extended={("e", "t", "half"): 8}))
    marks = {trial.id: trial.fingerprint for trial in later.trials}
    assert len(marks) == 13
    assert {trial.id: trial.fingerprint for trial in first.trials}.items() <= marks.items()


def test_seeds_that_tune_are_not_grown_into(tmp_path: object) -> None:
    from harness.errors import SuiteError

    late = toy_suite(methods={"mean": replace(tuned(), seeds=(105, 106))})
    assert plan(late, {}, tmp_path)
    with pytest.raises(SuiteError, match="both tune and judge"):
        plan(late, {("e", "t", "mean"): 8}, tmp_path)
