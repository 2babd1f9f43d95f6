"""From a predictor's answers to rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from methods.il_bench.asking import Executor
from methods.il_bench.items import Benchmark, Item
from methods.il_bench.predictors import Input, Predictor, Program
from methods.il_bench.problem import Learned
from methods.il_bench.programs import Node, parse_program, print_program
from methods.il_bench.rules import parse_rules
from methods.il_bench.search import Step
from methods.il_bench.surrogate import SurrogateExecutor

Rows = dict[str, list[Any]]


def rows(predictor: Predictor, items: Sequence[Item], executor: Executor) -> Rows:
    """One row an item: whether its label is found, and the calls that it took."""
    said = predictor.answer([Input(item.text, item.values) for item in items], executor)
    return {
        "unit_id": [item.id for item in items],
        "correct": [int(label == item.label) for label, item in zip(said.labels, items, strict=True)],
        "calls": said.calls,
    }


def average(tested: Rows, result: Learned, train: int) -> Rows:
    """One row for a search that goes on: test accuracy, training accuracy, calls an input, modules.

    Args:
        tested: Rows of the test set.
        result: Where the search stands.
        train: Number of training items.
    """
    step, program = result.growth[-1], result.predictor.program
    return {
        "unit_id": ["program"],
        "correct": [_mean(tested["correct"])],
        "train_correct": [step.right / train],
        "calls": [_mean(tested["calls"])],
        "modules": [0 if program is None else program.size],
        "requests": [step.calls],
    }


def search_row(result: Learned, tested: Rows, executor: Executor) -> Rows:
    """What a search asked and what it found, in one row.

    Args:
        result: The finished search.
        tested: Rows of the test set.
        executor: Has answered for the scores since.
    """
    spent, program = result.spent, result.predictor.program
    return {
        "unit_id": ["search"],
        "learner": [spent.learner],
        "executor": [spent.executor],
        "learner_tokens": [spent.learner_tokens],
        "executor_tokens": [spent.executor_tokens],
        "unreadable": [spent.unreadable],
        "unreadable_test": [executor.unreadable - (spent.unreadable if result.executor else 0)],
        "modules": [0 if program is None else program.size],
        "depth": [0 if program is None else program.depth],
        "rules": [0 if program is None else _rules(program)],
        "calls": [_mean(tested["calls"])],
    }


def growth_rows(growth: Sequence[Step], train: Sequence[Item], executor: Executor) -> Rows:
    """The course of training accuracy, as cases of an exact claim: it never falls (property P3).

    The search kept its own count; here each program labels the training items one at a time, so
    that a wrong count is found, too. ``error`` is by how much accuracy fell, or the counts differ.
    """
    found: Rows = {name: [] for name in ("unit_id", "case", "train_correct", "modules", "error", "tolerance")}
    before = 0
    for number, step in enumerate(growth, start=1):
        right = sum(follow(step.program, item.text, executor)[0] == item.label for item in train)
        wrong = max(before - right, abs(step.right - right), 0)
        values = (f"step-{number}", f"expansion {number}", right / len(train), step.program.size)
        for name, value in zip(found, (*values, wrong / len(train), 0.0), strict=True):
            found[name].append(value)
        before = right
    return found | {"confirmed": [error > 0 for error in found["error"]]}


def follow(node: Node, text: str, executor: Executor) -> tuple[str, int]:
    """A program's label of one input and the modules passed, exactly as the grammar says."""
    label = executor(node.instruction, [text])[0] or node.fallback
    if label not in node.children:
        return label, 1
    found, calls = follow(node.children[label], text, executor)
    return found, calls + 1


def has_rules(program: Node) -> bool:
    """Whether every module's instruction has rules in controlled English."""
    return all(parse_rules(node.instruction) for _, node in program.modules())


def proxy_rows(program: Node, benchmark: Benchmark) -> Rows:
    """Rows of the test set for the printed program, read again and followed without an error.

    Stands in for a person who has the printed page and no language model.
    """
    exact = Executor(SurrogateExecutor("exact reader", "exact reader", error=0.0), benchmark.labels)
    return rows(Program(parse_program(print_program(program))), benchmark.test, exact)


def _rules(program: Node) -> int:
    return sum(len(parse_rules(node.instruction)) for _, node in program.modules())


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
