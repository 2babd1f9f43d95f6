"""Planning: suite and scale to artifacts and trials, each with a fingerprint."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.plan.planner import Planner
    from harness.plan.selection import Selection
    from harness.plan.trial import Plan, PlannedTrial, PlannedTuning

__all__ = ["Plan", "PlannedTrial", "PlannedTuning", "Planner", "Selection"]

_MODULES = {"Planner": "planner", "Selection": "selection"} | dict.fromkeys(
    ("Plan", "PlannedTrial", "PlannedTuning"), "trial"
)


def __getattr__(name: str) -> Any:
    # Workers need parts of this package and no planner, whose imports would be half of their start.
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
