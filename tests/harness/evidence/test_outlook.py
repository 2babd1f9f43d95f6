"""What planned replicates could show: against statsmodels, simulation, and the words for what they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from harness.claims import (
    Equivalence,
    EveryCell,
    Exact,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Profile,
    Replication,
    StatisticalForm,
    Time,
    Trend,
    alone,
    log,
)
from harness.claims.findings import ALPHA
from harness.claims.outlook import Outlook, Replicates, foreseen
from harness.evidence.outlook import ClaimOutlook, Planned, outlooks
from harness.evidence.power import Spread, Supposed, detectable, fewest
from harness.method import mean_of
from harness.store.memory import MemoryRun
from harness.suite import Experiment, Scale, Suite, Timed
from tests.harness.evidence.test_settling import FORMS, known_answers
from tests.harness.evidence.worlds import (
    SMALL,
    cell,
    claim,
    direction,
    experiment,
    gain,
    run_of,
    seeded,
    suite,
    timed_run,
)

DRAWS = 20_000
RNG = np.random.default_rng(11)
SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


# ---- the number


@pytest.mark.parametrize("n", [3, 5, 10, 40])
@pytest.mark.parametrize("alpha", [0.025, 0.025 / 12])
def test_the_detectable_effect_agrees_with_statsmodels(n: int, alpha: float) -> None:
    expected = TTestPower().solve_power(nobs=n, alpha=alpha, power=0.8, alternative="larger")
    found = detectable(Supposed(0.0, alpha, lower=0.0), n, Spread(1.0), 0.8)
    assert found == pytest.approx(expected, rel=0.01)


ASKED = {
    "above zero": Supposed(0.0, 0.025, lower=0.0),
    "above zero, and as large as δ": Supposed(0.0, 0.01, lower=0.0, size=2.0),
    "not below a margin": Supposed(0.0, 0.01, lower=-1.5),
    "inside two bounds": Supposed(0.0, 0.01, lower=-2.5, upper=2.5),
    "inside bounds around another number": Supposed(0.0, 0.01, lower=1.0, upper=6.0),
}


@pytest.mark.parametrize("n", [8, 20])
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_it_agrees_with_a_search_over_simulated_samples(asked: Supposed, n: int) -> None:
    found = detectable(asked, n, Spread(1.0), 0.8)
    assert found == pytest.approx(_searched(asked, n, 0.8), abs=0.03)


def _searched(asked: Supposed, n: int, power: float) -> float:
    """Bisection for the truth at which a share of samples passes SciPy's t tests."""
    noise = RNG.normal(0.0, 1.0, (DRAWS, n))

    def passes(truth: float) -> bool:
        drawn = noise + truth
        p = stats.ttest_1samp(drawn, asked.lower, axis=1, alternative="greater").pvalue
        held = (p <= asked.alpha) & (drawn.mean(axis=1) >= asked.size)
        if np.isfinite(asked.upper):
            held &= stats.ttest_1samp(drawn, asked.upper, axis=1, alternative="less").pvalue <= asked.alpha
        return bool(held.mean() >= power)

    bounded = np.isfinite(asked.upper)
    shown = (asked.lower + asked.upper) / 2 if bounded else 10.0
    hidden = asked.upper if bounded else asked.lower
    for _ in range(12):
        middle = (shown + hidden) / 2
        shown, hidden = (middle, hidden) if passes(middle) else (shown, middle)
    return (shown + hidden) / 2


@pytest.mark.parametrize("effect", [0.5, 1.0, 2.5])
def test_it_is_the_inverse_of_the_replicates_needed(effect: float) -> None:
    asked = Supposed(effect, 0.025, lower=0.0, size=0.1)
    n = fewest(lambda n: asked.passes(n, Spread(1.0, fixed=0.01)), 0.8)
    assert n is not None
    enough, fewer = (detectable(asked, size, Spread(1.0, fixed=0.01), 0.8) for size in (n, n - 1))
    assert enough is not None
    assert enough <= effect
    assert fewer is None or fewer > effect


@pytest.mark.parametrize(
    ("asked", "n", "spread", "expected"),
    [
        (Supposed(0.0, 0.025, lower=0.0, size=0.5), 6, Spread(0.0), 0.5),
        (Supposed(0.0, 0.025, lower=0.0, size=0.5), 5, Spread(0.0), None),  # 2⁻⁵ > .025
        (Supposed(0.0, 0.025, lower=-1.0, upper=1.0), 6, Spread(0.0), 1.0),
        (Supposed(0.0, 0.025, lower=-1.0, upper=1.0), 5, Spread(4.0), None),
        (Supposed(0.0, 0.025, lower=0.0), 1, Spread(1.0), None),
    ],
)
def test_where_nothing_varies_or_nothing_is_shown(
    asked: Supposed, n: int, spread: Spread, expected: float | None
) -> None:
    assert detectable(asked, n, spread, 0.8) == expected


