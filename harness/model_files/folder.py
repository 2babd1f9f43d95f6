"""A model's folder: nothing in it may run code, lead out of it, or name what is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import CorroborateError, ResourceError
from harness.model_files.gguf_header import check_gguf_header
from harness.model_files.safetensors_header import check_safetensors_header
from harness.text import parsed_json, unfit_name

_SETTINGS = (
    "config.json",
    "generation_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
)
"""Files that must be JSON objects if they are there."""
_ADAPTER = "adapter_config.json"
_INDEX = "model.safetensors.index.json"
_KERNELS = frozenset({"attn_implementation", "_attn_implementation", "experts_implementation"})
"""Settings that may name a repository on the hub, whose code would be fetched and run."""
_PASSED = ("OutOfMemoryError", "MemoryError")
"""The engine knows these by their class: they say nothing of the folder."""
_PANIC = "PanicException"
"""How libraries in Rust end on what they did not expect; it is no ``Exception``."""
_OWN_CODE = "trust_remote_code"


def check_model_folder(folder: Path) -> None:
    """Look at what is in a model's folder before a library does. Weights themselves are not read.

    Raises:
        ResourceError: If a file is damaged, names something outside, or asks for code to be run.
    """
    settings = {name: _object(folder / name) for name in _SETTINGS if (folder / name).is_file()}
    if (folder / _ADAPTER).is_file():
        raise ResourceError(
            f"The folder holds an adapter ({_ADAPTER}), which would load another model from elsewhere",
            where=str(folder),
            fix="Merge it into its model and save that with save_pretrained().",
        )
    if kernel := next(_foreign_kernels(settings.get("config.json", {})), ""):
        raise ResourceError(
            f"config.json asks for code from the hub, '{kernel[:80]}', which is never run",
            where=str(folder / "config.json"),
            fix="Remove the setting: transformers then takes an implementation of its own.",
        )
    if (folder / _INDEX).is_file():
        _check_index(folder, _object(folder / _INDEX))
    for path in sorted(folder.glob("*.safetensors")):
        check_safetensors_header(path)
    for path in sorted(folder.glob("*.gguf")):
        check_gguf_header(path)


@contextmanager
def reading_model(folder: Path) -> Iterator[None]:
    """Check a model's folder, and tell what libraries raise in the body as a fault of the folder.

    Args:
        folder: Where the body reads from.

    Raises:
        ResourceError: If the folder is refused, or cannot be read.
    """
    check_model_folder(folder)
    try:
        yield
    except CorroborateError:
        raise
    except BaseException as error:
        if type(error).__name__ in _PASSED or not _is_failure(error):
            raise
        raise _told(folder, error) from error


def _is_failure(error: BaseException) -> bool:
    return isinstance(error, Exception) or type(error).__name__ == _PANIC


def _told(folder: Path, error: BaseException) -> ResourceError:
    text = " ".join(str(error).split())
    if _OWN_CODE in text:  # Advice that nobody should follow is left out.
        return ResourceError(
            "The model or its tokenizer needs code of its own, which is never run",
            where=str(folder),
            fix="Take a model whose architecture is a part of transformers.",
        )
    return ResourceError(
        f"The model cannot be read: {type(error).__name__}: {text[:300]}".removesuffix(": "),
        where=str(folder),
        fix="Give the folder that save_pretrained() made, with all its files, or fetch the model again.",
    )


def _object(path: Path) -> dict[str, Any]:
    try:
        found = parsed_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"{path.name} cannot be read: {error}", where=str(path), fix="Fetch the model again."
        ) from error
    if not isinstance(found, dict):
        raise ResourceError(f"{path.name} is not an object", where=str(path), fix="Fetch the model again.")
    return found


def _foreign_kernels(settings: Any) -> Iterator[str]:
    """Names of repositories that settings, or parts of them, want code from."""
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            wanted = value.values() if isinstance(value, Mapping) else [value]
            if name in _KERNELS:
                yield from (one for one in wanted if isinstance(one, str) and "/" in one)
            yield from _foreign_kernels(value)
    elif isinstance(settings, list):
        for value in settings:
            yield from _foreign_kernels(value)


def _check_index(folder: Path, index: Mapping[str, Any]) -> None:
    names = index.get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise ResourceError(
            f"{_INDEX} has no weight_map of files", where=str(folder / _INDEX), fix="Fetch the model again."
        )
    for name in sorted(set(names.values())):
        if unfit_name(name) or not name.endswith(".safetensors"):
            raise ResourceError(
                f"{_INDEX} names {name[:80]!r}, which is no safetensors file in the folder",
                where=str(folder / _INDEX),
                fix="Do not use this model unless you know why.",
            )
        if not (folder / name).is_file():
            raise ResourceError(
                f"The folder lacks {name}, which {_INDEX} names",
                where=str(folder),
                fix="Fetch the model again.",
            )
