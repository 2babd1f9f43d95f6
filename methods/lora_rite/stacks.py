"""Factors side by side: what LoRA-RITE keeps for pairs that it steps together.

A :class:`Cohort` is all pairs of one rank, whose small matrices are one batch; a :class:`Stack` is those of
its factors that have equal shapes. Entries of the optimizer's state are views of both, so that
``state_dict`` sees every step.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from methods.lora_rite.pairs import Pair, working_type

_SMALL = ("second", "values", "mass", "step")
_NARROW = 16
"""Below this rank every stack has the rank first: BLAS is several times slower on n×r with so small an r,
and turning a factor costs less. From it on, turning costs more than it saves."""
_AT_ONCE = {"cpu": 2**18}
_AT_ONCE_ELSEWHERE = 2**22
"""Numbers in a stack, by device: batched calls need scratch of this size, whatever the model's; on a CPU it
stays in the caches between them."""

States = MutableMapping[Tensor, dict[str, Any]]


class Scratch:
    """Memory for what lives during the work on one stack.

    To ask the system for it anew in every step may cost more than the products that fill it.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[Any, ...], Tensor] = {}

    def like(self, stack: Stack, name: str) -> Tensor:
        """Room for numbers like the moments of a stack, until another stack asks under this name."""
        moment = stack.moment
        key = (name, moment.dtype, moment.device)
        held = self._held.get(key)
        if held is None or held.numel() < moment.numel():
            held = self._held[key] = torch.empty(moment.numel(), dtype=moment.dtype, device=moment.device)
        return held[: moment.numel()].view(moment.shape)


@dataclass
class Stack:
    """Factors of equal shapes, side by side.

    Attributes:
        factors: s factors.
        turned: Which of them have another layout than the stack.
        axis: Axis of the rank in the stack's layout, in which a factor is r×n (0) or n×r (1).
        moment: M, (s, r, n) or (s, n, r).
        basis: U of the last step, in the same layout.
        fresh: Room for the next U, which replaces the last one only once the step is known to be sound.
        master: The factors in float32 if they have less; else ``None``.
    """

    factors: list[Tensor]
    turned: list[bool]
    axis: int
    moment: Tensor
    basis: Tensor
    fresh: Tensor
    master: Tensor | None

    def views(self, tensors: Iterable[Tensor | None]) -> list[Tensor]:
        """Tensors in the factors' layouts, as the stack has them."""
        pairs = zip(tensors, self.turned, strict=True)
        return [tensor.mT if turned else tensor for tensor, turned in pairs if tensor is not None]

    def gathered(self, tensors: Iterable[Tensor | None], out: Tensor) -> Tensor:
        """Tensors in the factors' layouts, copied to ``out``; a single one that fits stays where it is."""
        views = self.views(tensors)
        if len(views) == 1 and not self.turned[0] and views[0].dtype == out.dtype:
            return views[0].detach()[None]
        if views[0].dtype == out.dtype:
            torch.stack(views, out=out)
        else:
            out.copy_(torch.stack(views))
        return out

    def current(self, out: Tensor) -> Tensor:
        """The factors, in ``out`` or where they lie; not to be changed.

        Where a master copy no longer rounds to its factor, the factor counts.
        """
        if self.master is None:
            return self.gathered(self.factors, out)
        given = torch.stack(self.views(self.factors))
        kept = self.master.to(given.dtype) == given
        self.master.copy_(torch.where(kept, self.master, given.to(self.master.dtype)))
        return self.master

    def targets(self) -> list[Tensor]:
        """What a step changes: factors or their masters, in the stack's layout."""
        return self.views(self.factors) if self.master is None else list(self.master.unbind())

    def publish(self) -> None:
        """Give factors of low precision what their masters have come to."""
        if self.master is not None:
            torch._foreach_copy_(self.views(self.factors), list(self.master.unbind()))


