"""Every method on the formal language, as the engine runs it, with untrained models."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import DivergedError, ProblemError
from methods.common.answering import generate
from methods.common.examples import collate
from methods.common.forward import target_logits
from methods.promot import method as m
from methods.promot.formats import READING, RELATED
from methods.promot.metrics import COSINE, DRIFT, FORMAT_SHARE, NORM_AVG, TARGET_SCORE, held_out_at
from methods.promot.sabotage import OwnAnswers, ScrambledProMoT, ShuffledProMoT
from methods.promot.sabotage_stages import HalfPromptedProMoT, SelfTaughtProMoT, by_turns, drawing
from methods.promot.tuning import Session
from methods.promot.world import HELD_OUT, Architecture
from tests.methods.promot.worlds import FakeContext, context, small_world

MODEL: dict[str, Any] = {"rate": 1e-3, "steps": 4, "every": 2, "batch": 6, "optimizer": "adam"}
PROMPT: dict[str, Any] = {"length": 3, "prompt_rate": 0.05, "prompt_steps": 4, "prompt_every": 2}
LORA: dict[str, Any] = {"adapter_steps": 4, "adapter_every": 2, "rank": 2}

METHODS = {
    "pretrained": m.Pretrained(),
    "fine-tuning": m.FineTuning(**MODEL),
    "fine-tuning-1shot": m.FineTuning(**MODEL, shots=1),
    "l2-sp": m.FineTuning(**MODEL, anchor=0.1),
    "wise-ft": m.FineTuning(**MODEL, mix=0.5),
    "replay": m.FineTuning(**MODEL, replay=0.3),
    "prompt-tuning": m.PromptTuning(**MODEL, **PROMPT),
    "promot": m.ProMoT(**MODEL, **PROMPT),
    "promot-1shot": m.ProMoT(**MODEL, **PROMPT, shots=1),
    "promot-shuffled": ShuffledProMoT(**MODEL, **PROMPT),
    "promot-scrambled": ScrambledProMoT(**MODEL, **PROMPT),
    "promot-half-prompted": HalfPromptedProMoT(**MODEL, **PROMPT),
    "promot-self-taught": SelfTaughtProMoT(**MODEL, **PROMPT),
    "own-answers": OwnAnswers(**MODEL),
    "sequential": m.ProMoT(**MODEL, **PROMPT, order="sequence"),
    "joint": m.Joint(**MODEL, **PROMPT),
    "random-prompt": m.FixedPrompt(**MODEL, **PROMPT),
    "zero-prompt": m.FixedPrompt(**MODEL, **PROMPT, kind="zero"),
}


@pytest.fixture(autouse=True)
def improving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each validation look better than the one before, so that the last checkpoint is kept.

    Untrained models answer nothing right, and the earliest of equal checkpoints would win.
    """
    scores = iter(range(10**6))
    monkeypatch.setattr(Session, "validation_score", lambda self, tasks: float(next(scores)))


def solve(task: Any, method: Any, ctx: FakeContext) -> dict[str, Any]:
    return dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)


def once(table: Any) -> dict[str, Any]:
    keep = np.asarray(table["shots"]) == 1
    return {name: np.asarray(column)[keep] for name, column in table.items()}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_is_scored_on_the_same_questions(method: Any) -> None:
    task = small_world(targets=("entailment", "translation"))
    parts = solve(task, pickle.loads(pickle.dumps(method)), context())  # noqa: S301
    reference = solve(task, m.Pretrained(), context())
    for part in ("main", "held-out", "related"):
        assert list(parts[part]["unit_id"]) == list(reference[part]["unit_id"])
    # Answers are compared where no weight has moved; else they would say nothing new.
    cases, every = list(parts["untouched"]["unit_id"]), list(reference["untouched"]["unit_id"])
    moved = max(parts["untouched"]["error"]) > 0
    assert cases == [case for case in every if case.startswith("weights") or not moved]
    assert any(case.startswith("answer") for case in every)
    assert set(parts["held-out"]["task"]) == set(HELD_OUT)
    assert set(parts["related"]["task"]) == {RELATED}
    for metric in (TARGET_SCORE, NORM_AVG, FORMAT_SHARE):
        assert 0 <= metric(once(parts["held-out"])) <= 100
    assert (DRIFT(parts["drift"]) > 0) == (max(parts["untouched"]["error"]) > 0)


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
@pytest.mark.parametrize("name", ["promot", "joint", "fine-tuning"])
def test_both_architectures_are_tuned(name: str, architecture: Architecture) -> None:
    parts = solve(small_world(), METHODS[name], context(architecture))
    assert DRIFT(parts["drift"]) > 0
    assert any(parts["untouched"]["confirmed"])


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
def test_prompt_tuning_leaves_everything_else_untouched(architecture: Architecture) -> None:
    method = replace(METHODS["prompt-tuning"], prompt_rate=1.0)  # type: ignore[type-var]
    parts = solve(small_world(), method, context(architecture))
    assert max(parts["untouched"]["error"]) == 0
    assert not any(parts["untouched"]["confirmed"])
    assert DRIFT(parts["drift"]) == 0


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
def test_an_adapter_is_for_the_target_only(architecture: Architecture) -> None:
    lora = m.LoraFirst(**MODEL, **LORA, adapter_rate=0.05, frozen=True)
    parts = solve(small_world(), lora, context(architecture))
    assert max(parts["untouched"]["error"]) == 0
    tuned = solve(small_world(), replace(lora, frozen=False), context(architecture))
    assert max(tuned["untouched"]["error"]) > 0


