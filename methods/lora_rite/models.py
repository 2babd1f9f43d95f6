"""Pretrained models of the ``gpu`` and ``paper`` profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.method import HubSource, Resource
from methods.common.gemma import TERMS, SafeWeights

_CAUSAL = "methods.common.causal_lm:load_checkpoint"


@dataclass
class EncoderDecoder:
    """An encoder-decoder on disk; loads like :class:`methods.common.causal_lm.Checkpoint`."""

    folder: Path
    _tokenizer: list[Any] = field(default_factory=list, repr=False)

    def model(self, device: str, dtype: str) -> Any:
        """A fresh model in evaluation mode, frozen.

        Raises:
            ResourceError: If the folder holds no safetensors weights.
        """
        from methods.common.causal_lm import load_model

        return load_model(self.folder, device=device, dtype=dtype)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer saved beside the weights."""
        from methods.common.causal_lm import load_tokenizer

        if not self._tokenizer:
            self._tokenizer.append(load_tokenizer(self.folder))
        return self._tokenizer[0]


def load_encoder_decoder(folder: Path) -> EncoderDecoder:
    """The model in ``folder``; nothing is read yet."""
    return EncoderDecoder(folder)


def _gemma(name: str, repo: str, size_mb: int) -> Resource:
    return Resource(
        name=name,
        kind="model",
        licence="Gemma Terms of Use",
        version="as released",
        sources=(HubSource(repo),),
        loader=_CAUSAL,
        accept="gemma",
        terms=TERMS,
        size_mb=size_mb,
    )


GEMMA_SMALL = SafeWeights()
"""Gemma-3-270M, the one that runs on a CPU as well."""
GEMMA_2B = _gemma("gemma-2b", "google/gemma-2b", 5_000)
GEMMA_7B = _gemma("gemma-7b", "google/gemma-7b", 17_000)
GEMMA2_2B = _gemma("gemma2-2b", "google/gemma-2-2b", 5_200)
MT5_XXL = Resource(
    name="mt5-xxl",
    kind="model",
    licence="Apache-2.0",
    version="as released",
    sources=(HubSource("google/mt5-xxl"),),
    loader="methods.lora_rite.models:load_encoder_decoder",
    size_mb=52_000,
)
