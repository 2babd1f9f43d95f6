"""The declaration of the suite."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import pytest

from harness.claims import MEASURED, EveryCell, Existence, NotComparable, NotRun, Profile
from harness.suite import Scale, Standing, Tuned
from methods.lite.method import TrainRanker
from methods.lite.task import Reranking
from suites.lite import SUITE
from suites.lite.cells import FOLDS, LOSSES, TARGETS, with_loss
from suites.lite.rankers import STEPS, broken

SMALL = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL))}


def test_all_claims_of_the_paper_are_there_and_can_be_killed() -> None:
    assert {f"C{number}" for number in range(1, 13)} <= {claim.parent or claim.id for claim in SUITE.claims}
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    for profile in MEASURED:
        judged = {
            claim.id
            for claim in SUITE.claims
            if not isinstance(claim.forms.get(profile), NotComparable | NotRun | None)
        }
        assert judged <= killed


def test_every_trained_scorer_is_tuned_alike_around_its_own_centre() -> None:
    methods = SMALL["ranking"].methods
    tuned = {name: method for name, method in methods.items() if isinstance(method, Tuned)}
    untuned = {name for name, method in methods.items() if isinstance(method, TrainRanker)}
    assert untuned == {"de-frozen", "maxsim-frozen", "lite-random", *broken()}
    for name, control in broken(steps=STEPS).items():
        alike = name.replace("-mixed", "").replace("-shuffled", "")
        real = methods[alike]
        assert isinstance(real, Tuned)
        differing = {
            field.name
            for field in fields(real.method)  # type: ignore[arg-type]
            if getattr(real.method, field.name) != getattr(control, field.name)
        }
        assert not differing, name
    assert {with_loss(name, loss) for name in ("lite", "maxsim") for loss in LOSSES} <= set(tuned)
    budgets = {(m.method.steps, m.method.batch, m.method.negatives) for m in tuned.values()}  # type: ignore[attr-defined]
    assert len(budgets) == 1
    for name, method in tuned.items():
        rates = [float(rate) for rate in method.grid["rate"]]
        assert len(rates) == 5, name
        assert all(3.0 < b / a < 3.4 for a, b in pairwise(rates))
        assert isinstance(method.method, TrainRanker)
        assert rates[2] == pytest.approx(method.method.rate, rel=0.05)
    assert len(SMALL["ranking"].seeds) >= 5


def test_the_second_set_is_measured_without_downloads_and_without_a_teacher() -> None:
    form = {claim.id: claim.forms for claim in SUITE.claims}["C2"][Profile.SMALL]
    assert isinstance(form, EveryCell)
    task = SMALL["ranking"].tasks["functions"]
    assert isinstance(task, Reranking)
    assert (type(task.data).__name__, task.teacher) == ("FunctionBodies", None)
    only = SMALL["ranking"].only
    assert only is not None
    arms = [SMALL["ranking"].methods[name] for on, name in sorted(only) if on == "functions"]
    taught = [arm.method for arm in arms if isinstance(arm, Tuned)]
    assert {arm.loss for arm in taught if isinstance(arm, TrainRanker)} == {"one-hot"}
    assert len(taught) == 2


def test_order_and_approximation_are_existence_claims_only() -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}
    for name in ("E1", *(f"C11{letter}" for letter in "abcd"[: len(TARGETS)]), "C12b"):
        assert all(isinstance(form, Existence) for form in forms[name].values())
    for name in ("C5b", "C12a"):
        assert all(isinstance(form, NotComparable) for form in forms[name].values())


def test_small_needs_no_mirror_and_no_hub() -> None:
    task = SMALL["ranking"].tasks["docstrings"]
    assert type(task.data).__name__ == "DocstringPassages"  # type: ignore[attr-defined]
    assert len(FOLDS) >= 5


def test_only_what_the_abstract_says_counts_as_verified() -> None:
    verified = {name for name, row in SUITE.paper.reported.items() if row.standing is Standing.VERIFIED}
    assert verified == {"storage", "zero-shot", "universal"}
