"""LoRA-RITE's fine-tuning on a model that several processes hold together, against that on one device."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.method import DivergedError, ProblemError
from methods.common.causal_lm import load_checkpoint
from methods.lora_rite.finetune import FineTune
from methods.lora_rite.language import StringTask
from tests.methods.common.sharded.alone import alone
from tests.methods.common.sharded.killing import check_same_end
from tests.methods.context import FakeContext
from tests.methods.lora_rite.sharing import RANK, saved, trained, weights

CLOSE = 2e-5
"""A thousandth of what eight steps of 1e-2 move a factor: float32 sums in another order, which bases and
inverse roots amplify."""


def check_equal(folder: Path, scratch: Path, optimizer: str) -> None:
    (one, alike), (parts, context) = (
        trained(folder, scratch, count, optimizer=optimizer) for count in (1, 2)
    )
    expected, found = weights(one), weights(parts)
    assert list(expected) == list(found)
    differences = {name: float((expected[name] - value).abs().max()) for name, value in found.items()}
    factors = [name for name in found if name.endswith((".a", ".b"))]
    assert len(factors) == 28
    assert max(differences.values()) < CLOSE
    # B starts at zero, and is moved by much more than that.
    assert min(float(found[name].abs().max()) for name in factors if name.endswith(".b")) > 100 * CLOSE
    assert all(RANK in found[name].shape for name in factors)
    assert [step for step, _ in context.probes] == [step for step, _ in alike.probes] == [4, 6, 8]
    for (_, mine), (_, other) in zip(context.probes, alike.probes, strict=True):
        assert (*mine.moved, *mine.growth) == pytest.approx((*other.moved, *other.growth), rel=1e-3)
        assert all(math.isfinite(value) and value > 0 for value in (*mine.moved, *mine.growth))
    assert not parts.training


@pytest.mark.parametrize("optimizer", ["rite", "scaled-adam"])
def test_one_part_is_adapted_as_a_whole_model_is(
    optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quick: nothing is sent."""
    alone(monkeypatch)
    check_equal(saved(tmp_path / "model"), tmp_path, optimizer)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["rite", "adam"])
def test_two_processes_adapt_as_one_does(optimizer: str, tmp_path: Path) -> None:
    check_equal(saved(tmp_path / "model"), tmp_path, optimizer)


@pytest.mark.slow
def test_a_killed_adaptation_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    module = "tests.methods.lora_rite.sharing"
    end = check_same_end(module, saved(tmp_path / "model"), tmp_path, 3)
    assert end["last"][0] == 20


def test_a_divergence_in_parts_is_a_divergence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    context = FakeContext(
        objects={"StringModel": load_checkpoint(saved(tmp_path / "model"))},
        scratch=tmp_path,
        devices=("cpu", "cpu"),
    )
    task = StringTask(steps=8, batch=8, train=64, test=20)
    with pytest.raises(DivergedError):
        FineTune(optimizer="gd", rate=1e30, rank=RANK).run(task.problem(context), context)


def test_a_model_for_one_device_is_not_shared(tmp_path: Path) -> None:
    context: Any = FakeContext(
        objects={"StringModel": load_checkpoint(saved(tmp_path / "model"))}, devices=("cpu", "cpu")
    )
    problem = replace(StringTask(steps=2).problem(context), folder=None)
    with pytest.raises(ProblemError, match="is for one device"):
        FineTune(rank=RANK).run(problem, context)


def test_bfloat16_weights_stay_as_they_are_under_float32_factors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    folder = saved(tmp_path / "model")
    base = load_checkpoint(folder).model("cpu", "bfloat16")
    model, _ = trained(folder, tmp_path, 2, dtype="bfloat16")
    found = weights(model)
    for name, value in base.named_parameters():
        kept = found.get(name, found.get(name.replace(".weight", ".base.weight")))
        assert kept is not None
        assert torch.equal(kept, value)
    assert {value.dtype for name, value in found.items() if name.endswith((".a", ".b"))} == {torch.float32}
