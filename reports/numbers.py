"""The only way for a number into a report: through evidence that exists and is current.

The :class:`Ledger` of a report looks every number up, checks that the trials behind it are
there, and hands it out with its handle. What a run does not give (an experiment that was blocked, a
method that was not selected, a trial that failed or has not finished) comes back as
:class:`~reports.document.NotMeasured` with the reason; what contradicts the declarations is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from harness.claims import Cell, Claim, Contrast, Replication
from harness.claims.ratios import ratio_of
from harness.errors import OmittedRowsError, RecordError
from harness.method.metric import Metric
from harness.store.records import TestRecord, TrialRecord, VerdictRecord, VerdictsRecord
from harness.store.view import TIMED_METHOD, RunView
from harness.suite import Experiment, Reported, SampleView, Scale, Suite
from reports.current import HandleError, refuse_stale
from reports.document import Handle, HandleKind, NotMeasured, Number, NumberFormat, Text
from reports.places import planned_at
from reports.text import decimals
from reports.unique_names import anchors
from reports.units import unit_of

if TYPE_CHECKING:
    import numpy as np

    from harness.evidence import Estimate
    from harness.evidence.coverage import Declared

Quantity = Cell | Contrast


def cells_of(quantity: Quantity) -> tuple[Cell, ...]:
    """The cells that a quantity is made of."""
    return (quantity,) if isinstance(quantity, Cell) else tuple(cell for _, cell in quantity.terms)


def cell_name(cell: Cell) -> str:
    """A cell as a path, unique in its suite."""
    where = "".join(f",{column}={value}" for column, value in cell.where)
    task = f"/{cell.task}" if cell.task else ""
    part = f"@{cell.part}" if cell.part != "main" else ""
    return f"{cell.experiment}{task}/{cell.method}/{cell.metric.name}{part}{where}"


def _name(cell: Cell | SampleView) -> str:
    return cell_name(cell) if isinstance(cell, Cell) else f"sample view {cell.id}"


def quantity_name(quantity: Quantity) -> str:
    """A cell or a contrast as a path."""
    if isinstance(quantity, Cell):
        return cell_name(quantity)
    terms = " ".join(f"{weight:+g}*{cell_name(cell)}" for weight, cell in quantity.terms)
    constant = f" {-quantity.constant:+g}" if quantity.constant else ""
    return f"{'log ' if quantity.log else ''}{terms}{constant}"


class Ledger:
    """All evidence of one run, handed out number by number.

    Args:
        suite: The declarations.
        scale: Profile and width that the run was made at.
        view: The run.
        verdicts: Its verdicts.

    Raises:
        HandleError: If the verdicts belong to another run or to other trials.
    """

    def __init__(self, suite: Suite, scale: Scale, view: RunView, verdicts: VerdictsRecord) -> None:
        self.suite = suite
        self.scale = scale
        self.view = view
        self.verdicts = verdicts
        refuse_stale(suite, scale, view, verdicts)

    @cached_property
    def experiments(self) -> Mapping[str, Experiment]:
        """The experiments of the run's scale, by id."""
        return {experiment.id: experiment for experiment in self.suite.experiments(self.scale)}

    @cached_property
    def claims(self) -> Mapping[str, Claim]:
        """The declared claims, by id."""
        return {claim.id: claim for claim in self.suite.claims}

    @cached_property
    def claim_anchors(self) -> Mapping[str, str]:
        """Where links to claims lead, compound ones included."""
        parents = (claim.parent for claim in self.suite.claims if claim.parent)
        judged = (verdict.claim for verdict in (*self.verdicts.wholes, *self.verdicts.verdicts))
        controlled = (control.claim for control in self.verdicts.controls)
        return anchors((*self.claims, *parents, *judged, *controlled), "claim")

    @cached_property
    def deviation_anchors(self) -> Mapping[str, str]:
        """Where links to deviations lead."""
        return anchors((deviation.id for deviation in self.suite.deviations), "deviation")

    @cached_property
    def said(self) -> Declared:
        """What the suite says of units."""
        from harness.evidence.coverage import declared

        return declared(self.suite, self.scale)

    @property
    def profile(self) -> str:
        """Name of the run's profile."""
        return str(self.scale.profile)

    def cell(self, quantity: Quantity, *, digits: int | None = None) -> Number | NotMeasured:
        """What was measured for a cell or a contrast, with its interval.

        Raises:
            HandleError: If the suite does not declare it, or the run has not planned it.
        """
        for cell in cells_of(quantity):
            declared = self._why_not(cell)
            if declared is not None:
                return declared
        estimate = self._estimate(quantity)
        if isinstance(estimate, NotMeasured):
            return estimate
        metric = cells_of(quantity)[0].metric
        interval = estimate.interval
        # A count that never varies has no interval worth printing.
        constant = interval.low == interval.value == interval.high
        ratio = ratio_of(quantity, "") if isinstance(quantity, Contrast) else None
        return Number(
            interval.value,
            Handle("cell", quantity_name(quantity), estimate.trials),
            low=None if constant else interval.low,
            high=None if constant else interval.high,
            digits=metric.digits if digits is None else digits,
            unit="" if isinstance(quantity, Contrast) and quantity.log else metric.unit,
            coverage=estimate.coverage.mark if estimate.coverage else "",
            form="ratio" if ratio else "fixed",
            times=ratio.times if ratio else 1.0,
        )

    def rows(self, shown: SampleView) -> Mapping[str, np.ndarray] | NotMeasured:
        """The rows of a sample view, as columns.

        Raises:
            HandleError: As :meth:`cell`.
        """
        declared = self._why_not(shown)
        if declared is not None:
            return declared
        trial = self._planned(shown)[0]
        return self.columns(trial, shown.part)

    def columns(self, trial: str, part: str) -> Mapping[str, np.ndarray] | NotMeasured:
        """The unit rows of a part of a trial, or why they are not there."""
        try:
            return self.view.table(trial, part)
        except OmittedRowsError as error:
            return NotMeasured(error.what)
        except RecordError:
            return NotMeasured(_rowless([trial]))

    def tuning_score(self, select: Metric, trial: TrialRecord, part: str) -> float | NotMeasured:
        """The selected metric of a tuning trial, or why there is none."""
        from harness.evidence import NotMeasuredError
        from harness.evidence.tuning_scores import tuning_score

        try:
            return tuning_score(self.view, select, trial, part)
        except NotMeasuredError as error:
            return NotMeasured(error.what)
        except RecordError:
            return NotMeasured(_rowless([trial.trial]))

    def sizes(self, quantities: Sequence[Quantity]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The numbers of seeds and of units behind some quantities, each sorted and once."""
        measured = [self._estimate(q) for q in quantities if isinstance(self.cell(q), Number)]
        found = [estimate for estimate in measured if not isinstance(estimate, NotMeasured)]
        seeds = sorted({estimate.seeds for estimate in found if estimate.seeds})
        units = sorted({estimate.units for estimate in found if estimate.units})
        return tuple(seeds), tuple(units)

    def winners(self, cells: Sequence[Cell]) -> frozenset[int]:
        """Positions of the cells that beat every other one under the direction rule."""
        measured = [at for at, cell in enumerate(cells) if isinstance(self.cell(cell), Number)]
        if len(measured) < 2:
            return frozenset()
        from harness.evidence import best_by_direction

        rivals = [cells[at] for at in measured]
        best = best_by_direction(self.view, rivals, self.replication(rivals[0]), self.said)
        return frozenset(measured[at] for at in best)

    def reported(self, name: str) -> Number | Text:
        """A number of the paper with its standing, or what the paper states in words.

        Raises:
            HandleError: If the paper's record does not have it.
        """
        entry = self.reported_entry(name)
        if entry.value is None:
            return Text(entry.note or "stated in words only")
        return Number(
            entry.value,
            Handle("reported", f"paper/{name}"),
            digits=decimals(entry.value),
            unit=entry.unit,
            standing=str(entry.standing),
        )

    def reported_entry(self, name: str) -> Reported:
        """The paper's record of a number.

        Raises:
            HandleError: If there is none.
        """
        if name not in self.suite.paper.reported:
            raise HandleError(
                f"The report refers to the reported number '{name}', which paper.toml does not have",
                where=self.suite.slug,
                fix="Add it to paper.toml with its table, row and standing.",
            )
        return self.suite.paper.reported[name]

    def effect(self, verdict: VerdictRecord, at: int) -> Number:
        """θ of one test of a claim, with its interval."""
        test, form = verdict.tests[at], self.claims[verdict.claim].forms.get(self.scale.profile)
        return Number(
            test.effect.value,
            Handle("claim", f"{verdict.claim}/test {at + 1}/effect", tuple(verdict.trials)),
            low=test.effect.low,
            high=test.effect.high,
            digits=self._digits(verdict.claim),
            form="ratio" if test.ratio else "fixed",
            times=test.ratio.times if test.ratio else 1.0,
            read_in=unit_of(form, test.label),
        )

    def test_number(
        self, verdict: VerdictRecord, at: int, name: str, *, form: NumberFormat = "p"
    ) -> Number | NotMeasured:
        """A p-value or a count of one test of a claim."""
        value = getattr(verdict.tests[at], name)
        if value is None:
            return NotMeasured("not tested")
        return Number(
            float(value),
            Handle("claim", f"{verdict.claim}/test {at + 1}/{name}", tuple(verdict.trials)),
            form=form,
        )

    def test_cell(self, verdict: VerdictRecord, at: int, index: int) -> Number:
        """One of the cells that enter a test's θ."""
        test: TestRecord = verdict.tests[at]
        interval = test.cells[index]
        return Number(
            interval.value,
            Handle("claim", f"{verdict.claim}/test {at + 1}/cell {index + 1}", tuple(verdict.trials)),
            low=interval.low,
            high=interval.high,
            digits=self._digits(verdict.claim),
        )

    def precondition(self, verdict: VerdictRecord, at: int) -> Number:
        """The measured effect of one precondition of a claim."""
        effect, ratio = verdict.assays[at].effect, verdict.assays[at].ratio
        return Number(
            effect.value,
            Handle("claim", f"{verdict.claim}/assay {at + 1}", tuple(verdict.trials)),
            low=effect.low,
            high=effect.high,
            digits=self._digits(verdict.claim),
            form="ratio" if ratio else "fixed",
            times=ratio.times if ratio else 1.0,
        )

    def declared(self, name: str, value: float, *, of_ratio: bool = False) -> Number:
        """A number that the suite declares: δ, a margin, a tolerance; or the logarithm of a factor."""
        form: NumberFormat = "ratio" if of_ratio else "fixed"
        return Number(value, Handle("declared", name), digits=decimals(value), form=form)

    def count(self, name: str, value: int, trials: tuple[str, ...] = ()) -> Number:
        """A count over records or declarations."""
        return Number(value, Handle("count", name, trials), digits=0, form="count")

    def cost(self, name: str, value: float, unit: str, trials: Sequence[str]) -> Number:
        """Time or memory, summed over trials."""
        return Number(value, Handle("cost", name, tuple(trials)), digits=3, unit=unit, form="significant")

    def recorded(self, name: str, value: float, *, kind: HandleKind = "provenance", unit: str = "") -> Number:
        """A number of the run's own record."""
        return Number(value, Handle(kind, name), digits=decimals(value, at_most=1), unit=unit)

    def replication(self, cell: Cell) -> Replication:
        """What the uncertainty of a cell comes from: seeds where there are several, else units."""
        experiment = self.experiments[cell.experiment]
        # Resampling the units of hundreds of arms would take longer than the rehearsal itself.
        several = len(experiment.seeds) > 1 or self.view.record.rehearsal is not None
        return Replication.SEEDS if several else Replication.UNITS

    def _estimate(self, quantity: Quantity) -> Estimate | NotMeasured:
        from harness.evidence import NotMeasuredError, estimate

        try:
            return estimate(self.view, quantity, self.replication(cells_of(quantity)[0]), self.said)
        except NotMeasuredError as error:
            # What a method leaves undefined, or out, is its result, and no fault of the report: one
            # entry says so, and the others stand.
            if error.kind == "omitted":
                return NotMeasured(error.what)
            if error.kind == "missing":
                return NotMeasured(_rowless(error.trials))
            return NotMeasured(f"{error.what}{f' ({error.where})' if error.where else ''}")

    def _digits(self, claim: str) -> int:
        form = self.claims[claim].forms.get(self.scale.profile)
        return form.digits if form else 3

    def _why_not(self, cell: Cell | SampleView) -> NotMeasured | None:
        """Why a cell was not measured, if it was not."""
        experiment = self._declared_experiment(cell)
        task = cell.task or next(iter(experiment.tasks))
        for key in (cell.experiment, f"{cell.experiment}/{task}/{cell.method}"):
            if key in self.view.record.blocked:
                return NotMeasured(self.view.record.blocked[key].rstrip("."))
        planned = self._planned(cell)
        if not planned:
            if any(self.view.record.selection.values()):
                return NotMeasured("not selected in this run")
            if self.is_added(cell):
                return NotMeasured("not run on this task")
            if self.view.is_committed:
                return NotMeasured("the suite has it only since these results were committed")
            raise HandleError(
                f"The report needs {_name(cell)}, for which nothing was planned",
                where=f"run {self.view.record.run}",
                fix="Run the suite again: its declarations have changed since this run.",
            )
        worst = cell.metric.worst if isinstance(cell, Cell) else None
        return self._unfinished(planned, worst)

    def _planned(self, cell: Cell | SampleView) -> tuple[str, ...]:
        """The trials of a cell, whatever became of them."""
        experiment = self._declared_experiment(cell)
        task = cell.task or next(iter(experiment.tasks))
        method = TIMED_METHOD if experiment.timed else cell.method
        return tuple(self._planned_at.get(f"{cell.experiment}/{task}/{method}", ()))

    @cached_property
    def _planned_at(self) -> Mapping[str, Sequence[str]]:
        return planned_at(self.view.record.planned)

    def _declared_experiment(self, cell: Cell | SampleView) -> Experiment:
        experiment = self.experiments.get(cell.experiment)
        if experiment is None or (cell.task and cell.task not in experiment.tasks):
            raise HandleError(
                f"The report refers to {_name(cell)}, which the suite does not declare "
                f"under the profile {self.profile}",
                where=self.suite.slug,
                fix="Correct the table, figure or claim that names it.",
            )
        return experiment

    def is_added(self, cell: Cell | SampleView) -> bool:
        """Whether a cell is of a method that the suite does not declare."""
        return cell.method not in self._declared_experiment(cell).methods

    def _unfinished(self, planned: tuple[str, ...], worst: float | None) -> NotMeasured | None:
        """Why trials that were planned give no number; a mean over the finished ones would be another."""
        found: Mapping[str, TrialRecord] = self.view.trials
        missing = sum(trial not in found for trial in planned)
        if missing:
            return NotMeasured(f"{missing} of {len(planned)} trials have not finished")
        scored = ("ok",) if worst is None else ("ok", "diverged")
        failed = [found[trial] for trial in planned if found[trial].status not in scored]
        if failed:
            kinds = ", ".join(sorted({record.status for record in failed}))
            text = f"{len(failed)} of {len(planned)} trials without a result ({kinds})"
            return NotMeasured(": ".join(filter(None, (text, failed[0].trial, last_line(failed[0])))))
        return None


def _rowless(trials: Sequence[str]) -> str:
    more = " …" if len(trials) > 1 else ""
    return f"the unit rows are lost ({trials[0]}{more})"


def last_line(record: TrialRecord) -> str:
    """The last line of a trial's error, in which a traceback says what happened."""
    return record.error.strip().rpartition("\n")[2]
