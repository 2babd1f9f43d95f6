"""Expected calibration error (Naeini et al., 2015; Guo et al., 2017, arXiv:1706.04599)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.method import ProblemError


@dataclass(frozen=True)
class Calibration:
    """Confidence against accuracy in bins of equal width.

    Attributes:
        edges: Of the bins, shape (bins + 1,).
        counts: Predictions in each bin, shape (bins,).
        confidence: Mean confidence in each bin; 0 in an empty one, shape (bins,).
        accuracy: Share of right predictions in each bin; 0 in an empty one, shape (bins,).
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """ECE = Σ_b (n_b / n) · |accuracy_b − confidence_b|, in [0, 1]."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(self.counts @ gaps / self.counts.sum())


def calibration(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> Calibration:
    """Bin predictions by confidence.

    A bin holds confidences above its lower edge and up to its upper one; zero is in the first.

    Args:
        confidence: Probability of the predicted class, shape (n,).
        correct: Whether the prediction was right, shape (n,).
        bins: Number of bins of equal width over [0, 1].

    Raises:
        ProblemError: Without predictions, if shapes differ, or if a confidence is not in [0, 1].
    """
    sure = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    if bins < 1:
        raise ProblemError(f"Calibration with {bins} bins", fix="Give at least 1.")
    if sure.ndim != 1 or sure.shape != right.shape or not len(sure):
        raise ProblemError(
            f"Confidences of shape {sure.shape} and outcomes of shape {right.shape} give no calibration",
            fix="Give one of each for every prediction, and at least one prediction.",
        )
    if not bool(np.all((sure >= 0.0) & (sure <= 1.0))):
        raise ProblemError("A confidence lies outside [0, 1] or is not a number")
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.searchsorted(edges[1:-1], sure, side="left")
    counts = np.bincount(place, minlength=bins)
    held = np.maximum(counts, 1)
    return Calibration(
        edges=edges,
        counts=counts,
        confidence=np.bincount(place, weights=sure, minlength=bins) / held,
        accuracy=np.bincount(place, weights=right, minlength=bins) / held,
    )


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """The ECE alone; see :func:`calibration`."""
    return calibration(confidence, correct, bins).error
