"""Both stages on a model that several processes hold together, against those on one device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from harness.method import ProblemError
from methods.common.soft_prompt import from_vocabulary
from methods.promot import tuning
from methods.promot.method import FineTuning, LoraFirst, ProMoT
from methods.promot.problem import Adapted
from methods.promot.sabotage import OwnAnswers
from methods.promot.sabotage_stages import SelfTaughtProMoT
from methods.promot.stage import Stage
from methods.promot.tuning import Session
from methods.promot.world import Architecture
from tests.methods.common.sharded.alone import alone
from tests.methods.common.sharded.killing import check_same_end
from tests.methods.promot.sharing import STAGE, both_stages, prompts, saved, session, weights
from tests.methods.promot.worlds import small_world

CLOSE = 4e-6
"""A thousandth of what four updates of 1e-3 move a weight: float32 sums in another order."""
ARCHITECTURES: tuple[Architecture, ...] = ("decoder", "encoder-decoder")


def largest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert list(one) == list(other)
    return max(float((one[name] - value).abs().max()) for name, value in other.items())


def check_equal(folder: Path, scratch: Path, work: Callable[[Session], None]) -> tuple[Session, Session]:
    """The same work on one device and on two, from the same model."""
    one, parts = (session(folder, scratch, count) for count in (1, 2))
    before = {name: value.clone() for name, value in weights(one).items()}
    work(one)
    work(parts)
    found = {name.replace(".base.", "."): value for name, value in weights(one).items() if name[-2:] != ".a"}
    assert largest(weights(one), weights(parts)) < CLOSE
    assert max(float((found[name] - value).abs().max()) for name, value in before.items()) > 100 * CLOSE
    # The rate of prompts is a hundred times that of the model.
    if prompts(one):
        assert largest(prompts(one), prompts(parts)) < 100 * CLOSE
    assert one.steps == parts.steps
    assert not parts.model.training
    return one, parts


def check_stages(folder: Path, scratch: Path, optimizer: Any) -> None:
    stage = replace(STAGE, optimizer=optimizer)
    _, parts = check_equal(folder, scratch, lambda made: both_stages(made, stage))
    first = session(folder, scratch, 2)
    for task, value in prompts(parts).items():
        start = from_vocabulary(first.model, 3, first.ctx.rng(f"first prompt of {task}"))
        assert float((value - start.weight).detach().abs().max()) > 0.01


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("optimizer", ["adam", "adafactor"])
def test_one_part_is_tuned_as_a_whole_model_is(
    architecture: Architecture, optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quick: nothing is sent."""
    alone(monkeypatch)
    check_stages(saved(tmp_path / "model", architecture), tmp_path, optimizer)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "optimizer"), [("encoder-decoder", "adafactor"), ("decoder", "adam")]
)
def test_two_processes_tune_as_one_does(architecture: Architecture, optimizer: str, tmp_path: Path) -> None:
    check_stages(saved(tmp_path / "model", architecture), tmp_path, optimizer)


def test_a_prompt_leaves_the_model_and_the_model_the_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    made = session(saved(tmp_path / "model", "decoder"), tmp_path, 2)
    before = {name: value.clone() for name, value in weights(made).items()}
    for task in made.problem.targets:
        tuning.tune_prompt(made, task, 3, replace(STAGE, rate=0.1))
    assert largest(before, weights(made)) == 0.0
    tuned = {name: value.clone() for name, value in prompts(made).items()}
    tuning.tune_model(made, STAGE)
    assert largest(tuned, prompts(made)) == 0.0
    assert largest(before, weights(made)) > 100 * CLOSE


def jointly(made: Session) -> None:
    tuning.tune_jointly(made, 3, STAGE)


def one_after_the_other(made: Session) -> None:
    for task in made.problem.targets:
        tuning.tune_prompt(made, task, 3, replace(STAGE, rate=0.1))
        tuning.tune_model(made, STAGE, tasks=[task])


@dataclass(frozen=True)
class LastOfLora(LoraFirst):
    """Validation would choose the pretrained model."""

    def model_stage(self) -> Stage:
        return replace(super().model_stage(), keep="last")