@pytest.mark.parametrize("name", ["fine-tuning", "promot", "joint", "random-prompt"])
def test_no_model_steps_leave_the_pretrained_model(name: str) -> None:
    method = replace(METHODS[name], steps=0)  # type: ignore[type-var]
    parts = solve(small_world(), method, context())
    assert max(parts["untouched"]["error"]) == 0


def test_promot_without_stage_two_is_prompt_tuning() -> None:
    alone = solve(small_world(), METHODS["prompt-tuning"], context())
    both = solve(small_world(), replace(METHODS["promot"], steps=0), context())  # type: ignore[type-var]
    assert alone["main"] == both["main"]


def test_probes_follow_the_model_and_stop_in_the_tuning_stage() -> None:
    task, ctx = small_world(), context()
    method = m.ProMoT(**MODEL, **PROMPT, probes=True)
    method.run(task.problem(ctx), ctx)
    assert [step for step, _ in ctx.probed] == [0, 2, 4]
    tuning = replace(context(), stage="tune")
    result = method.run(task.problem(tuning), tuning)
    assert tuning.probed == []
    parts = task.evaluate(result, tuning).parts
    assert set(parts) == {"validation"}
    validation = {query.unit for query in task.problem(tuning).targets["entailment"].validation[0]}
    assert set(parts["validation"]["unit_id"]) == validation


def test_a_probe_gives_a_point_of_the_trade_off_curve() -> None:
    task, ctx = small_world(), context()
    result = m.FineTuning(**MODEL).run(task.problem(ctx), ctx)
    table = dict(task.evaluate(replace(result, final=False), ctx).parts["curve"])
    table["step"] = [0] * len(table["unit_id"])
    assert set(table["kind"]) == {"target", "held-out"}
    assert 0 <= held_out_at(50.0)(table) <= 100


def test_the_diagnosis_is_taken_at_every_checkpoint() -> None:
    task, ctx = small_world(), context()
    OwnAnswers(**MODEL, probes=True, diagnose="permuted").run(task.problem(ctx), ctx)
    parts = [task.evaluate(result, ctx).parts["alignment"] for _, result in ctx.probed]
    assert len(parts) == 3
    # Answers of other inputs share the format with the right ones, which nothing here has learnt.
    assert all(0.8 < COSINE(part) < 1.0 for part in parts)


def test_a_scrambled_prompt_has_the_tuned_numbers_in_another_order() -> None:
    task = small_world()
    whole, broken = (
        kind(**{**MODEL, "steps": 0}, **PROMPT).run(task.problem(context()), context())
        for kind in (m.ProMoT, ScrambledProMoT)
    )
    tuned, scrambled = (found.prompts["entailment"] for found in (whole, broken))
    assert tuned is not None
    assert scrambled is not None
    assert sorted(tuned.weight.flatten().tolist()) == sorted(scrambled.weight.flatten().tolist())
    assert tuned.weight.tolist() != scrambled.weight.tolist()


def test_own_answers_are_what_the_pretrained_model_says() -> None:
    session = Session.begin(small_world().problem(context()), context())
    right, own = (method.examples(session) for method in (m.FineTuning(**MODEL), OwnAnswers(**MODEL)))
    assert [e.prompt for e in own] == [e.prompt for e in right]
    reading = session.problem.reading
    for before, after in zip(right[:5], own[:5], strict=True):
        (said,) = generate(
            session.model, [before.prompt], new_tokens=reading.new_tokens, stop=reading.stop, pad=reading.pad
        )
        assert after.target == (*said, before.target[-1])
    assert OwnAnswers(**MODEL).model_stage().recipe().keep == "last"


