"""P6: every tree is a program of short modules; without switches it is not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.il_bench.asking import Executor
from methods.il_bench.expressive import Representation, WriteProgram, represent
from methods.il_bench.items import SYMBOLS
from methods.il_bench.programs import Node, parse_program, print_program, run
from methods.il_bench.rules import parse_rules
from methods.il_bench.surrogate import SurrogateExecutor
from methods.il_bench.syntree import VALUES, SynTree, Tree, draw_tree
from methods.il_bench.templates import render
from tests.methods.context import FakeContext

TASK = Representation(trees=2, sizes=((1, 3, 3, 2), (2, 3, 3, 3)))


@given(st.integers(1, 3), st.integers(2, 6), st.integers(2, 4), st.integers(2, 4), st.integers(0, 10**6))
def test_every_tree_is_a_program_of_short_modules(
    depth: int, values: int, count: int, most: int, seed: int
) -> None:
    labels = SYMBOLS[:count]
    tree = random_tree(depth, values, labels, np.random.default_rng(seed))
    program = represent(tree, labels, most=most)
    assert all(len(parse_rules(node.instruction)) <= most for _, node in program.modules())
    grid = [dict(zip(("x1", "x2", "x3"), row, strict=True)) for row in product(VALUES[:values], repeat=3)]
    predict = Executor(SurrogateExecutor("interpreter", "interpreter", error=0.0), labels)
    said = run(program, [render(row, "equations") for row in grid], predict)
    assert said == [tree(row) for row in grid]


def random_tree(depth: int, values: int, labels: tuple[str, ...], rng: np.random.Generator) -> Tree:
    """Any tree over x1 to x3, balanced or not, some paths shorter than others."""
    if depth == 0 or rng.random() < 0.2:
        return Tree(label=labels[int(rng.integers(len(labels)))])
    branches = {value: random_tree(depth - 1, values, labels, rng) for value in VALUES[:values]}
    return Tree(variable=f"x{depth}", branches=branches)


def test_the_task_finds_no_error_and_tries_all_inputs() -> None:
    ctx = FakeContext(seed=3)
    table = TASK.evaluate(WriteProgram().run(TASK.problem(ctx), ctx), ctx).parts["main"]
    assert len(table["case"]) == 4
    assert list(table["error"]) == [0.0] * 4
    assert all(modules > 1 for modules in list(table["modules"])[2:])


def test_without_switches_deeper_trees_are_lost_and_a_second_reading_confirms_it() -> None:
    ctx = FakeContext(seed=3)
    whole = WriteProgram().run(TASK.problem(ctx), ctx)
    roots = {name: parse_program(text) for name, text in whole.items()}
    alone = {name: print_program(Node(root.instruction, root.fallback)) for name, root in roots.items()}
    table = TASK.evaluate(alone, ctx).parts["main"]
    deep = [place for place, case in enumerate(table["case"]) if case.startswith("depth 2")]
    assert deep
    for place in deep:
        assert table["error"][place] > 0
        assert table["confirmed"][place]


def test_one_rule_or_one_label_tells_nothing_apart() -> None:
    tree = draw_tree(SynTree(1, 2, labels=2), SYMBOLS[:2], np.random.default_rng(0))
    for labels, most in ((SYMBOLS[:2], 1), (SYMBOLS[:1], 3)):
        with pytest.raises(ProblemError, match="nothing apart"):
            represent(tree, labels, most=most)
