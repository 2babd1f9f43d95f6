"""A case for each form of claim: what it is declared with, and runs that give each of its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from harness.claims import (
    Control,
    CountCost,
    Direction,
    Equivalence,
    EveryCell,
    Exact,
    Existence,
    Form,
    NonInferiority,
    NotComparable,
    NotRun,
    Ordering,
    Profile,
    SamplerLaw,
    Share,
    Time,
    Trend,
    Value,
    alone,
)
from harness.method import mean_of
from harness.store.memory import MemoryRun
from harness.suite import Reported, Scale, Standing, Suite
from tests.harness.evidence.test_exact import exact_run, law_run
from tests.harness.evidence.worlds import (
    cell,
    claim,
    experiment,
    gain,
    run_of,
    suite,
    timed_experiment,
    timed_run,
)

SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
OTHER = np.array([0.01, -0.02, 0.015, 0.0, -0.005])
SEEDS = range(100, 105)


@dataclass(frozen=True)
class FormCase:
    """A form and its worlds.

    Attributes:
        form: As declared; it measures the method "a", for which "bad" is a sabotage.
        runs: Runs by the verdict that they give.
        profile: Under which it is judged.
        reported: The paper's numbers.
    """

    form: Form
    runs: Mapping[str, MemoryRun]
    profile: Profile = Profile.SMALL
    reported: Mapping[str, Reported] = field(default_factory=dict)

    @property
    def scale(self) -> Scale:
        return Scale(profile=self.profile)

    @property
    def suite(self) -> Suite:
        """A suite of one claim, with a control that must kill it where it can be killed."""
        run = next(iter(self.runs.values()))
        timed = any("*" in name for name in run.trials)
        methods = ["slow", "a", "bad"] if timed else ["a", "b", "c", "d", "bad"]
        control = Control(id="K1", title="broken", replaces={"a": "bad"}, predicts={"C1": "kill"})
        made = timed_experiment(methods) if timed else experiment(methods, SEEDS)
        controls = [control] if self.form.decides else []
        return suite([claim(self.form, profile=self.profile)], [made], controls, reported=dict(self.reported))


def levels(*, profile: str = "small", **values: np.ndarray) -> MemoryRun:
    """Methods at a level over .5, by seed; "b" stays there unless it is given, and "bad" does no better."""
    shown = {"b": 0 * SPREAD, "bad": 0.5 * OTHER, **values}
    scores = {name: np.repeat((0.5 + rows)[:, None], 4, axis=1) for name, rows in shown.items()}
    return run_of(scores, profile=profile)


def _times(factor: float, noise: float = 0.02) -> MemoryRun:
    rng = np.random.default_rng(3)
    fast = rng.lognormal(0, noise, 10)
    slow = factor * rng.lognormal(0, noise, 10)
    return timed_run({"slow": slow, "a": fast, "bad": slow})


def _uniform(power: float, tokens: int = 600) -> MemoryRun:
    rng = np.random.default_rng(1)
    return law_run(
        {"a": [rng.random(tokens) ** power for _ in range(2)], "bad": [rng.random(tokens) ** 3] * 2}
    )


def _cases(error: float, *, confirmed: bool, bad: float = 1.0) -> MemoryRun:
    return exact_run({"a": [(error, confirmed)] * 3, "bad": [(bad, True)] * 3})


EFFECTS = {
    "reproduced": levels(a=0.3 + SPREAD),
    "not reproduced": levels(a=0.01 + SPREAD),
    "inconclusive": levels(a=0.1 + 8 * SPREAD),
}
SECONDS = mean_of("seconds", better="lower")
CASES: dict[str, FormCase] = {
    "Direction": FormCase(Direction(gain(), delta=0.1, delta_reason="a tenth"), EFFECTS),
    "NonInferiority": FormCase(
        NonInferiority(gain(), margin=0.1, margin_reason="a tenth"),
        {
            "reproduced": levels(a=SPREAD, bad=-0.5 + OTHER),
            "not reproduced": levels(a=-0.3 + SPREAD),
            "inconclusive": levels(a=-0.1 + 5 * SPREAD),
        },
    ),
    "Equivalence": FormCase(
        Equivalence(gain(), margin=0.1, margin_reason="a tenth"),
        {
            "reproduced": levels(a=SPREAD, bad=0.4 + OTHER),
            "not reproduced": levels(a=0.3 + SPREAD),
            "inconclusive": levels(a=10 * SPREAD),
        },
    ),
    "Ordering": FormCase(
        Ordering((gain("a", "b"), gain("b", "c")), delta=0.1, delta_reason="a tenth"),
        {
            "reproduced": levels(a=0.4 + SPREAD, b=0.2 + OTHER, c=0 * SPREAD),
            "not reproduced": levels(a=0.4 + SPREAD, b=0.2 + OTHER, c=0.2 + 0.5 * SPREAD),
            "inconclusive": levels(a=0.4 + SPREAD, b=0.2 + OTHER, c=0.1 + 8 * SPREAD),
        },
    ),
    "Trend": FormCase(
        Trend(
            tuple((float(x), alone(cell(name))) for x, name in enumerate("bca")),
            delta=0.05,
            delta_reason="a twentieth a step",
            step_margin=0.05,
        ),
        {
            "reproduced": levels(b=SPREAD, c=0.1 + OTHER, a=0.2 - SPREAD),
            "not reproduced": levels(b=SPREAD, c=OTHER, a=OTHER),
            "inconclusive": levels(b=0.1 + SPREAD, c=OTHER, a=0.4 + OTHER),
        },
    ),
    "EveryCell": FormCase(
        EveryCell((gain("a", "b"), gain("c", "b")), delta=0.1, delta_reason="a tenth"),
        {
            "reproduced": levels(a=0.3 + SPREAD, c=0.3 + OTHER),
            "not reproduced": levels(a=0.3 + SPREAD, c=0.01 + OTHER),
            "inconclusive": levels(a=0.3 + SPREAD, c=0.1 + 8 * SPREAD),
        },
    ),
    "Share": FormCase(
        Share(
            cell("a"), cell("b"), cell("c"), cell("d"),
            ratio=0.5, delta=0.1, delta_reason="a tenth", denominator_delta=0.2,
        ),
        {
            "reproduced": levels(a=0.8 + SPREAD, c=1 + OTHER, d=0 * SPREAD),
            "not reproduced": levels(a=0.2 + SPREAD, c=1 + OTHER, d=0 * SPREAD),
            "inconclusive": levels(a=0.8 + SPREAD, c=OTHER, d=0 * SPREAD),
        },
    ),
    "Value": FormCase(
        Value(alone(cell("a")), reported="r", margin=0.1, margin_reason="a tenth"),
        {
            "reproduced": levels(a=0.2 + SPREAD, profile="paper"),
            "not reproduced": levels(a=0.6 + SPREAD, profile="paper"),
            "inconclusive": levels(a=0.2 + 3 * SPREAD, profile="paper"),
        },
        Profile.PAPER,
        {"r": Reported(id="r", value=0.7, where="Table 1", standing=Standing.VERIFIED)},
    ),
    "Exact": FormCase(
        Exact((cell("a"),), oracle="a linear program"),
        {
            "reproduced": _cases(1e-9, confirmed=False),
            "not reproduced": _cases(0.5, confirmed=True),
            "inconclusive": _cases(0.5, confirmed=False),
        },
    ),
    "SamplerLaw": FormCase(
        SamplerLaw(cell("a"), depths=2, margin=0.2, min_tokens=500),
        {
            "reproduced": _uniform(1.0),
            "not reproduced": _uniform(3.0),
            "inconclusive": _uniform(1.0, tokens=100),
        },
    ),
    "CountCost": FormCase(
        CountCost(gain(), delta=0.2, delta_reason="a fifth"),
        {
            "reproduced": levels(a=0 * SPREAD + 0.3),
            "not reproduced": levels(a=0 * SPREAD + 0.1),
            "inconclusive": levels(a=0.2 + SPREAD),
        },
    ),
    "Time": FormCase(
        Time(
            cell("slow", SECONDS, part="time"), cell("a", SECONDS, part="time"),
            delta=0.4, delta_reason="half as long again",
        ),
        {
            "reproduced": _times(2.0),
            "not reproduced": _times(1.0),
            "inconclusive": _times(1.5, noise=1.0),
        },
    ),
    "Existence": FormCase(
        Existence(cell("a"), oracle="a checker"),
        {
            "reproduced": _cases(0.5, confirmed=True, bad=0.0),
            "inconclusive": _cases(0.5, confirmed=False),
        },
    ),
    "NotComparable": FormCase(
        NotComparable(gain(), reason="a cost model is arithmetic."),
        {"not comparable": levels(a=0.3 + SPREAD)},
    ),
    "NotRun": FormCase(NotRun("The model is closed."), {"not run": levels(a=SPREAD)}),
}  # fmt: skip
