"""Whether a suite's declaration makes sense, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from harness.claims import Claim, Control, Form, Profile
from harness.claims.substitute import sabotaged
from harness.declared.cautions import cautions
from harness.declared.family import MOST_PRIMARY, family_of
from harness.declared.judgeable import Planned, as_errors, unjudgeable
from harness.declared.noise import noise_faults
from harness.errors import SuiteError
from harness.plan.carried import Fault
from harness.plan.displayed import declared_rows, known, made_for
from harness.plan.selection import Selection, cells_of
from harness.suite import Experiment, Scale, Suite, Tuned

MOST_GATING = 20
"""Quantities that may gate at once: the more there are, the larger a fall must be to be seen."""


def check_suite(suite: Suite, scale: Scale) -> list[SuiteError]:
    """Everything that is wrong with a suite's declaration under a scale; empty if nothing is."""
    found = [*_Checker(suite, scale).all(), *noise_faults(suite, scale)]
    return [*unjudgeable(suite, scale), *as_errors(suite, found)]


def unwise(
    suite: Suite, scale: Scale, selection: Selection | None = None, looks: int = 1
) -> list[SuiteError]:
    """What a suite should not declare, though a run of it can be judged, and what else to beware of."""
    noise = noise_faults(suite, scale, selection)
    beware = cautions(suite, scale, selection, looks)
    return as_errors(suite, [*_Checker(suite, scale).all(), *noise, *beware])


