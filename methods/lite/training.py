"""Training a ranker on candidate lists with a teacher's scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Context, ProblemError
from methods.common.checkpoints import skipped
from methods.common.examples import stream
from methods.common.loop import Loop
from methods.lite.losses import LossName, loss_of
from methods.lite.prepare import Texts, TokenSet
from methods.lite.ranker import Lists, Ranker


@dataclass(frozen=True)
class TrainingLists:
    """Candidate lists with what is known of them.

    Attributes:
        lists: The candidates.
        relevant: Which are relevant, shape (T, c).
        teacher: The teacher's scores, shape (T, c).
    """

    lists: Lists
    relevant: Tensor
    teacher: Tensor


@dataclass(frozen=True)
class Course:
    """How a ranker is trained.

    Attributes:
        loss: Which loss.
        steps: Updates; 0 leaves everything as it is.
        batch: Queries an update.
        negatives: Negatives of a query in an update.
        rate: Largest learning rate of scorer and projection.
        encoder_rate: Largest learning rate of the encoder.
        warmup: Share of the updates over which rates rise; they fall linearly to 0 after it.
    """

    loss: LossName
    steps: int
    batch: int
    negatives: int
    rate: float
    encoder_rate: float
    warmup: float = 0.1

    def taught(self, candidates: Tensor, teacher: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Candidates (B, n + 1), the positive first, with their scores; negative controls mix them here."""
        del rng
        return candidates, teacher


@dataclass(frozen=True)
class Batch:
    """Rows of queries, shape (B,); their positives and negatives, and teacher scores, (B, n + 1)."""

    queries: Tensor
    candidates: Tensor
    teacher: Tensor


def batches(train: TrainingLists, course: Course, rng: np.random.Generator) -> Iterator[Batch]:
    """Endless batches: queries in a new order each round, a positive and random negatives each.

    Queries without a relevant candidate or with fewer negatives than asked for are left out.

    Raises:
        ProblemError: If no query is left.
    """
    relevant = train.relevant.numpy()
    negative = train.lists.real.numpy() & ~relevant
    usable = np.flatnonzero(relevant.any(1) & (negative.sum(1) >= course.negatives))
    if not len(usable):
        raise ProblemError(
            f"No training query has a relevant candidate and {course.negatives} others",
            where="training lists",
            fix="Ask for fewer negatives, or give more candidates a query.",
        )
    for chosen in map(np.array, stream(usable.tolist(), course.batch, rng)):
        keys = rng.random(relevant[chosen].shape)
        first = np.where(relevant[chosen], keys, -1).argmax(1)[:, None]
        others = np.argsort(-np.where(negative[chosen], keys, -1), axis=1)[:, : course.negatives]
        picked = torch.from_numpy(np.concatenate([first, others], axis=1))
        rows = torch.from_numpy(chosen)
        teacher = train.teacher[rows].gather(1, picked)
        candidates = train.lists.candidates[rows].gather(1, picked)
        candidates, teacher = course.taught(candidates, teacher, rng)
        yield Batch(train.lists.queries[rows], candidates, teacher)


def fit(ranker: Ranker, texts: TokenSet, train: TrainingLists, course: Course, ctx: Context) -> Ranker:
    """Train all parameters of the ranker that want gradients.

    Raises:
        DivergedError: If the loss is not finite.
        ProblemError: If the loss needs teacher scores and there are none.
    """
    _check_teacher(train, course)
    groups = _groups(ranker, course)
    if not groups or not course.steps:
        return ranker.eval()
    warm = max(1, round(course.warmup * course.steps))

    def slope(step: int) -> float:
        return min((step + 1) / warm, (course.steps - step) / max(1, course.steps - warm + 1))

    def loss(batch: Batch) -> Tensor:
        q, d = texts.queries, texts.passages
        scores = ranker(
            Texts(q.data[batch.queries], q.mask[batch.queries]),
            Texts(d.data[batch.candidates], d.mask[batch.candidates]),
        )
        return loss_of(course.loss, scores, batch.teacher.to(scores.device))

    _train_mode(ranker)
    Loop(
        torch.optim.AdamW(groups, weight_decay=0.01),
        partial(skipped, batches(train, course, ctx.rng("order"))),
        loss,
        course.steps,
        schedule=partial(LambdaLR, lr_lambda=slope),
        clip=1.0,
        progress=ctx.progress,
        checkpoints=ctx.checkpoints,
        name="ranker",
    ).run()
    return ranker.eval()


def _train_mode(ranker: Ranker) -> None:
    """Dropout is on only in what is trained: a frozen encoder gives its vectors of evaluation mode."""
    ranker.train()
    encoder = ranker.tower.encoder
    if encoder is not None and not any(p.requires_grad for p in encoder.parameters()):
        encoder.eval()


def _groups(ranker: Ranker, course: Course) -> list[dict[str, Any]]:
    """Parameters that learn: the encoder's, and all others."""
    encoder = ranker.tower.encoder
    inner = {id(p) for p in encoder.parameters()} if encoder is not None else set()
    learnt = [p for p in ranker.parameters() if p.requires_grad]
    split = (
        ([p for p in learnt if id(p) not in inner], course.rate),
        ([p for p in learnt if id(p) in inner], course.encoder_rate),
    )
    return [{"params": found, "lr": rate} for found, rate in split if found]


def _check_teacher(train: TrainingLists, course: Course) -> None:
    known = torch.isfinite(train.teacher) | ~train.lists.real
    if course.loss != "one-hot" and course.steps and not bool(known.all()):
        raise ProblemError(
            f"{int((~known).sum())} candidates have no teacher score, which the loss {course.loss} needs",
            where="training lists",
            fix="Give the task a teacher, or train with the one-hot loss.",
        )
