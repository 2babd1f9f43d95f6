"""Declarations that make a run unjudgeable, found before its first trial.

What stands here is refused: its rows could not be told apart or found again, claims could not be judged
at all or would be judged by another rule than they declare, or no report could be written. What costs one
claim its verdict, which then says so, is left to :mod:`harness.declared.check`, whose findings are notes:
the rest is still worth a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from harness.claims import Cell, Claim, Form, Profile
from harness.declared.family import twin_faults
from harness.declared.thresholds import holds
from harness.errors import SuiteError
from harness.plan.canonical import canonical_text
from harness.plan.carried import Fault, alike, experiment_faults, name_faults, spoken, written
from harness.plan.displayed import (
    declared_rows,
    declared_series,
    known,
    made_for,
    planned_rows,
    planned_series,
    profiles_of,
    unplanned,
)
from harness.plan.selection import cells_of
from harness.suite import Experiment, ReportedRef, SampleView, Scale, Suite


def refuse_unjudgeable(suite: Suite, scale: Scale) -> None:
    """Stop before anything is run whose results could not be judged or shown.

    Raises:
        SuiteError: With every such declaration, where it is and how to correct it.
    """
    faults = unjudgeable(suite, scale)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listing = "\n  ".join(dict.fromkeys(str(fault) for fault in faults))
        what = f"A run of suite '{suite.slug}' under '{scale.profile}' could not be judged"
        raise SuiteError(what, where=f"{len(faults)} declarations", fix=listing)


def unjudgeable(suite: Suite, scale: Scale) -> list[SuiteError]:
    """Every declaration for which a run under a scale is refused."""
    return as_errors(suite, _Declared(suite, scale).faults())


def as_errors(suite: Suite, faults: Iterable[Fault]) -> list[SuiteError]:
    """Faults with the suite that they are in."""
    return [SuiteError(what, where=f"{suite.slug}, {where}", fix=fix) for what, where, fix in faults]


class Planned:
    """Which cells a suite plans under a scale."""

    def __init__(self, suite: Suite, scale: Scale) -> None:
        self.scale = scale
        self.listed = list(suite.experiments(scale))
        self.experiments = {item.id: item for item in self.listed}
        self.wider = None if scale.full else Planned(suite, replace(scale, full=True))

    def measured(self, cell: Cell, where: str) -> Iterator[Fault]:
        """A claim's cell; one that only ``--full`` runs leaves the claim unjudged without it."""
        faults = list(self.shown(cell, where))
        if faults and not (self.wider and not list(self.wider.shown(cell, where))):
            yield from faults

    def shown(self, cell: Cell | SampleView, where: str) -> Iterator[Fault]:
        """A cell that must be there."""
        return unplanned(cell, where, self.experiments)


