"""The questions of a generated world, split and told once for all trials of a worker that ask them."""

from __future__ import annotations

from dataclasses import dataclass

from harness.method import Context
from methods.kaft.prepare import PretrainedWorld
from methods.kaft.questions import Question

KEPT = 8
"""Tellings that are kept, a few megabytes each: methods of one seed follow each other."""


@dataclass(frozen=True)
class Telling:
    """What the questions of a trial follow from, with the random streams of its seed.

    Attributes:
        base: The world.
        seed: Of the trial: it names the streams.
        stage: ``tune`` tests the validation part.
        shares: Of the subjects, for training and for validation; the rest is for the test.
        trained: Different contexts of a training question.
        asked: Different contexts of a test question.
        unread: Different contexts of a test question that has to be read.
    """

    base: PretrainedWorld
    seed: int
    stage: str
    shares: tuple[float, float]
    trained: int
    asked: int
    unread: int


@dataclass(frozen=True)
class Told:
    """Questions of a trial.

    Attributes:
        train: To train on.
        test: About other subjects, each once.
        retold: The same with further contexts.
        unread: The same with other contexts again, for those that have to be read.
    """

    train: tuple[Question, ...]
    test: tuple[Question, ...]
    retold: tuple[Question, ...]
    unread: tuple[Question, ...]


_KEPT: dict[Telling, Told] = {}


def tell(telling: Telling, ctx: Context) -> Told:
    """Subjects are split into train, validation and test; all contexts are drawn by the seed.

    A stream gives the same numbers to whoever asks for it by name under one seed, so that a telling
    determines its questions and may be kept.
    """
    if telling not in _KEPT:
        while len(_KEPT) >= KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[telling] = _tell(telling, ctx)
    return _KEPT[telling]


def _tell(telling: Telling, ctx: Context) -> Told:
    world = telling.base.draw()
    order = ctx.rng("split").permutation(world.rules.subjects).tolist()
    train, held = (round(share * len(order)) for share in telling.shares)
    tested = order[train : train + held] if telling.stage == "tune" else order[train + held :]
    asked = world.questions(tested, ctx.rng("test contexts"), draws=telling.asked)
    unread = world.questions(tested, ctx.rng("retold contexts"), draws=telling.unread)
    return Told(
        train=tuple(world.questions(order[:train], ctx.rng("train contexts"), draws=telling.trained)),
        test=tuple(question for question in asked if not question.first),
        retold=tuple(question for question in asked if question.first),
        unread=tuple(unread),
    )