class _Checker:
    """The checks of one suite under one scale."""

    def __init__(self, suite: Suite, scale: Scale) -> None:
        self.suite = suite
        self.scale = scale
        self.planned = Planned(suite, scale)
        self.claims = {claim.id: claim for claim in suite.claims}

    def all(self) -> Iterator[Fault]:
        """Faults of everything that the suite declares."""
        for experiment in self.planned.listed:
            yield from self.experiment(experiment)
        for claim in self.suite.claims:
            yield from self.claim(claim)
        for control in self.suite.controls:
            yield from self.control(control)
        yield from self.gating()
        yield from self.primary()
        yield from self.deviations()
        yield from self.tables()

    def experiment(self, experiment: Experiment) -> Iterator[Fault]:
        """Faults of one experiment and its methods."""
        where = f"experiment {experiment.id}"
        for name, method in experiment.methods.items():
            if isinstance(method, Tuned) and set(method.seeds) & set(experiment.seeds):
                yield f"Method '{name}' is tuned on verdict seeds", where, "Tune on seeds below 100."
        for task, name in sorted(experiment.only or ()):
            if task not in experiment.tasks or name not in experiment.methods:
                yield f"`only` names {name} on {task}, which it does not have", where, "Drop the pair."

    def claim(self, claim: Claim) -> Iterator[Fault]:
        """Faults of one claim, and of its form under this profile."""
        where = f"claim {claim.id}"
        if claim.forms and any(claim.id == other.parent for other in self.suite.claims):
            yield "It is judged by its parts, so that its own forms decide nothing", where, "Give it none."
        form = claim.forms.get(self.scale.profile)
        if form is not None:
            yield from self.form(claim, form)
            if form.decides:
                yield from self.relied(claim, where)
            if form.decides and not claim.otherwise:
                fix = "Write it as `otherwise` in paper.toml, or make the claim not comparable."
                yield "It does not say how it could come out otherwise here", where, fix

    def relied(self, claim: Claim, where: str) -> Iterator[Fault]:
        """Whether what it relies on is decided: what never holds would make every verdict on it invalid."""
        for name in claim.relies_on:
            others = [other for other in self.suite.claims if name in (other.id, other.parent)]
            forms = [form for other in others if (form := other.forms.get(self.scale.profile)) is not None]
            if others and not any(form.decides for form in forms):
                yield f"It relies on '{name}', which nothing decides", where, "Drop it, or decide that claim."

    def form(self, claim: Claim, form: Form) -> Iterator[Fault]:
        """Faults of a form and the cells that it reads."""
        where = f"claim {claim.id}"
        for cell in cells_of(form):
            yield from self.planned.measured(cell, where)
        yield from ((what, where, fix) for what, fix in form.cautions())
        if form.reported_numbers and self.scale.profile is not Profile.PAPER:
            yield "Only the paper profile may compare with the paper's number", where, "Use another form."
        if form.statistical and self.scale.profile is not Profile.SMOKE:
            if not any(form.faults()):
                yield from self.replicates(form, where)
            if not any(control.predicts.get(claim.id) == "kill" for control in self.suite.controls):
                yield "No control is predicted to kill it", where, "Declare a control that must break it."

    def replicates(self, form: Form, where: str) -> Iterator[Fault]:
        """Whether the declared replicates reach what the form asks for."""
        own = {cell.experiment for item in form.measured() for cell in cells_of(item.theta)}
        for experiment in (item for item in self.planned.listed if item.id in own):
            seeds = len(experiment.seeds)
            blocks = seeds * experiment.timed.blocks if experiment.timed else None
            if lacking := form.lacking(seeds, blocks):
                yield f"'{experiment.id}' has {lacking}", where, "Add some, or no verdict can be reached."

    def control(self, control: Control) -> Iterator[Fault]:
        """Faults of one negative control."""
        where = f"control {control.id}"
        if "kill" not in control.predicts.values():
            yield "It is predicted to kill no claim", where, "A negative control must break something."
        for name in control.predicts:
            claim = self.claims.get(name)
            if claim is None:
                yield f"It predicts '{name}', which is not a claim", where, known(self.claims)
            elif self.scale.profile is not Profile.SMOKE:
                yield from self.prediction(control, claim, f"{where}, claim {name}")

    def prediction(self, control: Control, claim: Claim, where: str) -> Iterator[Fault]:
        """Faults of what a control should do to a claim."""
        form = claim.forms.get(self.scale.profile)
        if form is None or not form.decides:
            return
        broken = sabotaged(form, control)
        if broken == form:
            methods = ", ".join(sorted({cell.method for cell in cells_of(form)}))
            fix = f"It measures {methods}: replace one of them, or drop the prediction."
            yield "It replaces nothing that the claim measures", where, fix
            return
        for cell in cells_of(broken):
            yield from self.planned.measured(cell, where)

    def gating(self) -> Iterator[Fault]:
        """Whether what gates exists, and is little enough for falls to be seen through Holm's correction."""
        names = {*self.claims, *filter(None, (claim.parent for claim in self.suite.claims))}
        for name in self.suite.gating:
            if name not in names:
                yield f"It gates by '{name}', which is not a claim", "gating", known(names)
        gating = {*self.suite.gating}
        chosen = [one for one in self.suite.claims if not gating or {one.id, one.parent} & gating]
        forms = [form for claim in chosen if (form := claim.forms.get(self.scale.profile)) is not None]
        metrics = sum(item.allowed is not None for form in forms for item in form.measured())
        if metrics > MOST_GATING:
            fix = f"Name the claims that matter most as `gating`, with at most {MOST_GATING} quantities."
            yield f"It gates by {metrics} quantities at once", "gating", fix

    def primary(self) -> Iterator[Fault]:
        """Whether the primary claims are few."""
        tested = [claim.id for claim in family_of(self.suite, self.scale.profile) if claim.primary]
        if len(tested) > MOST_PRIMARY:
            fix = f"Keep those of the abstract and the headline tables, at most {MOST_PRIMARY}."
            yield f"It has {len(tested)} primary claims: {', '.join(tested)}", "primary", fix

    def deviations(self) -> Iterator[Fault]:
        """Faults of deviations that name claims."""
        names = {*self.claims, *filter(None, (claim.parent for claim in self.suite.claims))}
        for deviation in self.suite.deviations:
            for name in deviation.claims:
                if name not in names:
                    yield (
                        f"It touches '{name}', which is not a claim",
                        f"deviation {deviation.id}",
                        known(names),
                    )

    def tables(self) -> Iterator[Fault]:
        """Faults of tables and the cells that they show."""
        for table in made_for(self.suite.tables, self.scale.profile):
            for row in declared_rows(table, self.scale):
                where = f"table {table.id}, row {row.label}"
                for key in row.entries:
                    if key not in table.columns:
                        yield f"There is no column '{key}'", where, known(table.columns)
