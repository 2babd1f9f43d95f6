"""Equivalent factors: invertible matrices R, and the pair (AR, BR⁻ᵀ) that R makes of (A, B)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("scale", "rotation", "general", "permutation")
"""Transformations R."""


def golden_factors() -> tuple[Tensor, Tensor, Tensor]:
    """A (3×2), B (4×2) and T (3×4) of the golden table."""
    import torch

    world: dict[str, Any] = {"dtype": torch.float64}
    a = torch.tensor([[1, 0], [0, 2], [1, 1]], **world)
    b = torch.tensor([[1, 1], [0, 1], [2, 0], [0, 0.5]], **world)
    return a, b, torch.arange(12, **world).reshape(3, 4) / 6 - 1


def golden_transformation(kind: str) -> Tensor:
    """R of the golden table."""
    import torch

    cosine, sine = 0.7648421872844885, 0.644217687237691
    matrices = {
        "scale": [[10.0, 0.0], [0.0, 10.0]],
        "rotation": [[cosine, -sine], [sine, cosine]],
        "general": [[2.0, 1.0], [0.5, -1.5]],
        "permutation": [[0.0, -1.0], [1.0, 0.0]],
    }
    return torch.tensor(matrices[kind], dtype=torch.float64)


def transformation(kind: str, rank: int, rng: Any) -> Tensor:
    """A random R of a kind; general ones have condition numbers up to 30."""
    import torch

    from methods.common import draws

    wide = torch.float64
    if kind == "scale":
        return torch.eye(rank, dtype=torch.float64) * 10 ** (4 * draws.uniform((1,), rng, dtype=wide) - 2)
    if kind == "permutation":
        signs = torch.sign(draws.uniform((rank,), rng, dtype=wide) - 0.5)
        return torch.eye(rank, dtype=torch.float64)[draws.permutation(rank, rng)] * signs
    turn: Tensor = torch.linalg.qr(draws.normal((rank, rank), rng, dtype=wide))[0]
    if kind == "rotation":
        return turn
    stretch = 30 ** torch.linspace(-0.5, 0.5, rank, dtype=torch.float64)
    general: Tensor = (turn * stretch) @ torch.linalg.qr(draws.normal((rank, rank), rng, dtype=wide))[0]
    return general


def equivalent(a: Tensor, b: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """(AR, BR⁻ᵀ)."""
    import torch

    return a @ turn, b @ torch.linalg.inv(turn).mT