def adapter_first(made: Session) -> None:
    sizes: dict[str, Any] = {"steps": 4, "every": 2, "adapter_steps": 4, "adapter_every": 2, "batch": 7}
    LastOfLora(**sizes, rate=1e-3, optimizer="adam", rank=2).tune(made)


def anchored(made: Session) -> None:
    tuning.tune_model(made, replace(STAGE, clip=0.0, rate=1e-2), anchor=5.0)


@pytest.mark.parametrize("work", [jointly, one_after_the_other, adapter_first, anchored])
def test_every_way_of_tuning_goes_in_parts(
    work: Callable[[Session], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quick: nothing is sent."""
    alone(monkeypatch)
    check_equal(saved(tmp_path / "model", "encoder-decoder"), tmp_path, work)


@pytest.mark.slow
@pytest.mark.parametrize("work", [jointly, adapter_first])
def test_what_is_whole_is_trained_beside_what_is_in_parts(
    work: Callable[[Session], None], tmp_path: Path
) -> None:
    """Two kinds of weights in one update, and adapters that are frozen and in place."""
    check_equal(saved(tmp_path / "model", "decoder"), tmp_path, work)


def test_the_best_weights_and_prompts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)

    def work(made: Session) -> None:
        scores = iter([1.0, 3.0, 2.0] * 3)
        monkeypatch.setattr(Session, "validation_score", lambda *_: next(scores))
        both_stages(made, replace(STAGE, keep="best"))

    folder = saved(tmp_path / "model", "decoder")
    one, _ = check_equal(folder, tmp_path, work)
    last = session(folder, tmp_path, 1)
    monkeypatch.setattr(Session, "validation_score", lambda *_: 0.0)
    both_stages(last, STAGE)
    assert largest(weights(one), weights(last)) > 100 * CLOSE


@pytest.mark.parametrize(
    "method",
    [
        ProMoT(length=3, prompt_rate=0.1, prompt_steps=2, prompt_every=1, probes=True),
        SelfTaughtProMoT(length=3, prompt_rate=0.1, prompt_steps=2, prompt_every=1),
        FineTuning(diagnose="permuted", probes=True, mix=0.5),
        OwnAnswers(),
    ],
    ids=lambda method: type(method).__name__,
)
def test_methods_answer_while_and_after_they_tune(
    method: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the engine's side: probes on the way, and scores at the end."""
    alone(monkeypatch)
    made = session(saved(tmp_path / "model", "encoder-decoder"), tmp_path, 2)
    context: Any = made.ctx
    world = small_world()
    tuned: Adapted = replace(method, steps=2, every=1, batch=7).run(world.problem(context), context)
    parts = world.evaluate(tuned, context).parts
    assert {"main", "held-out", "untouched", "drift"} <= set(parts)
    assert [step for step, _ in context.probed] == ([0, 1, 2] if method.probes else [])
    for _, seen in context.probed:
        assert bool(seen.alignment) == isinstance(method, FineTuning)
        assert not seen.final


@pytest.mark.slow
def test_a_killed_tuning_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", "encoder-decoder")
    end = check_same_end("tests.methods.promot.sharing", folder, tmp_path, 6)
    assert list(end["prompts"]) == ["entailment"]


def test_a_model_for_one_device_is_not_shared(tmp_path: Path) -> None:
    made = session(saved(tmp_path / "model", "decoder"), tmp_path, 2)
    made.problem = replace(made.problem, folder=None)
    with pytest.raises(ProblemError, match="is for one device"):
        tuning.tune_model(made, STAGE)


def test_bfloat16_weights_are_trained_in_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates far below the precision of bfloat16 add up, and the model that answers is bfloat16 again."""
    alone(monkeypatch)
    made = session(saved(tmp_path / "model", "decoder"), tmp_path, 2)
    made.model = made.model.to(torch.bfloat16)
    before = weights(made)
    tuning.tune_model(made, replace(STAGE, rate=1e-5, steps=40, every=40))
    moved = [float((before[name] - value).abs().max()) for name, value in weights(made).items()]
    assert {value.dtype for value in weights(made).values()} == {torch.bfloat16}
    assert max(moved) > 1e-4
