"""GGUF files: whether ``transformers`` keeps all that a file says about its architecture.

``transformers`` reads the settings that it has names for and silently ignores the others.
A Gemma-3 file that scales its rotary positions, as those of 4B parameters and more do, becomes a
model that computes something else. Such files are refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from harness.method import ResourceError, check_gguf_header, reading_model

Settings = Mapping[str, Any]


def check_gguf(file: Path) -> None:
    """Make sure that no setting of the architecture is lost when ``transformers`` reads a file.

    Raises:
        ResourceError: If the file is damaged or of an unknown architecture, or a setting would be lost;
            names the settings.
    """
    from transformers import AutoConfig
    from transformers.integrations.ggml import GGUF_CONFIG_MAPPING

    architecture, settings = read_settings(file)
    names: Any = GGUF_CONFIG_MAPPING.get(architecture)
    if names is None:
        raise ResourceError(
            f"transformers reads no GGUF files of the architecture '{architecture}'",
            where=str(file),
            fix="Use a folder of safetensors weights.",
        )
    with reading_model(file.parent):
        config = AutoConfig.from_pretrained(
            file.parent, gguf_file=file.name, local_files_only=True, trust_remote_code=False
        )
    lost = {
        name: value
        for name, value in settings.items()
        if name not in names and not _is_as_read(name, value, settings, config)
    }
    if lost:
        told = ", ".join(f"{architecture}.{name} = {_short(value)}" for name, value in lost.items())
        raise ResourceError(
            f"transformers would lose settings of the model: {told}",
            where=str(file),
            fix="Use the model's safetensors weights, whose config.json says the same.",
        )


@contextmanager
def parsed_once() -> Iterator[None]:
    """Parses of one GGUF file are shared while this lasts.

    ``transformers`` parses it anew for configuration, weights and tokenizer. With a vocabulary of 262,144
    entries that takes up to twenty seconds each time.
    """
    import gguf

    with mock.patch.object(gguf, "GGUFReader", functools.cache(gguf.GGUFReader)):
        yield


def read_settings(file: Path) -> tuple[str, dict[str, Any]]:
    """The architecture of a file, and its settings without the architecture before their names.

    Raises:
        ResourceError: If the file cannot be read.
    """
    from gguf import GGUFReader

    check_gguf_header(file)
    try:
        fields = {name: field.contents() for name, field in GGUFReader(str(file)).fields.items()}
        architecture = str(fields["general.architecture"])
    except (OSError, ValueError, LookupError, TypeError, OverflowError) as error:
        raise ResourceError(
            f"The GGUF file cannot be read: {type(error).__name__} {error}",
            where=str(file),
            fix="Fetch it again.",
        ) from error
    start = f"{architecture}."
    return architecture, {
        name.removeprefix(start): value for name, value in fields.items() if name.startswith(start)
    }


def _is_as_read(name: str, value: Any, settings: Settings, config: Any) -> bool:
    """Whether a setting without a name in ``transformers`` says what the model is anyway."""
    check = _CHECKS.get(name)
    try:
        return check is not None and check(value, settings, config)
    except (ValueError, TypeError, ArithmeticError):  # The value is of another kind than it has to be.
        return False


def _sliding_layers(value: Any, settings: Settings, config: Any) -> bool:
    """A pattern is one flag a layer, or a number n: every n-th layer attends to everything."""
    layers = [kind == "sliding_attention" for kind in getattr(config, "layer_types", None) or ()]
    if isinstance(value, list):
        return [bool(flag) for flag in value] == layers
    return [(place + 1) % int(value) != 0 for place in range(len(layers))] == layers


def _local_base(value: Any, settings: Settings, config: Any) -> bool:
    rope = getattr(config, "rope_parameters", None) or {}
    return bool(value == rope.get("sliding_attention", {}).get("rope_theta"))


_CHECKS: Mapping[str, Callable[[Any, Settings, Any], bool]] = {
    "attention.value_length": lambda value, settings, _: value == settings.get("attention.key_length"),
    "attention.sliding_window_pattern": _sliding_layers,
    "rope.freq_base_swa": _local_base,
    "rope.scaling.type": lambda value, *_: value == "none",
    "rope.scaling.factor": lambda value, *_: value in (0.0, 1.0),
}


def _short(value: Any) -> str:
    return f"{value[:6]} …" if isinstance(value, list) and len(value) > len(value[:6]) else str(value)
