"""Muon for the matrices of small networks, AdamW for the rest of their parameters.

A matrix moves along its smoothed gradient with all singular values made about equal (Jordan et al., 2024,
kellerjordan.github.io/posts/muon; Liu et al., 2025, arXiv:2502.16982, for the size of the step), so that
what few gradients point to is learnt with the rest: toy agents match names after about half as many updates.
``torch.optim.Muon`` does the same matrix by matrix and in bfloat16, which takes longer here; a test holds
both together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.775, 2.0315)
"""Of the quintic iteration, which brings singular values to between .7 and 1.2."""
_ITERATIONS = 5


class Muon(torch.optim.AdamW):
    """Both optimizers at one rate.

    Args:
        matrices: Parameters of two axes that map activations to activations.
        others: All other parameters: embeddings, positions, norms and biases.
        rate: Learning rate of both; a matrix moves by .2 of it in root mean square, as under AdamW.
        decay: Weight decay, decoupled.
        momentum: Of the matrices, with Nesterov's look ahead.
    """

    def __init__(
        self,
        matrices: Iterable[Tensor],
        others: Iterable[Tensor],
        *,
        rate: float,
        decay: float,
        momentum: float = 0.95,
    ) -> None:
        groups: list[dict[str, Any]] = [
            {"params": list(others), "momentum": 0.0},
            {"params": list(matrices), "momentum": momentum},
        ]
        super().__init__(groups, lr=rate, betas=(0.9, 0.98), weight_decay=decay, fused=True)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update all parameters that have gradients; those of matrices are gone afterwards."""
        for group in self.param_groups:
            if group["momentum"]:
                self._move([one for one in group["params"] if one.grad is not None], group)
        super().step(closure)

    def _move(self, matrices: list[Tensor], group: dict[str, Any]) -> None:
        shapes: dict[tuple[int, ...], list[Tensor]] = {}
        for matrix in matrices:
            shapes.setdefault(tuple(sorted(matrix.shape)), []).append(matrix)
        for (_, longer), alike in shapes.items():
            directions = orthogonal(torch.stack([_lying(self._look_ahead(one, group)) for one in alike]))
            for matrix, direction in zip(alike, directions, strict=True):
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                standing = direction if matrix.shape[0] <= matrix.shape[1] else direction.T
                matrix.add_(standing, alpha=-0.2 * longer**0.5 * group["lr"])
                # AdamW passes over parameters without a gradient.
                matrix.grad = None

    def _look_ahead(self, matrix: Tensor, group: dict[str, Any]) -> Tensor:
        state, gradient = self.state[matrix], matrix.grad
        assert gradient is not None
        if not state:
            # AdamW expects a number of steps of every parameter that has a state.
            state["step"] = torch.zeros(())
            state["smoothed"] = torch.zeros_like(matrix)
        smoothed: Tensor = state["smoothed"]
        smoothed.lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(smoothed, group["momentum"])


def _lying(matrix: Tensor) -> Tensor:
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices with the same singular vectors and singular values of about 1.

    Args:
        matrices: Shape (N, R, C), R at most C.

    Returns:
        The same shape; values between .7 and 1.2 but for those below about a thousandth of the norm.
    """
    a, b, c = _COEFFICIENTS
    x: Tensor = matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x
