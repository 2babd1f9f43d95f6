"""The gathered second layer against the dense one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from harness.method import ProblemError
from methods.sparsity.sparse_layer import SparseSecondLayer
from methods.sparsity.topk import top_k


def layer(*, bias: bool, d_ff: int = 40, d_out: int = 7) -> nn.Linear:
    made = nn.Linear(d_ff, d_out, bias=bias)
    nn.init.normal_(made.weight, generator=torch.Generator().manual_seed(0))
    return made


def activations(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).relu()


def tolerance(made: nn.Linear, a: Tensor) -> float:
    """Rounding of a sum in any order: d_ff times the machine epsilon times the largest Σ|V||a|."""
    bound = (a.abs() @ made.weight.detach().abs().mT).max()
    return float(made.in_features * torch.finfo(a.dtype).eps * bound)


@given(seed=st.integers(0, 500), k=st.integers(1, 40), tokens=st.integers(1, 6), bias=st.booleans())
def test_only_active_rows_give_the_dense_product(seed: int, k: int, tokens: int, bias: bool) -> None:  # noqa: FBT001
    made = layer(bias=bias)
    a = top_k(activations(tokens, 40, seed=seed), k)
    sparse = SparseSecondLayer(made)
    dense = made(a).detach()
    assert (sparse(a) - dense).abs().max() <= tolerance(made, a)
    values, neurons = a.topk(k, dim=-1)
    assert (sparse.padded(values, neurons) - dense).abs().max() <= tolerance(made, a)


def test_tokens_without_active_neurons_give_the_bias() -> None:
    made = layer(bias=True)
    a = activations(5, 40)
    a[0] = a[3] = a[4] = 0.0
    out = SparseSecondLayer(made)(a)
    for token in (0, 3, 4):
        assert torch.equal(out[token], made.bias)
    torch.testing.assert_close(out, made(a).detach(), atol=tolerance(made, a), rtol=0.0)


def test_leading_axes_stay() -> None:
    made = layer(bias=False)
    a = activations(2, 3, 40)
    sparse = SparseSecondLayer(made)
    assert sparse(a).shape == (2, 3, 7)
    assert sparse.padded(*a.topk(4, dim=-1)).shape == (2, 3, 7)
    assert sparse(a[0, 0]).shape == (7,)


def test_inactive_neurons_are_not_read() -> None:
    made = layer(bias=False)
    with torch.no_grad():
        made.weight[:, 5] = float("nan")
    a = activations(3, 40)
    a[:, 5] = 0.0
    assert made(a).isnan().all()
    assert not SparseSecondLayer(made)(a).isnan().any()


def test_another_width_is_refused() -> None:
    with pytest.raises(ProblemError, match="width 39"):
        SparseSecondLayer(layer(bias=False))(torch.ones(2, 39))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_gpu_gives_the_same() -> None:
    made = layer(bias=True).cuda()
    a = top_k(activations(9, 40).cuda(), 6)
    sparse = SparseSecondLayer(made)
    dense = made(a).detach()
    assert int((a != 0).sum(-1).max()) <= 6
    assert (sparse(a) - dense).abs().max() <= tolerance(made, a)
    assert (sparse.padded(*a.topk(6, dim=-1)) - dense).abs().max() <= tolerance(made, a)
