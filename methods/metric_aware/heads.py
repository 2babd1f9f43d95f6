"""Heads that turn embeddings into distributions over grades."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from methods.metric_aware.latent import softmax_regression

Floats = NDArray[np.float64]


def graded(
    vectors: Floats, labels: Floats, *, trained: int, width: int, strength: float, seed: int
) -> Floats:
    """Log-probabilities of the grades 1 … 9 for all texts after the first ``trained``, shape (m, 9).

    Args:
        vectors: Embeddings of all texts, shape (n, d).
        labels: One rating of each text.
        trained: How many of the first texts to train on.
        width: Hidden units of the head; 0 makes it a softmax regression.
        strength: C of the softmax regression; the other head's weight decay is 1/C.
        seed: Of the initial weights of a head with hidden units.
    """
    values = np.arange(1.0, 10.0)
    # Embeddings have unit length; scaled up, their coordinates have about unit variance.
    scaled = vectors * np.sqrt(vectors.shape[1])
    train, asked = scaled[:trained], scaled[trained:]
    if not width:
        return softmax_regression(train, labels[:trained], values, asked, strength=strength)
    from sklearn.neural_network import MLPClassifier

    head = MLPClassifier((width,), alpha=1.0 / strength, early_stopping=True, random_state=seed)
    head.fit(train, np.searchsorted(values, labels[:trained]))
    scores = np.full((len(asked), len(values)), -np.inf)
    scores[:, head.classes_] = np.log(np.maximum(head.predict_proba(asked), 1e-30))
    return scores
