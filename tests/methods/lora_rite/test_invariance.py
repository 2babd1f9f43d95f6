"""Who is invariant to what: the card's table, and random shapes, ranks and transformations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.optim import Optimizer

from methods.lora_rite import Lamb, LoraPlus, LoraRite, Pair, ScaledAdam, ScaledGD, Shampoo
from methods.lora_rite.altlora import AltLora
from methods.lora_rite.gauge import KINDS, equivalent, golden_factors, golden_transformation
from methods.lora_rite.pairs import contributions
from methods.lora_rite.sabotage_optimizers import Misaligned, Uneven, Untransported
from tests.methods.lora_rite.golden import DOUBLE, EXACT, follow

ROUNDING = 1e-9
MAKERS: dict[str, Callable[[Pair], Optimizer]] = {
    "rite": lambda p: LoraRite([p], 0.05, **EXACT),
    "rite without mass": lambda p: LoraRite([p], 0.05, mass=False, **EXACT),
    "adam": lambda p: torch.optim.Adam([p.a, p.b], 0.05, eps=1e-12),
    "lora+": lambda p: LoraPlus([p], 0.05, eps=1e-12),
    "lamb": lambda p: Lamb([p.a, p.b], 0.05, eps=0.0),
    "scaled adam": lambda p: ScaledAdam([p], 0.05, eps=0.0, ridge=0.0),
    "shampoo": lambda p: Shampoo([p.a, p.b], 0.05, eps=0.0, beta=0.0, every=1, decay=1.0),
    "altlora": lambda p: AltLora([p], 0.05, ridge=0.0),
    "gd": lambda p: torch.optim.SGD([p.a, p.b], 0.01),
    "scaled gd": lambda p: ScaledGD([p], 0.01),
}
TABLE = {
    "rite": (0, 0, 0, 0),
    "rite without mass": (0, 0, 0, 0),
    "adam": (2.4, 0.44, 0.57, 0),
    "lora+": (1.5, 0.30, 0.55, 0),
    "lamb": (0, 0.43, 0.34, 0),
    "scaled adam": (2.6, 0.40, 0.38, 0),
    "shampoo": (3.4, 0, 0.21, 0),
    "altlora": (0, 0, 0, 0),
    "gd": (1.7e4, 0, 0.57, 0),
    "scaled gd": (0, 0, 0, 0),
}
"""Relative deviations after five steps for s = 10, a rotation, a general R, a signed permutation."""


def deviation(make: Callable[[Pair], Optimizer], a: Tensor, b: Tensor, turn: Tensor, target: Tensor) -> float:
    base = follow(make, a, b, lambda z: z - target, 5)
    moved = follow(make, *equivalent(a, b, turn), lambda z: z - target, 5)
    return float((base - moved).norm() / (base - a @ b.mT).norm())


@pytest.mark.parametrize("column", range(4), ids=KINDS)
@pytest.mark.parametrize("name", list(MAKERS))
def test_table(name: str, column: int) -> None:
    a, b, target = golden_factors()
    found = deviation(MAKERS[name], a, b, golden_transformation(KINDS[column]), target)
    expected = TABLE[name][column]
    # The table has two digits.
    assert found == pytest.approx(expected, rel=0.05) if expected else found < ROUNDING


@st.composite
def problems(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Factors, an invertible R with condition number up to a thousand, and a target."""
    rank = draw(st.integers(1, 5))
    rows, columns = rank + draw(st.integers(0, 8)), rank + draw(st.integers(0, 8))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    a, b = (
        torch.randn(rows, rank, generator=rng, **DOUBLE),
        torch.randn(columns, rank, generator=rng, **DOUBLE),
    )
    target = torch.randn(rows, columns, generator=rng, **DOUBLE)
    left = torch.linalg.qr(torch.randn(rank, rank, generator=rng, **DOUBLE))[0]
    right = torch.linalg.qr(torch.randn(rank, rank, generator=rng, **DOUBLE))[0]
    spread = torch.logspace(0, draw(st.floats(0, 3)), rank, **DOUBLE) * 10 ** draw(st.floats(-2, 2))
    return a, b, (left * spread) @ right, target


@settings(max_examples=60)
@given(problems(), st.booleans(), st.floats(0, 0.5))
def test_rite_is_invariant_for_random_problems(
    problem: tuple[Tensor, Tensor, Tensor, Tensor],
    mass: bool,  # noqa: FBT001
    decay: float,
) -> None:
    a, b, turn, target = problem
    factors = torch.linalg.cond(a) * torch.linalg.cond(b)
    make = lambda p: LoraRite([p], 0.02, mass=mass, weight_decay=decay, clip=1.0, skip=0.0)  # noqa: E731
    limit = 1e-13 * float(torch.linalg.cond(turn) ** 2 * factors**2)
    assert deviation(make, a, b, turn, target) < max(limit, 1e-10)


@pytest.mark.parametrize("kind", [Untransported, Misaligned])
def test_sabotages_lose_the_invariance(kind: type[LoraRite]) -> None:
    a, b, target = golden_factors()
    turn = golden_transformation("general")
    assert deviation(lambda p: kind([p], 0.05, **EXACT), a, b, turn, target) > 1e-3


def test_uneven_steps_change_the_balance_of_the_factors_and_nothing_else() -> None:
    a, b, target = golden_factors()
    found = []
    for kind in (LoraRite, Uneven):
        pair = Pair(nn.Parameter(a.clone()), nn.Parameter(b.clone()), axes=(1, 1))
        slope = a @ b.mT - target
        pair.a.grad, pair.b.grad = slope @ b, slope.mT @ a
        kind([pair], 0.05, **EXACT).step()
        found.append(contributions([pair], [(a, b)]))
    (left, right), (less, more) = found
    assert less == pytest.approx(left / 4) or less == pytest.approx(left * 4)
    assert max(less / more / (left / right), (left / right) / (less / more)) == pytest.approx(16)
