"""Float32 copies of bfloat16 weights, for any optimizer.

A bfloat16 weight has 8 bits of significand: an update below 1/256 of the weight is rounded away.
The optimizer therefore works on float32 copies, and the model gets their rounded values. Sums of
gradients over several passes and the norm that clips them are float32, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn

from harness.method import ProblemError

_AT_ONCE = 2**28
"""Weights that one call of the wrapped optimizer updates: their float32 gradients exist together."""

_ELEMENTWISE = frozenset({"Adafactor", "Adagrad", "Adam", "AdamW", "RMSprop", "SGD"})
"""Optimizers that update each tensor by itself, so that it does not matter how many a call sees."""


_SERVING: WeakSet[torch.optim.Optimizer] = WeakSet()
"""Wrapped optimizers: used directly, they would train copies that no model reads."""


class MasterWeights(torch.optim.Optimizer):
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
        _SERVING.add(optimizer)
        super().__init__([dict(group) for group in optimizer.param_groups], dict(optimizer.defaults))
        for group in optimizer.param_groups:
            group["params"] = [_copy(parameter) for parameter in group["params"]]
        self._pairs = [
            (parameter, master)
            for outer, group in zip(self.param_groups, optimizer.param_groups, strict=True)
            for parameter, master in zip(outer["params"], group["params"], strict=True)
        ]
        self._sums: dict[int, Tensor] = {}
        self._scale: Tensor | None = None

    def collect(self) -> None:
        """Add the model's gradients to float32 sums; between the passes of one update."""
        for number, (parameter, _) in enumerate(self._pairs):
            if parameter.grad is None:
                continue
            if number in self._sums:
                self._sums[number] += parameter.grad
            else:
                self._sums[number] = parameter.grad.to(_working(parameter))
            parameter.grad = None

    def clip(self, largest: float) -> None:
        """Let the next step scale the gradients to a global norm of ``largest`` at most."""
        norms = [torch.linalg.vector_norm(g, dtype=_working(g)) for _, _, g in self._gradients()]
        if norms:
            first = norms[0].device
            total = torch.linalg.vector_norm(torch.stack([norm.to(first) for norm in norms]))
            # The same stabiliser as in torch.nn.utils.clip_grad_norm_.
            self._scale = torch.clamp(largest / (total + 1e-6), max=1.0)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update the copies by the model's gradients, then the model from the copies.

        Raises:
            ProblemError: If a closure is given: no optimizer here needs one.
        """
        if closure is not None:
            raise ProblemError("Master weights take no closure")
        for outer, group in zip(self.param_groups, self.inner.param_groups, strict=True):
            group.update({name: value for name, value in outer.items() if name != "params"})
        for part in self._parts():
            for parameter, master, gradient in part:
                scaled = gradient.to(_working(parameter))
                master.grad = scaled if self._scale is None else scaled * self._scale.to(scaled.device)
            self.inner.step()
            for parameter, master, _ in part:
                master.grad = None
                if master is not parameter:
                    parameter.copy_(master)
        self._sums, self._scale = {}, None

    def _gradients(self) -> Iterator[tuple[nn.Parameter, nn.Parameter, Tensor]]:
        for number, (parameter, master) in enumerate(self._pairs):
            gradient = self._sums.get(number, parameter.grad)
            if gradient is not None:
                yield parameter, master, gradient

    def _parts(self) -> list[list[tuple[nn.Parameter, nn.Parameter, Tensor]]]:
        """What one call of the wrapped optimizer updates."""
        everything = list(self._gradients())
        for parameter, _ in self._pairs:
            parameter.grad = None
        if type(self.inner).__name__ not in _ELEMENTWISE:
            return [everything]
        parts: list[list[tuple[nn.Parameter, nn.Parameter, Tensor]]] = []
        size = 0
        for row in everything:
            if not parts or size + row[0].numel() > _AT_ONCE:
                parts.append([])
                size = 0
            parts[-1].append(row)
            size += row[0].numel()
        return parts

    def zero_grad(self, set_to_none: bool = True) -> None:  # noqa: FBT001, FBT002 - PyTorch's signature
        """Forget the gradients of the model and of the copies."""
        self._sums, self._scale = {}, None
        for parameter, master in self._pairs:
            parameter.grad = None
            master.grad = None

    def state_dict(self) -> dict[str, Any]:
        """The wrapped optimizer's state, the options and the copies."""
        options = [
            {name: value for name, value in group.items() if name != "params"} for group in self.param_groups
        ]
        masters = [master.detach() for parameter, master in self._pairs if master is not parameter]
        return {"inner": self.inner.state_dict(), "options": options, "masters": masters}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`; the model's parameters follow the copies."""
        self.inner.load_state_dict(state_dict["inner"])
        for group, options in zip(self.param_groups, state_dict["options"], strict=True):
            group.update(options)
        # Loading replaces the groups of the wrapped optimizer, not the copies in them.
        copies = [(parameter, master) for parameter, master in self._pairs if master is not parameter]
        with torch.no_grad():
            for (parameter, master), value in zip(copies, state_dict["masters"], strict=True):
                master.copy_(value)
                parameter.copy_(master)


def in_float32(optimizer: Any) -> Any:
    """An optimizer whose arithmetic is float32: itself, or with copies of its bfloat16 weights.

    Every trainer sends its optimizer through here, whatever its weights are today.

    Raises:
        ProblemError: If weights are float16, or bfloat16 in an optimizer that copies cannot serve; or
            if the optimizer has been through here before.
    """
    if isinstance(optimizer, MasterWeights):
        return optimizer
    if isinstance(optimizer, torch.optim.Optimizer) and optimizer in _SERVING:
        raise ProblemError(
            "This optimizer holds float32 copies of weights, which an earlier training has made",
            where=type(optimizer).__name__,
            fix="Make a new optimizer for each training.",
        )
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    types = {parameter.dtype for parameter in parameters}
    if types <= {torch.float32, torch.float64}:
        return optimizer
    name = type(optimizer).__name__
    if types - {torch.bfloat16, torch.float32, torch.float64}:
        raise ProblemError(
            f"Weights of type {', '.join(sorted(map(str, types)))} cannot be trained: "
            "their gradients underflow",
            where=name,
            fix="Load the model in bfloat16 or float32.",
        )
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ProblemError(
            "bfloat16 weights lose small updates, and this optimizer cannot work on float32 copies",
            where=name,
            fix="Train float32 weights: low-rank factors, or the model loaded in float32.",
        )
    return MasterWeights(optimizer)


def clip(optimizer: Any, parameters: Iterable[Tensor], largest: float) -> None:
    """Scale gradients to a global norm of ``largest`` at most, computed in float32."""
    if isinstance(optimizer, MasterWeights):
        optimizer.clip(largest)
    else:
        nn.utils.clip_grad_norm_(parameters, largest)


def _working(tensor: Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


def _copy(parameter: nn.Parameter) -> nn.Parameter:
    """A float32 copy; a weight that is float32 already is its own."""
    if parameter.dtype in (torch.float32, torch.float64):
        return parameter
    return nn.Parameter(parameter.detach().float().clone())
