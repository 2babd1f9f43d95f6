"""The optimizers that LoRA-RITE is compared with; all act on the raw gradients of the factors.

Adam itself, plain gradient descent, RMSProp and Adagrad are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from harness.method import DivergedError
from methods.lora_rite.matrices import inverse_root
from methods.lora_rite.pairs import Pair, PairOptimizer, Source, find_pairs, tall, working_type

Closure = Callable[[], float]


def _loss(closure: Closure | None) -> float | None:
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


class LoraPlus(torch.optim.Adam):
    """Adam with a larger rate for B, the factor that starts at zero (Hayou et al., 2024).

    Args:
        params: Pairs, see :func:`methods.lora_rite.pairs.find_pairs`.
        lr: η_A.
        ratio: η_B / η_A.
        betas: Decay of the moments.
        eps: Added to the root of the second moment.
    """

    def __init__(
        self,
        params: Source,
        lr: float = 1e-3,
        *,
        ratio: float = 4.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        pairs = find_pairs(params)
        groups = [
            {"params": [pair.a for pair in pairs], "lr": lr},
            {"params": [pair.b for pair in pairs], "lr": lr * ratio},
        ]
        super().__init__(groups, lr=lr, betas=betas, eps=eps)


def _preconditioned(pair: Pair, ridge: float) -> tuple[Tensor, Tensor]:
    """∇A (BᵀB + δI)⁻¹ and ∇B (AᵀA + δI)⁻¹, rank last."""
    kind = working_type(pair.a)
    a, b = (tall(f, axis).to(kind) for f, axis in zip((pair.a, pair.b), pair.axes, strict=True))
    slopes = [
        tall(cast("Tensor", f.grad), axis).to(kind)
        for f, axis in zip((pair.a, pair.b), pair.axes, strict=True)
    ]
    return projected(slopes[0], b, ridge), projected(slopes[1], a, ridge)


def projected(slope: Tensor, partner: Tensor, ridge: float) -> Tensor:
    """slope (YᵀY + δI)⁻¹ for a partner Y, rank last; without δ the pseudo-inverse."""
    gram = partner.mT @ partner
    gram = gram + ridge * torch.eye(gram.shape[0], dtype=gram.dtype, device=gram.device)
    inverse: Tensor = (torch.linalg.inv if ridge else torch.linalg.pinv)(gram)
    return slope @ inverse


class ScaledGD(PairOptimizer):
    """Gradient descent on the quotient of equivalent pairs: ∇A (BᵀB)⁻¹ and ∇B (AᵀA)⁻¹.

    Args:
        params: Pairs.
        lr: η.
        ridge: δ, added to the Gram matrices; 0 uses pseudo-inverses and is invariant.
    """

    def __init__(
        self, params: Source | Iterable[dict[str, Any]], lr: float = 1e-3, *, ridge: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "ridge": ridge})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> float | None:  # type: ignore[override]
        """One step."""
        loss = _loss(closure)
        for group in self.param_groups:
            for pair in self.active_pairs(group):
                step_a, step_b = _preconditioned(pair, group["ridge"])
                tall(pair.a, pair.axes[0]).sub_(group["lr"] * step_a)
                tall(pair.b, pair.axes[1]).sub_(group["lr"] * step_b)
        return loss


class ScaledAdam(PairOptimizer):
    """Adam on the preconditioned gradients of ScaledGD (Zhang and Pilanci, 2024).

    Args:
        params: Pairs.
        lr: η.
        betas: Decay of the moments.
        eps: Added to the root of the second moment.
        ridge: δ.
    """

    def __init__(
        self,
        params: Source | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        ridge: float = 1e-6,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "ridge": ridge})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> float | None:  # type: ignore[override]
        """One step."""
        loss = _loss(closure)
        for group in self.param_groups:
            for pair in self.active_pairs(group):
                slopes = _preconditioned(pair, group["ridge"])
                for factor, axis, slope in zip((pair.a, pair.b), pair.axes, slopes, strict=True):
                    step = adam_direction(self.state[factor], slope, group["betas"], group["eps"])
                    tall(factor, axis).sub_(group["lr"] * step)
        return loss


def adam_direction(state: dict[str, Any], slope: Tensor, betas: tuple[float, float], eps: float) -> Tensor:
    """The bias-corrected direction m̂ / (√v̂ + ε); moments are kept in ``state``."""
    if not state:
        state.update(step=torch.zeros(()), first=torch.zeros_like(slope), second=torch.zeros_like(slope))
    state["step"] += 1
    count = float(state["step"])
    state["first"].lerp_(slope, 1 - betas[0])
    state["second"].lerp_(slope.square(), 1 - betas[1])
    root = (state["second"] / (1 - betas[1] ** count)).sqrt()
    direction: Tensor = state["first"] / (1 - betas[0] ** count) / (root + eps)
    # 0/0, a coordinate without any gradient so far when ε = 0, does not move.
    return direction if eps else torch.nan_to_num(direction, nan=0.0)


class MatrixAdagrad(PairOptimizer):
    """One-sided matrix Adagrad on each factor: G (Σ GᵀG)^(−1/2), the theory's comparator.

    Args:
        params: Pairs.
        lr: η.
    """

    def __init__(self, params: Source | Iterable[dict[str, Any]], lr: float = 1e-3) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> float | None:  # type: ignore[override]
        """One step."""
        loss = _loss(closure)
        for group in self.param_groups:
            for pair in self.active_pairs(group):
                for factor, axis in zip((pair.a, pair.b), pair.axes, strict=True):
                    slope = tall(cast("Tensor", factor.grad), axis).to(working_type(factor))
                    state = self.state[factor]
                    state["sum"] = state.get("sum", 0.0) + slope.mT @ slope
                    root, _ = inverse_root(state["sum"][None], state["sum"].new_zeros(1), 0.0)
                    tall(factor, axis).sub_(group["lr"] * slope @ root[0])
        return loss


class Lamb(Optimizer):
    """LAMB (You et al., 2020): Adam's direction times ‖X‖/‖u‖, tensor by tensor.

    Args:
        params: Tensors, or groups.
        lr: η.
        betas: Decay of the moments.
        eps: Added to the root of the second moment.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> float | None:  # type: ignore[override]
        """One step; a tensor or direction without length has trust ratio 1."""
        loss = _loss(closure)
        for group in self.param_groups:
            for factor in (p for p in group["params"] if p.grad is not None):
                step = adam_direction(
                    self.state[factor], factor.grad.to(working_type(factor)), group["betas"], group["eps"]
                )
                length, size = float(factor.norm()), float(step.norm())
                trust = length / size if length > 0 and size > 0 else 1.0
                factor.sub_(group["lr"] * trust * step)
        return loss


