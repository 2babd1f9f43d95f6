"""ECE against golden values and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.classification import multiclass_calibration_error

from harness.method import ProblemError
from methods.sparsity.calibration import calibration, expected_calibration_error

SURE, RIGHT = [0.95, 0.95, 0.85, 0.55], [1, 0, 1, 0]


def test_golden_value_and_bins() -> None:
    found = calibration(SURE, RIGHT, bins=10)
    assert found.error == pytest.approx(0.40, abs=1e-12)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 1, 2]
    assert found.accuracy[[5, 8, 9]].tolist() == [0.0, 1.0, 0.5]
    assert found.confidence[[5, 8, 9]] == pytest.approx([0.55, 0.85, 0.95])
    assert found.edges == pytest.approx(np.linspace(0, 1, 11))


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 200),
    classes=st.integers(2, 12),
    bins=st.sampled_from([1, 10, 15]),
)
def test_equals_torchmetrics(seed: int, count: int, classes: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    # Below 1 in float32, too: torchmetrics gives a confidence of exactly 1 a bin of its own.
    probabilities = 0.99 * rng.dirichlet(np.full(classes, 0.3), size=count) + 0.01 / classes
    labels = rng.integers(classes, size=count)
    sure, right = probabilities.max(1), probabilities.argmax(1) == labels
    wanted = multiclass_calibration_error(
        torch.tensor(probabilities), torch.tensor(labels), num_classes=classes, n_bins=bins, norm="l1"
    )
    assert expected_calibration_error(sure, right, bins) == pytest.approx(float(wanted), abs=1e-6)


def test_edges_of_the_range_are_counted() -> None:
    found = calibration([0.0, 1.0, 0.2], [0, 1, 1], bins=5)
    assert found.counts.tolist() == [2, 0, 0, 0, 1]
    assert expected_calibration_error([1.0, 1.0], [1, 1]) == 0.0


@pytest.mark.parametrize(
    ("sure", "right", "bins"),
    [
        ([], [], 15),
        ([0.5], [1, 0], 15),
        ([1.5], [1], 15),
        ([float("nan")], [1], 15),
        ([0.5], [1], 0),
    ],
)
def test_bad_input_is_refused(sure: list[float], right: list[int], bins: int) -> None:
    with pytest.raises(ProblemError):
        calibration(sure, right, bins)
