"""A trial run again: equal bit for bit at home, within the stated noise elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.claims import Contrast, log
from harness.evidence.coverage import declared
from harness.evidence.rerun import Repeated, repeated
from harness.evidence.series import shared_reader
from harness.evidence.verdicts import judge
from harness.store.memory import MemoryRun
from tests.harness.evidence.worlds import SMALL, cell, claim, direction, record, run_of, seeded, suite, trial

EFFECTS = np.array([0.19, 0.22, 0.17, 0.24, 0.18])
TRIAL = "e/t/a/100"


def again(shift: float, environment: str, status: str = "ok") -> MemoryRun:
    """The first trial of method a once more, its scores moved."""
    run = MemoryRun(record([TRIAL]))
    scores = seeded(EFFECTS)["a"][0] + shift
    found = trial("a", 100, environment=environment, status=status)
    run.add(found, main={"unit_id": [f"u{j}" for j in range(len(scores))], "score": scores})
    return run


def outcome(
    new: MemoryRun, floor: float = 0.0, *, measured: float = 0.0, diverged: bool = False, **more: Any
) -> Repeated:
    declaration = suite([claim(direction(noise_floor=floor, **more))])
    view = run_of(seeded(EFFECTS), declaration, noise={"C1": measured} if measured else {})
    if diverged:
        view.trials[TRIAL] = view.trials[TRIAL].model_copy(update={"status": "diverged"})
    judge(declaration, SMALL, view)
    reader = shared_reader(view, declared(declaration, SMALL))
    return repeated(declaration, SMALL, reader, new, TRIAL)


@pytest.mark.parametrize("environment", ["here", "there"])
def test_equal_rows_are_equal_anywhere(environment: str) -> None:
    assert outcome(again(0.0, environment)).kind == "equal"


def test_at_home_one_last_digit_is_a_difference() -> None:
    found = outcome(again(1e-15, "here"), floor=0.01)
    assert found.kind == "differ"
    assert "main.score differs in 4 of 4 rows, by " in found.text


@pytest.mark.parametrize(
    ("shift", "floor", "kind"),
    [
        (0.04, 0.01, "equal"),
        (0.045, 0.01, "differ"),
        (-0.04, 0.01, "equal"),
        (-0.045, 0.01, "differ"),
        (0.004, 0.0, "unjudged"),
    ],
)
def test_elsewhere_the_stated_noise_decides(shift: float, floor: float, kind: str) -> None:
    """Two runs lie apart by three times √2 of the floor at most, 0.0424."""
    found = outcome(again(shift, "there"), floor)
    assert found.kind == outcome(again(shift, "there"), measured=floor).kind == kind
    if kind == "unjudged":
        assert "no noise floor is stated" in found.text
        assert "by 0.004 at most" in found.text


@pytest.mark.parametrize(("shift", "kind"), [(0.08, "equal"), (0.09, "differ")])
def test_a_cell_counts_with_its_weight(shift: float, kind: str) -> None:
    theta = Contrast(((0.5, cell("a")), (-0.5, cell("b"))))
    assert outcome(again(shift, "there"), 0.01, theta=theta).kind == kind


@pytest.mark.parametrize(("factor", "kind"), [(1.04, "equal"), (1.05, "differ")])
def test_a_logarithm_is_moved_by_a_factor(factor: float, kind: str) -> None:
    before = seeded(EFFECTS)["a"][0][0]
    found = outcome(again((factor - 1) * before, "there"), 0.01, theta=log(cell("a")) - log(cell("b")))
    assert found.kind == kind


def test_a_diverged_trial_must_diverge_again() -> None:
    assert outcome(again(0.0, "here", "diverged"), diverged=True).kind == "equal"
    found = outcome(again(0.0, "here"), diverged=True)
    assert found.kind == "differ"
    assert "diverged before, ok now" in found.text
    assert outcome(again(0.0, "here", "failed")).kind == "differ"


def test_a_trial_that_tunes_is_compared_by_its_rows_and_decides_nothing() -> None:
    """``verify --rerun`` draws such trials, and ``run-trial`` makes runs of one."""
    name = "e/t/a/tune/rate=0.1/1"

    def tuning(scores: list[float]) -> MemoryRun:
        run = MemoryRun(record([name]))
        found = trial("a", 1).model_copy(update={"trial": name, "stage": "tune"})
        run.add(found, validation={"unit_id": ["u0", "u1"], "score": np.array(scores)})
        return run

    declaration = suite([claim(direction())])
    view = tuning([0.1, 0.2])
    assert {verdict.verdict for verdict in judge(declaration, SMALL, view).verdicts} == {"not run"}
    reader = shared_reader(view, declared(declaration, SMALL))
    kinds = [
        repeated(declaration, SMALL, reader, tuning(scores), name).kind for scores in ([0.1, 0.2], [0.1, 0.3])
    ]
    assert kinds == ["equal", "differ"]
