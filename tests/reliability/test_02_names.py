"""Results are filed under the method that gave them: names never stand for two things."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from harness import installed
from harness.claims import Profile
from harness.cli import suites
from harness.errors import CorroborateError, SuiteError, UsageError
from harness.method import Resource
from harness.plan import Planner, Selection
from harness.suite import Scale
from tests.harness.cli.conftest import Shell, shell
from tests.harness.toy import Noisy, Shrunk, toy_suite, tuned
from tests.reliability.toys_planning import errors, imported_from, method, run_demo

__all__ = ["shell"]


class Nothing:
    """No resource is needed."""

    def identity(self, resource: Resource) -> str:
        return resource.name

    def blocked(self, resource: Resource) -> str:
        return ""


def planned(selection: Selection) -> list[str]:
    suite = toy_suite(methods={"mean": Shrunk(), "half": Shrunk(factor=0.5)})
    plan = Planner(Nothing()).plan(suite, Scale(profile=Profile.SMALL), selection)
    return [trial.id for trial in plan.trials]


def test_a_class_named_as_the_papers_method_does_not_take_its_place(shell: Shell) -> None:
    alone = run_demo(shell)
    Path("mine.py").write_text(method("return 50.0", name="Mean"))
    both = run_demo(shell, "--fresh", "--method", "mine:Mean")
    assert np.array_equal(errors(both, "mean"), errors(alone, "mean")), "the paper's method is the paper's"
    assert errors(both, "mine-mean").min() > 20
    assert "mine-mean is mine:Mean" in shell.err


def test_two_classes_of_one_name_both_run_whatever_their_order(shell: Shell) -> None:
    Path("one.py").write_text(method("return 50.0", name="Centre"))
    Path("two.py").write_text(method("return 90.0", name="Centre"))
    for order in (("one", "two"), ("two", "one")):
        arguments = [part for name in order for part in ("--method", f"{name}:Centre")]
        reader = run_demo(shell, *arguments)
        first, second = errors(reader, "one-centre").mean(), errors(reader, "two-centre").mean()
        assert 30 < first < 70 < second


def test_a_class_that_is_given_twice_is_one_method(shell: Shell) -> None:
    Path("mine.py").write_text(method("return 1.0"))
    reader = run_demo(shell, "--method", "mine:Mine", "--method", "mine:Mine")
    assert {trial.method for trial in reader.trials.values()} >= {"mine", "mean"}


def test_names_that_differ_in_case_only_are_refused_with_both_places(shell: Shell) -> None:
    Path("mine.py").write_text(method("return 1.0", name="Mine") + method("return 2.0", name="MINE"))
    with imported_from(Path.cwd()):
        assert shell("plan", "demo", "--method", "mine:Mine", "--method", "mine:MINE") == 2
    assert "mine:Mine" in shell.err
    assert "mine:MINE" in shell.err


def test_the_longer_id_serves_wherever_ids_do(shell: Shell) -> None:
    share = "share: float = param(50.0, source='ours')"
    Path("mine.py").write_text(method("return self.share", name="Mean", fields=share))
    chosen = ("--method", "mine:Mean", "--methods", "mine-mean,trimmed", "--set", "mine-mean.share=90")
    reader = run_demo(shell, *chosen)
    assert {trial.method for trial in reader.trials.values() if trial.method} == {
        "mine-mean",
        "trimmed",
        "offset",
    }
    assert errors(reader, "mine-mean").min() > 60


def test_an_entry_point_named_as_the_papers_method_does_not_take_its_place(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = suites.METHOD_GROUP
    points = {
        suites.SUITE_GROUP: suites._points(suites.SUITE_GROUP),
        group: {"mean": EntryPoint("mean", "tests.harness.cli.demo:Sorting", group)},
    }
    monkeypatch.setattr(suites, "_points", points.__getitem__)
    run_demo(shell, "--method", "mean")
    reader = run_demo(shell, "--method", "mean")
    ids = {trial.method for trial in reader.trials.values() if trial.kind == "trial"}
    assert ids == {"mean", "trimmed", "tests-harness-cli-demo-sorting"}


def test_a_name_that_two_packages_offer_is_refused_with_both(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = suites.METHOD_GROUP
    points = {suites.SUITE_GROUP: suites._points(suites.SUITE_GROUP)}
    monkeypatch.setattr(suites, "_points", lambda name: points.get(name) or installed.found_points(name))
    monkeypatch.setattr(installed, "_read", installed._read.__wrapped__)  # Nothing that is known already.
    for package, kind in (("one", "Mean"), ("two", "Trimmed")):
        folder = Path("site") / f"{package}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{group}]\ntwice = tests.harness.cli.demo:{kind}\n")
    monkeypatch.syspath_prepend(str(Path("site").absolute()))
    assert shell("plan", "demo", "--method", "twice") == 2
    assert "one 1.0" in shell.err
    assert "two 1.0" in shell.err


@pytest.mark.parametrize("name", ["mean", "Mean", "me-an", "*", "a/b", "a,b", "a=b", "", " mine"])
def test_a_library_user_cannot_take_a_name_that_stands_for_something_else(name: str) -> None:
    with pytest.raises(UsageError):
        planned(Selection(added={name: Noisy()}))


def test_another_name_joins_beside_them() -> None:
    assert {name.split("/")[2] for name in planned(Selection(added={"mine": Noisy()}))} == {
        "mean",
        "half",
        "mine",
    }


def test_two_trials_of_one_id_are_refused() -> None:
    suite = toy_suite()
    double = replace(suite, experiments=lambda scale: [*suite.experiments(scale), *suite.experiments(scale)])
    with pytest.raises(SuiteError, match="Two trials have the id"):
        Planner(Nothing()).plan(double, Scale(profile=Profile.SMALL))
    grid = replace(tuned(), grid={"factor": (0.25, 1.0, 1.0)})
    with pytest.raises(CorroborateError, match="has a value twice"):
        Planner(Nothing()).plan(toy_suite(methods={"mean": grid}), Scale(profile=Profile.SMALL))
