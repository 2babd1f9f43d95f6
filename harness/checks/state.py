"""One hash for the state of any object, so that a change of it shows."""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

_PLAIN = (type(None), bool, int, float, complex, str, PurePath, Enum)
_NAMED = (type, FunctionType, BuiltinFunctionType)


def state_of(value: Any) -> str:
    """A hash that changes whenever the content of ``value`` does.

    Arrays and tensors count by type, shape and bytes; modules by parameters, gradients, buffers
    and mode; generators by their state; dataclasses by their fields, so that a cached property
    is no change; other objects by their attributes.
    """
    digest = hashlib.blake2b(digest_size=16)
    for piece in _pieces(value, set()):
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()


def _pieces(value: Any, seen: set[int]) -> Iterator[bytes]:
    yield type(value).__qualname__.encode()
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, _PLAIN):
        yield repr(value).encode()
    elif isinstance(value, _NAMED):
        yield f"{value.__module__}.{value.__qualname__}".encode()
    elif id(value) in seen:
        yield b"seen before"
    else:
        # Only what is being visited: equal parts at two places must give the same text.
        yield from _compound(value, seen | {id(value)})


def _compound(value: Any, seen: set[int]) -> Iterator[bytes]:
    special = _array(value) or _torch(value)
    if isinstance(value, Mapping | AbstractSet | list | tuple):
        # Where a container ends is part of what it is.
        yield str(len(value)).encode()
    if special is not None:
        for item in special:
            yield from _pieces(item, seen)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _pieces(key, seen)
            yield from _pieces(item, seen)
    elif isinstance(value, AbstractSet):
        yield from sorted(b"".join(_pieces(item, seen)) for item in value)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _pieces(item, seen)
    else:
        yield from _object(value, seen)


def _array(value: Any) -> list[Any] | None:
    """NumPy's own kinds, as plain parts."""
    if isinstance(value, np.random.Generator):
        return [value.bit_generator.state]
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        content = array.tolist() if array.dtype.hasobject else array.tobytes()
        return [str(array.dtype), array.shape, content]
    return None


def _torch(value: Any) -> list[Any] | None:
    """PyTorch's own kinds, as plain parts; PyTorch is not imported for it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if isinstance(value, torch.Tensor):
        content = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return [str(value.dtype), tuple(value.shape), value.requires_grad, value.grad, content]
    if isinstance(value, torch.Generator):
        return [value.get_state()]
    if isinstance(value, torch.nn.Module):
        return [value.training, dict(value.named_parameters()), dict(value.named_buffers())]
    return None


def _object(value: Any, seen: set[int]) -> Iterator[bytes]:
    if is_dataclass(value):
        names = [item.name for item in fields(value)]
        yield from _pieces({name: getattr(value, name) for name in names}, seen)
    elif isinstance(value, MethodType):
        yield from _pieces((value.__func__, value.__self__), seen)
    elif hasattr(value, "__dict__"):
        yield from _pieces(vars(value), seen)
    else:
        yield _pickled(value)


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except (pickle.PicklingError, TypeError, AttributeError):
        # Nothing can be seen of it (a lock, a handle): its kind has to do.
        return b"opaque"
