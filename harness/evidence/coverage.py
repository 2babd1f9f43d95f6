"""How many of an evaluation set's units a method answered.

The evaluation set of an experiment, task, part and seed is what the suite's own methods answer
there, all of them together. A method that leaves units out is scored on an easier or a luckier set
than the others, so its number is shown with what it rests on and nothing is compared with it. The
same holds for a method that answers units twice, or units that no method of the suite knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import RecordError
from harness.store.view import TIMED_METHOD, RunView
from harness.suite import OwnUnits, Scale, Suite

Where = tuple[tuple[str, str | int | float | bool], ...]
Columns = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Coverage:
    """What a method answered of the units that it was asked.

    Attributes:
        answered: Units of the evaluation set that it has rows for.
        units: Units of the evaluation set.
        repeated: Rows too many, where each unit has one.
        foreign: Units that are in no evaluation set.
    """

    answered: int
    units: int
    repeated: int = 0
    foreign: int = 0

    @property
    def complete(self) -> bool:
        """Whether every unit was answered, once, and nothing else."""
        return self.answered == self.units and not self.repeated and not self.foreign

    @property
    def text(self) -> str:
        """What is wrong with it, in words: "answers 3 of 60 units"."""
        said = [f"answers {self.answered} of {self.units} units"] if self.answered < self.units else []
        said += [f"has {self.repeated} rows too many for its units"] if self.repeated else []
        said += [f"has {self.foreign} units that nobody asked"] if self.foreign else []
        return ", ".join(said) or f"answers all of {self.units} units"

    @property
    def mark(self) -> str:
        """What stands beside a number that rests on it: "3 of 60 units"; nothing if it is complete."""
        if self.complete:
            return ""
        said = [f"{self.answered} of {self.units} units"]
        said += [f"{self.repeated} rows too many"] if self.repeated else []
        said += [f"{self.foreign} units that nobody asked"] if self.foreign else []
        return ", ".join(said)

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(
            self.answered + other.answered,
            self.units + other.units,
            self.repeated + other.repeated,
            self.foreign + other.foreign,
        )


def together(coverages: Iterable[Coverage]) -> Coverage:
    """One coverage for several seeds: theirs if they are all the same, else their sum."""
    found = list(coverages)
    return found[0] if len(set(found)) == 1 else sum(found, start=Coverage(0, 0))


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
        """Whether a method belongs to the suite."""
        return not self.methods or (experiment, method) in self.methods

    def is_free(self, experiment: str, part: str) -> bool:
        """Whether methods may have units of their own there."""
        return any(item.covers(experiment, part) for item in self.own)


NOTHING_SAID = Declared()


def declared(suite: Suite, scale: Scale) -> Declared:
    """What a suite says of units under a scale."""
    methods = ((item.id, method) for item in suite.experiments(scale) for method in item.methods)
    return Declared(frozenset(methods), suite.own_units)


@dataclass(frozen=True)
class Answers:
    """What a table answers.

    Attributes:
        units: Its units; those of a timed trial are asked anew in every block.
        rows: Its rows.
        places: Different places of rows: units, or units at the steps of a probe.
    """

    units: frozenset[str] = frozenset()
    rows: int = 0
    places: int = 0


def answers_of(table: Columns, where: Where = (), arm: str = "") -> Answers:
    """What the rows of a table that pass the filters answer."""
    keep = np.ones(len(table["unit_id"]), dtype=bool)
    for name, value in (*where, *((("arm", arm),) if arm else ())):
        if name not in table:
            return Answers()
        keep &= np.asarray(table[name] == value)
    ids = np.asarray(table["unit_id"])[keep].astype(str)
    if arm and "block" in table:
        ids = _beside(ids, table["block"][keep])
    places = _beside(ids, table["step"][keep]) if "step" in table else ids
    return Answers(frozenset(ids.tolist()), len(ids), len(np.unique(places)))


def _beside(ids: NDArray[np.str_], column: NDArray[np.generic]) -> NDArray[np.str_]:
    return np.char.add(np.char.add(ids, "\n"), np.asarray(column).astype(str))


def coverage(own: Answers, others: Sequence[Answers], *, belongs: bool = True) -> Coverage:
    """How a method's answers compare with the others'.

    Args:
        own: Its answers.
        others: Those of the suite's own methods besides it; without any, nothing can be said.
        belongs: Whether it is one of the suite's own, so that its units are in the set, too.
    """
    if not others:
        return Coverage(len(own.units), len(own.units))
    asked = frozenset[str]().union(*(other.units for other in others), own.units if belongs else ())
    answered = len(asked & own.units)
    # Some tasks have several rows a unit, and then their number may be the method's own affair.
    once = all(other.places == other.rows for other in others)
    return Coverage(
        answered,
        len(asked),
        repeated=own.rows - own.places if once else 0,
        foreign=len(own.units) - answered,
    )


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
