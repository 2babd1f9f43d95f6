"""Answers beside those of ``generate``, and scores beside those of a plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.common import soft_prompt
from methods.common.answering import generate, option_scores
from tests.methods.common import models

PROMPTS = [
    [1, *np.random.default_rng(n).integers(2, models.VOCABULARY, n).tolist()] for n in (3, 14, 7, 5, 1)
]
OPTIONS = [[[3], [4, 9], [5, 6, 7], [5, 6, 8], [4]]] * 4 + [[[3], [4]]]


def one_by_one(model: Any, prompt: list[int], tokens: int, stop: int | None = None) -> list[int]:
    ids = torch.tensor([prompt])
    found = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=tokens,
        eos_token_id=stop,
        pad_token_id=0,
    )[0].tolist()
    return found[1:] if model.config.is_encoder_decoder else found[len(prompt) :]


@pytest.mark.parametrize("name", sorted(models.MODELS))
@pytest.mark.parametrize("batch", [1, 2, 64])
def test_answers_are_those_of_generate(name: str, batch: int) -> None:
    model = models.MODELS[name]()
    found = generate(model, PROMPTS, new_tokens=6, stop=(), pad=0, batch=batch)
    assert found == [one_by_one(model, prompt, 6) for prompt in PROMPTS]


@pytest.mark.parametrize("name", ["llama", "t5"])
def test_an_answer_ends_before_its_stopping_token(name: str) -> None:
    model = models.MODELS[name]()
    whole = generate(model, PROMPTS, new_tokens=6, stop=(), pad=0)
    stop = whole[1][2]
    for answer, long in zip(generate(model, PROMPTS, new_tokens=6, stop={stop}, pad=0), whole, strict=True):
        assert answer == (long[: long.index(stop)] if stop in long else long)


@pytest.mark.parametrize("name", sorted(models.MODELS))
def test_a_soft_prompt_answers_like_the_tokens_it_stands_for(name: str) -> None:
    model = models.MODELS[name]()
    lead = [1, 9, 30]
    prompt = soft_prompt.from_tokens(model, lead)
    found = generate(model, PROMPTS, new_tokens=5, stop=(), pad=0, prefix=prompt)
    assert found == generate(model, [lead + p for p in PROMPTS], new_tokens=5, stop=(), pad=0)
    scores = option_scores(model, PROMPTS, OPTIONS, pad=0, prefix=prompt)
    wanted = option_scores(model, [lead + p for p in PROMPTS], OPTIONS, pad=0)
    for row, other in zip(scores, wanted, strict=True):
        assert row == pytest.approx(other, rel=1e-4, abs=1e-4)


def naive(model: Any, prompt: list[int], option: list[int]) -> float:
    with torch.no_grad():
        if model.config.is_encoder_decoder:
            start = torch.tensor([[0, *option[:-1]]])
            logits = model(input_ids=torch.tensor([prompt]), decoder_input_ids=start).logits[0]
        else:
            logits = model(torch.tensor([prompt + option])).logits[0, len(prompt) - 1 : -1]
        return float(logits.log_softmax(-1)[range(len(option)), option].sum())


@pytest.mark.parametrize("name", sorted(models.MODELS))
@pytest.mark.parametrize("batch", [1, 3, 64])
def test_scores_are_those_of_one_option_at_a_time(name: str, batch: int) -> None:
    model = models.MODELS[name]()
    found = option_scores(model, PROMPTS, OPTIONS, pad=0, batch=batch)
    each = option_scores(model, PROMPTS, OPTIONS, pad=0, batch=batch, per_token=True)
    for prompt, options, scores, means in zip(PROMPTS, OPTIONS, found, each, strict=True):
        wanted = [naive(model, prompt, option) for option in options]
        assert scores == pytest.approx(wanted, rel=1e-4, abs=1e-4)
        lengths = [len(option) for option in options]
        assert means == pytest.approx([s / n for s, n in zip(scores, lengths, strict=True)])


def test_options_that_share_all_but_the_last_token_share_a_row() -> None:
    model = models.llama()
    rows: list[int] = []
    model.model.register_forward_pre_hook(
        lambda _, args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    option_scores(model, PROMPTS[:1], [[[3], [4], [5], [5, 6], [5, 7]]], pad=0, batch=1)
    assert rows == [1, 1]


def test_the_models_mode_is_restored() -> None:
    model = models.llama().train()
    generate(model, PROMPTS, new_tokens=1, stop=(), pad=0)
    assert model.training


def test_prompts_must_fit_and_hold_something() -> None:
    model = models.llama(context=20)
    with pytest.raises(ProblemError, match="needs 21 positions, and the model has 20"):
        generate(model, PROMPTS, new_tokens=6, stop=(), pad=0)
    with pytest.raises(ProblemError, match="prompt is empty"):
        generate(model, [[]], new_tokens=1, stop=(), pad=0)
    with pytest.raises(ProblemError, match="Option 1 of prompt 0 is empty"):
        option_scores(model, PROMPTS[:1], [[[3], []]], pad=0)
    assert generate(model, [], new_tokens=1, stop=(), pad=0) == []
