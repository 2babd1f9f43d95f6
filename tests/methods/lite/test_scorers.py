"""The card's golden values, what the definitions imply, and padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from harness.method import ProblemError
from methods.lite.scorers import (
    DotProduct,
    FlatLite,
    Knrm,
    MaxSim,
    Scorer,
    SeparableLite,
    parameters,
)
from methods.lite.tokens import fixed_length, similarities, unit_tokens

L1, L2, P = 4, 6, 8
SEEDS = st.integers(0, 2**31 - 1)
S = torch.tensor([[1.0, 3.0], [2.0, 0.0]])


def ones(*shape: int) -> Tensor:
    return torch.ones(*shape)


def some_scorers() -> dict[str, Scorer]:
    torch.manual_seed(0)
    return {
        "mean": DotProduct("mean"),
        "cosine": DotProduct("mean", cosine=True, scale=True),
        "maxsim": MaxSim(scale=True),
        "top-2": MaxSim(2),
        "top-2-mean": MaxSim(2, reduce="mean"),
        "knrm": Knrm(),
        "lite": SeparableLite(L1, L2, 8, 12),
        "flat": FlatLite(L1, L2, 16),
    }


SCORERS = some_scorers()
SYMMETRIC = ("mean", "cosine", "maxsim", "top-2", "top-2-mean", "knrm")


def texts(seed: int, pairs: int = 3, *, q_length: int = L1, d_length: int = L2) -> tuple[Tensor, ...]:
    """Unit token matrices with ``q_length`` and ``d_length`` tokens, padded to L1 and L2."""
    rng = torch.Generator().manual_seed(seed)
    q_mask = (torch.arange(L1) < q_length).float().expand(pairs, -1)
    d_mask = (torch.arange(L2) < d_length).float().expand(pairs, -1)
    q = unit_tokens(torch.randn(pairs, L1, P, generator=rng), q_mask)
    return q, unit_tokens(torch.randn(pairs, L2, P, generator=rng), d_mask), q_mask, d_mask


def identity_lite() -> SeparableLite:
    """Separable LITE whose four matrices are identities, with bare LayerNorms."""
    scorer = SeparableLite(2, 2, 2, 2, affine=False)
    for mlp in (scorer.rows, scorer.columns):
        for layer in mlp:
            if isinstance(layer, nn.Linear):
                nn.init.eye_(layer.weight)
                nn.init.zeros_(layer.bias)
    return scorer


def test_golden_values_of_two_by_two_similarities() -> None:
    assert MaxSim().score(S, ones(2), ones(2)) == 5
    assert DotProduct("mean").score(S, ones(2), ones(2)) == 1.5
    assert MaxSim(2).score(S, ones(2), ones(2)) == 6


def test_separable_lite_of_identities_is_known_and_blind_to_scale() -> None:
    scorer = identity_lite()
    expected = torch.tensor([[-1.0, 1.0], [1.0, -1.0]])
    assert torch.allclose(scorer.mixed(S), expected, atol=1e-4)
    louder = torch.tensor([[10.0, 30.0], [2.0, 0.0]])
    assert torch.allclose(scorer.mixed(louder), expected, atol=1e-4)
    with torch.no_grad():
        scorer.read.weight.copy_(torch.tensor([[1.0, 20.0, 300.0, 4000.0]]))
        scorer.read.bias.zero_()
    assert scorer.score(S, ones(2), ones(2)).item() == pytest.approx(-1 + 20 + 300 - 4000, abs=0.5)


def test_number_of_parameters_at_the_papers_size() -> None:
    assert parameters(SeparableLite(30, 200, 360, 2400)) == 996_571
    assert parameters(SeparableLite(30, 50, 360, 600)) == 86_221


def test_knrm_of_one_exact_match() -> None:
    scorer = Knrm()
    scorer.widths = torch.full((11,), 0.1)
    assert scorer.feature(torch.tensor([[1.0, 0.0]]), ones(1), ones(2), 0).item() == pytest.approx(
        0, abs=1e-6
    )


def test_knrm_agrees_with_loops_over_its_formula() -> None:
    q, d, q_mask, d_mask = texts(3, 1, q_length=3, d_length=4)
    scorer = SCORERS["knrm"]
    assert isinstance(scorer, Knrm)
    s = similarities(q, d.unsqueeze(1))[0, 0].double()
    total = scorer.read.bias.item()
    for k, (mu, sigma) in enumerate(zip(scorer.means.tolist(), scorer.widths.tolist(), strict=True)):
        phi = 0.0
        for i in range(3):
            count = sum(float(torch.exp(-((s[i, j] - mu) ** 2) / (2 * sigma**2))) for j in range(4))
            phi += float(torch.log(torch.tensor(max(count, 1e-10), dtype=torch.float64)))
        total += scorer.read.weight[0, k].item() * scorer.damping * phi
    assert scorer(q, d, q_mask, d_mask).item() == pytest.approx(total, rel=1e-4)


@given(seed=SEEDS)
@settings(max_examples=25)
def test_permuting_document_tokens_changes_lite_only(seed: int) -> None:
    q, d, q_mask, d_mask = texts(seed)
    turned = d[:, torch.tensor([1, 2, 3, 4, 5, 0])]
    for name in SYMMETRIC:
        before, after = SCORERS[name](q, d, q_mask, d_mask), SCORERS[name](q, turned, q_mask, d_mask)
        assert torch.allclose(before, after, rtol=1e-5, atol=1e-5), name
    for name in ("lite", "flat"):
        before, after = SCORERS[name](q, d, q_mask, d_mask), SCORERS[name](q, turned, q_mask, d_mask)
        assert not torch.allclose(before, after, rtol=1e-4, atol=1e-4), name


@given(seed=SEEDS, i=st.integers(0, L1 - 1), j=st.integers(0, L2 - 1), more=st.floats(0, 2))
@settings(max_examples=40)
def test_maxsim_never_falls_when_a_similarity_rises(seed: int, i: int, j: int, more: float) -> None:
    s = 2 * torch.rand(L1, L2, generator=torch.Generator().manual_seed(seed)) - 1
    higher = s.clone()
    higher[i, j] += more
    for k in (1, 2, 4):
        assert MaxSim(k).score(higher, ones(L1), ones(L2)) >= MaxSim(k).score(s, ones(L1), ones(L2)) - 1e-6


@given(seed=SEEDS, length=st.integers(1, L2 - 1))
@settings(max_examples=25)
def test_maxsim_gains_from_every_appended_token_and_adds_up_over_query_tokens(seed: int, length: int) -> None:
    q, d, q_mask, d_mask = texts(seed, d_length=L2)
    shorter = (torch.arange(L2) < length).float().expand(3, -1)
    scorer = MaxSim()
    assert (scorer(q, d, q_mask, d_mask) >= scorer(q, d, q_mask, shorter) - 1e-6).all()
    repeated = torch.cat([d[:, :length], d[:, :1].expand(-1, L2 - length, -1)], 1)
    assert torch.allclose(scorer(q, repeated, q_mask, d_mask), scorer(q, d, q_mask, shorter), atol=1e-6)
    parts = sum(scorer(q, d, torch.eye(L1)[i].expand(3, -1), d_mask) for i in range(L1))
    assert torch.allclose(scorer(q, d, q_mask, d_mask), torch.as_tensor(parts), atol=1e-5)


@given(seed=SEEDS)
@settings(max_examples=10)
def test_lite_without_nonlinearities_contains_the_dual_encoder(seed: int) -> None:
    scorer = SeparableLite(L1, L2, L1, L2, hidden_norm=False, out_norm=False, activation=False)
    with torch.no_grad():
        for mlp in (scorer.rows, scorer.columns):
            for layer in mlp:
                nn.init.eye_(layer.weight)  # type: ignore[arg-type]
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        scorer.read.weight.fill_(1 / (L1 * L2))
        scorer.read.bias.zero_()
    given_texts = texts(seed)
    assert torch.allclose(scorer(*given_texts), DotProduct("mean")(*given_texts), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in SCORERS if name != "cosine"])
def test_dot_product_and_others_agree_from_similarities_and_from_tokens(name: str) -> None:
    q, d, q_mask, d_mask = texts(5, 6, q_length=3, d_length=5)
    s = torch.einsum("bip,bjp->bij", q, d)
    expected = SCORERS[name].score(s, q_mask, d_mask)
    assert torch.allclose(SCORERS[name](q, d, q_mask, d_mask), expected, atol=1e-5)
    together = SCORERS[name].candidates(q[:2], d.reshape(2, 3, L2, P), q_mask[:2], d_mask.reshape(2, 3, L2))
    pairs = SCORERS[name](q[[0, 0, 0, 1, 1, 1]], d, q_mask, d_mask)
    assert torch.allclose(together.flatten(), pairs, atol=1e-5)


@pytest.mark.parametrize("name", SCORERS)
def test_what_lies_under_padding_never_matters(name: str) -> None:
    q, d, q_mask, d_mask = texts(7, q_length=2, d_length=3)
    noisy_q, noisy_d = q.clone(), d.clone()
    noisy_q[:, 2:], noisy_d[:, 3:] = 9.0, -7.0
    before = SCORERS[name](q, d, q_mask, d_mask)
    assert torch.allclose(SCORERS[name](noisy_q, noisy_d, q_mask, d_mask), before, atol=1e-6)


@pytest.mark.parametrize("name", SCORERS)
def test_shapes_and_gradients(name: str) -> None:
    q, d, q_mask, d_mask = texts(11, 5, d_length=4)
    tokens = d.clone().requires_grad_()
    scores = SCORERS[name](q, tokens, q_mask, d_mask)
    assert scores.shape == (5,)
    SCORERS[name].zero_grad()
    (scores * torch.arange(1.0, 6.0)).sum().backward()
    assert tokens.grad is not None
    assert tokens.grad.abs().sum() > 0
    for parameter in SCORERS[name].parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()
        assert parameter.ndim < 2 or parameter.grad.abs().sum() > 0


def test_gradient_of_lite_agrees_with_differences() -> None:
    torch.manual_seed(1)
    scorer = SeparableLite(2, 3, 4, 6).double()
    s = torch.randn(2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: scorer.score(x, ones(2), ones(3)), (s,))


def test_negative_similarities_do_not_lose_to_padding() -> None:
    s = torch.full((1, 1, 4), -0.5)
    assert MaxSim().score(s, ones(1), torch.tensor([1.0, 1.0, 0.0, 0.0])).item() == -0.5
    assert MaxSim(3).score(s, ones(1), torch.tensor([1.0, 1.0, 0.0, 0.0])).item() == -1.0


@pytest.mark.parametrize("name", SCORERS)
def test_empty_texts_have_finite_scores_and_gradients(name: str) -> None:
    q, d, _, _ = texts(2)
    scorer = SCORERS[name]
    scorer.zero_grad()
    score = scorer(q, torch.zeros_like(d), torch.zeros(3, L1), torch.zeros(3, L2)).sum()
    assert torch.isfinite(score)
    score = scorer(q, torch.zeros_like(d), ones(3, L1), torch.zeros(3, L2)).sum()
    assert torch.isfinite(score)
    if score.requires_grad:
        score.backward()
        assert all(torch.isfinite(p.grad).all() for p in scorer.parameters() if p.grad is not None)


def test_top_k_is_the_mean_of_all_for_many_k() -> None:
    q, d, q_mask, d_mask = texts(4)
    s = torch.einsum("bip,bjp->bij", q, d)
    scores = MaxSim(99, reduce="mean")(q, d, q_mask, d_mask)
    assert torch.allclose(scores, s.mean(-1).sum(-1), atol=1e-5)


def test_a_scale_lets_maxsim_reach_margins_beyond_its_range() -> None:
    scorer = MaxSim(scale=True)
    assert scorer.affine.log_scale is not None
    with torch.no_grad():
        scorer.affine.log_scale.fill_(0.3)
    q, d, q_mask, d_mask = texts(4)
    assert torch.allclose(
        scorer(q, d, q_mask, d_mask), torch.exp(torch.tensor(3.0)) * MaxSim()(q, d, q_mask, d_mask), rtol=1e-5
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SCORERS["lite"].score(torch.zeros(L1, L2 + 1), ones(L1), ones(L2 + 1)),
        lambda: SCORERS["flat"].score(torch.zeros(L1 - 1, L2), ones(L1 - 1), ones(L2)),
        lambda: SCORERS["cosine"].score(S, ones(2), ones(2)),
        lambda: MaxSim(0),
    ],
)
def test_wrong_sizes_say_what_to_do(wrong: Any) -> None:
    with pytest.raises(ProblemError) as caught:
        wrong()
    assert caught.value.fix


def test_texts_are_cut_and_padded_to_fixed_lengths() -> None:
    tokens, mask, cut = fixed_length([torch.ones(3, 2), torch.ones(0, 2), torch.ones(9, 2)], 5)
    assert tokens.shape == (3, 5, 2)
    assert mask.sum(1).tolist() == [3, 0, 5]
    assert cut == 1
    assert (tokens.sum(-1) == 2 * mask).all()
    with pytest.raises(ProblemError, match="dimension"):
        fixed_length([torch.ones(1, 2), torch.ones(1, 3)], 5)
    with pytest.raises(ProblemError, match="finite"):
        fixed_length([torch.full((1, 2), torch.nan)], 5)
    assert fixed_length([], 5, width=4)[0].shape == (0, 5, 4)


def test_padding_is_zero_after_normalisation_and_so_is_an_all_zero_token() -> None:
    unit = unit_tokens(torch.tensor([[3.0, 4.0], [0.0, 0.0], [5.0, 0.0]]), torch.tensor([1.0, 1.0, 0.0]))
    assert unit.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0], [0, 0]]
