"""Golden tables A to F of the paper card, and the properties of K-SEQ."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from methods.spectr import kseq
from methods.spectr.otm import optimal_acceptance


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def solve(p: Tensor, q: Tensor, k: int) -> tuple[float, float, float]:
    tries = torch.tensor([k])
    rho = kseq.division_factor(p, q, tries)
    beta = kseq.trial_acceptance(p, q, rho)
    return float(rho), float(beta), float(kseq.acceptance(beta, tries))


A = (row(0.5, 0.3, 0.2), row(0.2, 0.3, 0.5))
C = (row(0.75, 0.25), row(0.25, 0.75))


@pytest.mark.parametrize(
    ("k", "alpha", "rho", "beta", "p_acc", "left"),
    [
        (1, 0.700000, 1.0, 0.700000, 0.700000, 0.3),
        (2, 0.860000, 1.456776, 0.543224, 0.791355, 0.208645),
        (3, 0.988000, 1.792593, 0.478926, 0.858519, 0.141481),
        (4, 1.000000, 2.030036, 0.446301, 0.906007, 0.093993),
        (8, 1.000000, 2.422888, 0.406365, 0.984578, 0.015422),
    ],
)
def test_table_a(k: int, alpha: float, rho: float, beta: float, p_acc: float, left: float) -> None:  # noqa: PLR0917
    assert solve(*A, k) == pytest.approx((rho, beta, p_acc), abs=1e-6)
    assert float(optimal_acceptance(*A, k)) == pytest.approx(alpha, abs=1e-9)
    mass = kseq.residual_mass(*A, torch.tensor([solve(*A, k)[0]], dtype=torch.float64), torch.tensor([k]))
    assert mass[0].tolist() == pytest.approx([0, 0, left], abs=1e-6)


@pytest.mark.parametrize(
    ("rho", "expected"),
    [
        (1.0, (-0.06, -0.09, 0.24)),
        (1.2, (-0.030556, -0.045833, 0.223333)),
        (2.0, (0.045, 0.0675, 0.19)),
    ],
)
def test_table_a_residual_at_other_factors(rho: float, expected: tuple[float, ...]) -> None:
    mass = kseq.residual_mass(*A, torch.tensor([rho], dtype=torch.float64), torch.tensor([2]))
    assert mass[0].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("k", "p_acc"), [(1, 0.25), (2, 0.4375), (3, 0.578125), (4, 0.683594), (8, 0.899887)]
)
def test_table_b_uniform_laws_reach_the_optimum(k: int, p_acc: float) -> None:
    p, q = torch.full((1, 8), 0.125, dtype=torch.float64), row(0.5, 0.5, 0, 0, 0, 0, 0, 0)
    found = solve(p, q, k)
    assert found[2] == pytest.approx(p_acc, abs=1e-6)
    assert found[0] == pytest.approx(4 * p_acc, abs=5e-6)
    assert float(optimal_acceptance(p, q, k)) == pytest.approx(p_acc, abs=1e-6)


@pytest.mark.parametrize(
    ("k", "alpha", "p_acc", "rho"),
    [(1, 0.5, 0.5, 1.0), (2, 0.6875, 0.648268, 1.593070), (3, 0.828125, 0.754539, 2.018157),
     (4, 0.933594, 0.829887, 2.319550), (8, 1.0, 0.962963, 2.851852)],
)  # fmt: skip
def test_table_c(k: int, alpha: float, p_acc: float, rho: float) -> None:
    found = solve(*C, k)
    assert (found[0], found[2]) == pytest.approx((rho, p_acc), abs=1e-6)
    if k < 8:
        assert float(optimal_acceptance(*C, k)) == pytest.approx(alpha, abs=1e-6)


def test_table_d_is_strictly_below_the_optimum() -> None:
    p, q = row(1 / 3, 2 / 3), row(5 / 9, 4 / 9)
    assert solve(p, q, 2) == pytest.approx((4 / 3, 2 / 3, 8 / 9), abs=1e-12)
    assert float(optimal_acceptance(p, q, 2)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("k", "p_acc", "rho"), [(2, 0.19, 1.9), (8, 0.569533, 5.695328)])
def test_table_e_point_mass(k: int, p_acc: float, rho: float) -> None:
    p, q = row(0.1, 0.6, 0.3), row(1, 0, 0)
    found = solve(p, q, k)
    assert (found[0], found[2]) == pytest.approx((rho, p_acc), abs=1e-6)
    assert float(optimal_acceptance(p, q, k)) == pytest.approx(p_acc, abs=1e-6)


@pytest.mark.parametrize("k", [1, 2, 8])
def test_table_f_equal_and_disjoint(k: int) -> None:
    p = row(0.3, 0.7)
    assert solve(p, p, k) == pytest.approx((1.0, 1.0, 1.0), abs=1e-12)
    assert solve(row(1, 0), row(0, 1), k) == (1.0, 0.0, 0.0)
    mass = kseq.residual_mass(row(1, 0), row(0, 1), torch.ones(1, dtype=torch.float64), torch.tensor([k]))
    assert mass[0].tolist() == [0.0, 1.0]


def pair(seed: int, vocabulary: int, sharpness: float) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(vocabulary, sharpness), size=2)
    return torch.from_numpy(p[None]), torch.from_numpy(q[None])


pairs = st.builds(pair, st.integers(0, 2**32), st.integers(2, 30), st.floats(0.2, 3.0))


@settings(max_examples=60)
@given(pairs, st.integers(1, 12))
def test_factor_is_a_root_in_range_and_bounds_hold(laws: tuple[Tensor, Tensor], k: int) -> None:
    rho, beta, p_acc = solve(*laws, k)
    assert 1.0 <= rho <= k
    assert p_acc <= rho * beta + 1e-13
    if rho > 1:
        below = kseq.trial_acceptance(*laws, torch.tensor([rho - 1e-6], dtype=torch.float64))
        assert float(kseq.acceptance(below, torch.tensor([k]))) > (rho - 1e-6) * float(below) - 1e-12
    alpha = float(optimal_acceptance(*laws, k))
    assert kseq.guarantee(k) * alpha - 1e-12 <= p_acc <= alpha + 1e-12


@settings(max_examples=60)
@given(pairs, st.integers(1, 10))
def test_monotone_in_the_number_of_candidates(laws: tuple[Tensor, Tensor], k: int) -> None:
    fewer, more = solve(*laws, k), solve(*laws, k + 1)
    assert more[0] >= fewer[0] - 1e-12
    assert more[2] >= fewer[2] - 1e-12
    assert float(optimal_acceptance(*laws, k + 1)) >= float(optimal_acceptance(*laws, k)) - 1e-12


@settings(max_examples=60)
@given(pairs, st.integers(1, 10), st.floats(0, 1), st.floats(0, 1))
def test_residual_and_acceptance_over_the_valid_range(
    laws: tuple[Tensor, Tensor], k: int, one: float, two: float
) -> None:
    p, q = laws
    tries = torch.tensor([k])
    best = kseq.division_factor(p, q, tries)
    small, large = (best + share * (k - best) for share in sorted((one, two)))
    for rho in (small, large):
        mass = kseq.residual_mass(p, q, rho, tries)
        assert float(mass.min()) >= -1e-14
        left = 1 - kseq.acceptance(kseq.trial_acceptance(p, q, rho), tries)
        assert float(mass.sum()) == pytest.approx(float(left), abs=1e-12)
    accept = [kseq.acceptance(kseq.trial_acceptance(p, q, rho), tries) for rho in (small, large)]
    assert accept[0] >= accept[1] - 1e-13


@settings(max_examples=40)
@given(pairs, st.integers(1, 10), st.randoms(use_true_random=False))
def test_equivariant_under_renaming_tokens(laws: tuple[Tensor, Tensor], k: int, random: object) -> None:
    order = torch.tensor(np.random.default_rng(random.getrandbits(32)).permutation(laws[0].shape[1]))  # type: ignore[attr-defined]
    renamed = solve(laws[0][:, order], laws[1][:, order], k)
    assert renamed == pytest.approx(solve(*laws, k), abs=1e-12)


def bisected(p: Tensor, q: Tensor, k: int) -> Fraction:
    """ρ* by its definition alone: plain bisection with exact fractions."""
    pairs = [(Fraction(x), Fraction(y)) for x, y in zip(p[0].tolist(), q[0].tolist(), strict=True)]
    low, high = Fraction(1), Fraction(k)
    for _ in range(60):
        middle = (low + high) / 2
        kept = sum(min(middle * x, y) for x, y in pairs)
        # 1 − (1 − β)^k ≤ ρ β with ρ β = kept, times ρ^k.
        valid = middle**k * (1 - kept) <= (middle - kept) ** k
        low, high = (low, middle) if valid else (middle, high)
    return high


def best_acceptance(p: Tensor, q: Tensor, k: int) -> float:
    """The probability that a selection accepts, at the factor of plain bisection."""
    exact = torch.tensor([float(bisected(p, q, k))], dtype=torch.float64)
    return float(kseq.acceptance(kseq.trial_acceptance(p, q, exact), torch.tensor([k])))


@settings(max_examples=60)
@given(pairs, st.integers(1, 12))
def test_factor_is_that_of_plain_bisection(laws: tuple[Tensor, Tensor], k: int) -> None:
    rho, beta, p_acc = solve(*laws, k)
    assert p_acc <= rho * beta + 1e-13
    assert p_acc == pytest.approx(best_acceptance(*laws, k), abs=1e-12)


@pytest.mark.parametrize("k", [2, 8, 64])
@pytest.mark.parametrize(
    ("p", "q"),
    [
        (row(1 - 1e-9, 1e-9), row(1e-9, 1 - 1e-9)),
        (row(0.5, 0.5), row(0.5 + 1e-9, 0.5 - 1e-9)),
        (row(1e-9, 1 - 1e-9), row(0.9, 0.1)),
        (row(0.99, 0.01, 0.0), row(1e-6, 0.5, 0.5 - 1e-6)),
    ],
    ids=["nearly disjoint", "nearly equal", "nearly a point", "one common token"],
)
def test_factor_where_false_position_begins_badly(p: Tensor, q: Tensor, k: int) -> None:
    rho, beta, p_acc = solve(p, q, k)
    assert p_acc <= rho * beta + 1e-13
    assert p_acc == pytest.approx(best_acceptance(p, q, k), abs=1e-12)


def test_single_precision_holds_over_a_large_vocabulary() -> None:
    rng = np.random.default_rng(5)
    logits = torch.from_numpy(2.0 * rng.normal(size=(2, 2**18)))
    p, q = torch.softmax(logits + torch.from_numpy(rng.normal(size=(2, 2**18))), 1), torch.softmax(logits, 1)
    k = torch.tensor([8, 3])
    exact = kseq.division_factor(p, q, k)
    assert kseq.division_factor(p.float(), q.float(), k).tolist() == pytest.approx(exact.tolist(), rel=3e-5)


def test_rows_are_solved_alone_and_in_single_precision() -> None:
    p, q = (torch.cat(parts) for parts in zip(pair(1, 20, 0.5), pair(2, 20, 0.5), strict=True))
    k = torch.tensor([2, 7])
    together = kseq.division_factor(p, q, k)
    alone = [float(kseq.division_factor(p[i : i + 1], q[i : i + 1], k[i : i + 1])) for i in (0, 1)]
    assert together.tolist() == pytest.approx(alone, abs=1e-13)
    single = kseq.division_factor(p.float(), q.float(), k)
    assert single.tolist() == pytest.approx(alone, abs=2e-6)
