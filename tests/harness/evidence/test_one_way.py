"""A verdict is made on one way through the modules: they can be read in one order, each of them once."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import harness
from harness.claims import Replication
from harness.cli.runs import committed
from harness.cli.suites import load_suite
from harness.evidence import judge
from tests.harness.evidence.form_cases import CASES

HARNESS = Path(harness.__file__).parent
PAGE = HARNESS.parent / "docs" / "evidence.md"
CODE = f"{HARNESS}/"


def module_of(frame: FrameType) -> str:
    """Its path in the harness; a form and its base classes are one module."""
    path = frame.f_code.co_filename
    inside = path.removeprefix(CODE) if path.startswith(CODE) else ""
    return "claims/forms/" if inside.startswith("claims/forms/") else inside


@contextmanager
def traced() -> Iterator[set[tuple[str, str]]]:
    """Calls from one module of the harness to another, what lies between them passed over."""
    calls: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not (called := module_of(frame)):
            return
        caller = frame.f_back
        while caller is not None and not module_of(caller):
            caller = caller.f_back
        if caller is not None and module_of(caller) != called:
            calls.add((module_of(caller), called))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def listed() -> list[str]:
    """The modules in the order of the page."""
    block = re.search(r"```text\n(evidence/verdicts\.py.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return [line.split()[0] for line in block[1].splitlines()]


def imports(name: str) -> set[str]:
    """What a listed module imports of the harness, for type checkers as well."""
    place = HARNESS / name
    found = set()
    for path in place.glob("*.py") if place.is_dir() else [place]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("harness."):
                inside = "/".join((node.module or "").split(".")[1:])
                found.add("claims/forms/" if inside.startswith("claims/forms") else f"{inside}.py")
    return found - {name}


def test_every_import_among_the_listed_modules_leads_down_the_list() -> None:
    order = listed()
    known = [(name, other) for name in order for other in imports(name) if other in order]
    assert len(known) > 30
    assert [pair for pair in known if order.index(pair[0]) > order.index(pair[1])] == []


def test_every_call_on_the_way_to_a_verdict_leads_down_the_list() -> None:
    order = listed()
    assert [name for name in order if not (HARNESS / name).exists()] == []
    crossed = replace(CASES["Direction"].form, replication=Replication.CROSSED)  # type: ignore[type-var]
    with traced() as calls:
        for case in (*CASES.values(), replace(CASES["Direction"], form=crossed)):
            for run in case.runs.values():
                judge(case.suite, case.scale, run)
        kept = committed(load_suite("spectr"))
        judge(kept.suite, kept.scale, kept.reader)
    known = {(caller, called) for caller, called in calls if {caller, called} <= set(order)}
    assert set(order[1:]) - {called for _, called in known} == set()
    assert [call for call in sorted(known) if order.index(call[0]) > order.index(call[1])] == []
    beside = {called for caller, called in calls if caller in order} - set(order)
    assert {name for name in beside if name.startswith("evidence/")} == set()