class Shampoo(Optimizer):
    """Shampoo (Gupta et al., 2018): L^(−1/4) G R^(−1/4) with L = Σ G Gᵀ and R = Σ Gᵀ G.

    Args:
        params: Matrices, or groups.
        lr: η.
        beta: Decay of momentum on the gradient; 0 is none.
        eps: ε I is added to L and R at the start.
        every: Steps between recomputations of the roots, after as many with one in each.
        decay: Decay of L and R, with bias correction; 1 sums.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        *,
        beta: float = 0.9,
        eps: float = 1e-6,
        every: int = 10,
        decay: float = 0.999,
    ) -> None:
        super().__init__(params, {"lr": lr, "beta": beta, "eps": eps, "every": every, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> float | None:  # type: ignore[override]
        """One step."""
        loss = _loss(closure)
        for group in self.param_groups:
            for factor in (p for p in group["params"] if p.grad is not None):
                slope = factor.grad.to(working_type(factor))
                factor.sub_(group["lr"] * _shampoo_step(self.state[factor], slope, group))
        return loss


def _shampoo_step(state: dict[str, Any], slope: Tensor, group: dict[str, Any]) -> Tensor:
    if not state:
        world: dict[str, Any] = {"dtype": slope.dtype, "device": slope.device}
        state["left"] = group["eps"] * torch.eye(slope.shape[0], **world)
        state["right"] = group["eps"] * torch.eye(slope.shape[1], **world)
        state.update(step=torch.zeros(()), first=torch.zeros_like(slope))
    new = 1.0 if group["decay"] == 1.0 else 1 - group["decay"]
    state["left"].mul_(group["decay"]).add_(slope @ slope.mT, alpha=new)
    state["right"].mul_(group["decay"]).add_(slope.mT @ slope, alpha=new)
    state["step"] += 1
    count = int(state["step"])
    # Early on the statistics double from step to step, and A's are empty while B is zero.
    if count <= group["every"] or (count - 1) % group["every"] == 0:
        seen = 1.0 if group["decay"] == 1.0 else 1 - group["decay"] ** count
        for side in ("left", "right"):
            state[f"{side}_root"] = _fourth_root(state[side] / seen)
    state["first"].lerp_(slope, 1 - group["beta"])
    step: Tensor = state["left_root"] @ state["first"] @ state["right_root"]
    return step


def _fourth_root(matrix: Tensor) -> Tensor:
    """``matrix^(−1/4)``; directions without mass map to 0."""
    if not bool(torch.isfinite(matrix).all()):
        raise DivergedError("A gradient is not finite", where="Shampoo", fix="Lower the learning rate.")
    values, vectors = torch.linalg.eigh(matrix)
    floor = torch.finfo(values.dtype).eps * values[-1].clamp(min=0)
    root: Tensor = (vectors * torch.where(values > floor, values.clamp(min=0) ** -0.25, 0.0)) @ vectors.mT
    return root
