"""Language models of either architecture from a local folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LanguageModel:
    """A causal or encoder-decoder model on disk."""

    folder: Path

    def model(self, device: str, dtype: str) -> Any:
        """A private copy in evaluation mode.

        Args:
            device: ``"cpu"`` or ``"cuda"``.
            dtype: ``"float32"`` or ``"bfloat16"``.

        Raises:
            ResourceError: If the folder holds no safetensors weights.
        """
        from methods.common.causal_lm import load_model

        # The copy is trained in place, so none of its parameters may stay frozen.
        return load_model(self.folder, device=device, dtype=dtype).requires_grad_(requires_grad=True)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer saved beside the weights."""
        from methods.common.causal_lm import load_tokenizer

        return load_tokenizer(self.folder)


def load_language_model(folder: Path) -> LanguageModel:
    """The model in ``folder``; nothing is read yet."""
    return LanguageModel(folder)
