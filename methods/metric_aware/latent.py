"""Grades of a noisy latent quality: the toy world of known difficulty (card §9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError

Floats = NDArray[np.float64]
GRADES = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True)
class LatentGrades:
    """Grade clip(round(3 + f(x) + σε), 1, 5) of items with standard normal features x.

    Attributes:
        weights: Direction w of the latent quality, shape (d,).
        noise: Standard deviation σ of a label around f(x).
        kind: f is ``linear``, s·wᵀx, which a softmax regression nearly represents; or ``bent``, with a
            square of a second direction, which it cannot.
        scale: s, the standard deviation of the linear part.
    """

    weights: Floats
    noise: float
    kind: Literal["linear", "bent"] = "linear"
    scale: float = 1.0

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, *, features: int, noise: float, kind: Literal["linear", "bent"]
    ) -> LatentGrades:
        """A random direction.

        Raises:
            ProblemError: If there is no feature, or the noise is negative.
        """
        if features < 2 or noise < 0:
            raise ProblemError(
                f"{features} features and noise {noise:g} make no world",
                where="LatentGrades",
                fix="Give at least two features, and noise of 0 or more.",
            )
        weights = rng.standard_normal(features)
        return cls(weights / np.linalg.norm(weights), noise, kind)

    def quality(self, features: Floats) -> Floats:
        """f(x) of items (n, d)."""
        along: Floats = features @ self.weights
        if self.kind == "linear":
            return self.scale * along
        across = features @ _orthogonal(self.weights)
        return self.scale * (0.6 * along + 0.8 * (np.square(across) - 1) / np.sqrt(2))  # type: ignore[no-any-return]

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        """Features (n, d) and grades (n,) of new items."""
        features = rng.standard_normal((count, len(self.weights)))
        noisy = self.quality(features) + self.noise * rng.standard_normal(count)
        grades: Floats = np.clip(np.round(3.0 + noisy), GRADES[0], GRADES[-1])
        return features, grades


def _orthogonal(weights: Floats) -> Floats:
    """A unit vector across ``weights``, the same each time."""
    axis = np.zeros(len(weights))
    axis[int(np.abs(weights).argmin())] = 1.0
    across = axis - weights * (weights @ axis)
    found: Floats = across / np.linalg.norm(across)
    return found


def softmax_regression(
    features: Floats, labels: Floats, values: Floats, asked: Floats, *, strength: float
) -> Floats:
    """Log-probabilities of each value for new items, from cross-entropy training.

    Args:
        features: Of the training items, shape (n, d).
        labels: Their labels, each one of the values.
        values: The grid (V,).
        asked: Features of the new items, shape (m, d).
        strength: scikit-learn's C: the larger, the weaker the L2 penalty.

    Returns:
        Shape (m, V). A value that no training item has gets −∞.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=500)
    classes = np.searchsorted(values, labels)
    model.fit(features, classes)
    scores = np.full((len(asked), len(values)), -np.inf)
    scores[:, model.classes_] = model.predict_log_proba(asked)
    return scores
