"""From a run's rows to the numbers of a claim: contrasts of cells by seed and unit.

Vocabulary of shapes: S seeds, n units. Units are kept sorted by id, so that position i means
the same unit in every method and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.claims import Cell, Contrast
from harness.claims.findings import NotMeasuredError
from harness.evidence.distributions import Floats
from harness.evidence.series import Reader, Replicate, Series, partial
from harness.evidence.unit_sets import Positions
from harness.store.answers import Coverage, together


@dataclass(frozen=True)
class Group:
    """Cells that score the same n units, and so are paired."""

    cells: tuple[int, ...]
    size: int


class Quantity:
    """A contrast over a run: θ by replicate, and by unit where it is additive.

    Attributes:
        contrast: θ as declared.
        series: The contrast's cells, in order.
        keys: Replicates that all cells share: seeds, or blocks.
    """

    def __init__(self, reader: Reader, contrast: Contrast) -> None:
        self.contrast = contrast
        self.series = reader.all_series([cell for _, cell in contrast.terms])
        self.timed = any(item.timed for item in self.series)
        if self.timed and not all(item.timed for item in self.series):
            raise NotMeasuredError("Timed and untimed cells cannot be paired", kind="mismatch")
        self._refuse_foreign()
        shared = set.intersection(*(set(item.keys) for item in self.series))
        if not shared:
            raise NotMeasuredError("The cells share no seed", kind="mismatch", trials=self.trials)
        self.keys = tuple(key for key in self.series[0].keys if key in shared)
        places = [{key: at for at, key in enumerate(item.keys)} for item in self.series]
        self._at = [[at[key] for key in self.keys] for at in places]
        if len(self.series) > 1:
            self.refuse_partial()
        self._check_pairs()

    @property
    def coverage(self) -> Coverage:
        """What its cells together answered of their evaluation sets."""
        return together(item.coverage for item in self.series)

    def refuse_partial(self) -> None:
        """Stop if a cell does not rest on its whole evaluation set: it can be shown, not compared.

        Raises:
            NotMeasuredError: Which method answered how much, and in which trials.
        """
        for item in self.series:
            if item.partial:
                raise partial(item.cell, item.coverage, item.partial)

    @property
    def trials(self) -> tuple[str, ...]:
        """Ids of the trials behind θ."""
        return tuple(dict.fromkeys(trial for item in self.series for trial in item.trials))

    @property
    def size(self) -> int:
        """Units that each replicate is made of, over all sets of units; blocks for times."""
        if self.timed:
            return len(self.keys)
        sets = {
            rows.unit_set: rows.size
            for item, places in zip(self.series, self._at, strict=True)
            for rows in _picked(item, places[:1])
        }
        return sum(sets.values())

    def cell_values(self) -> Floats:
        """Each cell's metric in each replicate, shape (cells, S)."""
        return np.array(
            [[item.value(at) for at in places] for item, places in zip(self.series, self._at, strict=True)]
        )

    def by_replicate(self, units: Mapping[int, Positions] | None = None) -> Floats:
        """θ of each replicate, shape (S,).

        Args:
            units: For each cell (by number) the positions of the units to keep; all without it.
        """
        chosen = units or {}
        values = np.array(
            [
                [item.value(at, chosen.get(number)) for at in places]
                for number, (item, places) in enumerate(zip(self.series, self._at, strict=True))
            ]
        )
        return self.combine(values)

    def combine(self, values: Floats) -> Floats:
        """θ from cell values of shape (cells, S)."""
        weights = np.array([weight for weight, _ in self.contrast.terms])
        self._refuse_where(~np.isfinite(values), "{} is not a finite number")
        if self.contrast.log:
            self._refuse_where(values <= 0, "{} is not positive, and has no logarithm")
            values = np.log(values)
        return np.asarray(np.tensordot(weights, values, axes=1) - self.contrast.constant)

    def _refuse_where(self, bad: NDArray[np.bool_], what: str) -> None:
        """Stop if a cell has no usable value in some replicates, and name their trials."""
        if not bad.any():
            return
        places = [(self.series[cell], self._at[cell][key]) for cell, key in np.argwhere(bad)]
        names = sorted({item.cell.metric.name for item, _ in places})
        trials = dict.fromkeys(item.trial_of(at) for item, at in places)
        raise NotMeasuredError(what.format(", ".join(names)), kind="undefined", trials=list(trials))

    @property
    def additive(self) -> bool:
        """Whether θ is a mean over units, up to sums of means of disjoint sets of units."""
        single = all(
            rows.single
            for item, places in zip(self.series, self._at, strict=True)
            for rows in _picked(item, places)
        )
        return single and not self.contrast.log and all(item.cell.metric.additive for item in self.series)

    def nested(self) -> bool:
        """Whether each seed draws units of its own, so that seeds carry all of the spread."""
        return any(
            len({rows.unit_set for rows in _picked(item, places) if rows.worst is None}) > 1
            for item, places in zip(self.series, self._at, strict=True)
        )

    def groups(self) -> tuple[Group, ...]:
        """Sets of cells that share their units; different groups share none.

        Raises:
            NotMeasuredError: If two cells share some of their units only.
        """
        sets: dict[bytes, tuple[list[int], NDArray[np.str_]]] = {}
        diverged = []
        for number, item in enumerate(self.series):
            item.note_by_unit()
            units = next((r.units for r in _picked(item, self._at[number]) if r.worst is None), None)
            if units is None:
                diverged.append(number)
            else:
                sets.setdefault(units.tobytes(), ([], units))[0].append(number)
        found = list(sets.values())
        for i, (_, left) in enumerate(found):
            for _, right in found[:i]:
                if np.intersect1d(left, right).size:
                    raise NotMeasuredError("Two cells share some of their units only", kind="mismatch")
        if found:
            found[0][0].extend(diverged)
        return tuple(Group(tuple(cells), len(units)) for cells, units in found)

    def unit_matrices(self) -> list[Floats]:
        """θ of each unit and seed, shape (n, S), for each group; only for additive θ.

        The constant is taken off the first group, so that θ̂ is the sum of all means.
        """
        matrices = []
        for index, group in enumerate(self.groups()):
            total = np.full((group.size, len(self.keys)), -self.contrast.constant if index == 0 else 0.0)
            for number in group.cells:
                weight, cell = self.contrast.terms[number]
                for column, at in enumerate(self._at[number]):
                    total[:, column] += weight * _unit_values(cell, self.series[number].rows[at])
            matrices.append(total)
        return matrices

    def _refuse_foreign(self) -> None:
        environments = frozenset[str]().union(*(item.environments for item in self.series))
        if self.timed and len(environments) > 1:
            raise NotMeasuredError(
                f"Times were measured in {len(environments)} environments", kind="foreign", trials=self.trials
            )

    def _check_pairs(self) -> None:
        """Cells of the same evaluation set must score the same units in every replicate."""
        first: dict[tuple[object, ...], Callable[[int], Replicate]] = {}
        for number, item in enumerate(self.series):
            cell = item.cell
            place = (*item.trials[0].split("/")[:2], cell.part, cell.where)
            reference = first.setdefault(place, lambda k, n=number: self._rows(n, k))  # type: ignore[misc]
            for replicate, key in enumerate(self.keys):
                left, right = reference(replicate), self._rows(number, replicate)
                if left.worst is None and right.worst is None and left.unit_set != right.unit_set:
                    raise NotMeasuredError(
                        f"The units of '{cell.method}' differ from those it is paired with, in seed {key}",
                        kind="mismatch",
                        trials=[trial for trial in item.trials if trial.endswith(f"/{key}")],
                    )

    def _rows(self, number: int, replicate: int) -> Replicate:
        return self.series[number].rows[self._at[number][replicate]]


def _picked(item: Series, places: Sequence[int]) -> list[Replicate]:
    return [item.rows[at] for at in places]


def _unit_values(cell: Cell, rows: Replicate) -> Floats | float:
    """The metric of each unit alone: for a mean of one column, its values."""
    if rows.worst is not None:
        return rows.worst
    return np.asarray(rows.columns[cell.metric.columns[0]], dtype=np.float64)
