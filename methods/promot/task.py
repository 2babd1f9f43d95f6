"""Tasks: adapt a model to targets, be scored on them and on all that was not tuned on."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.method import Checkpoints, Context, Scores, Task
from methods.promot.metrics import score
from methods.promot.problem import (
    Adapted,
    Query,
    Reading,
    Shape,
    Target,
    TuningProblem,
    answers,
    in_format,
    weight_hash,
)

if TYPE_CHECKING:
    from methods.common.examples import Example

Rows = dict[str, list[Any]]
PART = 2048
"""Questions whose answers are kept together."""


@dataclass(frozen=True)
class Exam:
    """What a tuned model is asked; no method sees it.

    Attributes:
        target: Test questions of the target tasks.
        held_out: Questions of tasks that were not tuned on, with the numbers of demonstrations
            asked for.
        related: Held-out questions that share the target's meaning in another format.
        shapes: The output format of each target task.
    """

    target: Sequence[Query]
    held_out: Sequence[Query]
    related: Sequence[Query]
    shapes: Mapping[str, Shape]


class Adaptation(Task[TuningProblem, Adapted]):
    """Learn target tasks without losing others.

    Parts: ``main`` (test questions of the targets), ``held-out`` and ``related`` (all numbers of
    demonstrations), ``untouched`` (whether weights and 1-shot answers equal the pretrained ones),
    ``drift``; while training, ``curve`` (both kinds of questions at one step) and ``alignment``.
    In the tuning stage only ``validation``.
    """

    @abstractmethod
    def reading(self, ctx: Context) -> Reading:
        """How answers are generated and read."""

    @abstractmethod
    def pretrained(self, ctx: Context) -> Any:
        """A private copy of the pretrained model."""

    @abstractmethod
    def folder(self, ctx: Context) -> Path:
        """Where the pretrained model lies."""

    @abstractmethod
    def learnt(self, ctx: Context) -> Mapping[str, Target]:
        """Training and validation inputs of the target tasks."""

    @abstractmethod
    def replay(self, ctx: Context) -> Sequence[Example]:
        """Pretraining examples, where there are any."""

    @abstractmethod
    def exam(self, ctx: Context, *, shots: int, brief: bool) -> Exam:
        """The questions; ``brief`` asks held-out tasks with one demonstration only."""

    def problem(self, ctx: Context) -> TuningProblem:
        """The pretrained model, and the target tasks without their test sets."""
        return TuningProblem(
            model=partial(self.pretrained, ctx),
            targets=self.learnt(ctx),
            reading=self.reading(ctx),
            replay=self.replay(ctx),
            folder=self.folder(ctx),
        )

    def evaluate(self, result: Adapted, ctx: Context) -> Scores:
        """Ask the model; targets behind their prompts, all else without."""
        from methods.common.placing import return_memory

        reading = self.reading(ctx)
        if ctx.stage == "tune":
            targets = self.learnt(ctx).values()
            queries = [query for target in targets for query in target.validation[result.shots]]
            shapes = {target.name: target.shape for target in targets}
            return Scores({"validation": asked(result, queries, reading, shapes)})
        exam = self.exam(ctx, shots=result.shots, brief=not result.final)
        target = asked(result, exam.target, reading, exam.shapes, ctx.checkpoints)
        held_out = self.elsewhere(result, exam, ctx)
        if not result.final:
            return Scores(_while_training(result, target, held_out))
        related = asked(result, exam.related, reading, exam.shapes, ctx.checkpoints)
        parts = {"main": target, "held-out": held_out} | ({"related": related} if exam.related else {})
        return_memory()
        return Scores({**parts, **_against_start(result, self.pretrained(ctx), reading, exam.held_out)})

    def elsewhere(self, result: Adapted, exam: Exam, ctx: Context) -> Rows:
        """Answers to the tasks that were not tuned on."""
        return asked(result, exam.held_out, self.reading(ctx), exam.shapes, ctx.checkpoints)


def asked(
    result: Adapted,
    queries: Sequence[Query],
    reading: Reading,
    shapes: Mapping[str, Shape],
    checkpoints: Checkpoints | None = None,
) -> Rows:
    """Rows of scored answers. Tasks that were not tuned on see neither prompt nor adapter."""
    from methods.common.checkpoints import mapped
    from methods.common.lora import disabled

    texts: dict[int, str] = {}
    for task in dict.fromkeys(query.task if query.task in result.prompts else "" for query in queries):
        chosen = [i for i, q in enumerate(queries) if (q.task if q.task in result.prompts else "") == task]
        parts = [[queries[i] for i in chosen[k : k + PART]] for k in range(0, len(chosen), PART)]

        def ask(part: list[Query], task: str = task) -> list[str]:
            if task:
                return answers(result.model, part, reading, result.prompts[task])
            with disabled(result.model):
                return answers(result.model, part, reading)

        found = mapped(checkpoints, f"answers {task}", parts, ask)
        texts.update(zip(chosen, itertools.chain.from_iterable(found), strict=True))
    return scored_rows(queries, [texts[i] for i in range(len(queries))], shapes)


def scored_rows(queries: Sequence[Query], texts: Sequence[str], shapes: Mapping[str, Shape]) -> Rows:
    """One row a question: what it is, its score, and whether the answer has a target's format."""
    scores = [score(query.kind, text, query.references) for query, text in zip(queries, texts, strict=True)]
    return {
        "unit_id": [query.unit for query in queries],
        "task": [query.task for query in queries],
        "shots": [query.shots for query in queries],
        "score": [row.score for row in scores],
        "counts": [row.counts for row in scores],
        "in_format": [100.0 * any(in_format(shape, text) for shape in shapes.values()) for text in texts],
    }


