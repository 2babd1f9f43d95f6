"""How many replicates would settle a claim: against simulation, and what is said where none would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from harness.claims import (
    Equivalence,
    EveryCell,
    Form,
    NonInferiority,
    Ordering,
    Precondition,
    Replication,
    Share,
    StatisticalForm,
    Trend,
    alone,
)
from harness.claims.findings import ALPHA, flips_needed
from harness.claims.settling import replicates_needed
from harness.evidence import judge
from harness.evidence.context import MeasuredAnswer
from harness.evidence.distributions import student
from harness.evidence.inference import Inference
from harness.evidence.power import MOST, Spread, Supposed, fewest
from harness.store.memory import MemoryRun
from harness.store.records import VerdictRecord
from tests.harness.evidence.worlds import (
    SMALL,
    cell,
    claim,
    direction,
    gain,
    run_of,
    seeded,
    suite,
)

DRAWS = 4_000
RNG = np.random.default_rng(7)
SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


def verdict(form: Form, run: MemoryRun) -> VerdictRecord:
    [found] = judge(suite([claim(form)]), SMALL, run).verdicts
    return found


@pytest.mark.parametrize("n", [3, 5, 10, 40])
@pytest.mark.parametrize("effect", [0.5, 1.0, 3.0])
def test_power_agrees_with_statsmodels(n: int, effect: float) -> None:
    expected = TTestPower().power(effect, n, 0.025, alternative="larger")
    assert Supposed(effect, 0.025, lower=0.0).passes(n, Spread(1.0)) == pytest.approx(expected, abs=1e-3)


def test_power_grows_to_one_far_out() -> None:
    powers = [Supposed(e, 0.025, lower=0.0).passes(10, Spread(1.0)) for e in np.linspace(1, 200, 100)]
    assert np.all(np.diff(powers) >= -1e-12)
    assert powers[-1] == 1


SUPPOSED = {
    "a direction that must reach δ": Supposed(2.0, 0.003, lower=0.0, size=1.0, below=1.0),
    "a direction of nothing": Supposed(0.0, 0.003, lower=0.0, size=1.0, below=1.0),
    "inside two bounds": Supposed(0.0, 0.01, lower=-1.5, upper=1.5, below=-1.5, above=1.5),
    "outside two bounds": Supposed(3.0, 0.01, lower=-1.5, upper=1.5, below=-1.5, above=1.5),
}


@pytest.mark.parametrize("n", [4, 9, 20])
@pytest.mark.parametrize("asked", SUPPOSED.values(), ids=SUPPOSED)
def test_both_powers_agree_with_simulation(asked: Supposed, n: int) -> None:
    passes, falls = _simulated(RNG.normal(asked.truth, 1.0, (DRAWS, n)), asked)
    assert asked.passes(n, Spread(1.0)) == pytest.approx(passes.mean(), abs=0.025)
    assert asked.falls(n, Spread(1.0)) == pytest.approx(falls.mean(), abs=0.025)


def _simulated(drawn: np.ndarray, asked: Supposed, sd: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Which of some samples (samples, n) pass and fall by the product's own distribution of θ."""
    laws = [law for law in map(student, drawn) if law]
    passes = [
        law.p_above(asked.lower) <= asked.alpha
        and (np.isinf(asked.upper) or law.p_below(asked.upper) <= asked.alpha)
        and law.value >= asked.size
        for law in laws
    ]
    falls = [min(law.p_below(asked.below), law.p_above(asked.above)) <= asked.alpha for law in laws]
    return np.array(passes), np.array(falls)


@pytest.mark.parametrize("effect", [0.3, 1.0, 2.5])
def test_the_least_n_that_reaches_the_power_is_found(effect: float) -> None:
    asked = Supposed(effect, 0.025, lower=0.0)
    n = fewest(lambda n: asked.passes(n, Spread(1.0)), 0.8)
    assert n is not None
    assert asked.passes(n, Spread(1.0)) >= 0.8
    assert n == 2 or asked.passes(n - 1, Spread(1.0)) < 0.8


