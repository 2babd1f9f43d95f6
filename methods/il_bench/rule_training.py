"""Training rule transformers from scratch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from harness.method import Checkpoints
from methods.common.checkpoints import Keeper, tensors_of
from methods.common.draws import generator
from methods.common.master_weights import clip, in_float32
from methods.il_bench.rule_lists import (
    Lesson,
    draw_inputs,
    draw_sizes,
    lesson,
    overlapping_lists,
    tree_lists,
)
from methods.il_bench.rule_net import RuleNet, Size

EACH = 4
"""Assignments under each list."""


@dataclass(frozen=True)
class Plan:
    """How to train; see ``RuleFollower`` for the fields."""

    steps: int
    tokens: int
    rate: float
    lines: int
    variables: int
    draw: int


def train(
    layers: int,
    hidden: int,
    heads: int,
    plan: Plan,
    progress: Callable[[float, str], None],
    *,
    checkpoints: Checkpoints | None = None,
) -> RuleNet:
    """A network that has learnt to follow rules, by AdamW with warm-up and linear decay.

    Besides the answer it learns which conditions hold and which line decides: with the answer alone it
    would need many times as many examples.
    """
    rng = np.random.default_rng([plan.draw, 0])
    net = RuleNet(Size(layers, hidden, heads), generator(plan.draw))
    optimizer = in_float32(
        torch.optim.AdamW(net.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
    )
    warmup = max(1, plan.steps // 20)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warmup, (plan.steps - step) / max(1, plan.steps - warmup)),
    )
    parts = {"weights": tensors_of(net), "optimizer": optimizer, "rates": rates, "lessons": rng}
    keeper = Keeper(checkpoints, "rule transformer", parts, [plan.steps, plan.draw])
    net.train()
    for step in range(keeper.done, plan.steps):
        loss = rule_loss(net, draw_lesson(plan, rng))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip(optimizer, net.parameters(), 1.0)
        optimizer.step()
        rates.step()
        if step % 20 == 0:
            progress((step + 1) / plan.steps, f"loss {loss.item():.3f}")
        keeper.keep(step + 1)
    keeper.finish(plan.steps, without=["optimizer", "rates"])
    return net.eval()


def draw_lesson(plan: Plan, rng: np.random.Generator) -> Lesson:
    """One batch: lists of one kind, of one number of lines and variables."""
    sizes = draw_sizes(plan.tokens, EACH, plan.lines, plan.variables, rng)
    lists = (tree_lists if rng.random() < 0.5 else overlapping_lists)(sizes, rng)
    return lesson(lists, draw_inputs(lists, sizes, rng), rng)


def rule_loss(net: RuleNet, batch: Lesson) -> Tensor:
    """Cross-entropy of the labels and of the truth of conditions and lines, in nats."""
    answers, holds = net(torch.from_numpy(batch.tokens))
    truth = torch.from_numpy(batch.truth)
    told = truth >= 0
    answer = nn.functional.cross_entropy(answers, torch.from_numpy(batch.label))
    if not bool(told.any()):
        return answer
    return answer + nn.functional.binary_cross_entropy_with_logits(holds[told], truth[told].float())