@pytest.mark.parametrize("name", ["direction", "every cell", "trend", "non-inferiority", "equivalence"])
def test_at_the_detectable_effect_the_whole_claim_has_its_power(name: str) -> None:
    """Simulated with independent questions: all pass there, and not yet nearer to the threshold."""
    form, n, sd, family = FORMS[name], 9, 0.4, 7
    found = foreseen(
        known_answers(form, sd, 2),
        Replicates(n),
        form.supposed,
        ALPHA / family,
        matters="",
        inside=form.two_sided,
    )
    assert found.detectable is not None
    nearer = found.detectable + (0.4 if form.two_sided else -0.4)
    shares = [_share(form, truth, sd, n, ALPHA / family) for truth in (found.detectable, nearer)]
    assert shares[0] >= 0.8 - 3 * np.sqrt(0.16 / 4000)
    assert shares[1] < 0.7


def _share(form: StatisticalForm, truth: float, sd: float, n: int, alpha: float) -> float:
    """How often all questions pass, if the claim's θ is ``truth``."""
    passes = np.ones(4000, dtype=bool)
    for question in form.questions({}):
        drawn = RNG.normal(truth * question.scale, sd, (4000, n))
        passes &= stats.ttest_1samp(drawn, question.lower, axis=1, alternative="greater").pvalue <= alpha
        if question.upper is not None:
            passes &= stats.ttest_1samp(drawn, question.upper, axis=1, alternative="less").pvalue <= alpha
        if question.size is not None:
            passes &= drawn.mean(axis=1) >= question.size
    return float(passes.mean())


# ---- what is said of a claim


def told(
    form: Form,
    run: MemoryRun | None,
    *,
    seeds: int = 5,
    scale: Scale = SMALL,
    experiments: Mapping[str, Experiment] | None = None,
    blocked: Mapping[str, str] | None = None,
    others: int = 0,
    floors: Mapping[str, float] | None = None,
) -> ClaimOutlook:
    """The outlook of one claim among ``others`` more."""
    more = [claim(direction(delta=0.01 * (i + 1)), f"X{i}", scale.profile) for i in range(others)]
    declared = suite([claim(form, profile=scale.profile), *more])
    planned = {"e": experiment("abcd", range(100, 100 + seeds))} if experiments is None else experiments
    stored = {} if run is None else {"a run": run}
    claims = declared.claims[:1]
    [found] = outlooks(declared, scale, claims, Planned(planned, blocked or {}), stored, floors=floors or {})
    return found


def test_a_direction_says_what_it_detects_and_what_it_needs() -> None:
    found = told(direction(), run_of(seeded(0.3 + 5 * SPREAD)), seeds=8)
    said = found.outlook
    assert found.source == "a run"
    assert (str(said.replicates), said.matters) == ("8 seeds", "δ = 0.1")
    assert said.detectable is not None
    assert said.shown == f"θ ≥ {said.detectable:.3g}"
    assert set(said.needed) == {"θ = 2δ", "θ = 0"}
    # Both say the same: what is needed for 2δ detects 2δ.
    enough = said.needed["θ = 2δ"]
    assert enough is not None
    there = told(direction(), run_of(seeded(0.3 + 5 * SPREAD)), seeds=enough).outlook.detectable
    assert there is not None
    assert there <= 0.2


def test_more_replicates_detect_less_and_a_larger_family_more() -> None:
    run = run_of(seeded(0.3 + 5 * SPREAD))
    asked = [
        told(direction(), run, seeds=seeds, others=others) for seeds, others in ((20, 0), (5, 0), (5, 1))
    ]
    many, few, together = (item.outlook.detectable or 0.0 for item in asked)
    assert 0.1 < many < few < together


@pytest.mark.parametrize("effects", [0.3 + SPREAD, 0.3 + 0 * SPREAD])
def test_no_spread_is_below_the_noise_floor_of_the_run_to_come(effects: np.ndarray) -> None:
    run = run_of(seeded(effects))  # It was started without a floor.
    found = told(direction(), run, seeds=8, floors={"C1": 0.2}).outlook.detectable
    expected = TTestPower().solve_power(nobs=8, alpha=ALPHA, power=0.8, alternative="larger")
    assert found == pytest.approx(0.2 * expected, rel=0.01)


