"""The from-scratch task: a small model that knows the formats of :mod:`methods.promot.world`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import Context, ProblemError, Reference, param
from methods.promot import world
from methods.promot.problem import Query, Reading, Shape, Target
from methods.promot.task import Adaptation, Exam

if TYPE_CHECKING:
    from methods.common.examples import Example

TARGETS: dict[str, tuple[world.Format, Shape]] = {
    "entailment": (world.ENTAILMENT, "true or false"),
    "translation": (world.TRANSLATION, "renamed"),
}
RELATED = "fixed gloss"
"""Glossing by the dictionary of the translation task: its meaning, in another format."""


def token_name(token: int) -> str:
    """The word that a token is printed as."""
    if token < world.FIRST_TAG:
        return ("pad", "stop", "equals", "bar", "true", "false")[token]
    if token < world.SOURCE:
        return f"tag{token - world.FIRST_TAG}"
    side, first = ("s", world.SOURCE) if token < world.TARGET else ("t", world.TARGET)
    return f"{side}{token - first}"


def text_of(tokens: Sequence[int]) -> str:
    """Tokens as words."""
    return " ".join(token_name(token) for token in tokens)


READING = Reading(
    decode=text_of, stop=frozenset({world.STOP}), pad=world.PAD, new_tokens=world.ANSWER, batch=256
)


@dataclass(frozen=True)
class FormatWorld(Adaptation):
    """Tune on a target task of the formal language; everything is drawn anew for each seed.

    Attributes:
        model: Reference of the pretrained model; loads as a ``Checkpoint``.
        targets: Tasks to be tuned on.
    """

    model: Reference
    targets: tuple[str, ...] = ("entailment",)
    train: int = param(3000, source="ours", doc="training inputs a target")
    validation: int = param(200, source="ours", doc="validation inputs a target")
    test: int = param(400, source="ours", doc="test inputs a target")
    items: int = param(40, source="ours", doc="questions a held-out task and number of demonstrations")
    probed: int = param(8, source="ours", doc="the same while a model trains, which is asked often")
    probed_test: int = param(128, source="ours", doc="test inputs a target while a model trains")
    shots: tuple[int, ...] = param(
        (1, 4), source="paper, section 5", doc="demonstrations in held-out questions"
    )

    def reading(self, ctx: Context) -> Reading:
        """Tokens as words."""
        return READING

    def pretrained(self, ctx: Context) -> Any:
        """The pretrained model, in float32."""
        return ctx.load(self.model, fresh=True).model(ctx.device, "float32")

    def folder(self, ctx: Context) -> Path:
        """Where its files are."""
        folder: Path = ctx.load(self.model).folder
        return folder

    def learnt(self, ctx: Context) -> dict[str, Target]:
        """Fresh inputs of the target tasks."""
        return {name: self._target(name, ctx) for name in self.targets}

    def replay(self, ctx: Context) -> list[Example]:
        """Pretraining episodes of two segments."""
        return _replay(500, ctx.rng("replayed episodes"))

    def exam(self, ctx: Context, *, shots: int, brief: bool) -> Exam:
        """Fresh inputs of targets and held-out tasks."""
        asked = tuple(k for k in self.shots if k == 1) if brief else self.shots
        items, test = (self.probed, self.probed_test) if brief else (self.items, self.test)
        held_out = [
            query
            for name, task in world.HELD_OUT.items()
            for k in asked
            for query in _queries(name, task, k, items, ctx.rng(f"{name}, {k} shots"))
        ]
        targets = [
            query
            for name in self.targets
            for query in _queries(name, TARGETS[name][0], shots, test, ctx.rng(f"test of {name}"))
        ]
        related = [] if brief or "translation" not in self.targets else self._related(ctx)
        return Exam(targets, held_out, related, {name: TARGETS[name][1] for name in self.targets})

    def _target(self, name: str, ctx: Context) -> Target:
        if name not in TARGETS:
            raise ProblemError(
                f"There is no target task '{name}'", where="targets", fix=f"Known: {', '.join(TARGETS)}."
            )
        task, shape = TARGETS[name]
        validation = _queries(name, task, 0, self.validation, ctx.rng(f"validation of {name}"))
        held = {query.prompt for query in validation}
        rng = ctx.rng(f"training of {name}")
        train = [_example(name, i, _demonstrated(task, 0, rng)) for i in range(self.train)]
        shown = [_example(name, i, _demonstrated(task, 1, rng)) for i in range(self.train)]
        return Target(
            name=name,
            shape=shape,
            train={0: [example for example in train if example.prompt not in held], 1: shown},
            validation={
                0: validation,
                1: _queries(name, task, 1, self.validation, ctx.rng(f"shown validation of {name}")),
            },
        )

    def _related(self, ctx: Context) -> list[Query]:
        gloss = replace(world.GLOSS, fixed=world.DICTIONARY)
        return [
            query
            for k in self.shots
            for query in _queries(RELATED, gloss, k, self.items, ctx.rng(f"related, {k} shots"))
        ]


def _demonstrated(
    task: world.Format, shots: int, rng: np.random.Generator
) -> tuple[world.Symbols, world.Symbols]:
    """Prompt (demonstrations and query) and answer of one input."""
    *shown, query = world.episode(task, shots + 1, rng)
    before = tuple(token for part in shown for token in (*part.prompt, *part.answer))
    return before + query.prompt, query.answer


def _queries(
    name: str,
    task: world.Format,
    shots: int,
    count: int,
    rng: np.random.Generator,
) -> list[Query]:
    found = []
    for index in range(count):
        prompt, answer = _demonstrated(task, shots, rng)
        unit = f"{name}/{shots}/{index}" if name not in TARGETS else f"{name}/{index}"
        found.append(Query(unit, name, shots, "exact", prompt, (text_of(answer[:-1]),)))
    return found


def _example(name: str, index: int, parts: tuple[world.Symbols, world.Symbols]) -> Example:
    from methods.common.examples import Example

    return Example(f"{name}/{index}", *parts)


def _replay(count: int, rng: np.random.Generator) -> list[Example]:
    """Pretraining episodes of two segments, of which the second is to be answered."""
    from methods.common.examples import Example

    tasks = [task for task in world.TAGGED for _ in range(count // len(world.TAGGED) + 1)]
    return [Example(f"replay/{i}", *_demonstrated(task, 1, rng)) for i, task in enumerate(tasks[:count])]
