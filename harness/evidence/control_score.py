"""How many negative controls did what was predicted of them, and which claims none of them broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.evidence.controls import judged_form
from harness.store.records import ControlRecord, VerdictsRecord
from harness.suite import Scale, Suite

EMPIRICAL_SHARE = 0.9
"""Share of the cells of measured claims that must be as predicted; of exact claims, all must be."""


WHY_OPEN = "the run does not show the claim, so that there is no effect to lose"
"""Why an undecided cell may say nothing about its control."""


@dataclass(frozen=True)
class Share:
    """Cells of the matrix negative control × claim.

    Attributes:
        as_predicted: How many came out as predicted.
        total: How many there are.
        least: The share that is asked for, in [0, 1].
    """

    as_predicted: int
    total: int
    least: float

    @property
    def reached(self) -> bool:
        """Whether it is at least what is asked for; of no cells, it is."""
        return self.as_predicted >= self.least * self.total


@dataclass(frozen=True)
class OpenCell:
    """An undecided cell of a claim that the run does not show."""

    control: str
    claim: str


@dataclass(frozen=True)
class ControlScore:
    """What the negative controls of a run show.

    Attributes:
        exact: Cells of claims that hold or fail exactly, without open ones.
        measured: Cells of claims that are tested statistically, without open ones.
        open: Cells that say nothing about their control, and are in neither share.
        unbroken: Claims that are reproduced, though no control has been seen to break them.
    """

    exact: Share
    measured: Share
    open: tuple[OpenCell, ...]
    unbroken: tuple[str, ...]

    @property
    def reached(self) -> bool:
        """Whether both shares are reached and every reproduced claim was broken by a control."""
        return self.exact.reached and self.measured.reached and not self.unbroken


def control_score(suite: Suite, scale: Scale, record: VerdictsRecord) -> ControlScore:
    """Count the cells that are as predicted.

    Args:
        suite: Declares the controls.
        scale: Of the run.
        record: The run's verdicts, with its controls.
    """
    forms = {claim.id: judged_form(claim, scale.profile) for claim in suite.claims}
    statistical = {name for name, form in forms.items() if form is not None and form.statistical}
    left_out = open_cells(record)
    counted = [cell for cell in record.controls if OpenCell(cell.control, cell.claim) not in left_out]
    measured = [cell for cell in counted if cell.claim in statistical]
    exact = [cell for cell in counted if cell.claim not in statistical]
    killed = {cell.claim for cell in record.controls if cell.predicted == cell.outcome == "kill"}
    reproduced = [verdict.claim for verdict in record.verdicts if verdict.verdict == "reproduced"]
    return ControlScore(
        _share(exact, 1.0),
        _share(measured, EMPIRICAL_SHARE),
        left_out,
        tuple(name for name in reproduced if name not in killed),
    )


def open_cells(record: VerdictsRecord) -> tuple[OpenCell, ...]:
    """The cells that say nothing about their control.

    Undecided ones only: a control that is shown to break a claim, or that passes the claim's rule, counts
    whatever the claim's own verdict is.
    """
    shown = {verdict.claim for verdict in record.verdicts if verdict.verdict == "reproduced"}
    return tuple(
        OpenCell(cell.control, cell.claim)
        for cell in record.controls
        if cell.outcome == "undecided" and cell.claim not in shown
    )


def _share(cells: Sequence[ControlRecord], least: float) -> Share:
    return Share(sum(cell.outcome == cell.predicted for cell in cells), len(cells), least)
