"""Tasks: what is seen and scored, other executors, the printed program, and tuning."""

from __future__ import annotations

import numpy as np
import pytest

from harness.checks.state import state_of
from methods.il_bench import method as m
from methods.il_bench.asking import Executor
from methods.il_bench.models import SurrogateInterpreter
from methods.il_bench.predictors import Program
from methods.il_bench.problem import Learned
from methods.il_bench.programs import Node
from methods.il_bench.rules import Condition, Rule, print_rules
from methods.il_bench.scoring import follow
from methods.il_bench.syntree import SynTree, make_syntree
from methods.il_bench.task import DigitsTask, Learning, SynTreeTask, TableTask, WaveformTask
from tests.methods.context import FakeContext

EXACT = SurrogateInterpreter(error=0.0)
TASK = SynTreeTask(train=100, validation=20, test=60, reader=EXACT, shifted=True, proxy=True, drawn=True)


def gold(task: SynTreeTask, ctx: FakeContext) -> Program:
    """A program of one module that knows the hidden tree."""
    rng = np.random.default_rng(int(ctx.rng("benchmark").integers(2**62)))
    sizes = SynTree(
        task.depth, task.variables, task.values, task.labels, task.train, task.validation, task.test
    )
    _, tree = make_syntree(sizes, rng)
    rules = []

    def collect(node: object, conditions: tuple[Condition, ...]) -> None:
        assert isinstance(node, type(tree))
        if node.label:
            rules.append(Rule(conditions, node.label))
        for value, child in node.branches.items():
            collect(child, (*conditions, Condition(node.variable, value)))

    collect(tree, ())
    return Program(Node(print_rules(rules), task.benchmark(ctx).labels[0]))


def test_the_hidden_tree_is_right_everywhere() -> None:
    ctx = FakeContext(5)
    parts = TASK.evaluate(Learned(gold(TASK, ctx)), ctx).parts
    for part in ("test", "train", "order", "json", "sentence", "margin", "nuisance", "proxy"):
        assert set(parts[part]["correct"]) == {1}, part
        assert set(parts[part]["calls"]) == {1}
    assert parts["search"]["rules"] == [9]


def test_nothing_of_the_test_is_in_the_problem() -> None:
    ctx = FakeContext(5)
    problem, found = TASK.problem(ctx), TASK.benchmark(ctx)
    assert problem.train == found.train
    tested = {item.id for item in found.test}
    assert not tested & {item.id for item in (*problem.train, *problem.validation)}


def test_equal_seeds_give_equal_problems_and_others_do_not() -> None:
    first, again, other = (state_of(TASK.problem(FakeContext(seed))) for seed in (5, 5, 6))
    assert first == again != other


def test_tuning_sees_validation_items_only() -> None:
    ctx = FakeContext(5, stage="tune")
    parts = TASK.evaluate(Learned(gold(TASK, ctx)), ctx).parts
    assert set(parts) == {"validation"}
    assert parts["validation"]["unit_id"] == [item.id for item in TASK.benchmark(ctx).validation]


def test_another_executor_runs_the_same_program() -> None:
    noisy = SynTreeTask(train=100, test=600, reader=EXACT, other=SurrogateInterpreter(error=0.3))
    ctx = FakeContext(5)
    parts = noisy.evaluate(Learned(gold(noisy, ctx)), ctx).parts
    assert parts["transfer"]["unit_id"] == parts["test"]["unit_id"]
    assert np.mean(parts["transfer"]["correct"]) == pytest.approx(0.7, abs=0.08)


def test_the_printed_program_is_followed_without_errors() -> None:
    ctx = FakeContext(5)
    noisy = SynTreeTask(train=100, test=300, reader=SurrogateInterpreter(error=0.3), proxy=True)
    parts = noisy.evaluate(Learned(gold(noisy, ctx)), ctx).parts
    assert set(parts["proxy"]["correct"]) == {1}
    assert np.mean(parts["test"]["correct"]) < 0.85
    unread = noisy.evaluate(Learned(Program(Node("Be clever.", "foo"))), ctx).parts
    assert "proxy" not in unread


def test_the_program_is_drawn_with_its_examples() -> None:
    ctx = FakeContext(5)
    rows = TASK.evaluate(Learned(gold(TASK, ctx)), ctx).parts["program"]
    assert rows["parent"][0] == ""
    assert "100 examples, 0 errors" in rows["note"][0]


@pytest.mark.parametrize(
    ("task", "size"),
    [
        (WaveformTask(train=60, validation=10, test=50), 50),
        (TableTask(table="iris", train=60, validation=10), 80),
        (TableTask(table="wine", train=60, validation=10), 108),
        (DigitsTask(), 537 - 300),
    ],
)
def test_other_tasks_are_learnt(task: Learning, size: int) -> None:
    ctx = FakeContext(1)
    found = task.benchmark(ctx)
    parts = task.evaluate(m.LSP(expansions=3).run(task.problem(ctx), ctx), ctx).parts
    counts = [item.label for item in found.test]
    assert len(counts) == size
    assert np.mean(parts["test"]["correct"]) > max(map(counts.count, counts)) / size + 0.1


def test_the_naive_interpreter_follows_the_grammar() -> None:
    executor = Executor(EXACT.open(FakeContext()), ("foo", "bar", "baz"))
    root = Node("If x1 is A, then foo.\nOtherwise bar.", "foo", {"foo": Node("Otherwise baz.", "foo")})
    assert follow(root, "x1 = A", executor) == ("baz", 2)
    assert follow(root, "x1 = B", executor) == ("bar", 1)
