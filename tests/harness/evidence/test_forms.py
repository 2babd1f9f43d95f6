"""Every form of claim says all that a form must say, and a new one needs its own module only."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from harness import claims
from harness.claims import Profile, at
from harness.claims.findings import Corrected, Finding
from harness.claims.forms import FORMS, form_named, register
from harness.claims.forms.base import Form
from harness.declared import claims_hash
from harness.declared.thresholds import holds
from harness.errors import SuiteError
from tests.harness.evidence.at_least import AT_LEAST, AtLeast
from tests.harness.evidence.battery import BATTERY
from tests.harness.evidence.form_cases import CASES, FormCase

ROOT = Path(__file__).parents[3]


def test_every_form_has_its_case() -> None:
    assert set(CASES) == set(FORMS)
    assert all(type(case.form) is FORMS[name] for name, case in CASES.items())


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("assert_holds", BATTERY)
def test_every_form_stands_the_battery(name: str, assert_holds: Callable[[FormCase], None]) -> None:
    assert_holds(CASES[name])


@pytest.fixture
def registered() -> Iterator[None]:
    register(AtLeast)
    yield
    del FORMS["AtLeast"]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("assert_holds", BATTERY)
def test_a_new_form_needs_its_own_module_and_the_registry(assert_holds: Callable[[FormCase], None]) -> None:
    assert_holds(AT_LEAST)


def test_a_reason_by_any_name_is_no_part_of_the_rule() -> None:
    suite = AT_LEAST.suite
    [claim] = suite.claims

    def hashed(**changed: object) -> str:
        form = replace(AT_LEAST.form, **changed)  # type: ignore[type-var]
        return claims_hash(replace(suite, claims=(replace(claim, forms=at(AT_LEAST.profile, form)),)))

    assert hashed(level_reason="in other words") == hashed()
    assert hashed(level=0.21) != hashed()


def test_a_bound_of_its_own_holds_the_number_that_a_statement_names() -> None:
    assert holds(AT_LEAST.form, 0.2)
    assert not holds(AT_LEAST.form, 0.3)
    assert not AT_LEAST.form.tests_bare_level


def test_suites_import_every_form_from_one_place() -> None:
    assert [name for name in FORMS if getattr(claims, name) is not FORMS[name]] == []
    assert {*FORMS, "Form", "StatisticalForm"} <= set(claims.__all__)


def test_a_form_that_leaves_something_out_is_refused() -> None:
    @dataclass(frozen=True)
    class Silent(Form):
        pass

    @dataclass(frozen=True)
    class Untold(AtLeast):
        meaning: ClassVar[str] = " "
        hypotheses: ClassVar[tuple[str, str]] = ("", "θ ≥ level")

    class Fieldless(AtLeast):
        pass

    for form, lacking in (
        (Silent, "digits, examine, measured, meaning"),
        (Untold, "meaning, hypotheses"),
        (Fieldless, "not a dataclass"),
    ):
        with pytest.raises(SuiteError, match=lacking):
            register(form)
    assert set(CASES) == set(FORMS)


def test_a_form_that_leaves_its_finding_open_and_has_no_rule_is_told() -> None:
    with pytest.raises(SuiteError, match="Exact leaves its finding open"):
        CASES["Exact"].form.conclude(Finding(), Corrected(None, None, 1), Profile.SMALL)


def test_two_forms_of_one_name_are_refused() -> None:
    @dataclass(frozen=True)
    class Direction(AtLeast):
        pass

    with pytest.raises(SuiteError, match="Two forms are called Direction"):
        register(Direction)


def test_a_record_of_an_unknown_form_is_no_blank() -> None:
    with pytest.raises(SuiteError, match="called 'Opinion'"):
        form_named("Opinion")


def test_nothing_but_a_form_itself_asks_which_form_it_is() -> None:
    modules = [*(ROOT / "harness").rglob("*.py"), *(ROOT / "reports").rglob("*.py")]
    others = [path for path in modules if path.parent != ROOT / "harness/claims/forms"]
    assert len(others) > 200
    asked = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for path in others
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _tells_forms_apart(node)
    ]
    assert asked == []
    for code in ("isinstance(form, Direction | Trend)", "form == 'Exact'", "kind in ('Time', 'Share')"):
        assert any(map(_tells_forms_apart, ast.walk(ast.parse(code))))


def _tells_forms_apart(node: ast.AST) -> bool:
    """A type test or a pattern with a form's class, or a comparison with a form's name."""
    names = {*FORMS, "StatisticalForm"}
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
        return any(getattr(inner, "id", "") in names for arg in node.args[1:] for inner in ast.walk(arg))
    if isinstance(node, ast.MatchClass):
        return getattr(node.cls, "id", "") in names
    if isinstance(node, ast.Compare):
        words = {getattr(inner, "value", "") for inner in ast.walk(node) if isinstance(inner, ast.Constant)}
        return bool(words & set(FORMS))
    return False
