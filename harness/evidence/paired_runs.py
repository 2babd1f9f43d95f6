"""Differences between two runs, paired by seed and unit.

Both are read as one view, so that what pairs methods pairs runs as well.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.claims import Cell, Contrast, Replication
from harness.claims.findings import NotMeasuredError
from harness.evidence.coverage import NOTHING_SAID, Coverages, Declared
from harness.evidence.inference import Inference, infer
from harness.evidence.quantities import Quantity
from harness.evidence.rows import KeptRows
from harness.evidence.series import Keeping, Reader, Series, kept_in
from harness.store.answers import Coverage, Where
from harness.store.kept import KeptCell
from harness.store.records import Interval, TrialRecord
from harness.store.view import RunView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.store.records import RunRecord

_LEFT, _RIGHT = "left ", "right "


class _JoinedTrials(Mapping[str, TrialRecord]):
    """The records of shared trials under the names of their sides, made when they are asked for."""

    def __init__(self, sides: Mapping[str, RunView], names: Sequence[str]) -> None:
        self._sides = sides
        self._names = dict.fromkeys(names)

    def __getitem__(self, name: str) -> TrialRecord:
        if name not in self._names:
            raise KeyError(name)
        side, trial = _split(name)
        return self._sides[side].trials[trial].model_copy(update={"trial": name})

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class JoinedView:
    """The trials that two runs both finished, under experiment ids that name their side."""

    is_committed = False
    omitted: frozenset[str] = frozenset()
    kept: None = None

    def __init__(self, left: RunView, right: RunView) -> None:
        self._sides = {_LEFT: left, _RIGHT: right}
        shared = sorted(_finished(left) & _finished(right))
        names = [side + trial for side in self._sides for trial in shared]
        self.shared = tuple(shared)
        self.record: RunRecord = left.record.model_copy(update={"planned": names, "blocked": {}})
        self.trials: Mapping[str, TrialRecord] = _JoinedTrials(self._sides, names)

    def table(self, trial: str, part: str) -> Mapping[str, NDArray[np.generic]]:
        """The rows of a trial, on the side that its id names."""
        side, name = _split(trial)
        return self._sides[side].table(name, part)


@dataclass(frozen=True)
class _PairedCoverages:
    """What the trials of each run answered, compared with the other methods of the same run."""

    sides: Mapping[str, Coverages]

    def of(self, trial: str, part: str, where: Where = (), arm: str = "") -> Coverage:
        side, name = _split(trial)
        return self.sides[side].of(name, part, where, arm)


@dataclass(frozen=True)
class _PairedKept:
    """What each run keeps of a cell, if it is committed."""

    sides: Mapping[str, Keeping]

    def __call__(self, cell: Cell) -> KeptCell | None:
        side, name = _split(cell.experiment)
        return self.sides[side](replace(cell, experiment=name))


def _split(trial: str) -> tuple[str, str]:
    """The side that a trial's id names, and the id in that run."""
    side = _LEFT if trial.startswith(_LEFT) else _RIGHT
    return side, trial.removeprefix(side)


def _finished(view: RunView) -> set[str]:
    """Main trials that can be compared: committed results may lack the rows of some."""
    kept = set(view.record.planned) - view.omitted
    return {
        name for name, trial in view.trials.items() if name in kept and trial.status in ("ok", "diverged")
    }


@dataclass(frozen=True)
class Shift:
    """How a quantity differs between two runs, paired by seed and unit.

    Attributes:
        left: The quantity in the first run, on the shared seeds.
        right: In the second run.
        inference: Of right − left.
        seeds: Shared seeds.
        identical: Whether all unit rows that enter it are equal, value for value.
        same_environment: Whether both sides ran in one and the same environment.
    """

    left: Interval
    right: Interval
    inference: Inference
    seeds: int
    identical: bool
    same_environment: bool


