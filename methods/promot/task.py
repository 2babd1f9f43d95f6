"""Tasks: adapt a model to targets, be scored on them and on all that was not tuned on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.method import Context, Scores, Task
from methods.promot.metrics import score
from methods.promot.problem import Adapted, Query, Shape, TuningProblem, answers, in_format, weight_hash

if TYPE_CHECKING:
    from methods.promot.problem import Reading

Rows = dict[str, list[Any]]


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
    def exam(self, ctx: Context, *, shots: int, brief: bool) -> Exam:
        """The questions; ``brief`` asks held-out tasks with one demonstration only."""

    def evaluate(self, result: Adapted, ctx: Context) -> Scores:
        """Ask the model; targets behind their prompts, all else without."""
        problem = self.problem(ctx)
        if ctx.stage == "tune":
            queries = [q for target in problem.targets.values() for q in target.validation[result.shots]]
            shapes = {name: target.shape for name, target in problem.targets.items()}
            return Scores({"validation": _asked(result, queries, problem.reading, shapes)})
        exam = self.exam(ctx, shots=result.shots, brief=not result.final)
        target = _asked(result, exam.target, problem.reading, exam.shapes)
        held_out = _asked(result, exam.held_out, problem.reading, exam.shapes)
        if not result.final:
            return Scores(_while_training(result, target, held_out))
        related = _asked(result, exam.related, problem.reading, exam.shapes)
        parts = {"main": target, "held-out": held_out} | ({"related": related} if exam.related else {})
        return Scores({**parts, **_against_start(result, problem, exam.held_out)})


def _asked(result: Adapted, queries: Sequence[Query], reading: Reading, shapes: Mapping[str, Shape]) -> Rows:
    """Rows of scored answers. Tasks that were not tuned on see neither prompt nor adapter."""
    from methods.common.lora import disabled

    texts: dict[int, str] = {}
    for task in dict.fromkeys(query.task if query.task in result.prompts else "" for query in queries):
        chosen = [i for i, q in enumerate(queries) if (q.task if q.task in result.prompts else "") == task]
        asked = [queries[i] for i in chosen]
        if task:
            found = answers(result.model, asked, reading, result.prompts[task])
        else:
            with disabled(result.model):
                found = answers(result.model, asked, reading)
        texts.update(zip(chosen, found, strict=True))
    return _rows(queries, [texts[i] for i in range(len(queries))], shapes)


def _rows(queries: Sequence[Query], texts: Sequence[str], shapes: Mapping[str, Shape]) -> Rows:
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


def _against_start(result: Adapted, problem: TuningProblem, queries: Sequence[Query]) -> dict[str, Rows]:
    """How far weights moved, and whether weights and answers without prompt are the pretrained ones."""
    from methods.common.lora import disabled

    start = problem.model()
    before = dict(start.named_parameters())
    after = {name.replace(".base.", "."): p for name, p in result.model.named_parameters()}
    moved = {name: float((after[name] - p).detach().double().norm()) for name, p in before.items()}
    cases = [f"weights {name}" for name in before]
    errors = [float((after[name] - p).detach().abs().max()) for name, p in before.items()]
    confirmed = [weight_hash({"": before[name]}) != weight_hash({"": after[name]}) for name in before]
    once = [query for query in queries if query.shots == 1]
    old = answers(start, once, problem.reading)
    with disabled(result.model):
        new = answers(result.model, once, problem.reading)
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
