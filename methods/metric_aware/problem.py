"""What a read-out is given, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.common.numbers import write_number

Floats = NDArray[np.float64]

DRAWS = 16
"""Answers sampled for each item."""


@dataclass(frozen=True)
class Asked:
    """What a model answers about n items.

    Attributes:
        ids: Names of the items.
        scores: Log-probability of each value of the grid as an answer, in nats, shape (n, V); rows
            need not sum to 1.
        greedy: The most probable answer, as text.
        samples: For each item as many sampled answers, in the order in which they were drawn.
    """

    ids: tuple[str, ...]
    scores: Floats
    greedy: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        """Check that there are items, and that each has all that belongs to it.

        Raises:
            ProblemError: If one has not, or a score is no number.
        """
        sizes = {len(self.ids), len(self.scores), len(self.greedy), len(self.samples)}
        if len(sizes) != 1 or not self.ids:
            raise ProblemError(
                f"{len(self.ids)} items came with {len(self.scores)} rows of scores, {len(self.greedy)} "
                f"answers and {len(self.samples)} sets of samples",
                where="Asked",
                fix="Ask about at least one item, and give all of this for each.",
            )
        bad = np.isnan(self.scores).any(axis=1) | ~np.isfinite(self.scores).any(axis=1)
        if bad.any():
            raise ProblemError(
                f"The model gives '{self.ids[int(bad.argmax())]}' no probability that is a number",
                where="scores",
                fix="Check the model's output for NaN, and the grid for values that it cannot write.",
            )


@dataclass(frozen=True)
class Predictions:
    """Items whose labels are to be decided from predictive distributions.

    Attributes:
        values: The grid, ascending.
        test: What is asked; its labels are not here.
        held: Other items, to fit temperatures, lines and constants on.
        held_truth: Their labels, shape (m,).
        threshold: The least label that counts as positive.
        calls: The calls of the model behind all this, by column; empty where there is none.
        known: Labels of items that nobody is asked about, where they are known beside the few that are
            held out: constants are taken from them.
    """

    values: tuple[float, ...]
    test: Asked
    held: Asked
    held_truth: Floats
    threshold: float
    calls: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    known: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def labels(self) -> Floats:
        """What constants are taken from: labels that no item of the test has."""
        # A constant of ten labels would be easily beaten.
        return self.known if len(self.known) else self.held_truth

    @property
    def margin(self) -> Floats:
        """Share of the labels nearest to each value of the grid, shape (V,)."""
        values = np.asarray(self.values)
        nearest = np.abs(self.labels[:, None] - values[None, :]).argmin(axis=1)
        return np.bincount(nearest, minlength=len(values)) / len(nearest)


@dataclass(frozen=True)
class Decisions:
    """What a read-out returns.

    Attributes:
        values: One decision an item, in the order of the items, shape (n,).
        fallback: Whether nothing could be read from the model's answer, so that a constant stands in.
        law: The distribution behind the decisions, shape (n, V), if there is one.
        mass: What the model gives to the whole grid, shape (n,), if that is known.
        exact: What infinitely many samples would decide, if the decision is made from samples.
        fitted: Numbers fitted on the held-out items, by name.
        calls: Calls to keep in the record.
    """

    values: Floats
    fallback: NDArray[np.bool_]
    law: Floats | None = None
    mass: Floats | None = None
    exact: Floats | None = None
    fitted: Mapping[str, float] = field(default_factory=dict)
    calls: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def from_law(ids: Sequence[str], values: Sequence[float], scores: Floats, rng: np.random.Generator) -> Asked:
    """A model that is nothing but distributions over the grid: its answers are the grid's values.

    Args:
        ids: Names of n items.
        values: The grid (V,).
        scores: Log-probabilities (n, V).
        rng: Draws the samples.
    """
    names = np.array([write_number(value) for value in values])
    drawn = names[draw(scores, DRAWS, rng)]
    return Asked(
        ids=tuple(ids),
        scores=scores,
        greedy=tuple(names[scores.argmax(axis=1)].tolist()),
        samples=tuple(tuple(row) for row in drawn.tolist()),
    )


def draw(scores: Floats, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """``count`` independent draws from each row of unnormalised log-probabilities, shape (n, count)."""
    law = np.exp(scores - scores.max(axis=1, keepdims=True))
    steps = law.cumsum(axis=1)
    aim = rng.random((len(scores), count)) * steps[:, -1:]
    # Strictly above the draw, so that a value of probability 0 is never chosen.
    found: NDArray[np.intp] = (steps[:, None, :] <= aim[:, :, None]).sum(axis=2)
    return np.minimum(found, scores.shape[1] - 1)  # type: ignore[no-any-return]
