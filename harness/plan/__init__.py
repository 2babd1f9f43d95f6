"""Planning: suite and scale to artifacts and trials, each with a fingerprint."""

from harness.plan.planner import Planner
from harness.plan.selection import Selection
from harness.plan.trial import Plan, PlannedTrial, PlannedTuning

__all__ = ["Plan", "PlannedTrial", "PlannedTuning", "Planner", "Selection"]
