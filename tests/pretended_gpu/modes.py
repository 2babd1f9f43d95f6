"""The two looks at every operation: as Python calls it, and as the kernels see it.

:class:`Calls` answers questions about devices and carries out moves; it is where ``device=``
arguments are seen. :class:`Kernels` sees what is left after autograd and composite operations are
taken apart, backward passes included: it refuses mixtures and marks results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo  # Optimizers import it, and it looks through what is replaced here.
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.pretended_gpu.generators import DEFAULT, RealGenerator, check_generator, gpu_numbers
from tests.pretended_gpu.places import (
    CPU,
    CPU_DEVICE,
    GPU,
    GPU_DEVICE,
    MixedDevicesError,
    place_named,
    place_of,
    put,
    tensors_in,
)
from tests.pretended_gpu.rules import is_random, settle

_silent: Any = torch._C.DisableTorchFunction


class State:
    """Where tensors are made that the running Python call asks for without naming a device."""

    target = CPU


class Kernels(TorchDispatchMode):
    """Checks and marks at the level of ATen operations."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # Nothing is compiled here, and the wrapper that it makes costs time.

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        with _silent():
            settled = settle(func, args, kwargs)
            place = State.target if settled is None else settled
            out = _drawn(func, args, kwargs, place) if is_random(func) else func(*args, **kwargs)
            if place != CPU:
                for tensor in tensors_in(out):
                    if place_of(tensor) != GPU:
                        put(tensor, place)
        return out


def _drawn(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], place: int) -> Any:
    # PyTorch hands over another object for a generator here: its device is checked in the call.
    given = any(isinstance(value, RealGenerator) for value in (*args, *kwargs.values()))
    if place == GPU and not given:
        with gpu_numbers():
            return func(*args, **kwargs)
    return func(*args, **kwargs)


class _Move(torch.autograd.Function):
    """A copy on the other device; gradients travel back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, place: int) -> Tensor:
        ctx.back = GPU if place == CPU else CPU
        return _copied(tensor, place)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return moved(grads[0], ctx.back), None


def _copied(tensor: Tensor, place: int) -> Tensor:
    with _silent():
        out = tensor.clone()
        put(out, place)
    return out


def moved(tensor: Tensor, place: int) -> Tensor:
    """The tensor on another device: itself if it is there already."""
    with _silent():
        if place_of(tensor) == place or tensor.is_meta:
            return tensor
    if tensor.requires_grad and torch.is_grad_enabled():
        return _Move.apply(tensor, place)
    return _copied(tensor, place)


class Calls(TorchFunctionMode):
    """Answers and moves at the level of Python calls."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        special = _SPECIAL.get(func)
        if special is not None:
            return special(func, args, kwargs)
        if getattr(func, "__name__", "") == "__get__":
            return func(*args, **kwargs)
        return _general(func, args, kwargs)