def _while_training(result: Adapted, target: Rows, held_out: Rows) -> dict[str, Rows]:
    joined: Rows = {name: [*target[name], *held_out[name]] for name in target}
    joined["kind"] = ["target"] * len(target["unit_id"]) + ["held-out"] * len(held_out["unit_id"])
    parts = {"curve": joined}
    if result.alignment:
        share = sum(held_out["in_format"]) / len(held_out["in_format"])
        parts["alignment"] = {
            "unit_id": list(result.alignment),
            "cosine": list(result.alignment.values()),
            "share": [share] * len(result.alignment),
        }
    return parts


def _against_start(
    result: Adapted, start: Any, reading: Reading, queries: Sequence[Query]
) -> dict[str, Rows]:
    """How far weights moved, and whether weights and answers without prompt are the pretrained ones."""
    from methods.common.lora import disabled

    before = dict(start.named_parameters())
    after = {name.replace(".base.", "."): p for name, p in result.model.named_parameters()}
    moved, errors = {}, []
    for name, weight in before.items():
        # One at a time: all differences together are a third model. Models that several GPUs hold need not
        # have the same layers on the same one.
        change = (after[name].to(weight.device) - weight).detach()
        moved[name] = float(change.double().norm())
        errors.append(float(change.abs().max()))
    cases = [f"weights {name}" for name in before]
    confirmed = [weight_hash({"": before[name]}) != weight_hash({"": after[name]}) for name in before]
    # Where a weight has moved, answers that differ say no more.
    once = [] if any(errors) else [query for query in queries if query.shots == 1]
    old = answers(start, once, reading)
    with disabled(result.model):
        new = answers(result.model, once, reading)
    differ = [left != right for left, right in zip(old, new, strict=True)]
    cases += [f"answer {query.unit}" for query in once]
    untouched: Rows = {
        "unit_id": cases,
        "case": cases,
        "error": errors + [float(d) for d in differ],
        "tolerance": [0.0] * len(cases),
        "confirmed": confirmed + differ,
    }
    drift: Rows = {"unit_id": ["all weights"], "drift": [sum(m * m for m in moved.values()) ** 0.5]}
    return {"untouched": untouched, "drift": drift}
