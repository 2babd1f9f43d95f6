"""What a plan could show of each claim, by the spread that stored results had."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.claims import Cell, Claim, Form, Profile
from harness.claims.judging import JudgingContext
from harness.claims.outlook import Outlook, Replicates
from harness.declared.family import Levels, family_of, twin_of
from harness.errors import CorroborateError
from harness.plan.selection import cells_of, pairs
from harness.store.view import RunView
from harness.suite import Experiment, Scale, Suite

if TYPE_CHECKING:
    from harness.evidence.context import RunContext


@dataclass(frozen=True)
class ClaimOutlook:
    """The outlook of one claim.

    Attributes:
        claim: Its id.
        form: Name of its form.
        outlook: What the plan could show.
        source: Name of the stored results that the spread comes from; empty if none was needed or known.
    """

    claim: str
    form: str
    outlook: Outlook
    source: str = ""


@dataclass(frozen=True)
class Planned:
    """What a plan will measure.

    Attributes:
        experiments: As the user restricted them, by id.
        blocked: What cannot run, with the reason: by experiment, or by ``experiment/task/method``.
    """

    experiments: Mapping[str, Experiment]
    blocked: Mapping[str, str]

    def replicates(self, cells: Collection[Cell]) -> Replicates:
        """The replicates that all of some cells share."""
        own = [self.experiments[name] for name in dict.fromkeys(cell.experiment for cell in cells)]
        seeds = len(set.intersection(*(set(item.seeds) for item in own)))
        blocks = [item.timed.blocks for item in own if item.timed]
        return Replicates(seeds * min(blocks), "block") if blocks else Replicates(seeds)

    def lacking(self, cells: Collection[Cell]) -> Outlook | None:
        """What is said in the place of an outlook, if some of the cells will not be measured."""
        if not cells:
            return Outlook(shown="no cell is left")
        for cell in cells:
            places = self._places(cell)
            if not places:
                return Outlook(shown="not planned")
            reasons = [self.blocked.get(cell.experiment, "") or self.blocked.get(name, "") for name in places]
            if any(reasons):
                return Outlook(
                    shown="cannot run", reason=" ".join(next(filter(None, reasons)).split()).rstrip(".")
                )
        return None

    def _places(self, cell: Cell) -> list[str]:
        experiment = self.experiments.get(cell.experiment)
        found = pairs(experiment) if experiment else ()
        return [
            f"{cell.experiment}/{task}/{method}"
            for task, method in found
            if method == cell.method and cell.task in ("", task)
        ]


def outlooks(
    suite: Suite,
    scale: Scale,
    claims: Sequence[Claim],
    planned: Planned,
    stored: Mapping[str, RunView],
    *,
    floors: Mapping[str, float],
) -> list[ClaimOutlook]:
    """The outlook of every claim that has a form under a scale.

    Args:
        suite: The suite.
        scale: Of the plan.
        claims: Those of the suite's claims that are asked about.
        planned: What will be measured.
        stored: Results of the suite and profile by name, the first choice first: the spread of a claim
            comes from the first that measures it.
        floors: Noise floors by claim that the planned run would be started with: no spread is below them.
    """
    contexts, found = _contexts(suite, scale, stored), []
    levels = Levels.of(family_of(suite, scale.profile))
    for claim in claims:
        declared = claim.forms.get(scale.profile)
        if declared is not None:
            form = declared.floored(floors.get(claim.id, 0.0))
            twin = twin_of(suite, claim, scale.profile)
            said = Outlook(shown=f"as {twin.id}") if twin else _unasked(form, scale.profile, planned)
            shared = {name: replace(seen, family=levels.divisor(claim)) for name, seen in contexts.items()}
            told = (said, "") if said else _asked(form, planned, shared)
            found.append(ClaimOutlook(claim.id, type(form).__name__, *told))
    return found


def _contexts(suite: Suite, scale: Scale, stored: Mapping[str, RunView]) -> dict[str, RunContext]:
    """The stored results as forms see them."""
    if not stored:
        return {}  # Where there is nothing to measure, planning starts without the statistics.
    from harness.evidence.verdicts import context_of

    return {name: context_of(suite, scale, view) for name, view in stored.items()}


def _unasked(form: Form, profile: Profile, planned: Planned) -> Outlook | None:
    """What is said of a form that no stored results are looked up for."""
    if not form.statistical:
        return form.outlook(Replicates(0), None)
    if profile is Profile.SMOKE:
        return Outlook(shown="not judged", reason="the smoke profile checks the plumbing")
    return planned.lacking(_tested(form))


def _asked(form: Form, planned: Planned, contexts: Mapping[str, JudgingContext]) -> tuple[Outlook, str]:
    """The outlook of a form that tests θ, and the stored results behind it."""
    replicates, why = planned.replicates(_tested(form)), ""
    for name, context in contexts.items():
        try:
            return form.outlook(replicates, context), name
        except CorroborateError as error:  # Not measured, or damaged: the next results may have it.
            why = error.what
    blocks = replicates.count if replicates.noun == "block" else None
    few = form.lacking(replicates.count, blocks)
    unknown = replace(form.outlook(replicates, None), reason=why)
    return (replace(unknown, shown="too few", reason=few) if few else unknown), ""


def _tested(form: Form) -> list[Cell]:
    return list(dict.fromkeys(cell for item in form.measured() for cell in cells_of(item.theta)))
