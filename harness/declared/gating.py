"""Quantities that make a gate fail, and how many seeds stand behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.claims import Claim, Form, Profile, Replication
from harness.method.references import Artifact
from harness.plan.references import all_references
from harness.plan.selection import Selection, cells_of, pairs, select
from harness.suite import Scale, Suite

ENOUGH_SEEDS = 10
"""A gate sees a fall of two standard deviations in four of five runs from here on (docs/ci.md)."""
_SHOWN = 6


def gating_forms(suite: Suite, profile: Profile) -> Iterator[tuple[Claim, Form]]:
    """The claims whose quantities may make a gate fail, with their forms: those named, or all."""
    gating = frozenset(suite.gating)
    for claim in suite.claims:
        form = claim.forms.get(profile)
        if form is not None and (not gating or gating & {claim.id, claim.parent}):
            yield claim, form


def few_planned(suite: Suite, scale: Scale, selection: Selection) -> dict[str, int]:
    """Gating claims of which fewer than ten seeds are planned, where seeds are what varies.

    Times gate on their own machine only, and units are as many as the data have.
    """
    seeds = {item.id: len(item.seeds) for item in select(suite, scale, selection) if not item.timed}
    return too_few(
        (claim.id, seeds[cell.experiment])
        for claim, form in gating_forms(suite, scale.profile)
        for item in form.measured()
        if item.allowed is not None and item.replication is not Replication.UNITS
        for cell in cells_of(item.theta)
        if cell.experiment in seeds
    )


def too_few(seeds: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The claims with a quantity of fewer than ten seeds, each with its fewest."""
    few: dict[str, int] = {}
    for claim, count in seeds:
        if count < ENOUGH_SEEDS:
            few[claim] = min(count, few.get(claim, count))
    return few


def on_artifacts(suite: Suite, scale: Scale) -> frozenset[tuple[str, str, str]]:
    """The arms that rest on artifacts, by experiment, task and method.

    A run builds each artifact once, so all its seeds share that draw.
    """
    return frozenset(
        (experiment.id, task, method)
        for experiment in suite.experiments(scale)
        for task, method in pairs(experiment)
        if _has_artifact(experiment.tasks[task]) or _has_artifact(experiment.methods[method])
    )


def _has_artifact(item: object) -> bool:
    return any(isinstance(ref, Artifact) for ref in all_references(item))


def few_note(few: Mapping[str, int]) -> str:
    """A note on gating claims with few seeds: "C1a gates with 5 seeds; …"; nothing if there are none."""
    groups: dict[int, list[str]] = {}
    for name, count in few.items():
        groups.setdefault(count, []).append(name)
    told = "; ".join(_group(names, count) for count, names in sorted(groups.items()))
    return f"{told}; ten or more see a fall of two standard deviations in four of five runs" if told else ""


def _group(names: list[str], count: int) -> str:
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{shown} {'gates' if len(names) == 1 else 'gate'} with {count} seed{'s' * (count != 1)}"
