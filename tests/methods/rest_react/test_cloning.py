"""Training until it has settled: the rule, its schedule, and the optimizer."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.rest_react.cloning import Cloning, Settling, tokenised, train_network
from methods.rest_react.compact import Compact
from methods.rest_react.generations import lexicon_of
from methods.rest_react.muon import Muon, orthogonal
from methods.rest_react.toy_transformer import Read, Shape, ToyTransformer
from tests.methods.rest_react.test_policy import demonstrated

RULE = Cloning(steps=100, warmup=2, window=5, least=0.1, cooling=0.5)


def trained(losses: list[float], rule: Cloning = RULE) -> tuple[Settling, list[float]]:
    """The rates of a training with these losses, as the loop asks for them."""
    settling = Settling(rule)
    rates: list[float] = []
    for loss in losses[: rule.steps]:
        if settling.over():
            break
        rates.append(settling.factor(len(rates)))
        settling.heard(torch.tensor(loss))
    return settling, rates


def test_training_settles_when_a_window_hardly_falls() -> None:
    # Windows of five: 3, 2, 1, .95: the fourth falls by .05.
    losses = [3.0] * 5 + [2.0] * 5 + [1.0] * 5 + [0.95] * 5 + [0.5] * 50
    settling, rates = trained(losses)
    assert settling.fall == pytest.approx(0.05)
    assert len(rates) == 30
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert set(rates[2:20]) == {1.0}
    assert rates[20:] == pytest.approx([1 - place / 11 for place in range(1, 11)])


def test_what_falls_on_uses_its_updates_up_and_says_so() -> None:
    settling, rates = trained([float(200 - number) for number in range(200)])
    # Of a hundred: 66 at full rate, and half as many again.
    assert len(rates) == 99
    assert set(rates[2 : RULE.full]) == {1.0}
    assert settling.fall == pytest.approx(5.0)
    assert all(later < before for before, later in pairwise(rates[RULE.full :]))
    assert 0 < rates[-1] < 0.1


def test_short_training_ends_with_a_falling_rate_and_no_verdict_on_its_fall() -> None:
    settling, rates = trained([1.0] * 8, Cloning(steps=8))
    assert len(rates) == 8
    assert math.isnan(settling.fall)
    assert rates[-1] < max(rates) == 1.0


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0, 5, width=32), min_size=150, max_size=150), st.integers(1, 120), st.integers(1, 20)
)
def test_the_rate_rises_stays_and_falls_whatever_the_losses(
    losses: list[float], steps: int, window: int
) -> None:
    rule = Cloning(steps=steps, warmup=5, window=window, least=0.1, cooling=0.3)
    settling, rates = trained(losses, rule)
    assert settling.over()
    assert 1 <= len(rates) <= steps
    assert all(0 < rate <= 1 for rate in rates)
    turns = np.sign(np.diff(rates))
    assert list(turns) == sorted(turns, reverse=True)


def test_a_killed_training_goes_on_with_the_same_rates() -> None:
    losses = [3.0] * 5 + [2.0] * 5 + [1.95] * 20
    whole, rates = trained(losses)
    before, _ = trained(losses[:12])
    after = Settling(RULE)
    after.load_state_dict(before.state_dict())
    for number in range(12, len(rates)):
        assert after.factor(number) == rates[number]
        after.heard(torch.tensor(losses[number]))
    assert after.over()
    assert after.fall == whole.fall


def test_an_agent_tells_how_its_training_went() -> None:
    world, examples = demonstrated(10)
    rows = tokenised(examples, Compact(lexicon_of(world)))
    rngs = torch.Generator().manual_seed(1), np.random.default_rng(1)
    # A threshold that no loss falls by: two windows are enough.
    rule = Cloning(steps=60, batch=8, window=10, least=100.0, cooling=0.5)
    _, fit = train_network(rows, 16, rule, generator=rngs[0], order=rngs[1])
    assert fit.updates == 30
    assert 0 < fit.fall < 100
    assert fit.loss < 10


@pytest.mark.parametrize("shape", [(8, 8), (4, 12), (16, 64)])
def test_singular_values_become_about_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    found = orthogonal(matrix)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3
    assert values.max() < 1.3
    # The singular vectors stay: in their axes what was found is a diagonal.
    inner = left.mT @ found @ right.mT
    off = inner - torch.diag_embed(torch.diagonal(inner, dim1=1, dim2=2))
    assert off.abs().max() < 1e-4


def test_matrices_move_as_under_torch_s_own_and_the_rest_as_under_adamw() -> None:
    start = [torch.randn(*s, generator=torch.Generator().manual_seed(n)) for n, s in enumerate(SHAPES)]
    ours, theirs = ([torch.nn.Parameter(one.clone()) for one in start] for _ in range(2))
    optimizer = Muon(ours[:4], ours[4:], rate=0.02, decay=0.1)
    peers = [
        torch.optim.Muon(theirs[:4], lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(theirs[4:], lr=0.02, betas=(0.9, 0.98), weight_decay=0.1),
    ]
    for step in range(4):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            generator = torch.Generator().manual_seed(100 * step + number)
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        optimizer.step()
        for peer in peers:
            peer.step()
    for one, other, first in zip(ours[:4], theirs[:4], start[:4], strict=True):
        # Theirs computes in bfloat16, of eight bits.
        assert (one - other).norm() < 0.03 * (other - first).norm()
    for one, other in zip(ours[4:], theirs[4:], strict=True):
        torch.testing.assert_close(one, other)


SHAPES = [(12, 4), (4, 4), (4, 12), (12, 4), (7, 4), (5,)]
"""Matrices lying, square and standing; then an embedding and a bias."""


def test_all_parameters_of_a_network_are_trained_once() -> None:
    network = ToyTransformer(Shape(20, 8), torch.Generator().manual_seed(0))
    ids = [id(one) for one in (*network.matrices, *network.others)]
    assert sorted(ids) == sorted(map(id, network.parameters()))
    assert network.tokens in set(network.others)
    assert len(network.matrices) == 8


def test_reading_some_places_gives_what_reading_all_gives_there() -> None:
    network = ToyTransformer(Shape(20, 8, pivots=(3, 4)), torch.Generator().manual_seed(0)).eval()
    ids = torch.randint(5, 20, (4, 9), generator=torch.Generator().manual_seed(1))
    ids[:, 4] = 3
    everywhere = torch.arange(36)
    # One row has none, another one all.
    some = torch.tensor([0, 8, 10, *range(27, 36)])
    block = network.blocks[-1]
    x = torch.randn(4, 9, 8, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(block(x, Read.at(some, 4, 9)), block(x).reshape(36, 8)[some])
    torch.testing.assert_close(network(ids, some), network(ids, everywhere)[some])
