"""Noise on labels and images against what its definition says of its moments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.sparsity.corruptions import CORRUPTIONS, GAUSSIAN, IMPULSE, SEVERITIES, SHOT, noisy_labels

GREY = np.full((400, 25, 20), 0.5, dtype=np.float32)


def test_label_noise_draws_over_all_classes() -> None:
    labels = np.random.default_rng(0).integers(10, size=20_000)
    noisy, drawn = noisy_labels(labels, 0.4, 10, np.random.default_rng(1))
    assert drawn.sum() == 8_000
    assert (noisy[~drawn] == labels[~drawn]).all()
    changed = (noisy != labels).mean()
    # p(1 - 1/C) = .36, and not .4 as with a different class each time: 10 standard errors apart.
    assert changed == pytest.approx(0.36, abs=5 * (0.4 * 0.09 / 20_000) ** 0.5)
    assert np.bincount(noisy[drawn], minlength=10) == pytest.approx(np.full(10, 800), abs=5 * 27)


@given(share=st.floats(0, 1), count=st.integers(0, 50), seed=st.integers(0, 100))
def test_label_noise_keeps_its_input_and_its_share(share: float, count: int, seed: int) -> None:
    labels = np.arange(count) % 3
    before = labels.copy()
    noisy, drawn = noisy_labels(labels, share, 3, np.random.default_rng(seed))
    assert (labels == before).all()
    assert drawn.sum() == round(share * count)
    assert set(noisy) <= {0, 1, 2}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_moments_of_gaussian_noise(severity: int) -> None:
    noisy = CORRUPTIONS["gaussian"](GREY, severity, np.random.default_rng(severity))
    inside = (noisy > 0) & (noisy < 1)
    assert noisy.mean() == pytest.approx(0.5, abs=5 * 0.3 / GREY.size**0.5)
    # Quantiles within the range do not know of clipping.
    low = np.quantile(noisy, 0.5 - 0.19146)
    assert 0.5 - low == pytest.approx(GAUSSIAN[severity - 1] / 2, rel=0.02)
    assert inside.mean() > 0.7


@pytest.mark.parametrize("severity", SEVERITIES)
def test_shot_noise_is_poisson(severity: int) -> None:
    photons = SHOT[severity - 1]
    dark = np.full((400, 25, 20), 0.1)
    noisy = CORRUPTIONS["shot"](dark, severity, np.random.default_rng(severity))
    np.testing.assert_allclose(noisy[noisy < 1] * photons, np.round(noisy[noisy < 1] * photons), atol=1e-9)
    assert (noisy == 0).mean() == pytest.approx(np.exp(-0.1 * photons), abs=0.01)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_impulse_noise_is_salt_and_pepper(severity: int) -> None:
    noisy = CORRUPTIONS["impulse"](GREY, severity, np.random.default_rng(severity))
    share = IMPULSE[severity - 1]
    for value in (0.0, 1.0):
        assert (noisy == value).mean() == pytest.approx(share / 2, abs=0.005)
    assert set(np.unique(noisy)) == {0.0, 0.5, 1.0}


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_images_stay_images_and_get_worse(kind: str) -> None:
    images = np.random.default_rng(3).random((50, 8, 8)).astype(np.float32)
    before = images.copy()
    distances = []
    for severity in SEVERITIES:
        noisy = CORRUPTIONS[kind](images, severity, np.random.default_rng(4))
        assert noisy.shape == images.shape
        assert noisy.dtype == images.dtype
        assert 0.0 <= noisy.min() <= noisy.max() <= 1.0
        distances.append(float(np.abs(noisy - images).mean()))
    assert distances == sorted(distances)
    assert (images == before).all()
    again = CORRUPTIONS[kind](images, 5, np.random.default_rng(4))
    assert (again == noisy).all()


def test_bad_input_is_refused() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0, 1])
    with pytest.raises(ProblemError, match="share"):
        noisy_labels(labels, 1.5, 2, rng)
    with pytest.raises(ProblemError, match="classes"):
        noisy_labels(labels, 0.5, 1, rng)
    for corrupt in CORRUPTIONS.values():
        with pytest.raises(ProblemError, match="severity 6"):
            corrupt(GREY, 6, rng)
        with pytest.raises(ProblemError, match="standardising"):
            corrupt(GREY * 4, 1, rng)
        with pytest.raises(ProblemError, match="standardising"):
            corrupt(GREY * np.nan, 1, rng)
