"""Negative controls stand apart, so that a change of one leaves the trials of real methods as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import methods
from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.plan.closure import closure_of
from harness.plan.imports import imported_names
from harness.plan.references import modules_of
from harness.plan.selection import cells_of
from harness.suite import Scale, Tuned

SCALES = [Scale(profile=profile, full=full) for profile in Profile for full in (False, True)]
FOLDER = Path(methods.__file__).parent
MODULES = {
    ".".join(("methods", *path.relative_to(FOLDER).with_suffix("").parts)): path
    for path in FOLDER.rglob("*.py")
}


def is_sabotage(module: str) -> bool:
    """Whether a module holds negative controls by its name: ``sabotage``, ``sabotage_rules``."""
    return module.rpartition(".")[2].startswith("sabotage")


@cache
def planned(name: str) -> tuple[tuple[str, Any], ...]:
    """All methods and tasks of a suite at all scales, with their ids."""

    def found() -> Iterator[tuple[str, Any]]:
        for scale in SCALES:
            for experiment in load_suite(name).experiments(scale):
                yield from experiment.tasks.items()
                for key, method in experiment.methods.items():
                    yield key, method.method if isinstance(method, Tuned) else method

    return tuple(found())


@pytest.mark.parametrize("name", suite_names())
def test_no_real_method_or_task_depends_on_a_negative_control(name: str) -> None:
    real = {type(value): value for _, value in planned(name) if not is_sabotage(type(value).__module__)}
    assert len(real) > 1
    for kind, value in real.items():
        needed = {module for root in modules_of(value) for module in closure_of(root).code}
        assert not sorted(filter(is_sabotage, needed)), kind


@pytest.mark.parametrize("name", suite_names())
def test_what_stands_in_for_methods_only_is_in_a_module_of_its_own(name: str) -> None:
    suite = load_suite(name)
    forms = [form for claim in suite.claims for form in claim.forms.values()]
    read = {cell.method for cell in cells_of(forms)}
    stand_ins = {key for control in suite.controls for key in control.replaces.values()} - read
    shared = {type(value) for key, value in planned(name) if key not in stand_ins}
    own = {key for key, value in planned(name) if key in stand_ins and type(value) not in shared}
    mixed = {key for key, value in planned(name) if key in own and not is_sabotage(type(value).__module__)}
    assert not mixed


def test_real_modules_import_no_negative_control() -> None:
    assert sum(map(is_sabotage, MODULES)) >= len(suite_names())
    real = {name: path for name, path in MODULES.items() if not is_sabotage(name)}
    assert not [name for name, path in real.items() if any(map(is_sabotage, imported_names(name, path)))]


@pytest.mark.parametrize("name", suite_names())
def test_no_parameter_of_a_real_method_or_task_breaks_it(name: str) -> None:
    for _, value in planned(name):
        if not is_sabotage(type(value).__module__):
            docs = [str(field.metadata.get("doc", "")) for field in fields(value)]
            assert not [doc for doc in docs if "sabotage" in doc or "negative control" in doc], type(value)
