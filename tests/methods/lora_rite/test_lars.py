"""LARS beside its formula, and what it is invariant to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.lora_rite.gauge import equivalent, golden_factors, golden_transformation
from methods.lora_rite.lars import Lars
from tests.methods.lora_rite.golden import SLOPE, A, B, follow, give_gradients, tall_pair


def test_lars_is_its_formula() -> None:
    pair = tall_pair(A, B)
    optimizer = Lars([pair.a, pair.b], 0.1, momentum=0.9)
    factors = [A.numpy().copy(), B.numpy().copy()]
    velocities = [np.zeros_like(x) for x in factors]
    for t in range(4):
        slope = SLOPE * (1.0 + t)
        give_gradients(pair, slope)
        gradients = (slope.numpy() @ factors[1], slope.numpy().T @ factors[0])
        for index, g in enumerate(gradients):
            share = 0.1 * np.linalg.norm(factors[index]) / np.linalg.norm(g)
            velocities[index] = 0.9 * velocities[index] + share * g
        factors = [x - v for x, v in zip(factors, velocities, strict=True)]
        optimizer.step()
    np.testing.assert_allclose(pair.a.detach().numpy(), factors[0], rtol=1e-12)
    np.testing.assert_allclose(pair.b.detach().numpy(), factors[1], rtol=1e-12)


def test_a_factor_of_zeros_takes_the_gradients_own_step() -> None:
    pair = tall_pair(A, torch.zeros_like(B))
    give_gradients(pair, SLOPE)
    Lars([pair.a, pair.b], 0.1).step()
    assert torch.equal(pair.a.detach(), A)
    torch.testing.assert_close(pair.b.detach(), -0.1 * SLOPE.mT @ A)


@pytest.mark.parametrize(("kind", "same"), [("scale", True), ("rotation", True), ("general", False)])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_lars_sees_a_general_transformation_only(kind: str, same: bool, momentum: float) -> None:  # noqa: FBT001
    a, b, target = golden_factors()
    ends = [
        follow(lambda p: Lars([p.a, p.b], 0.05, momentum=momentum), *start, lambda z: z - target, 5)
        for start in ((a, b), equivalent(a, b, golden_transformation(kind)))
    ]
    gap = float((ends[0] - ends[1]).norm() / (ends[0] - a @ b.mT).norm())
    assert gap < 1e-9 if same else gap > 0.01
