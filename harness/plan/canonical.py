"""Objects of a declaration as canonical JSON: equal declarations give equal text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import PurePath
from types import FunctionType
from typing import Any

from harness.errors import SuiteError
from harness.method.references import Resource
from harness.text import utf8


def canonical(value: Any) -> Any:
    """``value`` as plain JSON data that does not depend on order of insertion or on memory.

    Dataclasses keep the name of their class; functions are named by module and qualified name, and
    told apart by what they were made with if another function has made them; resources by name,
    since their content has an identity of its own.
    Fields with ``metadata={"fingerprint": False}`` (limits, titles) are left out.

    Raises:
        SuiteError: For an object that has no canonical form.
    """
    if isinstance(value, Enum):
        return canonical(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": value.hex()}
    if is_dataclass(value) and not isinstance(value, type):
        return _canonical_dataclass(value)
    return _canonical_container(value)


def _canonical_dataclass(value: Any) -> dict[str, Any]:
    if isinstance(value, Resource):
        return {"resource": value.name}
    content = {f.name: canonical(getattr(value, f.name)) for f in fields(value) if _counts(f)}
    return {"class": class_name(type(value)), **content}


def _canonical_container(value: Any) -> Any:
    if isinstance(value, type):
        return {"name": class_name(value)}
    if isinstance(value, FunctionType):
        return _canonical_function(value)
    if isinstance(value, partial):
        return {
            "partial": canonical(value.func),
            "args": canonical(value.args),
            "keywords": canonical(value.keywords),
        }
    if isinstance(value, Mapping):
        return {"map": sorted([[_text(canonical(k)), canonical(v)] for k, v in value.items()])}
    if isinstance(value, AbstractSet):
        return {"set": sorted(_text(canonical(item)) for item in value)}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [canonical(item) for item in value]
    if isinstance(value, PurePath):
        return {"path": str(value)}
    if isinstance(value, bytes | bytearray):
        return {"bytes": value.hex()}
    if (array := _canonical_array(value)) is not None:
        return array
    raise SuiteError(
        f"A parameter of type {type(value).__name__} cannot be fingerprinted",
        where=repr(value)[:80],
        fix="Use numbers, text, tuples, mappings, dataclasses, functions and references only.",
    )


def _canonical_array(value: Any) -> dict[str, Any] | None:
    """A NumPy array or scalar, or a PyTorch tensor on any device, by type, shape and values."""
    if hasattr(value, "detach") and hasattr(value, "untyped_storage"):
        import torch

        plain = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        kind = "tensor"
    elif hasattr(value, "dtype") and hasattr(value, "tobytes"):
        plain, kind = value, "array"
    else:
        return None
    if getattr(value.dtype, "hasobject", False):
        return {kind: canonical(value.tolist()), "dtype": str(value.dtype), "shape": list(value.shape)}
    content = hashlib.blake2b(plain.tobytes(), digest_size=16).hexdigest()
    return {kind: content, "dtype": str(value.dtype), "shape": list(value.shape)}


def _canonical_function(value: FunctionType) -> dict[str, Any]:
    """A function by its name; one that another function has made, also by what it was made with."""
    from harness.plan.closed import text_of_function, unknown_in

    if "<" not in value.__qualname__ and value.__closure__ is None:
        return {"name": class_name(value)}
    text = text_of_function(value)
    if reason := unknown_in(text):
        raise SuiteError(
            f"A function cannot be fingerprinted: {reason}",
            where=class_name(value),
            fix="Use a function at the top of a module, or functools.partial of one.",
        )
    return {"name": class_name(value), "made": digest(text)}


def _counts(item: Field[Any]) -> bool:
    return bool(item.metadata.get("fingerprint", True))


def class_name(value: type | FunctionType) -> str:
    """``module:qualified name``."""
    return f"{value.__module__}:{value.__qualname__}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def canonical_text(value: Any) -> str:
    """The canonical JSON text of a declaration."""
    return _text(canonical(value))


def digest(text: str) -> str:
    """A short, stable hash of a text: 128 bits of BLAKE2b."""
    return hashlib.blake2b(utf8(text), digest_size=16).hexdigest()
