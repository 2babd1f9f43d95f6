"""The separate process that reads weights in PyTorch's own format and writes safetensors.

``python -m harness.resources.convert_worker SOURCE TARGET`` under limits that it sets itself.
PyTorch's reader is asked for tensors only (``weights_only``): anything else in a file is refused
and not run. One tensor under two names is stored once, as transformers ties it again; tensors keep
their types.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ResourceError
from harness.text import parsed_json, unfit_name

if TYPE_CHECKING:
    import torch

SHARD_BYTES = 5 * 10**9
"""Largest file that is written, unless one tensor alone is larger."""
REFUSED = 3
"""Exit status for files that hold something else than tensors."""
_SPARE_BYTES = 16 * 2**30
_KEPT = ("*.json", "*.model", "*.txt", "*.tiktoken")
_INDEX = "pytorch_model.bin.index.json"
_ADVICE = ("Weights only load failed", "Please file an issue", "Check the documentation")
_POINTER = b"version https://git-lfs"


class NotTensorsError(Exception):
    """A file holds something else than tensors by name."""


def main(source: Path, target: Path) -> int:
    """Convert all weights of a folder; gives the exit status."""
    files = weight_files(source)
    _limit(sum(path.stat().st_size for path in files))
    try:
        convert(files, target)
    except NotTensorsError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    for pattern in _KEPT:
        for path in source.glob(pattern):
            if path.name != _INDEX:
                shutil.copyfile(path, target / path.name)
    return 0


def weight_files(source: Path) -> list[Path]:
    """The files of a folder that hold weights: those that its index names, or ``pytorch_model*.bin``.

    Raises:
        ResourceError: If its index is none, or names a place outside.
    """
    index = source / _INDEX
    if index.is_file():
        return [source / name for name in sorted(_indexed(index))]
    return sorted(source.glob("pytorch_model*.bin"))


def _indexed(index: Path) -> set[str]:
    """The files that an index names.

    Raises:
        ResourceError: If it is none, or names a place outside its folder.
    """
    try:
        names = set(parsed_json(index.read_bytes())["weight_map"].values())
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ResourceError(
            f"{index.name} is no index of weights: {error!r:.200}", where=str(index), fix="Fetch it again."
        ) from error
    for name in names:
        if not isinstance(name, str) or unfit_name(name) or "/" in name:
            raise ResourceError(
                f"The index names {str(name)[:80]!r}, which is not in the folder",
                where=str(index),
                fix="Do not use this checkpoint unless you know why.",
            )
    return names


def convert(files: list[Path], target: Path, shard_bytes: int = SHARD_BYTES) -> None:
    """Write the tensors of ``files`` into ``target`` as safetensors, with an index if they are several.

    Raises:
        NotTensorsError: If a file holds something else.
    """
    from safetensors.torch import save_file

    parts: list[tuple[Path, list[str]]] = []
    total = 0
    for path in files:
        # Once a file: those of an old format are held in memory as a whole.
        tensors = dict(_tensors(path))
        sizes = {name: tensor.numel() * tensor.element_size() for name, tensor in tensors.items()}
        total += sum(sizes.values())
        for names in _shards(sizes, shard_bytes):
            # Views of one storage may not go into one file; a copy has its own.
            own = {name: tensors[name].contiguous().clone() for name in names}
            parts.append((target / f"part-{len(parts)}.safetensors", names))
            save_file(own, str(parts[-1][0]), metadata={"format": "pt"})
    _name(parts, total, target)


def _name(parts: list[tuple[Path, list[str]]], total: int, target: Path) -> None:
    """Give the files the names that transformers looks for, and several of them an index."""
    if len(parts) == 1:
        parts[0][0].rename(target / "model.safetensors")
        return
    weight_map: dict[str, str] = {}
    for number, (path, names) in enumerate(parts, 1):
        file = f"model-{number:05}-of-{len(parts):05}.safetensors"
        path.rename(target / file)
        weight_map |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (target / "model.safetensors.index.json").write_text(json.dumps(index, indent=1), encoding="utf-8")


def _limit(size: int) -> None:
    """No core dumps, and an address space that the files and one copy of a shard fit into."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = 2 * size + 2 * SHARD_BYTES + _SPARE_BYTES
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _tensors(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of a file by name, each once: further names of one tensor are left out."""
    seen: set[tuple[Any, ...]] = set()
    for name, tensor in _load(path).items():
        place = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if tensor.numel() and place in seen:
            continue
        seen.add(place)
        yield name, tensor


def _load(path: Path) -> Mapping[str, torch.Tensor]:
    import pickle  # Only the name of the error that PyTorch's safe reader raises.

    import torch

    if _starts_with(path, _POINTER):
        raise NotTensorsError(f"{path.name} is a pointer of Git LFS: its content was never downloaded")
    try:
        # Old files have a format that cannot be mapped into memory.
        mapped = _starts_with(path, b"PK")
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise NotTensorsError(
            f"{path.name} holds something else than tensors, which was not run: {_reason(error)}"
        ) from error
    except (RuntimeError, EOFError, ValueError) as error:
        raise NotTensorsError(f"{path.name} cannot be read: {_reason(error)}") from error
    if (
        not isinstance(found, Mapping)
        or not found
        or not all(
            isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in found.items()
        )
    ):
        raise NotTensorsError(f"{path.name} is not a mapping of names to tensors")
    return found


def _starts_with(path: Path, start: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(start)) == start


def _reason(error: Exception) -> str:
    """What PyTorch found, without its advice to read the file unsafely or to file an issue."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(_ADVICE)]
    return (told or [type(error).__name__])[0]


def _shards(sizes: Mapping[str, int], most: int) -> list[list[str]]:
    """Names in files of at most ``most`` bytes, in their order."""
    shards: list[list[str]] = [[]]
    held = 0
    for name, size in sizes.items():
        if shards[-1] and held + size > most:
            shards.append([])
            held = 0
        shards[-1].append(name)
        held += size
    return shards


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
