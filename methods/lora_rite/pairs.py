"""LoRA pairs: finding them, checking them, and optimizers over them.

Notation of the paper: ``A`` (m×r) and ``B`` (n×r) with ``Z = A Bᵀ``. Libraries keep one factor as
r×in and the other as out×r; a :class:`Pair` knows which axis of each factor is the rank, and
:func:`tall` turns a factor so that the rank is last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.method import ProblemError

_FACTOR = re.compile(
    r"(?P<head>(?:^|.*[._])lora_(?:embedding_)?|(?:^|.*\.)(?=[ab]$))(?P<side>[AaBb])(?P<tail>(?:\..*)?)$"
)
"""Names as ``peft`` gives them (``…lora_A.default.weight``, ``…lora_embedding_B.default``), and the
plain ``…a`` and ``…b`` of :class:`methods.common.lora.LoraLinear`."""


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
"""Where pairs can come from: a model (by the names of its trainable parameters), named
parameters, pairs by name, or pairs."""


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
        ProblemError: For a trainable tensor without a partner, one that belongs to no pair, or
            factors that do not fit each other.
    """
    if isinstance(source, nn.Module):
        named = [(name, p) for name, p in source.named_parameters() if p.requires_grad]
        return [_checked(pair) for pair in _by_name(named)]
    if isinstance(source, Mapping):
        return [_checked(Pair(item.a, item.b, name)) for name, item in source.items()]
    items = list(source)
    named = [item for item in items if _is_named(item)]  # type: ignore[misc]
    if named and len(named) == len(items):
        return [_checked(pair) for pair in _by_name(named)]
    return [_checked(_explicit(item, number)) for number, item in enumerate(items)]


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


def _by_name(named: Iterable[tuple[str, Tensor]]) -> Iterator[Pair]:
    """Pairs by their names."""
    sides: dict[str, dict[str, Tensor]] = {}
    for name, parameter in named:
        match = _FACTOR.match(name)
        if match is None:
            raise ProblemError(
                "A trainable parameter is no LoRA factor",
                where=name,
                fix="Freeze it (requires_grad_(False)), or give it to an optimizer of its own.",
            )
        sides.setdefault(match["head"] + match["tail"], {})[match["side"].lower()] = parameter
    for name, found in sides.items():
        if len(found) != 2:
            (side,) = found
            raise ProblemError(
                f"The factor {side.upper()} has no trainable partner",
                where=name,
                fix="Train both factors of the pair, or freeze both.",
            )
        yield Pair(found["a"], found["b"], name.rstrip("._"))


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
        flat = [factor for pair in pairs for factor in (pair.a, pair.b)]
        names, axes = [pair.name for pair in pairs], [list(pair.axes) for pair in pairs]
        super().add_param_group({**param_group, "params": flat, "names": names, "axes": axes})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state; tensors keep the precision in which they were saved.

        Raises:
            ProblemError: If the state belongs to other pairs.
        """
        saved = [group.get("names") for group in state_dict["param_groups"]]
        own = [group["names"] for group in self.param_groups]
        if saved != own:
            raise ProblemError(
                "The saved state belongs to other pairs",
                where=f"saved {saved}, here {own}",
                fix="Build the optimizer from the same model, in the same groups.",
            )
        super().load_state_dict(state_dict)
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


def working_type(factor: Tensor) -> torch.dtype:
    """The type for linear algebra: float64 for float64 factors, float32 for all others."""
    return torch.float64 if factor.dtype == torch.float64 else torch.float32
