"""LoRA-RITE (card, section 3.3): an Adam-like optimizer that does not see how Z = A Bᵀ is split.

Each factor's gradient is expressed in the orthonormal basis of the other factor, moments are
carried along as that basis turns, and the step is mapped back. Everything small (r×r) is computed
for all pairs of one rank together, everything tall for all factors of one shape. Shapes below
are those of k pairs of rank r.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from harness.method import DivergedError, ProblemError
from methods.lora_rite.companion import EPSILON, Companion, role_of
from methods.lora_rite.matrices import add_right, escaped_mass, inverse_root, right, symmetric
from methods.lora_rite.options import check_options, check_rate
from methods.lora_rite.pairs import PairOptimizer, Source, split_adapters
from methods.lora_rite.skipping import SkipWatch
from methods.lora_rite.stacks import Cohort, Scratch
from methods.lora_rite.unmagnified import Decomposition, Flags, Prepared, decompose, repair, unmagnify


class LoraRite(PairOptimizer):
    """LoRA-RITE over LoRA pairs, and AdamW over what an adapter trains besides.

    Args:
        params: A model, its named parameters (frozen ones are left aside), pairs, or groups (dictionaries)
            of these; see :func:`methods.lora_rite.pairs.find_pairs`. What a model or named parameters
            hold besides pairs (magnitudes of DoRA, saved modules, biases, trainable tokens) gets a group
            for each kind and AdamW; a group of any other parameters, named or not, gets it with
            ``companion=True``.
        lr: η.
        betas: Decay of first and second moments; bias is corrected in the decay itself,
            β(1 − β^(t−1))/(1 − β^t).
        eps: Added to the roots of eigenvalues.
        weight_decay: Coupled decay: −ηλA and −ηλB join the step.
        clip: Largest global norm of all unmagnified gradients of a step, the same for all groups; 0 is off.
        skip: A factor whose unmagnified gradient has a larger RMS is treated as if it were zero;
            0 is off. A factor that stands still by this for several steps is told in a warning.
        cap: Largest RMS of a factor's step before it is mapped back; the moment is kept as it is. 0 is off.
        mass: Whether the second moment keeps what projections take away (ρ).
        second: ``"ema"``, or ``"sum"`` as in the theorems.
        rows: Divide ḡᵀḡ by the number of rows, which makes first steps have RMS 1.
        balance: Give both factors the same Frobenius norm after each step; Z is unchanged.
        master: Keep float32 copies of bfloat16 and float16 parameters, without which small steps are
            rounded away.
        companion_lr: Rate of AdamW, without decay unless a group has its own.

    Raises:
        ProblemError: For options out of range, and parameters that are neither.
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
        master: bool = True,
        companion_lr: float = 1e-4,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "clip": clip,
            "skip": skip,
            "cap": cap,
            "mass": mass,
            "second": second,
            "rows": rows,
            "balance": balance,
            "master": master,
            "companion": False,
            "companion_lr": companion_lr,
        }
        check_options(defaults, where="LoraRite")
        self._forget()
        self.skips = SkipWatch()
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: of pairs, and of what a source has besides; or of others with ``companion=True``.

        Raises:
            ProblemError: As :func:`methods.lora_rite.pairs.find_pairs`, and for bad options.
        """
        options = {name: value for name, value in param_group.items() if name != "params"}
        check_options({**self.defaults, **options}, where="param_groups")
        clips = {group["clip"] for group in self.param_groups}
        if clips and clips != {options.get("clip", self.defaults["clip"])}:
            raise ProblemError(
                "clip is of all groups together",
                where="param_groups",
                fix="Give it to the optimizer, or the same to each group.",
            )
        if options.get("companion"):
            self._add_companions(list(param_group["params"]), options)
            return
        pairs, others = split_adapters(param_group["params"])
        strangers = [name for name, _ in others if role_of(name) is None]
        if strangers:
            raise ProblemError(
                "A trainable parameter is no LoRA factor",
                where=strangers[0],
                fix="Freeze it (requires_grad_(False)), or give it a group with companion=True.",
            )
        if not pairs:
            raise ProblemError(
                "There is no LoRA pair to train",
                where="param_groups",
                fix="Add LoRA layers before the optimizer is made.",
            )
        self.add_pairs(pairs, options)
        rate = options.get("companion_lr", self.defaults["companion_lr"])
        for role in dict.fromkeys(role_of(name) for name, _ in others):
            members = [item for item in others if role_of(item[0]) == role]
            self._add_companions(members, {**options, "lr": rate, "weight_decay": 0.0, "eps": EPSILON})

    def _add_companions(self, items: list[Any], options: Mapping[str, Any]) -> None:
        named = [
            item if isinstance(item, tuple) else (f"parameter {number}", item)
            for number, item in enumerate(items)
        ]
        trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
        if not trained:
            raise ProblemError("There is nothing to train in a companion group", where="param_groups")
        own = {"lr": self.defaults["companion_lr"], "weight_decay": 0.0, "eps": EPSILON}
        names, parameters = [name for name, _ in trained], [parameter for _, parameter in trained]
        found = {**own, **options, "companion": True}
        self._add({**found, "params": parameters, "names": names, "axes": []})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; both factors of a pair are updated from the same (A, B).

        The host waits for the device once; a second time where bases need Householder QR.

        Raises:
            DivergedError: If a factor or gradient is not finite.
            ProblemError: If only one factor of a pair has a gradient, or a rate has become negative.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            check_rate(group["lr"], where="param_groups")
        cohorts, companions = self._active(), self._companions()
        bases = [decompose(cohort, self._scratch) for cohort in cohorts]
        prepared = [self._prepared(cohort, found) for cohort, found in zip(cohorts, bases, strict=True)]
        flags = Flags.read(prepared, [companion.sizes() for companion in companions])
        if flags.unsound:
            for number, places in flags.unsound.items():
                repair(cohorts[number], bases[number], places)
                prepared[number] = self._prepared(cohorts[number], bases[number])
            flags = Flags.read(prepared, [companion.sizes() for companion in companions])
        _refuse_infinite(flags, cohorts, companions)
        scale = _clip_scale(prepared, cohorts[0].group["clip"]) if cohorts else None
        for number, item in enumerate(prepared):
            self._update(item, scale, flags.again[number])
            self.skips.look(cohorts[number], flags.kept[number])
        for companion in companions:
            companion.step()
        return loss

    def transport(self, turn: Tensor) -> Tensor:
        """P = U_tᵀ U_(t−1) of each factor, which carries moments over to the new basis, (2k, r, r)."""
        return turn

    def back(self, inverse: Tensor) -> Tensor:
        """R^(−ᵀ), which maps moments from the partner's orthonormal basis back, (2k, r, r)."""
        return inverse.mT

    def state_dict(self) -> dict[str, Any]:
        """All state; options, ``clip`` among them, are those of the groups."""
        return {**super().state_dict(), "skips": self.skips.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a saved state; training then goes on exactly as if it had not stopped."""
        super().load_state_dict(state_dict)
        self.skips.load_state_dict(state_dict.get("skips", {}))

    def __getstate__(self) -> dict[str, Any]:
        # Entries are views, and a pickle would write the whole stack for each.
        state = defaultdict[Tensor, dict[str, Tensor]](dict)
        for parameter, entries in self.state.items():
            state[parameter] = {key: value.clone() for key, value in entries.items()}
        return {**super().__getstate__(), "state": state, "skips": self.skips}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._forget()
        for group in self.param_groups:
            # States of before there was such an option.
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def _forget(self) -> None:
        self._seen: dict[int, tuple[Any, list[Cohort]]] = {}
        self._scratch = Scratch()

    def _active(self) -> list[Cohort]:
        """The cohorts of all pairs with gradients; kept while the same pairs stay active."""
        found: list[Cohort] = []
        for number, group in enumerate(self.param_groups):
            if group["companion"]:
                continue
            sign = [(p.grad is None, p.dtype, p.device) for p in group["params"]]
            known, cohorts = self._seen.get(number, (None, []))
            if known != sign or not all(cohort.is_of(self.state) for cohort in cohorts):
                cohorts = self._regrouped(number)
                self._seen[number] = (sign, cohorts)
            for cohort in cohorts:
                cohort.group = group
            found += cohorts
        return found

    def _regrouped(self, number: int) -> list[Cohort]:
        """The cohorts of a group, opened anew where other pairs are active than before."""
        group = self.param_groups[number]
        kinds: dict[tuple[Any, ...], list[Any]] = {}
        for pair in self.active_pairs(group):
            kinds.setdefault((pair.rank, pair.a.dtype, pair.a.device), []).append(pair)
        _, before = self._seen.get(number, (None, []))
        members = {id(f) for pairs in kinds.values() for pair in pairs for f in (pair.a, pair.b)}
        cohorts = [Cohort.open(pairs, group, self.state, master=group["master"]) for pairs in kinds.values()]
        for cohort in before:
            cohort.release(self.state, {id(f) for f in cohort.factors} - members)
        return cohorts

    def _companions(self) -> list[Companion]:
        groups = [group for group in self.param_groups if group["companion"]]
        found = [Companion(group, self.state) for group in groups]
        return [companion for companion in found if companion.parameters]

    def _prepared(self, cohort: Cohort, bases: Decomposition) -> Prepared:
        return unmagnify(cohort, bases, self.transport, self._scratch)

    def _update(self, item: Prepared, scale: Tensor | None, again: list[bool]) -> None:
        """Steps 4 to 8 for all factors.

        Args:
            item: Steps 1 to 3.
            scale: Of clipping.
            again: Which factors' bases had a second pass.
        """
        cohort, group = item.cohort, item.cohort.group
        count, rate = len(cohort.pairs), float(group["lr"])
        weight = item.kept if scale is None else item.kept * scale.to(item.kept)
        turn = item.turn.roll(count, dims=0)
        keep, root = _preconditioner(cohort, item.outer * weight[:, None, None] ** 2, turn)
        carry, fresh = keep * turn.mT, (1 - keep) * weight[:, None, None] * root
        # ḡ itself is not kept: it enters the moment as ∇ (R⁻¹ (V + ρI)^(−1/2)).
        fresh = torch.bmm(item.bases.inverse.roll(count, dims=0), fresh)
        back = self.back(item.bases.inverse).roll(count, dims=0)
        small = zip(*map(cohort.parts, (carry, fresh, back, item.bases.second)), strict=True)
        for stack, places, (c, f, b, second) in zip(cohort.stacks, cohort.places, small, strict=True):
            if any(again[place] for place in places):
                right(stack.fresh, second, stack.axis, out=stack.basis)
            else:
                stack.basis.copy_(stack.fresh)
            given = stack.gathered([x.grad for x in stack.factors], self._scratch.like(stack, "given"))
            carried = right(stack.moment, c, stack.axis, out=self._scratch.like(stack, "made"))
            add_right(carried, given, f, stack.axis, out=stack.moment)
            if group["cap"]:
                size = stack.moment.square().mean((1, 2), keepdim=True).sqrt()
                b.mul_(group["cap"] / size.clamp(min=group["cap"]))
            step = right(stack.moment, b, stack.axis, out=carried)
            targets = stack.targets()
            if group["weight_decay"]:
                torch._foreach_mul_(targets, 1.0 - rate * group["weight_decay"])
            torch._foreach_add_(targets, list(step.unbind()), alpha=-rate)
        if group["balance"]:
            _balance(cohort)
        for stack in cohort.stacks:
            stack.publish()


def _refuse_infinite(flags: Flags, cohorts: list[Cohort], companions: list[Companion]) -> None:
    names = [
        cohort.pairs[place % len(cohort.pairs)].name
        for number, place in flags.infinite
        for cohort in [cohorts[number]]
    ]
    names += [companions[number].names[place] for number, place in flags.infinite_companions]
    if names:
        raise DivergedError(
            "A LoRA factor, another parameter of the adapter, or its gradient is not finite",
            where=names[0],
            fix="Lower the learning rate, or add warm-up.",
        )


def _clip_scale(steps: list[Prepared], clip: float) -> Tensor | None:
    """What brings the norm of all unmagnified gradients down to ``clip``, float64 without dimensions."""
    if not clip:
        return None
    device = steps[0].outer.device
    squares = [(item.square * item.kept).sum(dtype=torch.float64).to(device) for item in steps]
    total: Tensor = torch.stack(squares).sum().sqrt()
    return (clip / total).clamp(max=1.0)


def _preconditioner(cohort: Cohort, outer: Tensor, turn: Tensor) -> tuple[Tensor | float, Tensor]:
    """Steps 4 to 6: carry second moments over and update them.

    Args:
        cohort: State, changed in place.
        outer: ḡᵀḡ after skipping and clipping, (2k, r, r).
        turn: P of each factor's partner, (2k, r, r).

    Returns:
        β̂₁, a number or (2k, 1, 1), and (V + ρI)^(−1/2), (2k, r, r).
    """
    group = cohort.group
    cohort.step += 1
    cohort.counts = [count + 1 for count in cohort.counts]
    keep_first, keep_second = (_decay(beta, cohort.counts, outer) for beta in group["betas"])
    weight = 1 - keep_second
    if group["second"] == "sum":
        keep_second = weight = 1.0
    carried = symmetric(torch.bmm(torch.bmm(turn, cohort.second), turn.mT))
    if group["mass"]:
        lost = escaped_mass(cohort.values, carried)
        cohort.mass.add_(lost).mul_(keep_second if isinstance(keep_second, float) else keep_second[:, 0, 0])
    if group["rows"]:
        outer = outer / cohort.rows[:, None, None]
    cohort.second.copy_(symmetric(keep_second * carried + weight * outer))
    root, values = inverse_root(cohort.second, cohort.mass, group["eps"])
    cohort.values.copy_(values)
    return keep_first, root


def _decay(beta: float, counts: list[int], like: Tensor) -> Tensor | float:
    """β̂ = β(1 − β^(t−1))/(1 − β^t): 0 at t = 1, then towards β; one number where t is one."""
    found = [beta * (1 - beta ** (t - 1)) / (1 - beta**t) for t in counts]
    if len(set(counts)) == 1:
        return found[0]
    return torch.tensor(found, dtype=like.dtype, device=like.device)[:, None, None]


def _balance(cohort: Cohort) -> None:
    """Bring both factors of each pair to the same norm; a pair with a factor without length stays."""
    targets: list[Tensor] = [cohort.rows] * len(cohort.factors)
    for stack, places in zip(cohort.stacks, cohort.places, strict=True):
        for place, target in zip(places, stack.targets(), strict=True):
            targets[place] = target
    count = len(cohort.pairs)
    norms = torch.stack([target.norm() for target in targets])
    left, right_ = norms[:count], norms[count:]
    scale = torch.where((left > 0) & (right_ > 0), (right_ / left).sqrt(), 1.0)
    torch._foreach_mul_(targets, list(torch.cat([scale, 1.0 / scale]).unbind()))
