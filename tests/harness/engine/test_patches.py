"""What counts as a function that foreign code has replaced."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from harness.engine.patches import Patches


class Base:
    def step(self) -> str:
        return "base"


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class of ours that takes its step from a base class."""
    module = ModuleType("methods.pretended")
    kind = type("Derived", (Base,), {"__module__": module.__name__})
    vars(module)["Derived"] = kind
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return kind


def put(kind: Any, *, hooked: bool) -> None:
    def step(self: Any) -> str:
        return "another"

    step.hooked = hooked  # type: ignore[attr-defined]
    kind.step = step


def test_a_function_that_hides_one_of_a_base_class_is_found_and_undone(derived: Any) -> None:
    patches = Patches()
    patches.look()
    put(derived, hooked=False)
    assert patches.changed() == ["methods.pretended.Derived.step"]
    patches.undo()
    assert derived().step() == "base"


def test_pytorchs_hook_in_a_derived_optimizer_is_no_change(derived: Any) -> None:
    patches = Patches()
    patches.look()
    put(derived, hooked=True)
    assert patches.changed() == []
