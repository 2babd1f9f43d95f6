"""Prompts tuned beforehand: the bits of stage 1 in the trial, and only where it would be the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.method import PerSeed
from methods.promot import method as m
from methods.promot.beforehand import prompts_of
from methods.promot.method import PromptTuning
from methods.promot.sabotage import ScrambledProMoT
from methods.promot.sabotage_stages import SelfTaughtProMoT
from tests.methods.promot.worlds import FakeContext, context, small_world

MODEL: dict[str, Any] = {"rate": 1e-3, "steps": 3, "every": 3, "batch": 6, "optimizer": "adam"}
PROMPT: dict[str, Any] = {"length": 3, "prompt_rate": 0.05, "prompt_steps": 4, "prompt_every": 2}
SEEDS = (7, 8)


@pytest.fixture
def built(tmp_path: Path) -> tuple[PerSeed, FakeContext]:
    """Prompts of two seeds, and a context that has them."""
    prompts, ctx = prompts_of(small_world(), PromptTuning(**MODEL, **PROMPT)), context()
    # Another seed than those of the prompts, as artifacts have it.
    ctx.seed = 0
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        prompts.of(seed).build(folder, ctx)
        ctx.objects[prompts.of(seed)] = prompts.of(seed).load(folder)
    assert ctx.seed == 0
    return prompts, ctx


def trained(method: Any, ctx: FakeContext, seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, int]:
    """What a method gives, and how many stages it trained."""
    from methods.promot.tuning import Session

    stages: list[str] = []
    original = Session.train

    def counted(self: Session, *args: Any, **options: Any) -> list[float]:
        stages.append(options["name"])
        return original(self, *args, **options)

    own = replace(ctx, seed=seed)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "train", counted)
        found = method.run(small_world().problem(own), own)
    return found, len(stages)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [m.ProMoT, ScrambledProMoT, SelfTaughtProMoT, m.PromptTuning])
def test_results_are_those_of_a_stage_in_the_trial(
    kind: Any, seed: int, built: tuple[PerSeed, FakeContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts, ctx = built
    plain = kind(**MODEL, **PROMPT)
    alone, both = trained(plain, ctx, seed, monkeypatch)
    shared, one = trained(replace(plain, beforehand=prompts.of(seed)), ctx, seed, monkeypatch)
    assert both - one == 1
    left, right = alone.prompts["entailment"], shared.prompts["entailment"]
    assert torch.equal(left.weight, right.weight)
    assert not right.weight.requires_grad
    for before, after in zip(alone.model.parameters(), shared.model.parameters(), strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt_rate": 0.1},
        {"length": 4},
        {"prompt_steps": 6},
        {"batch": 5},
        {"smoothing": 0.0},
        {"shots": 1},
    ],
)
def test_another_stage_one_is_trained(
    changed: dict[str, Any], built: tuple[PerSeed, FakeContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts, ctx = built
    method = m.ProMoT(**{**MODEL, **PROMPT, **changed}, beforehand=prompts.of(SEEDS[0]))
    assert trained(method, ctx, SEEDS[0], monkeypatch)[1] == 2


def test_stage_two_does_not_matter_and_other_seeds_do(
    built: tuple[PerSeed, FakeContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts, ctx = built
    other = m.ProMoT(**{**MODEL, **PROMPT, "rate": 0.1, "steps": 1}, beforehand=prompts.of(SEEDS[0]))
    assert trained(other, ctx, SEEDS[0], monkeypatch)[1] == 1
    assert trained(other, ctx, 9, monkeypatch)[1] == 2


def test_prompts_of_several_seeds_are_not_the_same(built: tuple[PerSeed, FakeContext]) -> None:
    prompts, ctx = built
    first, second = (ctx.load(prompts.of(seed)).of["entailment"] for seed in SEEDS)
    assert first.shape == (PROMPT["length"], 16)
    assert not torch.equal(first, second)
