"""The draft over the target's hidden state: training, storage, and its law beside the target's."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from methods.common.causal_lm import Checkpoint, load_checkpoint
from methods.spectr import method as m
from methods.spectr.hidden_mlp import LAGS, HiddenWeights, Lesson, load_hidden_weights, train_hidden_mlp
from methods.spectr.huggingface import HiddenForCausalLM
from methods.spectr.prepare import TrainedDraft
from methods.spectr.reference import pair_laws
from tests.methods.spectr.test_method import continuation, ctx, pair, solve
from tests.methods.spectr.worlds import FakeContext, rated_texts, save_pair

__all__ = ["ctx", "pair"]


@pytest.fixture(scope="module")
def sharp(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A target whose distributions are far from uniform."""
    folder, _ = save_pair(tmp_path_factory.mktemp("sharp"))
    checkpoint = load_checkpoint(folder)
    model = checkpoint.model("cpu", "float32")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(6.0)
    return checkpoint


def overlap(weights: HiddenWeights, target: Checkpoint, text: list[int]) -> float:
    laws = pair_laws(target, weights, "cpu", (1.0, 1.0))
    p, q = laws(text, torch.arange(3, len(text)))
    return float(torch.minimum(p, q).sum(1).mean())


def small_draft(frequent: int) -> TrainedDraft:
    named: Any = {"target": "target", "texts": "texts"}
    return TrainedDraft(**named, windows=12, length=16, frequent=frequent, rounds=2)


def test_training_brings_the_draft_near_the_target_at_every_lag(sharp: Checkpoint, tmp_path: Path) -> None:
    model, ids = sharp.model("cpu", "float32"), torch.arange(5, 300)
    draw = torch.Generator().manual_seed(0)
    windows = torch.randint(8, (60, 24), generator=draw)
    hidden = model.base_model(windows).last_hidden_state
    texts = torch.randint(8, (4, 30), generator=draw).tolist()

    def trained(rounds: int) -> HiddenWeights:
        lesson = Lesson(inner=64, rounds=rounds, batch=64, rate=3e-3)
        return train_hidden_mlp(windows, hidden, ids, model, lesson)

    short, long = trained(0), trained(12)
    found = [sum(overlap(w, sharp, text) for text in texts) / len(texts) for w in (short, long)]
    assert found[1] > found[0] + 0.1
    long.save(tmp_path / "draft.safetensors")
    again = load_hidden_weights(tmp_path / "draft.safetensors")
    assert overlap(again, sharp, texts[0]) == overlap(long, sharp, texts[0])
    same = trained(12)
    assert all(torch.equal(same.weights[name], long.weights[name]) for name in long.weights)
    assert long.weights["first"].shape == (64, 3 * 32 + LAGS)


def test_the_artifact_drafts_and_is_scored(
    ctx: FakeContext, pair: tuple[Checkpoint, Any], tmp_path: Path
) -> None:
    artifact = small_draft(100)
    artifact.build(tmp_path, replace(ctx, objects={**ctx.objects, "texts": rated_texts()}))
    weights = artifact.load(tmp_path)
    assert len(weights.ids) == 100
    assert weights.ids.tolist() == sorted(set(weights.ids.tolist()))
    ctx = replace(ctx, objects={**ctx.objects, "draft": weights})
    for method in (m.SpecTr(drafts=3, length=2), m.Assisted(length=3)):
        result, parts = solve(continuation(), method, ctx)
        assert all(len(trace.tokens) >= 10 for trace in result.traces.values())
        assert m.BLOCK_EFFICIENCY(parts["main"]) > 1
    # What is scored as overlap is what happens: at depth 1 one draft is accepted that often.
    _, parts = solve(continuation(prompts=25, tokens=60), m.Speculative(length=1), ctx)
    blocks = sum(parts["main"]["calls"])
    assert m.ACCEPTANCE(parts["depth"]) == pytest.approx(
        m.OVERLAP(parts["overlap"]), abs=4.5 * (0.25 / blocks) ** 0.5
    )


def test_assisted_generation_sees_the_hidden_states_that_ours_sees(
    ctx: FakeContext, pair: tuple[Checkpoint, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = small_draft(200)
    artifact.build(tmp_path, ctx)
    ctx = replace(ctx, objects={**ctx.objects, "draft": artifact.load(tmp_path)})
    # A copy, since the draft looks at what the target itself reads.
    model, given = copy.deepcopy(pair[0].model("cpu", "float32")), HiddenForCausalLM.hidden
    began: list[int] = []

    def checked(self: HiddenForCausalLM, text: torch.Tensor) -> torch.Tensor:
        found = given(self, text)
        if self._root == len(text):
            began.append(len(text))
        if self._root > 5:
            # Behind the prompt, of which nothing was read before the first draft.
            expected = model.base_model(text[None, : self._root - 1]).last_hidden_state[0, -1:]
            assert float((found - expected).abs().max()) < 1e-4
        return found

    monkeypatch.setattr(HiddenForCausalLM, "hidden", checked)
    solve(continuation(prompts=4, tokens=20), m.Assisted(length=3), ctx)
    assert len(began) > 20
