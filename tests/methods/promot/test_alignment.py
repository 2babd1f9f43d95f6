"""The gradient-alignment diagnostic against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.common.training import token_loss
from methods.promot import tuning
from methods.promot.alignment import alignment, cosine, last_blocks
from methods.promot.sabotage import foreign
from methods.promot.tuning import Session
from methods.promot.world import PAD
from tests.methods.promot.worlds import context, small_world, untrained


def softmax_gradients(features: torch.Tensor, labels: torch.Tensor, vocabulary: int) -> torch.Tensor:
    """Mean gradient at zero weights of a softmax layer with the given features, shape (V, features)."""
    weights = torch.zeros(vocabulary, features.shape[1], dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(features @ weights.T, labels)
    return torch.autograd.grad(loss, weights)[0]


def test_the_closed_form_of_the_diagnostic() -> None:
    # Features (1, ±f), labels T = 0 and F = 1: the bias part g_F is what any answers share, the
    # feature part g_S is lost when answers are permuted to be independent of the inputs.
    vocabulary, f = 1000, 0.2
    labels = torch.tensor([0, 0, 1, 1])
    features = torch.tensor([[1.0, f], [1.0, f], [1.0, -f], [1.0, -f]], dtype=torch.float64)
    true = softmax_gradients(features, labels, vocabulary)
    permuted = softmax_gradients(features, labels[[0, 2, 1, 3]], vocabulary)
    common, own = 0.5 - 1 / vocabulary, f**2 / 2
    assert cosine(true, permuted) == pytest.approx(common**0.5 / (common + own) ** 0.5, abs=1e-9)
    assert cosine(true, permuted) == pytest.approx(0.9805, abs=1e-4)


def test_inputs_that_do_not_matter_give_aligned_gradients() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    features = torch.ones(4, 3, dtype=torch.float64)
    true, permuted = (
        softmax_gradients(features, labels[order], 50) for order in ([0, 1, 2, 3], [3, 1, 2, 0])
    )
    assert cosine(true, permuted) == pytest.approx(1.0, abs=1e-12)


def test_identical_answers_are_aligned_and_the_model_is_left_alone() -> None:
    made = Session.begin(small_world().problem(context()), context())
    examples = made.examples(["entailment"])[:12]
    before = [parameter.requires_grad for parameter in made.model.parameters()]
    found = alignment(made.model, examples, examples, loss=token_loss, pad=PAD)
    assert set(found) == {"mlp", "query", "key", "value"}
    assert list(found.values()) == pytest.approx([1.0] * 4)
    assert [parameter.requires_grad for parameter in made.model.parameters()] == before
    assert all(parameter.grad is None for parameter in made.model.parameters())


def test_permuted_answers_are_nearer_than_foreign_ones() -> None:
    made = Session.begin(small_world().problem(context()), context())
    examples = made.examples(["entailment"])[:30]
    rng = np.random.default_rng(0)
    near, far = (
        np.mean(list(alignment(made.model, examples, other, loss=token_loss, pad=PAD).values()))
        for other in (tuning.shuffled(examples, rng), foreign(examples, 46, rng))
    )
    assert near > 0.9
    assert far < near


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
def test_blocks_are_found_in_the_last_layer(architecture: str) -> None:
    model = untrained(architecture)  # type: ignore[arg-type]
    assert set(last_blocks(model)) == {"mlp", "query", "key", "value"}


def test_a_zero_gradient_has_no_direction() -> None:
    assert cosine(torch.zeros(3), torch.ones(3)) == 0.0
