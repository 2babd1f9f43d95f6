"""Two runs side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.claims import Time, log
from harness.cli.compare import _lines
from harness.evidence.compare import compare_runs
from harness.evidence.regress import Regression, regress_run
from harness.evidence.verdicts import judge
from harness.evidence.watched import few_recorded
from harness.method import mean_of
from harness.store.memory import MemoryRun
from harness.suite import Suite
from tests.harness.evidence.worlds import (
    SMALL,
    cell,
    claim,
    direction,
    gain,
    run_of,
    seeded,
    suite,
    timed_run,
)

SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
DECLARED = suite([claim(direction())])


def run(effects: np.ndarray, *, base: float = 0.5, **more: Any) -> MemoryRun:
    return run_of(seeded(effects, base=base), DECLARED, **more)


def elsewhere(view: MemoryRun, environment: str = "there") -> MemoryRun:
    view.trials = {k: v.model_copy(update={"environment": environment}) for k, v in view.trials.items()}
    return view


def gate(baseline: MemoryRun, new: MemoryRun) -> Regression:
    before, after = judge(DECLARED, SMALL, baseline), judge(DECLARED, SMALL, new)
    return regress_run(DECLARED, SMALL, baseline, new, baseline_verdicts=before, verdicts=after)


def test_equal_runs_are_comparable_and_identical() -> None:
    found = compare_runs(DECLARED, SMALL, run(0.2 + SPREAD), run(0.2 + SPREAD))
    assert (found.answer, found.fields) == ("comparable", ())
    assert len(found.effects) == 3  # θ and its two cells
    assert all(effect.identical and effect.difference.value == 0 for effect in found.effects)


def test_paired_effects_cancel_what_the_runs_share() -> None:
    left, right = run(0.2 + 5 * SPREAD), run(0.25 + 5 * SPREAD)
    effect = compare_runs(DECLARED, SMALL, left, right).effects[0]
    assert effect.difference.value == pytest.approx(0.05)
    assert effect.difference.low == pytest.approx(0.05)
    assert not effect.identical


@pytest.mark.parametrize(
    ("change", "field", "answer"),
    [
        ({"profile": "gpu"}, "profile", "not comparable"),
        ({"suite": "other"}, "suite", "not comparable"),
        ({"bindings": {"target": "/m"}}, "binding target", "not comparable"),
        ({"settings": {"a.lr": "1"}}, "setting a.lr", "comparable with warnings"),
        ({"claims_sha256": "x"}, "claims", "comparable with warnings"),
        ({"full": True}, "full", "comparable"),
    ],
)
def test_fields_decide_what_may_be_compared(change: dict[str, Any], field: str, answer: str) -> None:
    found = compare_runs(DECLARED, SMALL, run(0.2 + SPREAD), run(0.2 + SPREAD, **change))
    assert found.answer == answer
    assert [item.field for item in found.fields] == [field]
    assert bool(found.effects) == (answer != "not comparable")


def test_trials_tell_of_parameters_environments_and_fingerprints() -> None:
    left, right = run(0.2 + SPREAD), elsewhere(run(0.2 + SPREAD))
    changed = right.trials["e/t/a/100"].model_copy(update={"params": {"k": 8}, "fingerprint": "new"})
    right.trials[changed.trial] = changed
    found = compare_runs(DECLARED, SMALL, left, right)
    assert [item.field for item in found.fields] == ["parameter a.k", "trial fingerprints", "environment"]
    assert found.answer == "comparable with warnings"


def test_other_units_are_skipped_with_the_reason() -> None:
    left, right = run(0.2 + SPREAD), run(0.2 + SPREAD)
    for key in right.tables:
        right.tables[key]["unit_id"] = np.array(["v0", "v1", "v2", "v3"])
    found = compare_runs(DECLARED, SMALL, left, right)
    assert not found.effects
    assert all("units" in item.reason for item in found.skipped)


def test_only_shared_seeds_are_compared() -> None:
    found = compare_runs(DECLARED, SMALL, run(0.2 + SPREAD), run(0.2 + SPREAD[:3]))
    assert found.effects[0].seeds == 3
    nothing = compare_runs(DECLARED, SMALL, run(0.2 + SPREAD), run(0.2 + SPREAD, first_seed=200))
    assert nothing.answer == "not comparable"


def test_gate_says_same_for_equal_rows() -> None:
    found = gate(run(0.2 + SPREAD), run(0.2 + SPREAD))
    assert found.outcome == "same"
    assert {item.outcome for item in found.items} == {"same"}


@pytest.mark.parametrize(
    ("effect", "outcome"), [(0.3, "regressed"), (0.45, "same"), (0.55, "same"), (0.7, "improved")]
)
def test_gate_reads_the_paired_interval_beyond_delta(effect: float, outcome: str) -> None:
    noisy = np.array([0.0, 0.01, -0.01, 0.02, -0.02])
    found = gate(run(0.5 + SPREAD), run(effect + SPREAD + noisy))
    quantity = next(item for item in found.items if item.kind == "quantity")
    assert quantity.outcome == outcome
    assert found.outcome == outcome


@pytest.mark.parametrize(
    ("effect", "outcome"), [(0.4, "regressed"), (0.48, "same"), (0.52, "same"), (0.6, "improved")]
)
def test_elsewhere_the_gate_asks_whether_fresh_seeds_explain_it(effect: float, outcome: str) -> None:
    found = gate(run(0.5 + SPREAD), elsewhere(run(effect + SPREAD[::-1])))
    quantity = next(item for item in found.items if item.kind == "quantity")
    assert quantity.outcome == outcome
    assert found.outcome == outcome


def test_gate_watches_cells_that_cancel_in_the_claim() -> None:
    found = gate(run(0.5 + SPREAD, base=0.5), run(0.5 + SPREAD, base=0.2))
    outcomes = {item.label: item.outcome for item in found.items if item.kind != "verdict"}
    assert found.outcome == "regressed"
    assert sorted(outcomes.values()) == ["regressed", "regressed", "same"]


def test_a_verdict_that_falls_is_a_regression_and_one_that_opens_is_reported() -> None:
    lost = gate(run(0.12 + SPREAD), run(0.05 + SPREAD))
    assert [i.outcome for i in lost.items if i.kind == "verdict"] == ["regressed"]
    noisier = gate(run(0.12 + SPREAD), run(0.12 + 10 * SPREAD))
    assert [i.outcome for i in noisier.items if i.kind == "verdict"] == ["reported"]
    fewer = gate(run(0.2 + SPREAD), run(0.2 + SPREAD[:3]))
    assert [i.outcome for i in fewer.items if i.kind == "verdict"] == ["reported"]
    assert fewer.outcome == "same"


def test_gate_that_compared_nothing_says_so() -> None:
    assert gate(run(0.2 + SPREAD), run(0.2 + SPREAD, profile="gpu")).outcome == "nothing comparable"
    found = regress_run(DECLARED, SMALL, run(0.2 + SPREAD), run(0.2 + SPREAD, first_seed=200))
    assert found.outcome == "nothing comparable"


def test_elsewhere_only_what_gates_can_fail() -> None:
    other = replace(DECLARED, gating=("C9",))
    before, after = run(0.5 + SPREAD), elsewhere(run(0.3 + SPREAD[::-1]))
    found = regress_run(other, SMALL, before, after)
    assert [item.outcome for item in found.items if item.kind == "quantity"] == ["reported"]
    assert (found.outcome, found.gating) == ("same", 0)
    found = regress_run(replace(DECLARED, gating=("C1",)), SMALL, before, after)
    assert (found.outcome, found.gating, found.compared) == ("regressed", 1, 1)


def test_a_gate_that_saw_too_little_does_not_pass() -> None:
    claims = [claim(direction()), claim(direction(theta=gain("z")), "C2")]
    two = suite(claims)
    view = run(0.2 + SPREAD)
    found = regress_run(two, SMALL, view, view)
    assert (found.gating, found.compared) == (2, 1)
    assert found.outcome == "too little compared"
    assert "1 of 2 gating metrics compared" in found.reason


def test_times_are_compared_within_one_environment_only() -> None:
    seconds = mean_of("seconds", better="lower")
    form = Time(
        slow=cell("slow", seconds, part="time"), fast=cell("fast", seconds, part="time"),
        delta=0.1, delta_reason="a tenth",
    )  # fmt: skip
    declared = suite([claim(form)])
    rng = np.random.default_rng(0)
    times = {"slow": rng.lognormal(1, 0.02, 9).tolist(), "fast": rng.lognormal(0, 0.02, 9).tolist()}
    slower = {"slow": times["slow"][::-1], "fast": [1.6 * s for s in times["fast"]]}
    here = regress_run(declared, SMALL, timed_run(times), timed_run(slower))
    assert here.outcome == "regressed"
    there = regress_run(declared, SMALL, timed_run(times), elsewhere(timed_run(slower)))
    assert there.outcome == "nothing comparable"


@pytest.mark.parametrize(
    ("arms", "kernel", "outcome"),
    [
        pytest.param(1.0, 1.0, "same", id="nothing"),
        pytest.param(2.0, 1.0, "regressed", id="both arms twice as slow"),
        pytest.param(2.0, 2.0, "same", id="a machine at half its clock"),
        pytest.param(1.2, 1.0, "same", id="a busy neighbour"),
    ],
)
def test_times_are_held_to_the_calibration_of_their_own_run(arms: float, kernel: float, outcome: str) -> None:
    """Their own ratio stays as it was, so that it cannot tell."""
    declared, _ = _timed()
    rng = np.random.default_rng(0)
    times = {name: rng.lognormal(mu, 0.02, 9) for name, mu in (("slow", 1), ("fast", 0), ("calibration", -3))}
    later = {name: (kernel if name == "calibration" else arms) * row for name, row in times.items()}
    later["slow"] = later["slow"] * rng.lognormal(0, 0.001, 9)
    found = regress_run(declared, SMALL, timed_run(times), timed_run(later))
    assert found.outcome == outcome
    assert found.gating == found.compared == 3
    there = regress_run(declared, SMALL, timed_run(times), elsewhere(timed_run(later)))
    assert there.outcome == "nothing comparable"


def test_timed_results_without_a_calibration_gate_by_their_ratio_alone() -> None:
    declared, times = _timed()
    found = regress_run(declared, SMALL, timed_run(times), timed_run(times))
    assert (found.outcome, found.gating, found.compared) == ("same", 1, 1)


def _timed() -> tuple[Suite, dict[str, list[float]]]:
    seconds = mean_of("seconds", better="lower")
    slow, fast = (cell(name, seconds, part="time") for name in ("slow", "fast"))
    rng = np.random.default_rng(0)
    times = {"slow": rng.lognormal(1, 0.02, 9).tolist(), "fast": rng.lognormal(0, 0.02, 9).tolist()}
    return suite([claim(Time(slow=slow, fast=fast, delta=0.1, delta_reason="a tenth"))]), times


def test_changes_of_times_are_told_as_factors() -> None:
    declared, times = _timed()
    slower = timed_run({"slow": times["slow"], "fast": [1.6 * s for s in times["fast"]]})
    found = regress_run(declared, SMALL, timed_run(times), slower)
    [item] = [item for item in found.items if item.label == "seconds: slow / fast"]
    assert item.detail.startswith("changed by a factor of 0.62 [0.62, 0.62], δ = a factor of 1.11, t over")
    assert item.log.startswith("changed by −0.47 [−0.47, −0.47], δ = 0.1, t over")


def test_a_comparison_shows_ratios_and_keeps_logarithms() -> None:
    declared, times = _timed()
    slower = timed_run({"slow": times["slow"], "fast": [1.6 * s for s in times["fast"]]})
    found = compare_runs(declared, SMALL, timed_run(times), slower)
    assert found.effects[0].difference.value == pytest.approx(-np.log(1.6))
    text = "\n".join(_lines(found))
    assert "C1: seconds: slow / fast" in text
    ratio = np.exp(np.mean(np.log(times["slow"]) - np.log(times["fast"])))
    assert f"left {ratio:.2f} times [" in text
    assert f"right {ratio / 1.6:.2f} times [" in text
    assert "difference a factor of 0.62" in text
    assert "log" not in text


def test_a_sum_of_logarithms_that_is_no_ratio_changes_by_a_factor() -> None:
    theta = log(cell("a")) + log(cell("b")) - log(cell("c"))
    declared = suite([claim(direction(theta=theta))])
    scores = {
        name: np.exp(level + SPREAD[:, None] * np.ones(4))
        for name, level in zip("abc", (1, 2, 3), strict=True)
    }
    doubled = scores | {"a": 2 * scores["a"]}
    found = compare_runs(declared, SMALL, run_of(scores), run_of(doubled))
    assert (found.effects[0].log, found.effects[0].ratio) == (True, None)
    assert "difference a factor of 2.00 [2.00, 2.00]" in "\n".join(_lines(found))
    [item] = [
        i for i in regress_run(declared, SMALL, run_of(scores), run_of(doubled)).items if i.kind == "quantity"
    ]
    assert "changed by a factor of 2.00 [2.00, 2.00]" in item.detail


def test_elsewhere_a_logarithm_changes_by_a_factor_too() -> None:
    declared = suite([claim(direction(theta=log(cell("a")) - log(cell("b"))))])
    rows = np.exp(SPREAD)[:, None] * np.ones(4)
    before = run_of({"a": 3 * rows, "b": np.ones((5, 4))})
    after = elsewhere(run_of({"a": 2 * rows[::-1], "b": np.ones((5, 4))}))
    [item] = [item for item in regress_run(declared, SMALL, before, after).items if item.kind == "quantity"]
    assert item.outcome == "regressed"
    assert item.detail.startswith("changed by a factor of 0.67 in another environment, where a factor of 0.9")
    assert item.log.startswith("changed by −0.405 in another environment, where 0.0")


# ---- few seeds behind what gates


def test_a_gate_that_looked_among_few_seeds_says_so() -> None:
    few = gate(run(0.5 + SPREAD), elsewhere(run(0.5 + SPREAD[::-1])))
    assert (few.outcome, few.few) == ("same", {"C1": 5})
    many = np.tile(SPREAD, 2)
    assert gate(run(0.5 + many), elsewhere(run(0.5 + many[::-1]))).few == {}
    assert gate(run(0.5 + many), elsewhere(run(0.5 + SPREAD[::-1]))).few == {"C1": 5}
    assert gate(run(0.5 + SPREAD), run(0.5 + SPREAD[::-1])).few == {}, "in one environment rows are compared"
    assert gate(run(0.5 + SPREAD), elsewhere(run(0.5 + SPREAD))).few == {}, "equal rows leave nothing unseen"


def test_a_run_names_what_would_gate_with_few_seeds() -> None:
    assert few_recorded(DECLARED, SMALL, run(0.5 + SPREAD)) == {"C1": 5}
    assert few_recorded(DECLARED, SMALL, run(0.5 + np.tile(SPREAD, 2))) == {}
    assert few_recorded(replace(DECLARED, gating=("C9",)), SMALL, run(0.5 + SPREAD)) == {}
    declared, times = _timed()
    assert few_recorded(declared, SMALL, timed_run(times)) == {}, "times gate on one machine only"


# ---- draws that all seeds share


def _tuned(view: MemoryRun, method: str, **values: Any) -> MemoryRun:
    for name, record in view.trials.items():
        if record.method == method:
            view.trials[name] = record.model_copy(update={"tuned": values})
    return view


def test_elsewhere_a_metric_that_was_tuned_otherwise_does_not_gate() -> None:
    many = np.tile(SPREAD, 2)
    before = _tuned(run(0.5 + many), "a", rate=0.001)
    fell = elsewhere(run(0.2 + many[::-1]))
    assert gate(before, _tuned(fell, "a", rate=0.001, edge=["rate"])).outcome == "regressed"
    found = gate(before, _tuned(fell, "a", rate=0.004))
    [item] = [item for item in found.items if item.kind == "quantity"]
    assert item.outcome == "reported"
    assert item.detail.endswith("chose otherwise (a: rate 0.001 before, 0.004 now)")
    assert (found.gating, found.compared, found.outcome) == (0, 0, "too little compared")
    assert found.reason.endswith("0 of 0 gating metrics compared, 1 left out for what all seeds share")


def test_here_a_metric_that_was_tuned_otherwise_gates_by_its_rows() -> None:
    before = _tuned(run(0.5 + SPREAD), "a", rate=0.001)
    assert gate(before, _tuned(run(0.2 + SPREAD), "a", rate=0.004)).outcome == "regressed"


def test_elsewhere_what_rests_on_an_artifact_gates_once_its_noise_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from harness.declared.noise import SharedNoise
    from harness.evidence import lost, watched

    many = np.tile(SPREAD, 2)
    before, after = run(0.5 + many), elsewhere(run(0.2 + many[::-1]))
    record = next(iter(before.trials.values()))
    arms = frozenset({(record.experiment, record.task, "a")})
    assert gate(before, after).outcome == "regressed"
    monkeypatch.setattr(watched, "on_artifacts", lambda *_: arms)
    found = gate(before, after)
    [item] = [item for item in found.items if item.kind == "quantity"]
    assert (item.outcome, found.outcome) == ("reported", "too little compared")
    assert "was built anew in another environment" in item.detail
    assert gate(before, run(0.2 + many[::-1])).outcome == "regressed", "in one environment it is one artifact"
    for sd, outcome in ((0.0, "regressed"), (0.01, "regressed"), (0.5, "same")):
        known = {"C1": SharedNoise(sd, 3)}
        monkeypatch.setattr(lost, "shared_noise", lambda *_, known=known: known)
        assert gate(before, after).outcome == outcome
