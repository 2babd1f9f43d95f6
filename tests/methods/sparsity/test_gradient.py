"""The theorem on the gradient at initialisation: golden values and a property."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.sparsity import gradient

P = np.array([1.0, 0.5, -0.3, 0.0, 2.0, -1.0])
ONE_HOT = np.eye(5)[2]


def within(estimate: gradient.Estimate, wanted: NDArray[np.float64], errors: float = 5.0) -> bool:
    return bool((np.abs(estimate.mean - wanted) <= errors * estimate.error + 1e-12).all())


def test_golden_values_of_squared_loss() -> None:
    exact = gradient.squared_loss(P, sigma=1.0, outputs=5)
    np.testing.assert_allclose(exact, [5, 2.5, 0, 0, 10, 0])
    drawn = gradient.sampled("squared", P, ONE_HOT, sigma=1.0, draws=100_000, rng=np.random.default_rng(0))
    assert within(drawn, exact)
    assert drawn.error.max() < 0.06


def test_golden_values_of_cross_entropy() -> None:
    rng = np.random.default_rng(1)
    golden = np.array([0.431, 0.218, 0.0, 0.0, 0.866, 0.0])
    drawn = gradient.sampled("cross-entropy", P, ONE_HOT, sigma=1.0, draws=200_000, rng=rng)
    assert np.abs(drawn.mean - golden).max() < 3 * 0.0024 + 0.0005
    assert drawn.error.max() == pytest.approx(0.0024, abs=0.0003)
    exact = gradient.cross_entropy(P, sigma=1.0, outputs=5, draws=200_000, rng=rng)
    assert within(drawn, exact.mean, errors=6.0)
    assert exact.error.max() < drawn.error.max() / 2


def test_golden_values_for_a_small_variance() -> None:
    rng = np.random.default_rng(2)
    limit = gradient.small_variance(P, sigma=0.1, outputs=5)
    np.testing.assert_allclose(limit, [0.008, 0.004, 0, 0, 0.016, 0])
    exact = gradient.cross_entropy(P, sigma=0.1, outputs=5, draws=100_000, rng=rng)
    np.testing.assert_allclose(exact.mean, limit, rtol=0.03)


@st.composite
def cases(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pre-activations with at most three active neurons, and targets that sum to one."""
    active = draw(st.lists(st.floats(0.01, 4.0), min_size=1, max_size=3))
    passive = draw(st.lists(st.floats(-4.0, 0.0), max_size=3))
    target = np.array(draw(st.lists(st.floats(-3.0, 3.0), min_size=2, max_size=3)))
    p = np.array(draw(st.permutations(active + passive)))
    return p, target - (target.sum() - 1.0) / len(target)


@settings(max_examples=60)
@given(case=cases(), values=st.sampled_from([(-1.0, 1.0), (-0.2, 0.2), (-2.0, 0.5, 1.5)]))
def test_active_neurons_are_pushed_down_whatever_the_target(
    case: tuple[NDArray[np.float64], NDArray[np.float64]], values: tuple[float, ...]
) -> None:
    p, target = case
    active = int((p > 0).sum())
    if len(values) ** (active * len(target)) > 2**12:
        p = np.where(np.cumsum(p > 0) <= 1, p, -np.abs(p))
    for loss in ("cross-entropy", "squared"):
        exact = gradient.enumerated(loss, p, target, values)
        assert (exact[p > 0] > 0).all()
        assert (exact[p <= 0] == 0).all()
    closed = gradient.squared_loss(p, sigma=float(np.std(values)), outputs=len(target))
    np.testing.assert_allclose(gradient.enumerated("squared", p, target, values), closed, atol=1e-9)


def test_gradients_equal_those_of_pytorch() -> None:
    rng = np.random.default_rng(3)
    V = rng.normal(size=(4, 5, 6))
    for loss in ("cross-entropy", "squared"):
        ours = gradient.gradients(loss, P, ONE_HOT, V)
        for matrix, slope in zip(V, ours, strict=True):
            p = torch.tensor(P, requires_grad=True)
            f = torch.tensor(matrix) @ p.relu()
            value = (
                torch.nn.functional.cross_entropy(f, torch.tensor(ONE_HOT))
                if loss == "cross-entropy"
                else 0.5 * (f - torch.tensor(ONE_HOT)).square().sum()
            )
            (wanted,) = torch.autograd.grad(value, p)
            np.testing.assert_allclose(slope, wanted.numpy(), atol=1e-12)


def test_bad_input_is_refused() -> None:
    V = np.ones((1, 2, 1))
    with pytest.raises(ProblemError, match="sums to one"):
        gradient.gradients("cross-entropy", [1.0], [1.0, 1.0], V)
    with pytest.raises(ProblemError, match="finite"):
        gradient.gradients("squared", [float("nan")], [1.0, 1.0], V)
    with pytest.raises(ProblemError, match="mean zero"):
        gradient.enumerated("squared", [1.0], [1.0], (0.0, 1.0))
    with pytest.raises(ProblemError, match="cannot be enumerated"):
        gradient.enumerated("squared", np.ones(10), np.ones(10) / 10, (-1.0, 1.0))
    with pytest.raises(ProblemError, match="standard error"):
        gradient.sampled("squared", [1.0], [1.0], sigma=1.0, draws=1, rng=np.random.default_rng())
