"""Finetuning in several processes gives the model that one process gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from methods.kaft.finetuning import Training, finetune
from methods.kaft.mixture import Mixture
from methods.kaft.models import Reader
from methods.kaft.prompts import PLAIN
from tests.methods.kaft.worlds import BASE, FakeContext, beliefs, save_base

CLOSE = 3e-6
"""A thousandth of what three updates of 1e-3 can move a weight."""
MIXTURE = Mixture(1, 1, 1, 1)


def trained(reader: Reader, scratch: Path, count: int, rank: int) -> tuple[Any, list[int]]:
    ctx = FakeContext(scratch=scratch, devices=("cpu",) * count)
    questions = BASE.draw().questions(range(BASE.subjects), ctx.rng("questions"))
    seen: list[int] = []
    model, _ = finetune(
        reader,
        PLAIN,
        questions,
        MIXTURE,
        training=Training(3, 6, 1e-3, rank, every=2),
        ctx=ctx,
        watch=lambda step, shown: seen.append(step * bool(list(shown.parameters()))),
    )
    return model, seen


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 2])
def test_two_processes_finetune_as_one_does(tmp_path: Path, rank: int) -> None:
    reader = save_base(tmp_path)
    (one, seen), (parts, shown) = (trained(reader, tmp_path, count, rank) for count in (1, 2))
    before = dict(reader.model("cpu", "float32").named_parameters())
    named = dict(one.named_parameters())
    assert list(named) == [name for name, _ in parts.named_parameters()]
    for name, parameter in parts.named_parameters():
        assert float((named[name] - parameter).detach().abs().max()) < CLOSE, name
        assert parameter.device.type == "cpu"
    moved = [float((named[n] - w).detach().abs().max()) for n, w in before.items() if n in named]
    assert max(moved) > 100 * CLOSE or rank
    assert seen == shown == [0, 2, 3]
    assert not parts.training


def test_one_device_never_starts_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from methods.kaft import in_parts

    monkeypatch.setattr(in_parts, "finetuned_in_parts", None)
    reader = replace(save_base(tmp_path), beliefs=beliefs(BASE))
    model, seen = trained(reader, tmp_path, 1, 0)
    assert seen == [0, 2, 3]
    assert not model.training