def test_a_batch_decides_by_itself_whether_its_prompt_is_left_out() -> None:
    examples = Session.begin(small_world().problem(context()), context()).examples(["entailment"])
    batches = [collate(examples[first : first + 2], READING.pad) for first in range(6)]
    loss = by_turns(lambda *_: torch.tensor(1.0), lambda *_: torch.tensor(0.0))
    taken = [loss(None, batch, 0.0).item() for batch in batches]
    assert taken == [loss(None, batch, 0.0).item() for batch in batches]
    assert taken == [1.0 - int(e.id.rpartition("/")[2]) % 2 for e in examples[:6]]


def test_a_half_prompted_model_is_neither_promot_nor_fine_tuned() -> None:
    kinds = [
        HalfPromptedProMoT(**MODEL, **PROMPT),
        m.ProMoT(**MODEL, **PROMPT),
        m.FineTuning(**MODEL),
    ]
    drifts = [solve(small_world(), kind, context())["drift"]["drift"] for kind in kinds]
    assert len({tuple(drift) for drift in drifts}) == 3


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
def test_drawn_answers_follow_the_models_distribution(architecture: Architecture) -> None:
    ctx = context(architecture)
    session = Session.begin(small_world().problem(ctx), ctx)
    (example,) = session.examples(["entailment"])[:1]
    count = 4000
    with drawing(session.model, torch.Generator().manual_seed(3)):
        said = generate(
            session.model, [example.prompt] * count, new_tokens=1, stop=(), pad=READING.pad, batch=1000
        )
    drawn = np.bincount([tokens[0] for tokens in said], minlength=session.model.config.vocab_size)
    one = replace(example, target=(0,))
    batch = collate([one], READING.pad, separate=session.model.config.is_encoder_decoder)
    with torch.no_grad():
        expected = target_logits(session.model, batch)[0].softmax(-1).numpy()
    # The largest of a few dozen deviations, each of which has a normal distribution.
    deviation = np.abs(drawn - count * expected) / np.sqrt(count * expected * (1 - expected))
    assert deviation.max() < 4.5
    assert not session.model.get_output_embeddings()._forward_hooks


def test_what_is_self_taught_is_drawn_behind_the_prompt_and_learnt_to_the_end() -> None:
    ctx = context()
    method = SelfTaughtProMoT(**MODEL, **PROMPT)
    session = Session.begin(small_world().problem(ctx), ctx)
    without = method.examples(session)
    method.tune_prompts(session)
    own, right = method.examples(session), session.examples(["entailment"])
    assert [e.prompt for e in own] == [e.prompt for e in right]
    assert [e.target for e in own] != [e.target for e in without]
    longest = READING.new_tokens
    assert all(len(e.target) == longest or e.target[-1] == right[0].target[-1] for e in own)
    stages = method.model_stage(), method.prompt_stage()
    assert [(stage.keep, stage.smoothing) for stage in stages] == [("last", 0.0), ("best", 0.1)]


def test_the_same_seed_gives_the_same_rows() -> None:
    task = small_world()
    one, two = (solve(task, METHODS["promot"], context()) for _ in range(2))
    assert one == two
    other = solve(task, METHODS["promot"], replace(context(), seed=8))
    assert other["drift"] != one["drift"]


def test_test_answers_are_not_in_the_problem() -> None:
    ctx, task = context(), small_world()
    problem = task.problem(ctx)
    exam = task.exam(ctx, shots=0, brief=False)
    target = problem.targets["entailment"]
    seen = {query.unit for queries in target.validation.values() for query in queries}
    assert {query.prompt for query in exam.target}.isdisjoint({q.prompt for q in target.validation[0]})
    assert not any("test" in unit for unit in seen)


def test_a_loss_that_is_not_finite_names_step_and_examples() -> None:
    ctx = context()
    with pytest.raises(DivergedError, match="step") as caught:
        m.FineTuning(**{**MODEL, "rate": float("inf")}).run(small_world().problem(ctx), ctx)
    assert "entailment/" in str(caught.value)


def test_replay_needs_examples_and_targets_need_names() -> None:
    ctx = context()
    problem = replace(small_world().problem(ctx), replay=())
    with pytest.raises(ProblemError, match="replay"):
        m.FineTuning(**MODEL, replay=0.5).run(problem, ctx)
    with pytest.raises(ProblemError, match="entailment, translation"):
        small_world(targets=("summary",)).problem(ctx)


@pytest.mark.parametrize("rank", [0, 17])
def test_an_impossible_rank_is_refused(rank: int) -> None:
    with pytest.raises(ProblemError, match="Rank"):
        solve(small_world(), m.LoraFirst(**MODEL, rank=rank), context())
