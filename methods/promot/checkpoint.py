"""Language models of either architecture from a local folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.method import ResourceError


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
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

        from methods.common.placing import place

        if not list(self.folder.glob("*.safetensors")):
            raise ResourceError(
                "The folder holds no safetensors weights",
                where=str(self.folder),
                fix="Save the model with save_pretrained(); pickled weights are not read.",
            )
        config = AutoConfig.from_pretrained(self.folder, trust_remote_code=False, local_files_only=True)
        kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model: Any = kind.from_pretrained(
            self.folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
        return place(model, device).eval()

    @property
    def tokenizer(self) -> Any:
        """The tokenizer saved beside the weights."""
        from methods.common.causal_lm import load_tokenizer

        return load_tokenizer(self.folder)


def load_language_model(folder: Path) -> LanguageModel:
    """The model in ``folder``; nothing is read yet."""
    return LanguageModel(folder)
