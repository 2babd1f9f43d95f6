"""Float32 copies of low-precision weights, for any optimizer.

A bfloat16 weight has 8 bits of significand: an update below 1/256 of the weight is rounded away.
The optimizer therefore works on float32 copies, and the model gets their rounded values.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.method import ProblemError


class MasterWeights:
    """An optimizer whose parameters may be bfloat16 while its arithmetic is float32.

    Args:
        optimizer: Built over the model's parameters, before its first step. Its groups then hold
            the float32 copies; it must find its parameters there and nowhere else.

    Attributes:
        param_groups: The groups with the model's own parameters; options set here (the rate)
            reach the wrapped optimizer with the next step.

    Raises:
        ProblemError: If the optimizer has taken a step already.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        if optimizer.state:
            raise ProblemError(
                "The optimizer has state already", fix="Wrap it in master weights before its first step."
            )
        self.inner = optimizer
        self.param_groups: list[dict[str, Any]] = [dict(group) for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["params"] = [_copy(parameter) for parameter in group["params"]]
        self._pairs = [
            (parameter, master)
            for outer, group in zip(self.param_groups, optimizer.param_groups, strict=True)
            for parameter, master in zip(outer["params"], group["params"], strict=True)
        ]

    def step(self) -> None:
        """Update the copies by the model's gradients, then the model from the copies."""
        for outer, group in zip(self.param_groups, self.inner.param_groups, strict=True):
            group.update({name: value for name, value in outer.items() if name != "params"})
        for parameter, master in self._pairs:
            master.grad = None if parameter.grad is None else parameter.grad.to(master.dtype)
        self.inner.step()
        with torch.no_grad():
            for parameter, master in self._pairs:
                parameter.copy_(master)

    def zero_grad(self) -> None:
        """Forget the gradients of the model and of the copies."""
        for parameter, master in self._pairs:
            parameter.grad = None
            master.grad = None

    def state_dict(self) -> dict[str, Any]:
        """The wrapped optimizer's state and the copies."""
        return {"inner": self.inner.state_dict(), "masters": [master.detach() for _, master in self._pairs]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`; the model's parameters follow the copies."""
        self.inner.load_state_dict(state_dict["inner"])
        masters: list[Tensor] = state_dict["masters"]
        with torch.no_grad():
            for (parameter, master), value in zip(self._pairs, masters, strict=True):
                master.copy_(value)
                parameter.copy_(master)


def _copy(parameter: nn.Parameter) -> nn.Parameter:
    # Weights that are float32 already are shared by nobody: they too get a copy, at little cost.
    return nn.Parameter(parameter.detach().float().clone())
