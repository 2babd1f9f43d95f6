"""Soft prompts beside ``peft``, and beside the text that they can stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from peft import PromptTuningConfig, TaskType, get_peft_model

from harness.method import ProblemError
from methods.common import soft_prompt
from methods.common.examples import collate
from methods.common.forward import target_logits
from methods.common.training import Recipe, fit
from tests.methods.common import models

DATA = models.examples(8, seed=6)


@pytest.mark.parametrize("name", sorted(models.MODELS))
def test_embeddings_of_tokens_read_like_the_tokens(name: str) -> None:
    model, separate = models.MODELS[name](), name == "t5"
    prompt = soft_prompt.from_tokens(model, [1, 7, 20])
    longer = [type(e)(e.id, (1, 7, 20, *e.prompt), e.target) for e in DATA]
    with torch.no_grad():
        found = target_logits(model, collate(DATA, 0, separate=separate), prompt())
        wanted = target_logits(model, collate(longer, 0, separate=separate))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "task"), [("llama", TaskType.CAUSAL_LM), ("t5", TaskType.SEQ_2_SEQ_LM)])
def test_loss_and_gradient_agree_with_peft(name: str, task: Any) -> None:
    model = models.MODELS[name]()
    prompt = soft_prompt.from_vocabulary(model, 5, np.random.default_rng(0))
    theirs: Any = get_peft_model(
        models.MODELS[name](),
        PromptTuningConfig(task_type=task, num_virtual_tokens=5, num_transformer_submodules=1),
    )
    vectors = theirs.prompt_encoder["default"].embedding.weight
    with torch.no_grad():
        vectors.copy_(prompt.weight)
    batch = collate(DATA, 0, separate=name == "t5")
    loss = soft_prompt.prompted_loss(prompt)(model, batch, 0.0) / len(batch.gold)
    wanted = theirs(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).loss
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    loss.backward()
    wanted.backward()
    torch.testing.assert_close(prompt.weight.grad, vectors.grad, rtol=1e-3, atol=1e-6)


def test_training_it_leaves_the_model_untouched() -> None:
    model = models.llama()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    prompt = soft_prompt.from_vocabulary(model, 4, np.random.default_rng(0))
    start = prompt.weight.detach().clone()
    optimizer = torch.optim.Adam(prompt.parameters(), lr=0.2)
    loss = soft_prompt.prompted_loss(prompt)
    history = fit(model, optimizer, DATA, Recipe(25, 8), rng=np.random.default_rng(1), pad=0, loss=loss)
    assert history.losses[-1] < history.losses[0] - 0.1
    assert not torch.equal(prompt.weight, start)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_training_the_model_under_it_leaves_it_untouched() -> None:
    model = models.llama()
    prompt = soft_prompt.uniform(model, 4, torch.Generator().manual_seed(0))
    start = prompt.weight.detach().clone()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss = soft_prompt.prompted_loss(prompt)
    fit(model, optimizer, DATA, Recipe(3, 8), rng=np.random.default_rng(1), pad=0, loss=loss)
    assert torch.equal(prompt.weight, start)


def test_each_example_can_have_the_prompt_of_its_group() -> None:
    model = models.llama()
    even, odd = (soft_prompt.uniform(model, 3, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    groups = {e.id: "even" if number % 2 == 0 else "odd" for number, e in enumerate(DATA)}
    mixed = soft_prompt.own_prompt_loss({"even": even, "odd": odd}, groups.__getitem__)
    total = mixed(model, collate(DATA, 0), 0.0)
    apart = sum(
        soft_prompt.prompted_loss(prompt)(model, collate(part, 0), 0.0)
        for prompt, part in ((even, DATA[::2]), (odd, DATA[1::2]))
    )
    assert float(total.detach()) == pytest.approx(float(apart.detach()), rel=1e-5)  # type: ignore[union-attr]


def test_an_empty_prompt_changes_nothing() -> None:
    model = models.llama()
    batch = collate(DATA, 0)
    with torch.no_grad():
        found = target_logits(model, batch, soft_prompt.uniform(model, 0, torch.Generator())())
        torch.testing.assert_close(found, target_logits(model, batch))


def test_starting_points() -> None:
    model = models.gemma3()
    table = model.get_input_embeddings()(torch.arange(models.VOCABULARY)).detach()
    prompt = soft_prompt.from_vocabulary(model, 10, np.random.default_rng(0), among=10)
    chosen = [int((table == vector).all(1).nonzero()) for vector in prompt.weight.detach()]
    assert sorted(chosen) == list(range(10))
    values = soft_prompt.uniform(model, 50, torch.Generator().manual_seed(0), bound=0.25).weight.detach()
    assert values.shape == (50, 32)
    assert 0.24 < values.abs().max() <= 0.25


def test_impossible_prompts_are_refused() -> None:
    model = models.llama()
    with pytest.raises(ProblemError, match="cannot be drawn"):
        soft_prompt.from_vocabulary(model, models.VOCABULARY + 1, np.random.default_rng(0))
    with pytest.raises(ProblemError, match="cannot have"):
        soft_prompt.SoftPrompt(-1, 4)
