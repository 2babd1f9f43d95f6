"""The optimizer itself, which knows nothing of Corroborate."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer


class Lion(Optimizer):
    """Steps along the sign of a momentum, with decays of .9 in the step and .99 in the momentum."""

    def __init__(self, params: list[Tensor], lr: float = 1e-4) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step."""
        for group in self.param_groups:
            for factor in (p for p in group["params"] if p.grad is not None):
                momentum = self.state[factor].setdefault("momentum", torch.zeros_like(factor))
                factor.sub_(group["lr"] * torch.lerp(factor.grad, momentum, 0.9).sign())
                momentum.lerp_(factor.grad, 0.01)
