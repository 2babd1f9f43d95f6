"""Top-k against golden values, a sort and the properties of the paper's card."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from harness.method import ProblemError
from methods.sparsity import topk
from methods.sparsity.topk import top_k

# Few different values, so that ties are the rule.
TIED = arrays("float32", st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.sampled_from(
    [0.0, 0.0, 0.5, 1.0, 1.5, 2.0]
))  # fmt: skip
SIGNED = arrays("float32", (3, 7), elements=st.floats(-4, 4, width=16))


def by_sort(a: Tensor, k: int) -> Tensor:
    """Keep the first k of a stable sort: the definition."""
    order = a.argsort(dim=-1, descending=True, stable=True)[..., :k]
    return torch.zeros_like(a).scatter(-1, order, a.gather(-1, order))


@pytest.mark.parametrize(
    ("a", "k", "wanted"),
    [
        ((0, 3, 1, 2), 2, (0, 3, 0, 2)),
        ((0, 0, 1, 0), 2, (0, 0, 1, 0)),
        ((1, 1, 1, 0), 2, (1, 1, 0, 0)),
        ((2, 3, 2, 2), 3, (2, 3, 2, 0)),
        ((0, 3, 1, 2), 4, (0, 3, 1, 2)),
        ((0, 3, 1, 2), 9, (0, 3, 1, 2)),
    ],
)
def test_golden(a: tuple[float, ...], k: int, wanted: tuple[float, ...]) -> None:
    assert top_k(torch.tensor(a, dtype=torch.float32), k).tolist() == list(wanted)


@given(values=TIED, k=st.integers(1, 10))
def test_equals_a_stable_sort_also_under_ties(values: object, k: int) -> None:
    a = torch.as_tensor(values)
    assert torch.equal(top_k(a, k), by_sort(a, k))
    assert int((top_k(a, k) != 0).sum(-1).max()) <= k


@given(values=SIGNED, k=st.integers(1, 8))
def test_the_rule_for_the_gpu_gives_the_same(values: object, k: int) -> None:
    a = torch.as_tensor(values)
    assume(k < a.shape[-1])
    threshold = a.topk(k, dim=-1).values[..., -1:]
    out = a * topk._kept_by_position(a, threshold, k)
    assert torch.equal(out, top_k(a, k))
    assert torch.equal(out, by_sort(a, k))


@given(values=SIGNED, k=st.integers(1, 8), c=st.sampled_from([0.25, 2.0, 8.0]))
def test_properties(values: object, k: int, c: float) -> None:
    a = torch.as_tensor(values)
    kept = top_k(a.relu(), k)
    assert torch.equal(top_k(a, k).relu(), kept)
    assert torch.equal(top_k(kept, k), kept)
    assert torch.equal(top_k(c * a, k), c * top_k(a, k))
    assert torch.equal((kept != 0).sum(-1), (a > 0).sum(-1).clamp(max=k))


@given(seed=st.integers(0, 1000), k=st.integers(1, 30))
def test_distinct_values_may_be_permuted(seed: int, k: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    a = (torch.randperm(30, generator=generator) - 10).float()
    order = torch.randperm(30, generator=generator)
    assert torch.equal(top_k(a[order], k), top_k(a, k)[order])


def test_the_gradient_passes_kept_entries_only() -> None:
    a = torch.tensor([[0.0, 3.0, 1.0, 2.0], [1.0, 1.0, 1.0, 0.5]], requires_grad=True)
    weight = torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    (slope,) = torch.autograd.grad((top_k(a, 2) * weight).sum(), a)
    assert slope.tolist() == [[0, 2, 0, 4], [5, 6, 0, 0]]


def test_half_precision_keeps_exactly_k_too() -> None:
    # Eight bits of mantissa: nearly every row has ties.
    a = torch.rand(50, 300, generator=torch.Generator().manual_seed(1)).bfloat16()
    assert torch.equal(top_k(a, 20), by_sort(a, 20))


def test_numbers_that_are_none_stay_visible() -> None:
    a = torch.tensor([[1.0, float("nan"), 2.0, 0.0]])
    assert bool(top_k(a, 1).isnan().any())


@pytest.mark.parametrize("k", [0, -3])
def test_nothing_kept_is_refused(k: int) -> None:
    with pytest.raises(ProblemError, match=f"k = {k}"):
        top_k(torch.ones(3), k)
