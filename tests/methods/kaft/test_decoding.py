"""Greedy decoding after shared examples, and against the closed book."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from methods.common.answering import generate
from methods.common.tiny_lm import Size, new_model
from methods.kaft.decoding import decode

VOCABULARY = 40


def llama() -> Any:
    model = new_model(VOCABULARY, Size(2, 32), torch.Generator().manual_seed(0))
    return sharpened(model)


def gemma(window: int = 64) -> Any:
    config = Gemma3TextConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        layer_types=["sliding_attention", "full_attention"],
        sliding_window=window,
        max_position_embeddings=128,
    )
    torch.manual_seed(0)
    return sharpened(Gemma3ForCausalLM(config))


def sharpened(model: Any) -> Any:
    """Larger weights, so that the answers depend on the whole prompt."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6.0)
    return model.eval()


def prompts(count: int = 7) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [rng.integers(2, VOCABULARY, size=rng.integers(3, 12)).tolist() for _ in range(count)]


SETTINGS: dict[str, Any] = {"new_tokens": 5, "stop": {1}, "pad": 0}


def forgetful_gemma() -> Any:
    return gemma(window=16)


@pytest.mark.parametrize("make", [llama, gemma, forgetful_gemma])
def test_shared_examples_are_read_as_if_they_stood_before_each_prompt(make: Any) -> None:
    model, shared = make(), [5, 9, 7, 3, 12, 30, 8]
    whole = generate(model, [shared + prompt for prompt in prompts()], **SETTINGS)
    for batch in (1, 3, 64):
        assert decode(model, prompts(), shared=shared, batch=batch, **SETTINGS) == whole
    assert whole != generate(model, prompts(), **SETTINGS)


def by_hand(model: Any, left: list[int], right: list[int], alpha: float) -> list[int]:
    """Context-aware decoding as the formula says, without a cache."""
    answer: list[int] = []
    for _ in range(SETTINGS["new_tokens"]):
        logs = [
            model(input_ids=torch.tensor([side + answer])).logits[0, -1].log_softmax(-1)
            for side in (left, right)
        ]
        token = int(((1 + alpha) * logs[0] - alpha * logs[1]).argmax())
        if token in SETTINGS["stop"]:
            break
        answer.append(token)
    return answer


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_context_aware_decoding_follows_its_formula(alpha: float) -> None:
    model = llama()
    against = [prompt[-2:] for prompt in prompts()]
    with torch.no_grad():
        expected = [by_hand(model, p, a, alpha) for p, a in zip(prompts(), against, strict=True)]
    assert decode(model, prompts(), against=against, alpha=alpha, batch=3, **SETTINGS) == expected
    assert expected != decode(model, prompts(), **SETTINGS)


def test_without_weight_the_closed_book_does_not_matter() -> None:
    model = llama()
    against = [[3]] * len(prompts())
    assert decode(model, prompts(), against=against, **SETTINGS) == generate(model, prompts(), **SETTINGS)
