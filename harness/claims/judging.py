"""What a form may ask of a run: the statistics behind it are in :mod:`harness.evidence`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from harness.claims.labels import contrast_label
from harness.claims.profiles import Replication
from harness.claims.quantity import Cell, Contrast
from harness.store.records import Interval, TestRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Question:
    """One tested quantity of a claim.

    It passes if θ is shown to lie above ``lower`` (and below ``upper``), and falls if θ is shown to lie
    below ``falls_below`` (or above ``falls_above``).

    Attributes:
        label: θ in words.
        theta: The quantity.
        lower: p₊ tests θ ≤ lower.
        upper: For equivalence, p₊ also tests θ ≥ upper.
        falls_below: p₋ tests θ ≥ falls_below; ``None`` if it cannot make the claim fall.
        falls_above: For equivalence, p₋ also tests θ ≤ falls_above.
        size: The estimate must reach it; ``None`` if any size will do.
        scale: What θ is if the quantity that the claim is about is 1: the width of a step of a trend.
    """

    label: str
    theta: Contrast
    lower: float = 0.0
    upper: float | None = None
    falls_below: float | None = None
    falls_above: float | None = None
    size: float | None = None
    scale: float = 1.0


def is_positive(theta: Contrast, delta: float) -> Question:
    """The question of a direction: θ lies above zero, and is not smaller than δ."""
    return Question(contrast_label(theta), theta, falls_below=delta, size=delta)


def are_positive(thetas: Sequence[Contrast], delta: float) -> list[Question]:
    """A direction for each of several quantities, named by its task where the formula is the same."""
    asked = [is_positive(theta, delta) for theta in thetas]
    labels = [question.label for question in asked]
    return [
        replace(question, label=f"{question.label}, on {_tasks(question)}")
        if labels.count(question.label) > 1 and _tasks(question)
        else question
        for question in asked
    ]


def _tasks(question: Question) -> str:
    return " and ".join(dict.fromkeys(cell.task for _, cell in question.theta.terms if cell.task))


def is_inside(theta: Contrast, margin: float) -> Question:
    """The question of an equivalence: θ lies inside (−margin, margin)."""
    label = contrast_label(theta)
    return Question(label, theta, lower=-margin, upper=margin, falls_below=-margin, falls_above=margin)


@dataclass(frozen=True)
class Sampling:
    """How θ varies between replicates, as a form declares it.

    Attributes:
        replication: What is drawn again.
        least: Replicates that a verdict needs.
        noise_floor: Replaces a smaller standard deviation of the claim's quantity between replicates.
        paper_runs: Runs behind a reported number that θ is compared with, whose noise is added; 0 if none.
    """

    replication: Replication
    least: int = 0
    noise_floor: float = 0.0
    paper_runs: int = 0


class Answer(Protocol):
    """One question, measured."""

    @property
    def question(self) -> Question:
        """What was asked."""

    @property
    def effect(self) -> Interval:
        """The estimate with its 95 % interval."""

    @property
    def p_plus(self) -> float | None:
        """Small if θ lies where the claim needs it."""

    @property
    def p_minus(self) -> float | None:
        """Small if θ lies where the claim falls."""

    @property
    def large_enough(self) -> bool:
        """Whether the estimate reaches the smallest effect that matters."""

    @property
    def trials(self) -> tuple[str, ...]:
        """Ids of the trials behind θ."""

    @property
    def seeds(self) -> int:
        """Replicates that were measured: seeds, or blocks."""

    @property
    def lacking(self) -> str:
        """What it lacks for a verdict ("3 seeds of at least 5"), or nothing."""

    def has_collapse(self, delta: float) -> bool:
        """Whether some seeds lie far from all others."""

    @property
    def least(self) -> int:
        """Replicates below which there is no verdict."""

    @property
    def units(self) -> int | None:
        """Units, where they are the replicates whatever is planned."""

    @property
    def is_flat(self) -> bool:
        """Whether nothing varies between replicates, which are then held to the sign-flip test."""

    @property
    def no_number(self) -> str:
        """Why no number of replicates can be named, or nothing."""

    @property
    def units_stay(self) -> bool:
        """Whether a part of the variance comes from units, which more seeds do not reduce."""

    def answers_at(self, truth: float) -> bool:
        """Whether it passes if θ is ``truth``; otherwise it can only fall."""

    def needed(self, truth: float, alpha: float, power: float) -> int | None:
        """Replicates that would answer it if θ were ``truth``; ``None`` if too many."""

    def detectable(self, n: int, alpha: float, power: float) -> float | None:
        """The θ nearest to its threshold that ``n`` replicates show; ``None`` if they show none."""

    def record(self) -> TestRecord:
        """The record of this test, not yet corrected."""


@dataclass(frozen=True)
class Pooled:
    """The rows of one cell over all its trials.

    Attributes:
        columns: As they are named; numbers, but for names of cases.
        trials: Ids of the trials.
        lacking: What of the cell's units is not among them, in words.
    """

    columns: Mapping[str, NDArray[np.generic]]
    trials: tuple[str, ...]
    lacking: str = ""


@dataclass(frozen=True)
class Values:
    """A quantity in each replicate, without inference.

    Attributes:
        theta: Its value in each.
        mean: Over the replicates.
        cells: The mean of each of its cells.
        units: Units behind each replicate.
        trials: Ids of the trials.
    """

    theta: tuple[float, ...]
    mean: float
    cells: tuple[float, ...]
    units: int
    trials: tuple[str, ...]


class JudgingContext(ABC):
    """A run, as the forms of its claims see it.

    Whatever the run cannot give raises :class:`~harness.claims.findings.NotMeasuredError`.

    Attributes:
        reported: The paper's numbers by id.
        family: By how many the level is divided for the claim at hand.
        looks: Looks that the run may take, by which p-values are multiplied.
    """

    reported: Mapping[str, float | None]
    family: int
    looks: int

    @abstractmethod
    def ask(self, questions: Sequence[Question], sampling: Sampling) -> Sequence[Answer]:
        """Measure the quantities of all questions."""

    @abstractmethod
    def values(self, theta: Contrast) -> Values:
        """A quantity in each replicate."""

    @abstractmethod
    def pooled(self, cell: Cell, columns: tuple[str, ...]) -> Pooled:
        """Columns of a cell's rows, all seeds together; the cell's own metric is not asked."""

    @abstractmethod
    def ratio(
        self, label: str, top: Contrast, bottom: Contrast, gap: Contrast, replication: Replication
    ) -> TestRecord:
        """The ratio of two quantities with Fieller's interval, which decides nothing.

        Args:
            label: The ratio in words.
            top: The numerator.
            bottom: The denominator.
            gap: top − bottom, whose variance holds their covariance.
            replication: What is drawn again.
        """

    @abstractmethod
    def uniformity(self, values: NDArray[np.float64], level: float) -> tuple[float, float]:
        """The Kolmogorov-Smirnov distance from uniformity, and the half-width of its DKW band at a level."""

    @abstractmethod
    def corrected(self, p_values: Sequence[float | None]) -> list[float | None]:
        """p-values of several hypotheses, adjusted by Holm; those that are missing stay so."""
