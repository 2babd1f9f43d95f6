"""Which operations may see tensors of two devices, as CUDA's kernels have it."""

from __future__ import annotations

from enum import Enum, auto
from functools import cache
from typing import Any

import torch
from torch import Tensor

from tests.pretended_gpu.places import CPU, EITHER, GPU, MixedDevicesError, place_of, put, tensors_in

aten = torch.ops.aten


class Rule(Enum):
    """How an operation treats a mixture."""

    COPY = auto()
    """It copies between devices."""
    POINTWISE = auto()
    """Tensors of the CPU without dimensions count as numbers, if the result is on the GPU."""
    INDEX = auto()
    """Indices of the CPU may select from a tensor of the GPU, never the reverse."""
    STRICT = auto()
    """Everything lies on one device."""


_COPIES = {aten.copy_, aten.copy, aten._foreach_copy_, aten.set_}
_COPIES |= {aten._has_compatible_shallow_copy_type, aten.is_same_size}  # They ask for kinds and shapes.
_INDEXED = {aten.index, aten._unsafe_index, aten.index_put, aten.index_put_, aten._index_put_impl_}
_LIKE_NUMBERS = {aten.fill, aten.fill_, aten.masked_fill, aten.masked_fill_, aten.where}


@cache
def rule_of(func: Any) -> Rule:
    """The rule of an operation (an overload)."""
    packet = func.overloadpacket
    if packet in _COPIES:
        return Rule.COPY
    if packet in _INDEXED:
        return Rule.INDEX
    if packet in _LIKE_NUMBERS or torch.Tag.pointwise in func.tags or "_foreach_" in packet.__name__:
        return Rule.POINTWISE
    return Rule.STRICT


@cache
def is_random(func: Any) -> bool:
    """Whether an operation draws random numbers."""
    return torch.Tag.nondeterministic_seeded in func.tags


@cache
def _in_place(func: Any) -> bool:
    return bool(func._schema.is_mutable)


def settle(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    """The place where an operation's results lie, after a look at all its tensors.

    Returns:
        The place, or ``None`` if there is no tensor among the arguments.

    Raises:
        MixedDevicesError: If CUDA would refuse the mixture.
    """
    tensors = tensors_in(args, kwargs) if kwargs else tensors_in(args)
    places = [place_of(tensor) for tensor in tensors]
    if not places:
        return None
    kinds = set(places)
    if len(kinds) == 1:
        return places[0]
    if GPU in kinds and CPU in kinds:
        on_cpu = [t for t, place in zip(tensors, places, strict=True) if place == CPU and not t.is_meta]
        if on_cpu:
            _check(func, args, kwargs, on_cpu)
        if rule_of(func) is Rule.COPY:
            return places[0]
    place = GPU if GPU in kinds else CPU
    for tensor, was in zip(tensors, places, strict=True):
        if was == EITHER:
            put(tensor, place)
    return place


def _first_place(args: tuple[Any, ...]) -> int | None:
    found = tensors_in(args)
    return place_of(found[0]) if found else None


def _check(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], on_cpu: list[Tensor]) -> None:
    rule = rule_of(func)
    if rule is Rule.COPY:
        return
    if rule is Rule.INDEX:
        rest = [tensor for tensor in tensors_in(args[2:], kwargs) if place_of(tensor) == CPU]
        if place_of(args[0]) == CPU:
            # A single value is moved to the tensor that takes it.
            if not any(place_of(index) == GPU for index in tensors_in(args[1])) and all(
                tensor.dim() == 0 for tensor in tensors_in(args[2:]) if place_of(tensor) == GPU
            ):
                return
        elif all(tensor.dim() == 0 for tensor in rest):
            return
    elif (
        rule is Rule.POINTWISE
        and all(tensor.dim() == 0 for tensor in on_cpu)
        and not (_in_place(func) and _first_place(args) == CPU)
    ):
        return
    raise MixedDevicesError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"cuda:0 and cpu! ({func})"
    )
