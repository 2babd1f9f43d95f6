"""Sizes by formula, against the models that ``transformers`` builds and what PyTorch keeps of a pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from harness.errors import UsageError
from harness.hub.facts import read_facts
from harness.method.shapes import Shape, shape_of
from methods.common.lora import ALL, QUERY_VALUE, add_lora, layers_of, lora_parameters

ROWS, TOKENS = 4, 128
FACTOR = (0.75, 1.1)
"""How far the estimate of what a pass keeps may be from what it keeps: the estimate by the measurement."""

_T5 = {"d_model": 256, "d_kv": 32, "num_layers": 4, "num_heads": 8, "vocab_size": 512}
_HEADS = {"num_hidden_layers": 4, "num_attention_heads": 8, "vocab_size": 512, "hidden_size": 256}
_GEMMA = {**_HEADS, "intermediate_size": 1024, "num_key_value_heads": 4, "head_dim": 32}
_GATED = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "d_ff": 640}
TINY: dict[str, tuple[str, str, dict[str, Any]]] = {
    "t5 1.1": ("T5Config", "T5ForConditionalGeneration", {**_T5, **_GATED}),
    "t5": ("T5Config", "T5ForConditionalGeneration", {**_T5, "d_ff": 1024}),
    "t5, few layers behind many": (
        "T5Config",
        "T5ForConditionalGeneration",
        {**_T5, **_GATED, "num_decoder_layers": 2},
    ),
    "mt5": ("MT5Config", "MT5ForConditionalGeneration", {**_T5, **_GATED}),
    "llama": ("LlamaConfig", "LlamaForCausalLM", {**_HEADS, "intermediate_size": 700}),
    "llama, tied": (
        "LlamaConfig",
        "LlamaForCausalLM",
        {**_HEADS, "intermediate_size": 700, "num_key_value_heads": 2, "tie_word_embeddings": True},
    ),
    "qwen2": (
        "Qwen2Config",
        "Qwen2ForCausalLM",
        {**_HEADS, "intermediate_size": 700, "num_key_value_heads": 4},
    ),
    "mistral": ("MistralConfig", "MistralForCausalLM", {**_HEADS, "intermediate_size": 700}),
    "gemma": ("GemmaConfig", "GemmaForCausalLM", {**_GEMMA, "intermediate_size": 2048}),
    "gemma2": ("Gemma2Config", "Gemma2ForCausalLM", _GEMMA),
    "gemma3": ("Gemma3TextConfig", "Gemma3ForCausalLM", _GEMMA),
    "opt": ("OPTConfig", "OPTForCausalLM", {**_HEADS, "ffn_dim": 1024, "max_position_embeddings": 128}),
    "opt, narrow embeddings": (
        "OPTConfig",
        "OPTForCausalLM",
        {
            **_HEADS,
            "ffn_dim": 1024,
            "max_position_embeddings": 128,
            "word_embed_proj_dim": 128,
            "do_layer_norm_before": False,
        },
    ),
}
LARGE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama 7b": ("LlamaConfig", "LlamaForCausalLM", {}),
    "gemma 7b": ("GemmaConfig", "GemmaForCausalLM", {}),
    "gemma2 2b": ("Gemma2Config", "Gemma2ForCausalLM", {}),
    "opt 125m": ("OPTConfig", "OPTForCausalLM", {}),
    "t5 xxl": (
        "T5Config",
        "T5ForConditionalGeneration",
        {
            "d_model": 4096,
            "d_kv": 64,
            "d_ff": 10240,
            "num_layers": 24,
            "num_heads": 64,
            "feed_forward_proj": "gated-gelu",
            "tie_word_embeddings": False,
        },
    ),
}


def made(case: tuple[str, str, dict[str, Any]], device: str, **more: Any) -> tuple[Any, Shape]:
    kind, model, numbers = case
    config = getattr(transformers, kind)(**numbers)
    for name, value in more.items():
        setattr(config, name, value)
    with torch.device(device):
        return getattr(transformers, model)(config), shape_of(config.to_dict())


def parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("case", [*TINY.values(), *LARGE.values()], ids=[*TINY, *LARGE])
def test_parameters_are_those_of_the_model(case: tuple[str, str, dict[str, Any]]) -> None:
    model, shape = made(case, "meta")
    assert shape.parameters == parameters(model)


@pytest.mark.parametrize("name", ["t5 1.1", "llama", "gemma", "opt"])
@pytest.mark.parametrize("everywhere", [True, False])
def test_adapters_have_as_many_numbers_as_ours(name: str, *, everywhere: bool) -> None:
    model, shape = made(TINY[name], "cpu")
    roles = layers_of(model, ALL if everywhere else QUERY_VALUE)
    add_lora(model, roles, 3, 3.0, torch.Generator().manual_seed(0))
    trained = sum(parameter.numel() for parameter in lora_parameters(model))
    assert shape.adapter(3, everywhere=everywhere) == trained


class _Fused(torch.autograd.Function):
    """Keeps what fused attention keeps: queries, keys, values and its result."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        shared = queries.shape[1] // keys.shape[1]
        keys_each, values_each = (tensor.repeat_interleave(shared, 1) for tensor in (keys, values))
        result = torch.softmax(queries @ keys_each.transpose(-1, -2), -1) @ values_each
        ctx.save_for_backward(queries, keys, values, result)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise NotImplementedError


