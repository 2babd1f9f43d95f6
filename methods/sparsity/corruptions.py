"""Noise on labels and on images.

Image noise follows ImageNet-C (Hendrycks & Dietterich, 2019, arXiv:1903.12261): three kinds, five
severities, the constants of its public code, for images with values in [0, 1] before any
standardisation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError

Images = NDArray[np.floating]
"""Any shape, values in [0, 1]."""

GAUSSIAN = (0.08, 0.12, 0.18, 0.26, 0.38)
"""Standard deviation of the added noise by severity."""
SHOT = (60.0, 25.0, 12.0, 5.0, 3.0)
"""Photons at full brightness by severity; fewer are noisier."""
IMPULSE = (0.03, 0.06, 0.09, 0.17, 0.27)
"""Share of values replaced by 0 or 1 by severity."""
SEVERITIES = (1, 2, 3, 4, 5)


def noisy_labels(
    labels: NDArray[np.integer], share: float, classes: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Replace a share of labels by uniform draws over *all* classes, the true one included.

    Label noise p changes on average only p(1 - 1/C) of the labels, as in the paper (section 4.2).

    Args:
        labels: Classes, shape (n,).
        share: p, in [0, 1]; round(p · n) labels are drawn anew.
        classes: Number of classes C.
        rng: Chooses the labels and draws the new ones.

    Returns:
        The labels, and which were drawn anew (whether or not they changed), both of shape (n,).

    Raises:
        ProblemError: If the share or a label is out of range.
    """
    if not 0.0 <= share <= 1.0:
        raise ProblemError(f"Label noise of {share} is not a share", fix="Give one in [0, 1].")
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        raise ProblemError(f"Labels from {labels.min()} to {labels.max()} do not fit {classes} classes")
    drawn = np.zeros(len(labels), dtype=np.bool_)
    drawn[rng.permutation(len(labels))[: round(share * len(labels))]] = True
    noisy = np.where(drawn, rng.integers(classes, size=len(labels)), labels)
    return noisy.astype(np.int64), drawn


def gaussian_noise(images: Images, severity: int, rng: np.random.Generator) -> Images:
    """Add normal noise and clip to [0, 1]."""
    deviation = _constant(GAUSSIAN, images, severity)
    return _like(images, images + rng.normal(scale=deviation, size=images.shape))


def shot_noise(images: Images, severity: int, rng: np.random.Generator) -> Images:
    """Poisson counts of photons, divided by their number at full brightness, clipped to [0, 1]."""
    photons = _constant(SHOT, images, severity)
    return _like(images, rng.poisson(images * photons) / photons)


def impulse_noise(images: Images, severity: int, rng: np.random.Generator) -> Images:
    """Salt and pepper: a share of values becomes 0 or 1 with equal probability."""
    share = _constant(IMPULSE, images, severity)
    draw = rng.random(images.shape)
    return _like(images, np.where(draw < share, draw < share / 2, images))


CORRUPTIONS: dict[str, Callable[[Images, int, np.random.Generator], Images]] = {
    "gaussian": gaussian_noise,
    "impulse": impulse_noise,
    "shot": shot_noise,
}
"""The kinds of image noise by name."""


def _constant(constants: tuple[float, ...], images: Images, severity: int) -> float:
    if severity not in SEVERITIES:
        raise ProblemError(f"There is no severity {severity}", fix="Give one from 1 to 5.")
    if not bool(np.all((images >= 0.0) & (images <= 1.0))):
        raise ProblemError(
            "Corruptions are defined for images in [0, 1]", fix="Corrupt images before standardising them."
        )
    return constants[severity - 1]


def _like(images: Images, noisy: NDArray[np.floating]) -> Images:
    return noisy.clip(0.0, 1.0).astype(images.dtype)
