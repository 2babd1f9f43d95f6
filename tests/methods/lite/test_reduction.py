"""Fewer document vectors: blocks, centres, padding, bytes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from harness.method import ProblemError
from methods.lite.reduction import LinearMap, block_mean, bytes_per_document, cluster, truncate


def test_block_means_leave_padding_out() -> None:
    d = torch.arange(8.0).reshape(1, 8, 1)
    mask = torch.tensor([[1.0, 1, 1, 1, 1, 0, 0, 0]])
    means, kept = block_mean(d * mask.unsqueeze(-1), mask, 4)
    assert means.flatten().tolist() == [0.5, 2.5, 4, 0]
    assert kept.tolist() == [[1, 1, 1, 0]]


def test_truncation_keeps_the_first() -> None:
    d, mask = torch.arange(6.0).reshape(1, 3, 2), torch.tensor([[1.0, 1, 0]])
    short, kept = truncate(d, mask, 2)
    assert short.tolist() == [[[0, 1], [2, 3]]]
    assert kept.tolist() == [[1, 1]]


def test_the_learnt_map_starts_as_block_means_and_learns() -> None:
    d, mask = torch.randn(3, 8, 5), torch.ones(3, 8)
    layer = LinearMap(8, 2)
    mixed, kept = layer(d, mask)
    assert torch.allclose(mixed, block_mean(d, mask, 2)[0], atol=1e-6)
    mixed.square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().sum() > 0
    assert kept.shape == (3, 2)
    assert layer(d, torch.zeros(3, 8))[1].sum() == 0


def test_clusters_are_those_of_another_program() -> None:
    rng = np.random.default_rng(0)
    d = torch.tensor(rng.normal(size=(3, 12, 4)), dtype=torch.float64)
    centres, kept = cluster(d, torch.ones(3, 12), 4, rounds=50)
    assert kept.all()
    for tokens, found in zip(d.numpy(), centres.numpy(), strict=True):
        start = tokens[np.arange(4) * 12 // 4]
        other = KMeans(4, init=start, n_init=1, max_iter=50, tol=0, algorithm="lloyd").fit(tokens)
        assert np.allclose(found, other.cluster_centers_, atol=1e-9)


def test_short_documents_keep_their_tokens_in_clusters() -> None:
    d = torch.zeros(2, 6, 3)
    d[0, :2] = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    mask = torch.zeros(2, 6)
    mask[0, :2] = 1
    centres, kept = cluster(d, mask, 4)
    assert kept.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0]]
    assert torch.equal(centres[0, :2], d[0, :2])
    assert centres[1].abs().sum() == 0


def test_bytes_of_the_paper() -> None:
    assert bytes_per_document(200, 768) == 307_200
    assert bytes_per_document(50, 768) == 76_800


@pytest.mark.parametrize("k", [0, 9])
def test_impossible_numbers_of_vectors_are_refused(k: int) -> None:
    d, mask = torch.zeros(1, 8, 2), torch.ones(1, 8)
    for reduce in (truncate, block_mean, cluster):
        with pytest.raises(ProblemError):
            reduce(d, mask, k)
    with pytest.raises(ProblemError, match="blocks"):
        block_mean(d, mask, 3)
