"""Negative controls: LSP and written programs with one mechanism broken. No real method imports this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.method import Context, param
from methods.il_bench.expressive import Functions, Programs, WriteProgram
from methods.il_bench.method import LSP
from methods.il_bench.problem import Learned, ProgramProblem
from methods.il_bench.programs import Node, parse_program, print_program

if TYPE_CHECKING:
    import numpy as np

    from methods.il_bench.asking import Learner
    from methods.il_bench.items import Item
    from methods.il_bench.search import Propose


@dataclass(frozen=True)
class Sabotaged(LSP):
    """LSP with one mechanism broken.

    ``shuffled-labels`` shows the learner its examples with their labels exchanged; ``crossed-switch``
    hangs each branch of the finished program under the next label.
    """

    cites: ClassVar[str] = ""

    bug: Literal["shuffled-labels", "crossed-switch"] = param(
        "shuffled-labels", source="ours", doc="what is broken"
    )

    def propose(self, ctx: Context) -> Propose:
        """See :class:`LSP`."""
        return shuffled(ctx.rng("shuffled labels")) if self.bug == "shuffled-labels" else super().propose(ctx)

    def wired(self, root: Node, labels: Sequence[str]) -> Node:
        """See :class:`LSP`."""
        return crossed(root, labels) if self.bug == "crossed-switch" else root


def shuffled(rng: np.random.Generator) -> Propose:
    """RuleSum over items that have exchanged their labels."""

    def propose(learner: Learner, items: Sequence[Item], parent: str) -> str:
        order = rng.permutation(len(items))
        pairs = zip(items, order, strict=True)
        return learner.summarise([replace(item, label=items[other].label) for item, other in pairs])

    return propose


def crossed(root: Node, labels: Sequence[str]) -> Node:
    """The program with each branch hung under the next label: a switch that reads its label wrong."""
    following = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    children = {following[label]: crossed(child, labels) for label, child in root.children.items()}
    return replace(root, children=children)


@dataclass(frozen=True)
class Backwards(LSP):
    """LSP whose search undoes its expansions one by one."""

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """The search of LSP, told backwards; the program is the one that it ends with."""
        done = super().run(problem, ctx)
        return replace(done, growth=done.growth[::-1])


@dataclass(frozen=True)
class WithoutSwitch(WriteProgram):
    """The first module of each program alone: nothing is left of the switches."""

    def run(self, problem: Functions, ctx: Context) -> Programs:
        """One module a tree."""
        programs = super().run(problem, ctx)
        return {
            name: print_program(Node(node.instruction, node.fallback))
            for name, node in ((name, parse_program(text)) for name, text in programs.items())
        }
