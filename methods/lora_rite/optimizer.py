"""LoRA-RITE (section 3): an Adam-like optimizer that does not see how Z = A Bᵀ is split.

Each factor's gradient is expressed in the orthonormal basis of the other factor, moments are
carried along as that basis turns, and the step is mapped back. Pairs of equal shape are computed
together; shapes below are (k pairs, m or n rows, r columns).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor

from harness.method import DivergedError, ProblemError
from methods.lora_rite.matrices import escaped_mass, inverse_root, orthonormal, symmetric
from methods.lora_rite.pairs import Pair, PairOptimizer, Source, tall, working_type

_KEYS = ("moment", "basis", "second", "values", "mass", "step")


@dataclass
class _Side:
    """State of one factor of k pairs; each tensor's first axis is the pair.

    Attributes:
        moment: M, the first moment of the preconditioned step, (k, m, r).
        basis: U of this factor at the last step, (k, m, r).
        second: V, (k, r, r).
        values: Eigenvalues of V, (k, r).
        mass: ρ, the escaped mass, (k,).
        step: Steps taken, (k,).
    """

    moment: Tensor
    basis: Tensor
    second: Tensor
    values: Tensor
    mass: Tensor
    step: Tensor


@dataclass
class _Stack:
    """Active pairs of one group with equal shapes."""

    pairs: list[Pair]
    group: dict[str, Any]
    sides: tuple[_Side, _Side]


@dataclass
class _Step:
    """What one step computes before anything is written: factors, bases, unmagnified gradients."""

    stack: _Stack
    factors: tuple[Tensor, Tensor]
    bases: tuple[Tensor, Tensor]
    inverses: tuple[Tensor, Tensor]
    gradients: tuple[Tensor, Tensor]


class LoraRite(PairOptimizer):
    """LoRA-RITE over LoRA pairs.

    Args:
        params: A model, its named parameters, pairs, or groups (dictionaries) of these; see
            :func:`methods.lora_rite.pairs.find_pairs`.
        lr: η.
        betas: Decay of first and second moments; bias is corrected in the decay itself,
            β(1 − β^(t−1))/(1 − β^t).
        eps: Added to the roots of eigenvalues.
        weight_decay: Coupled decay: −ηλA and −ηλB join the step.
        clip: Largest global norm of all unmagnified gradients of the step; 0 is off.
        skip: A factor whose unmagnified gradient has a larger RMS is treated as if it were zero;
            0 is off.
        cap: Largest RMS of a factor's moment; 0 is off.
        mass: Whether the second moment keeps what projections take away (ρ).
        second: ``"ema"``, or ``"sum"`` as in the theorems.
        rows: Divide ḡᵀḡ by the number of rows, which makes first steps have RMS 1.
        balance: Give both factors the same Frobenius norm after each step; Z is unchanged.
        together: Compute pairs of equal shape together; otherwise one by one, in less memory.
    """

    def __init__(
        self,
        params: Source | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        clip: float = 1.0,
        skip: float = 1.0,
        cap: float = 0.0,
        mass: bool = True,
        second: Literal["ema", "sum"] = "ema",
        rows: bool = True,
        balance: bool = False,
        together: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "skip": skip,
            "cap": cap,
            "mass": mass,
            "second": second,
            "rows": rows,
            "balance": balance,
        }
        _check(lr=lr, betas=betas, not_negative=(eps, weight_decay, clip, skip, cap))
        self.clip = clip
        self.together = together
        self._stacks: dict[tuple[int, ...], _Stack] = {}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; both factors of a pair are updated from the same (A, B).

        Raises:
            DivergedError: If a factor or gradient is not finite.
            ProblemError: If only one factor of a pair has a gradient.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        steps = [_unmagnified(stack) for stack in self._active_stacks()]
        scale = _clip_scale(steps, self.clip)
        for item in steps:
            self._update(item, scale)
        return loss

    def transport(self, basis: Tensor, previous: Tensor) -> Tensor:
        """P = U_tᵀ U_(t−1), which carries moments over to the new basis, (k, r, r)."""
        return basis.mT @ previous

    def back(self, moment: Tensor, inverse: Tensor) -> Tensor:
        """M R^(−ᵀ): from the partner's orthonormal basis back to the factor, (k, m, r)."""
        return moment @ inverse.mT

    def _update(self, item: _Step, scale: float) -> None:
        """Steps 3 to 8 for both factors, then one write."""
        group, sides = item.stack.group, item.stack.sides
        moved = []
        for this, other in ((0, 1), (1, 0)):
            turn = self.transport(item.bases[other], sides[other].basis)
            moment = _moment(sides[this], item.gradients[this] * scale, turn, group)
            step = self.back(moment, item.inverses[other])
            if group["weight_decay"]:
                step = step + group["weight_decay"] * item.factors[this]
            moved.append(item.factors[this] - group["lr"] * step)
        for side, basis in zip(sides, item.bases, strict=True):
            side.basis.copy_(basis)
        _write(item.stack, *(_balanced(*moved) if group["balance"] else moved))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a saved state; training then goes on exactly as if it had not stopped."""
        self._stacks.clear()
        super().load_state_dict(state_dict)

    def _active_stacks(self) -> list[_Stack]:
        buckets: dict[tuple[Any, ...], list[Pair]] = {}
        for number, group in enumerate(self.param_groups):
            for pair in self.active_pairs(group):
                shape = (*pair.a.shape, *pair.b.shape, *pair.axes, pair.a.dtype, pair.a.device)
                key = (number, shape) if self.together else (number, shape, id(pair.a))
                buckets.setdefault(key, []).append(pair)
        return [self._stack(key[0], pairs) for key, pairs in buckets.items()]

    def _stack(self, number: int, pairs: list[Pair]) -> _Stack:
        """The pairs with their state side by side; kept while the same pairs stay active."""
        key = tuple(id(pair.a) for pair in pairs)
        if key not in self._stacks:
            sides = (self._side([p.a for p in pairs], pairs, 0), self._side([p.b for p in pairs], pairs, 1))
            members = set(key)
            self._stacks = {old: s for old, s in self._stacks.items() if not members & set(old)}
            self._stacks[key] = _Stack(pairs, self.param_groups[number], sides)
        stack = self._stacks[key]
        stack.group = self.param_groups[number]
        return stack

    def _side(self, factors: list[Tensor], pairs: list[Pair], which: int) -> _Side:
        """State of one side as stacked tensors, of which each factor's own state is a view."""
        for factor, pair in zip(factors, pairs, strict=True):
            if not self.state[factor]:
                self.state[factor].update(_fresh(tall(factor, pair.axes[which])))
        stacked = {key: torch.stack([self.state[factor][key] for factor in factors]) for key in _KEYS}
        for number, factor in enumerate(factors):
            self.state[factor].update({key: stacked[key][number] for key in _KEYS})
        return _Side(**stacked)


