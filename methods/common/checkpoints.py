"""The state of long work on disk: tensors as safetensors, the rest as JSON.

Only safe formats are written and read. A checkpoint is complete or absent: its tensors are written
and synchronised under new names, then one JSON file that names them takes the old one's place.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from harness.method import Checkpoints, CorroborateError, ProblemError

LATEST = "latest.json"
_SHARD = 2**30
"""Bytes of a file: no more of the state exists a second time in memory."""

ItemT = TypeVar("ItemT")


class Keeper:
    """Keeps the state of one piece of work, now and then, and takes it up again.

    Args:
        checkpoints: Of the trial; None keeps nothing.
        name: Of the work.
        parts: What changes in it: tensors, modules' tensors as a sequence, generators of NumPy or
            PyTorch, and objects with ``state_dict`` and ``load_state_dict``; in the order in
            which they are to be restored.
        plan: What the work is, as JSON data: a checkpoint of other work is refused.

    Attributes:
        done: Updates (or items) that were done before the checkpoint; 0 without one.
        notes: What was given to :meth:`keep` besides; empty without a checkpoint.
        finished: Whether the work was over.
    """

    def __init__(
        self, checkpoints: Checkpoints | None, name: str, parts: Mapping[str, Any], plan: Any = None
    ) -> None:
        checkpoints = checkpoints or Checkpoints()
        self._checkpoints, self._name, self._parts = checkpoints, name, dict(parts)
        shapes = {part: _shapes(value) for part, value in self._parts.items()}
        self._plan = json.loads(json.dumps([name, plan, shapes]))
        self._folder = checkpoints.place(name)
        self._begun = checkpoints.clock()
        self.done, self.notes, self.finished = 0, dict[str, Any](), False
        if self._folder is not None:
            self._take_up(self._folder)

    def _take_up(self, folder: Path) -> None:
        found = read(folder)
        if found is None:
            return
        if found["plan"] != self._plan:
            raise ProblemError(
                "The checkpoint belongs to other work: its shapes, rates or sizes differ",
                where=str(folder),
                fix="Give each piece of work a name of its own; or remove the folder to start anew.",
            )
        self.done, self.notes, self.finished = found["done"], found["notes"], found["finished"]
        for part, value in found["parts"].items():
            restore(self._parts[part], value)
        set_random_state(found["random"])
        self._checkpoints.restore(found["trial"])
        print(f"{self._name}: goes on after {self.done}{', where it was over' if self.finished else ''}.")  # noqa: T201 - the log

    def keep(self, done: int, notes: Mapping[str, Any] | None = None) -> None:
        """Write a checkpoint if it is time for one.

        Args:
            done: Updates (or items) done.
            notes: JSON data and tensors, given back as :attr:`notes`.
        """
        if self._folder is not None and self._checkpoints.due:
            self._write(done, notes or {}, tuple(self._parts), finished=False)

    def finish(
        self, done: int, notes: Mapping[str, Any] | None = None, *, without: Iterable[str] = ()
    ) -> None:
        """Keep the end of the work, if it took long enough.

        Args:
            done: Updates (or items) done.
            notes: As of :meth:`keep`.
            without: Parts that nothing needs any more, such as an optimizer.
        """
        if self._folder is None or self.finished:
            return
        parts = [part for part in self._parts if part not in set(without)]
        size = sum(_bytes(state_of(self._parts[part])) for part in parts) + _bytes(dict(notes or {}))
        if self._checkpoints.is_worth(self._checkpoints.clock() - self._begun, size):
            self._write(done, notes or {}, parts, finished=True)

    def _write(self, done: int, notes: Mapping[str, Any], parts: Sequence[str], *, finished: bool) -> None:
        assert self._folder is not None
        start = time.monotonic()
        state = {
            "plan": self._plan,
            "done": done,
            "notes": dict(notes),
            "finished": finished,
            "parts": {part: state_of(self._parts[part]) for part in parts},
            "random": random_state(),
        }
        try:
            state["trial"] = self._checkpoints.state()
            size = write(self._folder, state)
        except (OSError, SafetensorError, CorroborateError) as error:
            self._folder = None
            self._checkpoints.give_up(str(error))
            return
        self._checkpoints.written(time.monotonic() - start, size)


def mapped(
    checkpoints: Checkpoints | None, name: str, items: Sequence[ItemT], function: Any, plan: Any = None
) -> list[Any]:
    """``[function(item) for item in items]``, going on where it stopped.

    Args:
        checkpoints: Of the trial.
        name: Of the work.
        items: Long pieces of work.
        function: From an item to JSON data, tuples and tensors.
        plan: As of :class:`Keeper`.
    """
    keeper = Keeper(checkpoints, name, {}, [len(items), plan])
    found: list[Any] = keeper.notes.get("found", [])
    for number in range(keeper.done, len(items)):
        found.append(function(items[number]))
        keeper.keep(number + 1, {"found": found})
    keeper.finish(len(items), {"found": found})
    return found


def skipped(items: Iterator[ItemT], number: int) -> Iterator[ItemT]:
    """An iterator without its first items."""
    for _ in range(number):
        next(items)
    return items


def state_of(part: Any) -> Any:
    """The state of a part of :class:`Keeper`, as nested data with tensors."""
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    if isinstance(part, torch.Generator):
        return part.get_state()
    if isinstance(part, Tensor):
        return part.detach()
    return part.state_dict() if hasattr(part, "state_dict") else [tensor.detach() for tensor in part]


def restore(part: Any, state: Any) -> None:
    """Put a part in the state that :func:`state_of` gave."""
    if isinstance(part, np.random.Generator):
        part.bit_generator.state = state
    elif isinstance(part, torch.Generator):
        part.set_state(state)
    elif hasattr(part, "load_state_dict"):
        part.load_state_dict(state)
    else:
        pairs = [(part, state)] if isinstance(part, Tensor) else list(zip(part, state, strict=True))
        with torch.no_grad():
            for tensor, value in pairs:
                tensor.copy_(value)


def _shapes(part: Any) -> Any:
    """Shapes, or sizes of parameter groups, by which a checkpoint of other work is recognised."""
    if isinstance(part, Tensor):
        return list(part.shape)
    if isinstance(part, list | tuple):
        return [list(tensor.shape) for tensor in part]
    groups = getattr(part, "param_groups", None)
    return None if groups is None else [len(group["params"]) for group in groups]


def random_state() -> dict[str, Any]:
    """The state of the global generators, which dropout and libraries draw on."""
    kind, key, place, gauss, cached = np.random.get_state()  # noqa: NPY002 - libraries draw on it
    return {
        "python": random.getstate(),
        "numpy": (kind, np.asarray(key).tolist(), int(place), int(gauss), float(cached)),
        "torch": torch.get_rng_state(),
        # Asking would bring a process that computes on the CPU onto the GPU, where it takes memory.
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None,  # type: ignore[no-untyped-call]
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Take up the state of :func:`random_state`."""
    random.setstate(state["python"])
    kind, key, *rest = state["numpy"]
    np.random.set_state((kind, np.array(key, dtype=np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"])


def write(folder: Path, state: Mapping[str, Any]) -> int:
    """Write nested data with tensors as the folder's only state.

    Returns:
        Bytes of the tensors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    plain = _flatten(dict(state), tensors)
    old = {path.name for path in folder.glob("*.safetensors")}
    names = (name for name in (f"state-{n}.safetensors" for n in count()) if name not in old)
    files = {}
    for shard in _shards(tensors):
        name = next(names)
        files[name] = list(shard)
        on_host = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in shard.items()}
        save_file(on_host, folder / f"{name}.new")
        _settle(folder / f"{name}.new", folder / name)
    pending = folder / f"{LATEST}.new"
    pending.write_text(json.dumps({"files": files, "state": plain}), encoding="utf-8")
    _settle(pending, folder / LATEST)
    for name in old:
        (folder / name).unlink(missing_ok=True)
    return sum(_bytes(tensor) for tensor in tensors.values())


def read(folder: Path) -> dict[str, Any] | None:
    """The state in ``folder``, tensors on the host; None if there is none."""
    try:
        found = json.loads((folder / LATEST).read_text(encoding="utf-8"))
        tensors: dict[str, Tensor] = {}
        for name, keys in found["files"].items():
            with safe_open(folder / name, framework="pt") as file:
                tensors.update({key: file.get_tensor(key) for key in keys})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, OSError, SafetensorError) as error:
        print(f"The checkpoint in {folder.name} cannot be read and is left aside: {error}")  # noqa: T201 - the log
        shutil.rmtree(folder, ignore_errors=True)
        return None
    state: dict[str, Any] = _restore(found["state"], tensors)
    return state


def _settle(pending: Path, target: Path) -> None:
    """Put a file in its place once it is on disk."""
    with pending.open("rb") as file:
        os.fsync(file.fileno())
    pending.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _shards(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if shard and sum(map(_bytes, shard.values())) + _bytes(tensor) > _SHARD:
            yield shard
            shard = {}
        shard[key] = tensor
    if shard:
        yield shard


def _bytes(value: Any) -> int:
    """Bytes of all tensors in nested data."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Mapping):
        return sum(map(_bytes, value.values()))
    return sum(map(_bytes, value)) if isinstance(value, list | tuple) else 0


def _flatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    """``value`` as JSON; its tensors move to ``tensors`` under a number."""
    if isinstance(value, Tensor):
        key = str(len(tensors))
        tensors[key] = value
        return {"tensor": key}
    if isinstance(value, np.ndarray):
        return {"array": value.dtype.str, "values": _flatten(torch.from_numpy(value), tensors)}
    if isinstance(value, Mapping):
        # As pairs, since the keys of an optimizer's state are integers.
        return {"pairs": [[key, _flatten(item, tensors)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_flatten(item, tensors) for item in value]}
    if isinstance(value, list):
        return [_flatten(item, tensors) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _restore(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The inverse of :func:`_flatten`."""
    if isinstance(value, list):
        return [_restore(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "array" in value:
        return _restore(value["values"], tensors).numpy().astype(value["array"], copy=False)
    if "tuple" in value:
        return tuple(_restore(item, tensors) for item in value["tuple"])
    return {key: _restore(item, tensors) for key, item in value["pairs"]}