class PairedRuns:
    """Measures shifts between two runs.

    Args:
        left: The first run.
        right: The second.
        said: What their suite says of units.

    Attributes:
        shared: Ids of the trials that both runs finished.
        left_out: Whether one of them leaves rows out for their size.
    """

    def __init__(self, left: RunView, right: RunView, said: Declared = NOTHING_SAID) -> None:
        runs = JoinedView(left, right)
        self.shared = runs.shared
        self.left_out = bool(left.omitted | right.omitted)
        left_out = "; committed results leave rows out for their size" if self.left_out else ""
        self._unshared = f"The runs share no finished trial for it{left_out}"
        covering = {_LEFT: Coverages(left, said), _RIGHT: Coverages(right, said)}
        keeping = {_LEFT: kept_in(left), _RIGHT: kept_in(right)}
        self._reader = Reader(runs, _PairedCoverages(covering), _PairedKept(keeping))

    def loss(self, theta: Contrast) -> NotMeasuredError | None:
        """What the second run cannot give of a quantity's cells that the first can, if anything.

        Trials that one of the runs lacks are another matter: a run may be over fewer seeds.
        """
        for (_, before), (_, after) in _pairs(_on(_LEFT, theta), _on(_RIGHT, theta)):
            error = self._fault(after)
            if error is not None and self._fault(before) is None:
                return error if error.kind in ("partial", "undefined", "mismatch") else None
        return None

    def _fault(self, cell: Cell) -> NotMeasuredError | None:
        """Why a cell cannot be compared with others."""
        try:
            quantity = Quantity(self._reader, Contrast(((1.0, cell),)))
            quantity.refuse_partial()
            quantity.by_replicate()
        except NotMeasuredError as error:
            return error
        return None

    def shift(self, theta: Contrast, replication: Replication) -> Shift:
        """The difference right − left of a quantity.

        Raises:
            NotMeasuredError: If the runs share no trials for it, their units differ, or times
                come from two environments.
        """
        try:
            return self._shift(theta, replication)
        except NotMeasuredError as error:
            if error.kind != "unplanned":
                raise
            raise NotMeasuredError(self._unshared, kind="unplanned") from error

    def _shift(self, theta: Contrast, replication: Replication) -> Shift:
        left, right = _on(_LEFT, theta), _on(_RIGHT, theta)
        negative = tuple((-weight, cell) for weight, cell in left.terms)
        change = Quantity(self._reader, Contrast((*right.terms, *negative), log=theta.log))
        pairs = [(self._reader.series(x), self._reader.series(y)) for (_, x), (_, y) in _pairs(left, right)]
        for one, other in pairs:
            _refuse_other_units(one, other)
        rng = np.random.default_rng(0)
        # Bootstraps of later quantities go on with the generator where the flips have left it.
        measure = functools.partial(
            infer, replication=replication, rng=rng, flips=replication is Replication.UNITS
        )
        environments = {e for one, other in pairs for e in (*one.environments, *other.environments)}
        return Shift(
            left=measure(Quantity(self._reader, left)).interval,
            right=measure(Quantity(self._reader, right)).interval,
            inference=measure(change),
            seeds=len({key.split("/")[0] for key in change.keys}),
            identical=all(_identical(one, other) for one, other in pairs),
            same_environment=len(environments) == 1,
        )


def _pairs(left: Contrast, right: Contrast) -> list[tuple[tuple[float, Cell], tuple[float, Cell]]]:
    return list(zip(left.terms, right.terms, strict=True))


def _on(side: str, theta: Contrast) -> Contrast:
    terms = tuple((w, replace(cell, experiment=side + cell.experiment)) for w, cell in theta.terms)
    return replace(theta, terms=terms)


def _refuse_other_units(one: Series, other: Series) -> None:
    for left, right in zip(one.rows, other.rows, strict=True):
        if left.worst is None and right.worst is None and left.unit_set != right.unit_set:
            raise NotMeasuredError(
                f"The runs score different units with '{one.cell.method}': other data, or another split",
                kind="mismatch",
            )


def _identical(one: Series, other: Series) -> bool:
    return all(
        left.worst == right.worst and left.unit_set == right.unit_set and _same_numbers(one, other, at)
        for at, (left, right) in enumerate(zip(one.rows, other.rows, strict=True))
    )


def _same_numbers(one: Series, other: Series, at: int) -> bool:
    """Whether two replicates have equal rows; where committed results keep the value alone, equal values."""
    left, right = one.rows[at], other.rows[at]
    if isinstance(left, KeptRows) or isinstance(right, KeptRows):
        return same_column(np.array([one.value(at)]), np.array([other.value(at)]))
    return all(same_column(column, right.columns[name]) for name, column in left.columns.items())


def same_column(left: NDArray[np.generic], right: NDArray[np.generic]) -> bool:
    """Equality in which a missing number equals a missing number."""
    if "O" in (left.dtype.kind, right.dtype.kind):
        # Objects may be arrays themselves, and these are equal in no single way.
        return repr(left.tolist()) == repr(right.tolist())
    numbers = left.dtype.kind == "f" and right.dtype.kind == "f"
    return bool(np.array_equal(left, right, equal_nan=numbers))
