"""Models of any kind from a local folder, to be read with and not trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.method import ProblemError, ResourceError, reading_model
from methods.common.causal_lm import check_whole
from methods.common.placing import place


def load_reader(folder: Path, device: str = "cpu") -> Any:
    """A model in the class that its configuration names, in evaluation mode, in bfloat16 or float32.

    Encoders come without a head, since what is read are their blocks.

    Args:
        folder: ``config.json`` and safetensors weights; no code of it is run.
        device: ``"cpu"`` or ``"cuda"``.

    Raises:
        ResourceError: If the folder holds no safetensors weights, some of the model's are missing, or it
            cannot be read.
        ProblemError: If there is no such folder.
    """
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    if not (folder / "config.json").is_file():
        raise ProblemError(
            "There is no model in this folder: it has no config.json",
            where=str(folder),
            fix="Give a folder as save_pretrained() writes it; models of the hub are downloaded first.",
        )
    if not list(folder.glob("*.safetensors")):
        raise ResourceError(
            "The folder holds no safetensors weights",
            where=str(folder),
            fix="Save the model with save_pretrained(), or use 'corroborate convert --from ... --to ...'.",
        )
    with reading_model(folder):
        named = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        architecture = str((named.get("architectures") or [""])[0])
        kind: Any = AutoModel
        if named.get("is_encoder_decoder"):
            kind = AutoModelForSeq2SeqLM
        elif architecture.endswith(("ForCausalLM", "LMHeadModel")) and "Bert" not in architecture:
            kind = AutoModelForCausalLM
        model, report = kind.from_pretrained(
            folder,
            # Half precision makes small activations zero; the weights of such a model are read in float32.
            dtype="float32" if named.get("dtype", named.get("torch_dtype")) == "float16" else "auto",
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    check_whole(report, folder)
    return place(model.requires_grad_(requires_grad=False), device).eval()