def _general(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    explicit = None
    if kwargs.get("pin_memory"):
        kwargs = {**kwargs, "pin_memory": False}  # Only speed would differ.
    if kwargs.get("device") is not None:
        explicit = place_named(kwargs["device"])
        if explicit is None:
            return func(*args, **kwargs)
        kwargs = {**kwargs, "device": CPU_DEVICE}
    places = [place_of(tensor) for tensor in tensors_in(args, kwargs)]
    for value in (*args, *kwargs.values()):
        if isinstance(value, RealGenerator):
            check_generator(value, explicit if explicit is not None else places[0] if places else CPU)
    before = State.target
    State.target = explicit if explicit is not None else GPU if GPU in places else CPU
    try:
        out = func(*args, **kwargs)
    finally:
        State.target = before
    if explicit is not None:
        for tensor in tensors_in(out):
            put(tensor, explicit)
    return out


Special = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


def _device(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.device:
    real: torch.device = func(*args, **kwargs)
    return GPU_DEVICE if real == CPU_DEVICE and place_of(args[0]) == GPU else real


def _is_gpu(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return place_of(args[0]) == GPU


def _is_cpu(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return bool(func(*args, **kwargs)) and place_of(args[0]) != GPU


def _get_device(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    return 0 if place_of(args[0]) == GPU else -1


def _to(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor, *rest = args
    named: list[Any] = [kwargs[name] for name in ("device", "other") if kwargs.get(name) is not None]
    for index, value in enumerate(rest):
        if isinstance(value, Tensor):
            named.append(value)
        elif isinstance(value, str | int | torch.device) and not isinstance(value, bool):
            named.append(value)
            rest[index] = CPU_DEVICE if place_named(value) is not None else value
    places = [place_of(n) if isinstance(n, Tensor) else place_named(n) for n in named]
    if None in places:
        return func(*args, **kwargs)
    if kwargs.get("device") is not None:
        kwargs = {**kwargs, "device": CPU_DEVICE}
    before, State.target = State.target, place_of(tensor)
    try:
        out = func(tensor, *rest, **kwargs)
    finally:
        State.target = before
    return moved(out, places[0]) if places and places[0] is not None else out


def _cuda(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    return moved(args[0], GPU)


def _pin(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    tensor: Tensor = args[0]
    if place_of(tensor) == GPU:
        raise RuntimeError("cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned")
    return tensor.clone()


def _cpu(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    return moved(args[0], CPU)


def _numpy(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if place_of(args[0]) == GPU and not kwargs.get("force"):
        raise TypeError(
            "can't convert cuda:0 device type tensor to numpy. "
            "Use Tensor.cpu() to copy the tensor to host memory first."
        )
    return func(*args, **kwargs)


def _tensor(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``torch.tensor``, ``as_tensor`` and ``asarray``: the data's device, if they have one."""
    data = args[0] if args else kwargs["data"]
    device = kwargs.get("device", args[2] if len(args) > 2 else None)
    place = place_named(device) if device is not None else None
    if device is not None and place is None:
        return func(*args, **kwargs)
    if place is None:
        place = place_of(data) if isinstance(data, Tensor) else CPU
    before, State.target = State.target, CPU
    try:
        plain = {name: value for name, value in kwargs.items() if name != "device"}
        out: Tensor = func(*args[:2], **plain)
    finally:
        State.target = before
    if func is torch.tensor:
        put(out, place)
        return out
    return moved(out, place)


def _new_tensor(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    out: Tensor = _general(func, args, kwargs)
    if kwargs.get("device") is None:
        put(out, place_of(args[0]))
    return out


def _deepcopy(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    out = func(*args, **kwargs)
    put(out, place_of(args[0]))
    return out


def _set_grad(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor, grad = args
    if isinstance(grad, Tensor) and {place_of(tensor), place_of(grad)} == {CPU, GPU}:
        raise MixedDevicesError("assigned grad has data located on a different device")
    return func(*args, **kwargs)


def _factory(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Random factories: without a generator, the GPU's numbers are not the CPU's."""
    if place_named(kwargs.get("device") or "cpu") == GPU and kwargs.get("generator") is None:
        kwargs = {**kwargs, "generator": DEFAULT}
    return _general(func, args, kwargs)


_getter: Any = Tensor
_SPECIAL: dict[Any, Special] = {
    _getter.device.__get__: _device,
    _getter.is_cuda.__get__: _is_gpu,
    _getter.is_cpu.__get__: _is_cpu,
    _getter.grad.__set__: _set_grad,
    Tensor.get_device: _get_device,
    Tensor.to: _to,
    Tensor.cuda: _cuda,
    Tensor.cpu: _cpu,
    Tensor.pin_memory: _pin,
    Tensor.numpy: _numpy,
    Tensor.__array__: _numpy,
    Tensor.__deepcopy__: _deepcopy,
    Tensor.new_tensor: _new_tensor,
    torch.tensor: _tensor,
    torch.as_tensor: _tensor,
    torch.asarray: _tensor,
    torch.rand: _factory,
    torch.randn: _factory,
    torch.randint: _factory,
    torch.randperm: _factory,
}
