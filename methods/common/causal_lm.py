"""Language models from a local folder, and the probabilities of causal ones.

Weights come from safetensors files only; no code of a checkpoint is executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.method import ProblemError, ResourceError, reading_model
from methods.common.placing import place

Model = Any
"""A language model of ``transformers``."""


@dataclass
class Checkpoint:
    """A causal language model on disk, loaded at most once for each device and precision."""

    folder: Path
    _models: dict[tuple[str, str], Model] = field(default_factory=dict, repr=False)
    _tokenizer: list[Any] = field(default_factory=list, repr=False)

    def model(self, device: str, dtype: str) -> Model:
        """The model in evaluation mode.

        Args:
            device: ``"cpu"`` or ``"cuda"``.
            dtype: ``"float32"`` or ``"bfloat16"``.

        Raises:
            ResourceError: If the folder holds no safetensors weights.
        """
        key = (device, dtype)
        if key not in self._models:
            self._models[key] = load_model(self.folder, device=device, dtype=dtype)
        return self._models[key]

    @property
    def config(self) -> dict[str, Any]:
        """The architecture, as ``config.json`` has it."""
        with reading_model(self.folder):
            content: dict[str, Any] = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        return content

    @property
    def tokenizer(self) -> Any:
        """The tokenizer saved beside the weights."""
        if not self._tokenizer:
            self._tokenizer.append(load_tokenizer(self.folder))
        return self._tokenizer[0]


def load_checkpoint(folder: Path) -> Checkpoint:
    """The model in ``folder``; nothing is read yet."""
    return Checkpoint(folder)


def load_model(folder: Path, *, device: str, dtype: str) -> Model:
    """A causal or encoder-decoder model in evaluation mode, frozen; see :meth:`Checkpoint.model`.

    Raises:
        ResourceError: If the folder holds no safetensors weights, some of the model's are missing, or the
            folder cannot be read or is refused.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    if not list(folder.glob("*.safetensors")):
        raise ResourceError(
            "The folder holds no safetensors weights",
            where=str(folder),
            fix="Save the model with save_pretrained(); pickled weights are not read.",
        )
    with reading_model(folder):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        loaded: tuple[Model, dict[str, Any]] = kind.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            attn_implementation=_attention(config),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    model, report = loaded
    check_whole(report, folder)
    model.requires_grad_(requires_grad=False)
    return place(model, device).eval()


def check_whole(report: Mapping[str, Any], folder: Path) -> None:
    """Make sure that ``transformers`` found all weights: it draws others at random, with only a warning.

    Args:
        report: What ``from_pretrained`` says of its loading.
        folder: Where the weights are.

    Raises:
        ResourceError: If some are missing, or of another shape.
    """
    lacking = sorted({*report["missing_keys"], *(str(one[0]) for one in report["mismatched_keys"])})
    if lacking:
        raise ResourceError(
            f"{len(lacking)} weights are missing, {lacking[0]} among them",
            where=str(folder),
            fix="Fetch the model again.",
        )


def _attention(config: Any) -> str | None:
    """``eager`` where attention logits are capped (Gemma 2), which fused kernels cannot; else the default."""
    parts = [config, *(getattr(config, name, None) for name in ("text_config", "encoder", "decoder"))]
    return "eager" if any(getattr(part, "attn_logit_softcapping", None) for part in parts) else None


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in ``folder``, without remote code.

    Raises:
        ResourceError: If it cannot be read, or has to be converted and the packages for that are not
            installed.
    """
    from transformers import AutoTokenizer

    _check_converters(folder)
    with reading_model(folder):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


def _check_converters(folder: Path) -> None:
    """Tokenizers of mT5 and T5 v1.1 come as a SentencePiece model only, which two packages read."""
    models = [path.name for path in folder.glob("*.model")]
    if not models or (folder / "tokenizer.json").is_file():
        return
    lacking = [name for name in ("sentencepiece", "google.protobuf") if not _installed(name)]
    if lacking:
        raise ResourceError(
            f"The tokenizer comes only as {models[0]}, and {' and '.join(lacking)} to read it is missing",
            where=str(folder),
            fix="Install them: pip install sentencepiece protobuf (the extra 'lm' has both).",
        )


def _installed(name: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the parent package is missing
        return False


def check_same_tokenizer(draft: Any, target: Any, *, where: str) -> None:
    """Make sure that two tokenizers map the same text to the same ids.

    Raises:
        ProblemError: If their vocabularies differ.
    """
    left, right = draft.get_vocab(), target.get_vocab()
    if left == right:
        return
    differing = [token for token, index in left.items() if right.get(token) != index]
    example = f", for example {differing[0]!r}" if differing else ""
    raise ProblemError(
        f"Draft and target have different tokenizers: {len(left)} and {len(right)} tokens{example}",
        where=where,
        fix="Use a draft that was trained with the target's tokenizer.",
    )


def check_same_width(draft: int, target: int, *, where: str) -> None:
    """Make sure that two models give probabilities over the same ids.

    Raises:
        ProblemError: If one vocabulary is padded more than the other.
    """
    if draft != target:
        raise ProblemError(
            f"The draft gives probabilities over {draft} ids, the target over {target}",
            where=where,
            fix="Resize the embeddings of both models to the length of their tokenizer "
            "(model.resize_token_embeddings(len(tokenizer))) and save them again.",
        )


def probabilities(logits: Tensor, *, temperature: float = 1.0, top_p: float = 1.0) -> Tensor:
    """Softmax in float32 (or better) after temperature, cut to the nucleus of mass ``top_p``.

    Args:
        logits: Shape (…, V), of any precision.
        temperature: 0 puts all mass on the largest logit.
        top_p: Smallest set of most probable tokens with at least this mass is kept.

    Returns:
        Shape (…, V), rows sum to 1.
    """
    exact = logits if logits.dtype == torch.float64 else logits.float()
    if temperature == 0:
        return torch.zeros_like(exact).scatter_(-1, exact.argmax(-1, keepdim=True), 1.0)
    law = torch.softmax(exact if temperature == 1.0 else exact / temperature, dim=-1)
    if top_p >= 1.0:
        return law
    ordered, index = law.sort(-1, descending=True)
    outside = ordered.cumsum(-1) - ordered >= top_p
    cut = law.masked_fill(torch.zeros_like(outside).scatter_(-1, index, outside), 0.0)
    return cut / cut.sum(-1, keepdim=True)
