"""What the rows of a trial answer of its evaluation set.

The evaluation set of an experiment, task, part and seed is what the suite's own methods answer
there, all of them together. A method that leaves units out is scored on another, perhaps easier, set
than the others, so its number is shown with what it rests on and nothing is compared with it. The
same holds for a method that answers units twice, or units that no method of the suite knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
class Answers:
    """What a table answers.

    Attributes:
        units: Its units; those of a timed trial are asked again in every block.
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
    units = frozenset(ids.tolist())
    places = len(np.unique(_beside(ids, table["step"][keep]))) if "step" in table else len(units)
    return Answers(units, len(ids), places)


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
    if belongs and all(other is own for other in others):
        return Coverage(len(own.units), len(own.units), repeated=_repeated(own, others))
    asked = frozenset[str]().union(*(other.units for other in others), own.units if belongs else ())
    answered = len(asked & own.units)
    return Coverage(answered, len(asked), repeated=_repeated(own, others), foreign=len(own.units) - answered)


def _repeated(own: Answers, others: Sequence[Answers]) -> int:
    # Some tasks have several rows a unit, and then each method may have its own number of them.
    once = all(other.places == other.rows for other in others)
    return own.rows - own.places if once else 0
