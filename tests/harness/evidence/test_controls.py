"""Sabotages: what kills, what keeps, and what is only lost power."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.claims import (
    Claim,
    Control,
    Equivalence,
    Exact,
    Existence,
    Form,
    NonInferiority,
    Ordering,
    Profile,
    Replication,
    SamplerLaw,
    Time,
    Trend,
)
from harness.evidence import judge
from harness.method import mean_of
from harness.store.memory import MemoryRun
from harness.store.records import ControlRecord
from tests.harness.evidence.test_exact import exact_run, law_run
from tests.harness.evidence.worlds import SCORE, SMALL, cell, claim, direction, gain, run_of, suite, timed_run

SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
BROKEN = Control(id="broken", title="broken", replaces={"a": "bad"}, predicts={"C1": "kill"})


def outcome(form: Form, run: MemoryRun, control: Control = BROKEN) -> ControlRecord:
    declared = suite([claim(form)], controls=[control])
    return judge(declared, SMALL, run).controls[0]


def levels(**values: np.ndarray) -> MemoryRun:
    return run_of({name: np.repeat((0.5 + v)[:, None], 4, axis=1) for name, v in values.items()})


def test_a_sabotage_that_removes_the_effect_kills() -> None:
    run = levels(a=0.3 + SPREAD, b=0 * SPREAD, bad=0.01 - SPREAD)
    assert outcome(direction(), run).outcome == "kill"


def test_a_sabotage_that_changes_nothing_keeps() -> None:
    run = levels(a=0.3 + SPREAD, b=0 * SPREAD, bad=0.3 - SPREAD)
    assert outcome(direction(), run).outcome == "keep"


def test_lost_power_is_no_kill() -> None:
    run = levels(a=0.3 + SPREAD, b=0 * SPREAD, bad=0.3 + 30 * SPREAD)
    found = outcome(direction(), run)
    assert found.outcome == "undecided"


def test_a_sabotage_that_did_not_run_is_undecided() -> None:
    found = outcome(direction(), levels(a=0.3 + SPREAD, b=0 * SPREAD))
    assert found.outcome == "undecided"
    assert "bad" in found.detail


def test_a_sabotage_that_touches_nothing_is_undecided() -> None:
    control = Control(id="idle", title="", replaces={"other": "bad"}, predicts={"C1": "keep"})
    assert outcome(direction(), levels(a=0.3 + SPREAD, b=0 * SPREAD), control).outcome == "undecided"


def test_a_sabotage_that_makes_all_cells_cancel_is_undecided() -> None:
    points = tuple((float(x), gain(method, "b")) for x, method in enumerate(("a", "c", "d")))
    trend = Trend(points=points, delta=0.05, delta_reason="", step_margin=0.1, replication=Replication.SEEDS)
    run = levels(**{name: 0.1 * i + SPREAD for i, name in enumerate("bacd")})
    same = Control(id="x", title="", replaces=dict.fromkeys("acd", "b"), predicts={"C1": "kill"})
    found = outcome(trend, run, same)
    assert found.outcome == "undecided"
    assert "cancel" in found.detail


def test_a_control_may_be_limited_to_an_experiment_or_replace_tasks() -> None:
    elsewhere = Control(id="x", title="", replaces={"a": "bad"}, predicts={"C1": "kill"}, experiment="other")
    run = levels(a=0.3 + SPREAD, b=0 * SPREAD, bad=0 * SPREAD)
    assert outcome(direction(), run, elsewhere).outcome == "undecided"
    shuffled = Control(id="x", title="", replaces={}, predicts={"C1": "kill"}, extra={"t": "shuffled"})
    run = levels(a=0.3 + SPREAD, b=0 * SPREAD)
    for name in list(run.trials):
        other = name.replace("/t/", "/shuffled/")
        run.record.planned.append(other)
        rows = run.tables[name, "main"] | {"score": 0.5 + 0.01 * np.arange(4)}
        run.add(run.trials[name].model_copy(update={"trial": other, "task": "shuffled"}), main=rows)
    form = direction(theta=gain(task="t"))
    assert outcome(form, run, shuffled).outcome == "kill"


def test_one_broken_step_kills_an_ordering() -> None:
    form = Ordering(
        steps=(gain("a", "b"), gain("b", "c")), delta=0.1, delta_reason="", replication=Replication.SEEDS
    )
    zigzag = np.array([0.02, -0.01, 0.01, -0.02, 0.0])
    run = levels(a=0.6 + SPREAD, b=0.3 + zigzag, c=0 * SPREAD, bad=0.3 - SPREAD)
    assert outcome(form, run).outcome == "kill"


def test_only_steps_that_the_sabotage_fails_can_kill() -> None:
    form = Ordering(
        steps=(gain("a", "b"), gain("b", "c")), delta=0.1, delta_reason="", replication=Replication.SEEDS
    )
    zigzag = np.array([0.02, -0.01, 0.01, -0.02, 0.0])
    # The sabotage makes the first step smaller, though still clear, and the second only noisy.
    control = Control(id="x", title="", replaces={"b": "bad", "c": "noisy"}, predicts={"C1": "kill"})
    run = levels(
        a=0.9 + zigzag, b=0.3 + SPREAD, c=0 * SPREAD, bad=0.5 + SPREAD[::-1], noisy=0.2 + 20 * zigzag
    )
    assert outcome(form, run, control).outcome == "undecided"


@pytest.mark.parametrize(("shift", "expected"), [(0.5, "kill"), (0.0, "keep"), (0.1, "undecided")])
def test_equivalence_needs_the_sabotage_outside_the_margin(shift: float, expected: str) -> None:
    form = Equivalence(theta=gain(), margin=0.1, margin_reason="", replication=Replication.SEEDS)
    run = levels(a=SPREAD, b=0 * SPREAD, bad=shift - SPREAD)
    assert outcome(form, run).outcome == expected


def test_non_inferiority_is_killed_by_doing_worse_than_the_real_thing() -> None:
    form = NonInferiority(theta=gain(), margin=0.1, margin_reason="", replication=Replication.SEEDS)
    run = levels(a=SPREAD, b=0 * SPREAD, bad=-0.12 + np.array([0.05, -0.04, 0.06, -0.05, -0.02]))
    found = outcome(form, run)  # neither inside nor outside the margin, and clearly worse than a
    assert found.outcome == "kill"
    assert "real − control" in found.detail


def test_time_controls_compare_arms() -> None:
    seconds = mean_of("seconds", better="lower")
    form = Time(
        slow=cell("slow", seconds, part="time"), fast=cell("a", seconds, part="time"),
        delta=0.2, delta_reason="",
    )  # fmt: skip
    noise = np.random.default_rng(1).lognormal(0, 0.03, (3, 9))
    run = timed_run({"slow": 2 * noise[0], "a": noise[1], "bad": 2 * noise[2]})
    assert outcome(form, run).outcome == "kill"


def test_exact_claims_are_killed_by_the_oracle() -> None:
    form = Exact(cells=(cell("a"),), oracle="a linear program")
    errors = {"a": [(1e-9, True)] * 3, "bad": [(1e-9, True), (0.1, True)]}
    assert outcome(form, exact_run(errors)).outcome == "kill"
    unconfirmed = {"a": [(1e-9, True)] * 3, "bad": [(0.1, False)]}
    assert outcome(form, exact_run(unconfirmed)).outcome == "undecided"
    harmless = {"a": [(1e-9, True)] * 3, "bad": [(1e-9, False)] * 3}
    assert outcome(form, exact_run(harmless)).outcome == "keep"


def test_law_claims_are_killed_by_samples_of_another_law() -> None:
    rng = np.random.default_rng(0)
    form = SamplerLaw(cell=cell("a"), depths=2, min_tokens=10_000)
    good = [rng.random(12_000), rng.random(12_000)]
    stale = [rng.random(12_000), rng.beta(1, 1.5, 12_000)]
    run = law_run({"a": good, "bad": stale})
    assert outcome(form, run).outcome == "kill"


@pytest.mark.parametrize(
    ("real", "fake", "tokens", "expected"),
    [
        pytest.param(1.0, 1.025, 20_000, "kill", id="seen, though the margin might forgive it"),
        pytest.param(1.0, 1.012, 8_000, "undecided", id="too few tokens to see it"),
        pytest.param(1.0, 1.025, 9_000, "undecided", id="fewer tokens than the claim asks for"),
        pytest.param(1.025, 1.025, 20_000, "undecided", id="no further from the law than the real thing"),
    ],
)
def test_a_law_within_the_margin_is_killed_if_uniformity_is_refused(
    real: float, fake: float, tokens: int, expected: str
) -> None:
    def spread(stretch: float) -> np.ndarray:
        """Evenly spread values whose distance from uniformity is almost exactly stretch − 1."""
        return np.clip(stretch * (np.arange(tokens) + 0.5) / tokens, 0, 1)

    run = law_run({"a": [spread(real)], "bad": [spread(fake)]})
    exact = exact_run({"exact": [(0.0, True)]})
    run.record.planned.append("e/t/exact/100")
    run.add(exact.trials["e/t/exact/100"], main=exact.tables["e/t/exact/100", "main"])
    form = SamplerLaw(cell=cell("a"), depths=1, margin=0.03, min_tokens=10_000)
    assert outcome(form, run).outcome == expected
    assert outcome(replace(form, exact=(cell("exact"),)), run).outcome == expected


def test_existence_is_killed_by_having_no_witness() -> None:
    form = Existence(cell=cell("a", SCORE), oracle="a checker")
    run = exact_run({"a": [(0.0, True)], "bad": [(0.0, False)]})
    for (trial, _), table in run.tables.items():
        table["witness"] = np.array(["/a/" in trial])
    assert outcome(form, run).outcome == "kill"


def test_claims_that_the_run_left_out_are_not_in_the_matrix() -> None:
    wide = claim(direction(theta=gain(task="more")), "C2")
    control = Control(id="broken", title="", replaces={"a": "bad"}, predicts={"C1": "kill", "C2": "kill"})
    declared = suite([claim(direction()), wide], controls=[control])
    run = levels(a=0.3 + SPREAD, b=0 * SPREAD, bad=0.01 - SPREAD)
    found = judge(declared, SMALL, run)
    assert [verdict.verdict for verdict in found.verdicts] == ["reproduced", "not run"]
    assert [(r.control, r.claim, r.outcome) for r in found.controls] == [("broken", "C1", "kill")]


def test_only_cells_that_this_profile_judges_are_in_the_matrix() -> None:
    other = Claim(id="C2", statement="", source="", forms={Profile.GPU: direction()})
    control = Control(id="broken", title="", replaces={"a": "bad"}, predicts={"C1": "kill", "C2": "kill"})
    declared = suite([claim(direction()), other], controls=[control])
    run = levels(a=0.3 + SPREAD, b=0 * SPREAD, bad=0.01 - SPREAD)
    assert [(r.control, r.claim) for r in judge(declared, SMALL, run).controls] == [("broken", "C1")]
