"""What each trial of a run answered, compared with the other methods of its suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from harness.claims.quantity import CALIBRATION
from harness.errors import RecordError
from harness.store.answers import Answers, Columns, Coverage, Where, answers_of, coverage
from harness.store.view import TIMED_METHOD, RunView
from harness.suite import OwnUnits, Scale, Suite


@dataclass(frozen=True)
class Declared:
    """What a suite says of units.

    Attributes:
        methods: (experiment id, method id) of its own methods; if there are none, all methods of a
            run count as its own.
        own: Where methods may have units of their own.
    """

    methods: frozenset[tuple[str, str]] = frozenset()
    own: tuple[OwnUnits, ...] = ()

    def declares(self, experiment: str, method: str) -> bool:
        """Whether a method belongs to the suite, as the calibration of times does."""
        return not self.methods or method == CALIBRATION or (experiment, method) in self.methods

    def is_free(self, experiment: str, part: str) -> bool:
        """Whether methods may have units of their own there."""
        return any(item.covers(experiment, part) for item in self.own)


NOTHING_SAID = Declared()


def declared(suite: Suite, scale: Scale) -> Declared:
    """What a suite says of units under a scale."""
    methods = ((item.id, method) for item in suite.experiments(scale) for method in item.methods)
    return Declared(frozenset(methods), suite.own_units)


class Covering(Protocol):
    """Says what trials answered."""

    def of(self, trial: str, part: str, where: Where = (), arm: str = "") -> Coverage:
        """What a trial (or an arm of a timed one) answered of its evaluation set."""


@dataclass
class Coverages:
    """The coverage of each trial of a run.

    Attributes:
        view: The run.
        said: What its suite says of units.
    """

    view: RunView
    said: Declared = field(default_factory=Declared)

    def __post_init__(self) -> None:
        self._answers: dict[tuple[str, str, Where, str], Answers] = {}
        self._beside: dict[tuple[str, str, str], list[str]] = {}
        for trial in self.view.record.planned:
            experiment, task, _, seed = trial.split("/")
            self._beside.setdefault((experiment, task, seed), []).append(trial)

    def of(self, trial: str, part: str, where: Where = (), arm: str = "") -> Coverage:
        """What a trial (or an arm of a timed one) answered of its evaluation set."""
        experiment, task, method, seed = trial.split("/")
        own = self._of(trial, part, where, arm)
        if self.said.is_free(experiment, part):
            return coverage(own, ())
        if method == TIMED_METHOD:
            names = [(trial, other) for other in self._arms(trial, part)]
        else:
            names = [(other, "") for other in self._beside.get((experiment, task, seed), ())]
        others = [
            self._of(name, part, where, other)
            for name, other in names
            if (name, other) != (trial, arm) and self.said.declares(experiment, other or name.split("/")[2])
        ]
        belongs = self.said.declares(experiment, arm or method)
        return coverage(own, [found for found in others if found.rows], belongs=belongs)

    def _arms(self, trial: str, part: str) -> list[str]:
        table = self._table(trial, part)
        return [] if table is None or "arm" not in table else np.unique(table["arm"]).tolist()

    def _of(self, trial: str, part: str, where: Where, arm: str) -> Answers:
        key = (trial, part, where, arm)
        if key not in self._answers:
            table = self._table(trial, part)
            self._answers[key] = Answers() if table is None else answers_of(table, where, arm)
        return self._answers[key]

    def _table(self, trial: str, part: str) -> Columns | None:
        """The rows, if the trial is there, has the part, and the rows were kept."""
        record = self.view.trials.get(trial)
        if record is None or record.status != "ok" or (record.parts and part not in record.parts):
            return None
        try:
            return self.view.table(trial, part)
        except RecordError:
            return None