def _check(*, lr: float, betas: tuple[float, float], not_negative: tuple[float, ...]) -> None:
    if not lr > 0 or not all(0 <= beta < 1 for beta in betas) or min(not_negative) < 0:
        raise ProblemError(
            f"The learning rate must be positive, betas in [0, 1), the other numbers not negative "
            f"(lr {lr}, betas {betas}, eps, weight_decay, clip, skip and cap {not_negative})",
            where="LoraRite",
            fix="Use 0 to switch clip, skip or cap off.",
        )


def _fresh(factor: Tensor) -> dict[str, Tensor]:
    """State before the first step: everything zero."""
    rows, rank = factor.shape
    world: dict[str, Any] = {"dtype": working_type(factor), "device": factor.device}
    return {
        "moment": torch.zeros((rows, rank), **world),
        "basis": torch.zeros((rows, rank), **world),
        "second": torch.zeros((rank, rank), **world),
        "values": torch.zeros((rank,), **world),
        "mass": torch.zeros((), **world),
        "step": torch.zeros((), **world),
    }


def _gather(tensors: list[Tensor], axis: int) -> Tensor:
    """Factors (or gradients) of equal shape as one contiguous stack, rank last."""
    stacked = torch.stack(tensors)
    return tall(stacked, axis).to(working_type(stacked)).contiguous()


