"""Counting in models of ``transformers`` against brute force over every ReLU's output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from harness.method import DivergedError, ProblemError
from methods.sparsity import Counts, EncoderDecoder, LmSize, PretrainedCounter
from methods.sparsity.blocks import has_exact_zeros
from methods.sparsity.counting import ActivationCounter

D_FF = 20


def opt(function: str = "relu") -> Any:
    config = OPTConfig(
        vocab_size=40,
        hidden_size=16,
        ffn_dim=D_FF,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=30,
        word_embed_proj_dim=16,
        activation_function=function,
        init_std=0.5,
    )
    torch.manual_seed(0)
    return OPTForCausalLM(config).eval()


def t5(function: str = "relu") -> Any:
    config = T5Config(
        vocab_size=40, d_model=16, d_kv=8, d_ff=D_FF, num_layers=2, num_heads=2, feed_forward_proj=function
    )
    torch.manual_seed(0)
    return T5ForConditionalGeneration(config).eval()


def ids(rows: int = 3, length: int = 7) -> Tensor:
    return torch.randint(3, 40, (rows, length), generator=torch.Generator().manual_seed(1))


def counted(model: nn.Module, **inputs: Tensor) -> Counts:
    with PretrainedCounter(model) as counter, torch.no_grad():
        model(**inputs)
    return counter.take()


def brute_force(model: nn.Module, kind: type[nn.Module], **inputs: Tensor) -> list[Tensor]:
    """What each activation module gave, in the order of the calls."""
    seen: list[Tensor] = []
    handles = [
        part.register_forward_hook(lambda _, args, out: seen.append(out.detach()))
        for part in model.modules()
        if isinstance(part, kind)
    ]
    with torch.no_grad():
        model(**inputs)
    for handle in handles:
        handle.remove()
    return seen


def assert_same(counts: Counts, maps: list[Tensor], masks: list[Tensor]) -> None:
    assert len(counts.layers) == len(maps) == len(masks)
    for layer, a, mask in zip(counts.layers, maps, masks, strict=True):
        active = (a.reshape(-1, D_FF)[mask.reshape(-1)] > 0).numpy()
        np.testing.assert_array_equal(layer.firing, active.sum(0))
        np.testing.assert_array_equal(layer.histogram, np.bincount(active.sum(1), minlength=D_FF + 1))


def test_opt_equals_brute_force_with_padding() -> None:
    model = opt()
    mask = torch.ones(3, 7, dtype=torch.long)
    mask[1, 4:] = 0
    inputs = {"input_ids": ids(), "attention_mask": mask}
    assert_same(counted(model, **inputs), brute_force(model, nn.ReLU, **inputs), [mask.bool()] * 2)


def test_t5_equals_brute_force_with_padding_on_both_sides() -> None:
    model = t5()
    mask, target_mask = torch.ones(3, 7, dtype=torch.long), torch.ones(3, 5, dtype=torch.long)
    mask[0, 6:], target_mask[2, 2:] = 0, 0
    inputs = {
        "input_ids": ids(),
        "attention_mask": mask,
        "decoder_input_ids": ids(3, 5),
        "decoder_attention_mask": target_mask,
    }
    counts = counted(model, **inputs)
    masks = [mask.bool()] * 2 + [target_mask.bool()] * 2
    assert_same(counts, brute_force(model, nn.ReLU, **inputs), masks)
    assert [layer.name.split(".")[0] for layer in counts.layers] == ["encoder"] * 2 + ["decoder"] * 2


def test_without_masks_all_tokens_count() -> None:
    assert {layer.tokens for layer in counted(opt(), input_ids=ids()).layers} == {21}
    layers = counted(t5(), input_ids=ids(), decoder_input_ids=ids(3, 5)).layers
    assert [layer.tokens for layer in layers] == [21, 21, 15, 15]


def test_our_own_t5_gives_the_same_counts_as_the_hooks() -> None:
    ours = EncoderDecoder(
        LmSize(d_model=16, d_ff=D_FF, layers=1, heads=2, vocabulary=40),
        generator=torch.Generator().manual_seed(0),
    )
    with ActivationCounter(ours) as counter:
        ours(ids(), ids(3, 5))
    assert [layer.tokens for layer in counter.take().layers] == [21, 15]
    # In our blocks, too, the hooks would see all: what enters the second layer is an argument.
    seen: list[Tensor] = []
    for name, part in ours.named_modules():
        if name.endswith("mlp.down"):
            part.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with counter:
        ours(ids(), ids(3, 5))
    assert [layer.active for layer in counter.take().layers] == [int((a > 0).sum()) for a in seen]


def test_hooks_are_gone_afterwards() -> None:
    model = opt()
    counter = PretrainedCounter(model)
    with counter:
        model(input_ids=ids())
    model(input_ids=ids())
    assert counter.take().layers[0].tokens == 21
    assert not any(part._forward_pre_hooks for part in model.modules())
    with counter, pytest.raises(ProblemError, match="already"):
        counter.__enter__()


def test_generation_counts_every_token_once() -> None:
    model = opt()
    mask = torch.ones(3, 7, dtype=torch.long)
    mask[0, :3] = 0
    with PretrainedCounter(model) as counter, torch.no_grad():
        model.generate(ids(), attention_mask=mask, max_new_tokens=4, min_new_tokens=4, do_sample=False)
    # 18 tokens of the prompts, then three of the four new ones are fed back.
    assert counter.take().layers[0].tokens == 18 + 3 * 3


@pytest.mark.parametrize("function", ["gelu", "silu", "leaky_relu", "relu6", "relu2"])
def test_only_exact_zeros_are_accepted(function: str) -> None:
    from transformers.activations import ACT2FN

    exact = function in {"relu6", "relu2"}
    assert has_exact_zeros(ACT2FN[function]) is exact
    if not exact:
        with pytest.raises(ProblemError, match="no exact zeros"):
            PretrainedCounter(opt(function))


def test_gelu_and_gated_models_are_refused_with_a_reason() -> None:
    with pytest.raises(ProblemError, match="gated"):
        PretrainedCounter(t5("gated-gelu"))
    size: dict[str, Any] = {"vocab_size": 40, "num_hidden_layers": 1, "num_attention_heads": 2}
    llama = LlamaForCausalLM(LlamaConfig(hidden_size=16, intermediate_size=20, **size))
    with pytest.raises(ProblemError, match="gated"):
        PretrainedCounter(llama.eval())
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2)).eval()
    with pytest.raises(ProblemError, match="no exact zeros"):
        PretrainedCounter(gpt2)
    with pytest.raises(ProblemError, match="No MLP block"):
        PretrainedCounter(nn.Linear(2, 2))


def test_half_precision_and_training_mode_are_refused() -> None:
    with pytest.raises(ProblemError, match="float16"):
        PretrainedCounter(opt().half())
    model = opt().train()
    with PretrainedCounter(model), pytest.raises(ProblemError, match="eval"):
        model(input_ids=ids())


def test_numbers_that_are_none_are_an_error() -> None:
    model = opt()
    with torch.no_grad():
        model.model.decoder.layers[1].fc1.bias[0] = float("nan")
    with pytest.raises(DivergedError, match="not a number"):
        counted(model, input_ids=ids())


def test_bfloat16_is_counted() -> None:
    counts = counted(opt().bfloat16(), input_ids=ids())
    assert counts.layers[0].tokens == 21
    assert 0 < counts.nnz_percent < 100
