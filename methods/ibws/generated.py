"""Generated texts with generated ratings, for checks that must not need any data.

A text is a bag of made-up words; its latent value is the sum of its words' weights. A rating is
the latent value plus noise, rounded and clipped to -4 ... 4, much as the real data look.
"""

from __future__ import annotations

import numpy as np

from methods.common.ratings import RatingSet

_WORDS = 60
_LENGTH = 8
_LATENT_SD = 1.6
_NOISE_SD = 0.8


def generated_ratings(n_items: int, raters: int, rng: np.random.Generator) -> RatingSet:
    """A set of ``n_items`` texts with ``raters`` ratings each."""
    weights = np.linspace(-1, 1, _WORDS)
    words = rng.integers(_WORDS, size=(n_items, _LENGTH))
    latent = weights[words].sum(axis=1)
    latent *= _LATENT_SD / (weights.std() * _LENGTH**0.5)
    percepts = latent[:, None] + rng.normal(0, _NOISE_SD, (n_items, raters))
    ratings = np.clip(np.round(percepts), -4, 4).astype(np.int8)
    names = [_name(number) for number in range(_WORDS)]
    return RatingSet(
        name="generated",
        ids=tuple(f"{i:05d}" for i in range(n_items)),
        texts=tuple(" ".join(names[word] for word in row) for row in words),
        ratings=tuple(ratings),
        mismatched=np.zeros(n_items, dtype=np.bool_),
    )


def _name(number: int) -> str:
    """A pronounceable word: 0 is "baba", 1 is "babe"."""
    consonants, vowels = "bdfgklmnprst", "aeiou"
    return f"ba{consonants[number // 5 % 12]}{vowels[number % 5]}"
