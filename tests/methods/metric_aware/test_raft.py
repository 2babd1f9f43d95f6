"""Losses of fine-tuning: the card's golden values, identities, and what training does with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.method import ProblemError
from methods.metric_aware.raft import (
    Recipe,
    Scorer,
    cross_entropy,
    fine_tune,
    mbr_loss,
    raft_loss,
    read_out,
)

VALUES = torch.arange(1.0, 6.0, dtype=torch.float64)
LOGITS = torch.tensor([[0.2, -0.1, 0.4, 0.9, 0.3]], dtype=torch.float64)
LABEL = torch.tensor([3.7], dtype=torch.float64)


def gradient(loss: torch.Tensor, logits: torch.Tensor) -> list[float]:
    return torch.autograd.grad(loss.sum(), logits)[0][0].tolist()


def test_golden_losses() -> None:
    law = LOGITS.softmax(-1)
    mean = read_out(LOGITS, VALUES)
    assert mean.item() == pytest.approx(3.243914, abs=1e-6)
    assert raft_loss(LOGITS, VALUES, LABEL).item() == pytest.approx(0.208014, abs=1e-6)
    assert (law @ VALUES.square() - mean.square()).item() == pytest.approx(1.778195, abs=1e-6)
    assert mbr_loss(LOGITS, VALUES, LABEL).item() == pytest.approx(1.986210, abs=1e-6)


def test_golden_gradients() -> None:
    logits = LOGITS.clone().requires_grad_()
    raft = [0.336587, 0.138227, 0.044688, -0.228386, -0.291116]
    mbr = [0.872170, 0.110102, -0.300515, -0.627924, -0.053832]
    assert gradient(raft_loss(logits, VALUES, LABEL), logits) == pytest.approx(raft, abs=1e-6)
    assert gradient(mbr_loss(logits, VALUES, LABEL), logits) == pytest.approx(mbr, abs=1e-6)


@given(arrays(np.float64, (4, 5), elements=st.floats(-5, 5)), arrays(np.float64, 4, elements=st.floats(0, 6)))
def test_the_other_loss_adds_the_variance(logits: np.ndarray, labels: np.ndarray) -> None:
    found = torch.from_numpy(logits)
    law = found.softmax(-1)
    variance = law @ VALUES.square() - (law @ VALUES).square()
    right = torch.from_numpy(labels)
    both = raft_loss(found, VALUES, right) + variance
    assert mbr_loss(found, VALUES, right).numpy() == pytest.approx(both.numpy(), abs=1e-9)


def test_cross_entropy_is_that_of_the_nearest_value() -> None:
    assert cross_entropy(LOGITS, VALUES, LABEL).item() == pytest.approx(-LOGITS.log_softmax(-1)[0, 3].item())


def made(hidden: int = 0) -> Scorer:
    return Scorer(3, (1.0, 2.0, 3.0), hidden, torch.Generator().manual_seed(0))


def items(count: int = 80, noise: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(count)
    features = torch.randn(count, 3, generator=generator)
    labels = 2 + features[:, 0] + noise * torch.randn(count, generator=generator)
    return features, labels.round().clamp(1, 3)


@pytest.mark.parametrize("objective", ["ce", "raft", "learnable", "mbr", "head", "digit-head"])
def test_every_objective_learns(objective: str) -> None:
    model, valid = made(hidden=8), items(200)
    model.start_heads(valid[1])
    start = (valid[1] - valid[1].mean()).square().mean().sqrt().item()
    found = fine_tune(model, items(), valid, Recipe(objective, 0.05, 150))  # type: ignore[arg-type]
    assert found < 0.8 * start
    with torch.no_grad():
        answer = model.answer(valid[0], objective)  # type: ignore[arg-type]
    assert (valid[1] - answer).square().mean().sqrt().item() == pytest.approx(found)


def test_before_training_everything_predicts_the_middle() -> None:
    model, (features, labels) = made(), items()
    model.start_heads(labels)
    for objective in ("raft", "learnable"):
        assert model.answer(features, objective).detach().numpy() == pytest.approx(2.0)
    for objective in ("head", "digit-head"):
        found = model.answer(features, objective).detach().numpy()  # type: ignore[arg-type]
        assert found == pytest.approx(labels.mean().item())


def test_early_stopping_keeps_the_best_and_its_absence_the_last() -> None:
    train, valid = items(12, noise=2.0), items(300, noise=2.0)
    looks: list[float] = []

    def watch(_step: int, model: Scorer) -> None:
        with torch.no_grad():
            looks.append((valid[1] - model.answer(valid[0], "raft")).square().mean().sqrt().item())

    kept = fine_tune(made(16), train, valid, Recipe("raft", 0.1, 200), watch)
    last = fine_tune(made(16), train, valid, Recipe("raft", 0.1, 200, early=False))
    assert kept <= min(looks) + 1e-6
    assert last == pytest.approx(looks[-1])
    assert last > kept


def test_a_grid_of_one_value_is_refused() -> None:
    with pytest.raises(ProblemError, match="nothing to choose"):
        Scorer(3, (1.0,), 0, torch.Generator())