@dataclass
class Cohort:
    """Active pairs of one group, rank, type and device; index i < k is the A of pair i, k + i its B.

    Attributes:
        pairs: The k pairs, of any shapes.
        group: Their parameter group.
        factors: A of each pair, then B of each pair.
        stacks: The factors again, by shape.
        places: Indices of the factors of each stack.
        order: All of them, one stack after the other; ``None`` if that is 0, 1, 2 …
        back: The inverse permutation.
        rows: m or n of each factor, (2k,).
        second: V, (2k, r, r).
        values: Eigenvalues of V, (2k, r).
        mass: ρ, the escaped mass, (2k,).
        step: Steps taken, (2k,).
        counts: The same on the host.
        states: The optimizer's entries for the factors, which are views of all this.
        skips: In how many steps each factor has been skipped in a row.
    """

    pairs: list[Pair]
    group: dict[str, Any]
    factors: list[Tensor]
    stacks: list[Stack]
    places: list[list[int]]
    order: Tensor | None
    back: Tensor | None
    rows: Tensor
    second: Tensor
    values: Tensor
    mass: Tensor
    step: Tensor
    counts: list[int]
    states: list[dict[str, Any]]
    skips: list[int] = field(default_factory=list)

    @classmethod
    def open(cls, pairs: list[Pair], group: dict[str, Any], states: States, *, master: bool) -> Cohort:
        """The pairs side by side; their state, where they have none, begins at zero."""
        factors = [pair.a for pair in pairs] + [pair.b for pair in pairs]
        axes = [pair.axes[0] for pair in pairs] + [pair.axes[1] for pair in pairs]
        rank, kind, device = pairs[0].rank, working_type(factors[0]), factors[0].device
        shapes = {"second": (rank, rank), "values": (rank,), "mass": (), "step": ()}
        fresh = {name: torch.zeros(shape, dtype=kind, device=device) for name, shape in shapes.items()}
        small = {name: torch.stack([states[f].get(name, fresh[name]) for f in factors]) for name in _SMALL}
        for place, factor in enumerate(factors):
            states[factor].update({name: small[name][place] for name in _SMALL})
        members, stacks = _members(factors, axes), []
        for axis, places in members:
            chosen = [factors[place] for place in places]
            turned = [axes[place] != axis for place in places]
            stacks.append(_stack(chosen, turned, axis, states, master=master and factors[0].dtype != kind))
        order = [place for _, places in members for place in places]
        inverse = sorted(range(len(order)), key=order.__getitem__)
        same = order == inverse == list(range(len(order)))
        return cls(
            pairs=pairs,
            group=group,
            factors=factors,
            stacks=stacks,
            places=[places for _, places in members],
            order=None if same else torch.tensor(order, device=device),
            back=None if same else torch.tensor(inverse, device=device),
            rows=torch.tensor([f.numel() / rank for f in factors], dtype=kind, device=device),
            counts=[int(count) for count in small["step"].tolist()],
            states=[states[factor] for factor in factors],
            skips=[0] * len(factors),
            **small,
        )

    def parts(self, matrices: Tensor) -> Sequence[Tensor]:
        """A batch for all factors, (2k, …), as one for each stack."""
        ordered = matrices if self.order is None else matrices.index_select(0, self.order)
        return torch.split(ordered, [len(stack.factors) for stack in self.stacks])

    def whole(self, parts: Sequence[Tensor]) -> Tensor:
        """The inverse of :meth:`parts`."""
        ordered = torch.cat(list(parts))
        return ordered if self.back is None else ordered.index_select(0, self.back)

    def is_of(self, states: States) -> bool:
        """Whether the optimizer's entries are still the ones of which this consists."""
        return all(states[f] is own for f, own in zip(self.factors, self.states, strict=True))

    def release(self, states: States, leaving: set[int]) -> None:
        """Give entries of factors that leave tensors of their own: views would keep whole stacks."""
        for factor in self.factors:
            if id(factor) in leaving:
                states[factor].update({name: value.clone() for name, value in states[factor].items()})


def _members(factors: list[Tensor], axes: list[int]) -> list[tuple[int, list[int]]]:
    """Indices of the factors of each stack, with its layout."""
    found: dict[tuple[int, int], list[int]] = {}
    for place, (factor, axis) in enumerate(zip(factors, axes, strict=True)):
        layout = 0 if factor.shape[axis] < _NARROW else axis
        found.setdefault((layout, factor.numel()), []).append(place)
    members = []
    for (layout, size), places in found.items():
        most = max(1, _AT_ONCE.get(factors[0].device.type, _AT_ONCE_ELSEWHERE) // size)
        members += [(layout, places[at : at + most]) for at in range(0, len(places), most)]
    return members


def _stack(factors: list[Tensor], turned: list[bool], axis: int, states: States, *, master: bool) -> Stack:
    """A stack with what the states know, whose entries become views of it."""
    like = factors[0].mT if turned[0] else factors[0]
    world: dict[str, Any] = {"dtype": working_type(like), "device": like.device}
    shape = (len(factors), *like.shape)
    names = ("moment", "basis", "master") if master else ("moment", "basis")
    held = {name: torch.zeros(shape, **world) for name in names}
    for place, (factor, other) in enumerate(zip(factors, turned, strict=True)):
        for name in names:
            view = held[name][place].mT if other else held[name][place]
            if name in states[factor]:
                view.copy_(states[factor][name])
            elif name == "master":
                view.copy_(factor.detach())
            states[factor][name] = view
    fresh = torch.empty_like(held["basis"])
    return Stack(factors, turned, axis, held["moment"], held["basis"], fresh, held.get("master"))
