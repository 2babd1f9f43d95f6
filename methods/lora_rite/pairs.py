"""LoRA pairs: finding them, checking them, and optimizers over them.

Notation of the paper: ``A`` (m×r) and ``B`` (n×r) with ``Z = A Bᵀ``. Libraries keep one factor as
r×in and the other as out×r; a :class:`Pair` knows which axis of each factor is the rank, and
:func:`tall` turns a factor so that the rank is last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.method import ProblemError
from methods.lora_rite.companion import role_of
from methods.lora_rite.options import check_known
from methods.lora_rite.peft_layers import factors_of, unwrapped

_FACTOR = re.compile(
    r"(?P<head>(?:^|.*[._])lora_(?:embedding_)?|(?:^|.*\.)(?=[ab]$))(?P<side>[AaBb])(?P<tail>(?:\..*)?)$"
)
"""Names as ``peft`` gives them (``…lora_A.default.weight``, ``…lora_embedding_B.default``), and the
plain ``…a`` and ``…b`` of :class:`methods.common.lora.LoraLinear`. Only where no layer of ``peft`` is there
to say what is a factor."""


@runtime_checkable
class HasFactors(Protocol):
    """Any object with the factors ``a`` (r×in) and ``b`` (out×r)."""

    @property
    def a(self) -> Tensor:
        """Shape (r, in)."""

    @property
    def b(self) -> Tensor:
        """Shape (out, r)."""


Source: TypeAlias = (
    nn.Module
    | Mapping[str, HasFactors]
    | Iterable["Pair | HasFactors | tuple[Tensor, Tensor] | tuple[str, Tensor]"]
)
"""Where pairs can come from: a model (by its layers of ``peft``, else by the names of its trainable
parameters), named parameters, of which frozen ones are left aside, pairs by name, or pairs."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two trainable factors of one update.

    Attributes:
        a: Shape (r, in) with the default axes.
        b: Shape (out, r) with the default axes.
        name: For messages and checkpoints.
        axes: Which axis of ``a`` and of ``b`` is the rank.
    """

    a: Tensor
    b: Tensor
    name: str = ""
    axes: tuple[int, int] = (0, 1)

    @property
    def rank(self) -> int:
        """r."""
        return int(self.a.shape[self.axes[0]])


def tall(factor: Tensor, axis: int) -> Tensor:
    """A factor, or a stack of factors, with the rank as its last axis; a view."""
    return factor.mT if axis == 0 else factor


def find_pairs(source: Source) -> list[Pair]:
    """The LoRA pairs of a model, of named parameters, or of explicit pairs.

    Raises:
        ProblemError: For a trainable tensor without a partner, one that belongs to no pair or to two,
            or factors that do not fit each other.
    """
    pairs, others = split_adapters(source)
    if others:
        raise ProblemError(
            "A trainable parameter is no LoRA factor",
            where=others[0][0],
            fix="Freeze it (requires_grad_(False)), or give it to an optimizer of its own.",
        )
    return pairs


def split_adapters(source: Source) -> tuple[list[Pair], list[tuple[str, Tensor]]]:
    """The LoRA pairs of a source, and its other trainable parameters by name.

    Raises:
        ProblemError: As :func:`find_pairs`, but for parameters that belong to no pair.
    """
    others: list[tuple[str, Tensor]] = []
    if isinstance(source, nn.Module):
        # With duplicates: a factor that two pairs share is to be seen.
        named = source.named_parameters(remove_duplicate=False)
        pairs = list(_by_name(named, others, factors_of(source)))
    elif isinstance(source, Mapping):
        pairs = [Pair(item.a, item.b, name) for name, item in source.items()]
    else:
        items = list(source)
        if items and all(map(_is_named, items)):
            pairs = list(_by_name(cast("list[tuple[str, Tensor]]", items), others))
        else:
            pairs = [_explicit(item, number) for number, item in enumerate(items)]
    return _unshared([_checked(pair) for pair in pairs]), others


def _unshared(pairs: list[Pair]) -> list[Pair]:
    """The pairs, each once.

    Raises:
        ProblemError: If two of them share one factor.
    """
    owners: dict[int, Pair] = {}
    found = []
    for pair in pairs:
        first, second = _memory(pair.a), _memory(pair.b)
        known = owners.get(first)
        if known is not None and known.a is pair.a and known.b is pair.b:
            continue  # A module that is used in two places.
        other = owners.get(second, pair if first == second else None) if known is None else known
        if other is not None:
            raise ProblemError(
                f"A factor belongs to two pairs: '{pair.name}' and '{other.name}'",
                where=pair.name,
                fix="Give each pair factors of its own (of peft: without ensure_weight_tying): a step of one "
                "would turn the other's bases.",
            )
        owners[first] = owners[second] = pair
        found.append(pair)
    return found


def _memory(factor: Tensor) -> int:
    """Where a factor lies; ``peft`` ties adapters as two parameters over one memory."""
    try:
        return factor.data_ptr() or id(factor)
    except RuntimeError:  # Tensors without memory of their own, such as distributed ones.
        return id(factor)


def _is_named(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


def _explicit(item: Any, number: int) -> Pair:
    name = f"pair {number}"
    if isinstance(item, Pair):
        return item if item.name else Pair(item.a, item.b, name, item.axes)
    if isinstance(item, tuple) and len(item) == 2 and all(isinstance(part, Tensor) for part in item):
        return Pair(item[0], item[1], name)
    if isinstance(item, HasFactors):
        return Pair(item.a, item.b, name)
    raise ProblemError(
        f"{type(item).__name__} is no LoRA pair",
        where=name,
        fix="Give a model, its named_parameters(), Pair objects, or tuples (A, B): (r, in) and (out, r).",
    )


def _by_name(
    named: Iterable[tuple[str, Tensor]],
    others: list[tuple[str, Tensor]],
    factors: Mapping[str, tuple[str, str]] | None = None,
) -> Iterator[Pair]:
    """Pairs of trainable parameters; what is no factor goes to ``others``, once.

    Args:
        named: Parameters by name.
        others: Added to.
        factors: Pair and side of each factor, where layers say so; else names do.
    """
    sides: dict[str, dict[str, Tensor]] = {}
    seen: set[int] = set()
    for name, parameter in named:
        if not parameter.requires_grad:
            continue
        place = factors.get(name) if factors else _place(name)
        if place is not None:
            sides.setdefault(place[0], {})[place[1]] = parameter
        elif id(parameter) not in seen:
            seen.add(id(parameter))
            others.append((name, parameter))
    for name, found in sides.items():
        if len(found) != 2:
            (side,) = found
            raise ProblemError(
                f"The factor {side.upper()} has no trainable partner",
                where=name,
                fix="Train both factors of the pair, or freeze both.",
            )
        yield Pair(found["a"], found["b"], name.rstrip("._"))


def _place(name: str) -> tuple[str, str] | None:
    """Pair and side of a factor with such a name; ``None`` if it is the name of none."""
    match = None if role_of(name) else _FACTOR.match(name)
    return None if match is None else (match["head"] + match["tail"], match["side"].lower())


def products(pairs: list[Pair]) -> list[Tensor]:
    """Z = A Bᵀ of each pair (in × out)."""
    return [(tall(p.a, p.axes[0]) @ tall(p.b, p.axes[1]).mT).detach() for p in pairs]


def contributions(pairs: list[Pair], before: list[tuple[Tensor, Tensor]]) -> tuple[float, float]:
    """‖δA Bᵀ‖_F and ‖A δBᵀ‖_F of a step, over all pairs.

    Args:
        pairs: After the step.
        before: Both factors of each pair before it.
    """
    squares = [0.0, 0.0]
    for pair, (a, b) in zip(pairs, before, strict=True):
        tall_a, tall_b = tall(a, pair.axes[0]), tall(b, pair.axes[1])
        moved_a, moved_b = tall(pair.a.detach(), pair.axes[0]), tall(pair.b.detach(), pair.axes[1])
        squares[0] += float(((moved_a - tall_a) @ tall_b.mT).square().sum())
        squares[1] += float((tall_a @ (moved_b - tall_b).mT).square().sum())
    return squares[0] ** 0.5, squares[1] ** 0.5


def _checked(pair: Pair) -> Pair:
    shapes = f"A {tuple(pair.a.shape)}, B {tuple(pair.b.shape)}"
    if pair.a.ndim != 2 or pair.b.ndim != 2:
        raise ProblemError(
            f"LoRA factors must be matrices ({shapes})",
            where=pair.name,
            fix="Convolutions are not supported: leave them out of the LoRA targets.",
        )
    rank, other = pair.rank, int(pair.b.shape[pair.axes[1]])
    if rank != other:
        raise ProblemError(
            f"The factors have ranks {rank} and {other} ({shapes})",
            where=pair.name,
            fix="A must have shape (r, in) and B (out, r); for other layouts give Pair(…, axes=…).",
        )
    if not 0 < rank <= min(*pair.a.shape, *pair.b.shape):
        raise ProblemError(
            f"The rank {rank} is not between 1 and the smaller dimension ({shapes})",
            where=pair.name,
            fix="Choose a smaller rank; a factor must have at least r rows.",
        )
    if not (pair.a.requires_grad and pair.b.requires_grad):
        raise ProblemError(
            "A factor is frozen", where=pair.name, fix="Train both factors of the pair, or freeze both."
        )
    return pair


_GROUP = ("params", "names", "axes", "initial_lr", "differentiable")
"""Entries of a group beside an optimizer's options; schedules write ``initial_lr``."""