def _fused(_module: Any, queries: Tensor, keys: Tensor, values: Tensor, _mask: Any, **_: Any) -> Any:
    result: Any = _Fused.apply(queries, keys, values)
    return result.transpose(1, 2).contiguous(), None


def kept_bytes(model: Any) -> int:
    """Bytes that autograd keeps of a pass, each storage once and weights not."""
    found: dict[int, Any] = {}
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage
        return tensor

    ids = torch.randint(0, 512, (ROWS, TOKENS), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        if model.config.is_encoder_decoder:
            states = model.model if hasattr(model, "model") else model
            result = states(input_ids=ids, decoder_input_ids=ids)
        else:
            result = model.model(input_ids=ids)
    kept = sum(storage.nbytes() for storage in found.values())
    del result
    return kept


@pytest.mark.parametrize(
    "name", ["t5 1.1", "t5", "llama", "llama, tied", "qwen2", "gemma", "gemma2", "gemma3", "opt"]
)
def test_a_training_pass_keeps_about_what_is_told(name: str) -> None:
    transformers.AttentionInterface.register("as-fused", _fused)
    # Where scores are capped, models of this kind are loaded without fused attention.
    attention = "eager" if name == "gemma2" else "as-fused"
    model, shape = made(TINY[name], "cpu", _attn_implementation=attention)
    measured = kept_bytes(model.to(torch.bfloat16).train())
    told = shape.saved_bytes(TOKENS) * shape.stacked * ROWS * TOKENS
    assert FACTOR[0] < told / measured < FACTOR[1]


def test_sizes_on_record_agree_with_the_bytes_of_the_files() -> None:
    facts = [fact for fact in read_facts(Path("suites/hub.toml")).entries.values() if fact.shape]
    assert len(facts) >= 10
    for fact in facts:
        megabytes = shape_of(fact.shape).parameters * 2 / 1e6
        # Files hold 16 or 32 bits a weight; T5's may hold the shared embeddings three times.
        assert any(0.97 < fact.size_mb / (megabytes * width) < 1.1 for width in (1, 2)), fact.repo


def test_the_papers_models_have_the_sizes_that_are_published() -> None:
    facts = {fact.repo: fact for fact in read_facts(Path("suites/hub.toml")).entries.values()}
    # The weights of Gemma 7B are 17,075,391,360 bytes at two each, less the header of four files.
    assert shape_of(facts["google/gemma-7b"].shape).parameters == 8_537_680_896
    assert shape_of(facts["google/mt5-xxl"].shape).parameters == pytest.approx(12.92e9, rel=1e-3)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"model_type": "mamba"}, "models of type 'mamba'"),
        ({}, "models of type ''"),
        ({"model_type": "llama", "hidden_size": 8}, "'num_attention_heads' is missing"),
    ],
)
def test_what_is_not_known_is_told(config: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told) as error:
        shape_of(config, where="here/config.json")
    assert "here/config.json" in str(error.value)
