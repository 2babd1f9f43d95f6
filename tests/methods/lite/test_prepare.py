"""Token ids and token vectors of texts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from methods.common.minilm import MINILM, Encoder
from methods.lite.docstrings import DocstringPassages
from methods.lite.prepare import TokenVectors, encode, leading_directions, token_ids
from tests.methods.context import FakeContext
from tests.methods.lite.worlds import tiny_encoder, tiny_set

L = 6


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


def test_texts_have_exactly_the_fixed_length_and_cuts_are_counted(encoder: Encoder) -> None:
    ids = token_ids(encoder, ["red hat", "red green blue hat cat dog house tree runs", ""], L)
    assert ids.data.shape == ids.mask.shape == (3, L)
    assert ids.cut == 1
    assert ids.mask[1].sum() == L
    lengths = ids.mask.sum(1).long()
    assert all(bool((row[:n] == 1).all()) for row, n in zip(ids.mask, lengths, strict=True))


def test_vectors_are_unit_zero_at_padding_and_do_not_depend_on_the_batch(encoder: Encoder) -> None:
    ids = token_ids(encoder, ["red hat", "old cat sleeps", "tree", "new house runs red"], L)
    vectors = encode(encoder, ids, batch=2)
    assert torch.allclose(vectors.norm(dim=-1), ids.mask, atol=1e-5)
    hidden = encoder.model(input_ids=ids.data, attention_mask=ids.mask.long()).last_hidden_state
    expected = torch.nn.functional.normalize(hidden, dim=-1) * ids.mask.unsqueeze(-1)
    assert torch.allclose(vectors, expected, atol=1e-5)


def test_leading_directions_are_orthonormal_and_keep_most(encoder: Encoder) -> None:
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randn(50, 4, 8, generator=rng) * torch.tensor([9.0, 7, 5, 1, 1, 1, 1, 1])
    basis = leading_directions(tokens, torch.ones(50, 4), 3)
    assert torch.allclose(basis.T @ basis, torch.eye(3), atol=1e-5)
    assert basis[:3].square().sum() > 2.8
    assert basis[0, 0].abs() > 0.9


def test_the_artifact_holds_all_texts_in_order(encoder: Encoder, tmp_path: Path) -> None:
    data = tiny_set()
    ctx = FakeContext(objects={"DocstringPassages": data, "all-minilm-l6-v2": encoder})
    artifact = TokenVectors(data=DocstringPassages(), encoder=MINILM, l1=5, l2=8, dim=16)
    artifact.build(tmp_path, ctx)
    stored = artifact.load(tmp_path)
    assert stored.queries.data.shape == (39, 5, 16)
    assert stored.passages.data.shape == (40, 8, 16)
    # All dimensions are kept here, so products of tokens must be what they were.
    ids = token_ids(encoder, [passage.text for passage in data.passages], 8)
    before = encode(encoder, ids)
    products = before @ before.transpose(1, 2)
    after = stored.passages.data @ stored.passages.data.transpose(1, 2)
    assert torch.allclose(products, after, atol=5e-3)
    assert stored.passages.cut == ids.cut
