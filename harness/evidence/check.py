"""Whether a suite's declaration makes sense, before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from harness.claims import (
    Cell,
    Claim,
    Control,
    Form,
    NotComparable,
    NotRun,
    Ordering,
    Profile,
    Replication,
    StatisticalForm,
    Time,
    Trend,
    Value,
)
from harness.errors import SuiteError
from harness.evidence.questions import delta_of
from harness.evidence.substitute import sabotaged
from harness.plan.selection import cells_of
from harness.suite import Exhibit, Experiment, PaperFigure, PaperTable, ReportedRef, Scale, Suite, Tuned

DisplayT = TypeVar("DisplayT", PaperTable, PaperFigure, Exhibit)

_FIRST_SEED = 100


def check_suite(suite: Suite, scale: Scale) -> list[SuiteError]:
    """Everything that is wrong with a suite's declaration under a scale; empty if nothing is."""
    checker = _Checker(suite, scale)
    return [SuiteError(what, where=f"{suite.slug}, {where}", fix=fix) for what, where, fix in checker.all()]


Problem = tuple[str, str, str]
"""What, where and fix."""


class _Checker:
    """The checks of one suite under one scale."""

    def __init__(self, suite: Suite, scale: Scale) -> None:
        self.suite = suite
        self.scale = scale
        self.listed = list(suite.experiments(scale))
        self.experiments = {item.id: item for item in self.listed}
        self.claims = {claim.id: claim for claim in suite.claims}
        self.wider = None if scale.full else _Checker(suite, replace(scale, full=True))

    def all(self) -> Iterator[Problem]:
        yield from self.unique_ids()
        for experiment in self.experiments.values():
            yield from self.experiment(experiment)
        for claim in self.suite.claims:
            yield from self.claim(claim)
        for control in self.suite.controls:
            yield from self.control(control)
        yield from self.display()

    def unique_ids(self) -> Iterator[Problem]:
        groups: Mapping[str, Iterable[str]] = {
            "experiment": (item.id for item in self.listed),
            "claim": (item.id for item in self.suite.claims),
            "control": (item.id for item in self.suite.controls),
            "deviation": (item.id for item in self.suite.deviations),
            "table": (item.id for item in self.suite.tables),
            "figure": (item.id for item in self.suite.figures),
            "exhibit": (item.id for item in self.suite.exhibits),
        }
        for kind, names in groups.items():
            for name, times in Counter(names).items():
                if times > 1:
                    yield f"The {kind} id '{name}' is used {times} times", f"{kind} {name}", "Rename one."

    def experiment(self, experiment: Experiment) -> Iterator[Problem]:
        where = f"experiment {experiment.id}"
        early = [seed for seed in experiment.seeds if seed < _FIRST_SEED]
        if early:
            yield f"Seeds {early} are pilot seeds", where, "Verdict seeds start at 100."
        if len(set(experiment.seeds)) < len(experiment.seeds):
            yield "A seed occurs twice", where, "Give each seed once."
        for name in (experiment.id, *experiment.tasks, *experiment.methods):
            if not name or "/" in name or name == "*":
                yield f"'{name}' cannot be part of a trial's id", where, "Use letters, digits and hyphens."
        for name, method in experiment.methods.items():
            if isinstance(method, Tuned) and set(method.seeds) & set(experiment.seeds):
                yield f"Method '{name}' is tuned on verdict seeds", where, "Tune on seeds below 100."

    def claim(self, claim: Claim) -> Iterator[Problem]:
        where = f"claim {claim.id}"
        for name in claim.reported:
            if name not in self.suite.paper.reported:
                yield f"Nothing is reported as '{name}'", where, "Name a row of paper.toml."
        known = set(self.claims) | {other.parent for other in self.suite.claims}
        for name in claim.relies_on:
            if name not in known:
                yield f"It relies on '{name}', which is no claim", where, "Name a claim."
        form = claim.forms.get(self.scale.profile)
        if form is not None:
            yield from self.form(claim, form)

    def form(self, claim: Claim, form: Form) -> Iterator[Problem]:
        where = f"claim {claim.id}"
        for cell in cells_of(form):
            yield from self.measured(cell, where)
        if isinstance(form, StatisticalForm):
            yield from self.thresholds(form, where)
        if isinstance(form, StatisticalForm) and self.scale.profile is not Profile.SMOKE:
            yield from self.seeds(form, where)
            if not any(control.predicts.get(claim.id) == "kill" for control in self.suite.controls):
                yield "No control is predicted to kill it", where, "Declare a sabotage that must break it."

    def measured(self, cell: Cell, where: str) -> Iterator[Problem]:
        """A claim's cell; one that only ``--full`` runs leaves the claim unjudged without it."""
        problems = list(self.cell(cell, where))
        if problems and not (self.wider and not list(self.wider.cell(cell, where))):
            yield from problems

    def cell(self, cell: Cell | Exhibit, where: str) -> Iterator[Problem]:
        experiment = self.experiments.get(cell.experiment)
        if experiment is None:
            yield f"Experiment '{cell.experiment}' does not exist", where, _known(self.experiments)
            return
        if cell.method not in experiment.methods:
            yield (
                f"Experiment '{cell.experiment}' has no method '{cell.method}'",
                where,
                _known(experiment.methods),
            )
        if cell.task and cell.task not in experiment.tasks:
            yield f"Experiment '{cell.experiment}' has no task '{cell.task}'", where, _known(experiment.tasks)
        if not cell.task and len(experiment.tasks) > 1:
            yield f"A cell of '{cell.experiment}' names none of its tasks", where, _known(experiment.tasks)
        task = cell.task or next(iter(experiment.tasks), "")
        if experiment.only is not None and (task, cell.method) not in experiment.only:
            yield f"'{cell.experiment}' does not run {cell.method} on {task}", where, "Add it to `only`."
        if isinstance(cell, Cell) and not cell.metric.columns:
            yield f"Metric '{cell.metric.name}' reads no column", where, "Name its columns."

    def thresholds(self, form: StatisticalForm, where: str) -> Iterator[Problem]:
        delta, reason = delta_of(form)
        if not delta > 0:
            yield f"The smallest effect that matters is {delta}", where, "It must be positive."
        if not reason.strip():
            yield "The smallest effect that matters has no reason", where, "Say why this size matters."
        if delta < 2 * form.noise_floor:
            yield f"{delta} is below twice the noise floor {form.noise_floor}", where, "Widen it."
        if isinstance(form, Ordering) and not form.steps:
            yield "An ordering has no steps", where, "Give the adjacent differences."
        if isinstance(form, Trend):
            sizes = [x for x, _ in form.points]
            if len(sizes) < 3 or sizes != sorted(set(sizes)):
                yield "A trend needs at least three increasing sizes", where, "Add sizes, in order."
        if isinstance(form, Value) and self.scale.profile is not Profile.PAPER:
            yield "Only the paper profile may compare with the paper's number", where, "Use another form."
        if isinstance(form, Value) and form.reported not in self.suite.paper.reported:
            yield f"Nothing is reported as '{form.reported}'", where, "Name a row of paper.toml."

    def seeds(self, form: StatisticalForm, where: str) -> Iterator[Problem]:
        """Whether the declared replicates reach what the form asks for."""
        own = {cell.experiment for cell in cells_of(replace(form, assays=()))}
        for experiment in (item for item in self.listed if item.id in own):
            if isinstance(form, Time):
                blocks = len(experiment.seeds) * experiment.timed.blocks if experiment.timed else 0
                lacking = f"{blocks} blocks of at least {form.min_blocks}" if blocks < form.min_blocks else ""
            else:
                few = len(experiment.seeds) < form.min_seeds and form.replication is not Replication.UNITS
                lacking = f"{len(experiment.seeds)} seeds of at least {form.min_seeds}" if few else ""
            if lacking and (isinstance(form, Time) or experiment.timed is None):
                yield f"'{experiment.id}' has {lacking}", where, "Add some, or no verdict can be reached."

    def control(self, control: Control) -> Iterator[Problem]:
        where = f"control {control.id}"
        if "kill" not in control.predicts.values():
            yield "It is predicted to kill no claim", where, "A sabotage must break something."
        for name in control.predicts:
            claim = self.claims.get(name)
            if claim is None:
                yield f"It predicts '{name}', which is no claim", where, _known(self.claims)
            elif self.scale.profile is not Profile.SMOKE:
                yield from self.prediction(control, claim, f"{where}, claim {name}")

    def prediction(self, control: Control, claim: Claim, where: str) -> Iterator[Problem]:
        form = claim.forms.get(self.scale.profile)
        if form is None or isinstance(form, NotComparable | NotRun):
            return
        broken = sabotaged(form, control)
        if broken == form:
            yield "It replaces nothing that the claim measures", where, "Drop the prediction."
            return
        for cell in cells_of(broken):
            yield from self.measured(cell, where)

    def display(self) -> Iterator[Problem]:
        for table in self._made(self.suite.tables):
            for row in table.rows(self.scale):
                where = f"table {table.id}, row {row.label}"
                for key, entry in row.entries.items():
                    if key not in table.columns:
                        yield f"There is no column '{key}'", where, _known(table.columns)
                    yield from self.shown(entry, where)
        for figure in self._made(self.suite.figures):
            for series in figure.series(self.scale):
                where = f"figure {figure.id}, series {series.label}"
                for item in (*series.points, *series.reported):
                    for point in item:
                        yield from self.shown(point, where)
        for exhibit in self._made(self.suite.exhibits):
            yield from self.cell(exhibit, f"exhibit {exhibit.id}")

    def _made(self, items: Iterable[DisplayT]) -> Iterator[DisplayT]:
        """Those that the profile has."""
        return (item for item in items if not item.profiles or self.scale.profile in item.profiles)

    def shown(self, entry: object, where: str) -> Iterator[Problem]:
        if isinstance(entry, ReportedRef) and entry.id not in self.suite.paper.reported:
            yield f"Nothing is reported as '{entry.id}'", where, "Name a row of paper.toml."
        for cell in cells_of(entry):
            yield from self.cell(cell, where)


def _known(names: Iterable[str]) -> str:
    return f"Known: {', '.join(sorted(names)[:20]) or 'none'}."
