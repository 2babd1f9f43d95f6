"""Every suite's large profiles, whole, on stand-ins: what they plan has been seen to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.claims import Profile
from harness.cli import main as cli
from harness.cli.suites import load_suite, suite_names
from harness.errors import ExitCode
from harness.method.references import PackageSource, Resource
from harness.plan.references import all_references
from harness.suite import Experiment, Scale

LARGE = (Profile.GPU, Profile.PAPER)


def planned(name: str) -> list[Experiment]:
    suite = load_suite(name)
    scales = [Scale(profile=profile, full=full) for profile in LARGE for full in (False, True)]
    return [experiment for scale in scales for experiment in suite.experiments(scale)]


@pytest.mark.parametrize("name", suite_names())
def test_every_resource_has_a_stand_in_or_is_a_package(name: str) -> None:
    suite = load_suite(name)
    stand_ins = {*suite.rehearsal.stand_ins, *map(suite.bindings.get, suite.rehearsal.servers)}
    for experiment in planned(name):
        for ref in all_references((experiment.tasks, experiment.methods)):
            if isinstance(ref, Resource) and ref.name not in stand_ins:
                assert any(isinstance(source, PackageSource) for source in ref.sources), ref.name


def classes_in(value: Any) -> Iterator[type]:
    """All dataclasses of a declaration."""
    if isinstance(value, dict):
        for item in value.values():
            yield from classes_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from classes_in(item)
    elif is_dataclass(value) and not isinstance(value, type | Resource):
        yield type(value)
        for item in fields(value):
            yield from classes_in(getattr(value, item.name))


@pytest.mark.parametrize("name", suite_names())
def test_every_size_names_a_field_of_something_planned(name: str) -> None:
    """Assert that no entry has lost its class, which would leave a rehearsal at full size."""
    kinds = {
        kind for experiment in planned(name) for kind in classes_in((experiment.tasks, experiment.methods))
    }
    known = {f"{base.__name__}.{f.name}" for kind in kinds for base in kind.__mro__ for f in fields(kind)}
    assert {*load_suite(name).rehearsal.sizes} <= known


@pytest.mark.slow
@pytest.mark.rehearsal
@pytest.mark.parametrize("profile", LARGE)
@pytest.mark.parametrize("name", suite_names())
def test_every_arm_runs(
    name: str, profile: Profile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Assert that each arm runs to its end in both types of weights, and that the report is written."""
    command = ["rehearse", name, "--profile", profile.value, "--runs", str(tmp_path)]
    code = cli.main(command)
    assert code == ExitCode.OK, capsys.readouterr().out
