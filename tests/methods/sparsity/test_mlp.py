"""The MLP block and what may stand between its layers."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.sparsity.activation import (
    Activation,
    HiddenDropout,
    L1Penalty,
    RandomK,
    Relu,
    TopK,
    TopKAtInference,
)
from methods.sparsity.counting import ActivationCounter
from methods.sparsity.mlp import ReluMlp, Streams, taken_penalty
from methods.sparsity.sabotage import Gelu, LeakyRelu

ALL = (
    Relu(),
    TopK(3),
    TopKAtInference(3),
    RandomK(3),
    HiddenDropout(0.25),
    L1Penalty(0.1),
    LeakyRelu(),
    Gelu(),
)


def block(activation: Activation | None = None, *, d_ff: int = 16) -> ReluMlp:
    made = ReluMlp(6, d_ff, bias=True, generator=torch.Generator().manual_seed(1), activation=activation)
    torch.nn.init.normal_(made.up.bias, generator=torch.Generator().manual_seed(2))
    return made


def tokens(count: int = 50) -> Tensor:
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(3))


def nnz(made: ReluMlp) -> Tensor:
    with ActivationCounter(made) as counter:
        made(tokens())
    return torch.as_tensor(counter.take().layers[0].histogram)


def test_the_block_is_the_papers_formula() -> None:
    made = block()
    K, V, x = made.up.weight.mT, made.down.weight, tokens(1)[0]
    p = [K[:, i] @ x + made.up.bias[i] for i in range(16)]
    wanted = made.down.bias + sum(p[i].clamp(min=0) * V[:, i] for i in range(16))
    torch.testing.assert_close(made(x), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ALL, ids=lambda made: type(made).__name__)
def test_all_activations_start_from_the_same_weights(activation: Activation) -> None:
    for ours, dense in zip(block(activation).parameters(), block().parameters(), strict=True):
        assert torch.equal(ours, dense)


@pytest.mark.parametrize("activation", ALL, ids=lambda made: type(made).__name__)
def test_a_block_can_be_copied_and_gives_the_same(activation: Activation) -> None:
    made = block(activation).train()
    made(tokens())
    taken_penalty(made)
    again = copy.deepcopy(made)
    assert pickle.loads(pickle.dumps(activation)) == activation  # noqa: S301 - made here
    assert torch.equal(made(tokens()), again(tokens()))


@pytest.mark.parametrize("keep", [16, 17, 1000])
def test_keeping_all_is_the_dense_block(keep: int) -> None:
    x = tokens()
    assert torch.equal(block(TopK(keep))(x), block()(x))
    assert torch.equal(block(RandomK(keep))(x), block()(x))


def test_top_k_at_inference_trains_the_dense_block() -> None:
    late, dense, top = block(TopKAtInference(3)), block(), block(TopK(3))
    x = tokens()
    assert torch.equal(late.train()(x), dense(x))
    assert torch.equal(late.eval()(x), top(x))
    assert not torch.equal(top(x), dense(x))


def test_random_k_ignores_size() -> None:
    histogram = nnz(block(RandomK(3)))
    assert histogram[4:].sum() == 0
    # About half of the masked entries are zero already; Top-k would find three in nearly all rows.
    assert histogram[3] < 40
    assert nnz(block(TopK(3)))[3] > 40
    made = block(RandomK(3))
    assert not torch.equal(made(tokens()), made(tokens()))


def test_dropout_keeps_the_mean_and_ends_with_training() -> None:
    made, a = HiddenDropout(0.25), torch.ones(400, 500)
    stream = torch.Generator().manual_seed(0)
    dropped = made(a, training=True, stream=stream)
    assert sorted(set(dropped.flatten().tolist())) == [0.0, 4.0]
    assert float(dropped.mean()) == pytest.approx(1.0, abs=5 * 3**0.5 / 200_000**0.5)
    assert torch.equal(made(a, training=False, stream=stream), a)
    assert torch.equal(HiddenDropout(1.0)(a, training=True, stream=stream), a)


def test_the_penalty_is_the_mean_of_the_norms_and_is_taken_once() -> None:
    made, x = block(L1Penalty(0.5)).train(), tokens()
    made(x)
    wanted = 0.5 * torch.relu(x @ made.up.weight.mT + made.up.bias).norm(p=1, dim=-1).mean()
    penalty = taken_penalty(made)
    assert penalty is not None
    torch.testing.assert_close(penalty, wanted)
    assert penalty.requires_grad
    assert taken_penalty(made) is None
    made.eval()(x)
    assert taken_penalty(made) is None
    block().train()(x)
    assert taken_penalty(block()) is None


@pytest.mark.parametrize("activation", [Gelu(), LeakyRelu()])
def test_without_exact_zeros_everything_counts(activation: Activation) -> None:
    assert nnz(block(activation))[16] == 50


@pytest.mark.parametrize("make", [TopK, TopKAtInference, RandomK])
@pytest.mark.parametrize("keep", [0, -1])
def test_nothing_kept_is_refused(make: type[TopK], keep: int) -> None:
    with pytest.raises(ProblemError, match="k = "):
        make(keep)


def test_impossible_baselines_are_refused() -> None:
    with pytest.raises(ProblemError, match="share of 0"):
        HiddenDropout(0.0)
    with pytest.raises(ProblemError, match="nan"):
        L1Penalty(float("nan"))


def test_random_activations_go_on_where_they_were_after_a_kill() -> None:
    block = ReluMlp(4, 8, bias=True, generator=torch.Generator().manual_seed(0), activation=RandomK(2))
    block.train()
    block(torch.ones(3, 4))
    kept = Streams(nn.ModuleList([block])).state_dict()
    following = block(torch.ones(3, 4))
    same = torch.Generator().manual_seed(0)
    again = ReluMlp(4, 8, bias=True, generator=same, activation=RandomK(2)).train()
    Streams(nn.ModuleList([again])).load_state_dict(kept)
    assert torch.equal(again(torch.ones(3, 4)), following)
    assert not torch.equal(again(torch.ones(3, 4)), following)
