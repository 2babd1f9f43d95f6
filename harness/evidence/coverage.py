"""What each trial of a run answered, compared with the other methods of its suite."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from harness.claims.quantity import CALIBRATION
from harness.errors import RecordError
from harness.store.answers import Answers, Columns, Coverage, Where, answers_of, coverage
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD, RunView, main_trials
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


_Name = tuple[str, str]
"""A trial, and the arm if it is a timed one."""
_MOST_EQUAL = 256
"""Different sets of units that are remembered."""


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
        self._found: dict[tuple[_Name, str, Where], Coverage] = {}
        self._equal: OrderedDict[str, Answers] = OrderedDict()
        self._beside: dict[tuple[str, str, int], list[_Name]] = {}
        for trial in main_trials(self.view.record.planned):
            self._beside.setdefault((trial.experiment, trial.task, trial.seed), []).append((trial.id, ""))

    def of(self, trial: str, part: str, where: Where = (), arm: str = "") -> Coverage:
        """What a trial (or an arm of a timed one) answered of its evaluation set."""
        key = ((trial, arm), part, where)
        if key not in self._found:
            # The methods of a seed are compared with one another: each of them is read once for all.
            names = self._names(trial, part)
            answers = {name: self._of(name, part, where) for name in (*names, (trial, arm))}
            self._found |= {
                (name, part, where): found for name, found in self._compared(part, names, answers).items()
            }
        return self._found[key]

    def _compared(
        self, part: str, names: Sequence[_Name], answers: Mapping[_Name, Answers]
    ) -> dict[_Name, Coverage]:
        """What each answered of what all of them that belong to the suite have answered.

        Args:
            part: The evaluation set.
            names: Trials, or arms of a timed one, that were asked the same.
            answers: Theirs, and those of the trial that the question is of.
        """
        experiment = next(iter(answers))[0].split("/")[0]
        if self.said.is_free(experiment, part):
            return {name: coverage(own, ()) for name, own in answers.items()}
        own = {name for name in answers if self.said.declares(experiment, name[1] or name[0].split("/")[2])}
        counted = {name for name in names if name in own and answers[name].rows}
        # Most have answered the same, which is then compared once.
        sharing = Counter(id(answers[name]) for name in counted)
        different = {id(answers[name]): answers[name] for name in counted}
        made: dict[tuple[int, bool, bool], Coverage] = {}
        for name, found in answers.items():
            case = id(found), name in own, name in counted
            if case not in made:
                others = [
                    other
                    for key, other in different.items()
                    if sharing[key] > (other is found and name in counted)
                ]
                made[case] = coverage(found, others, belongs=name in own)
        return {name: made[id(found), name in own, name in counted] for name, found in answers.items()}

    def _names(self, trial: str, part: str) -> list[_Name]:
        """The trials, or the arms of a timed one, that are asked the same."""
        experiment, task, method, seed = trial.split("/")
        if method != TIMED_METHOD:
            return self._beside.get((experiment, task, int(seed)), [])
        table = self._table(trial, part)
        arms = [] if table is None or "arm" not in table else np.unique(table["arm"]).tolist()
        return [(trial, arm) for arm in arms]

    def _of(self, name: _Name, part: str, where: Where) -> Answers:
        trial, arm = name
        key = "" if where or arm else self._unit_key(trial, part)
        if key and key in self._equal:
            return self._equal[key]
        table = self._table(trial, part)
        found = Answers() if table is None else answers_of(table, where, arm)
        if key and table is not None:
            self._equal[key] = found
            if len(self._equal) > _MOST_EQUAL:
                self._equal.popitem(last=False)
        return found

    def _unit_key(self, trial: str, part: str) -> str:
        """What is equal for trials that have answered the same, if their records say it.

        A seed's methods are then compared without their rows being read.
        """
        record = self._finished(trial, part)
        return record.unit_ids_sha256.get(part, "") if record and not self.view.is_committed else ""

    def _finished(self, trial: str, part: str) -> TrialRecord | None:
        """The record, if the trial has rows of the part."""
        record = self.view.trials.get(trial)
        has = record is not None and record.status == "ok" and (not record.parts or part in record.parts)
        return record if has else None

    def _table(self, trial: str, part: str) -> Columns | None:
        """The rows, if the trial is there, has the part, and the rows were kept."""
        if self._finished(trial, part) is None:
            return None
        try:
            return self.view.table(trial, part)
        except RecordError:
            return None
