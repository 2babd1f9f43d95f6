"""Steps 1 to 3 of LoRA-RITE (card, section 3.3): orthonormal bases, and gradients expressed in them.

All of it is computed without asking the device for anything; :class:`Flags` then asks once whether it may
be used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from methods.lora_rite.matrices import householder, inner, inverse_cholesky, right, second_pass
from methods.lora_rite.stacks import Cohort, Scratch


@dataclass
class Decomposition:
    """Factors as ``U R``; each stack has U before the second pass of Cholesky QR in ``fresh``.

    Attributes:
        second: T, which makes the basis U T, (2k, r, r).
        again: Where T is not I, (2k,).
        inverse: (Pseudo-)inverses of R, (2k, r, r).
        turns: For each stack, Uᵀ U_(t−1) of its factors.
        sound: Whether all that can be used, (2k,).
    """

    second: Tensor
    again: Tensor
    inverse: Tensor
    turns: list[Tensor]
    sound: Tensor


@dataclass
class Prepared:
    """What one step computes before anything is written.

    Attributes:
        cohort: Whose step it is.
        bases: New bases and inverse magnitudes.
        turn: P of each factor's own basis, (2k, r, r).
        outer: ḡᵀḡ of unmagnified gradients ḡ, (2k, r, r).
        square: Its trace, (2k,).
        kept: 1, or 0 for what is skipped, (2k,).
        finite: Whether factor and gradient are, (2k,).
    """

    cohort: Cohort
    bases: Decomposition
    turn: Tensor
    outer: Tensor
    square: Tensor
    kept: Tensor
    finite: Tensor


def decompose(cohort: Cohort, scratch: Scratch) -> Decomposition:
    """Cholesky QR of all factors: as exact as Householder QR where it is sound, and all products."""
    factors = [stack.current(stack.fresh) for stack in cohort.stacks]
    grams = [inner(x, x, stack.axis) for x, stack in zip(factors, cohort.stacks, strict=True)]
    inverse, sound = inverse_cholesky(cohort.whole(grams))
    grams, turns = [], []
    for stack, factor, part in zip(cohort.stacks, factors, cohort.parts(inverse), strict=True):
        room = scratch.like(stack, "made") if factor is stack.fresh else stack.fresh
        basis = right(factor, part, stack.axis, out=room)
        grams.append(inner(basis, basis, stack.axis))
        turns.append(inner(basis, stack.basis, stack.axis))
        if factor is stack.fresh:
            stack.fresh.copy_(basis)
    second, again, sound = second_pass(cohort.whole(grams), sound)
    return Decomposition(second, again, torch.bmm(inverse, second), turns, sound)


def repair(cohort: Cohort, found: Decomposition, unsound: Sequence[int]) -> None:
    """Householder QR for the factors that need it (B = 0 at the start, nearly dependent columns)."""
    chosen, device = set(unsound), found.second.device
    unit = torch.eye(found.second.shape[-1], dtype=found.second.dtype, device=device)
    for number, (stack, places) in enumerate(zip(cohort.stacks, cohort.places, strict=True)):
        inside = [at for at, place in enumerate(places) if place in chosen]
        if not inside:
            continue
        targets = stack.targets()
        factors = torch.stack([targets[at] for at in inside]).to(unit.dtype)
        basis, inverse = householder(factors, stack.axis)
        rows = torch.tensor(inside, device=device)
        whole = torch.tensor([places[at] for at in inside], device=device)
        stack.fresh[rows] = basis
        found.turns[number][rows] = inner(basis, stack.basis[rows], stack.axis)
        found.inverse[whole] = inverse
        found.second[whole] = unit
        found.sound[whole] = True
        found.again[whole] = False


def unmagnify(
    cohort: Cohort, bases: Decomposition, transport: Callable[[Tensor], Tensor], scratch: Scratch
) -> Prepared:
    """ḡ_A = ∇A R_B⁻¹ and ḡ_B = ∇B R_A⁻¹, of which ḡᵀḡ is kept, and P.

    Args:
        cohort: Pairs with gradients.
        bases: Of their factors.
        transport: From U_tᵀ U_(t−1), (2k, r, r), to P.
        scratch: Room.
    """
    outers = []
    # Rolling by k exchanges the entries of A and B of each pair.
    partner = cohort.parts(bases.inverse.roll(len(cohort.pairs), dims=0))
    for stack, inverse in zip(cohort.stacks, partner, strict=True):
        given = stack.gathered([f.grad for f in stack.factors], scratch.like(stack, "given"))
        gradient = right(given, inverse, stack.axis, out=scratch.like(stack, "made"))
        outers.append(inner(gradient, gradient, stack.axis))
    turn, outer = transport(torch.bmm(bases.second.mT, cohort.whole(bases.turns))), cohort.whole(outers)
    square = outer.diagonal(dim1=-2, dim2=-1).sum(-1)
    finite = torch.isfinite(bases.inverse.sum((1, 2)) + outer.sum((1, 2)))
    kept = torch.ones_like(square)
    if cohort.group["skip"]:
        size = (square / (cohort.rows * outer.shape[-1])).sqrt()
        kept = (size <= cohort.group["skip"]).to(square.dtype)
    return Prepared(cohort, bases, turn, outer, square, kept, finite)


@dataclass
class Flags:
    """What the host has to know of a step.

    Attributes:
        unsound: By cohort, factors whose bases cannot be used.
        infinite: Cohort and factor of what is not finite.
        infinite_companions: The same for other parameters.
        again: For each cohort, which bases have a second pass.
        kept: For each cohort, which factors are not skipped.
    """

    unsound: dict[int, list[int]]
    infinite: list[tuple[int, int]]
    infinite_companions: list[tuple[int, int]]
    again: list[list[bool]]
    kept: list[list[bool]]

    @classmethod
    def read(cls, steps: Sequence[Prepared], companions: Sequence[Tensor]) -> Flags:
        """Ask each device once.

        Args:
            steps: Of all cohorts.
            companions: Norms of other parameters' gradients.
        """
        rows = [torch.cat([p.bases.sound, p.finite, p.bases.again, p.kept > 0]) for p in steps]
        found = _read_all([*rows, *(torch.isfinite(sizes) for sizes in companions)])
        parts = [_quarters(row) for row in found[: len(steps)]]
        return cls(
            unsound={n: _false(sound) for n, (sound, _, _, _) in enumerate(parts) if not all(sound)},
            infinite=[(n, place) for n, (_, finite, _, _) in enumerate(parts) for place in _false(finite)],
            infinite_companions=[
                (n, place) for n, row in enumerate(found[len(steps) :]) for place in _false(row)
            ],
            again=[again for _, _, again, _ in parts],
            kept=[kept for _, _, _, kept in parts],
        )


def _read_all(rows: list[Tensor]) -> list[list[bool]]:
    """Flags as lists, from each device in one piece."""
    found: list[list[bool]] = [[] for _ in rows]
    for device in dict.fromkeys(row.device for row in rows):
        here = [number for number, row in enumerate(rows) if row.device == device]
        values = torch.cat([rows[number] for number in here]).tolist()
        start = 0
        for number in here:
            found[number] = values[start : start + len(rows[number])]
            start += len(rows[number])
    return found


def _quarters(row: list[bool]) -> tuple[list[bool], list[bool], list[bool], list[bool]]:
    size = len(row) // 4
    first, second, third, fourth = (row[at * size : (at + 1) * size] for at in range(4))
    return first, second, third, fourth


def _false(row: list[bool]) -> list[int]:
    return [place for place, value in enumerate(row) if not value]
