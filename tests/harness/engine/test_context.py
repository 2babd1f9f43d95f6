"""What a trial is given."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.engine.context import Loader, TrialContext


def context(device: str, seed: int = 100) -> TrialContext:
    return TrialContext(
        seed=seed,
        stage="main",
        device=device,
        dtype="float32",
        threads=1,
        scratch=Path(),
        loader=Loader(),
        paths={},
    )


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_pytorch_draws_on_the_cpu_whatever_the_device(device: str) -> None:
    rng = context(device).torch_rng("a")
    assert rng.device == torch.device("cpu")
    assert torch.equal(torch.rand(3, generator=rng), torch.rand(3, generator=context("cpu").torch_rng("a")))


def test_streams_differ_by_name_and_seed() -> None:
    drawn = [
        float(torch.rand((), generator=ctx.torch_rng(name)))
        for ctx in (context("cpu"), context("cpu", seed=101))
        for name in ("a", "b")
    ]
    assert len(set(drawn)) == 4
