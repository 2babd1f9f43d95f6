"""An optimizer that looks at a whole matrix, for weights of which each process holds a part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, Replicate

from methods.common.sharded.state import local


class Gathered(torch.optim.Optimizer):
    """Updates one weight after the other as a whole, in every process, of which each keeps its part.

    For optimizers whose states are small, as Adafactor's sums over rows and columns are: every process holds
    all of these. Weight and gradient are gathered one matrix at a time. What is computed is the optimizer's
    own, so that nothing of it is written a second time.

    Args:
        named: Weights by name.
        make: From parameters to the optimizer; it updates each of them by itself.
    """

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        *,
        make: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
    ) -> None:
        self._inner = make([nn.Parameter(torch.zeros(1))])
        super().__init__([parameter for _, parameter in named], dict(self._inner.defaults))

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of all weights that have gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        whole = nn.Parameter(_whole(parameter))
        whole.grad = _whole(parameter.grad)
        self._inner.param_groups = [{**group, "params": [whole]}]
        self._inner.state = defaultdict(dict, {whole: self.state[parameter]})
        self._inner.step()
        local(parameter).copy_(_part(whole, parameter))


def _whole(tensor: Any) -> Tensor:
    found: Tensor = tensor.detach()
    return found.full_tensor() if isinstance(found, DTensor) else found.clone()


def _part(whole: Tensor, like: nn.Parameter) -> Tensor:
    """What this process holds of a whole tensor; nothing is sent."""
    data = like.detach()
    if not isinstance(data, DTensor):
        return whole.detach()
    everywhere = DTensor.from_local(whole.detach(), data.device_mesh, [Replicate()], run_check=False)
    return everywhere.redistribute(placements=data.placements).to_local()
