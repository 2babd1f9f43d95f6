"""LoRA-RITE (card, section 3.3): an Adam-like optimizer that does not see how Z = A Bᵀ is split.

Each factor's gradient is expressed in the orthonormal basis of the other factor, moments are
carried along as that basis turns, and the step is mapped back. Everything small (r×r) is computed
for all pairs of one rank together; factors are read in place, in few passes. Shapes below
are those of k pairs of rank r.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor

from harness.method import DivergedError, ProblemError
from methods.lora_rite.matrices import (
    add_right,
    escaped_mass,
    inner,
    inverse_root,
    orthonormal,
    right,
    symmetric,
)
from methods.lora_rite.pairs import Pair, PairOptimizer, Source, working_type

_KEYS = ("second", "values", "mass", "step")


@dataclass
class _Cohort:
    """Active pairs of one group and one rank; index i < k is the A of pair i, k + i its B.

    Attributes:
        pairs: The k pairs, of any shapes.
        group: Their parameter group.
        factors: A of each pair, then B of each pair.
        axes: Which axis of each factor is the rank.
        second: V, (2k, r, r).
        values: Eigenvalues of V, (2k, r).
        mass: ρ, the escaped mass, (2k,).
        step: Steps taken, (2k,).
    """

    pairs: list[Pair]
    group: dict[str, Any]
    factors: list[Tensor]
    axes: list[int]
    second: Tensor
    values: Tensor
    mass: Tensor
    step: Tensor

    @property
    def rows(self) -> Tensor:
        """m or n of each factor, (2k,)."""
        sizes = [factor.numel() / self.second.shape[-1] for factor in self.factors]
        return torch.tensor(sizes, dtype=self.second.dtype, device=self.second.device)


@dataclass
class _Step:
    """What one step computes before anything is written.

    Attributes:
        cohort: Whose step it is.
        inverse: Inverse magnitudes R⁻¹, (2k, r, r).
        turn: P of each factor's own basis, (2k, r, r).
        bases: New bases, each in the layout of its factor.
        gradients: Unmagnified gradients ḡ, in the same layouts.
        outer: ḡᵀḡ, (2k, r, r).
    """

    cohort: _Cohort
    inverse: Tensor
    turn: Tensor
    bases: list[Tensor]
    gradients: list[Tensor]
    outer: Tensor


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
        self._cohorts: dict[tuple[int, ...], _Cohort] = {}
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
        steps = [self._unmagnified(cohort) for cohort in self._active()]
        scale = _clip_scale(steps, self.clip)
        for item in steps:
            self._update(item, scale)
        return loss

    def transport(self, basis: Tensor, previous: Tensor, axis: int) -> Tensor:
        """P = U_tᵀ U_(t−1), which carries moments over to the new basis, (r, r)."""
        return inner(basis, previous, axis)

    def back(self, inverse: Tensor) -> Tensor:
        """R^(−ᵀ), which maps moments from the partner's orthonormal basis back, (2k, r, r)."""
        return inverse.mT

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a saved state; training then goes on exactly as if it had not stopped."""
        self._cohorts.clear()
        super().load_state_dict(state_dict)

    def _active(self) -> list[_Cohort]:
        found: dict[tuple[Any, ...], list[Pair]] = {}
        for number, group in enumerate(self.param_groups):
            for pair in self.active_pairs(group):
                kind = (number, pair.rank, working_type(pair.a), pair.a.device)
                found.setdefault(kind, []).append(pair)
        return [self._cohort(key[0], pairs) for key, pairs in found.items()]

    def _cohort(self, number: int, pairs: list[Pair]) -> _Cohort:
        """The pairs with their small state side by side; kept while the same pairs stay active."""
        key = tuple(id(pair.a) for pair in pairs)
        if key not in self._cohorts:
            factors = [pair.a for pair in pairs] + [pair.b for pair in pairs]
            axes = [pair.axes[0] for pair in pairs] + [pair.axes[1] for pair in pairs]
            for factor, axis in zip(factors, axes, strict=True):
                if not self.state[factor]:
                    self.state[factor].update(_fresh(factor, axis))
            stacked = {name: torch.stack([self.state[f][name] for f in factors]) for name in _KEYS}
            # Entries of the state become views of the stacks: a cohort is updated in place, so that
            # ``state_dict`` sees the new values.
            for place, factor in enumerate(factors):
                self.state[factor].update({name: stacked[name][place] for name in _KEYS})
            members = set(key)
            self._cohorts = {old: c for old, c in self._cohorts.items() if not members & set(old)}
            self._cohorts[key] = _Cohort(pairs, self.param_groups[number], factors, axes, **stacked)
        cohort = self._cohorts[key]
        cohort.group = self.param_groups[number]
        return cohort

    def _unmagnified(self, cohort: _Cohort) -> _Step:
        """Steps 1 to 3: bases U, inverse magnitudes, ḡ_A = ∇A R_B⁻¹ and ḡ_B = ∇B R_A⁻¹, and P."""
        kind, axes, count = cohort.second.dtype, cohort.axes, len(cohort.pairs)
        bases, inverse = orthonormal([factor.detach().to(kind) for factor in cohort.factors], axes)
        slopes = [cast("Tensor", factor.grad).to(kind) for factor in cohort.factors]
        # Rolling by k exchanges the entries of A and B of each pair.
        partner = inverse.roll(count, dims=0)
        gradients = [right(g, n, axis) for g, n, axis in zip(slopes, partner, axes, strict=True)]
        outer = torch.stack([inner(g, g, axis) for g, axis in zip(gradients, axes, strict=True)])
        _refuse_infinite(cohort, inverse, outer)
        turn = torch.stack(
            [
                self.transport(basis, self.state[factor]["basis"], axis)
                for basis, factor, axis in zip(bases, cohort.factors, axes, strict=True)
            ]
        )
        size = outer.diagonal(dim1=-2, dim2=-1).sum(-1) / (cohort.rows * outer.shape[-1])
        if cohort.group["skip"]:
            kept = size.sqrt() <= cohort.group["skip"]
            outer = outer * kept[:, None, None]
            gradients = [g if keep else torch.zeros_like(g) for g, keep in zip(gradients, kept, strict=True)]
        return _Step(cohort, inverse, turn, bases, gradients, outer)

    def _update(self, item: _Step, scale: float) -> None:
        """Steps 4 to 8 for all factors."""
        cohort, group = item.cohort, item.cohort.group
        count, decay = len(cohort.pairs), 1.0 - group["lr"] * group["weight_decay"]
        turn = item.turn.roll(count, dims=0)
        keep, root = _preconditioner(cohort, item.outer * scale**2, turn)
        carry, fresh = keep * turn.mT, (1 - keep) * scale * root
        back = self.back(item.inverse).roll(count, dims=0)
        for place, (factor, axis) in enumerate(zip(cohort.factors, cohort.axes, strict=True)):
            state = self.state[factor]
            moment = right(state["moment"], carry[place], axis)
            add_right(moment, item.gradients[place], fresh[place], axis)
            if group["cap"]:
                moment *= group["cap"] / moment.square().mean().sqrt().clamp(min=group["cap"])
            state["moment"], state["basis"] = moment, item.bases[place]
            # Factors of lower precision are converted up and back once a step.
            moved = factor if factor.dtype == moment.dtype else factor.to(moment.dtype)
            add_right(moved, moment, back[place], axis, beta=decay, alpha=-group["lr"])
            if moved is not factor:
                factor.copy_(moved)
        if group["balance"]:
            for pair in cohort.pairs:
                _balance(pair)


def _check(*, lr: float, betas: tuple[float, float], not_negative: tuple[float, ...]) -> None:
    if not lr > 0 or not all(0 <= beta < 1 for beta in betas) or min(not_negative) < 0:
        raise ProblemError(
            f"The learning rate must be positive, betas in [0, 1), the other numbers not negative "
            f"(lr {lr}, betas {betas}, eps, weight_decay, clip, skip and cap {not_negative})",
            where="LoraRite",
            fix="Use 0 to switch clip, skip or cap off.",
        )


def _fresh(factor: Tensor, axis: int) -> dict[str, Tensor]:
    """State before the first step: everything zero."""
    rank = factor.shape[axis]
    world: dict[str, Any] = {"dtype": working_type(factor), "device": factor.device}
    return {
        "moment": torch.zeros(factor.shape, **world),
        "basis": torch.zeros(factor.shape, **world),
        "second": torch.zeros((rank, rank), **world),
        "values": torch.zeros((rank,), **world),
        "mass": torch.zeros((), **world),
        "step": torch.zeros((), **world),
    }


def _refuse_infinite(cohort: _Cohort, inverse: Tensor, outer: Tensor) -> None:
    finite = torch.isfinite(inverse.sum((1, 2)) + outer.sum((1, 2)))
    if not bool(finite.all()):
        at = int(torch.nonzero(~finite)[0, 0]) % len(cohort.pairs)
        raise DivergedError(
            "A LoRA factor or its gradient is not finite",
            where=cohort.pairs[at].name,
            fix="Lower the learning rate, or add warm-up.",
        )


def _clip_scale(steps: list[_Step], clip: float) -> float:
    """What brings the norm of all unmagnified gradients down to ``clip``."""
    if not clip or not steps:
        return 1.0
    total = sum(float(item.outer.diagonal(dim1=-2, dim2=-1).sum()) for item in steps) ** 0.5
    return min(1.0, clip / total) if total > 0 else 1.0


def _preconditioner(cohort: _Cohort, outer: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Steps 4 to 6: carry second moments over and update them.

    Args:
        cohort: State, changed in place.
        outer: ḡᵀḡ after clipping, (2k, r, r).
        turn: P of each factor's partner, (2k, r, r).

    Returns:
        β̂₁, (2k, 1, 1), and (V + ρI)^(−1/2), (2k, r, r).
    """
    group = cohort.group
    cohort.step += 1
    keep_first, keep_second = (_decay(beta, cohort.step)[:, None, None] for beta in group["betas"])
    weight = 1 - keep_second
    if group["second"] == "sum":
        keep_second, weight = torch.ones_like(keep_second), torch.ones_like(weight)
    carried = symmetric(turn @ cohort.second @ turn.mT)
    if group["mass"]:
        cohort.mass.add_(escaped_mass(cohort.values, carried)).mul_(keep_second[:, 0, 0])
    if group["rows"]:
        outer = outer / cohort.rows[:, None, None]
    cohort.second.copy_(symmetric(keep_second * carried + weight * outer))
    root, values = inverse_root(cohort.second, cohort.mass, group["eps"])
    cohort.values.copy_(values)
    return keep_first, root


def _decay(beta: float, step: Tensor) -> Tensor:
    """β̂ = β(1 − β^(t−1))/(1 − β^t): 0 at t = 1, then towards β."""
    return beta * (1 - beta ** (step - 1)) / (1 - beta**step)


def _balance(pair: Pair) -> None:
    left, right_ = pair.a.norm(), pair.b.norm()
    if left > 0 and right_ > 0:
        scale = (right_ / left).sqrt()
        pair.a.mul_(scale)
        pair.b.div_(scale)
