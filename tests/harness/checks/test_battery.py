from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from harness.checks import CHECKS, Subject, outcome_of, prepared, run_battery
from harness.errors import UsageError
from harness.method import Method
from harness.resources import Resolver
from harness.suite import Experiment, Scale
from tests.harness.cli import demo


@dataclass(frozen=True)
class WithoutDefault(demo.Mean):
    """Must be given its share; the suite below gives it."""

    share: float = field(metadata={"source": "ours"})


def experiments(scale: Scale) -> list[Experiment]:
    (experiment,) = demo.experiments(scale)
    return [replace(experiment, methods={**experiment.methods, "given": WithoutDefault(0.2)})]


SUITE = replace(demo.SUITE, experiments=experiments)


@contextmanager
def subject_of(kind: type[Method[Any, Any]], tmp_path: Path) -> Iterator[Subject]:
    resolver = Resolver({}, frozenset(), tmp_path / "home", None)
    with prepared(kind, [SUITE], resolver) as subject:
        yield subject


def failures(kind: type[Method[Any, Any]], tmp_path: Path) -> set[str]:
    with subject_of(kind, tmp_path) as subject:
        return {outcome.check for outcome in run_battery(subject) if outcome.status == "failed"}


@pytest.mark.parametrize("kind", [demo.Mean, demo.Trimmed])
def test_honest_methods_pass(kind: type[Method[Any, Any]], tmp_path: Path) -> None:
    assert failures(kind, tmp_path) == set()


BROKEN: dict[type[Method[Any, Any]], set[str]] = {
    demo.Sorting: {"inputs-not-changed"},
    demo.Unseeded: {"same-seed-same-result", "picklable", "first-and-tenth-trial"},
    demo.Remembering: {"same-seed-same-result", "picklable", "first-and-tenth-trial"},
    demo.Mutable: {"frozen-dataclass"},
    demo.Clipping: {"parameters-stored-untouched"},
    demo.Undocumented: {"documented", "parameters-have-sources"},
    demo.Greedy: {"wrong-problem"},
    demo.Sparing: {"answers-every-unit"},
    WithoutDefault: {"parameters-have-defaults"},
}
"""Methods that break a promise, with all checks that they fail."""


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_promise_fails_its_check(kind: type[Method[Any, Any]], tmp_path: Path) -> None:
    assert failures(kind, tmp_path) == BROKEN[kind]


def test_every_check_is_failed_by_some_method() -> None:
    """By one of those that the test above runs."""
    assert set().union(*BROKEN.values()) == {check.name for check in CHECKS}


def test_exceptions_are_declared_with_a_reason(tmp_path: Path) -> None:
    with subject_of(demo.DeclaredUnseeded, tmp_path) as subject:
        outcomes = {outcome.check: outcome for outcome in run_battery(subject)}
    assert outcomes["same-seed-same-result"].status == "excepted"
    assert outcomes["same-seed-same-result"].detail == "it reads a hardware source"
    assert all(outcome.status != "failed" for outcome in outcomes.values())


def test_an_exception_for_no_check_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.Unseeded, "check_exceptions", {"no-such-check": "reason"})
    assert "no-such-check" in failures(demo.Unseeded, tmp_path)


def test_a_method_that_raises_fails_with_its_traceback(tmp_path: Path) -> None:
    with subject_of(demo.Mean, tmp_path) as subject:
        broken = replace(subject, task=replace(subject.task, sets=-1))  # type: ignore[type-var]
        (check,) = [check for check in CHECKS if check.name == "same-seed-same-result"]
        outcome = outcome_of(check, broken)
    assert outcome.status == "failed"
    assert "ValueError" in outcome.detail


def test_a_method_of_another_kind_of_problem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Samples"), subject_of(demo.Stranger, tmp_path):
        pass


def test_a_method_without_defaults_needs_a_suite_that_gives_them(tmp_path: Path) -> None:
    resolver = Resolver({}, frozenset(), tmp_path / "home", None)
    with (
        pytest.raises(UsageError, match="without arguments"),
        prepared(WithoutDefault, [demo.SUITE], resolver),
    ):
        pass
