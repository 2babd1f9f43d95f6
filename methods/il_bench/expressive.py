"""Programs for given trees: what calls of a language model and switches can say (card, claim C9).

Edges of a program are labels, and there may be fewer labels than values of a variable. So a module
with r rules tells r − 1 values apart and sends the others on to a child that asks for the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.method import Context, Method, ProblemError, Scores, Task, param
from methods.il_bench.asking import Executor
from methods.il_bench.items import SYMBOLS
from methods.il_bench.programs import Node, parse_program, print_program, run
from methods.il_bench.rules import Condition, Rule, apply_rules, parse_rules, print_rules
from methods.il_bench.surrogate import SurrogateExecutor
from methods.il_bench.syntree import SynTree, Tree, asked, draw_tree
from methods.il_bench.templates import render


def represent(tree: Tree, labels: Sequence[str], *, most: int = 3) -> Node:
    """A program that labels every input as a tree does.

    Args:
        tree: The tree.
        labels: All labels, two at least.
        most: Rules of a module.

    Raises:
        ProblemError: If modules may not tell anything apart.
    """
    ways = min(most, len(labels))
    if ways < 2:
        raise ProblemError(
            f"{len(labels)} labels and {most} rules a module tell nothing apart",
            where="represent",
            fix="Allow two of each.",
        )
    if tree.label:
        return _constant(tree.label)
    return _ask(tree, sorted(tree.branches), labels, ways)


def _ask(tree: Tree, values: Sequence[str], labels: Sequence[str], ways: int) -> Node:
    """A module that tells some values of the tree's variable apart, with what comes after each."""
    if len(values) == 1:
        return represent(tree.branches[values[0]], labels, most=ways)
    told, rest = (values, []) if len(values) <= ways else (values[: ways - 1], values[ways - 1 :])
    after = [represent(tree.branches[value], labels, most=ways) for value in told]
    if rest:
        after.append(_ask(tree, rest, labels, ways))
    edges = labels[: len(after)]
    rules = [
        Rule((Condition(tree.variable, value),), label) for value, label in zip(told, edges, strict=False)
    ]
    # The last rule needs no condition: it stands for the one value left, or for all that remain.
    rules = [*rules[: len(after) - 1], Rule((), edges[-1])]
    children = zip(edges, after, strict=True)
    # An edge that is the right label already needs nothing behind it.
    return Node(
        print_rules(rules),
        edges[-1],
        {label: child for label, child in children if child != _constant(label)},
    )


def _constant(label: str) -> Node:
    return Node(print_rules([Rule((), label)]), label)


@dataclass(frozen=True)
class Functions:
    """Trees to be written as programs.

    Attributes:
        trees: By name.
        labels: Of each.
    """

    trees: Mapping[str, Tree]
    labels: Mapping[str, tuple[str, ...]]


Programs = dict[str, str]
"""Printed programs by name."""


@dataclass(frozen=True, kw_only=True)
class Representation(Task[Functions, Programs]):
    """Hidden trees of SynTree, each to be written as a program; all inputs are tried."""

    trees: int = param(4, source="ours", doc="trees of each size")
    sizes: tuple[tuple[int, int, int, int], ...] = param(
        ((1, 3, 3, 2), (2, 4, 3, 2), (2, 4, 3, 3), (3, 5, 3, 3), (2, 3, 5, 4)),
        source="ours",
        doc="depth, variables, values and labels of the trees",
    )

    def problem(self, ctx: Context) -> Functions:
        """Trees of all sizes."""
        rng = ctx.rng("trees")
        trees: dict[str, Tree] = {}
        labels: dict[str, tuple[str, ...]] = {}
        for depth, variables, values, count in self.sizes:
            size = SynTree(depth, variables, values, count)
            for number in range(self.trees):
                name = f"depth {depth}, {values} values, {count} labels: tree {number}"
                labels[name] = SYMBOLS[:count]
                trees[name] = draw_tree(size, labels[name], rng)
        return Functions(trees, labels)

    def evaluate(self, result: Programs, ctx: Context) -> Scores:
        """Rows by tree: the share of inputs labelled otherwise, by interpreter and by hand."""
        given = self.problem(ctx)
        names = list(given.trees)
        errors = [_disagreement(given.trees[name], given.labels[name], result[name]) for name in names]
        modules = [parse_program(result[name]).size for name in names]
        table: dict[str, Any] = {
            "unit_id": names,
            "case": names,
            "error": [share for share, _ in errors],
            "tolerance": [0.0] * len(names),
            "confirmed": [confirmed for _, confirmed in errors],
            "modules": modules,
        }
        return Scores({"main": table})


def _disagreement(tree: Tree, labels: tuple[str, ...], printed: str) -> tuple[float, bool]:
    """Share of all inputs that a program labels otherwise, and whether a second reading agrees."""
    program = parse_program(printed)
    names = sorted(asked(tree))
    grid = [dict(zip(names, row, strict=True)) for row in itertools.product(tree.branches, repeat=len(names))]
    predict = Executor(SurrogateExecutor("interpreter", "interpreter", error=0.0), labels)
    said = run(program, [render(row, "equations") for row in grid], predict)
    wrong = [row for row, label in zip(grid, said, strict=True) if tree(row) != label]
    return len(wrong) / len(grid), any(_by_hand(program, row) != tree(row) for row in wrong)


def _by_hand(node: Node, values: Mapping[str, str]) -> str:
    """The label of one input, without texts, batches or routing."""
    label = apply_rules(parse_rules(node.instruction), values) or node.fallback
    return _by_hand(node.children[label], values) if label in node.children else label


@dataclass(frozen=True)
class WriteProgram(Method[Functions, Programs]):
    """Write trees as programs of short modules, by construction."""

    problem_type: ClassVar[type] = Functions

    rules: int = param(3, source="ours", doc="rules of a module, at most")

    def run(self, problem: Functions, ctx: Context) -> Programs:
        """One program a tree."""
        return {
            name: print_program(represent(tree, problem.labels[name], most=self.rules))
            for name, tree in problem.trees.items()
        }
