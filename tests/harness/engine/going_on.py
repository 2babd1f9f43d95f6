"""A suite whose one trial and whose artifact train slowly, for killing them in the middle."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from harness.method import Artifact, Context, Method, Scores, Task, param
from harness.suite import Suite
from methods.common.training import Recipe, fit
from tests.harness.toy import toy_suite
from tests.methods.common import models

DATA = models.examples(24, seed=5)


def train(ctx: Context, steps: int, name: str, pause: float) -> tuple[Any, Any]:
    """A small bfloat16 model with dropout, early stopping's copy, probes and a stream of its own."""
    model = models.llama().bfloat16()
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.2
    rng = ctx.rng(f"order of {name}")

    def watch(step: int) -> None:
        time.sleep(pause)
        ctx.probe(step, model)

    history = fit(
        model,
        torch.optim.AdamW(model.parameters(), lr=3e-3),
        DATA,
        Recipe(steps, 4, warmup=3, schedule="cosine", every=2, keep="best", accumulate=2, clip=1.0),
        rng=rng,
        pad=0,
        validate=lambda: _score(model),
        watch=watch,
        checkpoints=ctx.checkpoints,
        name=name,
    )
    return model, history


def _score(model: Any) -> float:
    return -float(sum(p.detach().float().abs().sum() for p in model.parameters()))


def flat(model: Any) -> np.ndarray:
    return torch.cat([p.detach().float().flatten() for p in model.parameters()]).numpy()


@dataclass(frozen=True)
class Begun(Artifact):
    """Weights that take a while."""

    title: ClassVar[str] = "slow weights"
    steps: int = param(30, source="ours")
    pause: float = field(default=0.1, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        model, _ = train(ctx, self.steps, "artifact", self.pause)
        np.save(folder / "weights.npy", flat(model))

    def load(self, path: Path) -> np.ndarray:
        found: np.ndarray = np.load(path / "weights.npy")
        return found


@dataclass(frozen=True)
class Problem:
    start: np.ndarray


@dataclass(frozen=True)
class Grow(Task[Problem, Any]):
    begun: Artifact = field(default_factory=Begun)

    def problem(self, ctx: Context) -> Problem:
        return Problem(ctx.load(self.begun))

    def evaluate(self, result: Any, ctx: Context) -> Scores:
        """All weights and a number of the global generators."""
        values = np.concatenate([flat(result)[:50], ctx.load(self.begun)[:5], torch.rand(1).numpy()])
        return Scores(
            {"main": {"unit_id": [f"n{i}" for i in range(len(values))], "error": values.astype(float)}}
        )


@dataclass(frozen=True)
class Slow(Method[Problem, Any]):
    problem_type: ClassVar[type] = Problem
    pause: float = param(0.1, source="ours")

    def run(self, problem: Problem, ctx: Context) -> Any:
        train(ctx, 6, "short", 0.0)
        model, history = train(ctx, 30, "long", self.pause)
        print("losses", len(history.losses))  # noqa: T201 - logs are kept
        return model


def suite(task: Grow | None = None) -> Suite:
    """One slow trial."""
    return toy_suite(methods={"mean": Slow(), "half": Slow()}, seeds=(100,), task=task or Grow())
