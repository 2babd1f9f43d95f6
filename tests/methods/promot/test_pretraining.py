"""Pretraining on episodes: all known answers are targets, and both architectures learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from methods.common.examples import Example, collate
from methods.common.forward import summed_loss, target_logits
from methods.promot import pretraining, world
from methods.promot.checkpoint import load_language_model
from methods.promot.prepare import FormatModel
from methods.promot.world import PAD, Architecture
from tests.methods.promot.worlds import FakeContext, untrained


def test_every_known_answer_is_a_target_in_its_context() -> None:
    model, rng = untrained(), np.random.default_rng(3)
    episodes = [world.pretraining_episode(40, rng) for _ in range(6)]
    batch = pretraining.all_answers(episodes)
    with torch.no_grad():
        together = float(summed_loss(target_logits(model, batch), batch.gold))
        alone = 0.0
        for episode in episodes:
            before: tuple[int, ...] = ()
            for part in episode:
                if part.known:
                    single = collate([Example("one", before + part.prompt, part.answer)], PAD)
                    alone += float(summed_loss(target_logits(model, single), single.gold))
                before += part.prompt + part.answer
    assert together == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
def test_both_architectures_learn(architecture: Architecture) -> None:
    model = untrained(architecture, hidden=32)
    short = pretraining.Pretraining(steps=5, batch=16, length=26, rate=3e-3, warmup=2)
    first = pretraining.pretrain(model, short, np.random.default_rng(0), lambda _done, _message: None)
    longer = pretraining.Pretraining(steps=60, batch=16, length=26, rate=3e-3, warmup=5)
    last = pretraining.pretrain(model, longer, np.random.default_rng(1), lambda _done, _message: None)
    assert last < first - 0.3


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
def test_an_artifact_comes_back_as_the_same_model(architecture: Architecture, tmp_path: Path) -> None:
    artifact = FormatModel(architecture=architecture, layers=1, hidden=16, heads=2, steps=2, batch=2)
    artifact.build(tmp_path, FakeContext())
    one, two = (artifact.load(tmp_path).model("cpu", "float32") for _ in range(2))
    assert one is not two
    assert bool(one.config.is_encoder_decoder) == (architecture == "encoder-decoder")
    if one.config.is_encoder_decoder:
        assert one.config.decoder_start_token_id == PAD
    for left, right in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(left, right)
    assert load_language_model(tmp_path).folder == tmp_path


@pytest.mark.slow
def test_a_pretrained_model_reads_demonstrations() -> None:
    # Copying the renamed symbol of the only demonstration is learned first.
    generator = torch.Generator().manual_seed(0)
    model = pretraining.new_model("decoder", 2, 64, 4, generator)
    plan = pretraining.Pretraining(steps=200, batch=32, length=66, rate=3e-3)
    pretraining.pretrain(model, plan, np.random.default_rng(0), lambda _done, _message: None)
    rng, right = np.random.default_rng(1), []
    for _ in range(60):
        shown, query = world.episode(world.RENAMING, 2, rng)
        ids = torch.tensor([[*shown.prompt, *shown.answer, *query.prompt]])
        with torch.no_grad():
            right.append(int(model(input_ids=ids).logits[0, -1].argmax()) == query.answer[0])
    assert np.mean(right) > 0.8
