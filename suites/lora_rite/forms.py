"""Forms of claims that several claims share."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Contrast, Direction, Exact, Existence, Form, NotRun, Profile, Replication
from suites.lora_rite.cells import parted

SEEDS = Replication.SEEDS
EVERY = tuple(Profile)
MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
"""Profiles in which more than exact claims are judged."""

NUDGED = "the same run from a start that differs by rounding, which stays where it was"


def same(form: Form, profiles: tuple[Profile, ...] = MEASURED) -> Mapping[Profile, Form]:
    """One form in several profiles."""
    return dict.fromkeys(profiles, form)


def without_gpu(form: Form) -> Mapping[Profile, Form]:
    """One form where a GPU's ten minutes are not spent on what a CPU can judge."""
    here = NotRun(reason="It takes no GPU: `--profile small` judges it on a CPU.")
    return {**same(form, (Profile.SMALL, Profile.PAPER)), Profile.GPU: here}


def together(method: str, *tasks: str) -> Exact:
    """Trajectories from equivalent starts stay together."""
    return Exact(cells=tuple(parted(method, task) for task in tasks), oracle=NUDGED, min_cases=len(tasks))


def apart(method: str, task: str) -> Existence:
    """Trajectories from equivalent starts part."""
    return Existence(cell=parted(method, task, "witness"), oracle=NUDGED)


def above(theta: Contrast, delta: float, reason: str) -> Direction:
    """θ is at least δ."""
    return Direction(theta=theta, delta=delta, delta_reason=reason, replication=SEEDS)