class _Declared:
    """One suite under one scale."""

    def __init__(self, suite: Suite, scale: Scale) -> None:
        self.suite = suite
        self.scale = scale
        self.planned = Planned(suite, scale)
        self._planned: dict[Profile, Planned] = {}

    def faults(self) -> Iterator[Fault]:
        yield from self.ids()
        for experiment in self.planned.listed:
            yield from experiment_faults(experiment)
            yield from self.early(experiment)
        for claim in self.suite.claims:
            yield from self.claim(claim)
        yield from twin_faults(self.suite, self.scale.profile)
        yield from self.display()
        yield from self.metrics()

    def early(self, experiment: Experiment) -> Iterator[Fault]:
        """Seeds that were seen before the rules were fixed."""
        first = experiment.first_seed or self.suite.first_seed
        seeds: tuple[object, ...] = experiment.seeds
        early = [seed for seed in seeds if isinstance(seed, int) and 0 <= seed < first.seed]
        if early:
            where = f"experiment {experiment.id}"
            yield f"Seeds {early} are pilot seeds", where, f"Verdict seeds start at {first.seed}. {first.why}"

    def ids(self) -> Iterator[Fault]:
        """Names that records cannot carry, or that are taken twice."""
        suite = self.suite
        yield from name_faults("suite", [suite.slug], "paper.toml")
        names = {
            "claim": [item.id for item in suite.claims],
            "control": [item.id for item in suite.controls],
            "deviation": [item.id for item in suite.deviations],
            "table": [item.id for item in suite.tables],
            "figure": [item.id for item in suite.figures],
            "sample view": [item.id for item in suite.sample_views],
        }
        for kind, ids in names.items():
            yield from name_faults(kind, ids, f"{kind}s")
            yield from alike(kind, ids, f"{kind}s", written)
        experiments = [item.id for item in self.planned.listed]
        yield from alike("experiment", experiments, "experiments", written, spoken)
        yield from alike("claim", dict.fromkeys([*names["claim"], *self._parents()]), "claims", spoken)

    def _parents(self) -> dict[str, None]:
        """Compound claims, which need not be declared themselves, in order."""
        return dict.fromkeys(claim.parent for claim in self.suite.claims if claim.parent)

    def claim(self, claim: Claim) -> Iterator[Fault]:
        where = f"claim {claim.id}"
        yield from self.reported(claim.reported, where)
        names = {other.id for other in self.suite.claims} | set(self._parents())
        for name in claim.relies_on:
            if name in (claim.id, claim.parent):
                yield f"It relies on '{name}', which is itself", where, "Name another claim."
            elif name not in names:
                yield f"It relies on '{name}', which is not a claim", where, known(names)
        if claim.parent and claim.id in self._parents():
            yield "It is a part and has parts of its own", where, "Make its parts parts of its parent."
        form = claim.forms.get(self.scale.profile)
        if form is not None:
            yield from self.rule(form, where)
            yield from self.thresholds(claim, form, where)

    def rule(self, form: Form, where: str) -> Iterator[Fault]:
        """Whether a rule has what it computes with."""
        yield from ((what, where, fix) for what, fix in form.faults())
        yield from self.reported(form.reported_numbers, where)

    def thresholds(self, claim: Claim, form: Form, where: str) -> Iterator[Fault]:
        """Whether a rule holds what its statement names; one that is faulty may have no quantity."""
        for threshold in claim.threshold if not any(form.faults()) else ():
            if not holds(form, threshold):
                yield (
                    f"Its statement names the threshold {threshold:g}, which its quantity does not hold",
                    where,
                    "Take it off inside θ (a - 0.9, a - 0.5 * b), or make it the margin; δ is no threshold.",
                )

    def reported(self, names: Iterable[str], where: str) -> Iterator[Fault]:
        """Numbers that the paper does not report."""
        for name in names:
            if name not in self.suite.paper.reported:
                yield f"Nothing is reported as '{name}'", where, "Name a row of paper.toml."

    def display(self) -> Iterator[Fault]:
        """Entries of nothing: numbers that the paper does not report, cells that no scale plans."""
        for where, entry, profiles in _declared_entries(self.suite, self.scale):
            if isinstance(entry, ReportedRef):
                yield from self.reported([entry.id], where)
            for cell in [entry] if isinstance(entry, SampleView) else cells_of(entry):
                faults = list(self.planned.shown(cell, where))
                if faults and not any(not list(other.shown(cell, where)) for other in self._others(profiles)):
                    yield from faults

    def _others(self, profiles: Iterable[Profile]) -> Iterator[Planned]:
        """What other scales plan; each is asked for once, and only where this one does not plan a cell."""
        for profile in profiles:
            if profile not in self._planned:
                # It holds what is planned with and without `--full`.
                self._planned[profile] = Planned(self.suite, Scale(profile=profile))
            planned = self._planned[profile]
            yield from (item for item in (planned, planned.wider) if item is not None)

    def metrics(self) -> Iterator[Fault]:
        """Metrics of nothing, and two of one name in one place: one of their numbers would be lost."""
        first: dict[tuple[str, ...], str] = {}
        forms = [claim.forms.get(self.scale.profile) for claim in self.suite.claims]
        for cell in cells_of([*forms, *_shown_entries(self.suite, self.planned)]):
            filters = "".join(f",{column}={value}" for column, value in cell.where)
            place = (cell.experiment, cell.task, cell.method, cell.part, filters, cell.metric.name)
            rule = _rule_of(cell)
            where = f"experiment {cell.experiment}, method {cell.method}"
            if not cell.metric.columns:
                yield f"Metric '{cell.metric.name}' reads no column", where, "Name its columns."
            if first.setdefault(place, rule) != rule:
                first[place] = rule
                yield f"Two metrics are called '{cell.metric.name}'", where, "Rename one."


def _rule_of(cell: Cell) -> str:
    """What a cell's metric computes."""
    try:
        return canonical_text([cell.where, cell.metric.columns, cell.metric.reduce, cell.metric.better])
    except SuiteError:  # Functions of a kind that has no text are taken to be one.
        return canonical_text([cell.where, cell.metric.columns, type(cell.metric.reduce), cell.metric.better])


def _declared_entries(suite: Suite, scale: Scale) -> Iterator[tuple[str, object, tuple[Profile, ...]]]:
    """What a profile's displays declare: where, what, and in which profiles it may be planned."""
    for table in made_for(suite.tables, scale.profile):
        profiles = (scale.profile,) if isinstance(table.rows, Mapping) else profiles_of(table)
        for row in declared_rows(table, scale):
            # A slip in what a row needs would leave the row out of every report, without a word.
            named = (*row.entries.values(), *([row.needs] if row.needs else []))
            yield from ((f"table {table.id}, row {row.label}", item, profiles) for item in named)
    for figure in made_for(suite.figures, scale.profile):
        profiles = (scale.profile,) if isinstance(figure.series, Mapping) else profiles_of(figure)
        for series in declared_series(figure, scale):
            where = f"figure {figure.id}, series {series.label}"
            for point in (*series.points, *series.reported):
                yield from ((where, item, profiles) for item in point)
    for view in made_for(suite.sample_views, scale.profile):
        yield f"sample view {view.id}", view, ()


def _shown_entries(suite: Suite, planned: Planned) -> Iterator[object]:
    """What tables and figures of a scale show."""
    scale, experiments = planned.scale, planned.experiments
    for table in made_for(suite.tables, scale.profile):
        for row in planned_rows(table, scale, experiments):
            yield from row.entries.values()
    for figure in made_for(suite.figures, scale.profile):
        for series in planned_series(figure, scale, experiments):
            yield from (item for point in series.points for item in point)
