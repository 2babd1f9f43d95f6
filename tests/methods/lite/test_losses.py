"""Losses over candidate lists."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods.lite.losses import kl, loss_of, margin_mse, one_hot


def test_golden_values() -> None:
    assert margin_mse(torch.tensor([[3.0, 1]]), torch.tensor([[2.0, 0]])) == 0
    assert margin_mse(torch.tensor([[2.0, 1]]), torch.tensor([[2.0, -1]])) == 4
    assert kl(torch.tensor([[1.0, 0]]), torch.zeros(1, 2)).item() == pytest.approx(0.1201, abs=5e-5)
    s = torch.tensor([[1.0, 2.0, 0.5]])
    expected = torch.nn.functional.cross_entropy(s, torch.tensor([0]))
    assert one_hot(s).item() == pytest.approx(expected.item())


@given(shift=st.floats(-50, 50), seed=st.integers(0, 1000))
def test_only_differences_between_candidates_count(shift: float, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    s, t = torch.randn(2, 3, 4, generator=rng).double()
    for name in ("one-hot", "kl", "margin-mse"):
        assert loss_of(name, s + shift, t - shift).item() == pytest.approx(
            loss_of(name, s, t).item(), abs=1e-9
        )


def test_a_student_equal_to_its_teacher_has_no_loss() -> None:
    t = torch.randn(5, 4)
    assert kl(t, t).item() == pytest.approx(0, abs=1e-6)
    assert margin_mse(t + 3, t).item() == pytest.approx(0, abs=1e-10)
