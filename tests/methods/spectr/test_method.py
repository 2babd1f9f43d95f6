"""Tasks and methods together, as the engine runs them, on untrained models."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.common.causal_lm import Checkpoint, load_checkpoint
from methods.spectr import method as m
from methods.spectr.ngram import count_ngrams
from methods.spectr.sabotage import Sabotaged
from methods.spectr.task import Chain, Continue, Decoded
from tests.methods.spectr.worlds import FakeContext, rated_texts, save_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Checkpoint]:
    target, draft = save_pair(tmp_path_factory.mktemp("pair"))
    return load_checkpoint(target), load_checkpoint(draft)


@pytest.fixture
def ctx(pair: tuple[Checkpoint, Checkpoint]) -> FakeContext:
    return FakeContext({"target": pair[0], "draft": pair[1], "texts": rated_texts()})


def continuation(**changes: Any) -> Continue:
    references: Any = {"target": "target", "draft": "draft", "texts": "texts"}
    task = Continue(**references, prompts=6, prompt_tokens=5, tokens=10, measure="overlap")
    return replace(task, **changes)


def solve(task: Any, method: Any, ctx: FakeContext) -> tuple[Decoded, dict[str, Any]]:
    result = method.run(task.problem(ctx), ctx)
    return result, dict(task.evaluate(result, ctx).parts)


@pytest.mark.parametrize(
    "method",
    [m.Autoregressive(), m.Speculative(length=3), m.SpecTr(drafts=3, length=3), m.SpecTr(drafts=2, slack=1.0),
     m.NaiveMultiPath(drafts=3, length=2), m.RecursiveRejection(drafts=3, length=2), m.Assisted(length=3),
     m.SpecTr(drafts=3, length=2, scoring="batch", batch=2),
     Sabotaged(drafts=3, length=2, bug="stale-cache"),
     Sabotaged(drafts=3, length=2, bug="no-cache"), Sabotaged(drafts=3, length=2, bug="shuffled-draft")],
    ids=repr,
)  # fmt: skip
def test_every_method_continues_every_prompt(method: Any, ctx: FakeContext) -> None:
    task = continuation()
    result, parts = solve(task, method, ctx)
    again, _ = solve(task, pickle.loads(pickle.dumps(method)), ctx)  # noqa: S301
    assert len(result.traces) == 6
    assert all(sum(trace.blocks) == len(trace.tokens) >= 10 for trace in result.traces.values())
    assert {k: t.tokens for k, t in result.traces.items()} == {k: t.tokens for k, t in again.traces.items()}
    tau = m.BLOCK_EFFICIENCY(parts["main"])
    assert 1 <= tau <= max(method.size()[1], 3) + 1


def test_prompts_are_held_out_and_depend_on_the_seed_only(ctx: FakeContext) -> None:
    task = continuation()
    first, again = task.problem(ctx).prompts, task.problem(ctx).prompts
    other = task.problem(replace(ctx, seed=8)).prompts
    assert first == again != other
    assert all(int(name.removeprefix("films-")) % 10 == 0 for name in first)
    assert all(len(prompt) == 5 and prompt[0] == 0 for prompt in first.values())


def test_unit_rows_agree_with_the_traces(ctx: FakeContext) -> None:
    result, parts = solve(continuation(), m.SpecTr(drafts=3, length=3), ctx)
    blocks = [block for trace in result.traces.values() for block in trace.blocks]
    assert m.BLOCK_EFFICIENCY(parts["main"]) == pytest.approx(np.mean(blocks))
    depth = {name: np.asarray(column) for name, column in parts["depth"].items()}
    for level in (1, 2, 3):
        rows = depth["depth"] == level
        assert depth["reached"][rows].sum() == sum(block >= level for block in blocks)
        assert depth["passed"][rows].sum() == sum(block > level for block in blocks)
    share = m.OF_OPTIMUM(parts["overlap"])
    assert 1 - (1 - 1 / 3) ** 3 <= share <= 1 + 1e-6
    assert max(parts["overlap"]["error"]) == 0


def test_expected_acceptance_matches_what_happened(ctx: FakeContext) -> None:
    # At depth 1 a single draft is accepted with probability Σ min(p, q).
    task = continuation(prompts=25, tokens=60)
    _, parts = solve(task, m.Speculative(length=1), ctx)
    blocks = sum(parts["main"]["calls"])
    happened = m.ACCEPTANCE(parts["depth"])
    assert happened == pytest.approx(m.OVERLAP(parts["overlap"]), abs=4.5 * (0.25 / blocks) ** 0.5)


def test_law_rows_cover_every_emitted_token(ctx: FakeContext) -> None:
    result, parts = solve(continuation(measure="law"), m.SpecTr(drafts=2, length=2), ctx)
    assert len(parts["pit"]["pit"]) == sum(len(trace.tokens) for trace in result.traces.values())
    assert set(parts["pit"]["depth"]) == {1, 2, 3}
    assert all(0 <= value <= 1 for value in parts["pit"]["pit"])


def test_rounding_has_a_noise_floor(ctx: FakeContext) -> None:
    task = continuation(dtype="bfloat16", prompts=3)
    _, parts = solve(task, m.SpecTr(drafts=2, length=2), ctx)
    assert 0 < m.FLOOR(parts["floor"]) < 0.1
    assert "floor" not in solve(continuation(prompts=3), m.SpecTr(drafts=2, length=2), ctx)[1]


def test_an_ngram_drafts_for_a_transformer(ctx: FakeContext, pair: tuple[Checkpoint, Checkpoint]) -> None:
    stream = np.random.default_rng(0).integers(0, 300, size=3000)
    draft = count_ngrams([(stream, 1.0)], pair[0].config["vocab_size"])
    ctx = replace(ctx, objects={**ctx.objects, "draft": draft})
    for method in (m.SpecTr(drafts=4, length=3), m.Assisted(length=3)):
        result, parts = solve(continuation(), method, ctx)
        assert all(len(trace.tokens) >= 10 for trace in result.traces.values())
        assert m.BLOCK_EFFICIENCY(parts["main"]) > 1


def test_time_arms_choose_the_same_prompts(ctx: FakeContext) -> None:
    task = continuation()
    one, two = (solve(task, kind(batch=1, only=2), ctx)[0] for kind in (m.Autoregressive, m.Speculative))
    assert list(one.traces) == list(two.traces)
    assert len(one.traces) == 2


def test_different_tokenizers_are_refused(ctx: FakeContext, tmp_path: Path) -> None:
    _, other = save_pair(tmp_path, vocabulary=280)
    ctx = replace(ctx, objects={**ctx.objects, "draft": load_checkpoint(other)})
    with pytest.raises(ProblemError, match="tokenizers"):
        continuation().problem(ctx)


def test_padded_vocabulary_is_refused(
    ctx: FakeContext, pair: tuple[Checkpoint, Checkpoint], tmp_path: Path
) -> None:
    model = pair[1].model("cpu", "float32")
    padded = type(model)(copy.deepcopy(model.config))  # Resizing changes the configuration.
    padded.resize_token_embeddings(pair[1].config["vocab_size"] + 20)
    padded.save_pretrained(tmp_path)
    pair[1].tokenizer.save_pretrained(tmp_path)
    ctx = replace(ctx, objects={**ctx.objects, "draft": load_checkpoint(tmp_path)})
    with pytest.raises(ProblemError, match="resize_token_embeddings"):
        solve(continuation(), m.SpecTr(drafts=2, length=2), ctx)


@pytest.mark.parametrize(
    "method", [m.SpecTr(length=0), m.Speculative(length=0), m.SpecTr(drafts=0)], ids=repr
)
def test_impossible_sizes_are_refused(method: Any, ctx: FakeContext) -> None:
    with pytest.raises(ProblemError) as caught:
        solve(continuation(), method, ctx)
    assert caught.value.where
    assert caught.value.fix


def test_too_few_texts_are_refused(ctx: FakeContext) -> None:
    with pytest.raises(ProblemError, match="31"):
        continuation(prompts=31).problem(ctx)


def test_chains_and_transformers_share_the_methods() -> None:
    ctx = FakeContext()
    task = Chain(states=12, prompts=60, tokens=12, measure="overlap")
    tau = {}
    for name, method in {
        "one": m.Speculative(length=4), "eight": m.SpecTr(length=4),
        "copies": Sabotaged(length=4, bug="copied-drafts"),
        "noise": Sabotaged(length=4, bug="shuffled-draft"),
    }.items():  # fmt: skip
        _, parts = solve(task, method, ctx)
        tau[name] = m.BLOCK_EFFICIENCY(parts["main"])
    assert tau["eight"] > 1.1 * tau["one"]
    assert tau["copies"] < 1.1 * tau["one"]
    assert tau["noise"] < tau["one"]


def test_the_optimal_plan_decodes_small_vocabularies() -> None:
    ctx, task = FakeContext(), Chain(states=4, prompts=120, tokens=10)
    optimal = solve(task, m.OptimalSelection(drafts=2, length=2), ctx)[1]["main"]
    kseq = solve(task, m.SpecTr(drafts=2, length=2), ctx)[1]["main"]
    assert m.BLOCK_EFFICIENCY(optimal) > m.BLOCK_EFFICIENCY(kseq) - 0.1
    with pytest.raises(ProblemError, match="K-SEQ"):
        solve(Chain(), m.OptimalSelection(), ctx)


def test_cache_sabotage_needs_a_cache() -> None:
    with pytest.raises(ProblemError, match="cache"):
        solve(Chain(), Sabotaged(bug="stale-cache"), FakeContext())
    with pytest.raises(ProblemError, match="transformers"):
        solve(Chain(), m.Assisted(), FakeContext())


def test_weights_other_than_safetensors_are_not_read(tmp_path: Path) -> None:
    from harness.method import ResourceError

    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ResourceError, match="safetensors"):
        load_checkpoint(tmp_path).model("cpu", "float32")


def test_assisted_generation_does_not_stop_at_the_end_of_a_text(ctx: FakeContext) -> None:
    result, _ = solve(continuation(prompts=20, tokens=40), m.Assisted(length=3), ctx)
    assert {len(trace.tokens) for trace in result.traces.values()} == {40}
    assert any(0 in trace.tokens[:-1] for trace in result.traces.values())


@pytest.mark.slow
def test_assisted_generation_of_transformers_agrees(ctx: FakeContext) -> None:
    task = continuation(prompts=25, tokens=60)
    ours, theirs = (
        m.BLOCK_EFFICIENCY(solve(task, method, ctx)[1]["main"])
        for method in (m.Speculative(length=3), m.Assisted(length=3))
    )
    assert theirs == pytest.approx(ours, rel=0.1)
