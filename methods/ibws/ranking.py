"""Learning to rank from labels: linear models on words or on embeddings.

Shapes: m training texts, t test texts, d features.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from methods.ibws.designs import Floats

Features = NDArray[np.float32] | NDArray[np.float64]


def standardised(labels: Floats) -> Floats:
    """Labels with mean 0 and standard deviation 1; all 0 if they are equal."""
    spread = float(labels.std())
    scaled: Floats = (labels - labels.mean()) / (spread if spread > 0 else 1.0)
    return scaled


def tfidf_ridge(train: Sequence[str], labels: Floats, test: Sequence[str], strength: float) -> Floats:
    """Ridge regression on binary TF-IDF of words and word pairs; shape (t,).

    Args:
        train: m texts.
        labels: Shape (m,).
        test: t texts.
        strength: Ridge penalty, on z-scored labels.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    words = TfidfVectorizer(ngram_range=(1, 2), binary=True)
    model = Ridge(alpha=strength, solver="sparse_cg", tol=1e-6, random_state=0)
    model.fit(words.fit_transform(train), standardised(labels))
    return np.asarray(model.predict(words.transform(test)), dtype=np.float64)


def vector_ridge(train: Features, labels: Floats, test: Features, strength: float) -> Floats:
    """Ridge regression on z-scored features, in closed form; shape (t,).

    Args:
        train: Shape (m, d).
        labels: Shape (m,).
        test: Shape (t, d).
        strength: Ridge penalty a training text: the penalty is strength * m.
    """
    x, z = _scaled(train, test)
    gram = x.T @ x + strength * x.shape[0] * np.eye(x.shape[1])
    return z @ np.linalg.solve(gram, x.T @ standardised(labels))


def pairwise_logistic(
    train: Features,
    labels: Floats,
    test: Features,
    strength: float,
    rng: np.random.Generator,
    *,
    pairs: int = 20_000,
) -> Floats:
    """A linear scorer f that minimises log(1 + exp(-(f_i - f_j))) over pairs with label i > j.

    Args:
        train: Shape (m, d).
        labels: Shape (m,).
        test: Shape (t, d).
        strength: Penalty strength / 2 * |w|^2 beside the mean loss of a pair.
        rng: Draws the pairs.
        pairs: How many random pairs; those with equal labels are left out.

    Returns:
        Shape (t,); all 0 if no two labels differ.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    x, z = _scaled(train, test)
    first, second = rng.integers(labels.size, size=(2, pairs))
    keep = labels[first] != labels[second]
    sign = np.sign(labels[first] - labels[second])[keep]
    if not keep.any():
        return np.zeros(z.shape[0])
    better = np.where(sign > 0, first[keep], second[keep])
    worse = np.where(sign > 0, second[keep], first[keep])

    def loss(w: Floats) -> tuple[float, Floats]:
        scores = x @ w
        margin = scores[better] - scores[worse]
        pull = -expit(-margin) / margin.size
        # The gradient of all pairs is one product with x, through the scores.
        by_text = np.bincount(better, weights=pull, minlength=labels.size) - np.bincount(
            worse, weights=pull, minlength=labels.size
        )
        value = np.logaddexp(0, -margin).mean() + strength / 2 * float(w @ w)
        return float(value), x.T @ by_text + strength * w

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(z @ found.x, dtype=np.float64)


def _scaled(train: Features, test: Features) -> tuple[Floats, Floats]:
    """Both matrices in double precision, with the training features' mean 0 and deviation 1."""
    x, z = train.astype(np.float64), test.astype(np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread == 0] = 1.0
    return (x - mean) / spread, (z - mean) / spread
