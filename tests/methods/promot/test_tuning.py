"""What each stage may change, and what the stages reduce to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.common.examples import Example, collate
from methods.common.forward import target_logits
from methods.common.soft_prompt import SoftPrompt, from_tokens, from_vocabulary, own_prompt_loss
from methods.promot import tuning
from methods.promot.problem import answers, weight_hash
from methods.promot.stage import Stage
from methods.promot.tuning import Session
from methods.promot.world import PAD, Architecture
from tests.methods.promot.worlds import FakeContext, context, small_world, untrained

BOTH: tuple[Architecture, ...] = ("decoder", "encoder-decoder")
STAGE = Stage(rate=1e-2, steps=6, every=3, batch=4)


def session(ctx: FakeContext, *, shots: int = 0, **changes: Any) -> Session:
    return Session.begin(small_world(**changes).problem(ctx), ctx, shots=shots)


def hash_of(model: Any) -> str:
    return weight_hash(dict(model.named_parameters()))


@pytest.mark.parametrize("architecture", BOTH)
def test_stage_one_leaves_the_model_and_stage_two_the_prompt(architecture: Architecture) -> None:
    made = session(context(architecture))
    before = hash_of(made.model)
    tuning.tune_prompt(made, "entailment", 3, replace(STAGE, rate=0.3))
    assert hash_of(made.model) == before
    assert all(parameter.grad is None for parameter in made.model.parameters())
    prompt = made.prompts["entailment"]
    assert prompt is not None
    tuned = weight_hash(dict(prompt.named_parameters()))
    prompt.weight.grad = None
    made.train([{"params": tuning.model_parameters(made.model)}], STAGE, name="stage 2")
    assert weight_hash(dict(prompt.named_parameters())) == tuned
    assert prompt.weight.grad is None


def test_stage_one_trains_the_prompt() -> None:
    made = session(context())
    start = from_vocabulary(made.model, 3, made.ctx.rng("first prompt of entailment"))
    groups = [{"params": [start.weight]}]
    made.prompts["entailment"] = start
    first = start.weight.detach().clone()
    stage = replace(STAGE, rate=0.1, steps=40, every=40, keep="last")
    losses = made.train(groups, stage, name="stage 1")
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert not torch.equal(first, start.weight)


def test_mixed_batches_need_a_prompt_for_every_task() -> None:
    made = session(context(), targets=("entailment", "translation"))
    made.prompts["entailment"] = SoftPrompt(3, 16)
    with pytest.raises(ProblemError, match="translation"):
        made.loss()
    made.loss(["entailment"])


@pytest.mark.parametrize("architecture", BOTH)
def test_a_prompt_of_token_embeddings_reads_like_the_tokens(architecture: Architecture) -> None:
    model = untrained(architecture)
    tokens, prompt, target = [7, 23, 30], (9, 25, 2), (4, 1)
    separate = architecture != "decoder"
    plain = collate([Example("a", (*tokens, *prompt), target)], PAD, separate=separate)
    behind = collate([Example("a", prompt, target)], PAD, separate=separate)
    with torch.no_grad():
        expected = target_logits(model, plain)
        found = target_logits(model, behind, from_tokens(model, tokens)())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", BOTH)
def test_an_empty_prompt_is_fine_tuning_step_by_step(architecture: Architecture) -> None:
    losses, weights = [], []
    for empty in (False, True):
        made = session(context(architecture))
        if empty:
            made.prompts["entailment"] = SoftPrompt(0, 16)
        groups = [{"params": tuning.model_parameters(made.model)}]
        losses.append(made.train(groups, STAGE, name="stage 2"))
        weights.append([parameter.detach() for parameter in made.model.parameters()])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for plain, prompted in zip(*weights, strict=True):
        torch.testing.assert_close(plain, prompted, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("architecture", BOTH)
def test_every_example_of_a_mixed_batch_has_its_own_tasks_prompt(architecture: Architecture) -> None:
    made = session(context(architecture), targets=("entailment", "translation"))
    for number, task in enumerate(made.problem.targets):
        tuning.set_prompts(made, 3, "random")
        with torch.no_grad():
            for own in made.prompts.values():
                assert own is not None
                own.weight.add_(number)
        assert made.prompts[task] is not None
    one, two = (made.examples([task])[0] for task in made.problem.targets)
    separate = architecture != "decoder"
    prompts = {name: prompt for name, prompt in made.prompts.items() if prompt is not None}

    def loss(*examples: Example, **chosen: SoftPrompt) -> float:
        batch = collate(examples, PAD, separate=separate)
        with torch.no_grad():
            return float(own_prompt_loss(chosen, tuning.task_of)(made.model, batch, 0.0))

    alone = loss(two, translation=prompts["translation"]) + 2 * loss(one, entailment=prompts["entailment"])
    swapped = {"entailment": prompts["translation"], "translation": prompts["entailment"]}
    mixed = collate([two, one, one], PAD, separate=separate)
    with torch.no_grad():
        together = float(made.loss()(made.model, mixed, 0.0))
    assert together == pytest.approx(alone, rel=1e-5)
    assert abs(loss(two, one, one, **swapped) - together) > 1e-4


def test_the_best_checkpoint_on_the_target_is_kept() -> None:
    made = session(context())
    scores = iter([10.0, 40.0, 20.0])
    weights = []

    def score(tasks: Sequence[str]) -> float:
        weights.append(hash_of(made.model))
        return next(scores)

    made.validation_score = score  # type: ignore[method-assign]
    tuning.tune_model(made, STAGE)
    assert hash_of(made.model) == weights[1] != weights[2]


def test_training_forms_follow_the_shots() -> None:
    plain, shown = session(context()), session(context(), shots=1)
    assert len(shown.examples(["entailment"])[0].prompt) > len(plain.examples(["entailment"])[0].prompt)


def test_shuffled_answers_keep_inputs_and_the_set_of_answers() -> None:
    examples = session(context()).examples(["entailment"])
    mixed = tuning.shuffled(examples, np.random.default_rng(0))
    assert [e.prompt for e in mixed] == [e.prompt for e in examples]
    assert sorted(e.target for e in mixed) == sorted(e.target for e in examples)
    assert [e.target for e in mixed] != [e.target for e in examples]


def test_anchor_adds_the_squared_distance() -> None:
    made = session(context())
    batch = collate(made.examples(["entailment"])[:3], PAD)
    loss = tuning.anchored(made.loss(), made.model, 0.5)
    with torch.no_grad():
        assert float(loss(made.model, batch, 0.0)) == pytest.approx(
            float(made.loss()(made.model, batch, 0.0))
        )
        next(iter(made.model.parameters()))[0, 0] += 2.0
        moved = float(loss(made.model, batch, 0.0)) - float(made.loss()(made.model, batch, 0.0))
    assert moved == pytest.approx(0.5 * 4.0 * len(batch.gold), rel=1e-4)


def test_interpolation_moves_each_weight_once() -> None:
    model = untrained()
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    tuning.interpolate(model, start, 0.25)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter, start[name] + 0.25)


def test_adafactor_trains() -> None:
    made = session(context())
    tuning.tune_model(made, replace(STAGE, rate=1e-2, optimizer="adafactor", every=6))
    assert made.steps == 6


def test_a_missing_form_is_refused() -> None:
    ctx = context()
    problem = small_world().problem(ctx)
    with pytest.raises(ProblemError, match="demonstrations") as caught:
        Session.begin(problem, ctx, shots=2)
    assert caught.value.fix
    with pytest.raises(ProblemError, match="no target"):
        Session.begin(replace(problem, targets={}), ctx)


def test_training_inputs_among_the_validation_inputs_are_refused() -> None:
    ctx = context()
    problem = small_world().problem(ctx)
    target = problem.targets["entailment"]
    query = target.validation[0][0]
    leak = Example("entailment/leak", query.prompt, (4, 1))
    leaky = replace(target, train={**target.train, 0: [*target.train[0], leak]})
    with pytest.raises(ProblemError, match="training inputs"):
        Session.begin(replace(problem, targets={"entailment": leaky}), ctx)


def test_an_example_without_its_tasks_name_is_refused() -> None:
    ctx = context()
    problem = small_world().problem(ctx)
    target = problem.targets["entailment"]
    strange = replace(target, train={0: [Example("other/1", (9, 2), (4, 1))]})
    with pytest.raises(ProblemError, match="other/1"):
        Session.begin(replace(problem, targets={"entailment": strange}), ctx)


def test_outputs_are_read_up_to_the_stop() -> None:
    ctx = context()
    world = small_world()
    queries = world.exam(ctx, shots=0, brief=False).held_out
    texts = answers(untrained(), queries, world.reading(ctx))
    assert len(texts) == len(queries)
    assert all("stop" not in text.split() for text in texts)