@pytest.mark.parametrize(
    ("truth", "spread"), [(1.0, Spread(1.0, fixed=1.0)), (1e-4, Spread(1.0)), (0.0, Spread(1.0))]
)
def test_no_number_is_found_where_none_is_enough(truth: float, spread: Spread) -> None:
    assert fewest(lambda n: Supposed(truth, 0.025, lower=0.0).passes(n, spread), 0.8) is None
    assert MOST >= 1000


def test_equal_replicates_are_counted_by_sign_flips() -> None:
    assert flips_needed(0.025) == 6  # 2⁻⁵ > .025
    assert flips_needed(0.025 / 12) == 9  # Holm over twelve claims.
    asked = Supposed(1.0, 0.025 / 12, lower=0.0, size=0.5)
    assert fewest(lambda n: asked.passes(n, Spread(0.0)), 0.8) == 9


def known_answers(form: StatisticalForm, sd: float, seeds: int) -> list[MeasuredAnswer]:
    """Answers whose spread is known to be ``sd``: only their upper bound would differ."""
    values = tuple((np.resize([-1.0, 1.0], seeds) * sd).tolist())
    found = Inference(0.0, student(np.array(values)), "", values, 1)
    return [_Known(question, form.sampling, None, found) for question in form.questions({})]  # type: ignore[arg-type]


class _Known(MeasuredAnswer):
    @property
    def _spread(self) -> Spread:
        return Spread(max(self.inference.replicates))

    @property
    def seeds(self) -> int:
        return len(self.inference.replicates)


_MORE: dict[str, Any] = {"delta": 1.0, "delta_reason": "r"}
_INSIDE: dict[str, Any] = {"margin": 1.0, "margin_reason": "r"}
_THREE = tuple(alone(cell(name)) for name in "abc")
FORMS: dict[str, StatisticalForm] = {
    "direction": direction(delta=1.0),
    "every cell": EveryCell(_THREE, **_MORE),
    "ordering": Ordering((gain("a", "b"), gain("b", "c")), **_MORE),
    "trend": Trend(tuple(zip((1.0, 2.0, 3.0), _THREE, strict=True)), step_margin=1.0, **_MORE),
    "share": Share(cell("a"), cell("b"), cell("c"), cell("d"), ratio=0.5, **_MORE),
    "non-inferiority": NonInferiority(gain(), **_INSIDE),
    "equivalence": Equivalence(gain(), **_INSIDE),
}


@pytest.mark.parametrize("sd", [0.4, 1.1])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_number_gives_the_whole_claim_its_power(form: StatisticalForm, sd: float) -> None:
    """Simulated with independent questions, each of the spread that the number was computed for."""
    family, draws = 7, 1500
    answers = known_answers(form, sd, 2)
    found = replicates_needed(answers, form.supposed, ALPHA / family, least=2, noun="seed")
    assert set(found.replicates) == set(form.supposed)
    for name, truth in form.supposed.items():
        n = found.replicates[name]
        assert n is not None
        assert n >= form.sampling.least
        passes, falls = [], []
        for question in form.questions({}):
            drawn = RNG.normal(truth * question.scale, sd, (draws, n))
            asked = Supposed(
                truth,
                ALPHA / family,
                lower=question.lower,
                upper=np.inf if question.upper is None else question.upper,
                size=-np.inf if question.size is None else question.size,
                below=-np.inf if question.falls_below is None else question.falls_below,
                above=np.inf if question.falls_above is None else question.falls_above,
            )
            held, fell = _simulated(drawn, asked)
            passes.append(held)
            falls.append(fell)
        # At Holm's first step for one question alone: of several, the first to fall decides.
        decided = np.any(falls, axis=0) | np.all(passes, axis=0)
        assert decided.mean() >= 0.8 - 3 * np.sqrt(0.16 / draws), name


# ---- what verdicts say


def test_a_step_of_a_trend_needs_more_than_its_slope_alone() -> None:
    points = tuple(zip((1.0, 2.0, 3.0), _THREE, strict=True))
    steep = Trend(points, step_margin=0.0, **_MORE)
    wide = Trend(points, step_margin=100.0, **_MORE)
    sizes = [
        replicates_needed(known_answers(form, 2.0, 2), form.supposed, ALPHA, least=2, noun="seed").replicates
        for form in (steep, wide)
    ]
    assert sizes[0]["θ = 2δ"] == sizes[1]["θ = 2δ"]  # A step of 2δ per unit is as far from 0 as the slope.
    narrow = Trend(tuple((x / 10, theta) for x, theta in points), step_margin=0.0, **_MORE)
    [found] = [replicates_needed(known_answers(narrow, 2.0, 2), narrow.supposed, ALPHA, least=2, noun="seed")]
    assert (found.replicates["θ = 2δ"] or 0) > 50 * (sizes[0]["θ = 2δ"] or 0)


