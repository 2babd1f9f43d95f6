"""Predictive distributions over a numeric grid (card §3.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.common.numbers import find_numbers

Floats = NDArray[np.float64]

_FRACTION = re.compile(r"\s*/\s*$")


@dataclass(frozen=True)
class Predictive:
    """Distributions of several inputs over one grid.

    Attributes:
        values: The grid, ascending, shape (V,).
        law: Probabilities of the values, shape (N, V); rows sum to at most 1.
        mass: What the model gives to the whole grid, shape (N,), before any normalisation.
    """

    values: Floats
    law: Floats
    mass: Floats

    def __post_init__(self) -> None:
        """Check shapes and numbers.

        Raises:
            ProblemError: If the grid is not ascending or a probability is no number.
        """
        if np.any(np.diff(self.values) <= 0):
            raise ProblemError(
                f"The grid {self.values.tolist()} is not ascending", where="grid", fix="Sort distinct values."
            )
        if not np.isfinite(self.law).all():
            row = int((~np.isfinite(self.law).all(axis=1)).argmax())
            raise ProblemError(
                f"The distribution of input {row} is not finite",
                where="law",
                fix="Check the model's scores: all values of the grid may have probability 0.",
            )

    @property
    def renormalised(self) -> Predictive:
        """The distributions given that the answer lies on the grid."""
        return Predictive(self.values, self.law / self.law.sum(axis=1, keepdims=True), self.mass)


def from_scores(
    values: Sequence[float], scores: Floats, *, temperature: float = 1.0, normalise: bool = True
) -> Predictive:
    """Distributions from log-probabilities of each value's text with its terminator.

    A temperature other than 1 acts on the values' whole log-probabilities and always renormalises.

    Args:
        values: The grid.
        scores: Shape (N, V), in nats.
        temperature: T > 0; towards 0 the mode takes all, towards ∞ all values are alike.
        normalise: Divide by the grid's mass; else rows sum to it.

    Raises:
        ProblemError: If the temperature is not positive, or a row has no probability at all.
    """
    if temperature <= 0:
        raise ProblemError(
            f"T = {temperature:g} is no temperature",
            where="temperature",
            fix="Choose T > 0; take the mode instead of T = 0.",
        )
    mass = np.exp(np.logaddexp.reduce(scores, axis=1))
    if temperature == 1.0 and not normalise:
        return Predictive(np.asarray(values, dtype=np.float64), np.exp(scores), mass)
    tempered = scores / temperature
    law = np.exp(tempered - np.logaddexp.reduce(tempered, axis=1, keepdims=True))
    return Predictive(np.asarray(values, dtype=np.float64), law, mass)


def read_number(text: str, low: float, high: float) -> float | None:
    """The number that an answer states, if it states one between ``low`` and ``high``.

    "4/5" and "4 out of 5" state 4; "3-4", "3 to 4" and other texts with two different numbers state
    none.
    """
    plain = re.sub(r"\s+out of\s+[-+]?\d+(\.\d+)?", "", text, flags=re.IGNORECASE)
    values: list[Fraction] = []
    place, over = 0, False
    for one in find_numbers(plain):
        # A number after a slash, as in 4/5, is the top of a scale.
        stroke = _FRACTION.fullmatch(plain[place : one.start]) and plain[one.start].isdigit()
        over = bool(values) and not over and bool(stroke)
        place = one.end
        if not over:
            values.append(one.value)
    if not values or any(value != values[0] for value in values):
        return None
    return float(values[0]) if low <= values[0] <= high else None


@dataclass(frozen=True)
class Samples:
    """Numbers read from sampled answers.

    Attributes:
        numbers: For each input, what could be read.
        asked: Answers drawn for each input.
    """

    numbers: tuple[Floats, ...]
    asked: int

    @property
    def parse_rate(self) -> float:
        """Share of the answers that state a number."""
        return float(sum(map(len, self.numbers)) / max(1, self.asked * len(self.numbers)))


def read_samples(
    texts: Sequence[Sequence[str]],
    *,
    low: float,
    high: float,
    unparsable: Literal["drop", "zero"] = "drop",
) -> Samples:
    """Read the numbers of several answers to each input.

    Args:
        texts: Answers for each input, as many for each.
        low: Least number that counts.
        high: Largest number that counts.
        unparsable: What becomes of an answer without a number: it is dropped, or counts as 0 (the
            convention of RAFT).
    """
    rows = []
    for answers in texts:
        read = [read_number(text, low, high) for text in answers]
        kept = [
            0.0 if value is None else value for value in read if value is not None or unparsable == "zero"
        ]
        rows.append(np.array(kept))
    return Samples(tuple(rows), max(map(len, texts), default=0))


def from_samples(values: Sequence[float], samples: Samples, *, fallback: float) -> Predictive:
    """Frequencies of the grid's values among the samples.

    A sample between two values of the grid counts for the nearer one (the lower of two equally near).

    Args:
        values: The grid.
        samples: What was drawn.
        fallback: The value that takes all where an input has no sample that can be read.
    """
    grid = np.asarray(values, dtype=np.float64)
    law = np.zeros((len(samples.numbers), len(grid)))
    for row, numbers in enumerate(samples.numbers):
        drawn = numbers if len(numbers) else np.array([fallback])
        nearest = np.abs(drawn[:, None] - grid[None, :]).argmin(axis=1)
        law[row] = np.bincount(nearest, minlength=len(grid)) / len(drawn)
    share = np.array([len(numbers) / max(1, samples.asked) for numbers in samples.numbers])
    return Predictive(grid, law, share)


def from_distinct_samples(values: Sequence[float], scores: Floats, drawn: NDArray[np.bool_]) -> Predictive:
    """Distributions over the values that were drawn at all, weighted by their probability at T = 1.

    Self-normalised importance weights over distinct values; weighting each draw instead would count
    frequent values twice.

    Args:
        values: The grid.
        scores: Log-probabilities (N, V).
        drawn: Which values were drawn, shape (N, V).

    Raises:
        ProblemError: If nothing was drawn for an input.
    """
    if not drawn.any(axis=1).all():
        raise ProblemError(
            f"Nothing was drawn for input {int((~drawn.any(axis=1)).argmax())}",
            where="drawn",
            fix="Draw more samples, or give the fallback its value.",
        )
    return from_scores(values, np.where(drawn, scores, -np.inf))