@pytest.mark.parametrize(
    ("form", "effects", "words"),
    [
        (NonInferiority(gain(), margin=0.1, margin_reason="r"), SPREAD, "θ ≥ −0.0"),
        (Equivalence(gain(), margin=0.1, margin_reason="r"), SPREAD, "|θ| ≤ 0.0"),
        (Equivalence(gain(), margin=0.1, margin_reason="r"), 10 * SPREAD, "not even θ = 0"),
        (direction(min_seeds=6), SPREAD, "too few, 6 needed"),
        (direction(), 0 * SPREAD, "too few, 6 if equal"),
    ],
)
def test_each_form_says_it_in_its_own_way(form: Form, effects: np.ndarray, words: str) -> None:
    assert told(form, run_of(seeded(effects))).outlook.shown.startswith(words)


def test_too_few_replicates_still_say_how_many_are_needed() -> None:
    found = told(direction(), run_of(seeded(0.3 + SPREAD)), seeds=3).outlook
    assert (found.shown, found.detectable) == ("too few, 5 needed", None)
    assert all(n is not None and n >= 5 for n in found.needed.values())


def test_after_a_collapse_ten_are_needed() -> None:
    effects = np.array([0.5, 0.5001, 0.4999, 0.5002, -0.5])
    found = told(direction(delta=0.3), run_of(seeded(effects))).outlook
    assert found.shown == "too few, 10 needed"
    assert "a seed collapsed" in found.reason
    enough = told(direction(delta=0.3), run_of(seeded(effects)), seeds=10).outlook
    assert enough.shown.startswith("θ ≥")


def test_units_are_the_replicates_whatever_is_planned() -> None:
    rng = np.random.default_rng(0)
    drawn = {"a": rng.normal(1.05, 1, (1, 90)), "b": rng.normal(1, 1, (1, 90))}
    found = told(direction(replication=Replication.UNITS), run_of(drawn), seeds=1).outlook
    assert str(found.replicates) == "90 units"
    assert found.needed == {}
    assert found.detectable is not None
    sd = float(np.std(drawn["a"] - drawn["b"], ddof=1))
    plain = detectable(Supposed(0.0, ALPHA, lower=0.0, size=0.1), 90, Spread(sd), 0.8)
    assert found.detectable == pytest.approx(plain, rel=0.15)  # The bootstrap, and an upper bound of the sd.
    assert found.detectable > (plain or 0.0) * 0.98
    few = told(direction(replication=Replication.UNITS), run_of({k: v[:, :40] for k, v in drawn.items()}))
    assert few.outlook.shown == "too few, 50 needed"


def _time() -> Time:
    seconds = mean_of("seconds", better="lower")
    slow, fast = (cell(name, seconds, part="time") for name in ("slow", "fast"))
    return Time(slow=slow, fast=fast, delta=float(np.log(1.2)), delta_reason="a fifth")


def test_times_are_told_as_ratios_over_blocks() -> None:
    rng = np.random.default_rng(0)
    run = timed_run({"slow": rng.lognormal(1, 0.1, 9), "fast": rng.lognormal(0, 0.1, 9)})
    timed = {"e": experiment(("slow", "fast"), (100, 101), timed=Timed(blocks=8))}
    found = told(_time(), run, experiments=timed).outlook
    assert (str(found.replicates), found.matters) == ("16 blocks", "δ = a factor of 1.20")
    assert found.detectable is not None
    assert found.shown == f"≥ {np.exp(found.detectable):.2f} times"
    few = {"e": experiment(("slow", "fast"), (100,), timed=Timed(blocks=5))}
    assert told(_time(), run, experiments=few).outlook.shown == "too few, 8 needed"


def test_a_ratio_inside_a_margin_is_told_by_both_ends() -> None:
    values = np.exp(0.01 * np.array([-1.0, 0.5, 0.2, -0.3, 0.6]))[:, None] * np.ones(4)
    form = Equivalence(log(cell("a")) - log(cell("b")), margin=0.2, margin_reason="r")
    found = told(form, run_of({"a": values, "b": np.ones((5, 4))})).outlook
    assert found.matters == "Δ = a factor of 1.22"
    assert found.detectable is not None
    low, high = np.exp(-found.detectable), np.exp(found.detectable)
    assert found.shown == f"{low:.2f} to {high:.2f} times"


