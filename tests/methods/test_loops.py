"""Every training of every paper: it notices a loss that is not finite, and goes on after a kill."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import methods
from harness.method import Checkpoints, DivergedError
from methods.common import tiny_lm
from methods.common.training import Recipe, fit
from methods.ibws.encoder import Training, train_ranker
from methods.il_bench import rule_training
from methods.lite.approximation import FitTarget, Regress
from methods.lite.generated import GeneratedRanking
from methods.lite.method import TrainRanker
from methods.lite.order import LearnOrder, WordOrder
from methods.lite.tables import FitEmbeddings, FitScorer, IdentityTable
from methods.lora_rite.descent import Descend, Factored, TinyTransformer
from methods.metric_aware import raft
from methods.promot import pretraining
from methods.rest_react.cloning import Cloning, tokenised, train_network
from methods.rest_react.compact import Compact
from methods.rest_react.generations import lexicon_of
from methods.sparsity.activation import RandomK
from methods.sparsity.image_task import ImageTask
from methods.sparsity.method import Train
from methods.sparsity.sizes import LmSize, VitSize
from methods.sparsity.text_task import TextTask
from tests.methods.common import models
from tests.methods.context import FakeContext
from tests.methods.lite.test_teacher import COURSE, encoder_of, scorer_of
from tests.methods.lite.worlds import tiny_encoder, tiny_set
from tests.methods.metric_aware.test_raft import items, made
from tests.methods.promot.worlds import untrained
from tests.methods.rest_react.test_policy import demonstrated
from tests.methods.sparsity.worlds import watched

HAND_WRITTEN = {
    "common/loop.py": "the loop",
    "common/master_weights.py": "steps the optimizer that it wraps",
    "common/sharded/gathered.py": "one update, as a part of an optimizer's own",
    "common/sharded/rank.py": "steps a part of a model; the trial's process reads losses and keeps the state",
    "lora_rite/cost.py": "measures steps, which it takes back",
    "lora_rite/online.py": "has gradients in closed form, and scores worlds that diverge",
    "lora_rite/regression.py": "has gradients in closed form, and refuses a product that is not finite",
    "sparsity/initial_gradient.py": "takes a gradient and no step",
}
"""Modules that compute gradients or take steps beside the loop, with the reason."""

Loop = Callable[[float, Checkpoints, Path], Iterable[Tensor]]
"""From the rate, where to keep the state, and a folder for files to the trained weights; eight updates."""


def quiet(_done: float, _message: str) -> None:
    """Progress that nobody reads."""


def fitted(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    model = models.llama()
    optimizer, recipe = torch.optim.AdamW(model.parameters(), lr=rate), Recipe(8, 4, every=3, keep="best")
    rng = np.random.default_rng(7)
    data = models.examples(24, seed=5)
    options: dict[str, Any] = {
        "validate": lambda: float(model.lm_head.weight.detach().sum()),
        "checkpoints": checkpoints,
    }
    fit(model, optimizer, data, recipe, rng=rng, pad=0, **options)
    return model.parameters()


def language_model(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    generator = torch.Generator().manual_seed(0)
    model = tiny_lm.new_model(20, tiny_lm.Size(1, 16, heads=2), generator)
    schedule = tiny_lm.Schedule(steps=8, batch=4, length=8, warmup=2, rate=rate)
    tiny_lm.train(model, torch.arange(200) % 20, schedule, generator, quiet, checkpoints=checkpoints)
    return model.parameters()


def encoder_ranker(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    encoder = tiny_encoder(folder / "encoder")
    texts = [passage.text for passage in tiny_set().passages[:20]]
    recipe, rng = Training(epochs=2, batch=5, rate=rate), np.random.default_rng(0)
    options: dict[str, Any] = {"device": "cpu", "progress": quiet, "checkpoints": checkpoints}
    return train_ranker(encoder, texts, np.arange(20.0), recipe, rng, **options).parameters()


def rules(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    plan = rule_training.Plan(steps=8, tokens=200, rate=rate, lines=2, variables=3, draw=0)
    return rule_training.train(1, 16, 2, plan, quiet, checkpoints=checkpoints).parameters()


def cross_encoder(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    data, course = tiny_set(), replace(COURSE, rate=rate, passes=2)
    scorer = scorer_of(encoder_of(folder / "encoder"), data)
    scorer.fit(data.split("train"), course, np.random.default_rng(0), checkpoints=checkpoints)
    return scorer.model.parameters()


def ranker(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    method = TrainRanker(scorer="lite", steps=8, batch=4, negatives=2, factor=2, rate=rate)
    ctx = FakeContext(checkpoints=checkpoints)
    found: Any = method.run(GeneratedRanking().problem(ctx), ctx)
    return found.parameters()


def regressed(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    ctx = FakeContext()
    return Regress(steps=8, batch=4, rate=rate).run(FitTarget().problem(ctx), ctx).parameters()


def ordered(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    ctx = FakeContext()
    return LearnOrder(steps=8, batch=4, rate=rate).run(WordOrder().problem(ctx), ctx).scorer.parameters()


def embedded(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    ctx = FakeContext()
    method = FitEmbeddings(starts=2, steps=8, rate=rate)
    return [torch.from_numpy(method.run(IdentityTable().problem(ctx), ctx))]


def tabulated(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    ctx = FakeContext()
    method = FitScorer(scorer="lite-flat", starts=2, steps=8, rate=rate)
    return [torch.from_numpy(method.run(IdentityTable().problem(ctx), ctx))]


def factors(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    ctx = FakeContext()
    arrivals = Descend("gd", rate).run(Factored(random=1, steps=8).problem(ctx), ctx)
    return [z for arrival in arrivals for z in arrival.after]


def adapters(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    ctx = FakeContext()
    arrivals = Descend("adam", rate).run(TinyTransformer(steps=3).problem(ctx), ctx)
    return [z for arrival in arrivals for z in arrival.after]


def scorer(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    model = made(8)
    raft.fine_tune(model, items(), items(200), raft.Recipe("raft", rate, 8, every=3), checkpoints=checkpoints)
    return model.parameters()


def format_model(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    model = untrained("decoder", hidden=16)
    plan = pretraining.Pretraining(steps=8, batch=2, length=26, rate=rate, warmup=2)
    pretraining.pretrain(model, plan, np.random.default_rng(0), quiet, checkpoints)
    return model.parameters()


def policy(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    world, examples = demonstrated(5)
    rows = tokenised(examples, Compact(lexicon_of(world)))
    rngs: dict[str, Any] = {"generator": torch.Generator().manual_seed(1), "order": np.random.default_rng(1)}
    cloning = Cloning(steps=8, batch=4, rate=rate, warmup=2)
    return train_network(rows, 16, cloning, **rngs, checkpoints=checkpoints)[0].parameters()


def images(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    task = ImageTask(
        size=VitSize(d_model=8, d_ff=16, layers=1), steps=40, warmup=2, batch=8, counted=16, test=16
    )
    ctx = watched(task, checkpoints=checkpoints, stage="tune")
    model = Train(activation=RandomK(4), rate=rate).run(task.problem(ctx), ctx).model
    assert isinstance(model, nn.Module)
    return model.parameters()


def spans(rate: float, checkpoints: Checkpoints, folder: Path) -> Iterable[Tensor]:
    size = LmSize(d_model=16, d_ff=16, layers=1, heads=2)
    task = TextTask(kind="spans", size=size, length=32, batch=2, steps=40, warmup=1, accumulate=2, counted=2)
    ctx = watched(task, checkpoints=checkpoints, stage="tune")
    model = Train(rate=rate).run(task.problem(ctx), ctx).model
    assert isinstance(model, nn.Module)
    return model.parameters()


KEPT: dict[str, Loop] = {
    "fit": fitted,
    "tiny_lm": language_model,
    "ibws encoder": encoder_ranker,
    "il_bench rules": rules,
    "lite cross-encoder": cross_encoder,
    "lite ranker": ranker,
    "metric_aware scorer": scorer,
    "promot formats": format_model,
    "rest_react policy": policy,
    "sparsity images": images,
    "sparsity spans": spans,
}
"""Trainings that keep checkpoints."""

SHORT: dict[str, Loop] = {
    "lite functions": regressed,
    "lite order": ordered,
    "lite embeddings": embedded,
    "lite tables": tabulated,
    "lora_rite factors": factors,
    "lora_rite transformer": adapters,
}
"""Trainings that are over in seconds."""


class Killed(Exception):  # noqa: N818
    """A training was killed."""


def killed_after(folder: Path, writes: float) -> Checkpoints:
    """Checkpoints at every occasion; the process ends after so many."""
    seconds, done = count(), count(1)

    def written() -> None:
        if next(done) == writes:
            raise Killed

    return Checkpoints(folder, every=0.0, clock=lambda: 1000.0 * next(seconds), on_written=written)


@pytest.mark.parametrize("name", [*KEPT, *SHORT])
def test_a_loss_that_is_not_finite_is_noticed(name: str, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"loss of step \d+ is not finite"):
        {**KEPT, **SHORT}[name](float("inf"), Checkpoints(), tmp_path)


@pytest.mark.parametrize("name", KEPT)
def test_a_killed_training_ends_at_the_same_weights(name: str, tmp_path: Path) -> None:
    def trained(checkpoints: Checkpoints) -> Tensor:
        torch.manual_seed(1)
        return nn.utils.parameters_to_vector(KEPT[name](3e-3, checkpoints, tmp_path)).detach().clone()

    whole, kept = trained(Checkpoints()), tmp_path / "checkpoints"
    with pytest.raises(Killed):
        trained(killed_after(kept, 1 if name.startswith("sparsity") else 5))
    assert torch.equal(trained(killed_after(kept, float("inf"))), whole)
    # Now it is over, and nothing is done a third time.
    assert torch.equal(trained(killed_after(kept, float("inf"))), whole)


def test_nobody_writes_a_loop_of_his_own() -> None:
    folder = Path(next(iter(methods.__path__)))
    found = set()
    for path in sorted(folder.rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        called = [ast.unparse(call.func) for call in calls]
        if any(name.endswith((".backward", "optimizer.step", "inner.step")) for name in called):
            found.add(path.relative_to(folder).as_posix())
    assert found == set(HAND_WRITTEN)
