"""Models from a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.method import ResourceError
from methods.common.causal_lm import load_model
from tests.methods.common import models

EXPECTED = {"llama": "sdpa", "gpt2": "sdpa", "opt": "sdpa", "gemma3": "sdpa", "gemma2": "eager"}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", [*EXPECTED, "t5", "mt5"])
def test_every_architecture_loads_and_answers_as_it_was(name: str, dtype: str, tmp_path: Path) -> None:
    model = getattr(models, name)()
    model.save_pretrained(tmp_path)
    loaded = load_model(tmp_path, device="cpu", dtype=dtype)
    assert loaded.config._attn_implementation == EXPECTED.get(name, "sdpa")
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    ids = torch.tensor([[3, 4, 5, 6]])
    inputs = {"input_ids": ids} | ({"decoder_input_ids": ids} if model.config.is_encoder_decoder else {})
    with torch.no_grad():
        same = model.to(getattr(torch, dtype))(**inputs).logits
        assert torch.allclose(loaded(**inputs).logits, same, atol=1e-5 if dtype == "float32" else 0.2)


def test_the_cap_on_attention_is_kept(tmp_path: Path) -> None:
    model = models.gemma2()
    model.config.attn_logit_softcapping = 0.01
    model.save_pretrained(tmp_path)
    loaded = load_model(tmp_path, device="cpu", dtype="float32")
    ids = torch.tensor([[3, 4, 5, 6]])
    with torch.no_grad():
        capped = loaded(ids).logits
        for layer in loaded.model.layers:
            layer.self_attn.attn_logit_softcapping = None
        assert not torch.allclose(loaded(ids).logits, capped, atol=1e-3)


@pytest.mark.parametrize("name", ["llama", "mt5"])
def test_weights_that_are_missing_are_not_drawn_at_random(name: str, tmp_path: Path) -> None:
    getattr(models, name)().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    norm = next(key for key in weights if "norm" in key)
    save_file({key: value for key, value in weights.items() if key != norm}, tmp_path / "model.safetensors")
    with pytest.raises(ResourceError, match=f"1 weights are missing, {norm}"):
        load_model(tmp_path, device="cpu", dtype="float32")


def test_pickles_are_refused(tmp_path: Path) -> None:
    models.llama().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ResourceError, match="safetensors"):
        load_model(tmp_path, device="cpu", dtype="float32")
