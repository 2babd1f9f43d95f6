"""Exact enumeration: valid rules follow the target's law, planted bugs do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from methods.spectr import sabotage_rules as sabotage
from methods.spectr.kseq import acceptance, division_factor, trial_acceptance
from methods.spectr.law import plain_law, sequence_law, token_law, transform
from methods.spectr.otm import full_program, optimal_acceptance, optimal_flow
from methods.spectr.selection import (
    FirstOnly,
    KSeq,
    OptimalTransport,
    Recursive,
    Rule,
    TargetFirst,
    draw,
    plan_law,
    sample,
)

VALID: list[Rule] = [KSeq(), KSeq(slack=0.4), KSeq(slack=1.0), FirstOnly(), Recursive(), TargetFirst()]
BUGS: list[Rule] = [
    sabotage.Undivided(),
    sabotage.Deduplicated(),
    sabotage.StaleCount(),
    sabotage.PlainResidual(),
]


def named(rule: object) -> str:
    return repr(rule)


def laws(seed: int, vocabulary: int, sharpness: float = 0.6) -> tuple[Tensor, Tensor]:
    p, q = np.random.default_rng(seed).dirichlet(np.full(vocabulary, sharpness), size=2)
    return torch.from_numpy(p), torch.from_numpy(q)


def chains(seed: int, vocabulary: int = 3) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    target = rng.dirichlet(np.ones(vocabulary), size=vocabulary)
    noisy = np.exp(np.log(target) + 0.8 * rng.normal(size=target.shape))
    return torch.from_numpy(noisy / noisy.sum(1, keepdims=True)), torch.from_numpy(target)


def efficiency(rule: Rule, draft: Tensor, target: Tensor, k: int) -> float:
    return sequence_law(rule, draft, target, 1, count=k, length=2).block_efficiency


@pytest.mark.parametrize("rule", VALID, ids=named)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_valid_rules_emit_the_target_law(rule: Rule, k: int) -> None:
    for seed in range(6):
        p, q = laws(seed, 2 + seed % 4)
        found, member = token_law(rule, p, q, k)
        assert float((found - q).abs().max()) < 1e-13
        assert member <= float(optimal_acceptance(p[None], q[None], k)) + 1e-12


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(2, 5), st.floats(0.2, 3.0), st.integers(1, 4), st.floats(0, 1))
def test_kseq_law_is_exact_over_the_valid_range(
    seed: int, v: int, sharp: float, k: int, slack: float
) -> None:
    p, q = laws(seed, v, sharp)
    found, member = token_law(KSeq(slack=slack), p, q, k)
    assert float((found - q).abs().max()) < 1e-12
    if slack == 0:
        rho = division_factor(p[None], q[None], torch.tensor([k]))
        p_acc = acceptance(trial_acceptance(p[None], q[None], rho), torch.tensor([k]))
        assert member == pytest.approx(float(p_acc), abs=1e-12)


@pytest.mark.parametrize(("k", "member"), [(1, 0.7), (2, 0.76), (3, 0.808), (4, 0.8464)])
def test_recursive_rejection_membership_of_table_a(k: int, member: float) -> None:
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.2, 0.3, 0.5]).double()
    assert token_law(Recursive(), p, q, k)[1] == pytest.approx(member, abs=1e-7)


def test_membership_at_rho_k_counts_residual_hits() -> None:
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.2, 0.3, 0.5]).double()
    assert token_law(KSeq(slack=1.0), p, q, 2)[1] == pytest.approx(0.770950, abs=1e-6)


@pytest.mark.parametrize(("v", "k"), [(2, 2), (3, 2), (4, 2), (3, 3), (5, 3)])
def test_three_forms_of_the_optimum_agree_and_the_plan_attains_it(v: int, k: int) -> None:
    for seed in range(4):
        p, q = laws(100 + seed, v)
        best = float(optimal_acceptance(p[None], q[None], k))
        assert optimal_flow(p.numpy(), q.numpy(), k).value == pytest.approx(best, abs=1e-6)
        value, variables = full_program(p.numpy(), q.numpy(), k)
        assert value == pytest.approx(best, abs=1e-6)
        assert variables == v ** (k + 1)
        found, member = token_law(OptimalTransport(), p, q, k)
        assert float((found - q).abs().max()) < 1e-12
        assert member == pytest.approx(best, abs=1e-6)


def test_optimum_equals_the_minimum_over_all_subsets() -> None:
    p, q = laws(7, 5, 0.4)
    for k in (1, 2, 5):
        subsets = [torch.tensor([(mask >> i) & 1 for i in range(5)]).bool() for mask in range(32)]
        brute = min(float(1 + q[h].sum() - p[h].sum() ** k) for h in subsets)
        assert float(optimal_acceptance(p[None], q[None], k)) == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize("rule", [*VALID, OptimalTransport()], ids=named)
@pytest.mark.parametrize("k", [1, 2])
def test_sequence_law_is_the_target_law(rule: Rule, k: int) -> None:
    draft, target = chains(3)
    found = sequence_law(rule, draft, target, 1, count=k, length=2)
    assert float((found.law - plain_law(target, 1, 3)).abs().max()) < 1e-12
    assert 1 <= found.block_efficiency <= 3


@pytest.mark.parametrize("rule", BUGS, ids=named)
def test_planted_bugs_break_the_law(rule: Rule) -> None:
    draft, target = chains(3)
    error = sequence_law(rule, draft, target, 1, count=2, length=2).law - plain_law(target, 1, 3)
    assert float(error.abs().max()) > 1e-3


def test_two_planted_bugs_leave_block_efficiency_looking_fine() -> None:
    draft, target = chains(3)
    tau = {
        rule: sequence_law(rule, draft, target, 1, count=2, length=2).block_efficiency
        for rule in [KSeq(), *BUGS]
    }
    right = tau[KSeq()]
    assert tau[sabotage.Undivided()] > right
    assert tau[sabotage.PlainResidual()] == pytest.approx(right, abs=2e-3)


def test_block_efficiency_rises_with_the_number_of_drafts() -> None:
    draft, target = chains(5)
    tau = [efficiency(KSeq(), draft, target, k) for k in (1, 2, 3)]
    first = efficiency(FirstOnly(), draft, target, 1)
    assert tau[0] < tau[1] < tau[2]
    assert tau[0] == pytest.approx(first, abs=1e-12)


def test_drawing_follows_the_enumerated_law() -> None:
    p, q = laws(11, 4)
    generator = torch.Generator().manual_seed(1)
    rows = 40_000
    candidates = torch.tensor([[1, 1, 3]]).expand(rows, 3).contiguous()
    plan = KSeq().plan(
        p.expand(rows, 4), q.expand(rows, 4), candidates, torch.ones(rows, 3, dtype=torch.bool)
    )
    law = plan_law(plan, candidates)[0]
    token = draw(plan, candidates, torch.rand((rows, 4), generator=generator, dtype=torch.float64))
    share = torch.bincount(token, minlength=4) / rows
    assert float((share - law).abs().max()) < 5 * (0.25 / rows) ** 0.5


def test_tokens_without_probability_are_never_drawn() -> None:
    law = torch.tensor([[0.0, 0.25, 0.0, 0.75, 0.0]])
    edges = torch.tensor([0.0, 0.25, 0.25 - 1e-12, 1 - 1e-16, 0.5], dtype=torch.float64)
    assert sample(law.expand(5, 5), edges).tolist() == [1, 3, 1, 3, 3]


@pytest.mark.parametrize("width", [513, 1024, 5000])
def test_sampling_in_two_steps_inverts_the_whole_distribution_function(width: int) -> None:
    rng = np.random.default_rng(width)
    law = torch.from_numpy(rng.dirichlet(np.full(width, 0.02), size=4)).float()
    law[:, 512:600] = 0.0
    law[3, -3:] = 0.0
    uniforms = torch.from_numpy(rng.random((4, 300)))
    uniforms[:, 0], uniforms[:, 1] = 0.0, 1.0 - 2.0**-53
    for row, numbers in zip(law, uniforms, strict=True):
        steps = np.cumsum(row.double().numpy())
        found = sample(row[None], numbers).numpy()
        assert (sample(row.expand(300, width), numbers).numpy() == found).all()
        # Mass before and up to the token encloses the share, but for the order of additions.
        share = numbers.numpy() * steps[-1]
        assert (steps[found] >= share - 1e-12).all()
        assert (steps[found] - row.double().numpy()[found] <= share + 1e-12).all()
        assert (row.numpy()[found] > 0).all()


def test_transform_of_target_samples_is_uniform_and_of_draft_samples_is_not() -> None:
    from scipy.stats import kstest

    p, q = laws(13, 6)
    generator = torch.Generator().manual_seed(2)
    uniforms = torch.rand((2, 5000), generator=generator, dtype=torch.float64)
    right = sample(q.expand(5000, 6), uniforms[0])
    wrong = sample(p.expand(5000, 6), uniforms[0])
    ranks = [transform(t, p.expand(5000, 6), q.expand(5000, 6), uniforms[1]).numpy() for t in (right, wrong)]
    assert kstest(ranks[0], "uniform").pvalue > 1e-3
    assert kstest(ranks[1], "uniform").pvalue < 1e-12
