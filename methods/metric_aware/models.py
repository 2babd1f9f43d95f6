"""Language models behind references."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.method import ResourceError
from methods.common.causal_lm import Checkpoint, load_model, load_tokenizer
from methods.common.language_model.interface import LanguageModel
from methods.common.language_model.local import weights_identity
from methods.common.language_model.prefix import PrefixModel

SERVER = "server.json"


def language_model(source: Any, *, dtype: str, batch: int, device: str) -> LanguageModel:
    """A model in memory, or one behind a server.

    Args:
        source: A checkpoint, or a folder: of safetensors weights, causal or encoder-decoder, or with a
            file ``server.json`` that has the fields of
            :class:`methods.common.language_model.endpoint.Server`. A language model is taken as it is.
        dtype: Type of the weights.
        batch: Prompts at once.
        device: Where it runs.

    Raises:
        ResourceError: If ``server.json`` cannot be read.
    """
    if isinstance(source, LanguageModel):
        return source
    if isinstance(source, Checkpoint):
        folder, model = source.folder, source.model(device, dtype)
    else:
        folder = Path(source)
        if (folder / SERVER).is_file():
            return _served(folder / SERVER)
        model = load_model(folder, device=device, dtype=dtype)
    identity = f"{weights_identity(folder)}-{dtype}"
    return PrefixModel(folder.name, identity, model, load_tokenizer(folder), batch=batch)


def expect(model: LanguageModel, prefix: str) -> None:
    """Tell a model what prompts will begin with, if it can make use of it."""
    if isinstance(model, PrefixModel):
        model.begin(prefix)


def _served(path: Path) -> LanguageModel:
    from methods.common.language_model.endpoint import Server, open_endpoint

    try:
        return open_endpoint(Server(**json.loads(path.read_text(encoding="utf-8"))))
    except (ValueError, TypeError) as error:
        raise ResourceError(
            f"The server's description cannot be read: {error}",
            where=str(path),
            fix='Write {"address": "http://…/v1", "model": "…"}.',
        ) from error