class PairOptimizer(Optimizer):
    """An optimizer whose unit is the pair.

    ``param_groups[i]["params"]`` alternates A₁, B₁, A₂, B₂ …; ``names`` and ``axes`` have an entry
    a pair.
    """

    def __init__(self, params: Source | Iterable[dict[str, Any]], defaults: dict[str, Any]) -> None:
        items: Any = params
        if not isinstance(params, nn.Module | Mapping):
            items = list(params)
        grouped = isinstance(items, list) and bool(items) and isinstance(items[0], dict)
        super().__init__(items if grouped else [{"params": items}], defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; its ``params`` are any source of pairs, see :func:`find_pairs`.

        Raises:
            ProblemError: As :func:`find_pairs`, and for a group without pairs.
        """
        pairs = find_pairs(param_group["params"])
        if not pairs:
            raise ProblemError(
                "There is no LoRA pair to train",
                where="param_groups",
                fix="Add LoRA layers before the optimizer is made.",
            )
        self.add_pairs(pairs, param_group)

    def add_pairs(self, pairs: list[Pair], options: Mapping[str, Any]) -> None:
        """Add a group of these pairs.

        Raises:
            ProblemError: For options that nobody reads, and for factors that another group has.
        """
        flat = [factor for pair in pairs for factor in (pair.a, pair.b)]
        names, axes = [pair.name for pair in pairs], [list(pair.axes) for pair in pairs]
        self._add({**options, "params": flat, "names": names, "axes": axes})

    def _add(self, group: dict[str, Any]) -> None:
        check_known(group, {*self.defaults, *_GROUP}, where="param_groups")
        owned = {id(factor) for own in self.param_groups for factor in own["params"]}
        # A pair has two parameters, anything else one.
        width = len(group["params"]) // max(1, len(group["names"]))
        for place, factor in enumerate(group["params"]):
            if id(factor) in owned:
                raise ProblemError(
                    "A parameter belongs to two groups",
                    where=group["names"][place // width],
                    fix="Name each parameter in one group only.",
                )
        super().add_param_group(group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state; tensors keep the precision in which they were saved.

        Raises:
            ProblemError: If the state belongs to other pairs.
        """
        saved = [group.get("names") for group in state_dict["param_groups"]]
        own = [group["names"] for group in self.param_groups]
        if fault := _other_names(saved, own):
            raise ProblemError(
                f"The saved state belongs to other pairs: {fault}",
                where="load_state_dict",
                fix="Build the optimizer from the same model, in the same groups.",
            )
        super().load_state_dict(state_dict)
        for group, names in zip(self.param_groups, own, strict=True):
            group["names"] = names
        # The base class casts state to the parameters' type: bfloat16 would ruin float32 moments.
        places = [place for group in state_dict["param_groups"] for place in group["params"]]
        factors = [factor for group in self.param_groups for factor in group["params"]]
        for place, factor in zip(places, factors, strict=True):
            for key, value in state_dict["state"].get(place, {}).items():
                if isinstance(value, Tensor):
                    self.state[factor][key] = value.detach().clone().to(factor.device)

    def active_pairs(self, group: dict[str, Any]) -> Iterator[Pair]:
        """The pairs of a group that got gradients.

        Raises:
            ProblemError: If only one factor of a pair got one.
        """
        factors = iter(group["params"])
        for a, b, name, axes in zip(factors, factors, group["names"], group["axes"], strict=True):
            if (a.grad is None) != (b.grad is None):
                raise ProblemError(
                    "Only one factor of the pair has a gradient",
                    where=name,
                    fix="Both must take part in the loss; call backward() on the whole loss.",
                )
            if a.grad is not None:
                yield Pair(a, b, name, (axes[0], axes[1]))


def _other_names(saved: list[list[str] | None], own: list[list[str]]) -> str:
    """How the names of saved groups differ from those of one's own; empty if only wrappers do."""
    if len(saved) != len(own):
        return f"it has {len(saved)} groups, the optimizer {len(own)}"
    for number, (theirs, ours) in enumerate(zip(saved, own, strict=True)):
        if theirs is None or len(theirs) != len(ours):
            return f"group {number} has {len(theirs or [])} of them, the optimizer's {len(ours)}"
        for before, here in zip(theirs, ours, strict=True):
            if unwrapped(before) != unwrapped(here):
                return f"'{before}' stands where '{here}' is here"
    return ""


def working_type(factor: Tensor) -> torch.dtype:
    """The type for linear algebra: float64 for float64 factors, float32 for all others."""
    return torch.float64 if factor.dtype == torch.float64 else torch.float32
