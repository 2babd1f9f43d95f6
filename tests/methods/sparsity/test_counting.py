"""Counts against brute force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from harness.method import DivergedError, ProblemError
from methods.sparsity import ActivationCounter, Counts, ReluMlp, TopK, VisionTransformer, VitSize
from methods.sparsity.counting import LayerCounts, Tally

KEYS = torch.tensor([[1.0, -1.0, 0.0, 2.0], [0.0, 1.0, -1.0, -1.0]])
TOKENS = torch.tensor([[1.0, 2.0], [-1.0, 1.0], [0.0, 0.0], [2.0, -1.0]])


def golden_block() -> ReluMlp:
    block = ReluMlp(2, 4, bias=False, generator=torch.Generator())
    with torch.no_grad():
        block.up.weight.copy_(KEYS.mT)
    return block


def counted(model: nn.Module, *batches: Tensor) -> Counts:
    with ActivationCounter(model) as counter:
        for batch in batches:
            model(batch)
    return counter.take()


def vit(activation: TopK | None = None) -> VisionTransformer:
    return VisionTransformer(
        VitSize(d_model=8, d_ff=12, layers=2),
        generator=torch.Generator().manual_seed(0),
        activation=activation,
    )


def images(count: int, seed: int = 1) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def test_golden_counts() -> None:
    (layer,) = counted(golden_block(), TOKENS).layers
    assert layer.nnz_percent == 37.5
    assert layer.histogram.tolist() == [1, 1, 1, 1, 0]
    assert layer.firing.tolist() == [2, 2, 1, 1]
    assert (layer.tokens, layer.active, layer.dead) == (4, 6, 0.0)
    assert layer.rates.tolist() == [0.5, 0.5, 0.25, 0.25]


def test_uneven_batches_and_layers_equal_brute_force() -> None:
    model, seen = vit(), images(11)
    maps: list[list[Tensor]] = [[], []]
    for number, block in enumerate(model.blocks):
        block.get_submodule("mlp.down").register_forward_pre_hook(
            lambda _, args, number=number: maps[number].append(args[0])
        )
    counts = counted(model, seen[:4], seen[4:8], seen[8:])
    for layer, parts in zip(counts.layers, maps, strict=True):
        a = torch.cat([part.reshape(-1, 12) for part in parts])
        active = (a > 0).numpy()
        assert layer.tokens == 11 * 16
        np.testing.assert_array_equal(layer.firing, active.sum(0))
        np.testing.assert_array_equal(layer.histogram, np.bincount(active.sum(1), minlength=13))
        assert layer.percentile(95) == np.percentile(active.sum(1), 95, method="inverted_cdf")
        assert layer.nnz_percent == pytest.approx(100 * active.mean(), rel=1e-12)
    assert counts.nnz_percent == pytest.approx(np.mean([layer.nnz_percent for layer in counts.layers]))
    assert [layer.name for layer in counts.layers] == ["blocks.0.mlp", "blocks.1.mlp"]


def test_merged_counts_equal_those_of_all_data() -> None:
    model, seen = vit(), images(7)
    parts = counted(model, seen[:5]).merge(counted(model, seen[5:]))
    whole = counted(model, seen)
    for ours, wanted in zip(parts.layers, whole.layers, strict=True):
        np.testing.assert_array_equal(ours.firing, wanted.firing)
        np.testing.assert_array_equal(ours.histogram, wanted.histogram)


def test_padding_is_not_counted() -> None:
    a = torch.tensor([[[1.0, 0.0, 2.0], [1.0, 1.0, 1.0]], [[0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]])
    mask = torch.tensor([[True, False], [True, True]])
    tally = Tally("block", 3)
    tally(a, mask)
    layer = tally.take()
    assert layer.firing.tolist() == [1, 0, 2]
    assert layer.histogram.tolist() == [1, 1, 1, 0]
    assert layer.tokens == 3


@given(seed=st.integers(0, 200), k=st.integers(1, 12))
def test_top_k_never_leaves_more_than_k_and_fewer_with_a_smaller_k(seed: int, k: int) -> None:
    a = torch.randn(20, 12, generator=torch.Generator().manual_seed(seed)).relu()
    sums = []
    for keep in (k, k + 1):
        tally = Tally("block", 12)
        tally(TopK(keep)(a, training=True, stream=torch.Generator()))
        layer = tally.take()
        assert layer.histogram[keep + 1 :].sum() == 0
        sums.append(layer.active)
    assert all(few <= more for few, more in pairwise(sums))


def test_at_the_start_half_of_the_neurons_are_active() -> None:
    # The neurons are the independent units: 5 standard errors of 50/√d_ff points.
    block = ReluMlp(16, 4096, bias=True, generator=torch.Generator().manual_seed(3))
    x = torch.randn(5, 16, generator=torch.Generator().manual_seed(4)) + 1.0
    assert abs(counted(block, x).nnz_percent - 50.0) < 5 * 50.0 / 4096**0.5


def test_counting_changes_no_output_and_stops() -> None:
    model = vit(TopK(3))
    nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(5))
    plain = model(images(3))
    with ActivationCounter(model) as counter:
        assert torch.equal(model(images(3)), plain)
    tokens = counter.take().layers[0].tokens
    model(images(3))
    with counter:
        model(images(2))
    assert (tokens, counter.take().layers[0].tokens) == (48, 32)
    with pytest.raises(ProblemError, match="Nothing was counted"):
        counter.take()


def test_a_number_that_is_none_is_an_error_and_not_sparse() -> None:
    block = golden_block()
    with pytest.raises(DivergedError, match="not a number"):
        counted(block, TOKENS * torch.tensor([1.0, float("nan")]))


def test_padding_may_be_anything() -> None:
    tally = Tally("block", 2)
    tally(torch.tensor([[1.0, 2.0], [float("nan"), 0.0]]), torch.tensor([True, False]))
    assert tally.take().firing.tolist() == [1, 1]


def test_misuse_is_refused() -> None:
    with pytest.raises(ProblemError, match="no block"):
        ActivationCounter(nn.Linear(2, 2))
    block = golden_block()
    with ActivationCounter(block), pytest.raises(ProblemError, match="already"):
        ActivationCounter(block).__enter__()
    assert block.recorder is None
    with pytest.raises(ProblemError, match="mask"):
        Tally("block", 4)(torch.ones(2, 3, 4), torch.ones(3, 2, dtype=torch.bool))
    one = LayerCounts("a", np.zeros(2, np.int64), np.zeros(3, np.int64))
    other = LayerCounts("b", np.zeros(2, np.int64), np.zeros(3, np.int64))
    with pytest.raises(ProblemError, match="do not add"):
        one.merge(other)
    with pytest.raises(ProblemError, match="do not add"):
        Counts((one,)).merge(Counts((one, other)))
    with pytest.raises(ProblemError, match="No tokens"):
        one.percentile(95)
    assert np.isnan(one.nnz_percent)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_counts_on_the_gpu_equal_those_of_their_activations() -> None:
    model = vit(TopK(5)).cuda()
    seen: list[Tensor] = []
    for block in model.blocks:
        block.get_submodule("mlp.down").register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    for layer, a in zip(counted(model, images(9).cuda()).layers, seen, strict=True):
        np.testing.assert_array_equal(layer.firing, (a > 0).flatten(0, 1).sum(0).cpu().numpy())
        assert layer.histogram[6:].sum() == 0
