"""Where methods are compared, from which claims and displays take their cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from harness.claims.forms.base import Form
from harness.claims.profiles import Profile, Replication
from harness.claims.quantity import Cell
from harness.errors import SuiteError
from harness.method.metric import Metric

FormT = TypeVar("FormT", bound=Form)


@dataclass(frozen=True)
class Place:
    """An experiment's task and evaluation set; called with a method, it gives the method's cell there.

    ``QUALITY = Place("quality", "amazon", metric=RHO)`` makes ``QUALITY("slider-4")`` a cell, and
    ``QUALITY("ibws-4", part="probe", step=3)`` another one, of the rows whose column ``step`` is 3.

    Attributes:
        experiment: Id of the experiment.
        task: Id of the task; may be empty when the experiment has one.
        part: The evaluation set.
        replication: What carries the uncertainty here.
        metric: What is computed unless a call says otherwise.
    """

    experiment: str
    task: str = ""
    part: str = "main"
    replication: Replication = Replication.SEEDS
    metric: Metric | None = None

    def __call__(
        self,
        method: str,
        metric: Metric | None = None,
        *,
        task: str | None = None,
        part: str | None = None,
        **where: str | float | bool,
    ) -> Cell:
        """The cell of a method.

        Args:
            method: Id of the method.
            metric: In place of the place's own.
            task: In place of the place's own.
            part: In place of the place's own.
            where: Keeps only rows whose column equals the value.

        Raises:
            SuiteError: If neither the call nor the place names a metric.
        """
        chosen = metric or self.metric
        if chosen is None:
            what = f"A cell of '{self.experiment}' needs a metric"
            raise SuiteError(what, where=f"method {method}", fix="Give one to the call or to the place.")
        return Cell(
            self.experiment,
            method,
            chosen,
            task=self.task if task is None else task,
            part=self.part if part is None else part,
            where=tuple(where.items()),
        )

    def on(self, task: str | None = None, *, part: str | None = None, metric: Metric | None = None) -> Place:
        """The same experiment on another task, evaluation set or metric."""
        return replace(
            self,
            task=self.task if task is None else task,
            part=self.part if part is None else part,
            metric=metric or self.metric,
        )

    def replicated(self, form: FormT) -> FormT:
        """The form, and its preconditions, with what carries the uncertainty here.

        Raises:
            SuiteError: If it is a form without replicates.
        """
        if not hasattr(form, "replication"):
            what = f"{type(form).__name__} has no replicates that its place could say"
            raise SuiteError(what, where=f"place {self.experiment}", fix="Declare it with by_profile.")
        changes: dict[str, Any] = {"replication": self.replication}
        if conditions := getattr(form, "preconditions", ()):
            changes["preconditions"] = tuple(replace(one, **changes) for one in conditions)
        return cast("FormT", replace(cast("Any", form), **changes))


def by_place(places: Mapping[Profile, Place], rule: Callable[[Place], Form]) -> dict[Profile, Form]:
    """The form that ``rule`` gives for each profile's place, with what carries the uncertainty there."""
    return {profile: where.replicated(rule(where)) for profile, where in places.items()}
