"""Training rule transformers from scratch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Checkpoints
from methods.common.draws import generator
from methods.common.loop import Loop, drawn
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

    Raises:
        DivergedError: If the loss is not finite.
    """
    rng = np.random.default_rng([plan.draw, 0])
    net = RuleNet(Size(layers, hidden, heads), generator(plan.draw)).train()
    warmup = max(1, plan.steps // 20)

    def factor(step: int) -> float:
        return min((step + 1) / warmup, (plan.steps - step) / max(1, plan.steps - warmup))

    Loop(
        torch.optim.AdamW(net.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01),
        drawn(lambda: draw_lesson(plan, rng)),
        lambda batch: rule_loss(net, batch),
        plan.steps,
        schedule=partial(LambdaLR, lr_lambda=factor),
        clip=1.0,
        progress=progress,
        checkpoints=checkpoints,
        name="rule transformer",
        also={"lessons": rng},
    ).run()
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
