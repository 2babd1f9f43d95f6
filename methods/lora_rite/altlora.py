"""AltLoRA (Yu et al., 2025, arXiv:2505.12455): the factors take turns, each with a projected gradient.

While one factor X moves, its partner Y spans a fixed space. X moves along the D for which D Yᵀ is
nearest to the gradient of Z. Momentum M is carried over from the old partner Y₀ to the new one Y: it
becomes the M̃ for which M̃ Yᵀ is nearest to M Y₀ᵀ. Both are invariant to how Z is split. The variant
with a second moment is not, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor

from methods.lora_rite.baselines import projected
from methods.lora_rite.pairs import Pair, PairOptimizer, Source, tall, working_type


class AltLora(PairOptimizer):
    """Momentum on projected gradients, B first, since B is zero at the start.

    Args:
        params: Pairs.
        lr: η.
        beta: Decay of momentum.
        ridge: δ, added to the Gram matrices; 0 uses pseudo-inverses and is invariant.
    """

    def __init__(
        self,
        params: Source | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        *,
        beta: float = 0.9,
        ridge: float = 1e-6,
    ) -> None:
        super().__init__(params, {"lr": lr, "beta": beta, "ridge": ridge})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step, of one factor of each pair."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for pair in self.active_pairs(group):
                self._move(pair, group)
        return loss

    def _move(self, pair: Pair, group: dict[str, Any]) -> None:
        turns = self.state[pair.b].setdefault("turns", torch.zeros(()))
        sides = [(pair.b, pair.axes[1]), (pair.a, pair.axes[0])]
        (factor, axis), (partner, across) = sides if int(turns) % 2 == 0 else sides[::-1]
        turns += 1
        kind, state = working_type(factor), self.state[factor]
        beside = tall(partner, across).to(kind)
        slope = tall(cast("Tensor", factor.grad), axis).to(kind)
        moment = (1 - group["beta"]) * projected(slope, beside, group["ridge"])
        if "moment" in state:
            carried = state["moment"] @ (state["partner"].mT @ beside)
            moment += group["beta"] * projected(carried, beside, group["ridge"])
        # A copy: ``beside`` may be a view of the partner, which the next step changes in place.
        state["moment"], state["partner"] = moment, beside.clone()
        tall(factor, axis).sub_(group["lr"] * moment)
