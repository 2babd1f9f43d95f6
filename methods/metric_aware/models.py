"""Language models behind references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.method import Context
from methods.common.causal_lm import Checkpoint, load_model, load_tokenizer
from methods.common.language_model.interface import LanguageModel
from methods.common.language_model.local import weights_identity
from methods.common.language_model.prefix import PrefixModel


def language_model(source: Any, *, dtype: str, batch: int, device: str) -> LanguageModel:
    """A model in memory.

    Args:
        source: A checkpoint, or a folder of safetensors weights, causal or encoder-decoder. A language model
            is taken as it is.
        dtype: Type of the weights.
        batch: Prompts at once.
        device: Where it runs.
    """
    if isinstance(source, LanguageModel):
        return source
    if isinstance(source, Checkpoint):
        folder, model = source.folder, source.model(device, dtype)
    else:
        folder = Path(source)
        model = load_model(folder, device=device, dtype=dtype)
    identity = f"{weights_identity(folder)}-{dtype}"
    return PrefixModel(folder.name, identity, model, load_tokenizer(folder), batch=batch)


def model_of(source: Any, ctx: Context, *, dtype: str, batch: int) -> LanguageModel:
    """As :func:`language_model`, or the model behind the server that a folder describes.

    The record of the trial or artifact is told of the model.

    Raises:
        ResourceError: If a server's description cannot be read.
    """
    from methods.common.servers import is_served, open_served

    if isinstance(source, str | Path) and is_served(Path(source)):
        return open_served(Path(source), ctx)
    model = language_model(source, dtype=dtype, batch=batch, device=ctx.device)
    ctx.asks(model)
    return model


def expect(model: LanguageModel, *prefixes: str) -> None:
    """Tell a model what prompts will begin with, if it can make use of it."""
    if isinstance(model, PrefixModel):
        model.begin(*prefixes)