@pytest.mark.parametrize(
    ("form", "word"),
    [
        (Exact((cell("a"),), oracle="o"), "exact"),
        (NotRun("closed"), "not run"),
        (NotComparable(alone(cell("a")), reason="a proxy"), "only shown"),
    ],
)
def test_what_tests_nothing_has_nothing_to_detect(form: Form, word: str) -> None:
    found = told(form, run_of(seeded(SPREAD)))
    assert (found.outlook, found.source) == (Outlook(shown=word), "")


def test_without_results_the_spread_is_unknown() -> None:
    found = told(direction(), None)
    assert (found.outlook.shown, found.source, found.outlook.matters) == ("unknown", "", "δ = 0.1")
    assert told(direction(), None, seeds=3).outlook.shown == "too few"
    one = told(direction(), run_of(seeded(np.array([0.2]))))
    assert (one.outlook.shown, one.outlook.reason) == ("unknown", "one seed shows no spread between seeds")


def test_what_the_first_results_do_not_measure_comes_from_the_next() -> None:
    declared = suite([claim(direction()), claim(direction(theta=gain("c", "d")), "C2")])
    planned = Planned({"e": experiment("abcd", range(100, 105))}, {})
    first = run_of(seeded(SPREAD))
    second = run_of({"c": 0.5 + SPREAD[:, None] * np.ones(4), "d": np.full((5, 4), 0.5)})
    found = outlooks(declared, SMALL, declared.claims, planned, {"first": first, "second": second}, floors={})
    assert [item.source for item in found] == ["first", "second"]
    neither = outlooks(declared, SMALL, declared.claims, planned, {"first": first}, floors={})
    assert neither[1].source == ""
    assert "did not include" in neither[1].outlook.reason


def test_what_is_not_planned_or_cannot_run_says_so() -> None:
    run = run_of(seeded(SPREAD))
    assert told(direction(), run, experiments={}).outlook.shown == "not planned"
    one = {"e": experiment("a", range(100, 105))}
    assert told(direction(), run, experiments=one).outlook.shown == "not planned"
    for name in ("e", "e/t/b"):
        found = told(direction(), run, blocked={name: "no licence."}).outlook
        assert (found.shown, found.reason) == ("cannot run", "no licence")


def test_replicates_are_the_seeds_that_all_experiments_share() -> None:
    other = experiment("ab", range(102, 110), name="f")
    planned = Planned({"e": experiment("ab", range(100, 105)), "f": other}, {})
    cells = [cell("a"), *(c for _, c in gain().terms)]
    assert planned.replicates(cells) == Replicates(5)
    assert planned.replicates([*cells, type(cells[0])("f", "a", cells[0].metric)]) == Replicates(3)


def test_smoke_judges_nothing_that_is_tested() -> None:
    found = told(direction(), run_of(seeded(SPREAD)), scale=Scale(profile=Profile.SMOKE))
    assert found.outlook.shown == "not judged"


def test_a_twin_has_the_outlook_of_the_other() -> None:
    declared: Suite = suite([claim(direction()), claim(direction(), "C2", same_as="C1")])
    planned = Planned({"e": experiment("ab", range(100, 105))}, {})
    found = outlooks(declared, SMALL, declared.claims, planned, {"run": run_of(seeded(SPREAD))}, floors={})
    assert found[1].outlook.shown == "as C1"


def test_a_trend_is_told_in_its_slope() -> None:
    points: Any = tuple(zip((1.0, 2.0, 4.0), (alone(cell(name)) for name in "abc"), strict=True))
    form = Trend(points, delta=0.1, delta_reason="r", step_margin=0.05)
    rows = {
        name: level + 0.01 * RNG.normal(size=(5, 1)) * np.ones(4)
        for name, level in zip("abc", (0.1, 0.2, 0.4), strict=True)
    }
    found = told(form, run_of(rows)).outlook
    assert found.detectable is not None
    assert 0.1 <= found.detectable < 0.2


def test_every_cell_needs_more_than_one() -> None:
    rows = {
        name: 0.5 + level + 0.05 * RNG.normal(size=(5, 1)) * np.ones(4)
        for name, level in zip("abc", (0.2, 0.2, 0.0), strict=True)
    }
    run = run_of(rows)
    one, other = (told(direction(theta=gain(name, "c")), run).outlook.detectable for name in "ab")
    both = told(EveryCell((gain("a", "c"), gain("b", "c")), delta=0.1, delta_reason="r"), run).outlook
    assert both.detectable is not None
    assert both.detectable > max(one or 0.0, other or 0.0)
