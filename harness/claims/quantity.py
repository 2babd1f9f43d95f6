"""Cells and contrasts, written as formulas.

``tau(8, 8) - 1.15 * tau(1, 8)`` is a :class:`Contrast` of two cells; ``log(slow) - log(fast)`` one of their
logarithms; ``1 - cell`` has a constant. Cells that occur twice are added up, one that cancels is left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.claims.labels import contrast_label
from harness.errors import SuiteError
from harness.method.metric import Metric


class Formula(ABC):
    """What can be added, subtracted and multiplied by numbers: a cell or a contrast."""

    @abstractmethod
    def as_contrast(self) -> Contrast:
        """The quantity as a linear combination of cells."""

    def __add__(self, other: Formula | float) -> Contrast:
        return _combined([(1.0, self), (1.0, other)])

    def __radd__(self, other: float) -> Contrast:
        return self + other

    def __sub__(self, other: Formula | float) -> Contrast:
        return _combined([(1.0, self), (-1.0, other)])

    def __rsub__(self, other: float) -> Contrast:
        return _combined([(-1.0, self), (1.0, other)])

    def __mul__(self, factor: float) -> Contrast:
        return _combined([(factor, self)])

    def __rmul__(self, factor: float) -> Contrast:
        return self * factor

    def __truediv__(self, divisor: float) -> Contrast:
        return self * (1 / divisor)

    def __neg__(self) -> Contrast:
        return self * -1.0


CALIBRATION = "calibration"
"""The arm of every timed trial that is a fixed amount of arithmetic (:mod:`harness.engine.calibration`)."""


@dataclass(frozen=True)
class Cell(Formula):
    """One measured number: a metric of one method on one task's evaluation set.

    Attributes:
        experiment: Id of the experiment.
        method: Id of the method in it.
        metric: What is computed from the unit rows.
        task: Id of the task; may be empty when the experiment has one.
        part: The evaluation set; timed experiments write part ``"time"``.
        where: Keeps only rows whose column equals the value: ``(("depth", 3),)``.
    """

    experiment: str
    method: str
    metric: Metric
    task: str = ""
    part: str = "main"
    where: tuple[tuple[str, str | int | float | bool], ...] = ()

    def as_contrast(self) -> Contrast:
        """θ is the cell itself."""
        return Contrast(((1.0, self),))


@dataclass(frozen=True)
class Contrast(Formula):
    """A linear combination of cells, computed within each replicate.

    θ = Σ weight · cell − constant, or with logarithms of the cells when ``log`` is set.
    """

    terms: tuple[tuple[float, Cell], ...]
    constant: float = 0.0
    log: bool = False

    def as_contrast(self) -> Contrast:
        """Itself."""
        return self

    @property
    def calibrated(self) -> bool:
        """Whether it rests on the calibration of times, which results from before it was there lack."""
        return any(cell.method == CALIBRATION for _, cell in self.terms)


def alone(cell: Cell) -> Contrast:
    """θ is the cell itself."""
    return cell.as_contrast()


def difference(better: Cell, worse: Cell) -> Contrast:
    """θ = better − worse; for metrics where lower is better, swap them."""
    return better - worse


def log(quantity: Formula) -> Contrast:
    """A cell on a logarithmic scale; the difference of two is the logarithm of a ratio.

    Raises:
        SuiteError: If ``quantity`` is more than one cell, whose logarithm is not linear.
    """
    theta = quantity.as_contrast()
    if theta.log or theta.constant or [weight for weight, _ in theta.terms] != [1.0]:
        raise SuiteError(
            "Only a single cell has a logarithm that can be combined",
            where=contrast_label(theta),
            fix="Write a sum of logarithms in place of the logarithm of a sum.",
        )
    return replace(theta, log=True)


def total(quantities: Iterable[Formula]) -> Contrast:
    """Their sum."""
    return combine([(1.0, item.as_contrast()) for item in quantities])


def mean(quantities: Iterable[Formula]) -> Contrast:
    """Their mean."""
    items = [item.as_contrast() for item in quantities]
    return combine([(1 / len(items), item) for item in items])


def slope(points: Sequence[tuple[float, Formula]]) -> Contrast:
    """The least-squares slope Σ (x − x̄) θ(x) / Σ (x − x̄)², which is linear in the cells."""
    xs = [x for x, _ in points]
    center = sum(xs) / len(xs)
    square = sum((x - center) ** 2 for x in xs)
    return combine([((x - center) / square, item.as_contrast()) for x, item in points])


def combine(parts: Sequence[tuple[float, Contrast]]) -> Contrast:
    """Σ weight · contrast, as one contrast; cells that occur twice are added up.

    Raises:
        SuiteError: If there is nothing to combine, or some of the contrasts are of logarithms and some
            are not.
    """
    if not parts:
        raise SuiteError("A quantity of no cells has no value", fix="Name at least one cell.")
    if len({theta.log for _, theta in parts}) > 1:
        raise SuiteError(
            "Logarithmic and plain quantities cannot be added", where=contrast_label(parts[0][1])
        )
    weights: dict[Cell, float] = {}
    for weight, theta in parts:
        for inner, cell in theta.terms:
            weights[cell] = weights.get(cell, 0.0) + weight * inner
    # Zero is added so that no constant is a negative zero, which a record would tell from zero.
    constant = sum((weight * theta.constant for weight, theta in parts), start=0.0) + 0.0
    # A cell that cancels (a baseline shared by two sizes) has no part in the quantity.
    terms = tuple((weight, cell) for cell, weight in weights.items() if abs(weight) > 1e-12)
    return Contrast(terms, constant, parts[0][1].log)


def _combined(parts: Sequence[tuple[float, Formula | float]]) -> Contrast:
    """A formula; numbers in it become the constant, which θ subtracts."""
    contrasts = [(weight, part.as_contrast()) for weight, part in parts if isinstance(part, Formula)]
    numbers = sum((weight * part for weight, part in parts if not isinstance(part, Formula)), start=0.0)
    theta = combine(contrasts)
    return replace(theta, constant=theta.constant - numbers + 0.0)