def test_what_the_seeds_at_hand_would_have_settled_is_not_proposed() -> None:
    """Ten seeds with θ near δ: three would do for θ = 2δ or 0, so θ is neither."""
    effects = 0.1 + 0.01 * np.tile([-1.0, 1.0], 5)
    found = verdict(direction(delta=0.101), run_of(seeded(effects)))
    assert (found.verdict, found.cause, found.needed_seeds) == ("inconclusive", "power", {})
    assert found.no_seeds.startswith("the 10 seeds at hand would have settled θ = 2δ and θ = 0")


@pytest.mark.parametrize("form", [direction(), NonInferiority(gain(), margin=0.05, margin_reason="r")])
def test_every_number_exceeds_the_seeds_at_hand(form: Form) -> None:
    for scale in (0.2, 0.5, 1.0, 2.0, 4.0):
        found = verdict(form, run_of(seeded(scale * 6 * SPREAD)))
        if found.verdict == "inconclusive":
            assert found.needed_seeds or found.no_seeds
            assert all(n is None or n > len(SPREAD) for n in found.needed_seeds.values())


def test_the_observed_effect_does_not_enter() -> None:
    low, high = (verdict(direction(), run_of(seeded(at + 6 * SPREAD))) for at in (0.05, 0.09))
    assert low.verdict == high.verdict == "inconclusive"
    assert low.needed_seeds == high.needed_seeds
    assert low.needed_seeds


def test_a_failed_precondition_comes_first() -> None:
    assay = Precondition(name="it reads", theta=alone(cell("a")), above=5.0, reason="r")
    found = verdict(direction(preconditions=(assay,)), run_of(seeded(0.2 + SPREAD)))
    assert (found.cause, found.needed_seeds) == ("assay", {})
    assert found.no_seeds == "the precondition 'it reads' did not hold, and comes first"


def test_units_are_fixed_by_the_data() -> None:
    rng = np.random.default_rng(0)
    run = run_of({"a": rng.normal(1.05, 1, (1, 60)), "b": rng.normal(1, 1, (1, 60))})
    found = verdict(direction(replication=Replication.UNITS), run)
    assert found.verdict == "inconclusive"
    assert "the replicates are the 60 units that the data have" in found.no_seeds


def test_a_collapsed_seed_needs_ten() -> None:
    effects = np.array([0.5, 0.5001, 0.4999, 0.5002, -0.5])
    found = verdict(direction(delta=0.3), run_of(seeded(effects)))
    assert "collapsed" in found.reason
    assert all(n is None or n >= 10 for n in found.needed_seeds.values())
    assert found.needed_seeds or found.no_seeds


def test_one_seed_shows_no_spread() -> None:
    found = verdict(direction(), run_of(seeded(np.array([0.2]))))
    assert (found.verdict, found.needed_seeds) == ("inconclusive", {})
    assert found.no_seeds == "one seed shows no spread between seeds"


def test_a_noise_floor_bounds_the_spread() -> None:
    run = run_of(seeded(np.full(5, 0.05)))
    plain = verdict(direction(min_seeds=5), run)
    floored = verdict(direction(min_seeds=5, noise_floor=0.1), run)
    assert plain.needed_seeds == {"θ = 2δ": 6, "θ = 0": 6}  # Sign flips of equal values.
    assert (floored.needed_seeds["θ = 0"] or 0) == fewest(
        lambda n: Supposed(0.0, ALPHA, below=0.1).falls(n, Spread(0.1)), 0.8
    )


def test_claims_that_are_settled_name_no_number() -> None:
    found = verdict(direction(), run_of(seeded(0.2 + SPREAD)))
    assert (found.verdict, found.needed_seeds, found.no_seeds) == ("reproduced", {}, "")
