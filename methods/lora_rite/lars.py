"""LARS (You et al., 2017, arXiv:1708.03888): momentum with a rate of its own for each tensor.

The rate of a tensor X with gradient G is ``lr · ‖X‖ / ‖G‖``, so that a step is a share of the weights. From
(sA, B/s) each factor's step keeps its share, and Z takes the same way; under other R it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from methods.lora_rite.pairs import working_type


class Lars(Optimizer):
    """Momentum on ``(‖X‖ / ‖G‖) G``, tensor by tensor, without weight decay.

    Args:
        params: Tensors, or groups.
        lr: The share of its length that a tensor moves in a first step.
        momentum: Decay of the velocity; 0 is none.
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float = 1e-3, *, momentum: float = 0.9
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; a tensor or gradient without length has trust ratio 1."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for factor in (p for p in group["params"] if p.grad is not None):
                slope = factor.grad.to(working_type(factor))
                length, size = float(factor.norm()), float(slope.norm())
                trust = length / size if length > 0 and size > 0 else 1.0
                state = self.state[factor]
                if "velocity" not in state:
                    state["velocity"] = torch.zeros_like(slope)
                state["velocity"].mul_(group["momentum"]).add_(slope, alpha=group["lr"] * trust)
                factor.sub_(state["velocity"])
        return loss