def _unmagnified(stack: _Stack) -> _Step:
    """Steps 1 and 2: bases U, inverse magnitudes, and ḡ_A = ∇A R_B⁻¹, ḡ_B = ∇B R_A⁻¹."""
    pairs, axes = stack.pairs, stack.pairs[0].axes
    a, b = _gather([p.a for p in pairs], axes[0]), _gather([p.b for p in pairs], axes[1])
    slope_a = _gather([cast("Tensor", p.a.grad) for p in pairs], axes[0])
    slope_b = _gather([cast("Tensor", p.b.grad) for p in pairs], axes[1])
    _refuse_infinite(pairs, (a, b, slope_a, slope_b))
    basis_a, inverse_a = orthonormal(a)
    basis_b, inverse_b = orthonormal(b)
    skip = stack.group["skip"]
    gradients = (_kept(slope_a @ inverse_b, skip), _kept(slope_b @ inverse_a, skip))
    return _Step(stack, (a, b), (basis_a, basis_b), (inverse_a, inverse_b), gradients)


def _refuse_infinite(pairs: list[Pair], tensors: tuple[Tensor, ...]) -> None:
    sums = torch.stack([tensor.sum((1, 2)) for tensor in tensors])
    if not bool(torch.isfinite(sums).all()):
        at = int(torch.nonzero(~torch.isfinite(sums).all(0))[0, 0])
        raise DivergedError(
            "A LoRA factor or its gradient is not finite",
            where=pairs[at].name,
            fix="Lower the learning rate, or add warm-up.",
        )


def _kept(gradient: Tensor, skip: float) -> Tensor:
    """Zero where the RMS of a factor's unmagnified gradient is above ``skip``."""
    if not skip:
        return gradient
    size = gradient.square().mean((1, 2), keepdim=True).sqrt()
    return torch.where(size > skip, 0.0, gradient)


def _clip_scale(steps: list[_Step], clip: float) -> float:
    if not clip or not steps:
        return 1.0
    total = sum(float(g.square().sum()) for item in steps for g in item.gradients) ** 0.5
    return min(1.0, clip / total) if total > 0 else 1.0


def _moment(side: _Side, gradient: Tensor, turn: Tensor, group: dict[str, Any]) -> Tensor:
    """Steps 3 to 7 for one factor: carry moments over, precondition, average.

    Args:
        side: State, changed in place.
        gradient: ḡ, (k, m, r).
        turn: P = U_tᵀ U_(t−1) of the *other* factor, (k, r, r).
        group: Options.

    Returns:
        M, (k, m, r).
    """
    side.step += 1
    keep_first, keep_second = (_decay(beta, side.step)[:, None, None] for beta in group["betas"])
    weight = 1 - keep_second
    if group["second"] == "sum":
        keep_second, weight = torch.ones_like(keep_second), torch.ones_like(weight)
    carried = symmetric(turn @ side.second @ turn.mT)
    if group["mass"]:
        side.mass.add_(escaped_mass(side.values, carried)).mul_(keep_second[:, 0, 0])
    outer = gradient.mT @ gradient / (gradient.shape[1] if group["rows"] else 1)
    side.second.copy_(symmetric(keep_second * carried + weight * outer))
    root, values = inverse_root(side.second, side.mass, group["eps"])
    side.values.copy_(values)
    side.moment.copy_(
        side.moment @ (keep_first * turn.mT) + gradient @ ((1 - keep_first) * root),
    )
    if group["cap"]:
        size = side.moment.square().mean((1, 2), keepdim=True).sqrt()
        side.moment.mul_(group["cap"] / size.clamp(min=group["cap"]))
    return side.moment


def _decay(beta: float, step: Tensor) -> Tensor:
    """β̂ = β(1 − β^(t−1))/(1 − β^t): 0 at t = 1, then towards β."""
    return beta * (1 - beta ** (step - 1)) / (1 - beta**step)


def _balanced(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    left, right = a.square().sum((1, 2), keepdim=True), b.square().sum((1, 2), keepdim=True)
    scale = torch.where((left > 0) & (right > 0), (right / left) ** 0.25, 1.0)
    return a * scale, b / scale


def _write(stack: _Stack, a: Tensor, b: Tensor) -> None:
    for number, pair in enumerate(stack.pairs):
        pair.a.copy_(tall(a[number], pair.axes[0]))
        pair.b.copy_(tall(b[number], pair.axes[1]))
